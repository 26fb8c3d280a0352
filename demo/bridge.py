"""The bridge: polls the signals that wait, places their orders, and reports to the server."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import floor
from urllib.parse import quote

from demo.books import Entry, Journal, Ledger
from demo.client import PASSPHRASE, Client
from demo.gateway import Gateway
from demo.market import LISTINGS, POSITIONS, SCRIPTED, Market, side

REPORTS_EVERY = 300  # seconds of trading time
RECORD_EVERY = 3600
SYNC = "created due to sync"
_SMOOTH = {chart.leg1.symbol for chart in SCRIPTED}  # nothing goes wrong with their orders
_UNKNOWN = {"DailyPnL": -1.0, "RealizedPnL": -1.0, "UnrealizedPnL": -1.0}


@dataclass(frozen=True)
class Ask:
    """What a signal asks for: a change of the position from one signed size to another."""

    ticker: str
    legs: tuple[str, ...]
    hedge: float
    change: int
    before: int
    target: int
    price: float | None = None
    due_to_sync: bool = False

    @classmethod
    def of(cls, signal: dict) -> "Ask":
        """Reads a signal of the waiting list."""
        names = ("ticker1", "ticker2") if signal["ticker_type"] == "pair" else ("ticker1",)
        contracts = int(signal["order_contracts"])
        signs = {word: sign for sign, word in POSITIONS.items()}
        return cls(
            signal["ticker"],
            tuple(signal[name] for name in names),
            signal["hedge_param"] or 1.0,
            contracts if signal["order_action"] == "buy" else -contracts,
            signs[signal["pre_mar_pos"] or "flat"] * int(signal["pre_mar_pos_size"]),
            signs[signal["mar_pos"] or "flat"] * int(signal["mar_pos_size"]),
            signal["order_price"],
            signal["status_msg"] == SYNC,
        )

    @property
    def action(self) -> str:
        """`buy` or `sell`."""
        return "buy" if self.change > 0 else "sell"

    @property
    def contracts(self) -> int:
        """The quantity, always above 0."""
        return abs(self.change)

    def refusal(self) -> str:
        """The reason why the signal is not traded; empty if it is traded."""
        if self.due_to_sync:
            return ""
        if self.target - self.before != self.change:
            return "position size mismatch"
        if self.before * self.target > 0 and abs(self.target) > abs(self.before):
            return "pyramiding"
        return ""

    def synced(self, needed: int) -> str:
        """The bridge's message if another quantity is `needed` (below 0: it sells); else empty."""
        if needed == self.change:
            return ""
        return f"+synced({self.contracts}->{needed * side(self.change)})"

    def orders(self) -> list[tuple[str, int, int]]:
        """(symbol, side, quantity) of each leg. Leg 2 has the other side, in whole shares."""
        sign = side(self.change)
        quantities = (self.contracts, floor(self.contracts * self.hedge))
        legs = zip(self.legs, (sign, -sign), quantities, strict=False)
        return [order for order in legs if order[2]]

    def second_leg(self, held: int) -> "Ask | None":
        """What leg 2 alone needs if `held` of it is held; None if it needs nothing."""
        target = -side(self.target) * floor(abs(self.target) * self.hedge)
        if held == target:
            return None
        symbol = self.legs[1]
        return Ask(symbol, (symbol,), 1.0, target - held, held, target, None, True)

    def alert(self) -> dict:
        """The alert that the bridge sends for this, without a price."""
        position = POSITIONS[side(self.target)]
        verb = f"Enter {position.title()}" if self.target else "Exit"
        return {
            "order_action": self.action,
            "order_contracts": self.contracts,
            "mar_pos": position,
            "mar_pos_size": abs(self.target),
            "pre_mar_pos": POSITIONS[side(self.before)],
            "pre_mar_pos_size": abs(self.before),
            "order_comment": f"{verb} due to sync",
            "order_status": "waiting",
            "ticker": self.ticker,
            "status_msg": SYNC,
        }

    def entry(self, message: str | None = None) -> Entry:
        """The entry for the ledger."""
        return Entry(
            self.action, self.contracts, self.price, self.legs, self.hedge, message=message
        )


