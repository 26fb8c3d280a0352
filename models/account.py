"""The account as the bridge reports it."""

from peewee import CharField, DoubleField

from database import RowId
from models.base import Told


class AccountRecord(Told):
    """What the bridge reports of the account: money in the account's currency."""

    noun = "account"

    id = RowId()
    timestamp = CharField(19)
    available_funds = DoubleField()
    buying_power = DoubleField()
    gross_position_value = DoubleField()
    maintenance_margin = DoubleField()
    net_liquidation = DoubleField()
    daily_pnl = DoubleField()
    realized_pnl = DoubleField()
    unrealized_pnl = DoubleField()
