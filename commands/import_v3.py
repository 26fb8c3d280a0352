"""Take over the database of an original Pairs-API v3: signals, tickers, pairs, users, account.

Stop this server first, and name its settings. Nothing is written to the original. What does not fit
is named with its reason and left out, what had to be changed is told; nothing is guessed. Signals
keep their rowids where those are free. Passwords, which the original keeps as they are, are stored
as hashes. A second run adds what is new only.

examples:
  python server.py import-v3 /old/pairs/data.db --settings settings.local.toml
  python server.py import-v3 postgresql://user:password@host/name --settings settings.local.toml
"""

import contextlib
from collections.abc import Iterator

import models
from commands.common import Failed, Progress, check_url, opened
from commands.takes import TAKES, Take
from database.opening import is_there, reach_database
from services import access, events
from services.original import TABLES, Original
from settings import DEMO_PASSWORD, DEMO_USERS
from trading import instants

IMPORTED = "imported"  # name of the fact that says when an import began


def register(add) -> None:
    """Adds the command import-v3."""
    parser = add("import-v3", __doc__, run)
    parser.add_argument("place", metavar="FILE-or-URL", help="an SQLite file, or postgresql://...")


def run(line) -> int:
    """Imports everything, and prints what was imported and what was not."""
    check_url(line.given.place)
    takes: list[Take] = []
    with contextlib.closing(Original(line.given.place)) as original:
        try:
            _refuse_mistakes(line)
            with opened(line.conf, makes=True):
                _refuse_demo()
                for table in original.tables:
                    takes.append(TAKES[table](table))
                    with Progress(f"Importing {table}", original.count(table)) as shown:
                        takes[-1].take_over(original.rows(table), shown.add)
        finally:  # rows that were stored before a failure are kept
            for text in _report(takes):
                print(line.told(text))
    return 0


def _report(takes: list[Take]) -> Iterator[str]:
    for take in takes:
        yield from take.lines()
    for take in takes:
        yield from take.advice


def _refuse_mistakes(line) -> None:
    """Raises Failed if the target was named by mistake: a demo's database, or an original's."""
    url = line.conf.database
    if line.conf.demo and not line.names_database:
        raise Failed(
            "These are a demo's settings; name your own, --settings settings.local.toml, "
            "or another database, --database URL."
        )
    if not is_there(url):
        return
    with contextlib.closing(reach_database(url)) as database:
        if set(database.get_tables()) & set(TABLES):
            raise Failed(
                "The settings' database (DATABASE_URL or --database) is an original's; "
                "name a new one, so that nothing is written to the original."
            )


def _refuse_demo() -> None:
    """Raises Failed if a demo has made the database; else stores that the import began."""
    if models.Fact.of(IMPORTED):
        return
    if access.with_password(list(DEMO_USERS), DEMO_PASSWORD):
        raise Failed(
            "A demo has made this database, its users have the demo's password: "
            "name a new one as database in settings.local.toml."
        )
    events.note(IMPORTED, instants.now())
