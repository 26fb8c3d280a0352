"""import-v3: what comes from a database of the original, what does not, and that once is enough."""

import contextlib
import re
import runpy
import shlex
from pathlib import Path

import pytest

import models
import server
import settings
from bench import processes
from database import opening
from services import books, registry
from tests.command_line import originals
from tests.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.ports import free_port
from tests.receiving import receive_one
from tests.shell import shell
from tests.test_processes import call

RELEASES = {"3.0": "stocks", "3.1": "tickers"}


@pytest.fixture
def original(storage, tmp_path):
    """Makes a release's database: what import-v3 is given."""
    (tmp_path / "original").mkdir()
    with storage.empty(tmp_path / "original") as url:

        def make(release):
            originals.fill(storage, url, release)
            return url

        yield make


@pytest.fixture
def target(tmp_path):
    """The URL of a database that is not there yet."""
    return f"sqlite:///{tmp_path}/ours.db"


@pytest.fixture
def ours(target):
    """Opens what was imported for the block."""

    @contextlib.contextmanager
    def opened():
        store = opening.open_database(target)
        try:
            yield models
        finally:
            store.close()

    return opened


@ON_SQLITE
@pytest.mark.parametrize("release", RELEASES)
def test_every_table_comes_and_a_second_run_adds_nothing(release, original, command, target, ours):
    place = original(release)
    first = command("import-v3", place, "--database", target)
    assert (first.code, first.said) == (0, "")
    told = dict(re.findall(r"^(\w+): (.*)$", first.out, re.MULTILINE))
    assert told["signals"] == "4 came, 0 already there, 4 did not come"
    assert told[RELEASES[release]] == "2 came, 0 already there, 1 did not come"
    assert told["pairs"] == "2 came, 0 already there, 1 did not come"
    assert told["users"] == "3 came, 0 already there, 1 did not come"
    assert ("account" in told) == (release == "3.1")
    with ours() as found:
        before = {table.__name__: list(table.select().tuples()) for table in found.TABLES}
    again = command("import-v3", place, "--database", target)
    assert again.code == 0
    assert re.findall(r"\d+ came", again.out) == ["0 came"] * len(originals.rows(release))
    assert re.findall(r"\d+ did not", first.out) == re.findall(r"\d+ did not", again.out)
    with ours() as found:
        assert before == {table.__name__: list(table.select().tuples()) for table in found.TABLES}


@ON_SQLITE
@pytest.mark.parametrize("release", RELEASES)
def test_what_does_not_fit_is_named_with_its_reason(release, original, command, target):
    out = command("import-v3", original(release), "--database", target).out
    for rowid, reason in {
        4: "order_contracts required",
        5: "order_price is out of range",
        6: "ticker a problematic ticker cannot be traded",
        7: "timestamp required",
    }.items():
        assert re.search(rf"^  signals {rowid}: .*{reason}", out, re.MULTILINE), out
    assert re.search("^  users lost: password", out, re.MULTILINE)
    assert re.search("^  pairs AAPL-V: hedge", out, re.MULTILINE)
    assert "Of the signals that came 1 wait: the bridge will trade them" in out
    for name in ("admin", "user1"):
        assert re.search(rf"{name} has the demo's password, .*: .*server.py .*passwd {name}\n", out)
    assert "passwd mary" not in out
    assert "a long secret" not in out


