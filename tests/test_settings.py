"""Settings: which source wins, the errors for wrong ones, and what production refuses."""

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import tomllib

import pytest

import models
import server
import settings
from database import opening
from local import settings_files
from services import access
from settings import ROOT, SHIPPED, Settings, SettingsError, load

GOOD = {
    "mode": "production",
    "passphrases": ["a passphrase of ours"],
    "admin_password": "a good password",
}


def refusal(flags=None, environment=None, overlay=None):
    """The sentence with which the start ends."""
    with pytest.raises(SettingsError) as caught:
        load(flags or {}, environment or {}, overlay)
    return str(caught.value)


@pytest.fixture
def overlay(tmp_path):
    """Writes a settings file; returns its path."""

    def write(text):
        file = tmp_path / "ours.toml"
        file.write_text(text, "utf-8")
        return str(file)

    return write


# The shipped file


@pytest.mark.parametrize(("path", "text"), settings_files.texts().items(), ids=["file", "page"])
def test_the_file_and_the_page_name_and_explain_every_setting(path, text):
    assert path.read_text("utf-8") == text, "run: python -m local.settings_files"
    for key, field in Settings.model_fields.items():
        assert key in text
        assert field.title in " ".join(text.replace("\n#", "").split())
        assert field.description


def test_the_shipped_file_gives_the_defaults():
    shipped = tomllib.loads(SHIPPED.read_text("utf-8"))
    assert list(shipped) == list(Settings.model_fields)
    assert Settings(**shipped) == Settings()


def test_a_setting_that_the_edited_shipped_file_leaves_out_has_its_default(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "SHIPPED", tmp_path / "settings.toml")
    settings.SHIPPED.write_text("port = 5001\n", "utf-8")
    conf = load({}, {})
    assert (conf.port, conf.host) == (5001, "127.0.0.1")


def test_plain_settings_are_a_demo_on_loopback():
    conf = load({}, {})
    assert (conf.mode, conf.host, conf.port) == ("demo", "127.0.0.1", 5000)
    assert (conf.visitors_read, conf.fixed_passphrases) == (True, ["webhook"])
    assert (conf.synchronous, conf.refresh_days) == ("FULL", 30)


# Layers


LAYERS = ["shipped", "file", "environment", "flags"]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("port", [5000, 5001, 5002, 5003]),
        ("host", ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]),
        ("database", ["sqlite:///data.db", "sqlite:///a.db", "sqlite:///b.db", "sqlite:///c.db"]),
    ],
)
@pytest.mark.parametrize("highest", range(4))
def test_flags_win_over_the_environment_and_that_over_files(overlay, key, values, highest):
    text = f"{key} = {values[1]!r}" if highest >= 1 else ""
    environment = {f"PAIRS_{key.upper()}": str(values[2])} if highest >= 2 else {}
    flags = {key: values[3] if highest == 3 else None}
    conf = load(flags, environment, overlay(text))
    assert getattr(conf, key) == values[highest]


@pytest.mark.parametrize(
    ("environment", "port", "database"),
    [
        ({"PORT": "8080"}, 8080, "sqlite:///data.db"),
        ({"PORT": "8080", "PAIRS_PORT": "9090"}, 9090, "sqlite:///data.db"),
        ({"DATABASE_URL": "postgres://u:p@h/n"}, 5000, "postgres://u:p@h/n"),
        (
            {"DATABASE_URL": "postgres://u:p@h/n", "PAIRS_DATABASE": "sqlite:///x.db"},
            5000,
            "sqlite:///x.db",
        ),
        ({"PORT": "", "DATABASE_URL": ""}, 5000, "sqlite:///data.db"),
        ({"HOST": "example.com", "DATABASE": "x", "pairs_port": "1"}, 5000, "sqlite:///data.db"),
    ],
)
def test_the_hosting_conventions_are_read_below_our_own_names(environment, port, database):
    conf = load({}, environment)
    assert (conf.port, conf.database) == (port, database)


