"""Bring the database up to this release; a new one is made. Make a backup first.

The server does the same when it starts; here you see what it does, without serving.

examples:
  python server.py backup before.jsonl.gz && python server.py migrate
"""

import contextlib

from database import opening
from database.opening import is_there, reach_database, steps


def register(add) -> None:
    """Adds the command migrate."""
    add("migrate", __doc__, run)


def run(line) -> int:
    """Runs the migrations that the database lacks, and prints their names."""
    conf, applied = line.conf, []
    if is_there(conf.database):
        with contextlib.closing(reach_database(conf.database)) as database:
            applied, _ = steps(database)
    with contextlib.closing(opening.open_database(conf.database, conf.synchronous)) as database:
        taken = [step for step in steps(database)[0] if step not in applied]
    for step in taken:
        print(f"Took the step {step}.")
    if not taken:
        print("The database is up to date.")
    return 0
