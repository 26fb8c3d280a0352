"""Reads the settings: settings.toml, a file laid over it, the environment, the command line."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytz
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from hours import window
from network import has_bare_signs, is_loopback, networks
from trading.alarms import KINDS

VERSION = "3.0.0"
ROOT = Path(__file__).parent
SHIPPED = ROOT / "settings.toml"
# May stand in a file of their own, named by a setting that ends in _file.
LISTS = ("passphrases", "bridge_keys", "trusted_proxies", "cors_origins", "webhook_sources")
LISTS += ("bridge_addresses", "listen_fds")
LISTS += ("alarm_urls", "alarms_off", "market_hours", "quiet_times")
SECRETS = ("passphrases", "bridge_keys", "admin_password", "token_key", "database", "alarm_urls")
HOSTING = {"PORT": "port", "DATABASE_URL": "database"}
ENCODE = "in its password # is written as %23, @ as %40, / as %2F, ? as %3F"
DEMO_PASSPHRASE = "webhook"
DEMO_PASSWORD = "123"
DEMO_USERS = {"admin": True, "user1": False}  # whether they are administrators


class SettingsError(Exception):
    """A setting is wrong; the text is one sentence for the person who starts the server."""


def _known_zone(name: str) -> str:
    if name and name not in pytz.all_timezones_set:
        raise ValueError
    return name


def _storage_url(url: str) -> str:
    kind, _, place = url.partition("://")
    file = place.removeprefix("/")
    known = kind in ("postgres", "postgresql") or (kind == "sqlite" and place.startswith("/"))
    if not known or not file or file.startswith(":memory:"):
        raise ValueError
    if kind != "sqlite" and has_bare_signs(url):
        raise ValueError
    return url


def _long_enough(key: str) -> str:
    if key and len(key) < 32:
        raise ValueError
    return key


def _networks(texts: list[str]) -> list[str]:
    networks(texts)
    return texts


def _flag(value: Any) -> bool:
    word = str(value).lower()
    if word not in ("true", "false"):
        raise ValueError
    return word == "true"


def _windows(texts: list[str]) -> list[str]:
    for text in texts:
        window(text)
    return texts


def _no_flag(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 pydantic's way to say so
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
FlagOrAuto = Annotated[
    bool | Literal["auto"], BeforeValidator(lambda v: v if v == "auto" else _flag(v))
]
Whole = Annotated[int, BeforeValidator(_no_flag)]
Finite = Annotated[float, BeforeValidator(_no_flag), Field(allow_inf_nan=False)]


def _allowed(text: str, **bounds: Any) -> Any:
    return Field(description=text, **bounds)


_ADDRESSES = 'a list of addresses or networks such as "203.0.113.7" or "10.0.0.0/8"'
_ADDRESSES += " without a zone such as %eth0"
_HOURS = 'a list of times such as "America/New_York 09:30-16:00 mon-fri"'
Times = Annotated[list[str], AfterValidator(_windows)]
Addresses = Annotated[list[str], AfterValidator(_networks)]


class Settings(BaseModel):
    """All settings, checked; each field's description says what is allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    mode: Annotated[Literal["demo", "production"], _allowed('"demo" or "production"')]
    host: Annotated[str, _allowed("a host name or address", min_length=1)]
    port: Annotated[Whole, _allowed("a whole number from 0 to 65535", ge=0, le=65535)]
    listen_fds: Annotated[
        list[Annotated[Whole, Field(ge=0)]], _allowed("a list of whole numbers from 0 up")
    ]
    url: Annotated[str, _allowed("an http(s) address or empty", pattern=r"^(https?://[^\s/]+)?$")]
    trusted_proxies: Annotated[Addresses, _allowed(_ADDRESSES)]
    cors_origins: Annotated[
        list[Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]],
        _allowed('a list of origins such as "https://desk.example.com"'),
    ]
    database: Annotated[
        str,
        AfterValidator(_storage_url),
        _allowed(f"sqlite:///FILE or postgresql://user:password@host/name; {ENCODE}"),
    ]
    synchronous: Annotated[Literal["FULL", "NORMAL"], _allowed('"FULL" or "NORMAL"')]
    passphrases: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        _allowed("a list of texts of 1 to 200 characters"),
    ]
    webhook_sources: Annotated[Addresses, _allowed(_ADDRESSES + ', or "tradingview"')]
    bridge_addresses: Annotated[Addresses, _allowed(_ADDRESSES)]
    bridge_keys: Annotated[
        list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,200}$")]],
        _allowed("a list of texts of 16 to 200 letters, digits, _ and -; they stand in URLs"),
    ]
    admin_name: Annotated[
        str, _allowed("1 to 80 characters without spaces or slashes", pattern=r"^[^\s/]{1,80}$")
    ]
    admin_password: Annotated[str, _allowed("a text")]
    token_key: Annotated[
        str, AfterValidator(_long_enough), _allowed("empty or at least 32 characters")
    ]
    refresh_days: Annotated[Whole, _allowed("a whole number from 1 to 365", ge=1, le=365)]
    idle_days: Annotated[Whole, _allowed("a whole number from 1 to 365", ge=1, le=365)]
    anonymous_reads: Annotated[FlagOrAuto, _allowed('true, false or "auto"')]
    login_attempts: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    wrong_passphrases: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    visitor_reads: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    visitor_burst: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    zone: Annotated[
        str, AfterValidator(_known_zone), _allowed('empty or a zone such as "America/New_York"')
    ]
    alarm_minutes: Annotated[Finite, _allowed("a number above 0", gt=0)]
    alarm_bridge_minutes: Annotated[Finite, _allowed("a number above 0", gt=0)]
    alarm_leg_seconds: Annotated[Finite, _allowed("a number above 0", gt=0)]
    alarm_missed_seconds: Annotated[Finite, _allowed("a number from 0 up", ge=0)]
    alarm_report_seconds: Annotated[Finite, _allowed("a number from 0 up", ge=0)]
    alarm_reminder_minutes: Annotated[Finite, _allowed("a number from 0 up", ge=0)]
    alarm_pause_seconds: Annotated[Finite, _allowed("a number from 0 up", ge=0)]
    alarms_off: Annotated[
        list[Literal[KINDS]], _allowed("a list of " + ", ".join(f'"{kind}"' for kind in KINDS))
    ]
    alarm_urls: Annotated[
        list[Annotated[str, Field(pattern=r"^[A-Za-z][\w+.-]*://\S+$")]],
        _allowed('a list of addresses for apprise such as "mailto://user:password@example.com"'),
    ]
    market_hours: Annotated[Times, _allowed(_HOURS)]
    quiet_times: Annotated[Times, _allowed(_HOURS)]
    queue_limit: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    rejected_kept: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    strangers_kept: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    audit_kept: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    retention_days: Annotated[Whole, _allowed("a whole number from 1 to 36500", ge=1, le=36500)]
    replay_limit: Annotated[Whole, _allowed("a whole number from 1 up", ge=1)]
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        _allowed('"debug", "info", "warning" or "error"'),
    ]

    @property
    def demo(self) -> bool:
        """Whether the known demo users and passphrase are in use."""
        return self.mode == "demo"

    @property
    def visitors_read(self) -> bool:
        """Whether reading needs no token."""
        return self.demo if self.anonymous_reads == "auto" else self.anonymous_reads

    @property
    def bridge_is_refused(self) -> bool:
        """Whether a bridge that sends nothing but its questions gets no answers."""
        return not self.visitors_read and not self.bridge_keys

    @property
    def fixed_passphrases(self) -> list[str]:
        """The passphrases that the settings give."""
        return self.passphrases or ([DEMO_PASSPHRASE] if self.demo else [])


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str], overlay: str | None = None
) -> Settings:
    """The settings in force; SettingsError names the source, the key and what is allowed."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers = _layers(environment, overlay)
    layers += [(f"--{key}", {key: value}) for key, value in flags.items() if value is not None]
    for source, layer in layers:
        for key, value in layer.items():
            if key.removesuffix("_file") in SECRETS and key.endswith("_file"):
                key, value = key.removesuffix("_file"), _read_secret(source, key, value)
            if key not in Settings.model_fields:
                allowed = ", ".join(Settings.model_fields)
                raise SettingsError(f"{source}: {key} is not a setting; allowed are {allowed}.")
            values[key], sources[key] = value, source
    return _check(values, sources)


def _layers(environment: Mapping[str, str], overlay: str | None) -> list[tuple[str, dict]]:
    files = [SHIPPED, Path(overlay)] if overlay else [SHIPPED]
    layers = [(path.name, _read_file(path)) for path in files]
    return layers + list(_environment_layers(environment))


def secret_files(environment: Mapping[str, str], overlay: str | None = None) -> list[Path]:
    """The files that may hold secrets: the one laid over the settings, and those it names."""
    named = [
        Path(value)
        for _, layer in _layers(environment, overlay)
        for key, value in layer.items()
        if key.endswith("_file") and key.removesuffix("_file") in SECRETS
    ]
    return ([Path(overlay)] if overlay else []) + named


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not valid TOML ({error}).") from None


def _read_secret(source: str, key: str, file: Any) -> Any:
    """What a secret's own file holds: one line, or one for each of a list."""
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text file"
        raise SettingsError(
            f"{source}: {key} names a file that cannot be read ({reason})."
        ) from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines if key.removesuffix("_file") in LISTS else "\n".join(lines)


