"""The command export: trips, fills and the account as files for spreadsheets."""

import csv

import pytest

import server
import settings
from database import opening
from database.opening import proxy
from models import AccountRecord
from services import registry, signals
from tests.receiving import receive_one
from trading import fills

PAIR = {"ticker": "NMFC-0.72*ROIC", "order_action": "buy", "order_contracts": 100.0}
PAIR |= {"order_price": 2.3, "order_comment": "=1+1"}


@pytest.fixture
def export(command, database_url, tmp_path):
    """Runs `export` on a demo; returns the command's outcome and the rows of the file."""
    store = opening.open_database(database_url)
    server.prepare_store(settings.load({"database": database_url}, {}))
    registry.register_pair({"ticker1": "NMFC", "ticker2": "ROIC", "hedge": 0.72, "status": 1}, "t")

    def run(*words):
        file = tmp_path / "out.csv"
        done = command("export", *words, "--to", file, "--database", database_url)
        rows = list(csv.DictReader(file.open(newline=""))) if file.exists() else []
        return done, rows

    yield run
    proxy.close()
    store.close()


def trade(price1, price2, **fields):
    rowid = receive_one(PAIR | fields).rowid
    orders = {"order_status": ("created",), "order_id1": (10 * rowid,)}
    orders |= {"order_id2": (10 * rowid + 1,)}
    signals.revise(rowid, orders, "bridge", bypass=False, owner=False)
    for leg, price, size in ((1, price1, 100.0), (2, price2, 72.0)):

        def fill(order, number, price=price, size=size):
            return fills.report(order, number, price, size)

        signals.report(10 * rowid + leg - 1, None, fill, "bridge")


def test_a_trip_and_its_fills(export):
    trade(12.5, 14.25, pre_mar_pos="flat", mar_pos="long", mar_pos_size=100.0)
    out = {"order_action": "sell", "mar_pos": "flat", "mar_pos_size": 0.0}
    trade(13.0, 14.0, **out, pre_mar_pos="long", pre_mar_pos_size=100.0)
    done, [trip] = export("trips")
    assert (done.code, done.out.startswith("Wrote 1 trips to ")) == (0, True)
    assert (trip["ticker"], trip["side"], float(trip["pnl"])) == ("NMFC-ROIC", "long", 68)
    assert (trip["signals"], trip["closed"][10], trip["closed"][-1]) == ("1 2", "T", "Z")
    _, legs = export("fills")
    told = [
        (each["symbol"], each["order_action"], each["quantity"], each["price"]) for each in legs
    ]
    assert told == [
        ("NMFC", "buy", "100", "12.5"),
        ("ROIC", "sell", "72", "14.25"),
        ("NMFC", "sell", "100", "13"),
        ("ROIC", "buy", "72", "14"),
    ]
    money = [each["slip_money"] for each in legs]
    assert (float(money[0]), money[1], money[3]) == (6.0, "", "")


def test_a_period_leaves_out_what_lies_outside_it(export):
    for day in ("2026-11-01", "2026-11-02", "2026-11-03"):
        AccountRecord.create(timestamp=f"{day} 12:00:00", NetLiquidation=1000.5)
    done, rows = export("account", "--since", "2026-11-02", "--until", "2026-11-02")
    assert done.code == 0
    assert [(row["timestamp"], row["NetLiquidation"]) for row in rows] == [
        ("2026-11-02T12:00:00Z", "1000.5")
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["trips", "--since", "yesterday"], 1, "yesterday must be a time such as"),
        (["orders"], 2, "'trips', 'fills', 'account'"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(export, words, code, said):
    done, rows = export(*words)
    assert (done.code, rows) == (code, [])
    assert said in done.said


def test_a_file_that_cannot_be_written_is_told(command, export, database_url, tmp_path):
    place = tmp_path / "nowhere" / "out.csv"
    done = command("export", "trips", "--to", place, "--database", database_url)
    assert done.code == 1
    assert "cannot be written" in done.said
