"""Files that the pages load: ours below static/, and libraries where npm has installed them."""

from pathlib import Path
from typing import Any

from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from settings import ROOT

_MODULES = ROOT.absolute() / "node_modules"
_CHARTS = _MODULES / "lightweight-charts/dist"
_VIEWER = _MODULES / "swagger-ui-dist"
# Below /static/.
LIBRARIES = {
    "vendor/lightweight-charts.mjs": _CHARTS / "lightweight-charts.standalone.production.mjs",
    "vendor/swagger-ui.js": _VIEWER / "swagger-ui-bundle.js",
    "vendor/swagger-ui.css": _VIEWER / "swagger-ui.css",
}


def library_url(handler: RequestHandler, name: str) -> str:
    """Where a page finds a file of a library; "" where npm did not install it."""
    path = f"vendor/{name}"
    return handler.static_url(path) if LIBRARIES[path].is_file() else ""


class Static(StaticFileHandler):
    """/static/...: long-lived under their hashed addresses."""

    def initialize(self, path: str) -> None:
        super().initialize(path)
        self.request.arrived = True

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        if "\0" in path:
            raise HTTPError(404)
        library: Path | None = LIBRARIES.get(path)
        return str(library) if library else super().get_absolute_path(root, path)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        library = Path(absolute_path)
        inside = str(library.parent) if library in LIBRARIES.values() else root
        return super().validate_absolute_path(inside, absolute_path)

    def log_exception(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # Tornado's own line would show the query string.
        if not isinstance(error, HTTPError):
            super().log_exception(kind, error, trace)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("There is no such file.\n")
