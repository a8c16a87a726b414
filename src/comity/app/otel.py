"""Spans as OpenTelemetry has them, sent as OTLP over HTTP; its own variables (OTEL_...) say where, and how many.

What an error says is never recorded, only its kind: it may name people.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from comity.ports import Spans

_CARRIED: Final = (b"traceparent", b"tracestate")
_SERVER_FAULT: Final = 500


@contextmanager
def sending(version: str) -> Iterator[Spans]:
    """Until the end; what is left is sent then."""
    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "comity"}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield OtelSpans(provider.get_tracer("comity", version))
    finally:
        provider.shutdown()


class OtelSpans:
    """What is done, as spans of one tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer, self._carried = tracer, TraceContextTextMapPropagator()

    def span(self, name: str, count: int = 1) -> AbstractContextManager[object]:
        return _Open(self._begun(name, SpanKind.INTERNAL), count)

    def request(self, headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[_Open]:
        carried = {name.decode(): value.decode("latin-1") for name, value in headers if name in _CARRIED}
        return _Open(self._begun("request", SpanKind.SERVER, self._carried.extract(carried, Context())))

    def _begun(self, name: str, kind: SpanKind, within: Context | None = None) -> AbstractContextManager[Span]:
        return self._tracer.start_as_current_span(
            name, within, kind, record_exception=False, set_status_on_exception=False
        )


class _Open:
    """One span, until it ends."""

    def __init__(self, begun: AbstractContextManager[Span], count: int | None = None) -> None:
        self._begun, self._count = begun, count

    def __enter__(self) -> _Open:
        self._span = self._begun.__enter__()
        if self._count is not None:
            self._span.set_attribute("comity.count", self._count)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(StatusCode.ERROR)
        self._begun.__exit__(kind, error, at)

    def answered(self, method: str, route: str, status: int) -> None:
        self._span.update_name(f"{method} {route}")
        self._span.set_attribute("http.request.method", method)
        self._span.set_attribute("http.route", route)
        self._span.set_attribute("http.response.status_code", status)
        if status >= _SERVER_FAULT:
            self._span.set_status(StatusCode.ERROR)
