"""Cases as the record sees them: what is asked, who works on it, and whether it has ended."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from comity.casework.case_facts import (
    Assessed,
    CaseClosed,
    CaseKind,
    CaseOpened,
    Claimed,
    Escalated,
    Found,
    HandedOver,
    Informed,
    Known,
    Noticed,
    Released,
)
from comity.model.clause import Decide
from comity.model.duration import Duration, Unit
from comity.model.ids import CaseId, MessageId, ReviewerId
from comity.model.message import Message
from comity.model.statement import Breach

CaseFact = Found | Noticed | Informed | Claimed | Released | HandedOver | Escalated | CaseClosed | Assessed

Held = tuple[str, MessageId]
"""A message by its source and id, that its source was told to keep back."""
LONGEST_WAIT: Final = Duration(count=24, unit=Unit.HOUR)
"""After that a message that waits for a reviewer is released, unless a setting makes it sooner."""


class Case(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One case. `version` counts its facts, so that nobody decides on less than they have not seen."""

    opened: CaseOpened
    found: tuple[Found, ...] = ()
    notices: tuple[Noticed, ...] = ()
    informed: tuple[Informed, ...] = ()
    held_by: ReviewerId | None = None
    held_until: datetime | None = None
    holders: tuple[ReviewerId, ...] = ()  # everybody who ever worked on it
    escalated: Escalated | None = None
    assessed: Assessed | None = None
    closed: CaseClosed | None = None
    released: frozenset[Held] = frozenset()  # that waited, and were passed on when it was closed
    refused: frozenset[Held] = frozenset()  # that waited, and were removed by then, also by another case's decision
    version: int = 1

    @property
    def id(self) -> CaseId:
        return self.opened.case

    def holder(self, at: datetime) -> ReviewerId | None:
        """Who works on it at `at`; a claim ends by itself."""
        return self.held_by if self.held_until is not None and at < self.held_until else None

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """What the rules found, each once."""
        return tuple(dict.fromkeys(each.breach for each in self.found))

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages that came with its notices or with itself, each once, as far as their texts are known."""
        return self._named({Known.TEXT})

    @property
    def named(self) -> tuple[Message, ...]:
        """Those, and the ones of which nothing is known but what a notice says."""
        return self._named(frozenset(Known))

    def _named(self, known: Set[Known]) -> tuple[Message, ...]:
        own = (self.opened.message,) if self.opened.message else ()
        every = (*own, *(each.message for each in self.notices if each.known in known))
        return tuple({(message.source, message.id): message for message in every}.values())

    @property
    def since(self) -> datetime:
        return self.opened.at


def case_after(case: Case, fact: CaseFact) -> Case:
    """The case with one more fact."""
    case = replace(case, version=case.version + 1)
    match fact:
        case Found():
            return replace(case, found=(*case.found, fact))
        case Noticed():
            return replace(case, notices=(*case.notices, fact))
        case Informed():
            return replace(case, informed=(*case.informed, fact))
        case Claimed():
            return _held(case, fact.by, fact.until)
        case HandedOver():
            return _held(case, fact.to, fact.until)
        case Released():
            return replace(case, held_by=None, held_until=None)
        case Escalated():
            return replace(case, escalated=fact, held_by=None, held_until=None)
        case Assessed():
            return replace(case, assessed=fact)
        case CaseClosed():
            return replace(case, closed=fact)


def reopened(case: Case, fact: CaseOpened) -> Case:
    """The case, waiting for a decision once more; whoever worked on it is still known."""
    opened = replace(case.opened, why=fact.why, about=fact.about) if fact.about else case.opened
    return replace(
        case, opened=opened, closed=None, held_by=None, held_until=None, informed=(), version=case.version + 1
    )


def _held(case: Case, by: ReviewerId, until: datetime) -> Case:
    holders = case.holders if by in case.holders else (*case.holders, by)
    return replace(case, held_by=by, held_until=until, holders=holders)


class Waiting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that its source keeps back until a reviewer has looked, or until `until`."""

    source: str
    message: MessageId
    until: datetime


def waiting(case: Case, at: datetime) -> tuple[Waiting, ...]:
    """The messages that wait for this case at `at`; none does when it is closed, has taken too long, or removed it."""
    if case.closed is not None:
        return ()
    ends = ((key, end) for key, end in _ends(case).items() if key not in case.released | case.refused)
    return tuple(Waiting(source=source, message=message, until=end) for (source, message), end in ends if at < end)


def held_by(case: Case, at: datetime) -> frozenset[Held]:
    """Those of `waiting`."""
    return frozenset((each.source, each.message) for each in waiting(case, at))


def passed_on(case: Case, at: datetime) -> frozenset[Held]:
    """The messages that waited for this case and that everybody could see by `at`."""
    overdue = frozenset(key for key, end in _ends(case).items() if end <= at)
    return case.released | (overdue - case.refused)


def _ends(case: Case) -> dict[Held, datetime]:
    """Until when each message waits at most that ever waited for the case."""
    held = {(each.breach.source, each.breach.message): each for each in case.found if each.decide is Decide.HOLD}
    ends = {key: each.until or LONGEST_WAIT.after(each.at) for key, each in held.items()}
    if case.opened.kind is CaseKind.ON_HOLD and case.opened.message is not None:
        own = case.opened.until or LONGEST_WAIT.after(case.opened.at)
        ends.setdefault((case.opened.message.source, case.opened.message.id), own)
    return ends
