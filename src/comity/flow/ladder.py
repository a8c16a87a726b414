"""The ladder over an archive: what would have become of each account, by the very functions that decide in the record.

A replay: every statement arrives so long after its decision, and nobody appeals, accepts or lifts anything. What an
account sends while it is cut is refused and not judged, as in the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

import msgspec
import numpy as np
from numpy.typing import NDArray

from comity.casework.case_facts import CaseOpened
from comity.casework.decide import Judged, decide
from comity.casework.facts import Decided, Fact, Joined
from comity.casework.record import Record, after
from comity.casework.step import Circumstances
from comity.engine.columns import Bools, Column
from comity.flow.tally import lots_of
from comity.model.agreement import Agreement
from comity.model.clause import Kind
from comity.model.duration import Duration
from comity.model.finding import Finding
from comity.model.ids import AccountId, CaseId, Channel, ClauseId, DecisionId, MessageId
from comity.model.measure import Measure
from comity.model.message import Message

Ints = NDArray[np.int64]

MOST_REPLAYED = 250_000
"""Breaching messages whose ladder is followed; of more, the accounts are drawn by lot."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Breaching(msgspec.Struct, frozen=True, array_like=True):
    """A message that breaches something, as far as the ladder asks."""

    sent: int  # microseconds since 1970
    channel: Channel
    clauses: tuple[ClauseId, ...]
    part: int
    row: int


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one account. `seconds`: how long measures of a kind last together, those without end left out."""

    account: int
    breaching: int
    refused: int
    removed: int
    decisions: int
    cases: int
    measures: dict[Kind, int]
    seconds: dict[Kind, float]
    unended: dict[Kind, int]
    part: int  # where its first breaching message stands
    row: int


class Gathered:
    """The breaching messages of an archive by account, or of as many accounts as can be followed."""

    def __init__(self, *, most: int = MOST_REPLAYED) -> None:
        self._most = most
        self._size = 0
        self._messages: dict[int, list[Breaching]] = {}
        self.halvings = 0
        """How often half of the accounts were left out."""

    def add(
        self,
        authors: Column,
        sent: Column,
        channels: Sequence[tuple[Channel, Column]],
        breaches: Sequence[tuple[ClauseId, Bools]],
        *,
        part: int,
    ) -> None:
        """Takes what breaches anything in a part."""
        is_breaching = np.zeros(len(authors), dtype=np.bool_)
        for _, breached in breaches:
            is_breaching |= breached
        rows = np.flatnonzero(is_breaching)
        rows = rows[self._is_followed(np.asarray(authors[rows], dtype=np.int64))]
        clauses = _clauses_at(rows, breaches)
        over = _channels_at(rows, channels)
        taken = zip(authors[rows].tolist(), sent[rows].tolist(), over, clauses, rows.tolist(), strict=True)
        for author, at, channel, breached_clauses, row in taken:
            self._messages.setdefault(author, []).append(Breaching(at, channel, breached_clauses, part, row))
        self._size += len(rows)
        while self._size > self._most and len(self._messages) > 1:
            self._halve()

    def accounts(self) -> list[tuple[int, list[Breaching]]]:
        """Each account with its breaching messages in intake order."""
        return list(self._messages.items())

    def _is_followed(self, authors: Ints) -> Bools:
        if not self.halvings:
            return np.ones(len(authors), dtype=np.bool_)
        kept: Bools = np.equal(lots_of(authors) >> np.uint64(64 - self.halvings), 0)
        return kept

    def _halve(self) -> None:
        self.halvings += 1
        authors = np.array(list(self._messages), dtype=np.int64)
        kept = authors[self._is_followed(authors)].tolist()
        self._messages = {author: self._messages[author] for author in kept}
        self._size = sum(map(len, self._messages.values()))


def _clauses_at(rows: Ints, breaches: Sequence[tuple[ClauseId, Bools]]) -> list[tuple[ClauseId, ...]]:
    """The clauses that each of the messages breaches; equal ones share one tuple."""
    names = [clause for clause, _ in breaches]
    if not len(rows):
        return []
    matrix = np.stack([breached[rows] for _, breached in breaches], axis=1)
    kinds, places = np.unique(matrix, axis=0, return_inverse=True)
    each = [tuple(name for name, holds in zip(names, kind, strict=True) if holds) for kind in kinds.tolist()]
    return [each[place] for place in places.ravel().tolist()]


def _channels_at(rows: Ints, channels: Sequence[tuple[Channel, Column]]) -> list[Channel]:
    found = np.zeros(len(rows), dtype=np.int64)
    for number, (_, column) in enumerate(channels):
        found[np.asarray(column[rows], dtype=np.bool_)] = number
    return [channels[number][0] for number in found.tolist()]


def decide_alike(one: Agreement, other: Agreement) -> bool:
    """Whether equal breaches come to equal courses under both: their rules and words may differ, and nothing else."""
    return _deciding(one) == _deciding(other)


def _deciding(agreement: Agreement) -> tuple[object, ...]:
    """All that decisions go by."""
    rules = [clause.rule and (clause.rule.is_conduct, clause.rule.reads_history) for clause in agreement.clauses]
    clauses = [replace(c, rule=None, title="", prose="", line=0, examples=()) for c in agreement.clauses]
    spans = (agreement.appeal_window, agreement.decide_within, agreement.review_within, agreement.points_expire)
    return (rules, clauses, spans, agreement.ladders, agreement.channels, agreement.conditions)


def follow(
    agreement: Agreement, accounts: Iterable[tuple[int, Sequence[Breaching]]], delivery: Duration
) -> list[Course]:
    """The courses of the accounts."""
    return [_course(agreement, account, messages, delivery) for account, messages in accounts]


def _course(agreement: Agreement, account: int, messages: Sequence[Breaching], delivery: Duration) -> Course:
    record = Record(account=AccountId(str(account)))
    facts: list[Fact] = []
    cuts: list[Measure] = []
    still = _earliest_left(messages)
    refused = 0
    for number, message in enumerate(messages):
        at = _EPOCH + timedelta(microseconds=message.sent)
        if any(message.channel in cut.channels and cut.is_active(at) for cut in cuts):
            refused += 1
            continue
        given = Circumstances(at=at, decision=DecisionId(str(number)), case=CaseId(str(number)), delivery=delivery)
        follows = decide(record, _judged(agreement, record.account, message, at), given)
        record = reduce(after, follows, record)
        facts.extend(follows)
        cuts = _cuts(cuts, follows, record, still[number])
    return _summed(account, messages, refused, facts, record)


def _cuts(cuts: Sequence[Measure], follows: Sequence[Fact], record: Record, still: datetime) -> list[Measure]:
    """The measures that cut the account, kept beside the record: in a replay all that ends them is known at once.

    `still`: nothing sent earlier comes any more. INVARIANT: `standing` says cut where one of them is active.
    """
    made: tuple[Measure, ...] = ()
    if record.last is not None and any(isinstance(fact, Decided) for fact in follows):
        made = tuple(each for each in record.last.measures if each.kind in (Kind.SUSPEND, Kind.TERMINATE))
    return [each for each in (*cuts, *made) if not each.is_over(still)]


def _earliest_left(messages: Sequence[Breaching]) -> list[datetime]:
    """For each message the earliest time of it and of all that come after it: now and then one comes late."""
    earliest = np.minimum.accumulate(np.array([message.sent for message in reversed(messages)], dtype=np.int64))
    return [_EPOCH + timedelta(microseconds=at) for at in reversed(earliest.tolist())]


def _judged(agreement: Agreement, account: AccountId, message: Breaching, at: datetime) -> Judged:
    """As much of the message as decisions ask for; its text only stands in statements, which nobody reads here."""
    return Judged(
        message=Message(id=MessageId(str(message.row)), author=account, channel=message.channel, text="", sent=at),
        findings=tuple(Finding(clause=clause) for clause in message.clauses),
        agreement=agreement,
    )


def _summed(account: int, messages: Sequence[Breaching], refused: int, facts: Sequence[Fact], record: Record) -> Course:
    decided = [fact for fact in facts if isinstance(fact, Decided)]
    measures = [measure for one in record.decisions for measure in one.measures]
    joined = sum(isinstance(fact, Joined) and fact.removed for fact in facts)
    return Course(
        account=account,
        breaching=len(messages),
        refused=refused,
        removed=joined + sum(any(each.kind is Kind.REMOVE for each in one.measures) for one in decided),
        decisions=len(decided),
        cases=sum(isinstance(fact, CaseOpened) for fact in facts),
        measures=dict(Counter(measure.kind for measure in measures)),
        seconds=_lasting(measures),
        unended=dict(Counter(each.kind for each in measures if each.channels and each.end is None)),
        part=messages[0].part,
        row=messages[0].row,
    )


def _lasting(measures: Iterable[Measure]) -> dict[Kind, float]:
    lasting: dict[Kind, float] = {}
    for kind, seconds in _lengths(measures):
        lasting[kind] = lasting.get(kind, 0.0) + seconds
    return lasting


def _lengths(measures: Iterable[Measure]) -> Iterator[tuple[Kind, float]]:
    return (
        (each.kind, (each.end - each.start).total_seconds())
        for each in measures
        if each.channels and each.start is not None and each.end is not None
    )