class Bridge:
    """Reads and trades signals, reports to the server, and enters its reports in the ledger.

    It reads without a token and writes with the passphrase only, as the real bridge does.
    """

    def __init__(
        self,
        client: Client,
        market: Market,
        gateway: Gateway,
        ledger: Ledger,
        journal: Journal,
        seed: int,
    ):
        self._client, self._market, self._gateway = client, market, gateway
        self._ledger, self._journal = ledger, journal
        self._random = random.Random(f"reports {seed}")

    def start(self) -> None:
        """Sends the first reports; the gateway does not know the PnL yet."""
        self._new_record(self._gateway.account.figures() | _UNKNOWN)
        self._report()

    def turn(self, second: int) -> None:
        """Does what is due at this second of the day."""
        self._poll()
        if second % RECORD_EVERY == 0:
            self._new_record(self._gateway.account.figures())
        if second % REPORTS_EVERY == 0:
            self._report()

    def _put(self, path: str, body: dict) -> None:
        self._client.put(path, body | {"passphrase": PASSPHRASE})

    # Signals

    def _poll(self) -> None:
        """Refuses waiting signals that a newer one replaces, then trades the newest one."""
        waiting = self._client.get("/v3/signals/status/waiting/0")
        if "signals" not in waiting.json:
            self._journal.say("trouble", f"the waiting list was answered {waiting.status}")
            return
        newest = {}
        signals = waiting.json["signals"]
        older = [each for each in signals if newest.setdefault(each["ticker"], each) is not each]
        for each in older:
            record = self._client.get(f"/v3/signal/{each['rowid']}").json
            if "rowid" in record:
                self._answer(record, "canceled", "duplicate order")
        if newest and not older:
            self._trade(signals[0])

    def _trade(self, signal: dict) -> None:
        """Checks a signal, cancels open orders, and orders what the target position needs."""
        ask = Ask.of(signal)
        self._ledger.entries.setdefault(signal["rowid"], ask.entry())  # if others sent the alert
        if any(symbol not in LISTINGS for symbol in ask.legs):
            self._fail(signal, "| 1147/200 - No security definition has been found  ")
        elif refusal := ask.refusal():
            self._answer(signal, "canceled", refusal)
        elif self._lacks_money(ask):
            # The real bridge sends this status as a list.
            self._answer(signal, ["canceled"], "insufficient funds")
        else:
            for symbol in ask.legs:
                self._client.get(f"/v3/ticker/{quote(symbol)}")
            self._cancel_open(ask.ticker)
            self._synchronize(signal, ask)

    def _lacks_money(self, ask: Ask) -> bool:
        worth = ask.contracts * self._market.price(ask.legs[0])
        return worth > self._gateway.account.figures()["BuyingPower"]

    def _synchronize(self, signal: dict, ask: Ask) -> None:
        needed = int(ask.target - self._gateway.account.quantity(ask.legs[0]))
        message = ask.synced(needed)
        if needed:
            self._place(signal, replace(ask, change=needed), message)
            return
        if len(ask.legs) == 2:
            self._sync_second_leg(ask)
        self._answer(signal, "canceled", message)

    def _place(self, signal: dict, ask: Ask, message: str) -> None:
        kind = "pair" if len(ask.legs) == 2 else "single"
        is_new = signal["order_status"] == "waiting" and not ask.due_to_sync
        may_fail = is_new and ask.legs[0] not in _SMOOTH
        fate = self._gateway.fate(kind) if may_fail else ""
        if fate == "rerouted":
            self._answer(signal, "rerouted", f"{message}+route", error_msg="")
        elif fate == "rejected":
            self._fail(signal, "| 1147/201 - Order rejected - reason: no shares to borrow  ")
        elif fate == "warned":
            text = "| 1147/399 - Order message: part of it will be held until the open  "
            self._order(signal, ask, fate, ("error", f"{message}+err", text))
        else:
            self._order(signal, ask, fate, ("created", message, ""))

    def _order(self, signal: dict, ask: Ask, fate: str, outcome: tuple[str, str, str]) -> None:
        """Places the orders and answers with the outcome: status, message, error message."""
        status, message, text = outcome
        ids = tuple(order.id for order in self._gateway.place(ask.ticker, ask.orders(), fate))
        changes = {f"order_id{leg}": number for leg, number in enumerate(ids, 1)}
        changes |= {"order_action": ask.action, "order_contracts": ask.contracts}
        self._answer(signal, status, message, error_msg=text, **changes)
        entry = self._ledger.entries[signal["rowid"]]
        entry.action, entry.contracts = ask.action, ask.contracts
        self._ledger.placed(signal["rowid"], ids)

    def _sync_second_leg(self, ask: Ask) -> None:
        """Sends an alert for leg 2 alone, if leg 1 needs no order."""
        sync = ask.second_leg(int(self._gateway.account.quantity(ask.legs[1])))
        if sync is None:
            return
        body = sync.alert() | {"passphrase": PASSPHRASE, "bypass_ticker_status": True}
        self._journal.say("sync", f"{sync.action} {sync.contracts} {sync.ticker} left over")
        answer = self._client.post("/v3/webhook", body)
        if answer.status == 201:
            self._ledger.entries[answer.json["rowid"]] = sync.entry(SYNC)

    def _fail(self, signal: dict, text: str) -> None:
        self._answer(signal, "critical err", "+crit. err", error_msg=text)

    def _answer(self, signal: dict, status: str | list, message: str, **changes) -> None:
        """Sends the whole record back with its status, message and other changes."""
        body = signal | {"order_status": status, "status_msg": message} | changes
        if signal.get("status_msg") == SYNC:
            body["bypass_ticker_status"] = True
        status = status[0] if isinstance(status, list) else status
        self._journal.say(status[:8], f"{signal.get('ticker')} {message}".strip())
        self._put("/v3/webhook", body)
        entry = self._ledger.entries[signal["rowid"]]
        entry.status, entry.message = status, message

    # Reports

    def _report(self) -> None:
        """Sends the reports that are due every five minutes."""
        self._report_fills()
        self._report_positions()
        self._update_record()

    def _report_fills(self) -> None:
        """Reports all executions of the day, also known ones, in random order."""
        orders = self._gateway.executed()
        self._random.shuffle(orders)
        for order in orders:
            quantity = float(order.filled)
            if self._ledger.reported(order.id, order.average, quantity):
                filled = f"{order.filled} of {order.quantity}"
                self._journal.say("fill", f"{order.symbol} {filled} at {order.average}")
            fill = {"price": order.average, "filled_qty": quantity}
            self._update_order(order.symbol, {"order_id": str(order.id)} | fill)

    def _cancel_open(self, ticker: str) -> None:
        """Cancels the open orders of a ticker; reports it with the order id of leg 1 only."""
        orders = self._gateway.open_orders(ticker)
        if not orders:
            return
        self._report_fills()
        self._gateway.cancel(orders)
        first = orders[0]
        self._journal.say("canceled", f"{ticker} still had an open order")
        cancel = {"order_id": first.id, "cancel": True, "price": -1, "filled_qty": -1}
        self._update_order(first.symbol, cancel)
        self._ledger.canceled(first.id)

    def _update_order(self, symbol: str, body: dict) -> None:
        self._put("/v3/signal/updateorder", {"symbol": LISTINGS[symbol].reported} | body)

    def _report_positions(self) -> None:
        """Reports each position, also those of the day that are 0 by now."""
        account = self._gateway.account
        for symbol, position in account.positions.items():
            body = {
                "symbol": LISTINGS[symbol].reported,
                "active_pos": int(position.quantity),
                "active_cost": round(position.cost, 3),
                "active_pnl": int(account.pnl(symbol)),
            }
            self._put("/v3/ticker/updatepnl", body)

    def _new_record(self, figures: dict[str, float]) -> None:
        """Sends the account record of the hour that begins."""
        self._journal.say("account", f"net liquidation {figures['NetLiquidation']:,.0f}")
        self._client.post("/v3/regpnl", figures | {"passphrase": PASSPHRASE})

    def _update_record(self) -> None:
        """Replaces the newest account record with the figures of now."""
        newest = self._client.get("/v3/pnl/1").json.get("signals")
        if newest:
            moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
            stamp = {"rowid": newest[0]["rowid"], "timestamp": moment}
            self._put("/v3/regpnl", stamp | self._gateway.account.figures())
