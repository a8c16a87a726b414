"""What takes how long, for whoever follows it through the service (OpenTelemetry, where it is configured).

A span has a name and counts, never what somebody wrote, whom it is about, or what an error says.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol


class Spans(Protocol):
    """Any thread may ask. What runs inside a span, in the same thread or task, is a part of it."""

    def span(self, name: str, count: int = 1) -> AbstractContextManager[object]:
        """`count`: of how many things."""

    def request(self, headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[Answering]:
        """A request from outside. Of `headers` those of W3C Trace Context are read: what it is a part of."""


class Answering(Protocol):
    def answered(self, method: str, route: str, status: int) -> None:
        """`route` as the table of routes has it, never a path."""


class NoSpans:
    """Nobody follows."""

    def span(self, name: str, count: int = 1) -> AbstractContextManager[object]:
        return _NOTHING

    def request(self, headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[Answering]:
        return _UNSEEN


class _Unseen:
    def answered(self, method: str, route: str, status: int) -> None: ...


_NOTHING: Final = nullcontext()
_UNSEEN: Final[AbstractContextManager[Answering]] = nullcontext(_Unseen())
NO_SPANS: Final = NoSpans()
