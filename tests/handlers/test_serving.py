"""What is served and how: the static files of one version, and what is compressed."""

import asyncio
import gzip
import re
from functools import partial

import pytest
from jinja2 import UndefinedError

from handlers.static import STATIC, TYPES, Assets
from services import account
from tests.handlers.conftest import ACCOUNT
from tests.receiving import receive_one

GZIP = {"Accept-Encoding": "gzip"}
LONG = 120  # rows that make a list long


@pytest.fixture
def raw_api(api, http_client):
    """Calls whose answers stay compressed: `.body` is what went over the wire."""

    async def call(path, method="GET", headers=GZIP, token=None):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        url = api.base_url + path
        return await http_client.fetch(
            url, raise_error=False, method=method, headers=headers, decompress_response=False
        )

    return call


@pytest.fixture
def many(app, desk, io_loop):
    """Signals and account records that make long lists."""

    def store():
        for number in range(LONG):
            receive_one({"ticker": "MA-3*V", "order_action": "buy", "order_contracts": number + 1})
            account.keep(ACCOUNT | {"NetLiquidation": float(number)}, "test")

    io_loop.run_sync(partial(app.writer.submit, store))


def own_files():
    return sorted(
        each.relative_to(STATIC).as_posix() for each in STATIC.rglob("*.*") if each.is_file()
    )


# One address for the files of one version


@pytest.mark.gen_test(timeout=60)
async def test_every_file_is_served_for_ever_at_the_address_of_its_version(api, app):
    for name in own_files():
        answer = await api.get(app.assets.url(name))
        assert answer.status == 200, name
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"] == TYPES[name[name.rindex(".") :]], name
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.gen_test(timeout=60)
async def test_another_versions_address_is_404_and_is_not_kept(api, app):
    for address in ("/static/js/api.js", "/static/0123456789ab/js/api.js", "/static//js/api.js"):
        answer = await api.get(address)
        assert (answer.status, answer.headers["Cache-Control"]) == (404, "no-store"), address


@pytest.mark.gen_test(timeout=60)
async def test_a_page_loads_its_files_from_that_address_alone(api, app):
    for path in ("/dashboard", "/login", "/docs", "/nowhere"):
        page = (await api.get(path)).text
        assert set(re.findall(r"/static/([^/\"]+)/", page)) == {app.assets.hash}, path
        assert app.assets.hash in page.partition('id="page">')[2].partition("</script>")[0]


@pytest.mark.gen_test(timeout=60)
async def test_the_poll_of_a_page_says_which_version_the_server_has(api, app):
    assert (await api.get("/ws/signals?after=0")).json["assets"] == app.assets.hash


@pytest.mark.gen_test(timeout=60)
async def test_head_tells_the_length_of_a_file_and_posts_are_refused(raw_api, app):
    address = app.assets.url("js/api.js")
    whole, head = await raw_api(address), await raw_api(address, "HEAD")
    assert head.headers["Content-Length"] == str(len(whole.body))
    assert head.body == b""
    assert (await raw_api(address, "DELETE")).code == 405


@pytest.mark.parametrize("path", ["/favicon.ico", "/apple-touch-icon.png", "/robots.txt"])
@pytest.mark.gen_test(timeout=60)
async def test_what_browsers_ask_for_unasked_is_404(api, path):
    assert (await api.get(path)).status == 404


def test_any_changed_file_changes_the_address_of_all(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js/a.js").write_text("1")
    (tmp_path / "js/b.js").write_text("1")
    first = Assets(tmp_path).url("js/a.js")
    assert Assets(tmp_path).url("js/a.js") == first
    (tmp_path / "js/b.js").write_text("2")
    assert Assets(tmp_path).url("js/a.js") != first


def test_a_file_that_changes_under_the_server_is_not_served(tmp_path):
    def read(packed=False):
        return asyncio.run(assets.read("a.js", packed))

    (tmp_path / "a.js").write_text("1")
    assets = Assets(tmp_path)
    assert read() == b"1"
    (tmp_path / "a.js").write_text("2")
    assert read(packed=True) is None
    (tmp_path / "a.js").unlink()
    assert read() is None
    assets.close()


# What is compressed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accepts", "is_packed"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, identity", False),
        ("identity", False),
        ("br", False),
        ("", False),
    ],
)
@pytest.mark.gen_test(timeout=60)
async def test_files_and_pages_are_compressed_for_who_asks(raw_api, app, accepts, is_packed):
    file = STATIC / "js/table.js"
    headers = {"Accept-Encoding": accepts}
    for path in (app.assets.url("js/table.js"), "/dashboard", "/v3/openapi.json"):
        answer = await raw_api(path, headers=headers)
        assert answer.headers.get("Content-Encoding") == ("gzip" if is_packed else None), path
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert int(answer.headers["Content-Length"]) == len(answer.body)
        body = gzip.decompress(answer.body) if is_packed else answer.body
        assert body == file.read_bytes() if "/static/" in path else b'"' in body


LISTS = ["/v3/signals/0", "/v3/signals/100", "/v3/signals/0.csv", "/v3/pnl/0"]


