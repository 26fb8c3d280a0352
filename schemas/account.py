"""Account records on the wire, in the bridge's spelling."""

from schemas.types import Amount, Id, Instant
from schemas.values import KEEPS, Body, Record, plain

ACCOUNT = {
    "rowid": "id",
    "timestamp": "timestamp",
    "AvailableFunds": "available_funds",
    "BuyingPower": "buying_power",
    "DailyPnL": "daily_pnl",
    "GrossPositionValue": "gross_position_value",
    "MaintMarginReq": "maintenance_margin",
    "NetLiquidation": "net_liquidation",
    "RealizedPnL": "realized_pnl",
    "UnrealizedPnL": "unrealized_pnl",
}
ACCOUNT_COLUMNS = tuple(ACCOUNT.values())


class AccountForm(Body):
    """A new account record: money in the account's currency.

    -1 for all three PnL values means that they are not known, the largest double that one is not.
    """

    EXAMPLE = {
        "AvailableFunds": 80001,
        "BuyingPower": 320001,
        "GrossPositionValue": 20000,
        "MaintMarginReq": 5000,
        "NetLiquidation": 100000,
        "DailyPnL": 12.3,
        "RealizedPnL": 90.1,
        "UnrealizedPnL": -56.8,
    }

    AvailableFunds: Amount
    BuyingPower: Amount
    GrossPositionValue: Amount
    MaintMarginReq: Amount
    NetLiquidation: Amount
    DailyPnL: Amount
    RealizedPnL: Amount
    UnrealizedPnL: Amount

    def columns(self) -> Record:
        """The fields that were sent."""
        return {ACCOUNT[key]: getattr(self, key) for key in self.model_fields_set}


class AccountChange(AccountForm):
    """A change of the record `rowid`; a field not sent stays."""

    model_config = KEEPS

    EXAMPLE = {"rowid": 1, "NetLiquidation": 101000, "DailyPnL": -1}

    rowid: Id
    timestamp: Instant = None
    AvailableFunds: Amount = 0.0
    BuyingPower: Amount = 0.0
    GrossPositionValue: Amount = 0.0
    MaintMarginReq: Amount = 0.0
    NetLiquidation: Amount = 0.0
    DailyPnL: Amount = 0.0
    RealizedPnL: Amount = 0.0
    UnrealizedPnL: Amount = 0.0

    def columns(self) -> Record:
        """The fields that were sent, but for the rowid and an empty time."""
        sent = {ACCOUNT[key]: getattr(self, key) for key in self.model_fields_set - {"rowid"}}
        return {column: value for column, value in sent.items() if value is not None}


def account_record(columns: Record) -> Record:
    """An account record given as {column: value}."""
    return {key: plain(columns[column]) for key, column in ACCOUNT.items()}
