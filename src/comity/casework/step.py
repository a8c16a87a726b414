"""One step on the ladder: from confirmed breaches to the facts of a decision, whoever confirmed them.

Breaches of messages that were sent before the last statement was delivered belong to that statement's step: nobody
climbs for what they did before they could know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from functools import lru_cache
from itertools import takewhile
from typing import Final

import msgspec
from msgspec.structs import replace

from comity.casework.cases import LONGEST_WAIT
from comity.casework.facts import Counted, Decided, Delivered, Fact, How, Joined, Points, points_from
from comity.casework.ladder import Reached, at_most, measures_of, on_message, reached, rows_at, strictest_of_each
from comity.casework.points import counted, known
from comity.casework.record import Record
from comity.casework.recorded import Recorded
from comity.casework.refused import Mend, RefusedError
from comity.casework.severity import is_milder
from comity.casework.statement import Grounds, statement_of
from comity.model.agreement import Agreement
from comity.model.clause import Clause, Kind, Row
from comity.model.duration import Duration
from comity.model.ids import CaseId, ClauseId, DecisionId, ReviewerId
from comity.model.measure import Measure
from comity.model.message import Message
from comity.model.statement import Breach

_MOST_REACHED: Final = 1024
"""Rows that are kept at hand, of all versions: most steps reach what others have reached."""


class Confirmed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A breach that is confirmed, with its message and what the version that the author was bound by says of it."""

    clause: Clause
    breach: Breach
    message: Message
    agreement: Agreement


