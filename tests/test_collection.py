"""The Postman collection agrees with the document and passes on a demo; the alert templates."""

import json
import re
import subprocess

import pytest

from bench.processes import ROOT, SERVER, Process
from local import collection
from schemas.forms import read_alert
from schemas.values import read_object
from tests import documented

NEWMAN = ROOT / "node_modules/.bin/newman"
# What TradingView puts in for its placeholders; an indicator knows nothing of a strategy's.
PLACED = {
    "exchange": "NASDAQ",
    "ticker": "AAPL",
    "interval": "5",
    "timenow": "2026-11-24T15:30:00Z",
    "close": "400.2",
    "strategy.order.id": "Long",
    "strategy.order.action": "buy",
    "strategy.order.contracts": "100",
    "strategy.order.price": "400.2",
    "strategy.order.comment": "Enter Long",
    "strategy.market_position": "long",
    "strategy.market_position_size": "100",
    "strategy.prev_market_position": "flat",
    "strategy.prev_market_position_size": "0",
}


def test_the_file_is_what_the_document_makes():
    text = collection.text(documented.document())
    assert collection.FILE.read_text("utf-8") == text, "run: python -m local.collection"


def test_it_has_every_call_but_the_websocket():
    made = collection.make(documented.document())
    sent = set()
    for folder in made["item"]:
        for item in folder["item"]:
            path = "/" + "/".join(item["request"]["url"]["path"])
            sent.add((item["request"]["method"].lower(), re.sub(r":(\w+)", r"{\1}", path)))
    paths = documented.document()["paths"].items()
    told = {(method, path) for path, methods in paths for method in methods}
    assert sent == {each for each in told if each[1].startswith("/v3")}


@pytest.mark.slow
def test_it_runs_green(tmp_path):
    database = f"sqlite:///{tmp_path / 'demo.db'}"
    server = Process([SERVER, "--port", 0, "--database", database], tmp_path / "log")
    report = tmp_path / "report.json"
    site = f"base_url=http://127.0.0.1:{server.port}"
    command = [NEWMAN, "run", collection.FILE, "--env-var", site, "--reporters", "json"]
    try:
        done = subprocess.run(
            [*command, "--reporter-json-export", report], timeout=120, capture_output=True
        )
    finally:
        server.end()
    run = json.loads(report.read_text())["run"]
    failed = [f"{each['source']['name']}: {each['error']['message']}" for each in run["failures"]]
    assert (failed, done.returncode) == ([], 0)
    assert run["stats"]["assertions"]["total"] > 2 * 70


@pytest.mark.parametrize("name", ["webhook.json", "webhook-indicator.json"])
def test_an_alert_made_from_a_template_is_read(name):
    text = (ROOT / "local" / name).read_text("utf-8")
    used = set(re.findall(r"{{([\w.]+)}}", text))
    assert used <= set(PLACED)
    if "indicator" in name:
        assert not [each for each in used if each.startswith("strategy.")]
    filled = re.sub(r"{{([\w.]+)}}", lambda found: PLACED[found[1]], text)
    alert = read_alert(read_object(filled.encode()))
    told = alert["ticker"], alert["order_action"], alert["order_contracts"]
    assert told == ("AAPL", "buy", 100)
    assert alert["alert_id"]
