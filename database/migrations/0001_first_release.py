"""The first release's tables: frozen copies of the models, so that later models can differ."""
from peewee import *

from database.opening import RowId


def up(migrator, db):
    class AccountRecord(Model):
        rowid = RowId()
        timestamp = CharField(max_length=19)
        AvailableFunds = DoubleField(null=True)
        BuyingPower = DoubleField(null=True)
        GrossPositionValue = DoubleField(null=True)
        MaintMarginReq = DoubleField(null=True)
        NetLiquidation = DoubleField(null=True)
        DailyPnL = DoubleField(null=True)
        RealizedPnL = DoubleField(null=True)
        UnrealizedPnL = DoubleField(null=True)

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
        record = TextField()

        class Meta:
            database = db
            table_name = 'event'
            legacy_table_names = False
            indexes = ((('subject', 'id'), False),)
    of_signals = SQL("type IN ('signal.created', 'signal.updated')")
    EventRow.add_index(EventRow.index(EventRow.id, name='event_of_signal', where=of_signals))
    db.create_tables([EventRow])

    class Pair(Model):
        id = RowId()
        name = CharField(unique=True, max_length=400)
        ticker1 = CharField(index=True, max_length=200)
        ticker2 = CharField(index=True, max_length=200)
        hedge = DoubleField()
        status = IntegerField(default=0)
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
        rowid = RowId()
        timestamp = CharField(index=True, max_length=19)
        ticker = TextField()
        order_action = CharField(max_length=4)
        order_contracts = DoubleField()
        order_price = DoubleField(null=True)
        mar_pos = CharField(null=True, max_length=5)
        mar_pos_size = DoubleField(default=0)
        pre_mar_pos = CharField(null=True, max_length=5)
        pre_mar_pos_size = DoubleField(default=0)
        order_comment = TextField(null=True)
        order_status = CharField(max_length=40)
        ticker_type = CharField(null=True, max_length=6)
        stk_ticker1 = CharField(null=True, max_length=200)
        stk_ticker2 = CharField(null=True, max_length=200)
        hedge_param = DoubleField(null=True)
        order_id1 = BigIntegerField(null=True)
        order_id2 = BigIntegerField(null=True)
        stk_price1 = DoubleField(null=True)
        stk_price2 = DoubleField(null=True)
        fill_price = DoubleField(null=True)
        slip = DoubleField(null=True)
        error_msg = TextField(null=True)
        status_msg = TextField(null=True)
        filled_qty1 = DoubleField(null=True)
        filled_qty2 = DoubleField(null=True)
        alert_time = CharField(null=True, max_length=19)
        warning = TextField(null=True)

        class Meta:
            database = db
            table_name = 'signal'
            indexes = ((('order_status', 'rowid'), False), (('ticker_type', 'rowid'), False),
                       (('stk_ticker1', 'stk_ticker2', 'rowid'), False))
    offered = SQL("COALESCE(order_status, '') IN ('waiting', 'rerouted')")
    Signal.add_index(Signal.index(Signal.rowid, name='signal_offered', where=offered))
    Signal.add_index(Signal.index(Signal.order_id1, Signal.rowid, name='signal_order_id1',
                                  where=Signal.order_id1.is_null(False)))
    Signal.add_index(Signal.index(Signal.order_id2, Signal.rowid, name='signal_order_id2',
                                  where=Signal.order_id2.is_null(False)))
    db.create_tables([Signal])

    class Stock(Model):
        id = RowId()
        symbol = CharField(unique=True, max_length=200)
        sectype = CharField(max_length=20, default='STK')
        xch = CharField(max_length=40, default='SMART')
        prixch = CharField(max_length=40, default='ISLAND')
        currency = CharField(max_length=20, default='USD')
        order_type = CharField(max_length=20, default='RELATIVE')
        active = IntegerField(default=0)
        active_pos = DoubleField(default=0)
        active_pnl = DoubleField(null=True, default=0)
        active_cost = DoubleField(null=True, default=0)
        reported = CharField(null=True, max_length=19)

        class Meta:
            database = db
            table_name = 'stock'
    db.create_tables([Stock])

    class Bridge(Model):
        name = CharField(primary_key=True, max_length=40)
        last_seen = CharField(max_length=19)

        class Meta:
            database = db
            table_name = 'bridge'
    db.create_tables([Bridge])

    class Factor(Model):
        user = ForeignKeyField(User, primary_key=True, on_delete='CASCADE')
        secret = CharField(max_length=200)
        since = CharField(null=True, max_length=19)
        last_step = BigIntegerField(default=0)

        class Meta:
            database = db
            table_name = 'factor'

    class RecoveryCode(Model):
        digest = CharField(primary_key=True, max_length=64)
        user = ForeignKeyField(User, on_delete='CASCADE')

        class Meta:
            database = db
            table_name = 'recovery_code'
            legacy_table_names = False

    class ApiToken(Model):
        id = RowId()
        user = ForeignKeyField(User, on_delete='CASCADE')
        name = CharField(max_length=80)
        scope = CharField(max_length=10)
        digest = CharField(unique=True, max_length=64)
        created = CharField(max_length=19)
        last_used = CharField(null=True, max_length=19)
        expires = CharField(null=True, max_length=19)

        class Meta:
            database = db
            table_name = 'api_token'
            legacy_table_names = False

    class Visit(Model):
        session = ForeignKeyField(Session, primary_key=True, on_delete='CASCADE')
        agent = CharField(max_length=300)
        address = CharField(max_length=64)
        seen = BigIntegerField()

        class Meta:
            database = db
            table_name = 'visit'

    class PassphraseUse(Model):
        digest = CharField(primary_key=True, max_length=64)
        last_used = CharField(max_length=19)

        class Meta:
            database = db
            table_name = 'passphrase_use'
            legacy_table_names = False

    class Audit(Model):
        id = RowId()
        time = CharField(max_length=19)
        kind = CharField(max_length=40)
        who = CharField(max_length=80)
        address = CharField(max_length=64)
        subject = CharField(max_length=400)
        count = IntegerField(default=1)
        event = BigIntegerField(null=True)
        refused = BooleanField()

        class Meta:
            database = db
            table_name = 'audit'
            indexes = ((('refused', 'id'), False), (('kind', 'address', 'id'), False))

    db.create_tables([Factor, RecoveryCode, ApiToken, Visit, PassphraseUse, Audit])

    class Fact(Model):
        name = CharField(primary_key=True, max_length=40)
        value = TextField()

        class Meta:
            database = db
            table_name = 'fact'
    db.create_tables([Fact])

    class Alarm(Model):
        id = RowId()
        key = CharField(max_length=240)
        kind = CharField(max_length=20)
        subject = CharField(max_length=200)
        what = TextField()
        number = DoubleField(default=1)
        told_number = DoubleField(default=0)
        since = CharField(max_length=19)
        opened = CharField(max_length=19)
        acknowledged = CharField(null=True, max_length=19)
        acknowledged_by = CharField(null=True, max_length=80)
        closed = CharField(null=True, max_length=19)
        notified = CharField(null=True, max_length=19)
        due = DoubleField(null=True)
        tries = IntegerField(default=0)
        told = TextField(default='')

        class Meta:
            database = db
            table_name = 'alarm'
    Alarm.add_index(Alarm.index(Alarm.key, name='alarm_open', unique=True,
                                where=Alarm.closed.is_null()))
    Alarm.add_index(Alarm.index(Alarm.closed, Alarm.id, name='alarm_closed',
                                where=Alarm.closed.is_null(False)))
    db.create_tables([Alarm])

    class AlarmWatch(Model):
        name = CharField(primary_key=True, max_length=40)
        position = BigIntegerField()
        started = CharField(max_length=19)
        holder = CharField(max_length=40, default='')
        until = DoubleField(default=0)

        class Meta:
            database = db
            table_name = 'alarm_watch'
            legacy_table_names = False
    db.create_tables([AlarmWatch])

    class Unregistered(Model):
        symbol = CharField(primary_key=True, max_length=200)
        active_pos = DoubleField()
        active_cost = DoubleField(default=0)
        active_pnl = DoubleField(default=0)
        reported = CharField(max_length=19)

        class Meta:
            database = db
            table_name = 'unregistered'
    db.create_tables([Unregistered])
