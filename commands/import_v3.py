"""Take over the database of an original Pairs-API v3: signals, tickers, pairs, users, account.

Stop this server first. Nothing is written to the original. What does not fit is named with its
reason and left out; nothing is guessed. Signals keep their rowids where those are free. Passwords,
which the original keeps as they are, are stored as hashes. A second run adds what is new only.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from commands.common import opened, progress
from commands.takes import TAKES
from database import DatabaseRefused, proxy
from models.original import Original

EXAMPLES = """\
  python server.py import-v3 /old/pairs/data.db
  python server.py import-v3 postgresql://user:password@host/name
"""
BATCH = 200


def arguments(parser) -> None:
    """The database."""
    parser.add_argument("place", metavar="FILE-or-URL", help="an SQLite file, or postgresql://...")


def run(line) -> int:
    """Takes everything over and prints what came and what did not."""
    original, report = Original(line.given.place), Report()
    try:
        with opened(line.conf, makes=True):
            for table in original.tables:
                with progress(f"Importing {table}", original.count(table)) as shown:
                    _import(original, table, report, shown.add)
    finally:  # what came before a failure has come
        original.close()
        report.print()
    return 0


class Report:
    """What came, what was there already, what did not come and why; and what to do now."""

    def __init__(self):
        self._came: Counter[str] = Counter()
        self._there: Counter[str] = Counter()
        self._left: dict[str, list[str]] = {}
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

    def seen(self, table: str) -> None:
        """The table was there, though it may be empty."""
        self._came[table] += 0

    def advise(self, text: str) -> None:
        """What the owner should do."""
        self._advice.append(text)

    def print(self) -> None:
        """Prints all of it."""
        for table, count in self._came.items():
            left = self._left.get(table, [])
            print(
                f"{table}: {count:,} came, {self._there[table]:,} already there, "
                f"{len(left):,} did not come"
            )
            for each in left:
                print(each)
        for each in self._advice:
            print(each)


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
