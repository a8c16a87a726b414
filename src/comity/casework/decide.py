"""What follows from what a rule found in a message: the facts of an automatic decision, or of a case for a person.

Pure: the record, the findings, the version and the time come in as values. Storing the facts is `flow`'s work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import takewhile

from comity.casework.facts import CaseOpened, Decided, Delivered, Fact, Found, How, Joined, Points, points_from
from comity.casework.ladder import Reached, measures_of, on_message, reached, strictest_of_each
from comity.casework.record import Record, Recorded, after, known_points
from comity.casework.statement import Grounds, statement_of
from comity.model.agreement import Agreement
from comity.model.clause import Clause, Decide, Kind
from comity.model.duration import Duration
from comity.model.finding import Finding
from comity.model.ids import CaseId, ClauseId, DecisionId
from comity.model.measure import Measure
from comity.model.message import Message
from comity.model.statement import Breach


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A message with what was found in it, under the version that its author was bound by."""

    message: Message
    findings: tuple[Finding, ...]
    agreement: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a decision needs from outside: its time, fresh ids, and in a replay how soon a statement arrives."""

    at: datetime
    decision: DecisionId
    case: CaseId
    delivery: Duration | None = None  # None: delivery is a fact that comes later


def decide(record: Record, judged: Judged, given: Circumstances) -> tuple[Fact, ...]:
    """The facts that follow, in order. Empty if nothing was found."""
    facts: list[Fact] = []
    automatic: list[tuple[Clause, Breach]] = []
    for finding in judged.findings:
        clause, breach = judged.agreement.clause(finding.clause), _breach(judged, finding)
        if clause.decide is Decide.AUTO:
            automatic.append((clause, breach))
        else:
            follows = tuple(_for_a_person(record, clause, breach, given))
            facts.extend(follows)
            record = reduce(after, follows, record)
    if automatic:
        facts.extend(_automatic(record, judged, automatic, given))
    return tuple(facts)


def wait(record: Record, given: Circumstances) -> tuple[Fact, ...]:
    """The facts that follow when a message waits because its author is on hold: a person is asked to look."""
    if record.open_case is not None:
        return ()
    why = "The account is on hold: each of its messages waits for a reviewer."
    return (CaseOpened(account=record.account, at=given.at, case=given.case, why=why),)


def _for_a_person(record: Record, clause: Clause, breach: Breach, given: Circumstances) -> Iterator[Fact]:
    if clause.decide is Decide.SHADOW:
        yield Found(account=record.account, at=given.at, breach=breach, decide=clause.decide)
        return
    case = record.open_case or given.case
    if record.open_case is None:
        why = f"A rule found a breach of the clause “{clause.title}”, which a person decides."
        yield CaseOpened(account=record.account, at=given.at, case=case, why=why)
    yield Found(account=record.account, at=given.at, breach=breach, decide=clause.decide, case=case)


def _automatic(
    record: Record, judged: Judged, found: list[tuple[Clause, Breach]], given: Circumstances
) -> Iterator[Fact]:
    """Findings within a clause's `once` join the decision they repeat; the others are one decision."""
    fresh: list[tuple[Clause, Breach]] = []
    for clause, breach in found:
        earlier = _within_once(record, clause, breach)
        if earlier is None:
            fresh.append((clause, breach))
        else:
            treated = {measure.kind for measure in earlier.decided.measures}
            yield _joined(earlier, breach, given, clause, treated)
    if fresh:
        yield from _step(record, judged, fresh, given)


