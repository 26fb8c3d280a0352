"""Account records on the wire, in the bridge's spelling."""

from schemas.types import Id, Instant, Reported
from schemas.values import KEEPS, Body, Record

_PNL = ("DailyPnL", "RealizedPnL", "UnrealizedPnL")


class AccountForm(Body):
    """A new account record: money in the account's currency.

    What is not sent is not known, and so are all three PnL values where each is -1.
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

    AvailableFunds: Reported = None
    BuyingPower: Reported = None
    GrossPositionValue: Reported = None
    MaintMarginReq: Reported = None
    NetLiquidation: Reported = None
    DailyPnL: Reported = None
    RealizedPnL: Reported = None
    UnrealizedPnL: Reported = None

    def columns(self) -> Record:
        """The fields that were sent, null where they are not known."""
        sent = {key: getattr(self, key) for key in self.model_fields_set}
        if all(sent.get(key) == -1 for key in _PNL):
            sent |= dict.fromkeys(_PNL)
        return sent


class AccountChange(AccountForm):
    """A change of the record `rowid`; a field not sent stays."""

    model_config = KEEPS

    EXAMPLE = {"rowid": 1, "NetLiquidation": 101000, "DailyPnL": -1}

    rowid: Id
    timestamp: Instant = None

    def columns(self) -> Record:
        """The fields that were sent, but for the rowid and an empty time."""
        sent = super().columns()
        del sent["rowid"]
        if sent.get("timestamp") is None:
            sent.pop("timestamp", None)
        return sent
