"""Every setting, and how it is read: settings.toml, a second file, the environment, flags.

A later source replaces an earlier one. After a change in the class `Settings` run
`python -m local.settings_files`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

import pytz
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from network import has_bare_signs, is_loopback, networks
from trading.alarms import KINDS, MESSAGES
from trading.hours import daily, markets, window

VERSION = "3.0.0"
ROOT = Path(__file__).parent
SHIPPED = ROOT / "settings.toml"
HOSTING = {"PORT": "port", "DATABASE_URL": "database"}
ENCODE = "in its password # is written as %23, @ as %40, / as %2F, ? as %3F"
DEMO_PASSPHRASE = "webhook"
DEMO_PASSWORD = "123"
DEMO_USERS = {"admin": True, "user1": False}  # whether they are administrators


class SettingsError(Exception):
    """A setting is wrong; the text is one sentence for the person who starts the server."""


NO_FLAG = BeforeValidator(str)  # so that true is refused and not read as 1
SECRET = Field(repr=False)  # never printed; the setting <name>_file may name a file that holds it


def _database(url: str) -> str:
    kind, _, place = url.partition("://")
    file = place.removeprefix("/")
    known = place.startswith("/") if kind == "sqlite" else kind in ("postgres", "postgresql")
    if not known or not file or file.startswith(":memory:"):
        raise ValueError
    if kind != "sqlite" and has_bare_signs(url):
        raise ValueError
    return url


def _market(name: str) -> str:
    if name and name not in markets():
        raise ValueError
    return name


def _flag(value: Any) -> Any:
    return {"true": True, "false": False}.get(str(value).lower())


def _flag_or_auto(value: Any) -> Any:
    return value if value == "auto" else _flag(value)


def _allow(kind: Any, title: str, *more: Any, **bounds: Any) -> Any:
    """A type with its title, which says what is allowed: "port must be <title>."."""
    return Annotated[kind, Field(title=title, **bounds), *more]


def _texts(pattern: str, title: str, *more: Any) -> Any:
    return _allow(list[Annotated[str, Field(pattern=pattern)]], title, *more)


def _one_of(*words: str) -> Any:
    *most, last = map('"{}"'.format, words)
    return _allow(Literal[words], f"{', '.join(most)} or {last}")


def _whole(least: int, most: int | None = None) -> Any:
    title = f"a whole number from {least} " + ("up" if most is None else f"to {most}")
    return _allow(int, title, NO_FLAG, ge=least, le=most)


Count = _whole(1)
Days = _whole(1, 365)
_NUMBER = Annotated[float, NO_FLAG, Field(allow_inf_nan=False)]
Above0 = _allow(_NUMBER, "a number above 0", gt=0)
From0 = _allow(_NUMBER, "a number from 0 up", ge=0)
Minutes = _allow(_NUMBER, "a number from 0 to 525600", ge=0, le=525_600)
YesOrNo = _allow(bool, "true or false", BeforeValidator(_flag))
FlagOrAuto = _allow(bool | Literal["auto"], 'true, false or "auto"', BeforeValidator(_flag_or_auto))
Name = _allow(str, "1 to 80 characters without spaces or slashes", pattern=r"^[^\s/]{1,80}$")
Key = _allow(str, "empty or at least 32 characters", SECRET, pattern="(?s)^(.{32,})?$")
Keys = _texts(
    "^[A-Za-z0-9_-]{16,200}$",
    "a list of texts of 16 to 200 letters, digits, _ and -; they stand in URLs",
    SECRET,
)
Passphrases = _texts("(?s)^.{1,200}$", "a list of texts of 1 to 200 characters", SECRET)
Database = _allow(
    Annotated[str, AfterValidator(_database)],
    f"sqlite:///FILE or postgresql://user:password@host/name; {ENCODE}",
    SECRET,
)
_NETWORKS = 'a list of addresses or networks such as "203.0.113.7" or "10.0.0.0/8"'
_NETWORKS += " without a zone such as %eth0"
_NETWORK = Annotated[str, AfterValidator(lambda text: networks([text]) and text)]
Networks = _allow(list[_NETWORK], _NETWORKS)
Sources = _allow(list[_NETWORK], _NETWORKS + ', or "tradingview"')
Url = _allow(str, "an http(s) address or empty", pattern=r"^(https?://[^\s/]+)?$")
Origins = _texts(r"^https?://[^\s/]+$", 'a list of origins such as "https://desk.example.com"')
Kinds = _allow(list[Literal[KINDS]], "a list of " + ", ".join(map('"{}"'.format, KINDS)))
Places = _texts(
    r"^[A-Za-z][\w+.-]*://\S+$",
    'a list of addresses for apprise such as "mailto://user:password@example.com"',
    SECRET,
)
Zone = _allow(Literal["", *pytz.all_timezones], 'empty or a zone such as "America/New_York"')
Market = _allow(
    Annotated[str, AfterValidator(_market)], 'empty or a market with known holidays, such as "NYSE"'
)
Daily = _allow(
    Annotated[str, AfterValidator(lambda text: daily(text) and text)],
    'a time such as "22:00" or "America/New_York 16:30"',
)
Messages = _allow(list[Literal[MESSAGES]], "a list of " + ", ".join(map('"{}"'.format, MESSAGES)))
_WINDOW = Annotated[str, AfterValidator(lambda text: window(text) and text)]
Times = _allow(list[_WINDOW], 'a list of times such as "America/New_York 09:30-16:00 mon-fri"')


class Settings(BaseModel, frozen=True, use_attribute_docstrings=True, validate_default=True):
    """All settings, each with its type (what is allowed), its default, and what it does."""

    mode: _one_of("demo", "production") = "demo"
    """`demo` listens on loopback only and has known users and a known passphrase. `production`
    refuses these; it needs `passphrases` and, at the first start, `admin_password`."""
    host: _allow(str, "a host name or address", min_length=1) = "127.0.0.1"
    """The address to listen on."""
    port: _whole(0, 65535) = 5000
    """The port to listen on; 0 means any free port."""
    listen_fds: _allow(list[_whole(0)], "a list of whole numbers from 0 up") = []
    """File descriptors of inherited sockets to listen on, in place of `host` and `port`."""
    url: Url = ""
    """The public address, such as `https://pairs.example.com`, for the alert template and secure
    cookies; empty: the address that the browser uses."""
    trusted_proxies: Networks = []
    """Your own proxies. The server believes their `X-Forwarded-For` and `X-Forwarded-Proto`."""
    cors_origins: Origins = []
    """Other sites whose pages may call `/v3` with a token."""
    database: Database = "sqlite:///data.db"
    """The database that stores everything: an SQLite file or PostgreSQL."""
    synchronous: _one_of("FULL", "NORMAL") = "FULL"
    """For SQLite: with `FULL` data survives a power cut; `NORMAL` is faster, but data survives only
    a crash of the server."""
    passphrases: Passphrases = []
    """An alert must have one of these. If the list is empty, a demo takes `webhook`. Write `%%` for
    `%` in the bridge's `config_private.ini`."""
    webhook_sources: Sources = []
    """Addresses that may send alerts; empty: any address. `tradingview` means TradingView's four
    addresses."""
    bridge_addresses: Networks = []
    """Addresses from which the bridge may post, in addition to `webhook_sources`."""
    bridge_keys: Keys = []
    """Passwords for the bridge, needed if visitors may not read. The bridge's URLs contain one:
    `https://bridge:KEY@host/v3/...`. All in the list are valid."""
    admin_name: Name = "admin"
    """Name of the first administrator of a production server."""
    admin_password: _allow(str, "a text", SECRET) = ""
    """Password of the first administrator, who is made at the first start."""
    token_key: Key = ""
    """The key that signs the tokens; empty: the first start makes one and stores it in the
    database."""
    refresh_days: Days = 30
    """Days after the login until a session and its refresh token end."""
    idle_days: Days = 30
    """Days until a session ends that nobody uses."""
    anonymous_reads: FlagOrAuto = "auto"
    """Whether visitors may read, without a token; `auto`: in a demo only."""
    login_attempts: Count = 20
    """Failed logins allowed per minute for one name and address; more get 429. After five in a row
    the answers for this name become slower."""
    wrong_passphrases: Count = 30
    """Alerts with a wrong passphrase allowed per minute from one address; more get 429. Alerts with
    a right one are still accepted."""
    visitor_reads: Count = 50
    """Reads per second that a visitor may send from one address; more get 429. This machine has no
    limit."""
    visitor_burst: Count = 500
    """Reads that a visitor may send at once from one address."""
    zone: Zone = ""
    """The time zone of times on the pages; empty: the zone of the browser."""
    entry_minutes: Minutes = 15
    """Minutes after which an entry or reversal is too old to be traded, counted from its
    `alert_time`, else from its arrival; 0: never (`docs/guards.md`). Exits never expire."""
    entry_hours: Times = []
    """Times at which entries are traded, such as `America/New_York 09:30-15:45 mon-fri`; empty: at
    any time. Others are canceled; exits are always traded."""
    holidays: Market = ""
    """The market, such as `NYSE`, on whose holidays no entries are traded; empty: none."""
    alarm_minutes: Above0 = 5
    """Minutes until a signal that still waits turns amber and makes an alarm (`docs/alarms.md`)."""
    alarm_bridge_minutes: Above0 = 3
    """Minutes without a poll of the bridge, while signals wait, until there is an alarm."""
    alarm_leg_seconds: Above0 = 600
    """Seconds that only one leg of a pair is filled, until there is an alarm. Keep it above 300,
    because the bridge reports every 300 s."""
    alarm_missed_seconds: From0 = 30
    """Seconds that the server waits for an alert after a later one of the same strategy has come,
    until the first counts as missing."""
    alarm_report_seconds: From0 = 240
    """Seconds between two reports of positions that show the same fault, to make an alarm. Keep it
    below 300, because the bridge reports every 300 s."""
    alarm_reminder_minutes: From0 = 60
    """Minutes until the server reminds of an open alarm that nobody has acknowledged; 0: never."""
    alarm_pause_seconds: From0 = 30
    """Seconds between two messages; alarms that begin meanwhile are sent together."""
    alarms_off: Kinds = []
    """Kinds of alarms that are switched off; `docs/alarms.md` explains them."""
    alarm_urls: Places = []
    """Where alarms are sent, as apprise writes it: `mailto://...`, `tgram://...`, `discord://...`."""
    market_hours: Times = []
    """Times at which alarms may be sent; empty: at any time."""
    quiet_times: Times = []
    """Times at which alarms are not sent, such as `22:00-07:00`. What is still open at their end is
    sent then."""
    messages: Messages = []
    """Messages beside the alarms, to `alarm_urls`: `trips` that closed, entries that a rule has
    `refused`, a `summary` of each day."""
    summary_time: Daily = "22:00"
    """When the summary of the last 24 hours is sent, such as `America/New_York 16:30`; without a
    zone in that of `zone`."""
    summary_always: YesOrNo = False
    """Whether the summary is also sent after a day without trades."""
    commission_per_share: From0 = 0.005
    """What a share costs in commission, for estimates (`docs/performance.md`)."""
    commission_minimum: From0 = 1
    """The least commission of an order, for estimates."""
    queue_limit: Count = 2000
    """Writes that may wait at once; more get 503, and TradingView sends its alert again."""
    rejected_kept: Count = 10000
    """Number of rejected alerts with a valid passphrase that are kept."""
    strangers_kept: Count = 1000
    """Number of rejected alerts without a valid passphrase that are kept."""
    audit_kept: Count = 10000
    """Number of acts, and of refusals, that the audit keeps of each kind."""
    retention_days: _whole(1, 36500) = 400
    """Days after which `prune` deletes events and rejected alerts."""
    replay_limit: Count = 10000
    """Events that a browser may receive again after it was away; if there are more, the page
    reloads."""
    log_level: _one_of("debug", "info", "warning", "error") = "info"
    """The log has lines of this level and of more serious ones."""

    @property
    def demo(self) -> bool:
        """Whether this is a demo, with its known users and passphrase."""
        return self.mode == "demo"

    @property
    def visitors_read(self) -> bool:
        """Whether visitors may read, without a token."""
        return self.demo if self.anonymous_reads == "auto" else self.anonymous_reads

    @property
    def bridge_is_refused(self) -> bool:
        """Whether the bridge cannot read: visitors may not, and there are no bridge keys."""
        return not self.visitors_read and not self.bridge_keys

    @property
    def fixed_passphrases(self) -> list[str]:
        """The passphrases of the settings; in a demo without any, the known one."""
        return self.passphrases or ([DEMO_PASSPHRASE] if self.demo else [])


