"""What is done to decisions after they were taken: corrected, lifted, undone, delivered; and to an account's data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from comity.casework import amend
from comity.casework.facts import Decided, Fact, How
from comity.casework.record import Record, measures
from comity.casework.recorded import Recorded
from comity.casework.refused import Mend, RefusedError
from comity.casework.settled import asked
from comity.flow.appeal import rows_of
from comity.flow.message import Proceedings
from comity.flow.review import account_of
from comity.model.ids import AccountId, ClauseId, DecisionId, Digest, ReviewerId
from comity.model.statement import Origin


def correct(
    proceedings: Proceedings, decision: DecisionId, by: ReviewerId, note: str, at: datetime, *, instead: str | None
) -> tuple[Fact, ...]:
    """A new version of the statement; `instead`: milder measures. Raises `RefusedError`."""

    def follows(record: Record) -> tuple[Fact, ...]:
        return corrected(proceedings, record, decision, by, note, at, instead=instead)

    return proceedings.act([account_of(proceedings, decision)], follows)


def corrected(
    proceedings: Proceedings,
    record: Record,
    decision: DecisionId,
    by: ReviewerId,
    note: str,
    at: datetime,
    *,
    instead: str | None,
) -> tuple[Fact, ...]:
    """The facts of it; nothing is kept."""
    rows = None if instead is None else rows_of(proceedings, record, decision, instead)
    return amend.correct(record, decision, by, note, at, rows=rows, version_of=proceedings.versions.agreement)


def lift(proceedings: Proceedings, decision: DecisionId, by: ReviewerId, why: str, at: datetime) -> tuple[Fact, ...]:
    whose = account_of(proceedings, decision)
    return proceedings.act([whose], lambda record: amend.lift(record, decision, by, why, at))


def attest(proceedings: Proceedings, decision: DecisionId, condition: str, by: str, at: datetime) -> tuple[Fact, ...]:
    whose = account_of(proceedings, decision)
    return proceedings.act([whose], lambda record: amend.attest(record, decision, condition, by, at))


def deliver(proceedings: Proceedings, decision: DecisionId, how: How, at: datetime) -> tuple[Fact, ...]:
    whose = account_of(proceedings, decision)
    return proceedings.act([whose], lambda record: amend.deliver(record, decision, how, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caused:
    """What a rule of one version led to since a time. `mixed` rest on other clauses too and are left to a person."""

    alone: tuple[tuple[AccountId, DecisionId], ...]
    mixed: tuple[tuple[AccountId, DecisionId], ...]


def caused(proceedings: Proceedings, clause: ClauseId, version: Digest, since: datetime) -> Caused:
    """The live automatic decisions that the clause of that version caused: what `undo` would reverse."""
    alone, mixed = list[tuple[AccountId, DecisionId]](), list[tuple[AccountId, DecisionId]]()
    for fact in proceedings.store.facts([Decided], since=since):
        if not isinstance(fact, Decided) or fact.by is not None or fact.at < since:
            continue
        one = proceedings.record(fact.account).decision(fact.decision)
        if one is not None and one.is_live and (found := _share(one, clause, version)):
            (alone if found == len(one.decided.breaches) else mixed).append((fact.account, fact.decision))
    return Caused(alone=tuple(alone), mixed=tuple(mixed))


def undo(proceedings: Proceedings, found: Caused, by: ReviewerId, why: str, at: datetime) -> tuple[Fact, ...]:
    """All of `found.alone` are reversed in one transaction, and what counted their points is recomputed."""
    act = proceedings.fresh()

    def follows(record: Record) -> Iterator[Fact]:
        decisions = tuple(decision for account, decision in found.alone if account == record.account)
        return amend.undo(record, decisions, act, by, why, at, proceedings.versions.agreement)

    return proceedings.act(list(dict.fromkeys(account for account, _ in found.alone)), follows)


def erase(proceedings: Proceedings, account: AccountId, at: datetime, *, keep_hash: bool) -> bool:
    """Erase the account's data for good. Raises `RefusedError`. New proceedings take the place of these.

    Returns whether there were any. The ledger says so with the first entry of another day.
    """
    demand_erasable(proceedings.record(account), at)
    return proceedings.erase(account, keep_hash=keep_hash)


def demand_erasable(record: Record, at: datetime) -> None:
    """Raises `RefusedError` while the account's data are still needed."""
    if record.hold is not None:
        raise RefusedError(f"a legal hold was set by {record.hold.by}: {record.hold.why}", Mend.END_HOLD)
    if any(not each.is_over(at) for each in measures(record)):
        raise RefusedError("a measure on its channels has not ended yet", Mend.END_MEASURE)
    if any(each.outcome is None for each in record.appeals):
        raise RefusedError("an appeal waits for its outcome", Mend.DECIDE_FIRST)
    if asked(record, at):
        raise RefusedError("a case is open", Mend.DECIDE_FIRST)


def _share(one: Recorded, clause: ClauseId, version: Digest) -> int:
    """How many of its breaches a rule found by that clause of that version."""
    return sum(
        (each.clause, each.agreement, each.origin) == (clause, version, Origin.RULE) for each in one.decided.breaches
    )
