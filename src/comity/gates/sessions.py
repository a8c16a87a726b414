"""What is open already: an application that keeps connections for its users is told whose standing became another one.

A web server asks when a request begins, and never again. So an application that holds something open (a websocket,
server-sent events, a long download) keeps a stream of lines from its gate, and ends what belongs to a name whose line
says `cut`. When it cannot be told of each change, it is told to ask about all: at the beginning, and after a snapshot.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import msgspec

from comity.gates.answers import Deny, Limited
from comity.gates.authz import response
from comity.gates.following import Clock
from comity.gates.records import micros
from comity.gates.replica import Replica
from comity.model.ids import DecisionId
from comity.model.plan import Planned

BETWEEN_LINES: Final = 5.0
"""Seconds after which an empty line shows that the connection is alive."""
MOST_LISTENERS: Final = 100
LARGEST_ARREARS: Final = 1 << 20
"""Bytes that wait for a listener who does not read; then its connection is closed, and it has to ask about all."""


class Now(StrEnum):
    """What a name's standing is. UNKNOWN: of all names; ask about each that has something open."""

    OPEN = "open"
    LIMITED = "limited"
    CUT = "cut"
    UNKNOWN = "unknown"


class Changed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line. `name`: what the channel calls the account."""

    standing: Now
    name: str = ""
    limit: str = ""
    statement: DecisionId | None = None
    reason: str = ""
    until: datetime | None = None
    link: str = ""


class Sessions:
    """Watches a replica for all who listen. Made when it was loaded from disk."""

    def __init__(self, replica: Replica, clock: Clock) -> None:
        self._replica, self._clock = replica, clock
        self._listeners = dict[asyncio.Transport, str]()
        self._starts = list[tuple[datetime, str, str]]()
        self._former = frozenset[str]()
        self._told: Planned | None = None
        self._sooner = asyncio.Event()
        replica.watcher = self
        self._find_starts()

    def listen(self, transport: asyncio.Transport, channel: str) -> None:
        """From now on this connection hears of the channel."""
        if len(self._listeners) >= MOST_LISTENERS:
            transport.write(response(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"}, b""))
            transport.close()
            return
        self._listeners[transport] = channel
        transport.write(_HEAD + _line(_ASK))

    def forget(self, transport: asyncio.Transport) -> None:
        """The connection has ended."""
        self._listeners.pop(transport, None)

    def begin(self) -> None:
        """Everything is another than before."""
        self._find_starts()
        self._tell(tuple(self._listeners), [_ASK])

    def before(self, row: int, planned: Planned | None) -> None:
        """The replica is about to replace what it knows in a row."""
        known = self._replica.known
        old = known.records.planned(row) if known and self._listeners else None
        self._former = frozenset(called(old)) if old else frozenset()
        self._told = planned or old

    def after(self, row: int) -> None:
        """It has replaced it."""
        told, self._told = self._told, None
        if told is None:
            return
        self._note_starts(told)
        if self._listeners:
            self._say(told.channel, {*self._former, *called(told)})

    async def run(self) -> None:
        """Say what begins by itself, and that the connection is alive; until it is cancelled."""
        quiet_until = asyncio.get_running_loop().time() + BETWEEN_LINES
        while True:
            self._sooner.clear()
            try:
                async with asyncio.timeout(self._wait(quiet_until)):
                    await self._sooner.wait()
            except TimeoutError:
                self._say_what_began()
            if asyncio.get_running_loop().time() >= quiet_until:
                quiet_until += BETWEEN_LINES
                self._write(tuple(self._listeners), b"\n")

    @property
    def _now(self) -> datetime:
        """By the centre's clock."""
        return self._clock.now() + self._replica.offset

    def _wait(self, quiet_until: float) -> float:
        wait = max(0.0, quiet_until - asyncio.get_running_loop().time())
        if self._starts:
            wait = min(wait, max(0.0, (self._starts[0][0] - self._now).total_seconds()))
        return wait

    def _say_what_began(self) -> None:
        while self._starts and self._starts[0][0] <= self._now:
            _, channel, name = heapq.heappop(self._starts)
            self._say(channel, (name,))

    def _find_starts(self) -> None:
        """All measures that begin later."""
        self._starts, now = [], micros(self._now)
        records = self._replica.known.records if self._replica.known else None
        if records is not None:
            rows = {records.row[place] for place, start in enumerate(records.start) if start > now}
            for row in rows:
                if planned := records.planned(row):
                    self._note_starts(planned)

    def _note_starts(self, planned: Planned) -> None:
        now = self._now
        times = (*(span.start for span in planned.plan), *(each.start for each in planned.handles))
        starts = {start for start in times if start > now}
        for start in starts:
            for name in called(planned):
                heapq.heappush(self._starts, (start, planned.channel, name))
        if starts:
            self._sooner.set()

    def _say(self, channel: str, names: Iterable[str]) -> None:
        to = tuple(each for each, wanted in self._listeners.items() if wanted == channel)
        if to:
            now = self._clock.now()
            self._tell(to, [changed(name, self._replica.restriction(channel, name, now)) for name in names])

    def _tell(self, to: Iterable[asyncio.Transport], lines: Iterable[Changed]) -> None:
        self._write(to, b"".join(map(_line, lines)))

    def _write(self, to: Iterable[asyncio.Transport], content: bytes) -> None:
        for transport in to:
            if transport.get_write_buffer_size() > LARGEST_ARREARS:
                self._replica.warn("listener", "an application does not read what it is told: its connection is closed")
                self.forget(transport)
                transport.abort()
            else:
                transport.write(content)


def changed(name: str, answer: Deny | Limited | None) -> Changed:
    """The line that says how `name` stands now."""
    if answer is None:
        return Changed(standing=Now.OPEN, name=name)
    return Changed(
        standing=Now.CUT if isinstance(answer, Deny) else Now.LIMITED,
        name=name,
        limit=answer.limit if isinstance(answer, Limited) else "",
        statement=answer.statement,
        reason=answer.reason,
        until=answer.until,
        link=answer.link,
    )


def called(planned: Planned) -> Iterator[str]:
    """What the channel calls the account."""
    if planned.handles:
        yield from dict.fromkeys(each.handle for each in planned.handles)
    else:
        yield planned.account


def _line(said: Changed) -> bytes:
    return msgspec.json.encode(said) + b"\n"


_ASK: Final = Changed(standing=Now.UNKNOWN)
_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
)
