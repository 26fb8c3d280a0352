"""Several processes share a database: each alarm is sent by one of them."""

import re
import signal

import pytest

from tests.mails import receiving
from tests.several import Servers, apis

pytestmark = [pytest.mark.postgresql, pytest.mark.slow, pytest.mark.gen_test(timeout=120)]

ALARMS = 16  # fewer than a message has room for


async def cause(clients, numbers):
    """Signals that fail, each stored by the next process."""
    for number in numbers:
        api = clients[number % len(clients)]
        assert (await api.alert(ticker="NOPE", alert_id=str(number))).status == 201


async def told(mails, count):
    """The signals of the next so many alarms that were mailed."""
    found = []
    while len(found) < count:
        _, text = await mails.next()
        found += [int(rowid) for rowid in re.findall(r"Signal (\d+), NOPE", text)]
    return found


async def test_each_alarm_is_sent_once_whoever_stored_its_cause_and_whoever_stops(
    postgresql, tmp_path
):
    with postgresql.empty() as url, receiving() as mails:
        settings = {"alarm_urls": mails.address(), "alarm_pause_seconds": 0}
        servers = Servers(url, tmp_path, 2, **settings)
        try:
            clients = apis(servers.ports)
            await cause(clients, range(ALARMS))
            assert sorted(await told(mails, ALARMS)) == list(range(1, ALARMS + 1))
            shown = (await clients[1].get("/v3/alarms", token=await clients[1].token())).json
            assert len(shown["alarms"]) == ALARMS
            for port, client in zip(list(servers.ports), reversed(clients), strict=True):
                servers.restart(port, signal.SIGTERM)  # one of them is who looks
                first = ALARMS + servers.ports.index(port)
                await cause([client], [first])
                assert await told(mails, 1) == [first + 1]
        finally:
            servers.end()
        assert mails.is_empty
        assert "level=error" not in servers.logs()
