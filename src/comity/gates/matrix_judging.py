"""What the `matrix` gate does with words: has them judged, refuses them, keeps what waits, and sends what is released.

Runs in Synapse's reactor, which never waits: the centre is asked, and files are written, in the gate's own thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import msgspec
from synapse.module_api import ModuleApi, make_deferred_yieldable
from synapse.module_api.errors import SynapseError
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from comity.gates.answers import Answer, Limited, Unavailable, WhenStale
from comity.gates.content import Do, Sent, Unjudged, Verdict
from comity.gates.following import Clock
from comity.gates.hosted import HostedGate, Settings
from comity.gates.matrix_held import MOST, HeldEvent, HeldEvents
from comity.gates.matrix_refusals import Refusal, later, not_sent, unreadable, waits
from comity.gates.matrix_text import Said

ResultT = TypeVar("ResultT")
HOLD: Final = "hold"
"""The limit of an account whose every message is looked at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What somebody wants to say. `event`: what is sent later if it has to wait; None: it cannot wait.

    Without `id` the same words of somebody are judged once an hour.
    """

    user: str
    said: Said | None
    meta: dict[str, str]
    id: str | None = None
    event: HeldEvent | None = None


class Judging:
    """Made of the settings; `gate` is to be started and ended by whoever made it."""

    def __init__(self, settings: Settings, api: ModuleApi, clock: Clock, alarm: Callable[[str, str], None]) -> None:
        self._settings, self._api, self._clock = settings, api, clock
        self._held = HeldEvents(Path(settings.folder) / "held", self._send)
        self._released: set[str] = set()
        self.gate = HostedGate(settings, clock, alarm, self._held.settle)
        self._held.load()

    def is_released(self, event: HeldEvent) -> bool:
        """Whether that is being sent because it was released."""
        return event.name in self._released

    async def demand_fine(self, words: Words, answer: Answer) -> None:
        """Raises Synapse's error unless they may pass. `answer`: what the gate says of who says them."""
        if words.said is None or not self.gate.judges:
            return
        if words.event is not None and words.event.name in self._held.names:
            refuse(waits(()))
        verdict = await self._judged(self._sent(words, words.said))
        if isinstance(verdict, Unjudged):
            self._demand_may_pass(verdict, must_be_read=isinstance(answer, Limited) and answer.limit == HOLD)
        elif verdict.answer is Do.HOLD and words.event is not None and words.id is not None:
            await self._hold(words.event, words.id, verdict.until)
            refuse(waits(verdict.clauses))
        elif verdict.answer is not Do.ALLOW:
            if verdict.statement is not None:
                self.gate.show(verdict.statement)
            refuse(not_sent(verdict))

    def _sent(self, words: Words, said: Said) -> Sent:
        now = self._clock.now()
        return Sent(
            id=words.id or sha256(f"{words.user} {words.meta} {now:%Y%m%d%H} {said.text}".encode()).hexdigest(),
            author=words.user,
            channel=self._settings.channel,
            text=said.text,
            sent=now,
            edit_of=said.edit_of,
            is_reply=said.is_reply,
            mentions=said.mentions or None,
            meta=words.meta,
        )

    def _demand_may_pass(self, verdict: Unjudged, *, must_be_read: bool) -> None:
        if verdict.is_unreadable:
            refuse(unreadable())
        if must_be_read or self._settings.stale is WhenStale.CLOSED:
            refuse(later(Unavailable(reason=verdict.why)))
        self.gate.replica.counts["passed unjudged"] += 1

    async def _judged(self, sent: Sent) -> Verdict:
        try:
            return await _here(self.gate.ask(sent))
        except CancelledError:
            return Unjudged(why="this server is being shut down")

    async def _hold(self, event: HeldEvent, id_: str, until: datetime | None) -> None:
        """Raises Synapse's error if it cannot be kept: then nobody is told that it waits."""
        if self.gate.held is None or len(self._held.names) >= MOST:
            self._warn(f"{len(self._held.names):,} messages wait, and no more are kept")
            refuse(later(Unavailable(reason="a person has to look at this first, and too much waits already")))
        try:
            await _here(self.gate.run(self._held.keep(self.gate.held, event, id_, self._clock.now(), until)))
        except (OSError, CancelledError) as error:
            self._warn(f"a message that has to wait could not be kept, and was refused: {error}")
            refuse(later(Unavailable(reason="a person has to look at this first, and it could not be kept")))

    def _send(self, event: HeldEvent) -> Future[None]:
        """Have sent what was released; called in the gate's thread."""
        done = Future[None]()
        reactor.callFromThread(self._api.run_as_background_process, "comity_release", self._send_now, event, done)
        return done

    async def _send_now(self, event: HeldEvent, done: Future[None]) -> None:
        """In its sender's name. Whoever has left the room since then says nothing there any more."""
        self._released.add(event.name)
        try:
            await self._api.create_and_send_event_into_room(msgspec.to_builtins(event))
        except SynapseError as error:
            self._warn(f"what {event.sender} said in {event.room_id} was released, and cannot be sent: {error}")
        except Exception as error:  # noqa: BLE001 - it is tried again
            done.set_exception(OSError(f"Synapse could not send it: {error!r}"))
        finally:
            self._released.discard(event.name)
        if not done.done():
            done.set_result(None)

    def _warn(self, text: str) -> None:
        self.gate.replica.warn("held", text)


async def _here(work: Future[ResultT]) -> ResultT:
    """The result of what is done in the gate's thread, waited for in the reactor's."""
    told = Deferred[Future[ResultT]]()
    work.add_done_callback(lambda done: reactor.callFromThread(told.callback, done))
    return (await make_deferred_yieldable(told)).result()


def refuse(refusal: Refusal) -> NoReturn:
    """Raises what Synapse answers a client with."""
    raise SynapseError(refusal.status, refusal.words, refusal.code, refusal.fields)