ENVIRONMENT = [
    ("PAIRS_PASSPHRASES", "one two, three ,,", "passphrases", ["one two", "three"]),
    ("PAIRS_PASSPHRASES", "", "passphrases", []),
    ("PAIRS_BRIDGE_KEYS", f"{'a' * 16}, {'b' * 16}", "bridge_keys", ["a" * 16, "b" * 16]),
    (
        "PAIRS_TRUSTED_PROXIES",
        "127.0.0.1, 10.0.0.0/8",
        "trusted_proxies",
        ["127.0.0.1", "10.0.0.0/8"],
    ),
    ("PAIRS_WEBHOOK_SOURCES", "tradingview", "webhook_sources", ["tradingview"]),
    ("PAIRS_ANONYMOUS_READS", "auto", "anonymous_reads", "auto"),
    ("PAIRS_ANONYMOUS_READS", "false", "anonymous_reads", False),
    ("PAIRS_ALARM_MINUTES", "2.5", "alarm_minutes", 2.5),
    ("PAIRS_ZONE", "America/New_York", "zone", "America/New_York"),
    ("PAIRS_URL", "https://pairs.example.com", "url", "https://pairs.example.com"),
    ("PAIRS_TOKEN_KEY", "k" * 32, "token_key", "k" * 32),
    (
        "PAIRS_ALARM_URLS",
        "mailto://a:b@c/?to=d,e, json://f",
        "alarm_urls",
        ["mailto://a:b@c/?to=d,e", "json://f"],
    ),
    ("PAIRS_ALARMS_OFF", "leg, missed", "alarms_off", ["leg", "missed"]),
]


@pytest.mark.parametrize(("name", "text", "key", "value"), ENVIRONMENT)
def test_the_environment_writes_values_as_text(name, text, key, value):
    assert getattr(load({}, {name: text}), key) == value


@pytest.mark.parametrize(
    ("mode", "given", "visitors_read"),
    [
        ("demo", "auto", True),
        ("demo", False, False),
        ("production", "auto", False),
        ("production", True, True),
    ],
)
def test_visitors_read_in_a_demo_unless_said_otherwise(mode, given, visitors_read):
    conf = load(GOOD | {"mode": mode, "anonymous_reads": given}, {})
    assert conf.visitors_read == visitors_read


# Wrong ones


WRONG = {
    "mode": ["Demo", "", "test", 1, True],
    "host": ["", 5, True, []],
    "port": [-1, 65536, "x", "", 1.5, True, [], "80 81", "٣x"],
    "listen_fds": [3, ["x"], [-1], [True], "3", {}],
    "url": ["example.com", "ftp://x", "https://", "https://a b", "https://x/path", 5],
    "trusted_proxies": [
        "127.0.0.1",
        ["localhost"],
        ["fe80::1%eth0"],
        ["10.0.0.0/33"],
        [5],
        [""],
        {},
    ],
    "cors_origins": ["https://x", ["x.com"], ["https://x/"], ["*"], [5]],
    "database": ["", "data.db", "sqlite:/x", "sqlite://x.db", "sqlite:///", "mysql://h/n", 5]
    + ["sqlite:///:memory:", "postgresql://", "postgresql://me:pa#ss@host/name"]
    + ["postgres://me:pa@ss@host/name", "postgresql://me:1/2@host/name"],
    "synchronous": ["full", "OFF", 1, ""],
    "passphrases": ["webhook", [""], [5], ["x" * 201], {}, 5],
    "webhook_sources": ["tradingview", ["trading"], ["1.2.3"], [None], ["fe80::1%eth0"]],
    "bridge_addresses": ["10.0.0.1", ["home"], [["10.0.0.1"]], ["fe80::1%eth0"]],
    "bridge_keys": ["key-of-the-bridge", ["x" * 15], [5], ["x" * 201], {}, 5]
    + [[f"{'x' * 16}{sign}"] for sign in " %$:/@#\u00fc\n"],
    "admin_name": ["", "x" * 81, "a b", "a/b", 5],
    "admin_password": [5, True, []],
    "token_key": ["short", "x" * 31, 5],
    "refresh_days": [0, 366, -1, "x", True, 1.5],
    "idle_days": [0, 366, "x", True],
    "anonymous_reads": ["yes", "AUTO ", 1, 0, ""],
    "login_attempts": [0, -1, "many", True],
    "wrong_passphrases": [0, -1, "x", True],
    "visitor_reads": [0, 0.5, "x"],
    "visitor_burst": [0, -1, "x"],
    "zone": ["Mars/Base", "EST5", "utc+1", 5],
    "entry_minutes": [-1, 525601, "x", True, float("inf")],
    "entry_hours": ["09:30-16:00", ["25:00-26:00"], ["Mars/Base 09:30-16:00"], [5]],
    "holidays": ["Mars", "nyse", 5],
    "alarm_minutes": [0, -1, "x", True, float("inf"), float("nan"), "1e999"],
    "alarm_bridge_minutes": [0, -1, "x", True],
    "alarm_leg_seconds": [0, -1, "x", True],
    "alarm_missed_seconds": [-1, "x", True],
    "alarm_report_seconds": [-1, "x", True],
    "alarm_reminder_minutes": [-1, "x", float("nan")],
    "alarm_pause_seconds": [-1, "x", True],
    "alarms_off": ["leg", ["legs"], [5]],
    "alarm_urls": ["mailto://x", ["me@example.com"], ["mailto://a b"], [5], {}],
    "market_hours": ["09:30-16:00", ["9:30-16:00"], ["Mars/Base 09:30-16:00"], ["09:60-10:00"]]
    + [["09:30-09:30"], ["24:00-01:00"], ["09:30-16:00 fry"], [""], [5]],
    "quiet_times": [["22:00"], ["22:00-25:00"], ["America/New_York"], ["22:00-07:00 mon-"]],
    "messages": ["trips", ["trip"], [5]],
    "summary_time": ["24:00", "9:30", "Mars/Base 09:30", "09:30 mon", "", 5],
    "summary_always": ["x", 2],
    "commission_per_share": [-1, "x", True],
    "commission_minimum": [-1, "x", float("nan")],
    "queue_limit": [0, "x", True],
    "rejected_kept": [0, -5, "x"],
    "strangers_kept": [0, -5, "x"],
    "audit_kept": [0, -5, "x"],
    "retention_days": [0, 36501, "x", True, 1.5],
    "replay_limit": [0, "x"],
    "log_level": ["INFO", "trace", "", 10],
}


