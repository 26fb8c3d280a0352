"""TradingView: strategies watch the charts and send alerts, as the shipped template makes them."""

import json
import time
from datetime import UTC, datetime
from typing import NamedTuple

from demo.books import Entry, Journal, Ledger
from demo.client import PASSPHRASE, Answer, Client
from demo.market import CHARTS, DAY, POSITIONS, Chart, Market, side

CUT = "reversal cut to its exit"  # the message of such a signal
_ENTER = 1.2  # distance from the mean, in usual deviations, at which a strategy enters


class Move(NamedTuple):
    """A strategy goes from one signed size to another."""

    before: int
    after: int

    @property
    def comment(self) -> str:
        """The comment of the strategy, such as `Enter Long`."""
        position = POSITIONS[side(self.after or self.before)].title()
        if not self.after:
            return f"Exit {position}"
        return f"Reverse to {position}" if self.before else f"Enter {position}"


def decide(chart: Chart, size: int, deviation: float) -> Move | None:
    """The move of a strategy at the end of a bar, if any: it sells above the mean, buys below."""
    wanted = -side(deviation) * chart.contracts
    is_far = abs(deviation) > _ENTER
    if not size:
        return Move(0, wanted) if is_far else None
    if side(size) == side(wanted):
        return None
    if chart.reverses:
        return Move(size, wanted) if is_far else None
    return Move(size, 0)


class TradingView:
    """Sends alerts, and enters in the ledger what the server must do with each."""

    def __init__(self, client: Client, market: Market, ledger: Ledger, journal: Journal):
        self._client, self._market, self._ledger, self._journal = client, market, ledger, journal
        self._begun = int(time.time())  # part of the alert ids, so that they differ between runs
        self.last = {chart.ticker: Move(0, 0) for chart in CHARTS}  # each strategy's last move
        self.repeats = ""  # "same" or "new": the next alert comes twice, with the same id or not

    def new_day(self) -> None:
        """Begins a day: its alerts have other ids."""
        self._begun += DAY

    def bar(self) -> None:
        """Ends a bar: each strategy decides, and sends an alert if it moves."""
        for chart in CHARTS:
            size = self.last[chart.ticker].after
            move = decide(chart, size, self._market.deviation(chart))
            if move is None:
                continue
            self.last[chart.ticker] = move
            body = self.send(chart, move)
            repeats, self.repeats = self.repeats, ""
            if repeats == "new":
                self.send(chart, move, alert_id=body["alert_id"] + "|2")
            elif repeats == "same":
                self._journal.say("alert", f"the same once more: {body['ticker']}")
                self._post(body, 200)

    def alert(self, chart: Chart, move: Move) -> dict:
        """The body of the template, with its keys in the same order."""
        change = move.after - move.before
        price = self._market.value(chart)
        word, contracts = ("buy", change) if change > 0 else ("sell", -change)
        where = f"{chart.leg1.exchange}:{chart.ticker}|5|{self._begun + self._journal.second}"
        sizes = f"{word}|{contracts}|{price}|{move.before}|{move.after}"
        return {
            "passphrase": PASSPHRASE,
            "alert_id": f"{where}|{move.comment}|{sizes}",
            "alert_time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "ticker": chart.ticker,
            "order_action": word,
            "order_contracts": contracts,
            "order_price": price,
            "mar_pos": POSITIONS[side(move.after)],
            "mar_pos_size": abs(move.after),
            "pre_mar_pos": POSITIONS[side(move.before)],
            "pre_mar_pos_size": abs(move.before),
            "order_comment": move.comment,
        }

    def send(
        self,
        chart: Chart,
        move: Move,
        status: str = "waiting",
        message: str | None = None,
        **changes,
    ) -> dict:
        """Sends an alert that must become a signal with this status; returns its body."""
        body = self.alert(chart, move) | changes
        words = "{order_action} {order_contracts} {ticker} at {order_price} ({order_comment})"
        self._journal.say("alert", words.format(**body) + (f": {message}" if message else ""))
        if answer := self._post(body, 201):
            numbers = [body[key] for key in ("order_action", "order_contracts", "order_price")]
            if message == CUT:
                numbers[1] = body["pre_mar_pos_size"]
            legs = tuple(leg.symbol for leg in chart.legs)
            entry = Entry(*numbers, legs, chart.hedge, status, message)
            self._ledger.entries[answer.json["rowid"]] = entry
        return body

    def send_broken(self, body: dict | str) -> None:
        """Sends a body that cannot become a signal."""
        self._journal.say("alert", "one that cannot be read")
        self._ledger.rejected += 1
        self._post(body, 400)

    def _post(self, body: dict | str, expected: int) -> Answer | None:
        text = body if isinstance(body, str) else json.dumps(body, indent=4) + "\n"
        answer = self._client.post("/v3/webhook", text)
        if answer.status == expected:
            return answer
        self._journal.say("trouble", f"an alert was answered {answer.status}, not {expected}")
        return None
