"""Modes, limits and the age of signals: frozen copies of the models, as in the first step."""
from peewee import *
from playhouse.migrate import migrate

from database.opening import RowId


def up(migrator, db):
    migrate(
        migrator.add_column('signal', 'expires', CharField(null=True, max_length=19)),
        migrator.add_column('signal', 'strategy_pos', DoubleField(null=True)),
        migrator.add_column('stock', 'mode', CharField(max_length=5, default='on')),
        migrator.add_column('pair', 'mode', CharField(max_length=5, default='on')),
    )

    class Trading(Model):
        id = RowId()
        mode = CharField(max_length=5, default='on')
        since = CharField(null=True, max_length=19)
        by = CharField(null=True, max_length=80)
        reason = CharField(null=True, max_length=200)
        entries = IntegerField(null=True)
        ticker_entries = IntegerField(null=True)
        contracts = DoubleField(null=True)
        value = DoubleField(null=True)
        open = IntegerField(null=True)
        loss = DoubleField(null=True)
        drawdown = DoubleField(null=True)
        peak = DoubleField(null=True)

        class Meta:
            database = db
            table_name = 'trading'
    db.create_tables([Trading])

    class Entered(Model):
        id = RowId()
        day = CharField(max_length=10)
        name = CharField(max_length=401)
        entries = IntegerField()

        class Meta:
            database = db
            table_name = 'entered'
            indexes = ((('day', 'name'), True),)
    db.create_tables([Entered])
