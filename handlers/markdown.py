"""The files of docs/ as HTML of our pages. Imported when somebody first reads one."""

import re
import struct
from collections.abc import Container
from html import escape
from pathlib import Path
from typing import Any

import mistune

_OUTSIDE = ("http://", "https://", "mailto:", "#")


class Renderer(mistune.HTMLRenderer):
    """Writes HTML: raw HTML stays text, headings have ids, and links lead to pages that exist."""

    def __init__(self, folder: Path, names: Container[str]):
        super().__init__(escape=True)
        self._folder = folder
        self._names = names

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f'<h{level} id="{slug(text)}">{text}</h{level}>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        return f'<pre tabindex="0"><code>{escape(code)}</code></pre>\n'

    def table(self, text: str) -> str:
        return f'<div class="wide" tabindex="0"><table>\n{text}</table></div>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith(_OUTSIDE):
            return super().link(text, url, title)
        file, mark, fragment = url.partition("#")
        name = file.removesuffix(".md")
        if name == file or name not in self._names:  # not served
            return text
        return f'<a href="/docs/{name}{mark}{escape(fragment)}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        picture = self._folder / url
        if picture.parent != self._folder or not picture.is_file():
            return escape(text)
        # The size is told, so that nothing moves when the picture arrives.
        width, height = struct.unpack(">II", picture.read_bytes()[16:24])
        size = f'width="{width}" height="{height}"'
        return f'<img src="/docs/{escape(url)}" alt="{escape(text)}" {size} loading="lazy">'


def slug(text: str) -> str:
    """A heading's id: its words in lower case, joined by hyphens, as GitHub makes it."""
    plain = re.sub(r"<[^>]+>|&\w+;", "", text).lower()
    return re.sub(r"[^\w-]", "", plain.replace(" ", "-"))


def to_html(text: str, folder: Path, names: Container[str]) -> str:
    """A file's text as HTML; `names` are those of the files that are served."""
    renderer = Renderer(folder, names)
    return mistune.create_markdown(renderer=renderer, plugins=["table"])(text)
