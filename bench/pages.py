"""The pages' own requests with 100,000 signals stored, one after the other."""

from pathlib import Path

from bench import data, load
from bench.http import SIGNALS, refuse_failures
from bench.load import Load
from bench.processes import running, server

SECONDS = 2.0
REQUESTS = (
    ("dashboard, first page", "/dashboard", 300),
    ("dashboard, one status", "/dashboard?status=error", 300),
    ("dashboard, one pair", "/dashboard?ticker=MA-V", 300),
    ("list of one pair", "/list?ticker_webhook=MA-V", 300),
    ("filter: status", "/v3/signals/200?status=canceled", 200),
    ("filter: type", "/v3/signals/200?type=single", 200),
    ("filter: text, found often", "/v3/signals/200?q=Long", 200),
    ("filter: text, found nowhere", "/v3/signals/200?q=nowhere", 200),
    ("load older, from the middle", "/v3/signals/200?before=50000", 200),
    ("figures", "/v3/figures", 200),
)


def run(folder: Path) -> None:
    """Prints the table."""
    print(f"\n### Pages, {SIGNALS:,} signals\n")
    print("| request | p50 ms | p99 ms | target ms |\n|---|---|---|---|")
    with running(server(data.make(folder / "pages.db", SIGNALS))) as process:
        token = data.token(process)
        for name, path, target in REQUESTS:
            result = load.run(Load(process.port, 1, SECONDS, path=path, token=token))
            refuse_failures(name, result)
            print(f"| {name} | {result.p50:.1f} | {result.p99:.1f} | {target} |", flush=True)