@pytest.mark.slow
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.gen_test(timeout=60)
async def test_a_long_list_says_the_same_compressed(api, raw_api, many, path):
    token = await api.token()
    plain, packed = [await raw_api(path, headers=each, token=token) for each in (None, GZIP)]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 4
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    head = await raw_api(path, "HEAD", token=token)
    assert head.headers["Content-Length"] == str(len(packed.body))


@pytest.mark.parametrize("path", LISTS[:2])
@pytest.mark.gen_test(timeout=60)
async def test_each_form_of_a_list_has_its_own_etag_and_is_not_sent_twice(api, raw_api, many, path):
    token = await api.token()
    tags = {}
    for name, headers in (("plain", {}), ("gzip", GZIP)):
        first = await raw_api(path, headers=headers, token=token)
        tags[name] = first.headers["Etag"]
        again = headers | {"If-None-Match": tags[name]}
        second = await raw_api(path, headers=again, token=token)
        assert (second.code, second.body) == (304, b"")
        assert second.headers["Vary"] == first.headers["Vary"] == "Accept-Encoding"
        assert "Content-Encoding" not in second.headers
    assert tags["plain"] != tags["gzip"]


@pytest.mark.gen_test(timeout=60)
async def test_posts_short_answers_and_polls_of_the_bridge_are_not_compressed(api, raw_api, many):
    token = await api.token()
    for path in ("/v3/signals/status/waiting/100", "/v3/signals/9", "/v3/stocks/0", "/v3/signal/1"):
        answer = await raw_api(path, token=token)
        assert answer.code == 200, path
        assert "Content-Encoding" not in answer.headers, path
    answer = await api.post("/v3/webhook", {"passphrase": "no"}, headers=GZIP)
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("overrides", [{"cors_origins": ("https://a.example.com",)}], indirect=True)
@pytest.mark.gen_test(timeout=60)
async def test_with_other_sites_allowed_an_answer_varies_by_both(raw_api, api):
    answer = await raw_api("/v3/stocks/0", token=await api.token())
    assert answer.headers.get_list("Vary") == ["Origin", "Accept-Encoding"]


# A compressed page holds no secret beside the texts of strangers

SECRETS = {
    "passphrases": ["a-passphrase-of-ours"],
    "bridge_keys": ["a-key-of-the-bridge"],
    "token_key": "a-token-key-that-is-long-enough-for-it",
}
PAGES = (
    *("/dashboard", "/list", "/positions", "/performance", "/setup", "/audit", "/docs", "/login"),
    *("/pair/MA-V", "/docs/security", "/nowhere"),
)


@pytest.mark.parametrize("overrides", [SECRETS], indirect=True)
@pytest.mark.gen_test(timeout=60)
async def test_no_page_holds_a_secret_but_a_token_masked_anew_each_time(api, desk, callers):
    _, session = await callers.session("admin")
    cookie = f"session={session}"
    first = await api.get("/login", headers={"Cookie": cookie})
    cookie += "; " + first.headers["Set-Cookie"].partition(";")[0]
    hidden = [*SECRETS["passphrases"], *SECRETS["bridge_keys"], SECRETS["token_key"]]
    hidden += [part.partition("=")[2] for part in cookie.split("; ")]
    tokens = set()
    for path in PAGES:
        for _ in range(2):
            page = (await api.get(path, headers={"Cookie": cookie})).text
            assert [each for each in hidden if each in page] == [], path
            shown = set(re.findall(r'(?:xsrf-token" content|_xsrf" value)="([^"]+)"', page))
            assert len(shown) == 1, path
            tokens |= shown
    assert len(tokens) == 2 * len(PAGES)


@pytest.mark.parametrize("overrides", [SECRETS | {"anonymous_reads": False}], indirect=True)
@pytest.mark.gen_test(timeout=60)
async def test_an_answer_that_is_asked_for_a_secret_is_never_compressed(api, raw_api, desk):
    token = await api.token()
    long = GZIP | {"Host": "h" * 5000}  # shown beside the secret
    for path, secrets in (
        ("template", ["passphrases"]),
        ("bridge/config", ["passphrases", "bridge_keys"]),
    ):
        answer = await raw_api(f"/v3/{path}?reveal=1", headers=long, token=token)
        assert len(answer.body) > 5000
        assert "Content-Encoding" not in answer.headers
        assert [each for each in secrets if SECRETS[each][0].encode() not in answer.body] == []


# The templates


def test_a_template_that_is_not_given_a_name_it_needs_fails(app):
    with pytest.raises(UndefinedError):
        app.templates.from_string("{% if nothing %}{% endif %}").render()


@pytest.mark.gen_test(timeout=60)
@pytest.mark.parametrize("mode", ["demo", "production"])
async def test_every_page_has_all_that_its_template_needs(api, app, desk, callers, mode):
    _, session = await callers.session("admin")
    cookie = {"Cookie": f"session={session}"}
    app.conf = app.conf.model_copy(update={"mode": mode})
    wrong = ("/list?start_date=x", "/audit?end_date=x", "/performance?end_date=x")
    for path in (*PAGES, "/docs/guide", *wrong):
        answer = await api.get(path, headers=cookie)
        assert answer.status == (404 if path == "/nowhere" else 200), path
    setup = (await api.get("/setup", headers=cookie)).text
    assert ("python server.py --settings" in setup) is (mode == "demo")
    assert ("At least 8 characters" in setup) is (mode == "production")