@pytest.mark.parametrize(
    "storage", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_values_arrive_as_they_were(original, command, target, ours):
    assert command("import-v3", original("3.1"), "--database", target).code == 0
    with ours() as found:
        signals = {row.rowid: row for row in found.Signal.select()}
        assert sorted(signals) == [1, 2, 3, 9], "they keep their rowids"
        first = signals[1]
        assert (first.timestamp, first.ticker) == ("2022-05-27 00:24:17", "NMFC-0.72*NASDAQ:ROIC")
        assert (first.stk_ticker1, first.stk_ticker2, first.hedge_param) == ("NMFC", "ROIC", 0.72)
        assert (first.order_id1, first.stk_price1, first.fill_price) == (944, 12.31, -0.002)
        assert (first.slip, first.order_status, first.status_msg) == (-0.008, "filled", "of 1")
        assert (signals[2].order_status, signals[2].ticker_type, signals[2].stk_ticker1) == (
            "waiting",
            "single",
            "AAPL",
        )
        assert (signals[3].order_status, signals[3].ticker_type) == ("error", None)
        apple = found.Stock.find("AAPL")
        assert (apple.xch, apple.prixch) == ("SMART", "NASDAQ")
        assert (apple.order_type, apple.active_pos, apple.active_cost, apple.active) == (
            "LIMIT",
            5,
            390,
            1,
        )
        pair = found.Pair.find("NMFC-ROIC")
        assert (pair.hedge, pair.status) == (0.72, 1)
        account = [(row.timestamp, row.NetLiquidation) for row in found.AccountRecord.select()]
        times = [f"2023-01-05 {hour}:00:00" for hour in (15, 16, 17)]
        assert account == list(zip(times, [100000.0, 100100.5, None], strict=True))
        assert found.EventRow.select().where(found.EventRow.type == "signal.created").count() == 4


@ON_SQLITE
def test_an_imported_history_gives_trips_and_what_began_before_it_says_so(
    original, command, target, ours, monkeypatch
):
    out = {"order_action": "sell", "mar_pos": "flat", "mar_pos_size": 0}
    out |= {"pre_mar_pos": "long", "pre_mar_pos_size": 100}
    closing = {"stk_price1": 13.31, "stk_price2": 17.0}
    history = [
        originals.signal(1),
        originals.signal(2, **out, **closing, timestamp="2022-05-28 10:00:00"),
        originals.signal(3, **originals.SINGLE, **out, stk_price1=400.2, stk_price2=None),
        originals.signal(9, **originals.NOT_ORDERED, order_status="canceled"),
    ]
    monkeypatch.setattr(originals, "GOOD", history)
    assert command("import-v3", original("3.1"), "--database", target).code == 0
    with ours():
        trips = {trip["ticker"]: trip for trip in books.list_trips(books.Rates(), books.Period())}
    pair, single = trips["NMFC-ROIC"], trips["AAPL"]
    assert pair["pnl"] == pytest.approx(100 * (13.31 - 12.31) + 72 * (17.1 - 17.0))
    assert (pair["opened"], pair["closed"]) == ("2022-05-27 00:24:17", "2022-05-28 10:00:00")
    assert (pair["incomplete"], single["incomplete"], single["pnl"]) == (False, True, None)


@pytest.mark.slow
@ON_SQLITE
def test_passwords_are_hashed_and_let_in_and_nobody_more_is_admin(
    original, command, target, ours, tmp_path
):
    place = original("3.0")
    assert command("import-v3", place.removeprefix("sqlite:///"), "--database", target).code == 0
    with ours() as found:
        users = {user.username: user for user in found.User.select()}
        assert {name for name, user in users.items() if user.admin} == {"admin"}
        assert all(user.password_hash.startswith("$argon2id$") for user in users.values())
    assert b"a long secret" not in (tmp_path / "ours.db").read_bytes()
    serving = processes.server(target, log=tmp_path / "server.log")
    with processes.running(serving) as process:
        for username, password in originals.PASSWORDS.items():
            form = {"username": username, "password": password}
            assert call(process.port, "POST", "/v3/login", form)[0] == 200
        alert = {"passphrase": "webhook", "ticker": "AAPL", "order_action": "buy"}
        alert["order_contracts"] = 1
        answer = call(process.port, "POST", "/v3/webhook", alert)
        assert answer == (201, {"message": "Signal created successfully.", "rowid": 10})


@ON_SQLITE
def test_signals_stored_here_keep_their_rowids_and_the_others_get_new_ones(
    original, command, target, ours
):
    with ours() as found:
        for _ in range(2):
            receive_one({"ticker": "NMFC", "order_action": "buy", "order_contracts": 1.0}, "test")
        mine = list(found.Signal.select().tuples())
    done = command("import-v3", original("3.0"), "--database", target)
    assert done.code == 0
    assert "New rowids, for theirs were taken here: 2 signals." in done.out
    with ours() as found:
        assert list(found.Signal.select().where(found.Signal.rowid <= 2).tuples()) == mine
        taken = {row.rowid: row.timestamp for row in found.Signal.select()}
        assert sorted(taken) == [1, 2, 3, 9, 10, 11]


@ON_SQLITE
def test_a_signal_that_was_changed_here_meanwhile_stays_as_it_is_here(
    original, command, target, ours
):
    place = original("3.0")
    command("import-v3", place, "--database", target)
    with ours() as found:
        found.Signal.update(order_status="canceled").where(found.Signal.rowid == 2).execute()
    assert command("import-v3", place, "--database", target).code == 0
    with ours() as found:
        assert found.Signal.get_by_id(2).order_status == "canceled"


@ON_SQLITE
def test_symbols_come_in_the_brokers_spelling_and_the_pairs_find_them(
    original, storage, command, target, ours
):
    place = original("3.1")
    for symbol in ("BF.B", "BRK.B", "REI UN", "EUR.CHF"):
        row = {"symbol": symbol, "sectype": "STK", "xch": "SMART", "prixch": "NYSE", "active": 0}
        originals.add(storage, place, "tickers", row | {"currency": "USD", "order_type": "MARKET"})
    pair = {"name": "BF.B-BRK.B", "ticker1": "BF.B", "ticker2": "BRK.B", "hedge": 0.5, "status": 1}
    named = {"name": "BRK.B-KO", "hedge": 1.0, "status": 0}
    originals.add(storage, place, "pairs", pair, named)
    single = originals.SINGLE | originals.NO_FILL | {"ticker": "NYSE:BF.B", "stk_ticker1": "BF.B"}
    row = originals.signal(20, **single)
    row = {key.removeprefix("stk_"): value for key, value in row.items()}
    originals.add(storage, place, "signals", row)
    out = command("import-v3", place, "--database", target).out
    assert "tickers: 6 came, 0 already there, 1 did not come" in out
    assert "  changed, symbol: BF.B became BF B: BF.B\n" in out
    assert "  changed, symbol: REI UN became REI.UN: REI UN\n" in out
    assert "  changed, its legs were read anew from the ticker: 20" in out
    with ours() as found:
        symbols = {row.symbol for row in found.Stock.select()}
        assert {"BF B", "BRK B", "REI.UN", "EUR.CHF"} <= symbols
        assert not {"BF.B", "BRK.B", "REI UN"} & symbols
        pairs = {row.name: (row.ticker1, row.ticker2, row.status) for row in found.Pair.select()}
        assert pairs["BF B-BRK B"] == ("BF B", "BRK B", 1)
        assert pairs["BRK B-KO"] == ("BRK B", "KO", 0)
        assert found.Signal.get_by_id(20).stk_ticker1 == "BF B"


@pytest.mark.parametrize("release", RELEASES)
@ON_SQLITE
def test_a_pair_with_a_leg_that_is_active_alone_comes_in_paused_and_is_told(
    release, original, storage, command, target, ours
):
    place = original(release)
    pair = {"name": "AAPL-MSFT", "ticker1": "AAPL", "ticker2": "MSFT", "hedge": 2.0, "status": 1}
    originals.add(storage, place, "pairs", pair)
    out = command("import-v3", place, "--database", target).out
    assert "pairs: 3 came, 0 already there, 1 did not come" in out
    assert "  changed, paused, for a leg of it is active alone: AAPL-MSFT\n" in out
    with ours() as found:
        assert (found.Pair.find("AAPL-MSFT").status, found.Stock.find("AAPL").active) == (0, 1)
        assert found.Pair.find("NMFC-ROIC").status == 1


@ON_SQLITE
def test_a_stock_that_is_active_there_and_in_an_active_pair_here_comes_in_paused(
    original, command, target, ours
):
    with ours() as found:
        pair = {"ticker1": "AAPL", "ticker2": "V", "hedge": 3.0, "status": 1}
        registry.register_pair(pair, "test")
        found.Stock.delete().where(found.Stock.symbol == "AAPL").execute()
    out = command("import-v3", original("3.0"), "--database", target).out
    assert "  changed, paused, for it is a leg of an active pair: AAPL\n" in out
    with ours() as found:
        assert found.Stock.find("AAPL").active == 0


@pytest.mark.parametrize(
    "storage", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_account_records_of_one_second_all_come_once(original, storage, command, target, ours):
    place = original("3.1")
    twins = [{"timestamp": "2023-01-05 18:00:00", **originals.MONEY}] * 3
    other = {"timestamp": "2023-01-05 18:00:00.5", **originals.MONEY, "NetLiquidation": 7.0}
    originals.add(storage, place, "account", *twins, other)
    for came in (7, 0):
        out = command("import-v3", place, "--database", target).out
        assert f"account: {came} came" in out
        with ours() as found:
            record = found.AccountRecord
            stored = record.select().where(record.timestamp == "2023-01-05 18:00:00")
            assert sorted(row.NetLiquidation for row in stored) == [7.0, *[100000.0] * 3]


@ON_SQLITE
def test_what_was_changed_on_the_way_is_told_with_the_rows_it_befell(
    original, storage, command, target
):
    place = original("3.0")
    mine = {"timestamp": "2023-01-01 00:00:00", "order_comment": "", "error_msg": ""}
    rows = [originals.signal(rowid, **mine) for rowid in range(20, 28)]
    untouched = originals.signal(30, timestamp="2023-01-01 00:00:00")
    read = originals.signal(31, **originals.NO_LEGS, timestamp="2023-01-01 00:00:00")
    originals.add(storage, place, "signals", *rows, untouched, read)
    originals.add(storage, place, "stocks", {"symbol": "IBM", "prixch": "", "active": 1})
    out = command("import-v3", place, "--database", target).out
    many = "20, 21, 22, 23, 24 and 3 more\n"
    for change in ("order_comment: blank became null", "error_msg: blank became null"):
        assert f"  changed, {change}: {many}" in out
    assert "  changed, its legs were read anew from the ticker: 31\n" in out
    assert "  changed, timestamp: the fraction of a second was cut: 1, 2, 3, 9\n" in out
    assert "  changed, prixch: blank became the default: IBM\n" in out
    assert not re.search(r"changed.*\b30\b", out)


SETTINGS = """mode = "production"
passphrases = ["a passphrase of ours"]
admin_password = "a good password"
database = "{database}"
"""


@pytest.fixture
def production(target, tmp_path):
    """The settings of a production server with the database that is not there yet."""
    file = tmp_path / "ours.toml"
    file.write_text(SETTINGS.format(database=target))
    return str(file)


def advised(out):
    """The commands that a report gives, as arguments."""
    commands = re.findall(r"\S*server\.py (.*passwd.*)$", out, re.MULTILINE)
    return [shlex.split(each) for each in commands]


@ON_SQLITE
def test_what_the_report_advises_leads_to_a_production_server_that_starts(
    original, command, production, target, tmp_path
):
    place = original("3.1")
    out = command("import-v3", place, "--settings", production).out
    conf = settings.load({}, {}, production)

    def prepare():
        opening.open_database(conf.database)
        return server.prepare_store(conf)

    with pytest.raises(settings.SettingsError, match="admin and user1 still have the demo's"):
        prepare()
    for each in advised(out):
        assert command(*each, "--stdin", text="a password of their own\n").code == 0
    assert prepare()
    assert command("import-v3", place, "--settings", production).code == 0


@ON_SQLITE
def test_the_page_on_moving_leads_to_a_production_server_that_starts(
    original, command, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAIRS_PORT", str(free_port()))
    first = runpy.run_path(settings.ROOT / "deploy/first_settings.py")
    own = first["TEXT"].format(passphrase="p" * 20, key="k" * 20, password="w" * 12)
    file = tmp_path / "settings.local.toml"
    file.touch(mode=0o600)
    file.write_text(own + first["BEHIND_A_SITE"].format(url="https://pairs.example.com"))
    place = original("3.1").removeprefix("sqlite:///")
    steps = (settings.ROOT / "docs/migration.md").read_text().partition("From Heroku")[0]
    steps = steps.replace("/path/to/original/data.db", place)
    lines = [shlex.split(each) for each in re.findall(r"^ +\S+ server\.py (.*)$", steps, re.M)]
    assert [each[0] for each in lines] == ["import-v3", "user", "user", "doctor", "--settings"]
    *before, (_, overlay) = lines
    for each in before:
        answer = ["--stdin"] if each[0] == "user" else []
        done = command(*each, *answer, text="a password of their own\n")
        assert done.code == 0, done.out + done.said
        assert not re.search("^problem", done.out, re.MULTILINE), done.out
    conf = settings.load({}, {}, overlay)
    opening.open_database(conf.database)
    assert server.prepare_store(conf)


@ON_SQLITE
def test_a_demos_database_is_not_filled_by_mistake(
    original, command, production, target, monkeypatch, tmp_path
):
    place = original("3.0")
    monkeypatch.chdir(tmp_path)
    forgotten = command("import-v3", place)
    assert (forgotten.code, forgotten.out) == (1, "")
    assert "name your own, --settings settings.local.toml" in forgotten.said
    assert not (tmp_path / "data.db").exists()
    opening.open_database(target)
    server.prepare_store(settings.load({"database": target}, {}))
    before = models.User.select().count()
    for flags in (("--settings", production), ("--database", target)):
        filled = command("import-v3", place, *flags)
        assert filled.code == 1
        assert "A demo has made this database" in filled.said
    opening.open_database(target)
    assert (models.Signal.select().count(), models.User.select().count()) == (0, before)


@pytest.mark.parametrize(
    "storage", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_the_originals_own_database_is_never_written_to(original, storage, command):
    place = original("3.1")
    done = command("import-v3", place, "--database", place)
    assert (done.code, done.out) == (1, "")
    assert "nothing is written to the original" in done.said
    with contextlib.closing(storage.outside(place)) as raw:
        cursor = raw.cursor()
        with pytest.raises(Exception, match="signal"):
            cursor.execute("SELECT * FROM signal")


@pytest.mark.parametrize("flags", [["import-v3"], ["copy", "--to", "sqlite:///x.db", "--from"]])
def test_a_password_that_is_not_encoded_gets_a_hint(flags, command, target):
    done = command(*flags, "postgresql://me:s3c#ret@host/name", "--database", target)
    assert done.code == 1
    assert "%23" in done.said
    assert "s3c" not in done.said


@ON_SQLITE
def test_text_that_is_no_utf_8_comes_with_its_bad_bytes_marked(
    original, storage, command, target, ours
):
    place = original("3.0")
    with contextlib.closing(storage.outside(place)) as raw:
        raw.execute("UPDATE signals SET order_comment = CAST(x'61ff62' AS TEXT) WHERE rowid = 1")
    assert command("import-v3", place, "--database", target).code == 0
    with ours() as found:
        assert found.Signal.get_by_id(1).order_comment == "a\ufffdb"


@pytest.mark.slow
@ON_SQLITE
def test_a_damaged_original_gives_what_can_be_read_and_says_where_it_ended(
    original, storage, command, target, ours
):
    place = original("3.0")
    with contextlib.closing(storage.outside(place)) as raw:
        for rowid in range(100, 700):
            values = (rowid, "2023-01-01 00:00:00", "AAPL", "buy", 1, "filled", f"n{rowid}" * 40)
            raw.execute(
                "INSERT INTO signals (rowid, timestamp, ticker, order_action, order_contracts,"
                " order_status, order_comment) VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
    file = Path(place.removeprefix("sqlite:///"))
    data = bytearray(file.read_bytes())
    first = data.index(b"n650n650") // 4096 * 4096
    data[first : first + 4096] = b"\xa5" * 4096
    file.write_bytes(data)
    done = command("import-v3", place, "--database", target)
    assert done.code == 2
    assert "table signals cannot be read to its end" in done.said
    assert re.match(r"signals: 5[1-5]\d came", done.out)
    with ours() as found:
        assert found.Signal.select().count() > 500


@pytest.mark.parametrize("place", ["no such.db", "sqlite:///no such.db", "postgresql://", "x://y"])
def test_what_is_no_database_of_the_original_is_refused_in_a_sentence(place, command, target):
    done = command("import-v3", place, "--database", target)
    assert done.code == 2
    assert len(done.said.strip().splitlines()) == 1
    assert "Traceback" not in done.said


def test_our_own_database_is_not_taken_for_the_originals(command, target, ours):
    with ours():
        pass
    done = command("import-v3", target, "--database", f"{target}2")
    assert (done.code, done.out) == (2, "")
    assert "none of its tables" in done.said


@ON_POSTGRESQL
def test_a_wrong_password_of_the_original_is_not_shown(storage, command, target):
    place = storage.at("postgres").replace("://", "://nobody:s3cret@", 1)
    if "@" in storage.at("postgres"):
        place = re.sub("://[^@]*@", "://nobody:s3cret@", storage.at("postgres"))
    done = command("import-v3", place, "--database", target)
    assert done.code == 2
    assert "s3cret" not in done.out + done.said


@pytest.mark.slow
@ON_SQLITE
def test_the_real_command_only_reads_the_original(original, target):
    place = original("3.1").removeprefix("sqlite:///")
    before = Path(place).read_bytes()
    done = shell("import-v3", place, "--database", target)
    assert done.returncode == 0, done.stderr
    assert Path(place).read_bytes() == before
