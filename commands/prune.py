"""Delete events and rejected alerts that are older than the setting retention_days.

Signals, the ids of alerts and the audit stay. A page or program that asks for changes from before
is told to read everything anew. A file of SQLite keeps its size and fills the room again.

examples:
  python server.py prune --dry-run
  python server.py prune
"""

from commands.common import Progress, opened
from services.events import old_rows, prune
from trading import instants

DAY = 86400  # seconds


def register(add) -> None:
    """Adds the command prune."""
    parser = add("prune", __doc__, run)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")


def run(line) -> int:
    """Deletes old events and rejected alerts, or with --dry-run prints how many there are."""
    days = line.conf.retention_days
    since = instants.ago(days * DAY)
    with opened(line.conf):
        events, rejected = old_rows(since)
        if not line.given.dry_run:
            with Progress("Pruning", events + rejected) as shown:
                for count in prune(since):
                    shown.add(count)
    verb = "Would delete" if line.given.dry_run else "Deleted"
    print(f"{verb} {events:,} events and {rejected:,} rejected alerts older than {days} days.")
    return 0
