"""What a backtest came to, as one value: what the terminal, the page and `--json` show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from comity.app.labels import Labels, labels_of
from comity.app.rates import Rate
from comity.flow.backtest import Backtest, Change, Side
from comity.flow.ladder import Course
from comity.flow.tally import ANY, Place, Tally
from comity.model.agreement import Agreement
from comity.model.clause import Kind
from comity.model.finding import Evidence
from comity.model.ids import AccountId, ClauseId
from comity.model.message import Message
from comity.model.statement import EXCERPT_LENGTH

MOST_AFFECTED: Final = 20
_MOST_BARS: Final = 60
_HOURS: Final = {"hour": 1, "day": 24, "week": 168, "month": 730, "year": 8766}


class VersionShown(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    digest: str
    title: str
    channels: tuple[str, ...]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A share with its Wilson interval of 95 %."""

    value: float
    low: float
    high: float
    hits: int
    of: int


class ClauseShown(msgspec.Struct, frozen=True, kw_only=True):
    """What was found under one clause; the clause `""` stands for all that do more than count."""

    id: ClauseId
    title: str
    decide: str
    messages: int
    accounts: int
    share: float
    over_time: tuple[int, ...]
    was: int | None = None  # messages under the version that it is held against
    newly_caught: int | None = None
    newly_let_go: int | None = None
    precision: Estimate | None = None
    recall: Estimate | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A message to read. `evidence` is of the version under which it breaches the clause."""

    clause: ClauseId
    change: Change
    source: str
    id: str
    author: AccountId
    channel: str
    sent: datetime
    subject: str
    text: str
    is_cut: bool
    evidence: tuple[Evidence, ...]
    label: str = ""


class KindShown(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of measure: on how many accounts, how often, how long together (those without an end left out)."""

    kind: Kind
    accounts: int
    measures: int
    days: float
    unended: int


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    account: AccountId
    breaching: int
    decisions: int
    refused: int
    measures: dict[Kind, int]
    days: dict[Kind, float]


