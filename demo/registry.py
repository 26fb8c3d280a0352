"""Registering what the demo trades, as the owner would."""

from demo.client import Client
from demo.universe import PAIRS, PAUSED, REFUSED, SINGLES, Chart

_ADMIN = {"username": "admin", "password": "123"}  # every demo server has this user


class Refused(Exception):
    """The server does not let the demo in."""


def register(client: Client) -> None:
    """Registers all singles and pairs; those that are there stay. Raises Refused."""
    answer = client.post("/v3/login", _ADMIN)
    if answer.status != 200:
        raise Refused("The demo plays on a demo server only: its user admin could not log in.")
    token = answer.json["access_token"]
    for chart in (*SINGLES, *(each for each in REFUSED if not each.leg2)):
        _send(client, "/v3/regticker", chart.leg1.registration(1), token)
    for chart in (*PAIRS, *(each for each in REFUSED if each.leg2), PAUSED):
        for leg in chart.legs:
            _send(client, "/v3/regticker", leg.registration(0), token)
        _send(client, "/v3/regpair", _pair(chart), token)


def _pair(chart: Chart) -> dict:
    return {
        "ticker1": chart.leg1.symbol,
        "ticker2": chart.leg2.symbol,
        "hedge": chart.hedge,
        "status": 0 if chart is PAUSED else 1,
        "notes": "demo",
    }


def _send(client: Client, path: str, body: dict, token: str) -> None:
    answer = client.post(path, body, token)
    if answer.status not in (201, 400):  # 400: it is there already
        raise Refused(f"{path} was answered {answer.status}.")
