"""Second factors, API tokens, where sessions are used from, and the audit."""
from peewee import *

from database import RowId


def up(migrator, db):
    class User(Model):
        id = RowId()

        class Meta:
            database = db
            table_name = 'user'

    class Session(Model):
        id = CharField(primary_key=True, max_length=40)

        class Meta:
            database = db
            table_name = 'session'

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
