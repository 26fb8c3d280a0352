"""A page and its files are of one version, also while the server is replaced by a newer one."""

import pytest
from playwright.sync_api import expect

from bench.processes import ROOT
from tests.browser.reading import go
from tests.deploy.places import copy_project

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAZY = "edit.js"  # a module that the dashboard loads when it is first needed
IMPORT = """name => {
  const entry = document.querySelector("script[type=module]").src
  return import(new URL(name, entry)).then(() => "loaded", () => "refused")
}"""


@pytest.fixture
def newer(tmp_path):
    """A copy of the project whose dashboard, style and lazy module are others."""
    tree = tmp_path / "newer"
    copy_project(tree)
    (tree / "node_modules").symlink_to(ROOT / "node_modules")
    for name in ("js/dashboard.js", f"js/{LAZY}", "css/base.css"):
        with (tree / "static" / name).open("a") as file:
            file.write("\n/* newer */\n")
    return tree


@pytest.fixture
def desk(open_desk):
    """A server that the test replaces."""
    return open_desk(5)


def files(page):
    """What the page loads from here on of /static: [(address, status)]."""
    found = []
    page.on("response", lambda each: found.append((each.url, each.status)))
    return lambda: [each for each in found if "/static/" in each[0]]


def test_a_running_page_gets_nothing_of_a_newer_version_until_it_is_reloaded(desk, newer, visit):
    page = visit(at=desk)
    go(page, "/dashboard")
    old = page.evaluate("JSON.parse(document.getElementById('page').textContent).assets")
    desk.stop()
    desk.tree = newer
    desk.start()
    loaded = files(page)
    expect(page.get_by_text("A newer version is installed.")).to_be_visible()
    assert page.evaluate(IMPORT, LAZY) == "refused"
    assert [status for _, status in loaded()] == [404]
    go(page, "/dashboard")
    new = page.evaluate("JSON.parse(document.getElementById('page').textContent).assets")
    assert new != old
    assert page.evaluate(IMPORT, LAZY) == "loaded"
    after = loaded()[1:]
    assert len(after) > 5
    assert {(url.split("/")[4], status) for url, status in after} == {(new, 200)}
    script = page.locator("script[type=module]").get_attribute("src")
    assert "newer" in desk.call("GET", script).text
