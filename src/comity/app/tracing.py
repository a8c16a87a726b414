"""Traces of `comity serve`, where the environment names a collector; else nothing of OpenTelemetry is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from comity.app.errors import StopError
from comity.ports import NO_SPANS, Spans

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def tracing(version: str) -> Iterator[Spans]:
    """Until the end, when what is left is sent. Raises `StopError` if traces are asked for and cannot be made."""
    if not is_asked_for(os.environ):
        yield NO_SPANS
        return
    try:
        from comity.app.otel import sending
    except ImportError as error:
        message = f"{' or '.join(_ENDPOINTS)} asks for traces, and OpenTelemetry is not installed"
        raise StopError(message, help="Install it: `pip install 'comity[otel]'`.") from error
    with sending(version) as spans:
        yield spans


def is_asked_for(given: Mapping[str, str]) -> bool:
    """As OpenTelemetry's own variables say."""
    is_off = given.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    chosen = given.get("OTEL_TRACES_EXPORTER", "").strip()
    is_named = chosen == "otlp" or (not chosen and any(given.get(each) for each in _ENDPOINTS))
    return is_named and not is_off
