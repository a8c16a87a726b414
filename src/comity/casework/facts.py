"""The facts: everything that happens, appended once and never changed. State is a fold over them.

What a person does carries `by`, who they are to the operator, and `why`, the reason in their own words.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from comity.casework.case_facts import (
    AboutAccount,
    Assessed,
    CaseClosed,
    CaseOpened,
    Claimed,
    Escalated,
    Found,
    HandedOver,
    Informed,
    Noticed,
    Released,
)
from comity.model.clause import Expiry, Never
from comity.model.duration import Duration, Unit
from comity.model.ids import AppealId, CaseId, Channel, ClauseId, DecisionId, Digest, MessageId, NoticeId
from comity.model.ids import ReviewerId as Person
from comity.model.measure import Measure
from comity.model.statement import Breach, Statement


class AcceptedBy(StrEnum):
    ACCOUNT = "account"  # it said so
    NOTICE = "notice"  # it was told, and the agreement that binds it says that going on counts


class Accepted(AboutAccount, frozen=True, kw_only=True, tag="accepted"):
    """An account accepted a version, shown in `language`. `since`: by notice, from when on its messages say so."""

    agreement: Digest
    language: str
    by: AcceptedBy = AcceptedBy.ACCOUNT
    since: datetime | None = None

    @property
    def binds_from(self) -> datetime:
        return self.at if self.since is None else self.since


class Points(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a decision adds to one ladder. `expires_at` None: never, or `clean`, which the record works out."""

    ladder: ClauseId
    count: int
    expires_at: datetime | None = None
    clean: Duration | None = None


class Counted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Points of an earlier decision that a later one was taken at."""

    decision: DecisionId
    ladder: ClauseId
    count: int


class Decided(AboutAccount, frozen=True, kw_only=True, tag="decided"):
    """A decision that confirms breaches: its points, measures and statement are its parts and share its id."""

    decision: DecisionId
    step: int  # 1, 2, ...: which step of the account's record it belongs to
    breaches: tuple[Breach, ...]
    ladders: tuple[ClauseId, ...]  # that its row was taken from
    points: tuple[Points, ...]
    measures: tuple[Measure, ...]
    statement: Statement
    review_within: Duration
    decide_within: Duration = Duration(count=1, unit=Unit.MONTH)  # what most said before facts told it
    counted: tuple[Counted, ...] = ()  # what its rows were taken at, besides its own points
    case: CaseId | None = None
    by: Person | None = None  # None: a rule
    is_milder: bool = False  # than the ladder's row, which a person may choose
    replaces: DecisionId | None = None


class Dismissed(AboutAccount, frozen=True, kw_only=True, tag="dismissed"):
    """A decision that what was found or noticed is no breach. A notifier can appeal it."""

    decision: DecisionId
    case: CaseId
    by: Person
    why: str
    breaches: tuple[Breach, ...]


class Joined(AboutAccount, frozen=True, kw_only=True, tag="joined"):
    """A further breach that an earlier decision covers: listed in its statement, no point, no new measure."""

    decision: DecisionId
    breach: Breach
    removed: bool
    marked: bool
    by: Person | None = None


class How(StrEnum):
    SOURCE = "source"
    LINK = "link"
    GATE = "gate"
    MAIL = "mail"
    OPERATOR = "operator"
    REPLAY = "replay"


class Delivered(AboutAccount, frozen=True, kw_only=True, tag="delivered"):
    """The account was given the statement. The earliest counts."""

    decision: DecisionId
    how: How


class ConditionMet(AboutAccount, frozen=True, kw_only=True, tag="condition-met"):
    """A condition that a measure lasts until is met, attested by somebody allowed to."""

    decision: DecisionId
    condition: str
    by: str


class Corrected(AboutAccount, frozen=True, kw_only=True, tag="corrected"):
    """A reviewer mends a statement: `note` is what it should have said; `measures`, if given, are shorter or milder."""

    decision: DecisionId
    by: Person
    note: str
    measures: tuple[Measure, ...] | None = None


class Lifted(AboutAccount, frozen=True, kw_only=True, tag="lifted"):
    """A reviewer ends the measures before their time; the breach and its points stand."""

    decision: DecisionId
    by: Person
    why: str


class Undone(AboutAccount, frozen=True, kw_only=True, tag="undone"):
    """The decision was caused by a bad rule, and an operator reverses all that it caused. `undo` names the act."""

    decision: DecisionId
    undo: str
    by: Person
    why: str


class Recomputed(AboutAccount, frozen=True, kw_only=True, tag="recomputed"):
    """Points that the decision counted are void or fewer `because` of another: milder measures from now on."""

    decision: DecisionId
    because: DecisionId
    measures: tuple[Measure, ...]


class Party(StrEnum):
    ACCOUNT = "account"
    NOTIFIER = "notifier"


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came with an appeal; `digest` is the SHA-256 of its content, in hexadecimal."""

    name: str
    size: int
    digest: str


class Appealed(AboutAccount, frozen=True, kw_only=True, tag="appealed"):
    """A complaint against a decision. `by`: who filed it in the party's name; empty: the party itself."""

    appeal: AppealId
    decision: DecisionId
    party: Party
    text: str
    by: str = ""
    notice: NoticeId | None = None  # of a notifier's appeal
    attachments: tuple[Attachment, ...] = ()


class AppealOffered(AboutAccount, frozen=True, kw_only=True, tag="appeal-offered"):
    """Somebody with the refusal link, which is no secret, appeals: it waits until it is known to be the account's."""

    offer: AppealId
    decision: DecisionId
    text: str


