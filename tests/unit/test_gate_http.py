"""What the `http` gate answers to a web server, whoever asks, and whatever an account is called."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from test_flow_feed import EVE, Watched
from test_flow_record import DAY, NOW
from test_gate_replica import Gate

from comity.gates.answers import Allow, Answer, Deny, Limited, Unavailable
from comity.gates.authz import Asked, answered
from comity.gates.disk import Disk
from comity.gates.following import Centre, Follower
from comity.gates.http import HttpGate, Trust
from comity.model.ids import DecisionId
from comity.stores.world import FixedClock

STATEMENT = DecisionId("5f" * 16)
DENY = Deny(statement=STATEMENT, reason="“No spam”", until=NOW + DAY, link="https://example.org/r/abc_-1")


def asked(query: str = "channel=posts", *accounts: bytes, path: str = "/authz", wants_page: bool = False) -> Asked:
    return Asked(path=path, query=query, accounts=accounts or (b"ann",), wants_page=wants_page)


def said(request: Asked, check: Callable[[str, str], Answer]) -> tuple[int, dict[str, str], bytes]:
    return parsed(answered(request, check, {})[0])


def parsed(content: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert len(headers) == len(lines)
    assert int(headers["content-length"]) == len(body)
    return int(first.split(" ")[1]), headers, body


def test_a_refusal_says_why_until_when_and_where_to_read_more() -> None:
    status, headers, body = said(
        asked(), lambda channel, handle: DENY if (channel, handle) == ("posts", "ann") else Allow()
    )
    assert (status, headers["content-type"]) == (403, "application/problem+json")
    assert headers["link"] == '<https://example.org/r/abc_-1>; rel="describedby"'
    assert (headers["cache-control"], headers["comity-statement"]) == ("no-store", STATEMENT)
    assert json.loads(body) == {
        "title": "You cannot communicate here now",
        "status": 403,
        "detail": "This account is cut off until 2026-06-02 12:00 UTC. Clause: “No spam”.",
        "statement": STATEMENT,
        "reason": "“No spam”",
        "until": "2026-06-02T12:00:00Z",
        "link": "https://example.org/r/abc_-1",
    }


def test_a_browser_gets_a_page() -> None:
    status, headers, body = said(asked(wants_page=True), lambda *_: DENY)
    assert (status, headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert b'<a href="https://example.org/r/abc_-1" rel="noreferrer">' in body
    assert "“No spam”" in body.decode()


def test_what_passes_is_told_apart() -> None:
    limited = Limited(limit="3 an hour", statement=STATEMENT, reason="r", until=None, link="")
    for answer, status, standing in (
        (Allow(), 200, "open"),
        (Allow(is_stale=True), 200, "open; stale"),
        (limited, 200, "limited"),
    ):
        found, headers, body = said(asked(), lambda *_, answer=answer: answer)
        assert (found, headers["comity-standing"], body) == (status, standing, b"")
    assert headers["comity-limit"] == "3 an hour"


def test_what_cannot_be_said_is_a_temporary_error() -> None:
    status, headers, _ = said(asked(), lambda *_: Unavailable(reason="nothing is known"))
    assert (status, headers["retry-after"]) == (503, "5")


def test_who_is_nobody_passes_unasked() -> None:
    for accounts in ((b"",), ()):
        request = Asked(path="/authz", query="channel=posts", accounts=accounts, wants_page=False)
        assert said(request, lambda *_: DENY)[0] == 200


@pytest.mark.parametrize(
    "query", ["", "channel=", "channel=Posts", "channel=a%0d%0ab", "channel=" + "a" * 101, "chan=a"]
)
def test_a_channel_must_be_named(query: str) -> None:
    assert said(asked(query), lambda *_: DENY)[0] == 400


def test_only_the_first_channel_counts_since_a_client_may_write_the_rest() -> None:
    query = "channel=posts&path=/x?y&channel=free"
    assert said(asked(query), lambda channel, _: DENY if channel == "posts" else Allow())[0] == 403


def test_an_account_that_is_named_twice_or_in_no_utf8_is_refused() -> None:
    assert said(asked("channel=posts", b"ann", b"bob"), lambda *_: Allow())[0] == 400
    assert said(asked("channel=posts", b"\xff"), lambda *_: Allow())[0] == 400


@pytest.mark.parametrize(
    "hostile",
    [
        "x\r\nSet-Cookie: a=b",
        "https://a/>; rel=x",
        "javascript:alert(1)",
        "https://a/\r\nX: y",
        "https://ü/",
        "https://a/<b>",
    ],
)
def test_nothing_gets_into_headers_or_markup(hostile: str) -> None:
    answer = Deny(statement=STATEMENT, reason=f"<script>{hostile}", until=None, link=hostile)
    for wants_page in (False, True):
        _, headers, body = said(asked(wants_page=wants_page), lambda *_: answer)
        assert set(headers) <= {
            "content-type",
            "comity-standing",
            "comity-statement",
            "cache-control",
            "content-length",
        }
        assert not wants_page or b"<script>" not in body
    limited = Limited(limit=hostile, statement=STATEMENT, reason="", until=None, link=hostile)
    assert "set-cookie" not in said(asked(), lambda *_: limited)[1]


@asynccontextmanager
async def listening(
    tmp_path: Path, addresses: frozenset[str] = frozenset({"127.0.0.1"})
) -> AsyncIterator[tuple[Gate, int]]:
    """A gate that knows of ann and eve, on a free port."""
    told = Gate(Watched())
    for author in ("ann", EVE):
        told.watched.say("spam", author=author)
    told.load()
    told.follow()
    with Disk(tmp_path) as disk:
        clock = FixedClock(NOW)
        follower = Follower(told.replica, disk, Centre(url="http://127.0.0.1:9", token="t", gate="web"), clock)
        gate = HttpGate(told.replica, follower, clock, Trust(header=b"x-account", addresses=addresses))
        server = await asyncio.get_running_loop().create_server(gate, "127.0.0.1", 0)
        async with server:
            yield told, server.sockets[0].getsockname()[1]


async def exchange(port: int, content: bytes, *, pieces: int = 1) -> bytes:
    """All that comes back until the gate closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    size = -(-len(content) // pieces)
    for start in range(0, len(content), size):
        writer.write(content[start : start + size])
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


def request(
    account: bytes, target: bytes = b"/authz?channel=posts", *, last: bool = True, header: bytes = b"X-Account"
) -> bytes:
    close = b"Connection: close\r\n" if last else b""
    return b"GET %s HTTP/1.1\r\nHost: gate\r\n%s: %s\r\n%s\r\n" % (target, header, account, close)


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)]


