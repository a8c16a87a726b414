"""The `matrix` gate: a module of Synapse that refuses who is cut off, and what breaches the agreement.

Synapse asks it about each thing that somebody on this server wants to do: send, join, invite, create, publish. Reading
is never asked about. Whoever is cut off may still leave rooms and delete own messages, without words. What comes from
other servers is let through.

It is named in `modules:` of homeserver.yaml, runs in Synapse's process, and never makes its reactor wait.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec
from prometheus_client import REGISTRY
from synapse.module_api import NOT_SPAM, EventBase, LoggingTransaction, ModuleApi, RoomAlias
from synapse.module_api.errors import ConfigError
from twisted.internet import reactor

from comity.gates.alarms import Alarms
from comity.gates.answers import Allow, Answer, Deny, Limited, Unavailable
from comity.gates.clock import SystemClock
from comity.gates.hosted import Settings
from comity.gates.matrix_figures import Figures
from comity.gates.matrix_held import HeldEvent
from comity.gates.matrix_judging import HOLD, Judging, Words, refuse
from comity.gates.matrix_refusals import cut_off, later, only_without_words, over_the_limit, unread
from comity.gates.matrix_text import plain, said, said_by_member, said_of_room
from comity.gates.rates import Rates

_MEMBER: Final = "m.room.member"
_REDACTION: Final = "m.room.redaction"
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
        settings, self._api, self._clock = of_worker(config, api.worker_name), api, SystemClock()
        self._judging = Judging(settings, api, self._clock, Alarms(self._clock, _LOG.warning))
        self._gate, self._rates = self._judging.gate, Rates()
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
        REGISTRY.register(Figures(settings.name, self._gate.replica, self._clock))
        _say_what_it_cannot(settings)
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
        held = held_event(event)
        if self._judging.is_released(held):
            return NOT_SPAM
        content, answer, is_deletion = held.content, self._gate.check(event.sender), event.type == _REDACTION
        if not isinstance(answer, Allow):
            is_way_out = is_deletion and await self._is_senders(event)
            self._demand(answer, is_way_out=is_way_out, words=content.get("reason"))
        spoken, meta = said(event.type, content), {"type": event.type, "room": event.room_id}
        if isinstance(answer, Limited) and not is_deletion:
            self._demand_within(answer, event, is_read=spoken is not None and self._gate.judges)
        words = Words(user=event.sender, said=spoken, meta=meta, id=event.event_id, event=None if is_deletion else held)
        await self._judging.demand_fine(words, answer)
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
        await self._judging.demand_fine(Words(user=event.sender, said=spoken, meta={"type": _MEMBER}), answer)
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
        words = Words(user=user, said=said_of_room(wanted), meta={"type": "m.room.create"})
        await self._judging.demand_fine(words, self._demand_open(user))
        return NOT_SPAM

    async def check_alias(self, user: str, alias: RoomAlias) -> _Passes:
        words = Words(user=user, said=plain(alias.localpart), meta={"type": "m.room.aliases"})
        await self._judging.demand_fine(words, self._demand_open(user))
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
            refuse(only_without_words(answer) if is_way_out else cut_off(answer))
        if isinstance(answer, Unavailable):
            refuse(later(answer))

    def _demand_within(self, limit: Limited, event: EventBase, *, is_read: bool) -> None:
        """Raises Synapse's error if that is more than the account may send, or cannot be looked at as it has to be."""
        if limit.limit == HOLD and event.get_dict().get("state_key") is None and not is_read:
            refuse(unread(limit))
        if not self._rates.passes(event.sender, limit.limit, event.event_id, self._clock.now()):
            refuse(over_the_limit(limit))

    async def _is_senders(self, redaction: EventBase) -> bool:
        """Whether who deletes the event sent it."""
        if redaction.redacts is None:
            return False
        return await self._api.run_db_interaction("comity_sender", _sender, redaction.redacts) == redaction.sender


def held_event(event: EventBase) -> HeldEvent:
    known = event.get_dict()
    key = known.get("state_key")
    return HeldEvent(
        sender=event.sender,
        room_id=event.room_id,
        type=event.type,
        content=dict(_content(event)),
        state_key=key if isinstance(key, str) else None,
    )


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