def test_the_table_of_wrong_values_names_every_setting():
    assert list(WRONG) == list(Settings.model_fields)


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_setting_is_one_sentence_with_source_key_and_what_is_allowed(key):
    for value in WRONG[key]:
        text = refusal({key: value})
        allowed = Settings.model_fields[key].title
        assert text == f"--{key}: {key} must be {allowed}.", value
        assert allowed


def test_the_sentence_names_the_layer_that_is_wrong(overlay):
    wrong = "port must be a whole number from 0 to 65535."
    assert refusal({"port": "x"}) == f"--port: {wrong}"
    assert refusal({}, {"PORT": "x"}) == f"environment PORT: {wrong}"
    assert refusal({}, {"PAIRS_PORT": "x"}) == f"environment PAIRS_PORT: {wrong}"
    assert refusal({}, {}, overlay("port = 'x'")) == f"ours.toml: {wrong}"


def test_an_unknown_setting_is_one_sentence_with_those_that_there_are(overlay):
    for text in (
        refusal({}, {"PAIRS_PROT": "1"}),
        refusal({}, {}, overlay("prot = 1")),
        refusal({}, {}, overlay("[prot]\nport = 1")),
    ):
        assert re.match(r"(environment PAIRS_PROT|ours\.toml): prot is not a setting", text)
        assert "\n" not in text
        assert all(key in text for key in Settings.model_fields)


@pytest.mark.parametrize("text", ["port = ", "port 5000", "port = 1\nport = 2", "\x00"])
def test_a_file_that_is_no_toml_is_one_sentence(overlay, text):
    message = refusal({}, {}, overlay(text))
    assert "ours.toml: is not valid TOML" in message
    assert "\n" not in message


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    for path in (tmp_path / "missing.toml", tmp_path):
        assert refusal({}, {}, str(path)).startswith(f"{path}: cannot be read (")
    (tmp_path / "latin.toml").write_bytes(b"host = '\xff'")
    assert "is not valid TOML" in refusal({}, {}, str(tmp_path / "latin.toml"))


@pytest.mark.parametrize(
    "key", ["passphrases", "bridge_keys", "admin_password", "token_key", "database", "alarm_urls"]
)
def test_no_sentence_repeats_a_secret(key):
    text = refusal({key: {"passphrases": ["s3cret", ""]}.get(key, ["s3cret"])})
    assert "s3cret" not in text


