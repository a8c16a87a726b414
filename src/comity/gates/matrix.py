"""The `matrix` gate: a module of Synapse that refuses who is cut off, and what breaches the agreement.

Synapse asks it about each thing that somebody on this server wants to do: send, join, invite, create, publish. Reading
is never asked about. Whoever is cut off may still leave rooms and delete own messages, without words. What comes from
other servers is let through.

It is named in `modules:` of homeserver.yaml, runs in Synapse's process, and never makes its reactor wait.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import msgspec
from synapse.module_api import NOT_SPAM, EventBase, LoggingTransaction, ModuleApi, RoomAlias, make_deferred_yieldable
from synapse.module_api.errors import ConfigError, SynapseError
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from comity.gates.alarms import Alarms
from comity.gates.answers import Allow, Answer, Deny, Limited, Unavailable, WhenStale
from comity.gates.clock import SystemClock
from comity.gates.content import Do, Sent, Unjudged, Verdict
from comity.gates.hosted import HostedGate, Settings
from comity.gates.matrix_refusals import (
    Refusal,
    cut_off,
    later,
    not_sent,
    only_without_words,
    over_the_limit,
    unread,
    unreadable,
)
from comity.gates.matrix_text import Said, plain, said, said_by_member, said_of_room
from comity.gates.rates import Rates

_MEMBER: Final = "m.room.member"
_REDACTION: Final = "m.room.redaction"
_HOLD: Final = "hold"
_LOG: Final = logging.getLogger(__name__)
_Passes = Literal["NOT_SPAM"]


class MatrixSettings(Settings, frozen=True, kw_only=True):
    """The module's `config:`. `members`: whether memberships are looked at too; Synapse then reads a room's state."""

    channel: str = "chat"
    name: str = "matrix"
    members: bool = True


class Gate:
    """The module. Synapse makes one in each of its processes."""

    def __init__(self, config: MatrixSettings, api: ModuleApi) -> None:
        self._api, self._clock, self._settings = api, SystemClock(), of_worker(config, api.worker_name)
        self._gate = HostedGate(self._settings, self._clock, Alarms(self._clock, _LOG.warning))
        api.register_spam_checker_callbacks(
            check_event_for_spam=self.check_event,
            user_may_join_room=self.check_join,
            user_may_invite=self.check_invite,
            user_may_send_3pid_invite=self.check_invite_by_address,
            user_may_create_room=self.check_new_room,
            user_may_create_room_alias=self.check_alias,
            user_may_publish_room=self.check_publication,
        )
        if config.members:
            api.register_third_party_rules_callbacks(check_event_allowed=self.check_member)
        self._rates = Rates()
        _say_what_it_cannot(self._settings)
        self._gate.start()
        reactor.addSystemEventTrigger("after", "shutdown", self._gate.end)

    @staticmethod
    def parse_config(config: dict[str, object]) -> MatrixSettings:
        try:
            return msgspec.convert(config, MatrixSettings)
        except msgspec.ValidationError as error:
            raise ConfigError(f"the module comity.gates.matrix.Gate: {error}") from error

    async def check_event(self, event: EventBase) -> _Passes:
        """What is sent into a room: messages, reactions, names of rooms, deletions; not memberships."""
        if not self._api.is_mine(event.sender):
            return NOT_SPAM
        content, answer = _content(event), self._gate.check(event.sender)
        if not isinstance(answer, Allow):
            is_way_out = event.type == _REDACTION and await self._is_senders(event)
            self._demand(answer, is_way_out=is_way_out, words=content.get("reason"))
        spoken, meta = said(event.type, content), {"type": event.type, "room": event.room_id}
        if isinstance(answer, Limited) and event.type != _REDACTION:
            self._demand_within(answer, event, is_read=spoken is not None and self._gate.judges)
        await self._demand_fine(event.sender, event.event_id, spoken, meta, answer)
        return NOT_SPAM

    async def check_member(
        self, event: EventBase, state: Mapping[tuple[str, str], EventBase]
    ) -> tuple[bool, dict[str, object] | None]:
        """A membership: joining, knocking, leaving, removing others, with the names and reasons that are shown."""
        if event.type != _MEMBER or not self._api.is_mine(event.sender):
            return True, None
        content, is_own = _content(event), event.get_dict().get("state_key") == event.sender
        is_way_out = is_own and content.get("membership") == "leave"
        answer = self._gate.check(event.sender)
        self._demand(answer, is_way_out=is_way_out, words=content.get("reason"))
        before = state.get((_MEMBER, event.sender))
        spoken = said_by_member(content, _content(before) if before else {}, is_own=is_own)
        await self._demand_fine(event.sender, None, spoken, {"type": _MEMBER}, answer)
        return True, None

    async def check_join(self, user: str, room: str, is_invited: bool) -> _Passes:  # noqa: FBT001 - Synapse's call
        self._demand_open(user)
        return NOT_SPAM

    async def check_invite(self, inviter: str, invitee: str, room: str) -> _Passes:
        self._demand_open(inviter)
        return NOT_SPAM

    async def check_invite_by_address(self, inviter: str, medium: str, address: str, room: str) -> _Passes:
        self._demand_open(inviter)
        return NOT_SPAM

    async def check_publication(self, user: str, room: str) -> _Passes:
        self._demand_open(user)
        return NOT_SPAM

    async def check_new_room(self, user: str, wanted: dict[str, object]) -> _Passes:
        await self._demand_fine(user, None, said_of_room(wanted), {"type": "m.room.create"}, self._demand_open(user))
        return NOT_SPAM

    async def check_alias(self, user: str, alias: RoomAlias) -> _Passes:
        await self._demand_fine(user, None, plain(alias.localpart), {"type": "m.room.aliases"}, self._demand_open(user))
        return NOT_SPAM

    def _demand_open(self, user: str) -> Answer:
        """Raises Synapse's error if somebody of this server is cut off."""
        answer = self._gate.check(user) if self._api.is_mine(user) else Allow()
        self._demand(answer, is_way_out=False, words=None)
        return answer

    def _demand(self, answer: Answer, *, is_way_out: bool, words: object) -> None:
        """Raises Synapse's error unless it may pass. A way out, such as leaving, is open to all, but not with words."""
        if is_way_out and not words:
            return
        if isinstance(answer, Deny):
            self._gate.show(answer.statement)
            raise _error(only_without_words(answer) if is_way_out else cut_off(answer))
        if isinstance(answer, Unavailable):
            raise _error(later(answer))

    def _demand_within(self, limit: Limited, event: EventBase, *, is_read: bool) -> None:
        """Raises Synapse's error if that is more than the account may send, or cannot be looked at as it has to be."""
        if limit.limit == _HOLD and event.get_dict().get("state_key") is None and not is_read:
            raise _error(unread(limit))
        if not self._rates.passes(event.sender, limit.limit, event.event_id, self._clock.now()):
            raise _error(over_the_limit(limit))

    async def _demand_fine(
        self, user: str, id_: str | None, spoken: Said | None, meta: dict[str, str], answer: Answer
    ) -> None:
        """Raises Synapse's error unless the words may pass. No `id_`: somebody's same words are judged once an hour."""
        if spoken is None or not self._gate.judges:
            return
        now = self._clock.now()
        sent = Sent(
            id=id_ or sha256(f"{user} {meta} {now:%Y%m%d%H} {spoken.text}".encode()).hexdigest(),
            author=user,
            channel=self._settings.channel,
            text=spoken.text,
            sent=now,
            edit_of=spoken.edit_of,
            is_reply=spoken.is_reply,
            mentions=spoken.mentions or None,
            meta=meta,
        )
        self._settle(await self._judged(sent), must_be_read=isinstance(answer, Limited) and answer.limit == _HOLD)

    def _settle(self, verdict: Verdict, *, must_be_read: bool) -> None:
        if isinstance(verdict, Unjudged):
            if verdict.is_unreadable:
                raise _error(unreadable())
            if must_be_read or self._settings.stale is WhenStale.CLOSED:
                raise _error(later(Unavailable(reason=verdict.why)))
            self._gate.replica.counts["passed unjudged"] += 1
        elif verdict.answer is not Do.ALLOW:
            if verdict.statement is not None:
                self._gate.show(verdict.statement)
            raise _error(not_sent(verdict))

    async def _judged(self, sent: Sent) -> Verdict:
        """Asked in the gate's thread, waited for in the reactor's."""
        told = Deferred[Future[Verdict]]()
        self._gate.ask(sent).add_done_callback(lambda done: reactor.callFromThread(told.callback, done))
        try:
            return (await make_deferred_yieldable(told)).result()
        except CancelledError:
            return Unjudged(why="this server is being shut down")

    async def _is_senders(self, redaction: EventBase) -> bool:
        """Whether who deletes the event sent it."""
        if redaction.redacts is None:
            return False
        return await self._api.run_db_interaction("comity_sender", _sender, redaction.redacts) == redaction.sender


def of_worker(settings: MatrixSettings, worker: str | None) -> MatrixSettings:
    """Each of Synapse's processes is a gate of its own, with its own name and folder."""
    folder = str(Path(settings.folder) / (worker or "main"))
    return msgspec.structs.replace(
        settings, folder=folder, name=f"{settings.name}-{worker}" if worker else settings.name
    )


def _say_what_it_cannot(settings: MatrixSettings) -> None:
    _LOG.info("%s: limits on reach mean nothing here, and what was sent before is not deleted", settings.name)
    if settings.judge_token_file is None:
        _LOG.warning("%s: there is no judge_token_file, so no message is judged", settings.name)


def _content(event: EventBase) -> Mapping[str, object]:
    content = event.get_dict().get("content")
    return content if isinstance(content, Mapping) else {}


def _sender(transaction: LoggingTransaction, event: str) -> str | None:
    transaction.execute("SELECT sender FROM events WHERE event_id = ?", (event,))
    row = transaction.fetchone()
    return row[0] if row else None


def _error(refusal: Refusal) -> SynapseError:
    return SynapseError(refusal.status, refusal.words, refusal.code, refusal.fields)
