"""/static/{hash}/...: the files that pages load, at an address that changes with any of them.

The hash is that of all files together, so what a page loads is of one version: after an upgrade the
old addresses answer 404, never a file of the new version. A changed file is served after a restart.
"""

import asyncio
import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from handlers.base import GZIP, BaseHandler
from handlers.contract import Right, right
from handlers.errors import ApiError
from settings import ROOT

STATIC = ROOT / "static"
_CHARTS, _VIEWER = (
    ROOT.absolute() / "node_modules" / name for name in ("lightweight-charts", "swagger-ui-dist")
)
# Files of libraries: their names below the hash, and where npm has installed them.
LIBRARIES = {
    "vendor/lightweight-charts.mjs": _CHARTS / "dist/lightweight-charts.standalone.production.mjs",
    "vendor/swagger-ui.js": _VIEWER / "swagger-ui-bundle.js",
    "vendor/swagger-ui.css": _VIEWER / "swagger-ui.css",
}
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
FOREVER = "public, max-age=31536000, immutable"


class Assets:
    """The files that pages load, as they were when the server started."""

    def __init__(self, folder: Path = STATIC):
        self._files = files_of(folder)
        told = "".join(f"{name} {digest}\n" for name, (_, digest) in self._files.items())
        self.hash = _digest(told.encode())[:12]
        self._packed: dict[str, bytes] = {}  # compressed; what a browser asked for
        self._worker = ThreadPoolExecutor(1, "static")

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def url(self, name: str) -> str:
        """The address of a file. Raises KeyError for one that is not there."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.hash}/{name}"

    async def read(self, name: str, packed: bool) -> bytes | None:
        """A file's bytes, compressed if so wanted; None where it is not that of the start."""
        if packed and name in self._packed:
            return self._packed[name]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._read, name, packed)

    def _read(self, name: str, packed: bool) -> bytes | None:
        path, digest = self._files[name]
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if _digest(data) != digest:
            return None
        if packed and name not in self._packed:
            self._packed[name] = zlib.compress(data, 9, wbits=GZIP)
        return self._packed[name] if packed else data

    def close(self) -> None:
        """Ends the thread that reads."""
        self._worker.shutdown()


def files_of(folder: Path) -> dict[str, tuple[Path, str]]:
    """The (path, digest) of each file of the folder and of the libraries, by its name."""
    own = {each.relative_to(folder).as_posix(): each for each in folder.rglob("*.*")}
    return {
        name: (path, _digest(path.read_bytes()))
        for name, path in sorted((own | LIBRARIES).items())
        if path.suffix in TYPES and path.is_file()
    }


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


class Static(BaseHandler):
    """A file that pages load."""

    def prepare(self) -> None:
        pass  # it needs neither the database nor a caller

    @right(Right.OPEN)
    async def get(self, path: str) -> None:
        version, _, name = path.partition("/")
        assets = self.application.assets
        if version != assets.hash or name not in assets:
            raise ApiError(404, "There is no such file.")
        kind = TYPES[Path(name).suffix]
        packed = kind != TYPES[".png"] and self.takes_gzip
        data = await assets.read(name, packed)
        if data is None:
            raise ApiError(404, "The file has changed since the server started.")
        if packed:
            self.set_header("Content-Encoding", "gzip")
        self.set_header("Vary", "Accept-Encoding")
        self.set_header("Cache-Control", FOREVER)
        self.set_header("Content-Type", kind)
        self.finish(data)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_problem_headers()
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self.problem.body['message']}\n")


routes = [(r"/static/(.*)", Static)]
