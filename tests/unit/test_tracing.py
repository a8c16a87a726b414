"""Traces: what is done shows in them, nobody does, and without being asked for nothing of them is loaded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from test_flow_record import agreement_text

from comity.app.tracing import is_asked_for

CANARY = "canary-7f3a"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP, as protobuf."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.bodies: list[bytes] = []

    def spans(self) -> list:
        every = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [span for one in every for of in one.resource_spans for scope in of.scope_spans for span in scope.spans]


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        assert self.path == "/v1/traces"
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def served(folder: Path, **more: str) -> Iterator[str]:
    """Ended by SIGTERM, by when everything was sent."""
    command = (sys.executable, "-m", "comity.app", "serve", "--port", "0")
    given = {**os.environ, **more}
    with subprocess.Popen(command, cwd=folder, env=given, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def comity(folder: Path, *words: str) -> str:
    command = (sys.executable, "-m", "comity.app", *words)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120).stdout


def token(folder: Path, role: str) -> dict[str, str]:
    made = json.loads(comity(folder, "token", "new", CANARY, "--role", role, "--json"))
    return {"Authorization": f"Bearer {made['token']}"}


def test_what_is_done_for_requests_shows_in_traces_and_nobody_who_sent_them_does(tmp_path: Path) -> None:
    (tmp_path / "agreement.md").write_text(agreement_text("| 1 | suspend | posts | 2 days |"))
    comity(tmp_path, "publish")
    source, gate = token(tmp_path, "source"), token(tmp_path, "gate")
    with collecting() as collector:
        at = f"http://127.0.0.1:{collector.server_port}"
        with (
            served(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=at) as url,
            httpx.Client(base_url=url, timeout=60) as client,
        ):
            epoch = client.get("/v1/standings/snapshot", headers=gate).json()["epoch"]
            sent = {"id": CANARY, "author": CANARY, "channel": "posts", "sent": "2999-01-01T00:00:00Z", "text": CANARY}
            parent = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            answers = [
                client.post("/v1/messages", json={**sent, **more}, headers={**source, **parent}).json()
                for more in ({}, {"id": f"{CANARY}2", "text": f"spam {CANARY}"})
            ]
            assert [one.get("answer") for one in answers] == ["allow", "allow"], answers
            client.get(f"/{CANARY}?account={CANARY}")
            client.get("/v1/standing", params={"account": CANARY, "channel": "posts"}, headers=source)
            with client.stream("GET", "/v1/standings", params={"epoch": epoch, "after": 0}, headers=gate) as stream:
                next(line for line in stream.iter_lines() if '"seq"' in line)
    spans = collector.spans()
    names = {span.name for span in spans}
    assert names >= {"POST /v1/messages", "GET other", "GET /v1/standing", "GET /v1/standings"}
    assert names >= {"acts", "judge", "decide", "commit", "publish", "feed"}
    for body in collector.bodies:
        assert CANARY.encode() not in body
        assert b"Bearer" not in body
    (one, other) = (span for span in spans if span.name == "POST /v1/messages")
    assert one.trace_id.hex() == other.trace_id.hex() == TRACE
    by_id = {span.span_id: span for span in spans}
    assert {by_id[span.parent_span_id].name for span in spans if span.name in ("judge", "commit")} == {"acts"}
    allowed = {"comity.count", "http.request.method", "http.route", "http.response.status_code", "error.type"}
    assert {attribute.key for span in spans for attribute in span.attributes} <= allowed
    assert all(not span.events for span in spans)


def test_what_an_error_says_is_not_told_only_its_kind() -> None:
    script = (
        "from comity.app.otel import sending\n"
        "with sending('1') as spans:\n"
        "    try:\n"
        "        with spans.span('act'):\n"
        f"            raise KeyError('{CANARY}')\n"
        "    except KeyError:\n"
        "        pass\n"
    )
    with collecting() as collector:
        given = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}
        subprocess.run([sys.executable, "-c", script], env=given, check=True, timeout=60)
    (span,) = collector.spans()
    assert [(each.key, each.value.string_value) for each in span.attributes if each.key == "error.type"] == [
        ("error.type", "KeyError")
    ]
    assert CANARY.encode() not in b"".join(collector.bodies)


@pytest.mark.parametrize(
    ("given", "is_asked"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
    ],
)
def test_traces_are_asked_for_by_opentelemetrys_own_variables(given: dict[str, str], is_asked: bool) -> None:
    assert is_asked_for(given) == is_asked


def test_where_nobody_asks_nothing_of_it_is_loaded() -> None:
    script = (
        "import sys, comity.app.serve\n"
        "from comity.app.tracing import tracing\n"
        "with tracing('1'):\n"
        "    assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    given = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", script], env=given, check=True, timeout=60)
