"""What the bridge reports, every few minutes and again and again: fills, positions, the account."""

import random
from datetime import UTC, datetime

from demo.books import Ledger
from demo.client import PASSPHRASE, Client
from demo.gateway import Gateway
from demo.journal import Journal
from demo.universe import LISTINGS

_UNKNOWN = {"DailyPnL": -1.0, "RealizedPnL": -1.0, "UnrealizedPnL": -1.0}


class Reports:
    """The bridge's reports on its gateway; what was told goes into the ledger."""

    def __init__(
        self, client: Client, gateway: Gateway, ledger: Ledger, journal: Journal, seed: int
    ):
        self._client, self._gateway = client, gateway
        self.ledger, self.journal = ledger, journal
        self._random = random.Random(f"reports {seed}")

    def send(self) -> None:
        """All that is told every five minutes."""
        self.fills()
        self.positions()
        self.update_record()

    def fills(self) -> None:
        """All executions of the day, again and again, in any order."""
        orders = self._gateway.executed()
        self._random.shuffle(orders)
        for order in orders:
            body = {
                "passphrase": PASSPHRASE,
                "price": order.average,
                "order_id": str(order.id),
                "symbol": LISTINGS[order.symbol].reported,
                "filled_qty": float(order.filled),
            }
            if self.ledger.reported(order.id, order.average, float(order.filled)):
                filled = f"{order.filled} of {order.quantity}"
                self.journal.say("fill", f"{order.symbol} {filled} at {order.average}")
            self._client.put("/v3/signal/updateorder", body)

    def cancel_open(self, ticker: str) -> None:
        """What is open for a ticker is canceled, by leg 1's id only."""
        orders = self._gateway.open_orders(ticker)
        if not orders:
            return
        self.fills()
        self._gateway.cancel(orders)
        first = orders[0]
        body = {
            "passphrase": PASSPHRASE,
            "symbol": LISTINGS[first.symbol].reported,
            "order_id": first.id,
            "cancel": True,
            "price": -1,
            "filled_qty": -1,
        }
        self.journal.say("canceled", f"{ticker} still had an open order")
        self._client.put("/v3/signal/updateorder", body)
        self.ledger.canceled(first.id)

    def positions(self) -> None:
        """Each position, those of the day that are flat by now included."""
        account = self._gateway.account
        for symbol, position in account.positions.items():
            body = {
                "passphrase": PASSPHRASE,
                "symbol": LISTINGS[symbol].reported,
                "active_pos": int(position.quantity),
                "active_cost": round(position.cost, 3),
                "active_pnl": int(account.pnl(symbol)),
            }
            self._client.put("/v3/ticker/updatepnl", body)

    def new_record(self, known: bool = True) -> None:
        """A record of the account for the hour that begins."""
        figures = self._gateway.account.figures() | ({} if known else _UNKNOWN)
        self.journal.say("account", f"net liquidation {figures['NetLiquidation']:,.0f}")
        self._client.post("/v3/regpnl", figures | {"passphrase": PASSPHRASE})

    def update_record(self) -> None:
        """The account's newest record becomes the present one."""
        newest = self._client.get("/v3/pnl/1").json.get("signals")
        if not newest:
            return
        body = {
            "passphrase": PASSPHRASE,
            "rowid": newest[0]["rowid"],
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        }
        self._client.put("/v3/regpnl", body | self._gateway.account.figures())
