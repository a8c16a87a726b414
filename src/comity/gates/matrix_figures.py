"""The gate's figures among Synapse's own, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from comity.gates.figures import PREFIX, figures
from comity.gates.following import Clock
from comity.gates.replica import Replica


class Figures:
    """Collected when Synapse is asked for its metrics. `name`: the gate's, told with each."""

    def __init__(self, name: str, replica: Replica, clock: Clock) -> None:
        self._name, self._replica, self._clock = name, replica, clock

    def describe(self) -> Iterator[Metric]:
        """Nothing: the same names may come from another gate in this process."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        for name, value in figures(self._replica, self._clock.now()).items():
            gauge = GaugeMetricFamily(f"{PREFIX}{name}", "See Comity's page on gates.", labels=["gate"])
            gauge.add_metric([self._name], float(value))
            yield gauge
        events = CounterMetricFamily(f"{PREFIX}events", "What happened, by kind.", labels=["gate", "kind"])
        for kind, count in sorted(self._replica.counts.copy().items()):
            events.add_metric([self._name, kind], count)
        yield events
