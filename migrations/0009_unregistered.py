"""Positions that the bridge reports of symbols that the registry does not know."""
from peewee import *


def up(migrator, db):
    class Unregistered(Model):
        symbol = CharField(primary_key=True, max_length=200)
        position = DoubleField()
        cost = DoubleField(default=0)
        pnl = DoubleField(default=0)
        reported = CharField(max_length=19)

        class Meta:
            database = db
            table_name = 'unregistered'
    db.create_tables([Unregistered])
