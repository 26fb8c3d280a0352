"""Several processes share a database, and only one of them sends an alarm."""

import re
import signal

import pytest

from tests.mails import receiving
from tests.several import Servers, apis

pytestmark = [pytest.mark.postgresql, pytest.mark.slow, pytest.mark.gen_test(timeout=120)]

ALARMS = 16  # fewer than fit into one message


async def cause(clients, numbers):
    """Makes signals that fail; the processes take turns to store them."""
    for number in numbers:
        api = clients[number % len(clients)]
        assert (await api.alert(ticker="NOPE", alert_id=str(number))).status == 201


async def told(mails, count):
    """The signals of the next `count` alarms that come by mail."""
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
                servers.restart(port, signal.SIGTERM)  # one of the processes is the one that looks
                first = ALARMS + servers.ports.index(port)
                await cause([client], [first])
                assert await told(mails, 1) == [first + 1]
        finally:
            servers.end()
        assert mails.is_empty
        assert "level=error" not in servers.logs()
