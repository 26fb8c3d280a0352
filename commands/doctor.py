"""Look whether everything is in order, and say what to do where it is not.

Each line begins with ok, warning or problem. Nothing is changed. Exit code 1: there is a problem.

examples:
  python server.py doctor
  python server.py doctor --settings settings.local.toml --backups /mnt/usb
"""

import contextlib
import errno
import http.client
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import models
from commands.backup import date_of
from commands.common import BRIDGE_REFUSED, PERCENT, breaks_bridges_file, check_settings
from database.opening import DatabaseRefused, is_there, proxy, reach_database, sqlite_file, steps
from network import address_of, is_private, networks, within
from services import access, health
from services.events import LAST_BACKUP
from settings import (
    DEMO_PASSPHRASE,
    DEMO_PASSWORD,
    DEMO_USERS,
    ROOT,
    Settings,
    SettingsError,
    secret_files,
)
from trading import instants

CHECK = """Check the settings, and whether this version can use the database, which is not changed.

examples:
  python server.py check
  python server.py check --settings settings.local.toml
"""
OK, WARNING, PROBLEM = "ok", "warning", "problem"
LITTLE, LEAST = 1e9, 1e8  # free bytes on the disk: less is a warning, or a problem
ANSWER_SECONDS = 3.0  # time that the running server has for its answer
DAY = 86400  # seconds
OLD_BACKUP = 7 * DAY
QUIET = 7 * DAY  # seconds without an alert, then a warning
BRIDGE_GONE = 15 * 60  # seconds since the bridge's last poll, then a warning or a problem
AHEAD = 5  # seconds that the newest event may be ahead of the clock
LOGINS = 20  # sessions whose addresses are checked

Found = tuple[str, str]  # (OK, WARNING or PROBLEM; what was found, and what to do about it)


def register(add) -> None:
    """Adds the commands check and doctor."""
    add("check", CHECK, check)
    parser = add("doctor", __doc__, doctor)
    parser.add_argument(
        "--backups", metavar="FOLDER", type=Path, help="where copies of backups lie, to date them"
    )


def check(line) -> int:
    """Prints that the settings are in order. Raises SettingsError or DatabaseRefused."""
    check_settings(line.conf)
    if is_there(line.conf.database):
        reach_database(line.conf.database, line.conf.synchronous).close()
    print("The settings are in order.")
    if line.conf.bridge_is_refused:
        print(BRIDGE_REFUSED)
    if breaks_bridges_file(line.conf.passphrases):
        print(PERCENT)
    return 0


def doctor(line) -> int:
    """Prints a line for each finding. Returns 1 if there is a problem, 2 if settings are wrong."""
    try:
        conf = line.conf
    except SettingsError as error:
        print(f"{PROBLEM:<8} settings: {error}")
        return 2
    found = [*_look_around(conf, line.overlay)]
    try:
        found += [*_look_into(conf, line.given.backups)]
    except DatabaseRefused as error:
        found.append(("database", PROBLEM, str(error)))
    for subject, level, text in found:
        print(line.told(f"{level:<8} {subject}: {text}"))
    return int(any(level == PROBLEM for _, level, _ in found))


def _look_around(conf: Settings, overlay: str | None) -> Iterator[tuple[str, str, str]]:
    """(subject, level, text) of everything outside the database."""
    yield "settings", OK, f"in order ({conf.mode})"
    for found in _rights(conf, overlay):
        yield "files", *found
    yield "disk", *_disk(conf)
    yield "port", *_port(conf)
    yield "proxy", *_proxies(conf)
    yield "bridge", *_bridge(conf)


def _look_into(conf: Settings, backups: Path | None) -> Iterator[tuple[str, str, str]]:
    """(subject, level, text) of everything in the database. Raises DatabaseRefused."""
    if not is_there(conf.database):
        yield "database", WARNING, "there is none yet; the first start makes it"
        return
    database = reach_database(conf.database, conf.synchronous)
    proxy.initialize(database)
    with contextlib.closing(database):
        applied, lacking = steps(database)
        if not applied:
            yield "database", WARNING, "it is empty; the first start fills it"
            return
        whole, text = _integrity(database)
        yield "database", whole, text
        if whole == PROBLEM:
            return
        if lacking:
            todo = f"it lacks {', '.join(lacking)}: make a backup, then run migrate"
            yield "migrations", PROBLEM, todo
            return
        yield "migrations", OK, "all taken"
        yield "clock", *_clock()
        yield "users", *_credentials(conf)
        yield "passphrase", *_passphrases(conf)
        yield "callers", *_callers(conf)
        yield "backup", *_last_backup(backups)
        yield "alerts", *_last_alert()
        yield "bridge", *_last_poll()


