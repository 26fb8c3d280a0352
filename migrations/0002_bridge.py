"""When the bridge last asked for what waits."""
from peewee import *


def up(migrator, db):
    class Bridge(Model):
        name = CharField(primary_key=True, max_length=40)
        last_seen = CharField(max_length=19)

        class Meta:
            database = db
            table_name = 'bridge'
    db.create_tables([Bridge])
