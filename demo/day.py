"""The schedule of a trading day: what happens when, one step of time after the other."""

from collections.abc import Callable

from demo.books import Ledger
from demo.bridge import Bridge
from demo.client import PASSPHRASE, Client
from demo.gateway import FATES, Gateway
from demo.journal import Journal
from demo.market import DAY, STEP, Market
from demo.reports import Reports
from demo.tradingview import Move, TradingView, single
from demo.universe import MISMATCH, PAIRS, PAUSED, PYRAMIDING, TOO_LARGE, WRONG_HEDGE, Chart

_BAR = 300
_LAST_BAR = DAY - 900  # what is ordered until then has time to fill
_TIDY_UP = DAY - 670


class Play:
    """All who take part, and the trading day's clock."""

    def __init__(
        self,
        sender: Client,
        bridge: Client,
        seed: int,
        show: Callable[[str], object],
        fates: dict[str, tuple] = FATES,
    ):
        self.market, self.ledger, self.journal = Market(seed), Ledger(), Journal(show)
        self.gateway = Gateway(self.market, seed, fates)
        self.tradingview = TradingView(sender, self.market, self.ledger, self.journal)
        reports = Reports(bridge, self.gateway, self.ledger, self.journal, seed)
        self.bridge = Bridge(bridge, self.market, self.gateway, reports)
        self._second = 0
        self._script = script(self.tradingview)

    @property
    def is_over(self) -> bool:
        """Whether the day has ended."""
        return self._second >= DAY

    def open(self) -> None:
        """The bridge starts before the first alert."""
        self.journal.say("open", "the bridge starts")
        self.bridge.start()

    def next_day(self) -> None:
        """The market opens again with the prices of the close."""
        self._second = self.journal.second = 0
        self.gateway.new_day()
        self.journal.say("open", "another day, slowly")

    def step(self) -> None:
        """Plays the next seconds of the day."""
        self._second += STEP
        self.journal.second = self._second
        self.market.step()
        self.gateway.tick(self._second)
        if self._second % _BAR == 0 and self._second <= _LAST_BAR:
            self._bar()
        if act := self._script.get(self._second):
            act()
        if self._second == _TIDY_UP:
            self._tidy_up()
        self._bridge_turn()

    def _bar(self) -> None:
        self.tradingview.bar()

    def _bridge_turn(self) -> None:
        self.bridge.turn(self._second)

    def _tidy_up(self) -> None:
        """The owner sees a second leg left over and has the exit sent once more."""
        account = self.gateway.account
        for chart in PAIRS:
            held, left = (account.quantity(leg.symbol) for leg in chart.legs)
            move = self.tradingview.last(chart)
            if left and not held and not move.after:
                self.tradingview.send(self.tradingview.alert(chart, move), chart)


def script(tradingview: TradingView) -> dict[int, Callable[[], None]]:
    """What goes wrong in a day, by second, between the bars and while no signal waits.

    What is refused comes from charts of their own: no strategy's next alert starts elsewhere.
    """
    aapl = single("AAPL")

    def send(chart: Chart, move: Move, *outcome: str, **changes) -> Callable[[], None]:
        return lambda: tradingview.send(tradingview.alert(chart, move) | changes, chart, *outcome)

    def broken(**changes) -> Callable[[], None]:
        return lambda: tradingview.send_broken(tradingview.alert(aapl, Move(0, 100)) | changes)

    def malformed() -> None:
        text = '{\n    "passphrase": "%s",\n    "ticker": "AAPL",\n    "order_contracts": ,\n}\n'
        tradingview.send_broken(text % PASSPHRASE)

    def comes_twice(how: str) -> Callable[[], None]:
        return lambda: setattr(tradingview, "repeats", how)

    refused, unknown = "canceled", ("error", "unknown ticker")
    return {
        1130: malformed,
        2030: send(aapl, Move(0, 300), *unknown, ticker="PLTR", order_price=31.4),
        3230: send(PAUSED, Move(0, 1000), refused, "passive ticker"),
        4130: comes_twice("new"),
        5330: send(WRONG_HEDGE, Move(0, 400), refused, "wrong hedge", ticker="PG-1.8*NYSE:CL"),
        6530: send(
            aapl, Move(0, 100), "error", "problematic ticker!", ticker="AAPL/MSFT", order_price=0.54
        ),
        8030: send(PYRAMIDING, Move(100, 200), order_comment="Add Long"),
        9530: broken(order_contracts="{{strategy.order.contracts}}"),
        11330: comes_twice("same"),
        13130: send(MISMATCH, Move(0, 50), mar_pos_size=80),
        15530: send(TOO_LARGE, Move(0, 50000)),
    }