def test_requests_over_one_connection_are_answered_in_order_however_they_are_cut(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path) as (_, port):
            several = request(b"ann", last=False) + request(b"bob", last=False) + request(b"ann")
            for pieces in (1, 7, 50):
                assert statuses(await exchange(port, several, pieces=pieces)) == [403, 200, 403]

    asyncio.run(told())


def test_a_body_is_passed_over_and_too_much_is_refused(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path) as (_, port):
            posted = request(b"ann").replace(b"GET", b"POST").replace(b"Host", b"Content-Length: 4\r\nHost") + b"body"
            assert statuses(await exchange(port, posted)) == [403]
            assert statuses(await exchange(port, b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)) == [431]
            for garbage in (b"\x16\x03\x01\x00\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
                assert statuses(await exchange(port, garbage)) == [400]

    asyncio.run(told())


@pytest.mark.parametrize(("method", "target"), [(b"GET", b"/authz?channel=posts"), (b"CONNECT", b"gate:80")])
def test_who_wants_another_protocol_is_answered_as_anybody_and_the_connection_ends(
    method: bytes, target: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A web server may pass on that a browser wants a websocket."""
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    asked = b"%s %s HTTP/1.1\r\nHost: gate\r\nX-Account: ann\r\n%s" % (method, target, upgrade)

    async def told() -> None:
        async with listening(tmp_path) as (_, port):
            answer = await exchange(port, asked + b"\x81\x05hello" + asked)
            assert statuses(answer) == [403 if method == b"GET" else 404]

    asyncio.run(told())
    assert caplog.records == []


@pytest.mark.parametrize("name", [b"ann ", b"ann\t", b" \tann \t"])
def test_blanks_around_a_name_are_none_of_it(name: bytes, tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path) as (_, port):
            assert statuses(await exchange(port, request(name))) == [403]

    asyncio.run(told())


def test_an_account_is_believed_only_from_where_it_was_told_to(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path, frozenset({"127.0.0.2"})) as (gate, port):
            assert statuses(await exchange(port, request(b"bob"))) == [403]
            assert gate.replica.counts["alarm untrusted"] == 1

    asyncio.run(told())


def test_another_header_names_nobody(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path) as (_, port):
            assert statuses(await exchange(port, request(b"ann", header=b"X-Accounts"))) == [200]
            assert statuses(await exchange(port, request(b"ann", header=b"x-ACCOUNT"))) == [403]

    asyncio.run(told())


def test_health_and_figures(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path) as (gate, port):
            assert statuses(await exchange(port, request(b"", b"/healthz"))) == [200]
            await exchange(port, request(b"ann"))
            _, _, body = parsed(await exchange(port, request(b"", b"/metrics")))
            figures = dict(line.rsplit(" ", 1) for line in body.decode().splitlines())
            assert figures["comity_gate_entries"] == "4"
            assert figures["comity_gate_is_stale"] == "0"
            assert (figures["comity_gate_stale_after_seconds"], figures["comity_gate_closes_when_stale"]) == ("30", "0")
            assert figures['comity_gate_events_total{kind="refused"}'] == "1"
            gate.replica.known.cursor = 12_345_678
            assert b"comity_gate_cursor 12345678\n" in await exchange(port, request(b"", b"/metrics"))
            gate.replica.known = None
            assert statuses(await exchange(port, request(b"", b"/healthz"))) == [503]
            assert statuses(await exchange(port, request(b"ann"))) == [503]
            assert statuses(await exchange(port, request(b"ann", b"/elsewhere"))) == [404]

    asyncio.run(told())
