"""/docs: the API to read and try, and the files of docs/ as pages."""

import inspect
from functools import cache
from typing import Any, get_args

import orjson
from markupsafe import Markup
from pydantic import BaseModel
from tornado.web import RequestHandler

from handlers.contract import Right, right
from handlers.errors import ApiError
from handlers.page import PageHandler
from schemas.answers import MESSAGES
from settings import ROOT

DOCS = ROOT / "docs"
# The files of docs/ in the order in which one reads them.
NAMES = (
    *("guide", "concepts", "install", "install-shared", "install-heroku", "settings", "guards"),
    *("performance", "alarms", "commands", "backup", "api", "migration", "incident", "security"),
    *("reliability", "architecture"),
)
ABSENT = "The address may be misspelled, or the page has moved."


@cache
def contents() -> dict[str, str]:
    """The title of each file that is there, by its name."""
    titles = {}
    for name in NAMES:
        file = DOCS / f"{name}.md"
        if file.is_file():
            with file.open(encoding="utf-8") as lines:
                titles[name] = lines.readline().removeprefix("# ").strip()
    return titles


@cache
def document(name: str) -> Markup:
    """A file as HTML."""
    from handlers.markdown import to_html  # noqa: PLC0415, seldom needed

    return Markup(to_html((DOCS / f"{name}.md").read_text("utf-8"), DOCS, contents()))  # noqa: S704


class ApiPage(PageHandler):
    """/docs: the API's document to read and try, and the messages of the websocket."""

    page = "docs"

    @right(Right.READ)
    async def get(self) -> None:
        script, style = (self.library_url(f"swagger-ui.{kind}") for kind in ("js", "css"))
        self.show(
            "docs.html",
            viewer=script and style and {"script": script, "style": style},
            messages=[_message(each) for each in MESSAGES],
            contents=contents(),
        )


def _message(model: type[BaseModel]) -> dict[str, Any]:
    """A message of the websocket: its types, what it means, and an example."""
    return {
        "types": get_args(model.model_fields["type"].annotation),
        "text": inspect.getdoc(model),
        "example": orjson.dumps(model.EXAMPLE, option=orjson.OPT_INDENT_2).decode(),
    }


class Document(PageHandler):
    """/docs/{name}: a file of docs/."""

    page = "docs"

    @right(Right.READ)
    async def get(self, name: str) -> None:
        if name not in contents():
            raise ApiError(404, ABSENT)
        self.show(
            "document.html",
            name=name,
            title=contents()[name],
            text=document(name),
            contents=contents(),
        )


class Picture(PageHandler):
    """/docs/{name}.png: a picture of a file of docs/."""

    page = "docs"

    def compute_etag(self) -> str | None:
        return RequestHandler.compute_etag(self)

    @right(Right.READ)
    async def get(self, name: str) -> None:
        picture = DOCS / f"{name}.png"
        if not picture.is_file():
            raise ApiError(404, ABSENT)
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", "private, no-cache")
        self.finish(picture.read_bytes())


routes = [
    (r"/docs", ApiPage),
    (r"/docs/([a-z-]+)", Document),
    (r"/docs/([a-z-]+)\.png", Picture),
]
