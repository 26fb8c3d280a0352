"""The bridge to the broker: polls what waits and places the orders."""

from dataclasses import replace
from urllib.parse import quote

from demo.client import PASSPHRASE, Client
from demo.gateway import Gateway, Order
from demo.market import Market
from demo.orders import SYNC, Ask
from demo.reports import Reports
from demo.universe import LISTINGS

REPORTS_EVERY = 300  # seconds of trading time
RECORD_EVERY = 3600


class Bridge:
    """One bridge with its gateway; it reads signals and writes with the passphrase alone."""

    def __init__(self, client: Client, market: Market, gateway: Gateway, reports: Reports):
        self._client, self._market, self._gateway = client, market, gateway
        self._reports = reports
        self._ledger, self._journal = reports.ledger, reports.journal

    def start(self) -> None:
        """What it does as it starts: the gateway does not know the PnL yet."""
        self._reports.new_record(known=False)
        self._reports.send()

    def turn(self, second: int) -> None:
        """What it does at this second of the day."""
        self._poll()
        if second % RECORD_EVERY == 0:
            self._reports.new_record()
        if second % REPORTS_EVERY == 0:
            self._reports.send()

    def _poll(self) -> None:
        waiting = self._client.get("/v3/signals/status/waiting/0")
        if "signals" not in waiting.json:
            self._journal.say("trouble", f"the waiting list was answered {waiting.status}")
            return
        newest = {}
        signals = waiting.json["signals"]
        older = [each for each in signals if newest.setdefault(each["ticker"], each) is not each]
        for rowid in [each["rowid"] for each in older]:
            record = self._client.get(f"/v3/signal/{rowid}").json
            if "rowid" in record:
                self._refuse(record, "duplicate order")
        if newest and not older:
            self._trade(signals[0])

    def _trade(self, signal: dict) -> None:
        """Checks, cancels what is open, and places what brings the position to its target."""
        ask = Ask.of(signal)
        if signal["rowid"] not in self._ledger.entries:
            self._ledger.entries[signal["rowid"]] = ask.entry()  # somebody else's alert
        if any(symbol not in LISTINGS for symbol in ask.legs):
            self._fail(signal, "| 1147/200 - No security definition has been found  ")
            return
        if refusal := ask.refusal():
            self._refuse(signal, refusal)
            return
        if self._lacks_money(ask):
            # The bridge sends this one as a list.
            self._refuse(signal, "insufficient funds", ["canceled"])
            return
        for symbol in ask.legs:
            self._client.get(f"/v3/ticker/{quote(symbol)}")
        self._reports.cancel_open(ask.ticker)
        needed = ask.target - self._gateway.account.quantity(ask.legs[0])
        synced = ask.synced(int(needed))
        if needed:
            self._place(signal, ask.with_change(int(needed)), synced)
        else:
            self._sync_second_leg(ask)
            self._refuse(signal, synced)

    def _lacks_money(self, ask: Ask) -> bool:
        worth = ask.contracts * self._market.price(ask.legs[0])
        return worth > self._gateway.account.figures()["BuyingPower"]

    def _place(self, signal: dict, ask: Ask, synced: str) -> None:
        is_new = signal["order_status"] == "waiting" and not ask.due_to_sync
        fate = self._gateway.fate(ask.kind) if is_new else ""
        if fate == "rerouted":
            changes = {"order_status": "rerouted", "status_msg": f"{synced}+route"}
            self._answer(signal, changes | {"error_msg": ""})
            return
        if fate == "rejected":
            self._fail(signal, "| 1147/201 - Order rejected - reason: no shares to borrow  ")
            return
        orders = self._gateway.place(ask.ticker, ask.orders(), fate)
        status, message, text = "created", synced, ""
        if fate == "warned":
            status, message = "error", f"{synced}+err"
            text = "| 1147/399 - Order message: part of it will be held until the open  "
        self._placed(signal, ask, orders, (status, message, text))

    def _placed(self, signal: dict, ask: Ask, orders: list[Order], outcome: tuple) -> None:
        status, message, text = outcome
        ids = tuple(order.id for order in orders)
        changes = {
            "order_status": status,
            "status_msg": message,
            "error_msg": text,
            "order_action": ask.action,
            "order_contracts": ask.contracts,
        }
        changes |= {f"order_id{leg}": number for leg, number in enumerate(ids, 1)}
        self._answer(signal, changes)
        entry = self._ledger.entries[signal["rowid"]]
        entry.action, entry.contracts = ask.action, ask.contracts
        self._ledger.placed(signal["rowid"], ids)

    def _sync_second_leg(self, ask: Ask) -> None:
        """A signal of its own where leg 1 needs no order but leg 2 does."""
        if ask.kind != "pair":
            return
        symbol = ask.legs[1]
        held = int(self._gateway.account.quantity(symbol))
        sync = ask.second_leg(held)
        if sync is None:
            return
        body = sync.alert() | {"passphrase": PASSPHRASE, "bypass_ticker_status": True}
        self._journal.say("sync", f"{sync.action} {sync.contracts} {symbol} left over")
        answer = self._client.post("/v3/webhook", body)
        if answer.status == 201:
            self._ledger.entries[answer.json["rowid"]] = replace(sync.entry(), message=SYNC)

    def _refuse(self, signal: dict, reason: str, status: str | list = "canceled") -> None:
        self._answer(signal, {"order_status": status, "status_msg": reason})

    def _fail(self, signal: dict, text: str) -> None:
        changes = {"order_status": "critical err", "status_msg": "+crit. err", "error_msg": text}
        self._answer(signal, changes)

    def _answer(self, signal: dict, changes: dict) -> None:
        """Sends the whole record back with the changes."""
        body = signal | changes | {"passphrase": PASSPHRASE}
        if signal.get("status_msg") == SYNC:
            body["bypass_ticker_status"] = True
        status = changes["order_status"]
        status = status[0] if isinstance(status, list) else status
        message = changes["status_msg"]
        self._journal.say(status[:8], f"{signal.get('ticker')} {message}".strip())
        self._client.put("/v3/webhook", body)
        entry = self._ledger.entries[signal["rowid"]]
        entry.status, entry.message = status, message
