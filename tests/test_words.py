"""What the bridge's and the server's messages mean, alike in Python and JavaScript."""

import json
import shutil
import subprocess

import pytest

from handlers.static import STATIC
from models import SCOPES
from schemas import words as said
from schemas.words import PAGE_WORDS
from trading import statuses
from trading.statuses import MEANINGS

SAID = [
    ("+synced(330->0)", "Nothing left to trade: the account holds it already"),
    ("+synced(330->-0)", "Nothing left to trade: the account holds it already"),
    ("+synced(10->-4)", "The size was changed from 10 to 4 the other way, to match the account"),
    ("+synced(10->40)", "The size was changed from 10 to 40, to match the account"),
    ("+synced(new order)", "A new order was needed to match the account"),
    ("+synced(10->4)+route", "Offered again, for the primary exchange"),
    ("+route", "Offered again, for the primary exchange"),
    ("+synced(10->4)+err", "Ordered, but the broker reported an error"),
    ("+synced(10->4)+crit. err", "The broker refused the order"),
    ("remained(NMFC): 6.0", "6 of NMFC not filled yet"),
    ("remained(BRK.B): 60.05", "60.05 of BRK.B not filled yet"),
    ("remained: 60.0", "60 not filled yet"),
    ("canceled amount: 4", "4 canceled, the rest filled"),
    ("mult.act.orders", "Canceled for a newer order of this ticker"),
    ("multiple active orders", "Canceled for a newer order of this ticker"),
    (
        "(*)part.filled | remained(ROIC): 4.0",
        "Canceled when a part was filled: 4 of ROIC not filled",
    ),
    ("(*)part.filled | remained: 6.0", "Canceled when a part was filled: 6 not filled"),
    ("(*)part.filled | ", "Canceled when a part was filled"),
    ("overtaken by 7", "Signal 7 of the same ticker is newer and counts instead"),
    ("wrong hedge", "Another hedge ratio is registered for this pair"),
    ("| 1147/399 - text, more", "The broker says: text, more (code 399)"),
    ("a wrong hedge", None),
    ("Grüße +synced", None),
    ("", None),
]
MODULES = ("dom.js", "format.js", "status.js")
# Loads the module of the pages beside it, with what a page carries, and reads messages by it.
BY_NODE = """
import { readFileSync } from "node:fs"
const { page, texts } = JSON.parse(readFileSync(0, "utf8"))
globalThis.document = { querySelector: () => ({ textContent: JSON.stringify(page) }) }
const { message } = await import("./status.js")
console.log(JSON.stringify(texts.map(text => message({ status_msg: text }))))
"""


def by_python(texts, folder):
    """What the server reads from the messages."""
    return [statuses.meaning(text) for text in texts]


def by_node(texts, folder):
    """What the pages read from the messages."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    for name in MODULES:
        shutil.copy(STATIC / "js" / name, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "read.js").write_text(BY_NODE)
    page = {"words": PAGE_WORDS, "zone": "UTC", "now": "2026-11-24 15:30:00"}
    sent = json.dumps({"page": page, "texts": texts})
    done = subprocess.run(
        [node, folder / "read.js"], input=sent, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def small(words):
    """With a small first letter, as the server puts them into a sentence."""
    return words[:1].lower() + words[1:]


READERS = [(by_python, small), (by_node, str)]


@pytest.mark.parametrize(("read", "begin"), READERS)
def test_messages_are_put_in_plain_words(read, begin, tmp_path):
    told = read([text for text, _ in SAID], tmp_path)
    assert told == [text if words is None else begin(words) for text, words in SAID]


@pytest.mark.parametrize(("read", "begin"), READERS)
def test_each_example_has_the_words_of_its_own_line(read, begin, tmp_path):
    told = read([each.example for each in MEANINGS], tmp_path)
    for meaning, words in zip(MEANINGS, told, strict=True):
        assert words != meaning.example, meaning
        assert words.startswith(begin(meaning.words.partition("{")[0])), meaning
        assert "{" not in words


def test_every_scope_and_status_has_its_words():
    assert list(said.SCOPES) == list(SCOPES)
    assert set(PAGE_WORDS["kinds"]) == set(statuses.KNOWN)
    assert set(statuses.KNOWN) <= {name for name, _ in said.FILTERS}
