"""Start here: settings, database, application, listen, and a graceful stop."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import time

import peewee
from tornado.ioloop import PeriodicCallback

import models
import security
from commands import Failed, read_line
from commands.check import (
    BRIDGE_REFUSED,
    PERCENT,
    breaks_bridges_file,
    check_settings,
    refuse_unguarded,
)
from database import DatabaseRefused, claim, hand_on, proxy, refusal
from handlers import PairsApplication
from listening import RESTART, BoundedServer, open_sockets, start_anew
from logs import start_logging
from settings import DEMO_PASSWORD, DEMO_USERS, Settings, SettingsError

SWEEP_MINUTES = 1
STALLED_SECONDS = 5  # between two looks for bodies and requests that do not come
GRACE = 8.0  # seconds for the requests in hand once the server stops

log = logging.getLogger("pairs")


def prepare_store(conf: Settings) -> str:
    """Makes the first users and the token key; the key. Raises SettingsError.

    One transaction, which writes and so waits for other processes that start: made once.
    """
    with proxy.atomic():
        _make_first_users(conf)
        models.AlarmWatch.begin()
        return conf.token_key or models.Secret.ensure("token_key")


def _make_first_users(conf: Settings) -> None:
    passphrases = [*conf.passphrases, *(row.value for row in models.Passphrase.valid())]
    has_admin = models.User.select().where(models.User.admin).exists()
    refuse_unguarded(conf, bool(passphrases), has_admin or bool(conf.admin_password))
    if conf.demo:
        if not models.User.select().exists():
            for name, admin in DEMO_USERS.items():
                models.User.register(name, security.hash_password(DEMO_PASSWORD), admin)
        log.warning("demo credentials are in use; never run a demo where others reach it")
    else:
        _refuse_demo_users()
        if not has_admin:
            hashed = security.hash_password(conf.admin_password)
            models.User.register(conf.admin_name, hashed, admin=True)
    if conf.bridge_is_refused:
        log.warning(BRIDGE_REFUSED)
    if breaks_bridges_file(passphrases):
        log.warning(PERCENT)


def _refuse_demo_users() -> None:
    known = models.health.with_password(list(DEMO_USERS), DEMO_PASSWORD)
    if known:
        raise SettingsError(
            f"database: {' and '.join(known)} still have the demo's password; production needs "
            f"another (python server.py user passwd {known[0]}) or a new database."
        )


class Stop(asyncio.Event):
    """Set by a signal; `again` where the server is to start anew."""

    again = False

    def end(self) -> None:
        """Stops for good, whatever was asked for before."""
        self.again = False
        self.set()

    def restart(self) -> None:
        """Stops to start anew, unless it stops already."""
        self.again = self.again or not self.is_set()
        self.set()


async def serve(conf: Settings, app: PairsApplication) -> list[socket.socket]:
    """Listens until a signal stops it, then finishes what is in hand.

    Returns the sockets to listen on again where the signal asked for a new start.
    """
    server = BoundedServer(app)
    sockets = open_sockets(conf.host, conf.port, conf.listen_fds)
    stop = Stop()
    _on_signals(stop)
    app.start()
    # Copies, for the server closes those that it is given.
    server.add_sockets([each.dup() for each in sockets])
    sweepers = [
        PeriodicCallback(app.sweep, SWEEP_MINUTES * 60_000),
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
    """Answers the requests in hand, and those that new connections are about to make."""
    app.draining = True
    app.hub.close()
    deadline = time.monotonic() + GRACE
    # A connection that breaks off says nothing, so there is no event to wait for.
    while time.monotonic() < deadline and (  # noqa: ASYNC110
        app.requests_in_hand() or server.unheard()
    ):
        await asyncio.sleep(0.02)


def main(arguments: list[str]) -> int:
    """Does what the command line says: the exit code (see `commands`)."""
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
    """The application on its prepared database; raises SettingsError or DatabaseRefused."""
    database = models.open_store(conf.database, conf.synchronous)
    try:
        token_key = prepare_store(conf)
        database.close()
        return PairsApplication(conf, database, token_key)
    except peewee.PeeweeException as error:  # it went away, or somebody holds it
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
