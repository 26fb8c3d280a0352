"""The bridge's poll: which signals it holds, in which order, and each of their fields."""

import base64
import configparser

import pytest

pytestmark = pytest.mark.gen_test(timeout=60)

WAITING = "/v3/signals/status/waiting/0"


async def poll(api):
    """What the bridge trades from."""
    return (await api.get(WAITING)).json["signals"]


async def test_the_poll_gives_each_field_in_the_type_the_bridge_needs(api, desk):
    await api.alert(
        ticker="NMFC-0.72*NYSE:ROIC",
        order_contracts="10",
        order_price=2.3,
        mar_pos_size=None,
        pre_mar_pos_size=None,
    )
    await api.alert(ticker="NYSE:BF.B", order_action="SELL", order_price=None)
    single, pair = await poll(api)
    assert pair | {"timestamp": ""} == {
        "rowid": 1,
        "timestamp": "",
        "ticker": "NMFC-0.72*NYSE:ROIC",
        "order_action": "buy",
        "order_contracts": 10,
        "order_price": 2.3,
        "mar_pos": "long",
        "mar_pos_size": 0,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long",
        "order_status": "waiting",
        "ticker_type": "pair",
        "stk_ticker1": "NMFC",
        "stk_ticker2": "ROIC",
        "ticker1": "NMFC",
        "ticker2": "ROIC",
        "hedge_param": 0.72,
        "order_id1": None,
        "order_id2": None,
        "stk_price1": None,
        "stk_price2": None,
        "price1": None,
        "price2": None,
        "fill_price": None,
        "slip": None,
        "error_msg": None,
        "status_msg": None,
    }
    assert (single["ticker"], single["ticker1"], single["ticker2"]) == ("NYSE:BF.B", "BF B", None)
    assert (single["ticker_type"], single["order_action"]) == ("single", "sell")
    assert single["order_price"] is None


async def test_the_poll_holds_waiting_and_rerouted_newest_first(api, desk):
    states = ["waiting", "created", "rerouted", "waiting", "filled", "canceled", "rerouted"]
    for state in states:
        await api.alert(order_status=state)
    await api.alert(ticker="MSFT")
    await api.alert(ticker="A/B")
    offered = await poll(api)
    assert [signal["rowid"] for signal in offered] == [7, 4, 3, 1]


async def test_the_poll_gives_twenty_without_a_token(api, desk):
    for _ in range(22):
        await api.alert()
    assert [signal["rowid"] for signal in await poll(api)] == list(range(22, 2, -1))


# The file that the bridge reads


def values(text):
    """What the bridge reads from its file."""
    config = configparser.ConfigParser()
    config.read_string(text)
    return config[config.get("environment", "ENV")]


KEY = "a-key-of-the-bridge-1"
GUARDED = {"anonymous_reads": False, "bridge_keys": [KEY], "passphrases": ["100% of a secret"]}
guarded = pytest.mark.parametrize("overrides", [GUARDED], indirect=True)


@guarded
async def test_the_bridges_file_works_as_it_is(api, admin):
    shown = (await api.get("/v3/bridge/config?reveal=1", token=admin)).json
    read = values(shown["config"])
    assert (read["PASSPHRASE"], shown["refused"]) == ("100% of a secret", False)
    assert read.getboolean("SYNC_PAIR") is read.getboolean("CHECK_FUNDS_FOR_TRADE") is False
    assert int(read["CONNECTION_PORT"]) == 7497
    assert {"ACCOUNT_NUMBER", "AVAILABLE_FUND_FLOOR", "LOGFILE_NAME"} < {*map(str.upper, read)}
    secret = base64.b64encode(f"bridge:{KEY}".encode()).decode()
    for name, more in (
        ("API_GET_SIGNAL_WAITING", ""),
        ("API_GET_SIGNAL_ROUTE", ""),
        ("API_GET_TICKER", "AAPL"),
        ("API_GET_PAIR", "MA-V"),
        ("API_GET_PNL", ""),
    ):
        scheme, _, place = read[name].partition("://bridge:" + KEY + "@")
        path = "/" + place.partition("/")[2] + more
        answer = await api.get(path, headers={"Authorization": f"Basic {secret}"})
        assert scheme == "http"
        assert answer.status in (200, 404), name
        assert answer.json != {"message": "there is nothing at this address."}, name
    paths = {name: "/" + read[name].split("/", 3)[3] for name in read if name.startswith("api_put")}
    assert set(paths.values()) == {"/v3/webhook", "/v3/signal/updateorder", "/v3/regpnl"}
    assert read["API_UPDATE_PNL"].endswith("/v3/ticker/updatepnl")
    assert read["API_GET_SIGNAL"].endswith("/v3/signal/")


@guarded
async def test_the_bridges_file_hides_its_secrets_until_asked(api, admin):
    hidden = (await api.get("/v3/bridge/config", token=admin)).json["config"]
    assert "PASSPHRASE : ***" in hidden
    assert "://bridge:***@" in hidden
    for secret in (KEY, "of a secret"):
        assert secret not in hidden


@pytest.mark.parametrize("overrides", [{"anonymous_reads": False}], indirect=True)
async def test_the_bridges_file_tells_that_the_bridge_would_be_refused(api, admin):
    assert (await api.get("/v3/bridge/config", token=admin)).json["refused"]
