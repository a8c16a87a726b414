"""What follows from what a rule found in a message: the facts of an automatic decision, or of a case for a person.

Pure: the record, the findings, the version and the time come in as values. Storing the facts is `flow`'s work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

import msgspec

from comity.casework.case_facts import CaseKind, CaseOpened, Found
from comity.casework.facts import Decided, Fact
from comity.casework.record import Record, after
from comity.casework.recorded import REVIEWED, Recorded
from comity.casework.step import Asked, Circumstances, Confirmed, follows, joined, mates_of, step_of
from comity.model.agreement import Agreement
from comity.model.clause import Decide
from comity.model.finding import Finding
from comity.model.ids import CaseId
from comity.model.message import Message
from comity.model.statement import Breach


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message with what was found in it, under the version that its author was bound by."""

    message: Message
    findings: tuple[Finding, ...]
    agreement: Agreement


def decide(record: Record, judged: Judged, given: Circumstances) -> tuple[Fact, ...]:
    """The facts that follow, in order. Empty if nothing was found."""
    facts: list[Fact] = []
    automatic: list[Confirmed] = []
    for finding in judged.findings:
        one = _confirmed(judged, finding)
        if one.clause.decide is Decide.AUTO:
            automatic.append(one)
        else:
            asks = tuple(_for_a_person(record, one, given))
            facts.extend(asks)
            record = reduce(after, asks, record)
    if automatic:
        facts.extend(_automatic(record, automatic, given))
    return tuple(facts)


def wait(record: Record, message: Message, given: Circumstances) -> tuple[Fact, ...]:
    """The facts that follow when a message waits because its author is on hold: a person is asked to look."""
    why = "The account is on hold: each of its messages waits for a reviewer."
    case, kind = case_id(given, CaseKind.ON_HOLD), CaseKind.ON_HOLD
    until = given.patience.after(given.at)
    return (
        CaseOpened(account=record.account, at=given.at, case=case, kind=kind, why=why, message=message, until=until),
    )


def case_id(given: Circumstances, kind: CaseKind) -> CaseId:
    """One act may open cases of several kinds; their ids differ in the last digit."""
    return CaseId(f"{given.case[:-1]}{list(CaseKind).index(kind):x}")


def _for_a_person(record: Record, one: Confirmed, given: Circumstances) -> Iterator[Fact]:
    decide_, account = one.clause.decide, record.account
    if decide_ is Decide.SHADOW:
        yield Found(account=account, at=given.at, breach=one.breach, decide=decide_)
        return
    open_case = record.open_case(CaseKind.REVIEW)
    case = open_case.id if open_case else case_id(given, CaseKind.REVIEW)
    if open_case is None:
        why = f"A rule found a breach of the clause “{one.clause.title}”, which a person decides."
        yield CaseOpened(account=account, at=given.at, case=case, why=why)
    until = given.patience.after(given.at) if decide_ is Decide.HOLD else None
    yield Found(account=account, at=given.at, breach=one.breach, decide=decide_, case=case, until=until)


def _automatic(record: Record, found: Sequence[Confirmed], given: Circumstances) -> Iterator[Fact]:
    """Findings within a clause's `once` join the decision they repeat; the others are one decision."""
    fresh: list[Confirmed] = []
    for one in found:
        earlier = within_once(record, one)
        if earlier is None:
            fresh.append(one)
        else:
            treated = {measure.kind for measure in earlier.decided.measures}
            yield joined(earlier, one, given.at, treated)
    if fresh:
        mates = mates_of(record, fresh[0].message.sent)
        facts, asked = follows(step_of(record, tuple(fresh), mates, given))
        yield from facts
        for fact in facts:
            if isinstance(fact, Decided):
                yield from _case_about(fact, asked, given)


def _case_about(decided: Decided, asked: Iterable[Asked], given: Circumstances) -> Iterator[Fact]:
    if any([each.reached.stopped_by_ceiling for each in asked]):
        kind, why = CaseKind.CEILING, "The ladder foresees termination, which only a person may decide."
        yield _about(decided, kind, why, given)
    else:
        yield from to_review((decided,), given)


def to_review(facts: Iterable[Fact], given: Circumstances) -> Iterator[CaseOpened]:
    """What lasts until it is reviewed is put before somebody."""
    for fact in facts:
        if isinstance(fact, Decided) and any([REVIEWED in measure.until for measure in fact.measures]):
            yield _about(fact, CaseKind.UNTIL_REVIEWED, "A measure lasts until it is reviewed.", given)


def _about(decided: Decided, kind: CaseKind, why: str, given: Circumstances) -> CaseOpened:
    case = case_id(given, kind)
    return CaseOpened(account=decided.account, at=given.at, case=case, kind=kind, why=why, about=decided.decision)


def within_once(record: Record, found: Confirmed) -> Recorded | None:
    """The clause's last live decision, if the message was sent within `once` of that decision's first message."""
    once = found.clause.once
    if once is None:
        return None
    for one in reversed(record.decisions):
        sent = [each.sent for each in one.decided.breaches if each.clause == found.clause.id]
        if sent and one.is_live:
            near, far = sorted((min(sent), found.breach.sent))
            return one if far < once.after(near) else None
    return None


def _confirmed(judged: Judged, finding: Finding) -> Confirmed:
    message = judged.message
    breach = Breach(
        source=message.source,
        message=message.id,
        channel=message.channel,
        sent=message.sent,
        clause=finding.clause,
        agreement=judged.agreement.digest,
        evidence=finding.evidence,
        late=finding.late,
    )
    clause = judged.agreement.clause(finding.clause)
    return Confirmed(clause=clause, breach=breach, message=message, agreement=judged.agreement)
