"""Following the centre: takes a snapshot when there is none to go on from, then each change as it comes, and says so.

Whatever goes wrong on the way, what is known holds: the replica answers from it, and this tries again, a little later
each time. Runs in the event loop of the replica's host; what takes long is done beside it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from ssl import SSLContext
from typing import Final, Protocol

import httpx
import msgspec

from comity.gates.disk import Disk
from comity.gates.kept import Kept, kept
from comity.gates.replica import Applied, DigestError, Known, Replica
from comity.gates.snapshot import take
from comity.gates.stream import streaming
from comity.ledger.feed import LONGEST_LINE, FeedError, Heartbeat, decode_line
from comity.ledger.policy import Policy
from comity.model.ids import DecisionId

SILENCE: Final = 3.0
"""Seconds without a heartbeat after which the connection counts as dead; the centre sends one each half second."""

_UNTIL_SNAPSHOT: Final = 300.0
"""Seconds that the centre may take to make a snapshot; a million entries take it a minute or two."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_BETWEEN_SWEEPS: Final = 1.0
_BETWEEN_WRITES: Final = 10.0
_BETWEEN_REPORTS: Final = 0.5  # and between two syncs of the journal: what came meanwhile goes together
_AT_ONCE: Final = 10
_MOST_POINTS: Final = 1_000
_MOST_SHOWN: Final = 100_000
_JSON: Final = {"Content-Type": "application/json"}
_TRY_AGAIN: Final = (httpx.codes.UNAUTHORIZED, httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)


class Clock(Protocol):
    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """Where the feed is, and as whom this gate asks for it."""

    url: str
    token: str = field(repr=False)
    gate: str
    verify: SSLContext | bool = True  # whose certificate counts; True: those that everybody trusts

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}


class _Point(msgspec.Struct, frozen=True, kw_only=True):
    """Everything up to `cursor` was in force at `applied_at`."""

    cursor: int
    applied_at: datetime


class _Ack(_Point, frozen=True, kw_only=True):
    """What the centre is told; `earlier`: what came since it was told last."""

    gate: str
    earlier: tuple[_Point, ...]


