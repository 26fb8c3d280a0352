"""The server's figures for Prometheus."""

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)

from handlers.base import BaseHandler
from handlers.contract import Right, right
from models import Alarm, RejectedAlert, Signal, Trading
from services import decisions
from settings import VERSION
from trading import guards, statuses

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

disable_created_metrics()  # else each series has another one, with the time it began


class Metrics(BaseHandler):
    """/metrics: figures of this process and of the database, for a token or from this machine."""

    @right(Right.LOCAL)
    async def get(self) -> None:
        application = self.application
        stored = await application.reader.run(application.figures.stored)
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        for each in (application.figures.requests, application.writer.batches):
            registry.register(each)
        registry.register(application.hub.latencies)
        registry.register(Scrape(application, stored))
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest(registry))


class Figures:
    """What is counted for a scrape: each request as it ends, and what the database knows."""

    def __init__(self, application: Any, patterns: dict[type, str]):
        self._application, self._patterns = application, patterns
        self.requests = Histogram(
            "pairs_request_seconds",
            "How long requests took.",
            ("route", "method", "status"),
            buckets=SECONDS,
            registry=None,
        )
        # The series by what they count: to look up their labels would cost 8 µs a request.
        self.seen: dict[tuple[type, str, int], Histogram] = {}

    def series(self, handler: type, method: str, hundreds: int) -> Histogram:
        """The series of a handler's requests by this method whose status begins with a digit."""
        known = method in handler.SUPPORTED_METHODS  # senders make others up
        route = self._patterns.get(handler, "other")
        series = self.requests.labels(route, method if known else "other", f"{hundreds}xx")
        if known:
            self.seen[handler, method, hundreds] = series
        return series

    def stored(self) -> dict[str, Any]:
        """What only the database knows, for the reading thread."""
        signals = dict.fromkeys((*statuses.KNOWN, "other"), 0)
        for status, count in Signal.count_by_status():
            signals[status if status in signals else "other"] += count
        rejected = {("yes" if known else "no"): n for known, n in RejectedAlert.count_by_sender()}
        polled = self._application.polls.last()
        return {
            "signals": signals,
            "rejected": rejected,
            "alarms": Alarm.count_open(),
            "mode": Trading.in_force()[0],
            "loss": decisions.loss_today(),
            "bridge": max(0.0, time.time() - polled) if polled else None,
        }


class Scrape:
    """One scrape, as Prometheus's families."""

    def __init__(self, application: Any, stored: dict[str, Any]):
        self._application = application
        self._stored = stored

    def describe(self) -> list:
        """No families: they are known at the scrape only."""
        return []

    def collect(self) -> Iterator[Any]:
        """Each family in turn."""
        yield InfoMetricFamily("pairs", "The release.", value={"version": VERSION})
        yield from self._labelled()
        waiting = self._application.writer.waiting
        yield GaugeMetricFamily("pairs_writer_waiting", "Writes in the queue.", value=waiting)
        age = GaugeMetricFamily("pairs_bridge_age_seconds", "Since the bridge's last poll.")
        if self._stored["bridge"] is not None:
            age.add_metric([], self._stored["bridge"])
        yield age
        loss = GaugeMetricFamily("pairs_loss_today", "The account's loss of the day.")
        if self._stored["loss"] is not None:
            loss.add_metric([], self._stored["loss"])
        yield loss

    def _labelled(self) -> Iterator[Any]:
        app, stored = self._application, self._stored
        users = sum(each.session is not None for each in app.hub.listeners)
        sockets = {"yes": users, "no": len(app.hub.listeners) - users}
        refused = app.gate.refused_posts()
        modes = {mode: int(mode == stored["mode"]) for mode in guards.MODES}
        ruled = {rule: app.ruled[rule] for rule in guards.RULES}
        for kind, name, text, label, values in (
            (GaugeMetricFamily, "websockets", "Open websockets.", "logged_in", sockets),
            (GaugeMetricFamily, "signals", "Stored signals.", "status", stored["signals"]),
            (GaugeMetricFamily, "rejected_alerts", "Kept.", "passphrase", stored["rejected"]),
            (GaugeMetricFamily, "alarms", "Open alarms.", "kind", stored["alarms"]),
            (GaugeMetricFamily, "trading_mode", "1 for the mode in force.", "mode", modes),
            (CounterMetricFamily, "held_back_signals", "By rule.", "rule", ruled),
            (CounterMetricFamily, "refused_posts", "Posts without a row.", "reason", refused),
        ):
            family = kind(f"pairs_{name}", text, labels=[label])
            for value, count in values.items():
                family.add_metric([value], count)
            yield family


routes = [(r"/metrics", Metrics)]
