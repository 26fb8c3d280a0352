"""The sums and texts of old signals, and the trigger that notes where a signal has changed.

A step that makes the table of signals anew has to make its trigger anew, too.
"""
from peewee import *

from database import Sum, is_sqlite

CHANGED = (
    'UPDATE OF kind, leg1, leg2, status, action, contracts, slippage, ticker, comment, '
    'status_message, error_message'
)
NOTE = (
    'INSERT INTO stale_block (number) SELECT OLD.id / 1000 FROM summed WHERE OLD.id < until '
    'ON CONFLICT DO NOTHING;'
)


def up(migrator, db):
    class Summed(Model):
        id = IntegerField(primary_key=True)
        until = BigIntegerField()

        class Meta:
            database = db
            table_name = 'summed'

    class StaleBlock(Model):
        number = BigIntegerField(primary_key=True)

        class Meta:
            database = db
            table_name = 'stale_block'
            legacy_table_names = False

    class BlockSum(Model):
        place = BigIntegerField(index=True)
        kind = CharField(null=True, max_length=6)
        leg1 = CharField(null=True, max_length=200)
        leg2 = CharField(null=True, max_length=200)
        status = CharField(max_length=40)
        action = CharField(max_length=4)
        count = BigIntegerField()
        contracts = Sum(null=True)
        slippage = Sum(null=True)
        slipped = BigIntegerField()

        class Meta:
            database = db
            table_name = 'block_sum'
            legacy_table_names = False
            primary_key = False

    class BlockGram(Model):
        gram = CharField(max_length=3)
        number = BigIntegerField()

        class Meta:
            database = db
            table_name = 'block_gram'
            legacy_table_names = False
            primary_key = CompositeKey('gram', 'number')

    db.create_tables([Summed, StaleBlock, BlockSum, BlockGram])
    if is_sqlite(db):
        for name, event in (('changed', CHANGED), ('deleted', 'DELETE')):
            db.execute_sql(
                f'CREATE TRIGGER signal_{name} AFTER {event} ON signal BEGIN {NOTE} END'
            )
    else:
        db.execute_sql(
            'CREATE FUNCTION note_stale_block() RETURNS trigger LANGUAGE plpgsql AS '
            f'$$ BEGIN {NOTE} RETURN NULL; END $$'
        )
        db.execute_sql(
            f'CREATE TRIGGER signal_changed AFTER {CHANGED} OR DELETE ON signal '
            'FOR EACH ROW EXECUTE FUNCTION note_stale_block()'
        )