def _rights(conf: Settings, overlay: str | None) -> Iterator[Found]:
    """Whether other users of this machine can read files that only the server should read."""
    if os.name == "nt":
        yield WARNING, "their rights cannot be told on Windows; look at them yourself"
        return
    files, data = secret_files(os.environ, overlay), sqlite_file(conf.database)
    ours = [Path(f"{data}{end}") for end in ("", "-wal")] if data else []
    files = [*files, *(file for file in ours if file.exists())]
    open_ones = [file for file in files if _is_world_readable(file)]
    for file in open_ones:
        text = f"{file} can be read by everybody on this machine: chmod o-r {file}"
        yield WARNING if conf.demo else PROBLEM, text
    if not open_ones:
        yield OK, "nobody else on this machine can read what is secret"


def _is_world_readable(file: Path) -> bool:
    """Whether every user of this machine can read the file."""
    file = file.resolve()
    if not file.stat().st_mode & stat.S_IROTH:
        return False
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in file.parents)


def _disk(conf: Settings) -> Found:
    """Whether the disk has enough room for the database."""
    file = sqlite_file(conf.database)
    folder = file.resolve().parent if file else ROOT
    if not folder.is_dir():
        return PROBLEM, f"there is no folder {folder}: make it, or change database"
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB are free at {folder}"
    if free < LEAST:
        return PROBLEM, f"{text}: alerts will soon be lost; make room now"
    if free < LITTLE:
        return WARNING, f"{text}: make room, or run prune"
    return OK, text


