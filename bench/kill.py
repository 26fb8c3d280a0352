"""8 senders, kill -9 in their midst, restart, again and again: what was answered must be there."""

import asyncio
import json
import signal

from bench import data
from bench.load import Connection, Load
from bench.processes import running, server
from bench.run import Failed, Run

SENDERS = 8
ANSWERS = 300  # in each round, before the kill


async def round_of(process, numbers: list[int], answered: dict[int, int]) -> None:
    """Senders post until the server is killed; the unanswered alert is sent again next time."""
    goal = len(answered) + ANSWERS

    async def send(sender: int) -> None:
        connection = await Connection(process.port).open()
        while True:
            number = sender * 10**6 + numbers[sender]
            body = {**data.ALERT, "alert_id": str(number), "order_comment": str(number)}
            request = Load(process.port, 1, 0, "POST", "/v3/webhook", json.dumps(body)).request(0)
            try:
                status, answer = await connection.ask(request)
            except OSError:
                return
            if status not in (200, 201):
                raise Failed(f"an alert was answered {status}")
            answered[number] = json.loads(answer)["rowid"]
            numbers[sender] += 1
            if len(answered) == goal:
                process.send(signal.SIGKILL)

    await asyncio.gather(*(send(sender) for sender in range(SENDERS)))


async def stored(process) -> dict[int, list[int]]:
    """{alert: rowids} of all that is in the database."""
    connection = await Connection(process.port).open()
    token = await asyncio.to_thread(data.token, process)
    found: dict[int, list[int]] = {}
    before = 10**9
    while before > 1:
        path = f"/v3/signals/100?before={before}"
        _, body = await connection.ask(Load(process.port, 1, 0, path=path, token=token).request(0))
        rows = json.loads(body)["signals"]
        for row in rows:
            found.setdefault(int(row["order_comment"]), []).append(row["rowid"])
        before = rows[-1]["rowid"] if rows else 0
    return found


def measure(run: Run) -> None:
    """Adds the row; raises Failed when anything was lost or doubled."""
    database = data.make(run.folder / "kill.db", 0)
    answered: dict[int, int] = {}
    numbers = [0] * SENDERS
    for _ in range(run.plan.kills):
        process = server(database)
        asyncio.run(round_of(process, numbers, answered))
        process.end(signal.SIGKILL)
    with running(server(database)) as process:
        found = asyncio.run(stored(process))
    lost = [number for number, rowid in answered.items() if rowid not in found.get(number, [])]
    doubled = [number for number, rowids in found.items() if len(rowids) > 1]
    figures = {"alerts answered": len(answered), "lost": len(lost), "doubled": len(doubled)}
    targets = {"lost": ("<=", 0), "doubled": ("<=", 0)}
    run.add(
        "kill", f"{run.plan.kills} times kill -9, {SENDERS} senders", "SQLite", figures, targets
    )
    if lost or doubled:
        raise Failed("an answered alert was lost or doubled")
