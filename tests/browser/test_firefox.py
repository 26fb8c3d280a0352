"""The essential things work in Firefox too: login, live rows, the panel, filters, an outage."""

import queue
import subprocess
import threading

import pytest

from settings import ROOT
from tests.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def firefox(open_desk, tmp_path):
    """A server, and what Firefox says about its pages: (desk, `heard`)."""
    desk = open_desk()
    command = ["node", str(ROOT / "tests/browser/firefox.mjs"), desk.url]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    lines = queue.SimpleQueue()
    threading.Thread(
        target=lambda: [lines.put(each) for each in process.stdout], daemon=True
    ).start()
    yield desk, lambda: lines.get(timeout=2 * PATIENCE).strip()
    process.terminate()  # which also ends its Firefox
    process.wait(PATIENCE)


def test_the_dashboard_works_in_firefox(firefox):
    desk, heard = firefox
    assert desk.token
    assert heard() == "live"
    rowid = desk.alert(ticker="PLTR")
    assert heard() == "row"
    assert heard() == "panel"
    assert desk.get(f"/v3/signal/{rowid}")["order_status"] == "waiting"
    assert heard() == "filters"
    desk.kill()
    assert heard() == "lost"
    desk.start()
    desk.alert(ticker="AAPL")
    assert heard() == "back"
