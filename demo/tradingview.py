"""TradingView: strategies watch the charts and post alerts as the shipped template makes them."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from demo.books import Entry, Ledger
from demo.client import PASSPHRASE, Answer, Client
from demo.journal import Journal
from demo.market import Market
from demo.universe import CHARTS, LISTINGS, Chart

_ENTER = 1.2  # usual deviations from the mean
_SIDES = {1: "Long", -1: "Short"}


def side(size: float) -> int:
    """1 above 0, -1 below, 0 for nothing."""
    return (size > 0) - (size < 0)


@dataclass(frozen=True)
class Move:
    """A strategy goes from one signed size to another."""

    before: int
    after: int

    @property
    def comment(self) -> str:
        """The strategy's own word for it."""
        if not self.after:
            return f"Exit {_SIDES[side(self.before)]}"
        verb = "Reverse to" if self.before else "Enter"
        return f"{verb} {_SIDES[side(self.after)]}"


def decide(chart: Chart, size: int, deviation: float) -> Move | None:
    """What a strategy does at the end of a bar: it sells what is dear and buys what is cheap."""
    wanted = -side(deviation) * chart.contracts
    dear = abs(deviation) > _ENTER
    if not size:
        return Move(0, wanted) if dear else None
    if side(size) == side(wanted):
        return None
    if chart.reverses:
        return Move(size, wanted) if dear else None
    return Move(size, 0)


def position(size: float) -> str:
    """A signed size as the alert's word."""
    return {1: "long", -1: "short", 0: "flat"}[side(size)]


class TradingView:
    """Posts alerts, and writes down in the ledger what must become of each."""

    def __init__(self, client: Client, market: Market, ledger: Ledger, journal: Journal):
        self._client, self._market, self._ledger, self._journal = client, market, ledger, journal
        self._last = {chart.ticker: Move(0, 0) for chart in CHARTS}
        self._begun = int(time.time())  # ids of alerts must differ from those of earlier runs
        self.repeats = ""  # "same" or "new": the next alert comes twice, with the same id or not

    def bar(self) -> None:
        """The end of a bar: each strategy decides."""
        for chart, move in list(self._moves()):
            self._last[chart.ticker] = move
            body = self.alert(chart, move)
            self.send(body, chart)
            repeats, self.repeats = self.repeats, ""
            if repeats == "new":
                self.send(body | {"alert_id": body["alert_id"] + "|2"}, chart)
            elif repeats == "same":
                self._repeat(body)

    def last(self, chart: Chart) -> Move:
        """What the chart's strategy did last."""
        return self._last[chart.ticker]

    def _moves(self) -> Iterator[tuple[Chart, Move]]:
        for chart in CHARTS:
            size, deviation = self._last[chart.ticker].after, self._market.deviation(chart)
            if move := decide(chart, size, deviation):
                yield chart, move

    def alert(self, chart: Chart, move: Move) -> dict:
        """The template's body, its keys in the template's order."""
        change = move.after - move.before
        price = self._market.value(chart)
        word, contracts = ("buy", change) if change > 0 else ("sell", -change)
        where = f"{chart.leg1.exchange}:{chart.ticker}|5|{self._begun + self._journal.second}"
        sizes = f"{word}|{contracts}|{price}|{move.before}|{move.after}"
        return {
            "passphrase": PASSPHRASE,
            "alert_id": f"{where}|{move.comment}|{sizes}",
            "ticker": chart.ticker,
            "order_action": word,
            "order_contracts": contracts,
            "order_price": price,
            "mar_pos": position(move.after),
            "mar_pos_size": abs(move.after),
            "pre_mar_pos": position(move.before),
            "pre_mar_pos_size": abs(move.before),
            "order_comment": move.comment,
        }

    def send(self, body: dict, chart: Chart, status: str = "waiting", message: str | None = None):
        """Posts an alert that becomes a signal with this status and message."""
        entry = Entry(
            body["order_action"],
            body["order_contracts"],
            body["order_price"],
            tuple(leg.symbol for leg in chart.legs),
            chart.hedge,
            status,
            message,
        )
        words = "{order_action} {order_contracts} {ticker} at {order_price} ({order_comment})"
        self._journal.say("alert", words.format(**body) + (f": {message}" if message else ""))
        if answer := self._post(body, 201):
            self._ledger.entries[answer.json["rowid"]] = entry

    def _repeat(self, body: dict) -> None:
        self._journal.say("alert", f"the same once more: {body['ticker']}")
        self._post(body, 200)

    def send_broken(self, body: dict | str) -> None:
        """Posts what cannot become a signal."""
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


def single(symbol: str) -> Chart:
    """A chart of one listing that no strategy watches."""
    return Chart(LISTINGS[symbol], 0)