@pytest.mark.parametrize("sign", "#@/?")
def test_a_databases_password_with_a_sign_of_urls_gets_a_hint_to_encode_it(sign):
    text = refusal({}, {"DATABASE_URL": f"postgresql://me:s3cret{sign}s3cret@host/name"})
    assert text.startswith("environment DATABASE_URL: database must be")
    assert "%23" in text
    assert "s3cret" not in text
    assert load({}, {"DATABASE_URL": "postgresql://me:s3cret%23s@host/name"}).database


# Secrets in files of their own


SECRET_FILES = {
    "passphrases": ("one of ours\n\n another \n", ["one of ours", "another"]),
    "bridge_keys": ("k" * 16, ["k" * 16]),
    "admin_password": ("long enough\n", "long enough"),
    "token_key": ("k" * 32 + "\n", "k" * 32),
    "database": ("postgresql://me:pw@host/name\n", "postgresql://me:pw@host/name"),
    "alarm_urls": (
        "mailto://a:b@c/?to=d,e\n\ntgram://f\n",
        ["mailto://a:b@c/?to=d,e", "tgram://f"],
    ),
}


@pytest.mark.parametrize("key", SECRET_FILES)
def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path, overlay, key):
    text, expected = SECRET_FILES[key]
    file = tmp_path / "secret"
    file.write_text(text)
    by_environment = load({}, {f"PAIRS_{key.upper()}_FILE": str(file)})
    assert getattr(by_environment, key) == expected
    by_file = load({}, {}, overlay(f'{key}_file = "{file}"'))
    assert getattr(by_file, key) == expected


def test_a_secret_file_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", "binary", "", "a\0b"):
        text = refusal({}, {"PAIRS_TOKEN_KEY_FILE": str(tmp_path / name)})
        assert text.startswith("environment PAIRS_TOKEN_KEY_FILE: token_key_file names a file")
    text = refusal({}, {"PAIRS_ZONE_FILE": "x"})
    assert "zone_file is not a setting" in text


# Demo and production


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.1.5", "example.com", " ", "127.0.0.1.x"],  # noqa: S104
)
def test_a_demo_listens_on_loopback_only(host):
    assert "host must be a loopback address in demo mode" in refusal({"host": host})
    assert load(GOOD | {"host": host}, {}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_every_loopback_address_will_do_for_a_demo(host):
    assert load({"host": host}, {}).host == host


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"passphrases": ["webhook"]}, "passphrases"),
        ({"passphrases": ["a passphrase of ours", "webhook"]}, "passphrases"),
        ({"admin_password": "123"}, "admin_password"),
        ({"admin_password": "1234567"}, "admin_password"),
    ],
)
def test_production_refuses_default_credentials_by_name(change, key):
    text = refusal(GOOD | change)
    assert text.startswith(f"--{key}: {key} must ")
    assert "\n" not in text
    assert load(GOOD | change | {"mode": "demo"}, {}).demo


def prepared(tmp_path, **changes):
    """Prepares a database as a start does; returns the text of the error, or None."""
    conf = load(GOOD | {"database": f"sqlite:///{tmp_path}/p.db"} | changes, {})
    store = opening.open_database(conf.database)
    try:
        server.prepare_store(conf)
    except SettingsError as problem:
        return str(problem)
    finally:
        store.close()
    return None


@pytest.mark.parametrize("key", ["passphrases", "admin_password"])
def test_production_does_not_start_without_a_passphrase_and_an_admin(tmp_path, key):
    missing = {key: [] if key == "passphrases" else ""}
    text = prepared(tmp_path, **missing)
    assert f"{key} must be set in production" in text
    assert "\n" not in text
    assert models.User.select().count() == 0
    assert prepared(tmp_path) is None
    # The first start has made the administrator; the passphrase is not kept in the database.
    assert (prepared(tmp_path, **missing) is None) == (key == "admin_password")


def test_production_does_not_start_on_a_demos_database(tmp_path):
    assert prepared(tmp_path, mode="demo") is None
    assert "the demo's password" in prepared(tmp_path)


