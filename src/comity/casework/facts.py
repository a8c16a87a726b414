"""The facts: everything that happens, appended once and never changed. State is a fold over them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from comity.model.clause import Decide, Expiry, Never
from comity.model.duration import Duration
from comity.model.ids import AccountId, CaseId, Channel, ClauseId, DecisionId, Digest
from comity.model.measure import Measure
from comity.model.statement import Breach, Statement


class Accepted(msgspec.Struct, frozen=True, kw_only=True, tag="accepted"):
    """An account accepted a version, shown in `language`. `by`: `account`, or `notice` when going on counts."""

    account: AccountId
    at: datetime
    agreement: Digest
    language: str
    by: str = "account"


class Found(msgspec.Struct, frozen=True, kw_only=True, tag="found"):
    """A finding that a person must decide (`review`, `hold`) or that is only counted (`shadow`)."""

    account: AccountId
    at: datetime
    breach: Breach
    decide: Decide
    case: CaseId | None = None


class CaseOpened(msgspec.Struct, frozen=True, kw_only=True, tag="case-opened"):
    """A reviewer is asked to decide. `why` is one plain sentence."""

    account: AccountId
    at: datetime
    case: CaseId
    why: str


class Points(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision adds to one ladder. `expires_at` None: never, or `clean`, which the record works out."""

    ladder: ClauseId
    count: int
    expires_at: datetime | None = None
    clean: Duration | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True, tag="decided"):
    """A decision that confirms breaches: its points, measures and statement are its parts and share its id."""

    account: AccountId
    at: datetime
    decision: DecisionId
    step: int  # 1, 2, ...: which step of the account's record it belongs to
    breaches: tuple[Breach, ...]
    ladders: tuple[ClauseId, ...]  # that its row was taken from
    points: tuple[Points, ...]
    measures: tuple[Measure, ...]
    statement: Statement
    review_within: Duration


class Joined(msgspec.Struct, frozen=True, kw_only=True, tag="joined"):
    """A further breach that an earlier decision covers: listed in its statement, no point, no new measure."""

    account: AccountId
    at: datetime
    decision: DecisionId
    breach: Breach
    removed: bool
    marked: bool


class How(StrEnum):
    SOURCE = "source"
    LINK = "link"
    GATE = "gate"
    OPERATOR = "operator"
    REPLAY = "replay"


class Delivered(msgspec.Struct, frozen=True, kw_only=True, tag="delivered"):
    """The account was given the statement. The earliest counts."""

    account: AccountId
    at: datetime
    decision: DecisionId
    how: How


class ConditionMet(msgspec.Struct, frozen=True, kw_only=True, tag="condition-met"):
    """A condition that a measure lasts until is met, attested by somebody allowed to."""

    account: AccountId
    at: datetime
    decision: DecisionId
    condition: str
    by: str


Fact = Accepted | Found | CaseOpened | Decided | Joined | Delivered | ConditionMet

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def encode(fact: Fact) -> bytes:
    """JSON; `decode` gives the same fact again."""
    return _ENCODER.encode(fact)


def decode(body: bytes) -> Fact:
    """The fact that `encode` wrote. Raises `msgspec.DecodeError` for anything else."""
    return _DECODER.decode(body)


def points_from(ladder: ClauseId, count: int, expires: Expiry, at: datetime) -> Points:
    """The points that a decision at `at` adds to `ladder`."""
    if isinstance(expires, Duration):
        return Points(ladder=ladder, count=count, expires_at=expires.after(at))
    return Points(ladder=ladder, count=count, clean=None if isinstance(expires, Never) else expires.duration)


def introduced(fact: Fact) -> tuple[str, ...]:
    """The ids that the fact makes known: of a decision, a case, an appeal or a notice."""
    match fact:
        case Decided():
            return (fact.decision,)
        case CaseOpened():
            return (fact.case,)
        case _:
            return ()


def opened(fact: Fact) -> tuple[str, ...]:
    """The ids of what waits for a person from this fact on: cases and appeals."""
    return (fact.case,) if isinstance(fact, CaseOpened) else ()


def closed(fact: Fact) -> tuple[str, ...]:
    """The ids of what waits for nobody any more."""
    del fact  # no fact closes anything yet
    return ()


def handle_of(fact: Fact) -> tuple[Channel, str] | None:
    """The channel and the handle that the account has on it from this fact on."""
    del fact  # no fact names a handle yet
    return None
