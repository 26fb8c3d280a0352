"""One server for each SQLite file: a lock of the system, which ends with its process."""

import os
from pathlib import Path

from database.opening import DatabaseRefused, refusal, sqlite_file

HANDED_ON = "LOCK_OF_PAIRS_API"  # in the environment of a server that starts anew


def claim(url: str) -> int | None:
    """Keeps other servers from this SQLite file for as long as the process lives.

    Returns the descriptor of the lock, for `hand_on`; PostgreSQL needs none. Raises
    DatabaseRefused where another server has it. The command line's tools do not ask.
    """
    file = sqlite_file(url)
    if file is None:
        return None
    # A file of its own: SQLite loses its locks when anybody here closes the database's.
    place = Path(f"{file.resolve()}-lock")
    try:
        lock = _handed_on(place) or os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(lock)
    except BlockingIOError:
        raise DatabaseRefused(
            f"The database {file} is served by another server: "
            "stop that one, or give this one a database of its own."
        ) from None
    except OSError as error:
        raise refusal(url, OSError(error.strerror)) from None
    return lock


def hand_on(lock: int | None) -> None:
    """Lets the program that takes this process's place (`os.execve`) keep the lock."""
    if lock is not None:
        os.set_inheritable(lock, True)
        os.environ[HANDED_ON] = str(lock)


def _handed_on(place: Path) -> int | None:
    lock = int(os.environ.pop(HANDED_ON, 0))
    if not lock:
        return None
    if place.exists() and os.path.samestat(os.fstat(lock), place.stat()):
        os.set_inheritable(lock, False)
        return lock
    os.close(lock)  # the settings name another database now
    return None


def _lock(number: int) -> None:
    """Locks the file, or closes it and raises OSError; BlockingIOError where another has it."""
    try:
        _lock_or_fail(number)
    except OSError:
        os.close(number)
        raise


def _lock_or_fail(number: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None
    else:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
