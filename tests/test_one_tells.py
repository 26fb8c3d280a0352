"""Several processes share a database: each alarm is sent by one of them."""

import re

import pytest

from tests.mails import receiving
from tests.several import Servers, apis

pytestmark = [pytest.mark.postgresql, pytest.mark.slow, pytest.mark.gen_test(timeout=120)]

ALARMS = 24


async def test_each_alarm_is_sent_once_whichever_process_stored_its_cause(
    postgresql, tmp_path, monkeypatch
):
    with postgresql.empty() as url, receiving() as mails:
        monkeypatch.setenv("PAIRS_ALARM_URLS", mails.address())
        monkeypatch.setenv("PAIRS_ALARM_PAUSE_SECONDS", "0")
        servers = Servers(url, tmp_path, 2)
        try:
            clients = apis(servers.ports)
            for number in range(ALARMS):
                api = clients[number % 2]
                assert (await api.alert(ticker="NOPE", alert_id=str(number))).status == 201
            told = []
            while len(told) < ALARMS:
                _, text = await mails.next()
                told += [int(rowid) for rowid in re.findall(r"Signal (\d+), NOPE", text)]
            assert sorted(told) == sorted(set(told))
            token = await clients[1].token()
            shown = (await clients[1].get("/v3/alarms", token=token)).json["alarms"]
            assert len(shown) == ALARMS
        finally:
            servers.end()
        # Whoever is left takes over, and tells of nothing that was told.
        assert mails.is_empty
        assert "level=error" not in servers.logs()
