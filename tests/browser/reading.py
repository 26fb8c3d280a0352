"""Reads what a page shows, as its reader would."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

AXE = Axe().axe_script
# The rules of axe's category "cat.color" that are on by default.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
RUN_AXE = """([context, options]) => axe
  .run(context ?? document, { resultTypes: ["violations"], ...options })
  .then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html.slice(0, 120)]))"""

ROWS = """() => [...document.querySelectorAll("#signals tbody tr[data-rowid]")]
  .sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)
  .map(tr => {
    const texts = [...tr.cells].map(td => [td.dataset.field, td.textContent.trim()])
    const [word, message] = [".word", ".message"].map(part => tr.querySelector(part).textContent)
    const { title } = tr.querySelector("[data-field=status]")  // as the server spells them
    return {rowid: +tr.dataset.rowid, ...Object.fromEntries(texts), status: word, message, title}
  })"""

# Sums up in `shift` how far things on the page have moved; `buffered`: since it was opened.
WATCH_SHIFTS = """buffered => {
  window.shift = 0
  new PerformanceObserver(list => { for (const { value } of list.getEntries()) shift += value })
    .observe({ type: "layout-shift", buffered }) }"""


def go(page, path):
    """Opens a page and waits until it is live."""
    page.goto(path)
    is_live(page)


def is_live(page):
    """Waits until the status light shows that the page is live."""
    expect(page.locator("#light")).to_have_attribute("data-state", "live")
    expect(page.locator("#light-words")).to_have_text("Live")


def row(page, rowid):
    """The row of a signal in the table."""
    return page.locator(f'#signals tr[data-rowid="{rowid}"]')


def cell(page, rowid, field):
    """A cell in the row of a signal."""
    return row(page, rowid).locator(f'[data-field="{field}"]')


def figure(page, name):
    """A figure in the strip."""
    return page.locator(f'#figures [data-figure="{name}"] dd:not(.below)')


def below(page, name):
    """The line below a figure of the strip."""
    return page.locator(f'#figures [data-figure="{name}"] .below')


def rows(page):
    """The rows in the document from top to bottom: {rowid, row, time, ticker, ...}, as texts."""
    return page.evaluate(ROWS)


def rowids(page):
    """The rowids from top to bottom."""
    return [each["rowid"] for each in rows(page)]


def same_as_rest(page, signals):
    """Fails unless the table shows these signals of REST, newest first."""
    fields = ("rowid", "comment", "action", "title")
    shown = [tuple(each[field] for field in fields) for each in rows(page)]
    assert shown == [
        (
            each["rowid"],
            each["order_comment"] or "",
            each["order_action"].capitalize(),
            f"{each['order_status']} {each['status_msg'] or ''}",
        )
        for each in signals
    ]


def wait_for_rows(page, count):
    """Waits until the document has `count` rows of the table."""
    page.wait_for_function(
        "n => document.querySelectorAll('#signals tbody tr[data-rowid]').length === n", arg=count
    )


def confirm(page, verb):
    """Answers the open question with yes; `verb` is the text of the button."""
    dialog = page.locator("#confirm")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name=verb, exact=True).click()
    expect(dialog).to_be_hidden()


def toast(page):
    """The newest of the short notices at the foot of the page."""
    return page.locator("#toasts p").last


def violations(page, context=None):
    """What axe finds in the page or in a part of it: a list of [rule, first element]."""
    return _found_by_axe(page, context, {})


def violations_in_both_schemes(page, context=None):
    """What axe finds in the page as it is, and in its colours in the other scheme.

    Light and dark differ only in colours, so the other rules of axe need not run twice.
    """
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    found = violations(page, context)
    page.emulate_media(color_scheme="light" if dark else "dark")
    found += _found_by_axe(page, context, {"runOnly": COLOUR_RULES})
    page.emulate_media(color_scheme="dark" if dark else "light")
    return found


def _found_by_axe(page, context, options):
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(RUN_AXE, [context, options])
