"""The facts of cases: what is brought before a person, who works on it, and how it ends. See `facts` for all others."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from comity.model.clause import Decide
from comity.model.ids import AccountId, CaseId, ClauseId, DecisionId, NoticeId
from comity.model.ids import ReviewerId as Person
from comity.model.message import Message
from comity.model.statement import Breach, Origin


class AboutAccount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all facts share."""

    account: AccountId
    at: datetime


class CaseKind(StrEnum):
    """What a case asks of a reviewer."""

    REVIEW = "review"  # findings and notices: is it a breach?
    CEILING = "ceiling"  # the ladder foresees termination, which no rule may decide
    UNTIL_REVIEWED = "until reviewed"  # a measure lasts until somebody has looked
    ON_HOLD = "on hold"  # messages of an account on hold wait
    SECOND_REVIEW = "second review"  # blind: what would another reviewer have said?
    SAMPLE = "sample"  # nothing was found in this message; is that right?
    UNMET = "unmet"  # nobody has met a condition for long; shall the measure go on until somebody does?


class CaseOpened(AboutAccount, frozen=True, kw_only=True, tag="case-opened"):
    """A reviewer is asked to decide. `why` is one plain sentence; `about` the decision it comes from, if any.

    `until`: of a message that waits, when it is passed on at the latest; older facts did not say.
    """

    case: CaseId
    why: str
    kind: CaseKind = CaseKind.REVIEW
    about: DecisionId | None = None
    message: Message | None = None  # of a sample, or of a message that waits
    until: datetime | None = None


class Found(AboutAccount, frozen=True, kw_only=True, tag="found"):
    """A finding that a person must decide (`review`, `hold`) or that is only counted (`shadow`).

    `until`: of `hold`, when the message is passed on at the latest; older facts did not say.
    """

    breach: Breach
    decide: Decide
    case: CaseId | None = None
    until: datetime | None = None


class Notifier(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent a notice. Empty where the law asks for no name (EU DSA Article 16(2)(c)). Never in a statement."""

    name: str = ""
    contact: str = ""


NOBODY: Final = Notifier()


class Known(StrEnum):
    """What the record has of a message that somebody reports."""

    TEXT = "text"
    SENDER = "sender"  # who sent it and when: nothing was found in it, or its text was forgotten since
    NOTHING = "nothing"  # it was never taken in, or its author's data were erased; all that is known is claimed


class Noticed(AboutAccount, frozen=True, kw_only=True, tag="noticed"):
    """A notice about a message of the account (EU DSA Article 16). `clause`: which one the notifier thinks of.

    `quote`: what the notifier says that the message says; it is nobody else's word. Where the record has no more than
    the message's sender, or nothing, `message` has no text.
    """

    notice: NoticeId
    case: CaseId
    message: Message
    origin: Origin
    where: str
    why: str
    good_faith: bool
    clause: ClauseId | None = None
    notifier: Notifier = NOBODY
    quote: str = ""
    known: Known = Known.TEXT


class Informed(AboutAccount, frozen=True, kw_only=True, tag="informed"):
    """A notifier is told what was decided on the notice, and how to appeal."""

    notice: NoticeId
    decision: DecisionId
    confirmed: bool


class Claimed(AboutAccount, frozen=True, kw_only=True, tag="claimed"):
    """A reviewer works on a case until `until`; claiming again extends it."""

    case: CaseId
    by: Person
    until: datetime


class Released(AboutAccount, frozen=True, kw_only=True, tag="released"):
    case: CaseId
    by: Person


class HandedOver(AboutAccount, frozen=True, kw_only=True, tag="handed-over"):
    case: CaseId
    by: Person
    to: Person
    until: datetime


class Escalated(AboutAccount, frozen=True, kw_only=True, tag="escalated"):
    """A reviewer puts the case before somebody with more say."""

    case: CaseId
    by: Person
    why: str


class CaseClosed(AboutAccount, frozen=True, kw_only=True, tag="case-closed"):
    """The case ended with a decision, or with none where it asked for none."""

    case: CaseId
    by: Person
    why: str
    decision: DecisionId | None = None


class Assessed(AboutAccount, frozen=True, kw_only=True, tag="assessed"):
    """What a person says to a sample or in a blind second review: which clauses are breached, if any."""

    case: CaseId
    by: Person
    clauses: tuple[ClauseId, ...]
