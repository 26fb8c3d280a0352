"""The first release's tables: frozen copies of the models, so that later models can differ."""
from peewee import *

from database import RowId


def up(migrator, db):
    class AccountRecord(Model):
        id = RowId()
        timestamp = CharField(max_length=19)
        available_funds = DoubleField(null=True)
        buying_power = DoubleField(null=True)
        gross_position_value = DoubleField(null=True)
        maintenance_margin = DoubleField(null=True)
        net_liquidation = DoubleField(null=True)
        daily_pnl = DoubleField(null=True)
        realized_pnl = DoubleField(null=True)
        unrealized_pnl = DoubleField(null=True)

        class Meta:
            database = db
            table_name = 'account_record'
    db.create_tables([AccountRecord])

    class AlertId(Model):
        id = RowId()
        alert_id = CharField(max_length=200)
        fingerprint = CharField(max_length=32)
        signal = BigIntegerField()

        class Meta:
            database = db
            table_name = 'alert_id'
            legacy_table_names = False
            indexes = ((('alert_id', 'fingerprint'), True),)
    db.create_tables([AlertId])

    class EventRow(Model):
        id = RowId()
        time = CharField(max_length=19)
        type = CharField(max_length=40)
        subject = CharField(max_length=200)
        source = CharField(max_length=80)
        changes = TextField()

        class Meta:
            database = db
            table_name = 'event'
            legacy_table_names = False
            indexes = ((('subject', 'id'), False),)
    db.create_tables([EventRow])

    class Pair(Model):
        id = RowId()
        name = CharField(unique=True, max_length=400)
        leg1 = CharField(index=True, max_length=200)
        leg2 = CharField(index=True, max_length=200)
        hedge = DoubleField()
        active = IntegerField(default=0)
        notes = TextField(null=True)

        class Meta:
            database = db
            table_name = 'pair'
    db.create_tables([Pair])

    class Passphrase(Model):
        id = RowId()
        label = CharField(unique=True, max_length=80)
        value = CharField(max_length=200)
        last_used = CharField(null=True, max_length=19)
        retired = CharField(null=True, max_length=19)

        class Meta:
            database = db
            table_name = 'passphrase'
    db.create_tables([Passphrase])

    class RejectedAlert(Model):
        id = RowId()
        timestamp = CharField(max_length=19)
        address = CharField(max_length=64)
        size = IntegerField()
        reasons = TextField()
        body = TextField(null=True)
        known = BooleanField()

        class Meta:
            database = db
            table_name = 'rejected_alert'
            legacy_table_names = False
            indexes = ((('known', 'id'), False),)
    db.create_tables([RejectedAlert])

    class Secret(Model):
        name = CharField(primary_key=True, max_length=40)
        value = TextField()

        class Meta:
            database = db
            table_name = 'secret'
    db.create_tables([Secret])

    class User(Model):
        id = RowId()
        username = CharField(unique=True, max_length=80)
        password_hash = CharField(max_length=200)
        admin = BooleanField(default=False)

        class Meta:
            database = db
            table_name = 'user'
    db.create_tables([User])

    class Session(Model):
        id = CharField(primary_key=True, max_length=40)
        user = ForeignKeyField(User, on_delete='CASCADE')
        cookie_digest = CharField(unique=True, max_length=64)
        refresh_id = CharField(max_length=40)
        minutes = IntegerField()
        started = BigIntegerField()
        cookie_expires = BigIntegerField()
        expires = BigIntegerField(index=True)

        class Meta:
            database = db
            table_name = 'session'
    db.create_tables([Session])

    class Signal(Model):
        id = RowId()
        timestamp = CharField(index=True, max_length=19)
        ticker = TextField()
        action = CharField(max_length=4)
        contracts = DoubleField()
        price = DoubleField(null=True)
        position = CharField(null=True, max_length=5)
        position_size = DoubleField(default=0)
        prior_position = CharField(null=True, max_length=5)
        prior_position_size = DoubleField(default=0)
        comment = TextField(null=True)
        status = CharField(max_length=40)
        kind = CharField(null=True, max_length=6)
        leg1 = CharField(null=True, max_length=200)
        leg2 = CharField(null=True, max_length=200)
        hedge = DoubleField(null=True)
        order_id1 = BigIntegerField(null=True)
        order_id2 = BigIntegerField(null=True)
        price1 = DoubleField(null=True)
        price2 = DoubleField(null=True)
        fill_price = DoubleField(null=True)
        slippage = DoubleField(null=True)
        error_message = TextField(null=True)
        status_message = TextField(null=True)
        filled1 = DoubleField(null=True)
        filled2 = DoubleField(null=True)
        alert_time = CharField(null=True, max_length=19)
        warning = TextField(null=True)

        class Meta:
            database = db
            table_name = 'signal'
            indexes = ((('status', 'id'), False), (('kind', 'id'), False),
                       (('leg1', 'leg2', 'id'), False))
    offered = SQL("COALESCE(status, '') IN ('waiting', 'rerouted')")
    Signal.add_index(Signal.index(Signal.id, name='signal_offered', where=offered))
    Signal.add_index(Signal.index(Signal.order_id1, Signal.id, name='signal_order_id1',
                                  where=Signal.order_id1.is_null(False)))
    Signal.add_index(Signal.index(Signal.order_id2, Signal.id, name='signal_order_id2',
                                  where=Signal.order_id2.is_null(False)))
    db.create_tables([Signal])

    class Stock(Model):
        id = RowId()
        symbol = CharField(unique=True, max_length=200)
        sectype = CharField(max_length=20, default='STK')
        exchange = CharField(max_length=40, default='SMART')
        primary_exchange = CharField(max_length=40, default='ISLAND')
        currency = CharField(max_length=20, default='USD')
        order_type = CharField(max_length=20, default='RELATIVE')
        active = IntegerField(default=0)
        position = DoubleField(default=0)
        pnl = DoubleField(null=True, default=0)
        cost = DoubleField(null=True, default=0)
        reported = CharField(null=True, max_length=19)

        class Meta:
            database = db
            table_name = 'stock'
    db.create_tables([Stock])
