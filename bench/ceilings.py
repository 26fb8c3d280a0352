"""What this machine gives the bare drivers: durable commits and rows a second."""

import contextlib
import time

from bench.run import Run

BATCH = 64
MAKE = "CREATE TABLE plain (id INTEGER, text VARCHAR(200))"


def commits(connection, batch: int, seconds: float) -> float:
    """Transactions a second, each with that many rows of 200 bytes."""
    cursor = connection.cursor()
    mark = "?" if type(connection).__module__ == "sqlite3" else "%s"
    insert, row = f"INSERT INTO plain VALUES ({mark}, {mark})", (1, "x" * 200)  # noqa: S608
    count, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        cursor.execute("BEGIN")
        for _ in range(batch):
            cursor.execute(insert, row)
        cursor.execute("COMMIT")
        count += 1
    return count / elapsed


def measure(run: Run, store) -> float:
    """Adds the row; commits a second of one row each."""
    with contextlib.closing(store.connect()) as connection:
        connection.cursor().execute(MAKE)
        single = commits(connection, 1, run.plan.seconds)
        many = commits(connection, BATCH, run.plan.seconds)
    figures = {"commits/s": single, f"rows/s in commits of {BATCH}": BATCH * many}
    run.add("ceilings", "bare driver, durable", store.name, figures)
    return single
