"""Writes what settings.py says into settings.toml and docs/settings.md.

python -m local.settings_files
"""

import json
import re
from pathlib import Path
from textwrap import fill

from settings import ROOT, SHIPPED, Settings

PAGE = ROOT / "docs/settings.md"
HEAD = """\
# Every setting with its default. Lay your own file over this one (--settings FILE), or set
# PAIRS_<NAME> in the environment; flags win over the environment, the environment over files.
# Keep secrets out of this file.
"""
TABLE = "| setting | default | what it does | allowed |\n|---|---|---|---|\n"


def texts() -> dict[Path, str]:
    """What both files must hold."""
    file, table = HEAD, TABLE
    for key, field in Settings.model_fields.items():
        does, default = " ".join(field.description.split()), json.dumps(field.default)
        file += f"\n{_comment(does)}\n{_comment(f'Allowed: {field.title}.')}\n{key} = {default}\n"
        table += f"| `{key}` | `{default}` | {does} | {field.title} |\n"
    page = re.sub(r"(^\|.*\n)+", lambda _: table, PAGE.read_text("utf-8"), count=1, flags=re.M)
    return {SHIPPED: file, PAGE: page}


def _comment(text: str) -> str:
    return fill(text, 100, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text, "utf-8")
