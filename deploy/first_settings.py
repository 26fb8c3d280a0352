"""Writes settings.local.toml for production with new secrets. An existing file is not changed."""

import secrets
import sys
from pathlib import Path

FILE = Path(__file__).parent.parent / "settings.local.toml"
TEXT = """\
# This installation's own settings; they replace those of settings.toml.
# Only you may read this file: it holds secrets.
mode = "production"
database = "sqlite:///pairs-api.db"  # a demo's is data.db: its users cannot get in here
passphrases = ["{passphrase}"]  # what every alert carries
bridge_keys = ["{key}"]  # in the bridge's URLs: https://bridge:KEY@host/v3/...
admin_password = "{password}"  # of the user admin, until changed on the page Setup
"""
BEHIND_A_SITE = """\
url = "{url}"
trusted_proxies = ["127.0.0.1"]  # the web server in front, on this machine
"""


def main(arguments: list[str]) -> int:
    """Writes the file; returns the exit code."""
    text = TEXT.format(
        passphrase=secrets.token_urlsafe(18),
        key=secrets.token_urlsafe(18),
        password=secrets.token_urlsafe(12),
    )
    if arguments:
        text += BEHIND_A_SITE.format(url=arguments[0].rstrip("/"))
    try:
        FILE.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        print(f"{FILE.name} is there already and was left as it is.", file=sys.stderr)
        return 1
    FILE.write_text(text, "utf-8")
    print(f"{FILE.name} holds the passphrase for alerts and the password of the user admin.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
