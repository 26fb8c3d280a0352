"""/docs/{name}: the files of docs/ as pages."""

import re

import pytest

from handlers.documents import NAMES, contents
from handlers.markdown import slug, to_html
from settings import ROOT

DOCS = ROOT / "docs"
pytestmark = pytest.mark.gen_test(timeout=60)


def test_each_file_has_its_place_in_the_contents():
    assert sorted(NAMES) == sorted(each.stem for each in DOCS.glob("*.md"))
    assert all(contents().values())


@pytest.mark.parametrize("name", NAMES)
async def test_each_file_is_a_page_whose_links_and_pictures_lead_somewhere(api, name):
    page = await api.get(f"/docs/{name}")
    assert page.status == 200
    assert f'href="/docs/{name}" aria-current="page"' in page.text
    shown = page.text.partition('<article class="document">')[2].partition("</article>")[0]
    assert "<h1 id=" in shown
    for address in set(re.findall(r'(?:href|src)="([^"]+)"', shown)):
        if address.startswith(("http://", "https://")):
            continue
        path, _, fragment = address.partition("#")
        target = await api.get(path) if path else page
        assert target.status == 200, address
        assert not fragment or f'id="{fragment}"' in target.text, address


async def test_a_picture_is_sent_once(api):
    picture = await api.get("/docs/dashboard.png")
    assert picture.headers["Content-Type"] == "image/png"
    again = {"If-None-Match": picture.headers["Etag"]}
    assert (await api.get("/docs/dashboard.png", headers=again)).status == 304


@pytest.mark.parametrize(
    "path",
    [
        *("/docs/nothing", "/docs/nothing.png", "/docs/guide.md", "/docs/Guide"),
        *("/docs/../settings.toml", "/docs/..%2fREADME", "/docs/%00"),
    ],
)
async def test_what_is_no_document_is_a_page_that_says_so(api, path):
    answer = await api.get(path)
    assert answer.status in (400, 404)
    assert "<h1>" in answer.text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a <b>c</b> <script>x</script>", "<p>a &lt;b&gt;c&lt;/b&gt; &lt;script&gt;x"),
        ("<div onclick=x>\n", "&lt;div onclick=x&gt;"),
        ("## What *this* is, `x`", '<h2 id="what-this-is-x">'),
        ("[a](b.md)", '<p><a href="/docs/b">a</a></p>'),
        ("[a](b.md#c-d)", '<a href="/docs/b#c-d">a</a>'),
        ("[a](#c)", '<a href="#c">a</a>'),
        ("[a](https://b.example.com)", '<a href="https://b.example.com">a</a>'),
        ("[a](../server.py) [b](other.md)", "<p>a b</p>"),
        ("[a](javascript:alert(1))", "<p>a</p>"),
        ("![a](../etc.png) ![c](none.png)", "<p>a c</p>"),
        ("```sh\na < b\n```", '<pre tabindex="0"><code>a &lt; b\n</code></pre>'),
        ("|a|b|\n|---|---|\n|c|d|", "<table>"),
    ],
)
def test_markdown_becomes_harmless_html(text, html):
    assert html in to_html(text, DOCS, {"b"})


def test_an_id_is_as_git_hosts_make_it():
    assert slug("What <code>this</code> is &amp; was") == "what-this-is--was"
