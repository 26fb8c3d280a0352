"""Files that the pages load: ours below static/, and the library of charts where it is there."""

from typing import Any

from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from settings import ROOT

LIBRARY = "vendor/lightweight-charts.mjs"  # below /static/
_DIST = ROOT.absolute() / "node_modules/lightweight-charts/dist"
INSTALLED = _DIST / "lightweight-charts.standalone.production.mjs"


def library_url(handler: RequestHandler) -> str:
    """Where a page finds the library of charts; "" where npm did not install it."""
    return handler.static_url(LIBRARY) if INSTALLED.is_file() else ""


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
        return str(INSTALLED) if path == LIBRARY else super().get_absolute_path(root, path)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        inside = str(INSTALLED.parent) if absolute_path == str(INSTALLED) else root
        return super().validate_absolute_path(inside, absolute_path)

    def log_exception(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # Tornado's own line would show the query string.
        if not isinstance(error, HTTPError):
            super().log_exception(kind, error, trace)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("There is no such file.\n")