class LadderShown(msgspec.Struct, frozen=True, kw_only=True):
    """The ladder over the archive; of `share` of the accounts, drawn by lot, where there are too many."""

    share: float
    accounts: int
    decisions: int
    removed: int
    refused: int
    cases: int
    kinds: tuple[KindShown, ...]
    most_affected: tuple[Affected, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    draft: VersionShown
    against: VersionShown | None
    archives: tuple[str, ...]
    messages: int
    elsewhere: int
    """Of the messages, those on channels that the draft does not name."""
    accounts: int
    rejects: int
    problems: tuple[str, ...]
    is_stopped: bool
    first: datetime | None
    last: datetime | None
    unit: str
    starts: tuple[datetime, ...]
    traffic: tuple[int, ...]
    all: ClauseShown
    clauses: tuple[ClauseShown, ...]
    samples: tuple[Sample, ...]
    ladder: LadderShown
    ladder_against: LadderShown | None
    labels: str | None


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """The stretches of time that an archive is shown in: `starts` in hours since 1970."""

    unit: str
    starts: tuple[int, ...]

    def of(self, hours: Mapping[int, int]) -> tuple[int, ...]:
        """What falls into each; what lies outside is left out."""
        counts: Counter[int] = Counter()
        for hour, count in hours.items():
            counts[_start_of(self.unit, hour)] += count
        return tuple(counts[start] for start in self.starts)


def bars_of(hours: Mapping[int, int]) -> Bars:
    """The finest unit that takes few enough bars. A few messages dated far from all others do not stretch it."""
    if not hours:
        return Bars(unit="day", starts=())
    first, last = _middle(hours)
    for unit in _HOURS:
        starts = list(_starts(unit, first, last))
        if len(starts) <= _MOST_BARS:
            return Bars(unit=unit, starts=tuple(starts))
    return Bars(unit="year", starts=tuple(_starts("year", first, last))[-_MOST_BARS:])


def _middle(hours: Mapping[int, int]) -> tuple[int, int]:
    """The hours between which all lies, or where that is more than 50 years all but one in a thousand at each end."""
    ordered = sorted(hours)
    if ordered[-1] - ordered[0] <= 50 * _HOURS["year"]:
        return ordered[0], ordered[-1]
    spare, total = sum(hours.values()) // 1000, 0
    inner = []
    for hour in ordered:
        if total >= spare and sum(hours.values()) - total > spare:
            inner.append(hour)
        total += hours[hour]
    return (inner[0], inner[-1]) if inner else (ordered[0], ordered[-1])


def _starts(unit: str, first: int, last: int) -> Iterable[int]:
    start = _start_of(unit, first)
    for _ in range(_MOST_BARS + 1):
        if start > last:
            return
        yield start
        start = _start_of(
            unit, start + round(_HOURS[unit] * 1.5) if unit in ("month", "year") else start + _HOURS[unit]
        )


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(hour: int) -> datetime:
    """The beginning of an hour since 1970."""
    return _EPOCH + timedelta(hours=hour)


def _start_of(unit: str, hour: int) -> int:
    match unit:
        case "hour":
            return hour
        case "day":
            return hour - hour % 24
        case "week":
            return hour - (hour + 72) % 168  # 1970 began on a Thursday
        case _:
            at = time_of(hour)
            start = datetime(at.year, 1 if unit == "year" else at.month, 1, tzinfo=UTC)
            return (start - _EPOCH) // timedelta(hours=1)


def clause_shown(
    backtest: Backtest, clause: ClauseId, bars: Bars, labels: Labels | None, names: Mapping[int, str]
) -> ClauseShown:
    """What was found under a clause of the draft, or under one that only the version before it has."""
    tally = backtest.draft.tallies.get(clause, Tally())
    was = None if backtest.against is None else backtest.against.tallies.get(clause, Tally()).messages
    changed = backtest.changed
    precision = recall = None
    if labels is not None:
        found = Counter({names[code]: count for code, count in tally.labels.items()})
        precision, recall = map(_estimate, labels.rates(found, clause or None))
    title, decide = _named(backtest, clause)
    return ClauseShown(
        id=clause,
        title=title,
        decide=decide,
        messages=tally.messages,
        accounts=len(tally.accounts),
        share=tally.messages / backtest.all.messages if backtest.all.messages else 0.0,
        over_time=bars.of(tally.hours),
        was=was,
        newly_caught=None if was is None else changed[clause, Change.CAUGHT],
        newly_let_go=None if was is None else changed[clause, Change.LET_GO],
        precision=precision,
        recall=recall,
    )


def _named(backtest: Backtest, clause: ClauseId) -> tuple[str, str]:
    if clause == ANY:
        return "Any clause", ""
    for side in backtest.sides:
        for one in side.agreement.clauses:
            if one.id == clause:
                gone = side is not backtest.draft or one.rule is None
                return one.title, "no longer in the draft" if gone else one.decide.value
    raise KeyError(clause)


def _estimate(rate: Rate) -> Estimate:
    low, high = rate.interval
    return Estimate(value=rate.value, low=low, high=high, hits=rate.hits, of=rate.of)


def clauses_shown(backtest: Backtest) -> tuple[ClauseId, ...]:
    """The clauses with a rule, of the draft and then of the version before it."""
    return tuple(dict.fromkeys(clause for side in backtest.sides for clause in side.judging.clauses))


def sample_of(backtest: Backtest, clause: ClauseId, change: Change, place: Place, message: Message) -> Sample:
    """A drawn message with its evidence."""
    finding = backtest.finding(clause, change, place, message)
    return Sample(
        clause=clause,
        change=change,
        source=message.source,
        id=message.id,
        author=message.author,
        channel=message.channel,
        sent=message.sent,
        subject=message.subject[:EXCERPT_LENGTH],
        text=message.text[:EXCERPT_LENGTH],
        is_cut=max(len(message.text), len(message.subject)) > EXCERPT_LENGTH,
        evidence=finding.evidence if finding else (),
        label=message.label,
    )


def read_labels(backtest: Backtest, names: Mapping[int, str]) -> Labels:
    """How the archive's labels are read."""
    counted = {names[code]: count for code, count in backtest.all.labels.items()}
    return labels_of(counted, [clause.id for side in backtest.sides for clause in side.agreement.clauses])


def ladder_shown(side: Side, courses: Sequence[Course], names: Mapping[tuple[int, int], AccountId]) -> LadderShown:
    """The courses of all accounts together, and of those that it hits hardest."""
    kinds = [kind for kind in Kind if any(kind in course.measures for course in courses)]
    hardest = sorted(courses, key=_hardness, reverse=True)[:MOST_AFFECTED]
    return LadderShown(
        share=0.5**side.gathered.halvings,
        accounts=len(courses),
        decisions=sum(course.decisions for course in courses),
        removed=sum(course.removed for course in courses),
        refused=sum(course.refused for course in courses),
        cases=sum(course.cases for course in courses),
        kinds=tuple(_kind(kind, courses) for kind in kinds),
        most_affected=tuple(_affected(course, names) for course in hardest if (course.part, course.row) in names),
    )


def hardest_places(courses: Sequence[Course]) -> list[tuple[int, int]]:
    """Where messages of the accounts stand that are hit hardest: only there their names can be read."""
    hardest = sorted(courses, key=_hardness, reverse=True)[:MOST_AFFECTED]
    return [(course.part, course.row) for course in hardest]


def _hardness(course: Course) -> tuple[int, float, int, int, int, int]:
    cut = course.seconds.get(Kind.SUSPEND, 0.0)
    return sum(course.unended.values()), cut, course.decisions, course.breaching, -course.part, -course.row


def _kind(kind: Kind, courses: Sequence[Course]) -> KindShown:
    return KindShown(
        kind=kind,
        accounts=sum(kind in course.measures for course in courses),
        measures=sum(course.measures.get(kind, 0) for course in courses),
        days=sum(course.seconds.get(kind, 0.0) for course in courses) / 86_400,
        unended=sum(course.unended.get(kind, 0) for course in courses),
    )


def _affected(course: Course, names: Mapping[tuple[int, int], AccountId]) -> Affected:
    return Affected(
        account=names[course.part, course.row],
        breaching=course.breaching,
        decisions=course.decisions,
        refused=course.refused,
        measures=course.measures,
        days={kind: seconds / 86_400 for kind, seconds in course.seconds.items()},
    )


def version_shown(name: str, agreement: Agreement) -> VersionShown:
    return VersionShown(name=name, digest=agreement.digest, title=agreement.title, channels=agreement.channels)
