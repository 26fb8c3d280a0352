"""Check the settings and say whether they are in order; the database is not touched."""

from database import is_there
from settings import Settings, SettingsError

EXAMPLES = """\
  python server.py check
  python server.py check --settings settings.local.toml
"""
BRIDGE_REFUSED = (
    "The bridge will be refused: visitors may not read and there are no bridge_keys; "
    "set one of them, or anonymous_reads."
)

PERCENT = (
    "A passphrase holds %, which the bridge's config_private.ini takes for something else: "
    "write %% for it there, or take another passphrase."
)


def arguments(parser) -> None:
    """Nothing beside the settings."""


def run(line) -> int:
    """Says that all is well; raises SettingsError."""
    check_settings(line.conf)
    print("The settings are in order.")
    if line.conf.bridge_is_refused:
        print(BRIDGE_REFUSED)
    if breaks_bridges_file(line.conf.passphrases):
        print(PERCENT)
    return 0


def breaks_bridges_file(passphrases: list[str]) -> bool:
    """Whether the bridge cannot start with one of them as it is in its file."""
    return any("%" in each for each in passphrases)


def check_settings(conf: Settings) -> None:
    """What can be checked without touching the database; raises SettingsError."""
    if not is_there(conf.database):
        refuse_unguarded(conf, bool(conf.passphrases), bool(conf.admin_password))


def refuse_unguarded(conf: Settings, has_passphrase: bool, has_admin: bool) -> None:
    """Raises SettingsError where a production server lacks a passphrase or an administrator."""
    if conf.demo:
        return
    for key, there in (("passphrases", has_passphrase), ("admin_password", has_admin)):
        if not there:
            raise SettingsError(
                f"settings: {key} must be set in production, for example as PAIRS_{key.upper()}."
            )
