"""Plays on a server: the past weeks, and a trading day."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from demo import gateway, market
from demo.books import START, Journal, Ledger, figures
from demo.bridge import Bridge
from demo.client import PASSPHRASE, Client
from demo.desk import Desk
from demo.gateway import Gateway
from demo.market import DAY, PAIRS, SINGLES, STEP, WRONG_HEDGE, Market
from demo.rules import Closed, Rules
from demo.tradingview import Move, TradingView

_WEEKDAYS = 15  # days of the account's past
_BAR = 300  # seconds of trading time
_LAST_BAR = DAY - 900  # later orders would not have time to fill
_TIDY_UP = DAY - 670
_LATE = 900  # seconds after the close
_BETWEEN = 1  # a second of the day at which the bridge reports nothing
_MOST_BEHIND = 1.0  # seconds of delay that the next steps make up for; more is lost

# Alerts that go wrong, by second of the day: (chart, move, status, message, changes). They lie
# between the bars, when no signal waits. No strategy trades a chart whose alert is refused.
_PLTR = {"ticker": "PLTR", "order_price": 31.4}
_RATIO = {"ticker": "AAPL/MSFT", "order_price": 0.54}
_WRONG = {
    2030: (SINGLES[0], Move(0, 300), "error", "unknown ticker", _PLTR),
    3230: (market.PAUSED, Move(0, 1000), "canceled", "passive ticker", {}),
    5330: (WRONG_HEDGE, Move(0, 400), "canceled", "wrong hedge", {"ticker": "PG-1.8*NYSE:CL"}),
    6530: (SINGLES[0], Move(0, 100), "error", "problematic ticker!", _RATIO),
    8030: (market.PYRAMIDING, Move(100, 200), "waiting", None, {"order_comment": "Add Long"}),
    13130: (market.MISMATCH, Move(0, 50), "waiting", None, {"mar_pos_size": 80}),
    15530: (market.TOO_LARGE, Move(0, 50000), "waiting", None, {}),
}
_MALFORMED, _NOT_FILLED_IN = 1130, 9530
_TWICE = {4130: "new", 11330: "same"}  # see TradingView.repeats


def write_past(client: Client, seed: int) -> None:
    """Sends an account record for each hour of the past weeks, and sets its time back."""
    for moment, record in _past(seed):
        body = {"passphrase": PASSPHRASE} | record
        client.post("/v3/regpnl", body)
        newest = client.get("/v3/pnl/1").json.get("signals")
        if newest:
            stamp = {"rowid": newest[0]["rowid"], "timestamp": f"{moment:%Y-%m-%d %H:%M:%S}"}
            client.put("/v3/regpnl", body | stamp)


def _past(seed: int) -> Iterator[tuple[datetime, dict[str, float]]]:
    """Yields (time, record): a random walk that ends at the first figure of the day."""
    chance = random.Random(f"history {seed}")
    today = datetime.now(UTC).replace(minute=30, second=0)
    days = [today - timedelta(days=back) for back in range(2 * _WEEKDAYS, 0, -1)]
    days = [day for day in days if day.weekday() < 5][-_WEEKDAYS:]
    steps = [[chance.gauss(70, 450) for _ in range(14, 21)] for _ in days]
    net = START - sum(map(sum, steps))
    for day, hours in zip(days, steps, strict=True):
        opening = net
        for hour, step in enumerate(hours, 14):
            net += step
            daily = net - opening
            gross = chance.uniform(0.3, 0.9) * net
            yield day.replace(hour=hour), figures(net, gross, (daily, 0.7 * daily, 0.3 * daily))


class Play:
    """A trading day: its clock, TradingView, the bridge, the market and the gateway."""

    length = DAY

    def __init__(
        self,
        sender: Client,
        bridge: Client,
        seed: int,
        show: Callable[[str], object],
        fates: dict[str, tuple] = gateway.FATES,
    ):
        self.market, self.ledger, self.journal = Market(seed), Ledger(), Journal(show)
        self.gateway = Gateway(self.market, seed, fates)
        self.tradingview = TradingView(sender, self.market, self.ledger, self.journal)
        self.bridge = Bridge(bridge, self.market, self.gateway, self.ledger, self.journal, seed)
        self.desk = Desk(sender, self.ledger, self.journal)
        self._rules = Rules(self.tradingview, self.desk)
        self._second = 0

    @property
    def is_over(self) -> bool:
        """Whether the day has ended."""
        return self._second >= self.length

    def open(self) -> None:
        """Starts the bridge, before the first alert."""
        self.journal.say("open", "the bridge starts")
        self._prepare()
        self.bridge.start()

    def _prepare(self) -> None:
        self._rules.open()

    def evening(self, closed: Closed) -> None:
        """Waits until no entries are let through, sends one, and waits until they are again."""
        self.journal.second = DAY + _LATE
        self._rest(lambda: time.time() < closed.begins)
        if closed.is_now():
            self._rules.evening()
            self._rest(closed.is_now)

    def _rest(self, goes_on: Callable[[], bool]) -> None:
        """Lets only the bridge work for a while."""
        while goes_on():
            self.bridge.turn(_BETWEEN)
            time.sleep(1)

    def next_day(self) -> None:
        """Opens the market again, with the prices of the close."""
        self._second = self.journal.second = 0
        self.gateway.new_day()
        self.tradingview.new_day()
        self.journal.say("open", "another day, slowly")
        self._prepare()

    def run(self, pace: float, closed: Closed | None = None) -> None:
        """Plays the rest of the day. `pace` is the seconds of a whole day; 0 means no waiting.

        The day stands still while the server is `closed` for entries.
        """
        due = time.monotonic()
        while not self.is_over:
            if closed and closed.is_now():
                self._rest(closed.is_now)
            now = time.monotonic()
            due = max(due + pace * STEP / DAY, now - _MOST_BEHIND)
            if due > now:
                time.sleep(due - now)
            self.step()

    def step(self) -> None:
        """Plays the next STEP seconds of the day."""
        self._second += STEP
        self.journal.second = self._second
        self.market.step()
        self.gateway.tick(self._second)
        self._alerts()
        self._bridge_turn()

    def _alerts(self) -> None:
        if self._second % _BAR == 0 and self._second <= _LAST_BAR:
            self.tradingview.bar()
        self._disturb()
        self._rules.turn(self._second)
        if self._second == _TIDY_UP:
            self._tidy_up()

    def _bridge_turn(self) -> None:
        self.bridge.turn(self._second)

    def _tidy_up(self) -> None:
        """Sends the exit again if only leg 2 is still held, as an owner would do."""
        quantity = self.gateway.account.quantity
        for chart in PAIRS:
            move = self.tradingview.last[chart.ticker]
            held, left = (quantity(leg.symbol) for leg in chart.legs)
            if left and not held and not move.after:
                self.tradingview.send(chart, move)

    def _disturb(self) -> None:
        """Sends the faulty alerts that are due at this second."""
        if self._second in _WRONG:
            *sent, changes = _WRONG[self._second]
            self.tradingview.send(*sent, **changes)
        elif self._second == _MALFORMED:
            text = (
                '{\n    "passphrase": "%s",\n    "ticker": "AAPL",\n    "order_contracts": ,\n}\n'
            )
            self.tradingview.send_broken(text % PASSPHRASE)
        elif self._second == _NOT_FILLED_IN:
            body = self.tradingview.alert(SINGLES[0], Move(0, 100))
            contracts = {"order_contracts": "{{strategy.order.contracts}}"}
            self.tradingview.send_broken(body | contracts)
        elif self._second in _TWICE:
            self.tradingview.repeats = _TWICE[self._second]
