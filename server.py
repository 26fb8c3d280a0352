"""Start here: read the settings, open the database, make the application, listen, stop."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import time

import peewee
from tornado.ioloop import IOLoop, PeriodicCallback

import models
import security
from commands.common import (
    BRIDGE_REFUSED,
    PERCENT,
    Failed,
    breaks_bridges_file,
    check_settings,
    refuse_unguarded,
)
from commands.line import read_line
from database import opening
from database.opening import DatabaseRefused, claim, hand_on, proxy, refusal
from handlers.app import PairsApplication, line_head
from listening import RESTART, BoundedServer, open_sockets, start_anew
from services import access, alarms
from settings import DEMO_PASSWORD, DEMO_USERS, Settings, SettingsError

SWEEP_MINUTES = 1
EXPIRE_SECONDS = 2  # between two looks for signals that are too old to be traded
STALLED_SECONDS = 5  # between two looks for clients that send nothing
GRACE = 8.0  # seconds to finish open requests when the server stops

log = logging.getLogger("pairs")


def prepare_store(conf: Settings) -> str:
    """Makes the first users and the token key; returns the key. Raises SettingsError.

    It is one transaction, for which other processes that start must wait, so nothing is made twice.
    """
    with proxy.atomic():
        _make_first_users(conf)
        alarms.begin_watch()
        return conf.token_key or access.ensure_secret("token_key")


def _make_first_users(conf: Settings) -> None:
    passphrases = [*conf.passphrases, *(row.value for row in models.Passphrase.valid())]
    has_admin = models.User.select().where(models.User.admin).exists()
    refuse_unguarded(conf, bool(passphrases), has_admin or bool(conf.admin_password))
    if conf.demo:
        if not models.User.select().exists():
            for name, admin in DEMO_USERS.items():
                access.register_user(name, security.hash_password(DEMO_PASSWORD), admin)
        log.warning("demo credentials are in use; never run a demo where others reach it")
    else:
        _refuse_demo_users()
        if not has_admin:
            hashed = security.hash_password(conf.admin_password)
            access.register_user(conf.admin_name, hashed, admin=True)
    if conf.bridge_is_refused:
        log.warning(BRIDGE_REFUSED)
    if breaks_bridges_file(passphrases):
        log.warning(PERCENT)


def _refuse_demo_users() -> None:
    known = access.with_password(list(DEMO_USERS), DEMO_PASSWORD)
    if known:
        raise SettingsError(
            f"database: {' and '.join(known)} still have the demo's password; production needs "
            f"another (python server.py user passwd {known[0]}) or a new database."
        )


class LogLine(logging.Formatter):
    """Formats a line of the log: time, level, request id and message, as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        head = line_head(record.created, record.levelname.lower(), "-")
        text = " ".join(record.getMessage().replace('"', "'").split())
        line = f'{head} message="{text}"'
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def start_logging(level: str) -> None:
    """Writes log lines of this level and above to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Peewee would log the statements, which contain what senders wrote.
    logging.getLogger("peewee").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


class Stop(asyncio.Event):
    """Set by a signal of the system; `again` says that the server starts again after it stopped."""

    again = False

    def end(self) -> None:
        """Stops without a restart, even if a restart was asked for before."""
        self.again = False
        self.set()

    def restart(self) -> None:
        """Stops and starts again, unless the server already stops."""
        self.again = self.again or not self.is_set()
        self.set()


async def serve(conf: Settings, app: PairsApplication) -> list[socket.socket]:
    """Serves until a signal of the system stops it, then finishes the open requests.

    Returns the listening sockets if the signal asked for a restart, else an empty list.
    """
    server = BoundedServer(app)
    sockets = open_sockets(conf.host, conf.port, conf.listen_fds)
    stop = Stop()
    _on_signals(stop)
    # By the system's clock, nothing periodic would run for as long as that clock is set back.
    IOLoop.current().time = time.monotonic
    app.start()
    # Copies, because the server closes the sockets that it is given.
    server.add_sockets([each.dup() for each in sockets])
    sweepers = [
        PeriodicCallback(app.sweep, SWEEP_MINUTES * 60_000),
        PeriodicCallback(app.expire, EXPIRE_SECONDS * 1000),
        PeriodicCallback(app.hang_up_on_stalled, STALLED_SECONDS * 1000),
        PeriodicCallback(server.hang_up_on_quiet, STALLED_SECONDS * 1000),
    ]
    for sweeper in sweepers:
        sweeper.start()
    host, port = sockets[0].getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    print(f"Pairs-API v3 ({conf.mode}) listens at http://{host}:{port}/", flush=True)
    await stop.wait()
    for sweeper in sweepers:
        sweeper.stop()
    server.stop()
    if not stop.again:
        _close(sockets)
    await _drain(app, server)
    server.hang_up()
    await app.close()
    if stop.again:
        return sockets
    _close(sockets)
    return []


def _close(sockets: list[socket.socket]) -> None:
    for each in sockets:
        each.close()


def _on_signals(stop: Stop) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.end)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.end))
    if RESTART:
        loop.add_signal_handler(RESTART, stop.restart)


async def _drain(app: PairsApplication, server: BoundedServer) -> None:
    """Waits up to GRACE seconds for open requests, and for the first request of new clients."""
    app.draining = True
    app.hub.close()
    deadline = time.monotonic() + GRACE
    # It polls, because a client that breaks off causes no event that one could wait for.
    while time.monotonic() < deadline and (  # noqa: ASYNC110
        app.requests_in_hand() or server.unheard()
    ):
        await asyncio.sleep(0.02)


def main(arguments: list[str]) -> int:
    """Does what the command line says; returns the exit code (see `commands.line`)."""
    line = read_line(arguments)
    try:
        return line.run(line) if line.run else _serve(line.conf)
    except (SettingsError, DatabaseRefused) as problem:
        code, sentence = 2, problem
    except Failed as problem:
        code, sentence = 1, problem
    except models.Refused as problem:
        code, sentence = 1, f"It was refused: {problem.reason}"
    except peewee.PeeweeException as error:
        code, sentence = 1, refusal(line.conf.database, error)
    except KeyboardInterrupt:
        code, sentence = 130, "Interrupted."
    print(line.told(str(sentence)), file=sys.stderr)
    return code


def _serve(conf: Settings) -> int:
    check_settings(conf)
    start_logging(conf.log_level)
    lock = claim(conf.database)
    return _run(conf, open_application(conf), lock)


def open_application(conf: Settings) -> PairsApplication:
    """Opens the database and makes the application. Raises SettingsError or DatabaseRefused."""
    database = opening.open_database(conf.database, conf.synchronous)
    try:
        token_key = prepare_store(conf)
        database.close()
        return PairsApplication(conf, database, token_key)
    except peewee.PeeweeException as error:  # the database went away, or it is locked
        raise refusal(conf.database, error) from None


def _run(conf: Settings, app: PairsApplication, lock: int | None) -> int:
    try:
        sockets = asyncio.run(serve(conf, app))
    except (OSError, UnicodeError) as error:
        where = f"{conf.host}:{conf.port}"
        reason = getattr(error, "strerror", None) or "this is not a host name"
        print(f"The server cannot listen on {where}: {reason}.", file=sys.stderr)
        return 1
    with contextlib.suppress(KeyboardInterrupt):
        log.info("starts anew" if sockets else "stopped")
    if sockets:
        hand_on(lock)
        start_anew(sockets)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
