"""What the server knows of itself."""
from peewee import *


def up(migrator, db):
    class Fact(Model):
        name = CharField(primary_key=True, max_length=40)
        value = TextField()

        class Meta:
            database = db
            table_name = 'fact'
    db.create_tables([Fact])
