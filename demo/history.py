"""The account's past weeks, so that its chart has something to show from the start."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from demo.books import START
from demo.client import PASSPHRASE, Client

_DAYS = 15
_HOURS = tuple(time(hour, 30, tzinfo=UTC) for hour in range(14, 21))


def write(client: Client, seed: int) -> None:
    """Posts a record for each hour of the past weeks and dates it back, as a bridge may."""
    for moment, figures in _records(seed, datetime.now(UTC).date()):
        body = {"passphrase": PASSPHRASE} | figures
        client.post("/v3/regpnl", body)
        newest = client.get("/v3/pnl/1").json.get("signals")
        if newest:
            stamp = {"rowid": newest[0]["rowid"], "timestamp": f"{moment:%Y-%m-%d %H:%M:%S}"}
            client.put("/v3/regpnl", body | stamp)


def _weekdays(today: date) -> list[date]:
    days = (today - timedelta(days=back) for back in range(1, 2 * _DAYS))
    return sorted([day for day in days if day.weekday() < 5][:_DAYS])


def _records(seed: int, today: date) -> Iterator[tuple[datetime, dict[str, float]]]:
    """(when, figures): a walk that ends at the first day's opening figure."""
    chance = random.Random(f"history {seed}")
    moments = [datetime.combine(day, hour) for day in _weekdays(today) for hour in _HOURS]
    steps = [chance.gauss(70, 450) for _ in moments]
    net = opening = START - sum(steps)
    for moment, step in zip(moments, steps, strict=True):
        if moment.timetz() == _HOURS[0]:
            opening = net
        net += step
        yield moment, _figures(net, net - opening, chance.uniform(0.3, 0.9))


def _figures(net: float, daily: float, used: float) -> dict[str, float]:
    gross = used * net
    free = net - gross / 4
    money = {
        "AvailableFunds": free,
        "BuyingPower": 4 * free,
        "GrossPositionValue": gross,
        "MaintMarginReq": gross / 4,
        "NetLiquidation": net,
    }
    pnl = {"DailyPnL": daily, "RealizedPnL": 0.7 * daily, "UnrealizedPnL": 0.3 * daily}
    rounded = {name: float(round(amount)) for name, amount in money.items()}
    return rounded | {name: round(amount, 1) for name, amount in pnl.items()}
