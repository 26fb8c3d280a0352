"""Take over the database of an original Pairs-API v3: signals, tickers, pairs, users, account.

Stop this server first, and name its settings. Nothing is written to the original. What does not fit
is named with its reason and left out, what had to be changed is told; nothing is guessed. Signals
keep their rowids where those are free. Passwords, which the original keeps as they are, are stored
as hashes. A second run adds what is new only.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import models
from commands.common import Failed, check_url, opened, progress
from commands.takes import TAKES
from database import DatabaseRefused, is_there, proxy, reach_database
from models import health
from models.original import TABLES, Original
from settings import DEMO_PASSWORD, DEMO_USERS
from trading import instants

EXAMPLES = """\
  python server.py import-v3 /old/pairs/data.db --settings settings.local.toml
  python server.py import-v3 postgresql://user:password@host/name --settings settings.local.toml
"""
BATCH = 200
SHOWN = 5  # rows that are named for each change
IMPORTED = "imported"  # the fact that an import began, and when


def arguments(parser) -> None:
    """The database."""
    parser.add_argument("place", metavar="FILE-or-URL", help="an SQLite file, or postgresql://...")


def run(line) -> int:
    """Takes everything over and prints what came and what did not."""
    check_url(line.given.place)
    original, report = Original(line.given.place), Report()
    try:
        _refuse_mistakes(line)
        with opened(line.conf, makes=True):
            _refuse_demo()
            for table in original.tables:
                with progress(f"Importing {table}", original.count(table)) as shown:
                    _import(original, table, report, shown.add)
    finally:  # what came before a failure has come
        original.close()
        for text in report.lines():
            print(line.told(text))
    return 0


def _refuse_mistakes(line) -> None:
    """Raises Failed for a database that was hardly meant: the demo's, or the original's own."""
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
    """Raises Failed where a demo made the database; notes that this one is imported into."""
    if models.Fact.of(IMPORTED):
        return
    if health.with_password(list(DEMO_USERS), DEMO_PASSWORD):
        raise Failed(
            "A demo has made this database, its users have the demo's password: "
            "name a new one as database in settings.local.toml."
        )
    models.Fact.note(IMPORTED, instants.now())


class Report:
    """What came and how it was changed, what was there, what did not come, and what to do now."""

    def __init__(self):
        self._came: Counter[str] = Counter()
        self._there: Counter[str] = Counter()
        self._left: dict[str, list[str]] = {}
        self._changed: dict[str, dict[str, list[str]]] = {}
        self._advice: list[str] = []

    def came(self, table: str) -> None:
        """One more came."""
        self._came[table] += 1

    def there(self, table: str) -> None:
        """One more was there already."""
        self._there[table] += 1

    def left(self, table: str, row: str, reason: dict[str, str] | str) -> None:
        """One did not come."""
        if isinstance(reason, dict):
            reason = "; ".join(f"{key} {text}" for key, text in reason.items())
        self._left.setdefault(table, []).append(f"  {row}: {reason.strip().rstrip('.')}")

    def changed(self, table: str, row: str, change: str) -> None:
        """One that came is not as it was."""
        self._changed.setdefault(table, {}).setdefault(change, []).append(row)

    def seen(self, table: str) -> None:
        """The table was there, though it may be empty."""
        self._came[table] += 0

    def advise(self, text: str) -> None:
        """What the owner should do."""
        self._advice.append(text)

    def lines(self) -> Iterator[str]:
        """All of it."""
        for table, count in self._came.items():
            left = self._left.get(table, [])
            yield (
                f"{table}: {count:,} came, {self._there[table]:,} already there, "
                f"{len(left):,} did not come"
            )
            yield from left
            for change, rows in self._changed.get(table, {}).items():
                yield f"  changed, {change}: {_some(rows)}"
        yield from self._advice


def _some(rows: list[str]) -> str:
    more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    return ", ".join(rows[:SHOWN]) + more


def _import(original: Original, table: str, report: Report, told: Callable[[int], None]) -> None:
    report.seen(table)
    take = TAKES[table](report)
    for batch in _batches(take.order(original.rows(table))):
        prepared = [(row, take.prepare(row)) for row in batch]  # hashing holds nobody up
        with proxy.atomic():
            for row, ready in prepared:
                if ready is not None:
                    take.store(row, ready)
            take.settle()
        told(len(batch))
    take.end()


def _batches(rows: Iterable[dict]) -> Iterator[list[dict]]:
    """Some at a time; where they cannot be read on, first those that could."""
    batch: list[dict] = []
    try:
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except DatabaseRefused:
        yield batch
        raise
    yield batch
