"""What Comity uses of the library that Synapse tells its metrics with."""

from collections.abc import Iterator
from typing import Protocol

from prometheus_client.core import Metric

class _Collector(Protocol):
    def collect(self) -> Iterator[Metric]: ...

class CollectorRegistry:
    def register(self, collector: _Collector) -> None: ...

REGISTRY: CollectorRegistry
