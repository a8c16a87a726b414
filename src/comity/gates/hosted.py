"""A gate inside of another program: it follows the centre in a thread of its own, and the program's threads ask it.

Nothing here makes who asks wait: an answer is a look into memory, and a message is judged in the gate's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from ssl import SSLContext, create_default_context
from threading import Event, Thread
from typing import Annotated, Final, TypeVar

import msgspec

from comity.gates.answers import Answer, WhenStale
from comity.gates.content import Judge, Sent, Unjudged, Verdict
from comity.gates.disk import Disk
from comity.gates.following import Centre, Clock, Follower
from comity.gates.held import Held, Settle
from comity.gates.replica import Manner
from comity.gates.shared import SharedReplica
from comity.ledger.note import NoteError, VerifierKey
from comity.ledger.policy import Policy, PolicyError, parse_policy
from comity.model.ids import DecisionId

ResultT = TypeVar("ResultT")
_LONGEST_TOKEN: Final = 1000
_AGAIN: Final = 5.0
_Seconds = Annotated[float, msgspec.Meta(ge=1, le=86_400)]


class SettingsError(ValueError):
    """A setting that the gate cannot run with; says which, and what to write."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a gate inside of another program is told, in that program's own configuration.

    `key`: the operator's verifier key, or else `policy`: a file with the logs and witnesses that are trusted. `ca`: a
    file with the certificates that the centre's is held against. `judge_token_file`: without it nothing is judged.
    `patience`: seconds that judging a message may take.
    """

    centre: str
    channel: str
    folder: str
    token_file: str
    key: str | None = None
    policy: str | None = None
    ca: str | None = None
    judge_token_file: str | None = None
    name: str
    stale: WhenStale = WhenStale.OPEN
    max_stale: _Seconds = 30
    grace: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 600
    patience: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 2


class HostedGate:
    """Answers from what it knew before as soon as it is made, follows from `start` until `end`."""

    def __init__(
        self, settings: Settings, clock: Clock, alarm: Callable[[str, str], None], settle: Settle | None = None
    ) -> None:
        """`settle`: what is done with what waited, where something can wait.

        Raises `SettingsError`, `DiskError` if another gate has the folder, `OSError`.
        """
        url = settings.centre.rstrip("/")
        verify = _verify(settings)
        centre = Centre(url=url, token=_token(settings.token_file), gate=settings.name, verify=verify)
        self._channel, self._clock = settings.channel, clock
        self.replica = SharedReplica(_manner(settings), alarm)
        self._judge = self.held = None
        self._works: list[Callable[[], Awaitable[None]]] = []
        if settings.judge_token_file is not None:
            token = _token(settings.judge_token_file)
            warn = self.replica.warn
            self._judge = Judge(url=url, token=token, patience=settings.patience, warn=warn, verify=verify)
            if settle is not None:
                folder = Path(settings.folder) / "held"
                self.held = Held(
                    folder=folder, url=url, token=token, settle=settle, clock=clock, warn=warn, verify=verify
                )
        self._disk = Disk(Path(settings.folder))
        self._disk.load(self.replica)
        self._follower = Follower(self.replica, self._disk, centre, clock)
        self._works.append(self._follower.run)
        if self.held is not None:
            self.held.load()
            self._works.append(self.held.run)
        self._thread = Thread(target=self._run, name=f"comity-gate-{settings.name}", daemon=True)
        self._loop, self._is_up = asyncio.new_event_loop(), Event()

    @property
    def judges(self) -> bool:
        return self._judge is not None

    def start(self) -> None:
        self._thread.start()
        self._is_up.wait()

    def end(self) -> None:
        """Waits until what is being written to disk is there."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join()
        self._disk.close()

    def check(self, handle: str) -> Answer:
        """Whether whoever the channel calls so may communicate there now."""
        return self.replica.check(self._channel, handle, self._clock.now())

    def show(self, statement: DecisionId) -> None:
        """A person was shown this statement."""
        self._loop.call_soon_threadsafe(self._follower.show, statement)

    def ask(self, sent: Sent) -> Future[Verdict]:
        """What the centre says of the message; comes in another thread."""
        return self.run(self._asked(sent))

    def run(self, work: Coroutine[object, object, ResultT]) -> Future[ResultT]:
        """Do something in the gate's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _asked(self, sent: Sent) -> Verdict:
        if self._judge is None:
            return Unjudged(why="this gate judges nothing")
        return await self._judge.judge(sent)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._until_ended())

    async def _until_ended(self) -> None:
        self._tasks = [asyncio.ensure_future(self._kept_up(work)) for work in self._works]
        self._is_up.set()
        await asyncio.wait(self._tasks)
        if self._judge is not None:
            await self._judge.close()

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _kept_up(self, work: Callable[[], Awaitable[None]]) -> None:
        """Nobody starts a thread anew, so a fault of the gate itself is an alarm, and it goes on."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - what is known holds on
                self.replica.warn("failed", f"the gate failed and goes on in {_AGAIN:g} s: {error!r}")
            await asyncio.sleep(_AGAIN)


def _manner(settings: Settings) -> Manner:
    return Manner(
        policy=_policy(settings),
        when_stale=settings.stale,
        max_stale=timedelta(seconds=settings.max_stale),
        grace=timedelta(seconds=settings.grace),
    )


def _verify(settings: Settings) -> SSLContext | bool:
    try:
        return create_default_context(cafile=settings.ca) if settings.ca else True
    except OSError as error:
        raise SettingsError(f"ca: {settings.ca} cannot be used: {error}") from error


def _policy(settings: Settings) -> Policy:
    if settings.policy is not None:
        try:
            return parse_policy(Path(settings.policy).read_bytes())
        except (OSError, PolicyError) as error:
            raise SettingsError(f"policy: {settings.policy} cannot be used: {error}") from error
    if settings.key is None:
        raise SettingsError("key: give the operator's verifier key, as its log shows it under /v1/log/vkey")
    try:
        return Policy().trusting(VerifierKey.parse(settings.key.strip()))
    except NoteError as error:
        raise SettingsError(f"key: there is no key to check proofs with: {error}") from error


def _token(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            token = file.read(_LONGEST_TOKEN + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}; it holds a token that `comity token new` made") from error
    if not token or not token.isprintable() or len(token) > _LONGEST_TOKEN:
        raise SettingsError(f"{path} holds no token: `comity token new` makes one")
    return token