class OfferSettled(AboutAccount, frozen=True, kw_only=True, tag="offer-settled"):
    """An offered appeal waits no more: it became the appeal `taken`, or (None) it is not the account's."""

    offer: AppealId
    decision: DecisionId
    taken: AppealId | None = None
    by: Person | None = None  # None: the account itself


class LinkReplaced(AboutAccount, frozen=True, kw_only=True, tag="link-replaced"):
    """The links to the statement that were given out before lead to nothing from now on; a new one does."""

    decision: DecisionId
    by: Person


class AppealOutcome(StrEnum):
    UPHELD = "upheld"  # the decision stands
    VARIED = "varied"  # a milder measure takes its place
    REVERSED = "reversed"
    OMITTED = "omitted"  # not decided, for the reason given: the appeal was taken back, say


class OutcomeGiven(AboutAccount, frozen=True, kw_only=True, tag="outcome-given"):
    """An appeals reviewer decided an appeal. `measures`: of `varied` alone."""

    appeal: AppealId
    decision: DecisionId
    outcome: AppealOutcome
    by: Person
    why: str
    measures: tuple[Measure, ...] | None = None


class AppealsPutOff(AboutAccount, frozen=True, kw_only=True, tag="appeals-put-off"):
    """Appeals of a party that complains too often wait until `until` (EU DSA Article 23(2)); filing stays open."""

    party: Party
    until: datetime
    by: Person
    why: str


class HandleGiven(AboutAccount, frozen=True, kw_only=True, tag="handle-given"):
    """What a channel calls the account, from `since` until `until` (None: further notice)."""

    channel: Channel
    handle: str
    since: datetime
    until: datetime | None = None


class ContactGiven(AboutAccount, frozen=True, kw_only=True, tag="contact-given"):
    """Where the account is written to: an e-mail address, in place of any before; empty: nowhere."""

    address: str


class HoldSet(AboutAccount, frozen=True, kw_only=True, tag="hold-set"):
    """A legal hold: nothing of the account may be erased."""

    by: Person
    why: str


class HoldEnded(AboutAccount, frozen=True, kw_only=True, tag="hold-ended"):
    by: Person
    why: str


class Treatment(StrEnum):
    """What a source does with a message, and says that it has done."""

    WITHHELD = "withheld"
    RESTORED = "restored"


class Acknowledged(AboutAccount, frozen=True, kw_only=True, tag="acknowledged"):
    """The source has taken a message down, or put it back."""

    source: str
    message: MessageId
    treatment: Treatment
    territory: tuple[str, ...] = ()  # the countries in which it is withheld; none: everywhere


Change = Joined | Delivered | ConditionMet | Corrected | Lifted | Undone | Recomputed | OutcomeGiven
"""What a statement tells besides what it said when it was issued."""

Fact = (
    Accepted
    | CaseOpened
    | Found
    | Noticed
    | Informed
    | Claimed
    | Released
    | HandedOver
    | Escalated
    | CaseClosed
    | Assessed
    | Decided
    | Dismissed
    | Change
    | Appealed
    | AppealOffered
    | OfferSettled
    | LinkReplaced
    | AppealsPutOff
    | HandleGiven
    | ContactGiven
    | HoldSet
    | HoldEnded
    | Acknowledged
)

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[Fact]] = msgspec.json.Decoder(Fact)


def encode(fact: Fact) -> bytes:
    """JSON; `decode` gives the same fact again."""
    return _ENCODER.encode(fact)


def decode(body: bytes) -> Fact:
    """The fact that `encode` wrote, also that of Comity 0.1. Raises `msgspec.DecodeError` for anything else."""
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError:
        return _DECODER.decode(_upgraded(body))


def _upgraded(body: bytes) -> bytes:
    """In Comity 0.1 a statement was about one message."""
    fact = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "statement" in fact:
        statement = msgspec.json.decode(fact["statement"], type=dict[str, msgspec.Raw])
        statement["messages"] = msgspec.Raw(b"[" + bytes(statement.pop("message", b"")) + b"]")
        fact["statement"] = msgspec.Raw(_ENCODER.encode(statement))
    return _ENCODER.encode(fact)


def introduced(fact: Fact) -> tuple[str, ...]:
    """The ids that the fact makes known: of a decision, a case, an appeal (an offered one too) or a notice."""
    match fact:
        case Decided() | Dismissed():
            return (fact.decision,)
        case CaseOpened():
            return (fact.case,)
        case Noticed():
            return (fact.notice,)
        case Appealed():
            return (fact.appeal,)
        case AppealOffered():
            return (fact.offer,)
        case _:
            return ()


def opened(fact: Fact) -> tuple[str, ...]:
    """The ids of what waits for a person from now on: a case, an appeal, an offered appeal."""
    match fact:
        case CaseOpened():
            return (fact.case,)
        case Appealed():
            return (fact.appeal,)
        case AppealOffered():
            return (fact.offer,)
        case _:
            return ()


def closed(fact: Fact) -> tuple[str, ...]:
    """The ids of what waits no longer."""
    match fact:
        case CaseClosed():
            return (fact.case,)
        case OutcomeGiven():
            return (fact.appeal,)
        case OfferSettled():
            return (fact.offer,)
        case _:
            return ()


def handle_of(fact: Fact) -> tuple[Channel, str] | None:
    """The channel and the handle that the fact gives to its account."""
    return (fact.channel, fact.handle) if isinstance(fact, HandleGiven) else None


def points_from(ladder: ClauseId, count: int, expires: Expiry, at: datetime) -> Points:
    """The points that a decision at `at` adds to `ladder`."""
    if isinstance(expires, Duration):
        return Points(ladder=ladder, count=count, expires_at=expires.after(at))
    return Points(ladder=ladder, count=count, clean=None if isinstance(expires, Never) else expires.duration)
