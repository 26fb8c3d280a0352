"""People at the desk: they register, set modes and limits, decide about held signals, and close."""

from typing import Any

from demo import market
from demo.books import Entry, Journal, Ledger
from demo.client import Answer, Client
from demo.market import Chart, side

ADMIN, TRADER = "admin", "user1"  # every demo server has these users
_PASSWORD = "123"  # noqa: S105


class Refused(Exception):
    """The server does not accept the demo's login."""


def _log_in(client: Client, username: str) -> str:
    """A token of a user. Raises Refused."""
    answer = client.post("/v3/login", {"username": username, "password": _PASSWORD})
    if answer.status != 200:
        raise Refused(
            f"The demo plays on a demo server only: its user {username} could not log in."
        )
    return answer.json["access_token"]


def register(client: Client) -> None:
    """Registers all singles and pairs; existing ones stay as they are. Raises Refused."""
    token = _log_in(client, ADMIN)

    def send(path: str, body: dict) -> None:
        status = client.post(path, body, token).status
        if status not in (201, 400):  # 400: it is already registered
            raise Refused(f"{path} was answered {status}.")

    for chart in sorted(market.REGISTERED, key=lambda each: each.leg2 is not None):
        for leg in chart.legs:
            send("/v3/regticker", leg.registration(0 if chart.leg2 else 1))
        if chart.leg2:
            send("/v3/regpair", chart.registration(0 if chart is market.PAUSED else 1))


class Desk:
    """What people do by hand, entered in the ledger; each act has a session of its own."""

    def __init__(self, client: Client, ledger: Ledger, journal: Journal):
        self._client, self._ledger, self._journal = client, ledger, journal

    def state(self) -> dict[str, Any]:
        """The mode, the limits, and what of them is used today."""
        return self._call("GET", "/v3/trading", user=TRADER).json

    def limit(self, **limits: float) -> None:
        """Sets limits."""
        told = ", ".join(f"{name} {limit}" for name, limit in limits.items())
        self._journal.say("desk", f"{ADMIN} sets limits: {told}")
        self._call("PUT", "/v3/limits", limits, ADMIN)

    def set_mode(self, chart: Chart, mode: str) -> None:
        """Sets the mode of a pair."""
        self._journal.say("desk", f"{TRADER} sets {chart.name} to {mode}")
        self._call("PUT", "/v3/regpair", {"name": chart.name, "mode": mode})

    def approve(self, chart: Chart) -> None:
        """Lets the held signal of a pair be traded."""
        self._decide(chart, "approve", ("waiting", ""))

    def refuse(self, chart: Chart) -> None:
        """Cancels the held signal of a pair."""
        self._decide(chart, "refuse", ("canceled", f"refused by {TRADER}"))

    def _decide(self, chart: Chart, word: str, outcome: tuple[str, str]) -> None:
        legs = tuple(leg.symbol for leg in chart.legs)
        for rowid, entry in self._ledger.entries.items():
            if entry.status == "held" and entry.legs == legs:
                self._journal.say("desk", f"{TRADER} says {word}: {entry.action} {chart.name}")
                self._call("POST", f"/v3/signal/{rowid}/{word}", {})
                entry.status, entry.message = outcome

    def close(self, chart: Chart, held: int) -> None:
        """Closes what is held of a pair, of leg 1."""
        self._journal.say("desk", f"{TRADER} closes {chart.name} by hand")
        answer = self._call("POST", "/v3/order", {"close": chart.name})
        if rowid := answer.json.get("rowid"):
            legs = tuple(leg.symbol for leg in chart.legs)
            word = "sell" if side(held) > 0 else "buy"
            self._ledger.entries[rowid] = Entry(word, abs(held), None, legs, chart.hedge)

    def _call(self, method: str, path: str, body: Any = None, user: str = TRADER) -> Answer:
        token = _log_in(self._client, user)
        answer = self._client.call(method, path, body, token)
        self._client.post("/v3/logout", {}, token)
        if answer.status not in (200, 201):
            self._journal.say("trouble", f"{path} was answered {answer.status}")
        return answer
