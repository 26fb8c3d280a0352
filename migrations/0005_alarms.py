"""Alarms that are open or were, and how far the events have been looked through."""
from peewee import *

from database import RowId


def up(migrator, db):
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