class _Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What the centre is told of a statement that a person was shown."""

    at: datetime


class _StartAnewError(Exception):
    """The feed does not go on from where this gate is: it takes a snapshot."""


class Follower:
    """Keeps a replica up to date, in memory and on disk."""

    def __init__(self, replica: Replica, disk: Disk, centre: Centre, clock: Clock) -> None:
        self._replica, self._disk, self._centre, self._clock = replica, disk, centre, clock
        self.in_force: Callable[[], Awaitable[None]] | None = None
        """What brings about what the replica knows, where answering from it is not enough; nothing is told before."""
        self.trusted: Callable[[], Policy | None] | None = None
        """Whose proofs count, asked again now and then: the operator may have begun a new log, with another key."""
        self._applied = deque[tuple[int, datetime]](maxlen=_MOST_POINTS)
        self._tls = httpx.create_ssl_context(centre.verify, trust_env=False)
        self._trusts_more = False
        self._snapshot_at = clock.now()
        self._news, self._unsynced, self._unenforced = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._shown, self._told = asyncio.Queue[tuple[DecisionId, datetime]](), dict[DecisionId, None]()
        self._pause = _FIRST_PAUSE
        self._at_disk, self._disk_again_at = asyncio.Lock(), 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        timeout = httpx.Timeout(SILENCE, connect=SILENCE)
        async with (
            httpx.AsyncClient(
                base_url=self._centre.url,
                headers=self._centre.headers,
                timeout=timeout,
                trust_env=False,
                verify=self._centre.verify,
            ) as client,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._follow(client))
            tasks.create_task(self._enforce())
            tasks.create_task(self._acknowledge(client))
            tasks.create_task(self._deliver(client))
            tasks.create_task(self._sync())
            tasks.create_task(self._sweep())

    def show(self, statement: DecisionId) -> None:
        """A person was shown this statement at this gate; the centre hears of the first time."""
        if statement in self._told:
            return
        self._told[statement] = None
        self._shown.put_nowait((statement, self._clock.now() + self._replica.offset))
        if len(self._told) > _MOST_SHOWN:
            del self._told[next(iter(self._told))]

    async def _follow(self, client: httpx.AsyncClient) -> None:
        must_start_anew = self._replica.known is None
        while True:
            try:
                if must_start_anew:
                    await self._take_snapshot()
                must_start_anew = False
                await self._stream(client)
            except (_StartAnewError, DigestError):
                must_start_anew = True
            except (FeedError, httpx.HTTPError, httpx.InvalidURL) as error:
                self._broke_off(error)
            except Exception as error:  # noqa: BLE001 - what is known holds on; everything is asked for anew
                must_start_anew = True
                self._broke_off(error)
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _broke_off(self, error: Exception) -> None:
        self._replica.warn("feed", f"the feed of {self._centre.url} broke off: {str(error) or type(error).__name__}")

    async def _take_snapshot(self) -> None:
        self._snapshot_at = self._clock.now()
        known, left = await asyncio.to_thread(self._snapshot, self._snapshot_at)
        self._replica.swap(known, left)
        self._apply()
        await self._write()

    def _snapshot(self, at: datetime) -> tuple[Known, Kept]:
        """What the centre knows now. Nothing is changed meanwhile: only this follower changes anything."""
        with httpx.Client(
            base_url=self._centre.url,
            headers=self._centre.headers,
            timeout=httpx.Timeout(SILENCE, read=_UNTIL_SNAPSHOT),
            trust_env=False,
            verify=self._centre.verify,
        ) as client:

            def read(path: str) -> bytes | None:
                answer = client.get(f"/v1/log/{path}")
                return answer.content if answer.is_success else None

            with client.stream("GET", "/v1/standings/snapshot") as answer:
                answer.raise_for_status()
                taken = take(answer.iter_bytes(1 << 16), read, self._replica.manner, at)
        for doubt in sorted(taken.doubts):
            self._replica.warn("no proof", f"the snapshot has measures without a proof that holds: {doubt}")
        old = self._replica.known
        if old is None or old.epoch == taken.known.epoch:
            if old is not None and taken.known.cursor < old.cursor:
                raise FeedError("the snapshot is older than what this gate knows; it is left alone")
            if old is not None:
                taken.known.remember(old)
            return taken.known, self._replica.kept
        return taken.known, kept(self._replica.kept, old.records, taken.known.records)

    async def _stream(self, client: httpx.AsyncClient) -> None:
        known = self._replica.known
        if known is None:
            raise _StartAnewError
        query = {"epoch": known.epoch, "after": str(known.cursor)}
        request = client.build_request("GET", "/v1/standings", params=query)
        async with streaming(request, self._tls, SILENCE) as answer:
            status = await answer.status()
            if status == httpx.codes.GONE:
                raise _StartAnewError
            if status != httpx.codes.OK:
                raise FeedError(f"it answers {status}")
            rest = b""
            async for piece in answer.pieces():
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    raise FeedError(f"a line has more than {LONGEST_LINE} bytes")
                await self._take(lines)
                if self._disk.is_due and self._disk_again_at <= asyncio.get_running_loop().time():
                    await self._write()
                if self._wants_proofs():
                    raise _StartAnewError

    def _wants_proofs(self) -> bool:
        """Whether it is time to ask for everything anew, in the hope that what lacks proof has one by now."""
        known, now = self._replica.known, self._clock.now()
        if known is not None and known.unproven and self._trusts_more:
            self._trusts_more = False
            return True
        if known is None or not any(until > now for until in known.unproven.values()):
            return False
        return now - self._snapshot_at >= self._replica.manner.grace / 4

    async def _take(self, lines: list[bytes]) -> None:
        """Apply what came. First it is in force, then proofs are looked at, which takes longer."""
        applied: list[Applied] = []
        try:
            for line in lines:
                read = decode_line(line)
                if isinstance(read, Heartbeat):
                    self._replica.beat(read, self._clock.now())
                    self._on_disk(lambda: self._disk.keep_offset(self._replica.offset))
                    self._pause = _FIRST_PAUSE
                elif (one := self._replica.apply(read, self._clock.now())) is not None:
                    applied.append(one)
        finally:
            if applied:
                self._apply()
                await self._prove(applied)

    async def _prove(self, applied: Sequence[Applied]) -> None:
        """Look at the proofs, a few at a time, since answers wait; then write all down."""
        try:
            for number, one in enumerate(applied):
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
                self._replica.prove(one)
        finally:
            for one in applied:  # if this is the end, those that are left
                self._replica.prove(one)
            changes = [(one.change, one.believed) for one in applied]
            self._on_disk(lambda: self._disk.append(changes, self._replica.offset))
            self._unsynced.set()
            if any(believed for _, believed in changes):
                self._unenforced.set()  # what is doubted ends sooner

    def _apply(self) -> None:
        """What the replica knows is in force as soon as it is asked, or when that was brought about."""
        if self.in_force is not None:
            self._unenforced.set()
        elif self._replica.known is not None:
            self._applied.append((self._replica.known.cursor, self._clock.now()))
            self._news.set()

    async def _enforce(self) -> None:
        while self.in_force is not None:
            await self._unenforced.wait()
            self._unenforced.clear()
            cursor = self._replica.known.cursor if self._replica.known else 0
            await self.in_force()
            self._applied.append((cursor, self._clock.now()))
            self._news.set()

    async def _write(self) -> None:
        """All of it to disk. Changes wait meanwhile, answers do not."""
        await self._beside(lambda: self._disk.write(self._replica))
        self._disk_again_at = asyncio.get_running_loop().time() + _BETWEEN_WRITES

    async def _sync(self) -> None:
        while True:
            await self._unsynced.wait()
            self._unsynced.clear()
            await self._beside(self._disk.sync)
            await asyncio.sleep(_BETWEEN_REPORTS)

    async def _beside(self, act: Callable[[], None]) -> None:
        """On the disk, beside the work. Who ends this follower may close the disk after: nothing is at it any more."""
        async with self._at_disk:
            done = asyncio.ensure_future(asyncio.to_thread(self._on_disk, act))
            try:
                await asyncio.shield(done)
            finally:
                await asyncio.wait([done])

    def _on_disk(self, act: Callable[[], None]) -> None:
        """A gate whose disk fails goes on in memory, and says so."""
        try:
            act()
        except OSError as error:
            self._replica.warn("disk", f"what this gate knows could not be written to disk: {error}")

    async def _acknowledge(self, client: httpx.AsyncClient) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            told = list(self._applied)
            *earlier, last = [_Point(cursor=at, applied_at=when + self._replica.offset) for at, when in told]
            ack = _Ack(gate=self._centre.gate, cursor=last.cursor, applied_at=last.applied_at, earlier=tuple(earlier))
            if await self._is_heard(client, "/v1/gates/ack", ack):
                while self._applied and self._applied[0] in told:
                    self._applied.popleft()
            else:
                self._news.set()
            await asyncio.sleep(_BETWEEN_REPORTS)

    async def _deliver(self, client: httpx.AsyncClient) -> None:
        while True:
            statement, at = await self._shown.get()
            while not await self._is_heard(client, f"/v1/statements/{statement}/delivered", _Delivery(at=at)):
                pass

    async def _is_heard(self, client: httpx.AsyncClient, path: str, said: _Ack | _Delivery) -> bool:
        """Whether the centre heard it, or will never hear it; after a fault some time has passed."""
        try:
            answer = await client.post(path, content=msgspec.json.encode(said), headers=_JSON)
        except httpx.HTTPError:
            status = int(httpx.codes.SERVICE_UNAVAILABLE)
        else:
            status = answer.status_code  # whatever a proxy between makes up: not all have a name
        if httpx.codes.is_success(status):
            return True
        self._replica.counts["reports lost"] += 1
        await asyncio.sleep(_BETWEEN_SWEEPS)
        return httpx.codes.is_client_error(status) and status not in _TRY_AGAIN

    async def _sweep(self) -> None:
        while True:
            self._replica.sweep(self._clock.now())
            self._renew_trust()
            await asyncio.sleep(_BETWEEN_SWEEPS)

    def _renew_trust(self) -> None:
        policy = self.trusted() if self.trusted is not None else None
        if policy is not None and policy != self._replica.manner.policy:
            self._replica.manner = replace(self._replica.manner, policy=policy)
            self._trusts_more = True
