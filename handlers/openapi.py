"""The API explains itself: its document for programs, and a page to read and try it."""

from typing import Any

import orjson

from handlers.base import BaseHandler, PageHandler, Right, contract, library_url, right

DOCUMENT = "/v3/openapi.json"


class OpenApi(BaseHandler):
    """/v3/openapi.json: what this API takes and answers."""

    @right(Right.OPEN)
    @contract({200: dict})
    async def get(self) -> None:
        """Describe the API (OpenAPI 3.1)."""
        self.set_header("Content-Type", "application/json")
        self.finish(self.application.document)


class DocsPage(PageHandler):
    """/docs: the document to read and try, and what the websocket says."""

    page = "docs"

    @right(Right.READ)
    async def get(self) -> None:
        document = orjson.loads(self.application.document)
        names = ("swagger-ui.js", "swagger-ui.css")
        script, style = (library_url(self, name) for name in names)
        self.show(
            "docs.html",
            document=DOCUMENT,
            viewer=script and style and {"script": script, "style": style},
            messages=_messages(document),
        )


def _messages(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What the websocket says: each message's types, meaning, fields and an example."""
    schemas = document["components"]["schemas"]
    found = []
    for each in document["x-websocket"]["messages"]:
        schema = schemas[each["$ref"].rpartition("/")[2]]
        kind = schema["properties"]["type"]
        found.append(
            {
                "types": kind.get("enum") or [kind["const"]],
                "text": schema["description"],
                "example": orjson.dumps(schema["examples"][0], option=orjson.OPT_INDENT_2).decode(),
            }
        )
    return found


routes = [
    (DOCUMENT, OpenApi),
    (r"/docs", DocsPage),
]
