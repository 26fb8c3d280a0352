"""Bring the database up to this release; a new one is made. Make a backup first.

The server does the same when it starts; here you see what it does, without serving.
"""

import contextlib

import models
from database import is_there, reach_database, steps

EXAMPLES = """\
  python server.py backup before.jsonl.gz && python server.py migrate
"""


def arguments(parser) -> None:
    """Nothing beside the settings."""


def run(line) -> int:
    """Takes the steps that lack and names them."""
    conf, applied = line.conf, []
    if is_there(conf.database):
        with contextlib.closing(reach_database(conf.database)) as database:
            applied, _ = steps(database)
    with contextlib.closing(models.open_store(conf.database, conf.synchronous)) as database:
        taken = [step for step in steps(database)[0] if step not in applied]
    for step in taken:
        print(f"Took the step {step}.")
    if not taken:
        print("The database is up to date.")
    return 0
