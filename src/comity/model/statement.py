"""Breaches, and the statement of reasons that goes with every measure.

A statement holds everything that it tells: it can be read, printed and proved without the agreement at hand.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from comity.model.finding import Evidence
from comity.model.ids import AccountId, Channel, ClauseId, DecisionId, Digest, MessageId
from comity.model.measure import Measure

EXCERPT_LENGTH = 4_000
"""Code points of a message's text that a statement shows; the rest is left out, and the statement says so."""


class Origin(StrEnum):
    """Who brought a breach up: the operator's own rules or people, or a notice of one of three kinds."""

    RULE = "rule"
    USER = "user"
    TRUSTED_FLAGGER = "trusted flagger"
    AUTHORITY = "authority"


class Breach(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A confirmed finding or notice: this message, this clause."""

    source: str
    message: MessageId
    channel: Channel
    sent: datetime
    clause: ClauseId
    agreement: Digest
    evidence: tuple[Evidence, ...] = ()
    late: bool = False
    origin: Origin = Origin.RULE


class QuotedClause(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A clause in the version's own words, in the reader's language where the agreement has it."""

    id: ClauseId
    title: str
    prose: str
    category: str | None = None


class QuotedMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that a statement is about. `removed`: the decision removed it; `marked`: shown with a notice."""

    source: str
    id: MessageId
    channel: Channel
    sent: datetime
    subject: str
    text: str
    is_cut: bool = False
    removed: bool = False
    marked: bool = False


class NextStep(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the ladder foresees for one more breach of the same kind."""

    points: int
    measures: str


class Statement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The statement of reasons as issued (EU DSA Article 17). Its id is the decision's."""

    id: DecisionId
    account: AccountId
    at: datetime
    agreement: Digest
    agreement_title: str
    language: str
    is_bound_by_acceptance: bool  # False: bound by the version in force that the source declares
    clauses: tuple[QuotedClause, ...]
    breaches: tuple[Breach, ...]
    messages: tuple[QuotedMessage, ...]
    measures: tuple[Measure, ...]
    added: tuple[tuple[ClauseId, int], ...]  # ladder and points that this decision added to it
    live: tuple[tuple[ClauseId, int], ...]  # ladder and live points, these included
    points_expire: str
    next_step: NextStep | None
    conditions: tuple[tuple[str, str], ...]  # name and text of each that a measure lasts until
    appeal_window: str
    contact: str
    decided_by_person: bool = False
    reasoning: str = ""  # what the reviewer adds; a rule adds nothing
    is_replay: bool = False
    is_bound_by_notice: bool = False  # it was told of the version, and went on
    is_translated: bool = False  # what it quotes; the agreement binds in its own language

    @property
    def found_automatically(self) -> bool:
        """Whether a rule found any of the breaches."""
        return Origin.RULE in [breach.origin for breach in self.breaches]

    @property
    def decided_automatically(self) -> bool:
        return not self.decided_by_person
