"""Packs the committed version for a host without npm and git: `make release`.

It writes dist/pairs-api-v3-VERSION.tar.gz, with all files and the libraries of the pages, and its
SHA-256. The version is `VERSION` in settings.py, which must be the newest in CHANGELOG.md. The same
commit always makes the same archive.
"""

import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
CHARTS = "node_modules/lightweight-charts"
VIEWER = "node_modules/swagger-ui-dist"
LIBRARIES = (
    f"{CHARTS}/LICENSE",
    f"{CHARTS}/package.json",
    f"{CHARTS}/dist/lightweight-charts.standalone.production.mjs",
    f"{VIEWER}/LICENSE",
    f"{VIEWER}/NOTICE",
    f"{VIEWER}/package.json",
    f"{VIEWER}/swagger-ui-bundle.js",
    f"{VIEWER}/swagger-ui.css",
)


class Refused(Exception):
    """This version cannot be released. The text says why."""


def git(*command: str) -> bytes:
    """The output of a git command."""
    return subprocess.run(["git", *command], cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S607


def version() -> str:
    """The version to release. Raises Refused."""
    ours = re.search(r'^VERSION = "(.+)"$', (ROOT / "settings.py").read_text("utf-8"), re.M)[1]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)[1]
    if ours != newest:
        raise Refused(f"settings.py says {ours}, CHANGELOG.md {newest}: make them the same.")
    if git("status", "--porcelain", "--untracked-files=no"):
        raise Refused("There are changes that are not committed.")
    lacking = [name for name in LIBRARIES if not (ROOT / name).is_file()]
    if lacking:
        raise Refused(f"{lacking[0]} is not there: npm ci")
    return ours


def pack(name: str) -> bytes:
    """The packed archive: HEAD and the libraries of the pages, in a folder with this name."""
    moment = int(git("log", "-1", "--format=%ct"))
    raw = io.BytesIO(git("archive", "--format=tar", f"--prefix={name}/", "HEAD"))
    with tarfile.open(fileobj=raw, mode="a") as archive:
        for library in LIBRARIES:
            data = (ROOT / library).read_bytes()
            entry = tarfile.TarInfo(f"{name}/{library}")
            entry.size, entry.mtime, entry.mode = len(data), moment, 0o644
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0)


def main() -> int:
    """Writes the archive and its checksum; returns the exit code."""
    try:
        name = f"pairs-api-v3-{version()}"
    except Refused as problem:
        print(problem, file=sys.stderr)
        return 1
    data = pack(name)
    DIST.mkdir(exist_ok=True)
    file = DIST / f"{name}.tar.gz"
    file.write_bytes(data)
    checksum = f"{hashlib.sha256(data).hexdigest()}  {file.name}\n"
    file.with_name(f"{file.name}.sha256").write_text(checksum, "utf-8")
    print(f"{file.relative_to(ROOT)}: {len(data) / 1e6:.1f} MB\n{checksum}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
