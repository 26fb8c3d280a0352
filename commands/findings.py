"""What doctor finds, and what it looks at in the database."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import models
from commands.check import PERCENT, breaks_bridges_file
from commands.files import date_of
from database import is_there, proxy, reach_database, steps
from models import health
from network import is_private, networks, within
from settings import DEMO_PASSPHRASE, DEMO_PASSWORD, DEMO_USERS, Settings
from trading import instants

DAY = 86400
OLD_BACKUP = 7 * DAY
LOGINS = 20  # sessions whose addresses are looked at
QUIET = 7 * DAY  # without an alert
BRIDGE_GONE = 15 * 60
AHEAD = 5  # seconds that a clock may be set back by without a word


class Finding(NamedTuple):
    """`level` is ok, warning or problem; the text says what to do where something is wrong."""

    level: str
    subject: str
    text: str


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding("ok", subject, text)


def warning(subject: str, text: str) -> Finding:
    """It works, and should be looked after."""
    return Finding("warning", subject, text)


def problem(subject: str, text: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding("problem", subject, text)


def look(conf: Settings, backups: Path | None) -> list[Finding]:
    """All of the database; raises DatabaseRefused."""
    if not is_there(conf.database):
        return [warning("database", "there is none yet; the first start makes it")]
    database = reach_database(conf.database, conf.synchronous)
    proxy.initialize(database)
    with contextlib.closing(database):
        applied, lacking = steps(database)
        if not applied:
            return [warning("database", "it is empty; the first start fills it")]
        whole = integrity(database)
        if whole.level == "problem":
            return [whole]
        if lacking:
            todo = f"it lacks {', '.join(lacking)}: make a backup, then run migrate"
            return [whole, problem("migrations", todo)]
        return [
            whole,
            ok("migrations", "all taken"),
            clock(),
            *credentials(conf),
            passphrases(conf),
            callers(conf),
            backup(backups),
            last_alert(),
            last_poll(),
        ]


def integrity(database) -> Finding:
    """Whether what is stored can be read."""
    wrong = health.broken(database)
    if wrong:
        return problem("database", f"it is damaged ({wrong}): restore the last backup")
    return ok("database", "it can be read, and nothing in it is broken")


def clock() -> Finding:
    """Whether something was stored in the future; no other clock can be asked from here."""
    newest, now = health.newest_event(), instants.now()
    if newest and newest > instants.ago(-AHEAD):
        return problem(
            "clock", f"the newest change is of {newest}, it is {now} UTC: set the clock right"
        )
    return ok("clock", f"{now} UTC, after all that is stored; compare it with your own")


def credentials(conf: Settings) -> Iterator[Finding]:
    """Whether the demo's users can get in."""
    known = health.with_password(list(DEMO_USERS), DEMO_PASSWORD)
    if conf.demo:
        yield ok("users", "a demo's, known to everybody: never where others reach it")
    elif known:
        todo = f"python server.py user passwd {known[0]}"
        yield problem("users", f"{' and '.join(known)} still have the demo's password: {todo}")
    elif not models.User.select().where(models.User.admin).exists():
        yield problem("users", "there is no administrator: python server.py user add NAME --admin")
    else:
        yield ok("users", "none has the demo's password")


def passphrases(conf: Settings) -> Finding:
    """Whether alerts could carry a passphrase that everybody knows, or that the bridge cannot."""
    valid = models.Passphrase.valid()
    known = [row.label for row in valid if row.value == DEMO_PASSPHRASE]
    if known and not conf.demo:
        return problem(
            "passphrase", f"{known[0]} is the demo's: python server.py passphrase retire {known[0]}"
        )
    if not valid and not conf.fixed_passphrases:
        return problem("passphrase", "there is none: python server.py passphrase add NAME")
    if breaks_bridges_file([*conf.passphrases, *(row.value for row in valid)]):
        return warning("passphrase", PERCENT.rstrip("."))
    if conf.demo:
        return ok("passphrase", "a demo's, known to everybody: never where others reach it")
    return ok("passphrase", "none is the demo's")


def callers(conf: Settings) -> Finding:
    """Whether a proxy says who calls, told by the addresses of those who logged in."""
    if conf.demo or not conf.url.startswith("https:"):
        return ok("callers", "they come without a proxy")
    seen = models.Visit.addresses(LOGINS)
    near = [each for each in seen if is_private(each)]
    if len(seen) != 1 or not near:
        return ok("callers", "nothing speaks against the proxy saying who calls")
    if within(near[0], networks(conf.trusted_proxies)):
        todo = "let the proxy send X-Forwarded-For, as the files of deploy/ do"
    else:
        todo = "if that is the proxy, put it into trusted_proxies"
    return warning("callers", f"all logins came from {near[0]}: {todo}")


def backup(folder: Path | None) -> Finding:
    """How old the last backup is."""
    noted = models.Fact.of(models.LAST_BACKUP)
    last = max(noted or "", _newest_in(folder) or "")
    todo = "python server.py backup FILE, best each night from cron"
    if not last:
        return warning("backup", f"there was none: {todo}")
    if instants.seconds_since(last) > OLD_BACKUP:
        return warning("backup", f"the last one is of {last} UTC: {todo}")
    return ok("backup", f"the last one is of {last} UTC")


def _newest_in(folder: Path | None) -> str | None:
    files = folder.iterdir() if folder and folder.is_dir() else ()
    return max((date for file in files if (date := date_of(file))), default=None)


def last_alert() -> Finding:
    """When the last alert came."""
    last = models.Signal.last_alert()
    if last is None:
        return warning("alerts", "none came yet: put the template under Setup into TradingView")
    if instants.seconds_since(last) > QUIET:
        return warning("alerts", f"the last came {last} UTC: do TradingView's alerts still run?")
    return ok("alerts", f"the last came {last} UTC")


def last_poll() -> Finding:
    """When the bridge was here."""
    last = models.Bridge.seen()
    waiting = models.Signal.count_offered()
    if last is None:
        return warning("bridge", f"it was never here, {waiting:,} signals wait: start PAIRS-IBKR")
    if instants.seconds_since(last) <= BRIDGE_GONE:
        return ok("bridge", f"it was here {last} UTC, {waiting:,} signals wait")
    tell = problem if waiting else warning
    return tell("bridge", f"it was last here {last} UTC, {waiting:,} signals wait: does it run?")