def _environment_layers(environment: Mapping[str, str]):
    for name, key in HOSTING.items():
        if environment.get(name):
            yield f"environment {name}", {key: environment[name]}
    for name in sorted(environment):
        if name.startswith("PAIRS_"):
            key = name.removeprefix("PAIRS_").lower()
            yield f"environment {name}", {key: _from_text(key, environment[name])}


def _from_text(key: str, text: str) -> Any:
    if key in LISTS:
        # An address for apprise may hold commas of its own.
        between = r",(?=\s*[A-Za-z][\w+.-]*://)" if key == "alarm_urls" else ","
        return [part.strip() for part in re.split(between, text) if part.strip()]
    return text


def _check(values: dict[str, Any], sources: dict[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        allowed = Settings.model_fields[key].description
        source = sources.get(key, SHIPPED.name)
        raise SettingsError(f"{source}: {key} must be {allowed}.") from None
    if settings.demo and not (settings.host == "localhost" or is_loopback(settings.host)):
        raise SettingsError(
            f"{sources['host']}: host must be a loopback address in demo mode; "
            'set mode = "production" to listen elsewhere.'
        )
    _refuse_defaults(settings, sources)
    return settings


def weak_passphrase(mode: str, passphrase: str) -> bool:
    """Whether a production server must not accept it; the demo's own is too short, too."""
    return mode == "production" and len(passphrase) < 8


def _refuse_defaults(settings: Settings, sources: dict[str, str]) -> None:
    if settings.demo:
        return
    if any(weak_passphrase(settings.mode, each) for each in settings.passphrases):
        raise SettingsError(
            f"{sources['passphrases']}: passphrases must have at least 8 characters in production."
        )
    if settings.admin_password and len(settings.admin_password) < 8:
        raise SettingsError(
            f"{sources['admin_password']}: admin_password must have at least 8 characters."
        )