@pytest.mark.parametrize("where", ["settings", "database"])
@pytest.mark.parametrize(("passphrase", "warned"), [("100% ours alone", True), ("ours", False)])
def test_a_start_warns_of_a_passphrase_that_breaks_the_bridges_file(
    tmp_path, caplog, where, passphrase, warned
):
    if where == "settings":
        prepared(tmp_path, mode="demo", passphrases=[passphrase])
    else:
        opening.open_database(f"sqlite:///{tmp_path}/p.db")
        access.register_passphrase("odd", passphrase)
        prepared(tmp_path, mode="demo", passphrases=["of the settings"])
    assert ("A passphrase holds %" in caplog.text) == warned
    assert passphrase not in caplog.text


def test_a_demo_makes_its_users_once(tmp_path):
    assert prepared(tmp_path, mode="demo") is None
    access.delete_user("user1")
    assert prepared(tmp_path, mode="demo") is None
    assert [user.username for user in models.User.select()] == ["admin"]


# The command line


def run(*arguments, **environment):
    """`python server.py ...` with only these settings in the environment."""
    inherited = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "")}
    return subprocess.run(
        [sys.executable, str(ROOT / "server.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=inherited | environment,
    )


@pytest.mark.slow
def test_check_says_that_all_is_well_and_touches_nothing(tmp_path):
    database = tmp_path / "new.db"
    done = run("--check", "--database", f"sqlite:///{database}")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert not database.exists()


@pytest.mark.slow
def test_check_refuses_a_database_that_another_version_made_and_leaves_it(tmp_path):
    database = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as made:
        made.execute("CREATE TABLE schema_migration (id INTEGER, name TEXT, applied TEXT)")
        made.execute("INSERT INTO schema_migration VALUES (1, '0001_first_release', '2026-01-01')")
        made.execute("INSERT INTO schema_migration VALUES (2, '0006_blocks', '2026-01-01')")
        before = list(made.iterdump())
        done = run("--check", "--database", f"sqlite:///{database}")
        assert (done.returncode, done.stdout) == (2, "")
        assert "knows the step 0006_blocks, which this version does not" in done.stderr
        assert list(made.iterdump()) == before


@pytest.mark.parametrize(
    ("environment", "refused"),
    [
        ({}, True),
        ({"PAIRS_BRIDGE_KEYS": "a-key-of-the-bridge"}, False),
        ({"PAIRS_ANONYMOUS_READS": "true"}, False),
        ({"PAIRS_PASSPHRASES": "100% a passphrase of ours"}, True),
    ],
)
def test_check_tells_whether_the_bridge_will_be_refused(
    tmp_path, monkeypatch, command, environment, refused
):
    production = {
        "PAIRS_MODE": "production",
        "PAIRS_PASSPHRASES": "a passphrase of ours",
        "PAIRS_ADMIN_PASSWORD": "a password of ours",
        "PAIRS_DATABASE": f"sqlite:///{tmp_path}/new.db",
    }
    for name, value in (production | environment).items():
        monkeypatch.setenv(name, value)
    done = command("--check")
    assert done.code == 0
    assert ("The bridge will be refused" in done.out) == refused
    odd = "%" in environment.get("PAIRS_PASSPHRASES", "")
    assert ("A passphrase holds %" in done.out) == odd
    assert "of ours" not in done.out + done.said


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--check", "--port", "x"], {}, ["--port: port must be"]),
        (["--check"], {"PAIRS_MODE": "production"}, ["passphrases must be set", "PAIRS_"]),
        (["--chek"], {}, ["command line: ", "--chek"]),
        (["--settings", "no.toml"], {}, ["no.toml: cannot be read"]),
    ],
)
def test_a_mistake_is_told_in_one_sentence(monkeypatch, command, arguments, environment, words):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = command(*arguments)
    assert_refused(done.code, done.out, done.said, words)


@pytest.mark.slow
def test_a_mistake_ends_the_start():
    done = run("--port", "0", "--database", "sqlite:////no/such/directory/x.db")
    words = ["/no/such/directory/x.db", "cannot be used"]
    assert_refused(done.returncode, done.stdout, done.stderr, words)


def assert_refused(code, out, said, words):
    """Fails unless a command wrote one sentence with these words to stderr and ended with 2."""
    assert (code, out) == (2, "")
    assert len(said.splitlines()) == 1
    assert said.endswith(".\n")
    assert all(word in said for word in words)
