"""Start here: settings, database, application, listen, and a graceful stop."""

import asyncio
import contextlib
import logging
import signal
import sys
import time
import weakref

import peewee
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets

import models
import security
from commands import Failed, read_line
from commands.check import BRIDGE_REFUSED, check_settings, refuse_unguarded
from database import DatabaseRefused, proxy, refusal
from handlers import PairsApplication
from logs import start_logging
from settings import DEMO_PASSWORD, DEMO_USERS, Settings, SettingsError

SWEEP_MINUTES = 1
STALLED_SECONDS = 5  # between two looks for bodies that do not come
OWN_FILES = 32  # database, logs, sockets that listen
GRACE = 8.0  # seconds for the requests in hand once the server stops

log = logging.getLogger("pairs")


def prepare_store(conf: Settings) -> str:
    """Makes the first users and the token key; the key. Raises SettingsError.

    One transaction, which writes and so waits for other processes that start: made once.
    """
    with proxy.atomic():
        _make_first_users(conf)
        return conf.token_key or models.Secret.ensure("token_key")


def _make_first_users(conf: Settings) -> None:
    has_passphrase = bool(conf.passphrases or models.Passphrase.valid())
    has_admin = models.User.select().where(models.User.admin).exists()
    refuse_unguarded(conf, has_passphrase, has_admin or bool(conf.admin_password))
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


def _refuse_demo_users() -> None:
    for user in models.User.select().where(models.User.username.in_(list(DEMO_USERS))):
        if security.verify_password(DEMO_PASSWORD, user.password_hash):
            raise SettingsError(
                f"database: the user {user.username} still has the demo's password; "
                "start in production with a new database."
            )


def most_connections() -> int:
    """How many connections the system lets us hold, a few files of our own left over."""
    try:
        import resource
    except ImportError:  # Windows
        return 450
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(most, OWN_FILES + 1) - OWN_FILES


class BoundedServer(HTTPServer):
    """Hangs up on whoever calls when all lines are taken; the system would fail in a loop."""

    def __init__(self, app: PairsApplication, **options):
        super().__init__(app, **options)
        self._most = most_connections()
        self._streams: weakref.WeakSet[IOStream] = weakref.WeakSet()

    def handle_stream(self, stream: IOStream, address: tuple) -> None:
        self._streams.add(stream)
        if len(self._streams) > self._most and len(self._open()) > self._most:
            stream.close()
        else:
            super().handle_stream(stream, address)

    def _open(self) -> list[IOStream]:
        return [stream for stream in self._streams if not stream.closed()]

    def hang_up(self) -> None:
        """Closes all connections in one step, so that no request slips in between."""
        for stream in self._open():
            stream.close()


async def serve(conf: Settings, app: PairsApplication) -> None:
    """Listens until a signal stops it, then finishes what is in hand."""
    server = BoundedServer(
        app,
        max_body_size=1024 * 1024,
        idle_connection_timeout=75,
    )
    sockets = bind_sockets(conf.port, conf.host)
    stop = asyncio.Event()
    _on_signals(stop)
    app.start()
    server.add_sockets(sockets)
    sweepers = [
        PeriodicCallback(app.sweep, SWEEP_MINUTES * 60_000),
        PeriodicCallback(app.hang_up_on_stalled, STALLED_SECONDS * 1000),
    ]
    for sweeper in sweepers:
        sweeper.start()
    port = sockets[0].getsockname()[1]
    host = f"[{conf.host}]" if ":" in conf.host else conf.host
    print(f"Pairs-API v3 ({conf.mode}) listens at http://{host}:{port}/", flush=True)
    await stop.wait()
    for sweeper in sweepers:
        sweeper.stop()
    server.stop()
    await _drain(app)
    server.hang_up()
    await app.close()


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


async def _drain(app: PairsApplication) -> None:
    """Answers the requests in hand."""
    app.draining = True
    app.hub.close()
    deadline = time.monotonic() + GRACE
    # A connection that breaks off says nothing, so there is no event to wait for.
    while time.monotonic() < deadline and app.requests_in_hand():  # noqa: ASYNC110
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
    print(sentence, file=sys.stderr)
    return code


def _serve(conf: Settings) -> int:
    check_settings(conf)
    start_logging(conf.log_level)
    return _run(conf, open_application(conf))


def open_application(conf: Settings) -> PairsApplication:
    """The application on its prepared database; raises SettingsError or DatabaseRefused."""
    database = models.open_store(conf.database, conf.synchronous)
    try:
        token_key = prepare_store(conf)
        database.close()
        return PairsApplication(conf, database, token_key)
    except peewee.PeeweeException as error:  # it went away, or somebody holds it
        raise refusal(conf.database, error) from None


def _run(conf: Settings, app: PairsApplication) -> int:
    try:
        asyncio.run(serve(conf, app))
    except (OSError, UnicodeError) as error:
        where = f"{conf.host}:{conf.port}"
        reason = getattr(error, "strerror", None) or "this is not a host name"
        print(f"The server cannot listen on {where}: {reason}.", file=sys.stderr)
        return 1
    with contextlib.suppress(KeyboardInterrupt):
        log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
