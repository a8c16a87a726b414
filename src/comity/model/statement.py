"""Breaches, and the statement of reasons that goes with every measure.

A statement holds everything that it tells: it can be read, printed and proved without the agreement at hand.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.model.finding import Evidence
from comity.model.ids import AccountId, Channel, ClauseId, DecisionId, Digest, MessageId
from comity.model.measure import Measure

EXCERPT_LENGTH = 4_000
"""Code points of a message's text that a statement shows; the rest is left out, and the statement says so."""


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmed finding: this message, this clause."""

    source: str
    message: MessageId
    channel: Channel
    sent: datetime
    clause: ClauseId
    agreement: Digest
    evidence: tuple[Evidence, ...] = ()
    late: bool = False


class QuotedClause(msgspec.Struct, frozen=True, kw_only=True):
    """A clause in the version's own words, in the reader's language where the agreement has it."""

    id: ClauseId
    title: str
    prose: str
    category: str | None = None


class QuotedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The message a statement is about. `removed`: the decision removed it; `marked`: shown with a notice."""

    source: str
    id: MessageId
    channel: Channel
    sent: datetime
    subject: str
    text: str
    is_cut: bool = False
    removed: bool = False
    marked: bool = False


class NextStep(msgspec.Struct, frozen=True, kw_only=True):
    """What the ladder foresees for one more breach of the same kind."""

    points: int
    measures: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
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
    message: QuotedMessage
    measures: tuple[Measure, ...]
    added: tuple[tuple[ClauseId, int], ...]  # ladder and points that this decision added to it
    live: tuple[tuple[ClauseId, int], ...]  # ladder and live points, these included
    points_expire: str
    next_step: NextStep | None
    found_automatically: bool
    decided_automatically: bool
    conditions: tuple[tuple[str, str], ...]  # name and text of each that a measure lasts until
    appeal_window: str
    contact: str
    is_replay: bool = False