class Circumstances(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a decision needs from outside: its time, fresh ids, and in a replay how soon a statement arrives.

    `patience`: how long a message waits for a person at most.
    """

    at: datetime
    decision: DecisionId
    case: CaseId
    delivery: Duration | None = None  # None: delivery is a fact that comes later
    patience: Duration = LONGEST_WAIT


class Choice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a person adds to a decision. `rows`: instead of the ladder's, if they choose milder ones."""

    by: ReviewerId
    case: CaseId | None
    reasoning: str
    rows: tuple[Row, ...] | None = None
    replaces: DecisionId | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is decided together: breaches of one account that belong to one step of its record.

    `mates` are the decisions already taken in it, `choice` None if a rule decides. Made by `step_of`.
    """

    record: Record
    confirmed: tuple[Confirmed, ...]
    mates: tuple[Recorded, ...]
    given: Circumstances
    choice: Choice | None
    number: int | None  # None: its mates', or the next
    agreement: Agreement  # whose ladders count: the newest version's among the messages'
    sent: datetime  # the earliest message's: what was not known then does not count

    @property
    def messages(self) -> tuple[Message, ...]:
        """Each once."""
        if len(self.confirmed) == 1:
            return (self.confirmed[0].message,)
        return tuple({(each.message.source, each.message.id): each.message for each in self.confirmed}.values())

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Each once."""
        if len(self.confirmed) == 1:
            return (self.confirmed[0].clause,)
        return tuple({each.clause.id: each.clause for each in self.confirmed}.values())


def step_of(
    record: Record,
    confirmed: tuple[Confirmed, ...],
    mates: tuple[Recorded, ...],
    given: Circumstances,
    choice: Choice | None = None,
    *,
    number: int | None = None,
) -> Step:
    """The step of these breaches."""
    newest = confirmed[0] if len(confirmed) == 1 else max(confirmed, key=_sent)
    return Step(
        record=record,
        confirmed=confirmed,
        mates=mates,
        given=given,
        choice=choice,
        number=number,
        agreement=newest.agreement,
        sent=_sent(newest) if len(confirmed) == 1 else min(map(_sent, confirmed)),
    )


def _sent(confirmed: Confirmed) -> datetime:
    return confirmed.message.sent


class Asked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one ladder asks for. `live`: the points that its rows were taken at."""

    ladder: ClauseId
    points: tuple[Points, ...]  # what the gravest clause adds to the step; empty if nothing
    counted: tuple[Counted, ...]
    live: int
    reached: Reached

    def adds_to(self, mates: Iterable[Recorded]) -> bool:
        return bool(self.points) or all(self.ladder not in one.decided.ladders for one in mates)


def mates_of(record: Record, sent: datetime) -> tuple[Recorded, ...]:
    """The decisions of the last step, if what was sent at `sent` could not know of its statement; else none."""
    last = record.last
    if last is None or (last.delivered is not None and last.delivered < sent):
        return ()
    number = last.decided.step
    since = takewhile(lambda one: one.steps >= number, reversed(record.decisions))  # none before is of that step
    return tuple(one for one in since if one.is_live and one.decided.step == number)[::-1]


def follows(step: Step) -> tuple[tuple[Fact, ...], tuple[Asked, ...]]:
    """The facts of the step, and what the ladders asked for.

    A new decision if the breaches add anything to their step; otherwise they join its last one. A ladder to which
    they add nothing takes no new measure on the account; the message is treated as its row says.
    """
    asked = _asked(step)
    is_new = step.choice is not None and step.choice.replaces is not None
    if step.mates and not is_new and not any(each.adds_to(step.mates) for each in asked):
        treated = {act.kind for each in asked for row in each.reached.rows for act in row.acts}
        by = step.choice.by if step.choice else None
        return tuple(joined(step.mates[-1], each, step.given.at, treated, by=by) for each in step.confirmed), asked
    asked = tuple(
        [each if each.adds_to(step.mates) else replace(each, reached=on_message(each.reached)) for each in asked]
    )
    return _decision(step, asked), asked


def joined(
    one: Recorded, confirmed: Confirmed, at: datetime, treated: Set[Kind], *, by: ReviewerId | None = None
) -> Joined:
    """The message is `treated` so; conduct is never removed."""
    is_content = confirmed.clause.rule is None or not confirmed.clause.rule.is_conduct
    return Joined(
        account=one.decided.account,
        at=at,
        decision=one.decided.decision,
        breach=confirmed.breach,
        removed=is_content and Kind.REMOVE in treated,
        marked=is_content and Kind.MARK in treated,
        by=by,
    )


def foreseen(step: Step, asked: Iterable[Asked]) -> tuple[Measure, ...]:
    """The measures of the rows that the ladders ask for."""
    return measures_at(
        [each.reached.rows for each in asked],
        confirmed=step.confirmed,
        agreement=step.agreement,
        decision=step.given.decision,
        at=step.given.at,
    )


def measures_at(
    rows: Iterable[Sequence[Row]],
    *,
    confirmed: Sequence[Confirmed],
    agreement: Agreement,
    decision: DecisionId,
    at: datetime,
) -> tuple[Measure, ...]:
    """The measures of each ladder's rows from `at` on, point by point the strictest."""
    same = {each.message.channel for each in confirmed}
    account = confirmed[0].message.author
    groups = [
        measures_of(each, account=account, decision=decision, same=same, all_channels=agreement.channels, at=at)
        for each in rows
    ]
    measures = strictest_of_each(groups)
    for each in confirmed:
        if each.clause.rule is None or not each.clause.rule.is_conduct:
            return measures
    return tuple(each for each in measures if not each.kind.is_on_message)


def _asked(step: Step) -> tuple[Asked, ...]:
    clauses = [each.clause for each in step.confirmed]
    ladders = dict.fromkeys([ladder for clause in clauses for ladder in clause.ladders])
    return tuple([_ask(step, [clause for clause in clauses if ladder in clause.ladders], ladder) for ladder in ladders])


def _ask(step: Step, clauses: Sequence[Clause], ladder: ClauseId) -> Asked:
    gravest = clauses[0] if len(clauses) == 1 else max(clauses, key=lambda clause: clause.points)
    if ladder not in step.agreement.ladders:  # the version of a later message of the step has no such ladder
        return Asked(ladder=ladder, points=(), counted=(), live=0, reached=Reached())
    if gravest.points == 0:
        return Asked(ladder=ladder, points=(), counted=(), live=0, reached=_rows(step, ladder, 0))
    own = step.number or (step.mates[0].decided.step if step.mates else None)
    # INVARIANT 11: no step counts a point whose statement was not delivered before the message was sent
    before = counted(step.record, known(step.record, step.sent, besides=own), ladder, step.sent)
    here = counted(step.record, step.mates, ladder, step.sent) if step.mates else ()
    here_already = sum([each.count for each in here])
    added = max(0, gravest.points - here_already)
    live = sum([each.count for each in before]) + here_already + added
    points = (points_from(ladder, added, gravest.expires, step.given.at),) if added else ()
    return Asked(ladder=ladder, points=points, counted=(*before, *here), live=live, reached=_rows(step, ladder, live))


def _rows(step: Step, ladder: ClauseId, points: int) -> Reached:
    """Only a rule stops where the ladder terminates."""
    return (_by_a_rule if step.choice is None else _by_a_person)(step.agreement, ladder, points)


@lru_cache(maxsize=_MOST_REACHED)
def _by_a_rule(agreement: Agreement, ladder: ClauseId, points: int) -> Reached:
    return reached(agreement.ladders[ladder], points)


def _by_a_person(agreement: Agreement, ladder: ClauseId, points: int) -> Reached:
    return Reached(rows=rows_at(agreement.ladders[ladder], points))


def _decision(step: Step, asked: tuple[Asked, ...]) -> tuple[Fact, ...]:
    decided, given = _decided(step, asked), step.given
    if given.delivery is None:
        return (decided,)
    arrives = given.delivery.after(given.at)
    return decided, Delivered(account=decided.account, at=arrives, decision=decided.decision, how=How.REPLAY)


def _number(step: Step) -> int:
    if step.number is not None:
        return step.number
    if step.mates:
        return step.mates[-1].decided.step
    return (step.record.decisions[-1].steps if step.record.decisions else 0) + 1


def _chosen(step: Step, rows: tuple[Row, ...], most: tuple[Measure, ...]) -> tuple[Measure, ...]:
    measures = measures_at(
        [rows],
        confirmed=step.confirmed,
        agreement=step.agreement,
        decision=step.given.decision,
        at=step.given.at,
    )
    if not is_milder(measures, most):  # INVARIANT 10: the ladder's row, unless a person chose a milder one
        message = "that is harsher than the ladder's row; a person may only choose what is milder"
        raise RefusedError(message, Mend.CHOOSE_MILDER)
    return measures


def _decided(step: Step, asked: tuple[Asked, ...]) -> Decided:
    given, choice, agreement = step.given, step.choice, step.agreement
    measures = foreseen(step, asked)
    if choice is not None and choice.rows is not None:
        measures = _chosen(step, choice.rows, at_most(measures, agreement.review_within))
    grounds = _grounds(step, asked, measures)
    return Decided(
        account=step.record.account,
        at=given.at,
        decision=given.decision,
        step=_number(step),
        breaches=grounds.breaches,
        ladders=tuple([each.ladder for each in asked]),
        points=grounds.points,
        counted=tuple([one for each in asked for one in each.counted]),
        measures=measures,
        statement=statement_of(grounds),
        review_within=agreement.review_within,
        decide_within=agreement.decide_within,
        case=choice.case if choice else None,
        by=choice.by if choice else None,
        is_milder=choice is not None and choice.rows is not None,
        replaces=choice.replaces if choice else None,
    )


def _grounds(step: Step, asked: tuple[Asked, ...], measures: tuple[Measure, ...]) -> Grounds:
    choice = step.choice
    return Grounds(
        record=step.record,
        messages=step.messages,
        agreement=step.agreement,
        clauses=step.clauses,
        breaches=tuple([each.breach for each in step.confirmed]),
        measures=measures,
        points=tuple([points for each in asked for points in each.points]),
        live=tuple([(each.ladder, each.live) for each in asked if each.live]),
        decision=step.given.decision,
        at=step.given.at,
        is_replay=step.given.delivery is not None,
        reasoning=choice.reasoning if choice else "",
        by_person=choice is not None,
    )
