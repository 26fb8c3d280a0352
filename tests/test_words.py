"""What the bridge's and the server's messages mean, alike in Python and JavaScript."""

import json
import re
import shutil
import subprocess

import pytest

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
    ("overtaken by 7", "Too late: signal 7, which is newer, had come first"),
    ("wrong hedge", "Another hedge ratio is registered for this pair"),
    ("| 1147/399 - text, more", "The broker says: text, more (code 399)"),
    ("a wrong hedge", None),
    ("Grüße +synced", None),
    ("", None),
]
BY_NODE = """
const { meanings, texts } = JSON.parse(require("node:fs").readFileSync(0, "utf8"))
const patterns = meanings.map(([pattern, words]) => [new RegExp(pattern, "u"), words])
console.log(JSON.stringify(texts.map(text => {
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(text)
    if (found) return words.replace(/\\{(\\d)\\}/g, (_, n) => found[n] ?? "")
  }
  return null
})))
"""


def by_python(texts):
    """What Python reads from the messages."""

    def meaning(text):
        for pattern, words, *_ in PAGE_WORDS["meanings"]:
            if found := re.search(pattern, text):
                return re.sub(r"\{(\d)\}", lambda n, found=found: found[int(n[1])] or "", words)
        return None

    return [meaning(text) for text in texts]


def by_node(texts):
    """What JavaScript reads from the messages, as the pages do."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    sent = json.dumps({"meanings": PAGE_WORDS["meanings"], "texts": texts})
    done = subprocess.run(
        [node, "-e", BY_NODE], input=sent, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("read", [by_python, by_node])
def test_messages_are_put_in_plain_words(read):
    assert read([text for text, _ in SAID]) == [words for _, words in SAID]


@pytest.mark.parametrize("read", [by_python, by_node])
def test_each_example_has_the_words_of_its_own_line(read):
    told = read([each.example for each in MEANINGS])
    for meaning, words in zip(MEANINGS, told, strict=True):
        assert words is not None, meaning
        start = meaning.words.partition("{")[0]
        assert words.startswith(start), meaning
        assert "{" not in words


def test_every_scope_and_status_has_its_words():
    assert list(said.SCOPES) == list(SCOPES)
    assert set(PAGE_WORDS["kinds"]) == set(statuses.KNOWN)
    assert set(statuses.KNOWN) <= {name for name, _ in said.FILTERS}
