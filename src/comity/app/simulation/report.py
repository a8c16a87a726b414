"""What a played community came to: a fold of its record's facts, with what only the play knows beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median

import msgspec

from comity.app.simulation.days import Day, Played
from comity.app.simulation.offences import START
from comity.casework.case_facts import CaseClosed, CaseOpened, Found, Noticed
from comity.casework.facts import (
    Accepted,
    Appealed,
    Decided,
    Dismissed,
    Fact,
    Joined,
    OutcomeGiven,
    Party,
    Recomputed,
    Undone,
)
from comity.casework.record import measures
from comity.casework.severity import CUTS
from comity.ledger.verify import verify
from comity.model.clause import Kind
from comity.model.ids import AccountId


class ClauseCount(msgspec.Struct, frozen=True, kw_only=True):
    """`findings` by the clause's rule; `confirmed` breaches, by rules and by people, whatever came of appeals."""

    id: str
    title: str
    findings: int
    confirmed: int
    is_played: bool  # whether an example of it can be sent at once


class VersionCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often it was accepted, and how many decisions are about messages that it was the version of."""

    digest: str
    accepted: int
    decisions: int


class Appeals(msgspec.Struct, frozen=True, kw_only=True):
    by_accounts: int
    by_notifiers: int
    outcomes: dict[str, int]
    waiting: int
    median_hours: float | None


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How the accounts stand when the last day is over. `all_open_at`: when the last measure with an end is over."""

    cut: int
    cut_for_good: int
    open_cases: int
    all_open_at: datetime


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    is_verified: bool
    size: int
    root: str
    problems: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, as `--json` prints it."""

    agreement: str
    digest: str
    seed: int
    accounts: int
    start: datetime
    reviewers: int
    messages: int
    outcomes: dict[str, int]
    not_written: int  # since their author was cut on the channel
    facts: int
    notices: int
    versions: tuple[VersionCount, ...]
    clauses: tuple[ClauseCount, ...]
    decisions: int
    by_rules: int
    by_people: int
    dismissals: int
    measures: dict[str, int]
    appeals: Appeals
    late_appeals: int
    undone: int
    recomputed: int
    cases: int
    median_hours: float | None  # from a case's opening to its end
    ever_decided: int  # accounts
    ever_warned: int
    ever_cut: int
    top_tenth: float | None  # the share of the breaches that come from the tenth of the breaching accounts with most
    end: End
    ledger: Ledger
    days: tuple[Day, ...]


def report(played: Played) -> Report:
    """Checks the ledger, too."""
    every = tuple(played.store.facts())
    decided = [fact for fact in every if isinstance(fact, Decided)]
    given = dict(Counter(measure.kind.value for fact in decided for measure in fact.measures))
    return Report(
        agreement=played.community.agreement.title,
        digest=played.community.agreement.digest,
        seed=played.community.seed,
        accounts=played.community.accounts,
        start=START,
        reviewers=len(played.people.pool),
        messages=sum(played.outcomes.values()),
        outcomes={str(outcome): count for outcome, count in sorted(played.outcomes.items())},
        not_written=played.unwritten,
        facts=len(every),
        notices=_count(every, Noticed),
        versions=tuple(_versions(played, every)),
        clauses=_clauses(played, every),
        decisions=len(decided),
        by_rules=sum(fact.by is None for fact in decided),
        by_people=sum(fact.by is not None for fact in decided),
        dismissals=_count(every, Dismissed),
        measures={kind.value: given[kind.value] for kind in Kind if kind.value in given},
        appeals=_appeals(every),
        late_appeals=played.late_appeals,
        undone=_count(every, Undone),
        recomputed=_count(every, Recomputed),
        cases=_count(every, CaseOpened),
        median_hours=_median_hours(
            {fact.case: fact.at for fact in every if isinstance(fact, CaseOpened)},
            {fact.case: fact.at for fact in every if isinstance(fact, CaseClosed)},
        ),
        ever_decided=len({fact.account for fact in decided}),
        ever_warned=len(_accounts(decided, (Kind.WARN,))),
        ever_cut=len(_accounts(decided, CUTS)),
        top_tenth=_top_tenth(decided),
        end=_end(played),
        ledger=_ledger(played),
        days=tuple(played.days),
    )


def _count(facts: Iterable[Fact], kind: type[Fact]) -> int:
    return sum(isinstance(fact, kind) for fact in facts)


def _versions(played: Played, every: Sequence[Fact]) -> Iterator[VersionCount]:
    accepted = Counter(fact.agreement for fact in every if isinstance(fact, Accepted))
    decided = Counter(fact.statement.agreement for fact in every if isinstance(fact, Decided))
    for each in played.versions:
        yield VersionCount(digest=each.digest, accepted=accepted[each.digest], decisions=decided[each.digest])


def _clauses(played: Played, facts: Iterable[Fact]) -> tuple[ClauseCount, ...]:
    findings, confirmed = Counter[str](), Counter[str]()
    for fact in facts:
        match fact:
            case Decided():
                breaches = Counter(str(breach.clause) for breach in fact.breaches)
                confirmed += breaches if fact.replaces is None else Counter()
                findings += breaches if fact.by is None else Counter()
            case Joined():
                confirmed[fact.breach.clause] += 1
                findings[fact.breach.clause] += fact.by is None
            case Found():
                findings[fact.breach.clause] += 1
            case _:
                continue
    played_clauses = {offence.clause for offence in played.community.offences}
    return tuple(
        ClauseCount(
            id=clause.id,
            title=clause.title,
            findings=findings[clause.id],
            confirmed=confirmed[clause.id],
            is_played=clause.id in played_clauses,
        )
        for clause in played.community.agreement.clauses
    )


def _appeals(facts: Sequence[Fact]) -> Appeals:
    filed = [fact for fact in facts if isinstance(fact, Appealed)]
    given = [fact for fact in facts if isinstance(fact, OutcomeGiven)]
    own = sum(fact.party is Party.ACCOUNT for fact in filed)
    return Appeals(
        by_accounts=own,
        by_notifiers=len(filed) - own,
        outcomes=dict(sorted(Counter(fact.outcome.value for fact in given).items())),
        waiting=len(filed) - len(given),
        median_hours=_median_hours({fact.appeal: fact.at for fact in filed}, {fact.appeal: fact.at for fact in given}),
    )


def _median_hours(begun: dict[str, datetime], ended: dict[str, datetime]) -> float | None:
    hours = [(at - begun[id_]).total_seconds() / 3600 for id_, at in ended.items() if id_ in begun]
    return round(median(hours), 1) if hours else None


def _accounts(decided: Iterable[Decided], kinds: Sequence[Kind]) -> set[AccountId]:
    return {fact.account for fact in decided if any(measure.kind in kinds for measure in fact.measures)}


def _top_tenth(decided: Sequence[Decided]) -> float | None:
    """How heavy the tail is: few accounts cause most of the breaches."""
    counts = Counter(fact.account for fact in decided for _ in fact.breaches)
    most = counts.most_common(max(1, len(counts) // 10))
    return round(sum(count for _, count in most) / counts.total(), 3) if counts else None


def _end(played: Played) -> End:
    """Standing is a predicate: what holds at the end, and until when, is asked of the records."""
    at = START + timedelta(days=len(played.days))
    holding = {
        account: [each for each in measures(played.proceedings.record(account)) if not each.is_over(at)]
        for account in played.store.restricted()
    }
    cut = {
        account: [each for each in active if each.kind in CUTS and each.is_active(at)]
        for account, active in holding.items()
    }
    ends = [each.end for active in holding.values() for each in active if each.end is not None]
    return End(
        cut=sum(bool(active) for active in cut.values()),
        cut_for_good=sum(any(each.end is None for each in active) for active in cut.values()),
        open_cases=played.days[-1].cases if played.days else 0,
        all_open_at=max(ends, default=at),
    )


def _ledger(played: Played) -> Ledger:
    """Recomputed from its entries, as anybody would."""
    found = verify(played.log.read, str(played.key.verifier))
    return Ledger(
        is_verified=found.is_fine,
        size=found.size,
        root=found.root,
        problems=tuple(str(each) for each in found.problems),
    )
