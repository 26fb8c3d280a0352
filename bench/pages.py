"""The pages' own requests, one after the other."""

from bench import data, load
from bench.load import Load
from bench.processes import running, serving
from bench.requests import refuse_failures
from bench.run import Run

REQUESTS = (
    ("dashboard, first page", "/dashboard", 300),
    ("dashboard, one status", "/dashboard?status=error", 300),
    ("dashboard, one pair", "/dashboard?ticker=MA-V", 300),
    ("list of one pair", "/list?ticker_webhook=MA-V", 300),
    ("filter: status", "/v3/signals/200?status=canceled", 200),
    ("filter: type", "/v3/signals/200?type=single", 200),
    ("filter: text, found often", "/v3/signals/200?q=Long", 200),
    ("filter: text, found nowhere", "/v3/signals/200?q=nowhere", 200),
    ("load older, from the middle", "/v3/signals/200?before={half}", 200),
    ("figures", "/v3/figures", 200),
)


def measure(run: Run, store) -> None:
    """Adds the rows."""
    with running(run.serve(store.make(run.plan.paged), command=serving)) as ours:
        token = data.token(ours)
        for name, path, limit in REQUESTS:
            asked = path.format(half=run.plan.paged // 2)
            asking = Load(ours.port, 1, run.plan.seconds, path=asked, token=token)
            result = refuse_failures(name, load.run(asking))
            figures = {"p50 ms": result.p50, "p99 ms": result.p99}
            run.add("pages", name, store.name, figures, {"p99 ms": ("<=", limit)})
