"""Serve, until a signal stops it; this is what happens without a command, too."""

EXAMPLES = """\
  python server.py
  python server.py serve --settings settings.local.toml
  python server.py serve --host 127.0.0.1 --port 5001
"""


def arguments(parser) -> None:
    """Nothing beside the settings."""