def _step(record: Record, judged: Judged, found: list[tuple[Clause, Breach]], given: Circumstances) -> Iterator[Fact]:
    """A new decision if the breaches add anything to their step; otherwise they join its last one.

    A ladder to which they add nothing takes no new measure on the account; the message is treated as its row says.
    """
    current = _current_step(record, judged.message.sent)
    asked = _asked(record, judged, found, current, given)
    if current and not any(each.adds_to(current) for each in asked):
        treated = {act.kind for each in asked for row in each.reached.rows for act in row.acts}
        for clause, breach in found:
            yield _joined(current[-1], breach, given, clause, treated)
        return
    asked = tuple(each if each.adds_to(current) else replace(each, reached=on_message(each.reached)) for each in asked)
    decided = _decided(record, judged, found, asked, current, given)
    yield decided
    if given.delivery is not None:
        delivered_at = given.delivery.after(given.at)
        yield Delivered(account=record.account, at=delivered_at, decision=decided.decision, how=How.REPLAY)
    if record.open_case is None:
        yield from _case_for(decided, asked, given)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What one ladder asks for."""

    ladder: ClauseId
    points: tuple[Points, ...]  # what the gravest clause adds to the step; empty if nothing
    live: int
    reached: Reached

    def adds_to(self, step: tuple[Recorded, ...]) -> bool:
        return bool(self.points) or all(self.ladder not in one.decided.ladders for one in step)


def _asked(
    record: Record,
    judged: Judged,
    found: list[tuple[Clause, Breach]],
    current: tuple[Recorded, ...],
    given: Circumstances,
) -> tuple[_Asked, ...]:
    ladders = dict.fromkeys(ladder for clause, _ in found for ladder in clause.ladders)
    return tuple(
        _ask(record, judged, [clause for clause, _ in found if ladder in clause.ladders], ladder, current, given)
        for ladder in ladders
    )


def _ask(
    record: Record,
    judged: Judged,
    clauses: list[Clause],
    ladder: ClauseId,
    current: tuple[Recorded, ...],
    given: Circumstances,
) -> _Asked:
    gravest = max(clauses, key=lambda clause: clause.points)
    table = judged.agreement.ladders[ladder]
    if gravest.points == 0:
        return _Asked(ladder=ladder, points=(), live=0, reached=reached(table, 0))
    in_step = sum(points.count for one in current for points in one.decided.points if points.ladder == ladder)
    step = current[-1].decided.step if current else None
    # INVARIANT 11: no step counts a point whose statement was not delivered before the message was sent
    before = known_points(record, ladder, judged.message.sent, besides=step)
    added = max(0, gravest.points - in_step)
    live = before + in_step + added
    points = (points_from(ladder, added, gravest.expires, given.at),) if added else ()
    return _Asked(ladder=ladder, points=points, live=live, reached=reached(table, live))


def _decided(
    record: Record,
    judged: Judged,
    found: list[tuple[Clause, Breach]],
    asked: tuple[_Asked, ...],
    current: tuple[Recorded, ...],
    given: Circumstances,
) -> Decided:
    measures = _measures(record, judged, found, asked, given)
    points = tuple(points for each in asked for points in each.points)
    last_step = record.last.decided.step if record.last else 0
    return Decided(
        account=record.account,
        at=given.at,
        decision=given.decision,
        step=current[-1].decided.step if current else last_step + 1,
        breaches=tuple(breach for _, breach in found),
        ladders=tuple(each.ladder for each in asked),
        points=points,
        measures=measures,
        review_within=judged.agreement.review_within,
        statement=statement_of(
            Grounds(
                record=record,
                message=judged.message,
                agreement=judged.agreement,
                clauses=tuple(clause for clause, _ in found),
                breaches=tuple(breach for _, breach in found),
                measures=measures,
                points=points,
                live=tuple((each.ladder, each.live) for each in asked if each.live),
                decision=given.decision,
                at=given.at,
                is_replay=given.delivery is not None,
            )
        ),
    )


def _measures(
    record: Record,
    judged: Judged,
    found: list[tuple[Clause, Breach]],
    asked: tuple[_Asked, ...],
    given: Circumstances,
) -> tuple[Measure, ...]:
    every = judged.agreement.channels
    groups = (
        measures_of(
            each.reached.rows,
            account=record.account,
            decision=given.decision,
            same=judged.message.channel,
            all_channels=every,
            at=given.at,
        )
        for each in asked
    )
    measures = strictest_of_each(groups)
    if all(clause.rule is not None and clause.rule.is_conduct for clause, _ in found):
        return tuple(each for each in measures if not each.kind.is_on_message)
    return measures


def _case_for(decided: Decided, asked: Iterable[_Asked], given: Circumstances) -> Iterator[Fact]:
    if any(each.reached.stopped_by_ceiling for each in asked):
        why = "The ladder foresees termination, which only a person may decide."
    elif any("reviewed" in measure.until for measure in decided.measures):
        why = "A measure lasts until it is reviewed."
    else:
        return
    yield CaseOpened(account=decided.account, at=given.at, case=given.case, why=why)


def _joined(one: Recorded, breach: Breach, given: Circumstances, clause: Clause, treated: Set[Kind]) -> Joined:
    """The message is `treated` so; conduct is never removed."""
    is_content = clause.rule is None or not clause.rule.is_conduct
    return Joined(
        account=one.decided.account,
        at=given.at,
        decision=one.decided.decision,
        breach=breach,
        removed=is_content and Kind.REMOVE in treated,
        marked=is_content and Kind.MARK in treated,
    )


def _within_once(record: Record, clause: Clause, breach: Breach) -> Recorded | None:
    """The clause's last decision, if `breach` was sent within `once` of that decision's first message."""
    if clause.once is None:
        return None
    for one in reversed(record.decisions):
        sent = [each.sent for each in one.decided.breaches if each.clause == clause.id]
        if sent:
            near, far = sorted((min(sent), breach.sent))
            return one if far < clause.once.after(near) else None
    return None


def _current_step(record: Record, sent: datetime) -> tuple[Recorded, ...]:
    """The decisions of the last step, if the message was sent before its statement could be known."""
    last = record.last
    if last is None or (last.delivered is not None and last.delivered < sent):
        return ()
    step = takewhile(lambda one: one.decided.step == last.decided.step, reversed(record.decisions))
    return tuple(step)[::-1]


def _breach(judged: Judged, finding: Finding) -> Breach:
    message = judged.message
    return Breach(
        source=message.source,
        message=message.id,
        channel=message.channel,
        sent=message.sent,
        clause=finding.clause,
        agreement=judged.agreement.digest,
        evidence=finding.evidence,
        late=finding.late,
    )