def _port(conf: Settings) -> Found:
    """Whether the server answers at its port, or could listen there."""
    host, where = conf.host, f"{conf.host}:{conf.port}"
    address = address_of(host)
    if address and address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    connection = http.client.HTTPConnection(host, conf.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/v3/session")
        if connection.getresponse().getheader("X-Request-Id"):
            return OK, f"the server answers at {where}"
        return PROBLEM, f"something else answers at {where}: stop it, or change port"
    except ConnectionRefusedError:
        return _free(conf, where)
    except (OSError, http.client.HTTPException):
        return PROBLEM, f"what listens at {where} does not answer: restart it"
    finally:
        connection.close()


def _free(conf: Settings, where: str) -> Found:
    """Whether the server could listen at the port, at which nothing answers now."""
    family = socket.AF_INET6 if ":" in conf.host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((conf.host, conf.port))
        except OSError as error:
            told = error.strerror or "it is no address of this machine"
            hint = "; ports below 1024 are for root" if error.errno == errno.EACCES else ""
            return PROBLEM, f"the server cannot listen at {where}: {told}{hint}"
    return OK, f"{where} is free; the server does not run"


def _proxies(conf: Settings) -> Found:
    """Whether the settings for a proxy look right."""
    if not conf.demo and conf.url.startswith("https:") and not conf.trusted_proxies:
        return WARNING, (
            "url is https but there are no trusted_proxies: behind a proxy all callers look like "
            'one, and its limits hit everybody; for one on this machine set ["127.0.0.1"]'
        )
    if not conf.demo and not conf.url:
        return WARNING, "set url to the public address, so that cookies are secure"
    return OK, "url and trusted_proxies fit" if conf.url else "none is needed in a demo"


def _bridge(conf: Settings) -> Found:
    """Whether the settings allow the bridge to read."""
    if conf.bridge_is_refused:
        return WARNING, BRIDGE_REFUSED.rstrip(".")
    by = "with its key" if conf.bridge_keys else "without a key, as everybody may"
    return OK, f"it may read {by}"


def _integrity(database) -> Found:
    """Whether the database can be read without an error."""
    wrong = health.broken(database)
    if wrong:
        return PROBLEM, f"it is damaged ({wrong}): restore the last backup"
    return OK, "it can be read, and nothing in it is broken"


def _clock() -> Found:
    """Whether the newest event has a time in the future."""
    newest, now = models.EventRow.last_time(), instants.now()
    if newest and newest > instants.ago(-AHEAD):
        return PROBLEM, f"the newest change is of {newest}, it is {now} UTC: set the clock right"
    return OK, f"{now} UTC, after all that is stored; compare it with your own"


def _credentials(conf: Settings) -> Found:
    """Whether there is an administrator, and no user has the demo's password."""
    known = access.with_password(list(DEMO_USERS), DEMO_PASSWORD)
    if conf.demo:
        return OK, "a demo's, known to everybody: never where others reach it"
    if known:
        todo = f"python server.py user passwd {known[0]}"
        return PROBLEM, f"{' and '.join(known)} still have the demo's password: {todo}"
    if not models.User.select().where(models.User.admin).exists():
        return PROBLEM, "there is no administrator: python server.py user add NAME --admin"
    return OK, "none has the demo's password"


def _passphrases(conf: Settings) -> Found:
    """Whether a passphrase is the demo's, or has a sign that the bridge's file cannot take."""
    valid = models.Passphrase.valid()
    known = [row.label for row in valid if row.value == DEMO_PASSPHRASE]
    if known and not conf.demo:
        return PROBLEM, f"{known[0]} is the demo's: python server.py passphrase retire {known[0]}"
    if not valid and not conf.fixed_passphrases:
        return PROBLEM, "there is none: python server.py passphrase add NAME"
    if breaks_bridges_file([*conf.passphrases, *(row.value for row in valid)]):
        return WARNING, PERCENT.rstrip(".")
    if conf.demo:
        return OK, "a demo's, known to everybody: never where others reach it"
    return OK, "none is the demo's"


def _callers(conf: Settings) -> Found:
    """Whether the proxy sends the callers' addresses; if not, all logins have the proxy's own."""
    if conf.demo or not conf.url.startswith("https:"):
        return OK, "they come without a proxy"
    seen = models.Visit.addresses(LOGINS)
    near = [each for each in seen if is_private(each)]
    if len(seen) != 1 or not near:
        return OK, "nothing speaks against the proxy saying who calls"
    if within(near[0], networks(conf.trusted_proxies)):
        todo = "let the proxy send X-Forwarded-For, as the files of deploy/ do"
    else:
        todo = "if that is the proxy, put it into trusted_proxies"
    return WARNING, f"all logins came from {near[0]}: {todo}"


def _last_backup(folder: Path | None) -> Found:
    """How old the last backup is: the one stored in the database, or the newest in the folder."""
    files = folder.iterdir() if folder and folder.is_dir() else ()
    noted = models.Fact.of(LAST_BACKUP)
    last = max([noted or "", *(date_of(file) or "" for file in files)])
    todo = "python server.py backup FILE, best each night from cron"
    if not last:
        return WARNING, f"there was none: {todo}"
    if instants.seconds_since(last) > OLD_BACKUP:
        return WARNING, f"the last one is of {last} UTC: {todo}"
    return OK, f"the last one is of {last} UTC"


def _last_alert() -> Found:
    """When the last alert came in."""
    last = models.Signal.last_alert()
    if last is None:
        return WARNING, "none came yet: put the template under Setup into TradingView"
    if instants.seconds_since(last) > QUIET:
        return WARNING, f"the last came {last} UTC: do TradingView's alerts still run?"
    return OK, f"the last came {last} UTC"


def _last_poll() -> Found:
    """When the bridge polled last."""
    last, waiting = models.Bridge.seen(), models.Signal.count_offered()
    if last is None:
        return WARNING, f"it was never here, {waiting:,} signals wait: start PAIRS-IBKR"
    if instants.seconds_since(last) <= BRIDGE_GONE:
        return OK, f"it was here {last} UTC, {waiting:,} signals wait"
    level = PROBLEM if waiting else WARNING
    return level, f"it was last here {last} UTC, {waiting:,} signals wait: does it run?"
