"""How the service is doing, for Prometheus: counts and times, nothing of people, and a bounded number of series."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from litestar import Response, get
from litestar.types import ControllerRouterHandler
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from comity.api.watch import Watch
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.log import CHECKPOINT_PATH, COSIGNED_PATH
from comity.ports import Clock, GateAcks, Mails, Outcome, PublishedLog, Store, Webhooks

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_MOST_GATES: Final = 100
_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """What is counted while the service runs, and what is looked up when somebody asks."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        GCCollector(registry=self._registry)
        ProcessCollector(registry=self._registry)
        self._requests = Histogram(
            "comity_request_seconds",
            "From a request to the end of its answer.",
            ["method", "route", "status"],
            registry=self._registry,
            buckets=_BOUNDS,
        )
        self._messages = Counter(
            "comity_messages", "Messages answered, by what became of them.", ["outcome"], registry=self._registry
        )
        for outcome in Outcome:
            self._messages.labels(outcome)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` as the table of routes has it, never a path."""
        self._requests.labels(method, route, status).observe(seconds)

    def judged(self, outcomes: Iterable[Outcome]) -> None:
        for outcome, count in Counted(outcomes).items():
            self._messages.labels(outcome).inc(count)

    def also(self, collector: Collector) -> None:
        """Ask this one too."""
        self._registry.register(collector)

    def text(self) -> bytes:
        return generate_latest(self._registry)


class State(Collector):
    """How things stand when it is asked. `store` is only read."""

    def __init__(
        self,
        store: Store,
        log: PublishedLog,
        acks: GateAcks,
        hooks: Webhooks,
        mails: Mails,
        clock: Clock,
        queued: Callable[[], int],
    ) -> None:
        self._store, self._log, self._acks, self._hooks, self._clock = store, log, acks, hooks, clock
        self._mails, self._queued = mails, queued

    def describe(self) -> Iterable[Metric]:
        """Nothing is looked up to register it."""
        return ()

    def collect(self) -> Iterator[Metric]:
        yield _gauge("comity_messages_queued", "Messages that wait to be judged.", self._queued())
        waiting = sum(1 for _ in self._store.waiting())
        yield _gauge("comity_reviews_waiting", "Cases and appeals that wait for a person.", waiting)
        published, cosigned = _size(self._log, CHECKPOINT_PATH), _size(self._log, COSIGNED_PATH)
        yield _gauge("comity_ledger_entries", "Entries of the ledger.", self._store.size)
        yield _gauge("comity_ledger_unpublished", "Entries not published yet.", self._store.size - (published or 0))
        if cosigned is not None and published is not None:
            yield _gauge("comity_ledger_uncosigned", "Entries no witness vouches for yet.", published - cosigned)
        yield from self._of_gates()
        letters = [(self._hooks.waiting(each.id), len(self._hooks.dead(each.id))) for each in self._hooks.every()]
        yield _gauge("comity_webhook_events_waiting", "Events on their way.", sum(each for each, _ in letters))
        yield _gauge("comity_webhook_events_dead", "Events that were given up.", sum(each for _, each in letters))
        pause = self._mails.pause
        yield _gauge("comity_mails_waiting", "Statements on their way by e-mail.", self._mails.waiting())
        yield _gauge("comity_mails_dead", "Statements whose mail was given up.", len(self._mails.dead()))
        failures = pause.failures if pause else 0
        yield _gauge("comity_mail_server_failures", "Times in a row that the mail server took nothing.", failures)

    def _of_gates(self) -> Iterator[Metric]:
        behind = GaugeMetricFamily(
            "comity_gate_changes_behind", "Changes that a gate has not applied.", labels=["gate"]
        )
        quiet = GaugeMetricFamily(
            "comity_gate_quiet_seconds", "Seconds since a gate last said what it has applied.", labels=["gate"]
        )
        now, cursor = self._clock.now(), self._store.feed.cursor
        for ack in islice(self._acks.every(), _MOST_GATES):
            behind.add_metric([ack.gate], max(0, cursor - ack.cursor))
            quiet.add_metric([ack.gate], _seconds(ack.applied_at, now))
        yield from (behind, quiet)


def metric_routes(metrics: Metrics, watch: Watch) -> list[ControllerRouterHandler]:
    @get("/metrics", media_type=TEXT)
    async def text() -> Response[bytes]:
        """Rates, times, queues and lags, as Prometheus reads them. Keep it from the open network: see docs/serve.md."""
        return Response(await watch.ask(lambda _: metrics.text()), media_type=TEXT)

    return [text]


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _size(log: PublishedLog, path: str) -> int | None:
    signed = log.read(path)
    return None if signed is None else unverified_checkpoint(signed).size


def _seconds(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
