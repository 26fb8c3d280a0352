"""The shipped supervisord.conf with the real supervisord: crashes, stops, logs."""

import asyncio
import json
import os
import signal
import socket
import time

import pytest

from tests.conftest import alert
from tests.deploy.places import copy_project, furnish, supervised
from tests.test_listening import listen
from tests.test_processes import call, login, signals

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A supervised server in a copy of the project."""
    place = tmp_path_factory.mktemp("site")
    copy_project(place)
    with supervised(place, furnish(place)) as running:
        yield running


async def refound(port, after):
    """A websocket as soon as somebody greets it again: its greeting and the event after it."""
    while True:
        try:
            line, _ = await listen(port, after)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        message = json.loads(await line.read_message())
        line.close()
        return message


def test_a_killed_server_comes_back_with_sessions_and_no_gap_in_events(site):
    token = login(site.port)

    async def kill():
        line, hello = await listen(site.port)
        os.kill(await asyncio.to_thread(site.pid), signal.SIGKILL)
        assert await line.read_message() is None
        begun = time.monotonic()
        # The next change comes while the client is away.
        await asyncio.to_thread(post_again, site.port)
        gap = time.monotonic() - begun
        return hello["event"], await refound(site.port, hello["event"]), gap

    seen, missed, gap = asyncio.run(kill())
    print(f"killed, the server answered again after {gap:.2f} s")
    assert (missed["event"], missed["type"]) == (seen + 1, "signal.created")
    assert call(site.port, "GET", "/v3/users/0", token=token)[0] == 200
    assert len(signals(site.port)) == 1


def post_again(port):
    """Sends an alert until it is answered, as TradingView does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return call(port, "POST", "/v3/webhook", alert(alert_id="again"))
        except OSError:
            continue
    raise TimeoutError


def test_a_signal_restarts_it_in_the_same_process(site):
    pid, starts = site.pid(), site.log().count("listens at")
    assert "signalled" in site.control("signal", "USR2", "pairs-api:*")
    assert call(site.port, "GET", "/v3/totals")[0] == 200
    site.wait_for_log("listens at", starts + 1)
    assert site.pid() == pid


def test_a_stop_is_graceful_and_the_log_is_in_the_folder(site):
    starts = site.log().count("listens at")
    assert "pairs-api: stopped" in site.control("stop", "pairs-api")
    log = (site.place / "pairs-api.log").read_text()
    assert 'message="stopped"' in log.splitlines()[-1]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", site.port))
    assert "pairs-api: started" in site.control("start", "pairs-api")
    site.wait_for_log("listens at", starts + 1)
    assert "Traceback" not in site.log()
    assert oct((site.place / "supervisor.sock").stat().st_mode)[-3:] == "700"