FIELDS = Settings.model_fields
LISTS = {key for key, field in FIELDS.items() if get_origin(field.annotation) is list}
SECRET_FILES = {f"{key}_file": key for key, field in FIELDS.items() if not field.repr}


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str], overlay: str | None = None
) -> Settings:
    """Reads and checks all settings. SettingsError names the source, the key and what is right."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    given = [*_given(environment, overlay)]
    given += [(f"--{key}", key, value) for key, value in flags.items() if value is not None]
    for source, key, value in given:
        if key in SECRET_FILES:
            key, value = SECRET_FILES[key], _read_secret(source, key, value)
        if key not in FIELDS:
            raise SettingsError(
                f"{source}: {key} is not a setting; allowed are {', '.join(FIELDS)}."
            )
        values[key], sources[key] = value, source
    return _check(values, sources)


def _given(environment: Mapping[str, str], overlay: str | None) -> Iterator[tuple[str, str, Any]]:
    """(source, key, value) from the files and the environment; a later one replaces an earlier."""
    for path in [SHIPPED, Path(overlay)] if overlay else [SHIPPED]:
        for key, value in _read_file(path).items():
            yield path.name, key, value
    for name, key in HOSTING.items():
        if environment.get(name):
            yield f"environment {name}", key, environment[name]
    for name in sorted(environment):
        if name.startswith("PAIRS_"):
            key = name.removeprefix("PAIRS_").lower()
            yield f"environment {name}", key, _from_text(key, environment[name])


def secret_files(environment: Mapping[str, str], overlay: str | None = None) -> list[Path]:
    """The files that may hold secrets: the overlay, and the files that `<name>_file` names."""
    named = [Path(file) for _, key, file in _given(environment, overlay) if key in SECRET_FILES]
    return ([Path(overlay)] if overlay else []) + named


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not valid TOML ({error}).") from None


def _read_secret(source: str, key: str, file: Any) -> Any:
    """The secret in its own file: the text, or for a list one item per line."""
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text file"
        said = f"{source}: {key} names a file that cannot be read ({reason})."
        raise SettingsError(said) from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines if SECRET_FILES[key] in LISTS else "\n".join(lines)


def _from_text(key: str, text: str) -> Any:
    if key not in LISTS:
        return text
    # An address for apprise may contain commas itself.
    between = r",(?=\s*[A-Za-z][\w+.-]*://)" if key == "alarm_urls" else ","
    return [part.strip() for part in re.split(between, text) if part.strip()]


def _check(values: dict[str, Any], sources: dict[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        raise SettingsError(f"{sources[key]}: {key} must be {FIELDS[key].title}.") from None
    if settings.demo and not (settings.host == "localhost" or is_loopback(settings.host)):
        raise SettingsError(
            f"{sources['host']}: host must be a loopback address in demo mode; "
            'set mode = "production" to listen elsewhere.'
        )
    if any(weak_passphrase(settings.mode, each) for each in settings.passphrases):
        raise SettingsError(
            f"{sources['passphrases']}: passphrases must have at least 8 characters in production."
        )
    if settings.admin_password and weak_passphrase(settings.mode, settings.admin_password):
        raise SettingsError(
            f"{sources['admin_password']}: admin_password must have at least 8 characters."
        )
    return settings


def weak_passphrase(mode: str, passphrase: str) -> bool:
    """Whether it is too short for production. The demo's passphrase is too short as well."""
    return mode == "production" and len(passphrase) < 8
