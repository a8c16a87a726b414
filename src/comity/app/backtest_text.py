"""A backtest's report at the terminal: tables, and a few messages to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from comity.app.archives import on_other_channels
from comity.app.backtest_report import ClauseShown, Estimate, KindShown, LadderShown, Report, Sample
from comity.app.tables import Column, table
from comity.app.terminal import out, say
from comity.casework.wording import counted, printable
from comity.flow.backtest import Change
from comity.model.finding import Evidence, Passage

_SAMPLES: Final = 3
_LINE: Final = 100
_AFFECTED: Final = 5
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


def print_report(report: Report) -> None:
    """All of it but the longer lists, which the page and `--json` have."""
    for line in lines(report, width=out.width):
        say(line)


def lines(report: Report, *, width: int) -> Iterator[str]:
    """What is printed. `width`: of its tables."""
    yield from _head(report)
    if not report.messages:
        return
    yield ""
    yield from _clauses(report, width)
    yield from _over_time(report)
    if report.labels is not None:
        yield from ("", printable(report.labels))
        yield from _rates(report, width)
    for change in (Change.CAUGHT, Change.LET_GO, Change.FOUND):
        yield from _samples(change, [each for each in report.samples if each.change is change])
    yield from _ladder(report, width)


def _head(report: Report) -> Iterator[str]:
    against = f" against {report.against.name}" if report.against else ""
    yield f"{printable(report.draft.name)}{printable(against)} over {printable(', '.join(report.archives))}"
    if report.is_stopped:
        yield "STOPPED before the end: only what was read until then is counted."
    said = f"{counted(report.messages, 'message')} of {counted(report.accounts, 'account')}"
    if report.first is not None and report.last is not None:
        said += f", sent {report.first:%Y-%m-%d} to {report.last:%Y-%m-%d}"
    yield f"{said}."
    yield from (f"Not all could be read: {printable(problem)}" for problem in report.problems)
    if not report.messages:
        return
    if report.elsewhere:
        yield elsewhere(report)
    found = report.all
    yield (
        f"The draft finds a breach in {counted(found.messages, 'message')} ({share(found.share)})"
        f" of {counted(found.accounts, 'account')}."
    )
    if found.was is not None:
        yield (
            f"The other version finds {counted(found.was, 'message')}: {found.newly_caught:,} newly caught,"
            f" {found.newly_let_go:,} newly let go."
        )


def elsewhere(report: Report) -> str:
    return on_other_channels(report.elsewhere, report.messages, report.draft.channels, named_by="the draft")


def share(value: float) -> str:
    """A share in percent, small ones with more digits."""
    percent = 100 * value
    return (
        f"{percent:.0f} %" if percent >= 99.95 else f"{percent:.3g} %" if percent >= 0.01 or not value else "< 0.01 %"
    )


def _clauses(report: Report, width: int) -> Iterator[str]:
    every = report.clauses
    columns = [
        _numbers("messages", [f"{clause.messages:,}" for clause in every]),
        _numbers("accounts", [f"{clause.accounts:,}" for clause in every]),
        _numbers("share", [share(clause.share) for clause in every]),
    ]
    if report.against is not None:
        columns += [
            _numbers("before", [f"{clause.was:,}" for clause in every]),
            _numbers("caught", [_signed(clause.newly_caught, "+") for clause in every]),
            _numbers("let go", [_signed(clause.newly_let_go, "-") for clause in every]),
        ]
    bars = tuple(spark(clause.over_time) for clause in every)
    columns.append(Column(heading="over time", cells=bars, can_be_spared=True))
    yield from table(Column(heading="clause", cells=tuple(map(_name, every))), columns, width=width)


def _numbers(heading: str, cells: Sequence[str]) -> Column:
    return Column(heading=heading, cells=tuple(cells), is_number=True)


def _name(clause: ClauseShown) -> str:
    return clause.id if clause.decide in ("auto", "") else f"{clause.id} ({clause.decide})"


def _signed(count: int | None, sign: str) -> str:
    return f"{sign}{count:,}" if count else ""


def spark(counts: Iterable[int], *, width: int = 16) -> str:
    """A row of bars, at most so many, the highest as high as the line."""
    every = list(counts)
    size = -(-len(every) // width) or 1
    sums = [sum(every[start : start + size]) for start in range(0, len(every), size)]
    highest = max(sums, default=0)
    if not highest:
        return ""
    return "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // highest)] for count in sums)


def _over_time(report: Report) -> Iterator[str]:
    if len(report.starts) > 1:
        yield f"All traffic by {report.unit}, from {report.starts[0]:%Y-%m-%d}: {spark(report.traffic)}"


def _rates(report: Report, width: int) -> Iterator[str]:
    every = (*report.clauses, report.all)
    columns = [
        Column(heading="precision", cells=tuple(estimate(clause.precision) for clause in every)),
        Column(heading="recall", cells=tuple(estimate(clause.recall) for clause in every)),
    ]
    yield from table(Column(heading="clause", cells=tuple(one.id or "any" for one in every)), columns, width=width)


def estimate(one: Estimate | None) -> str:
    """A rate with its interval and what it is of."""
    if one is None or not one.of:
        return "none"
    return f"{share(one.value)} ({100 * one.low:.1f} to {100 * one.high:.1f}) of {one.of:,}"


def _samples(change: Change, samples: list[Sample]) -> Iterator[str]:
    if not samples:
        return
    yield from ("", f"{change.value.capitalize()}, drawn by lot:")
    for clause in dict.fromkeys(sample.clause for sample in samples):
        of = [sample for sample in samples if sample.clause == clause]
        yield f"  {clause}"
        for sample in of[:_SAMPLES]:
            head = f"    {sample.sent:%Y-%m-%d %H:%M} {printable(sample.author)[:30]}: "
            yield head + _one_line(sample.subject, sample.text)
            yield f"      {_one_line('', '; '.join(map(evidence_in_words, sample.evidence)))}"


def _one_line(subject: str, text: str) -> str:
    flowing = " ".join(printable(f"{subject}: {text}" if subject else text).split())
    return flowing if len(flowing) <= _LINE else f"{flowing[: _LINE - 1]}…"


def evidence_in_words(one: Evidence) -> str:
    """A piece of evidence as the rule says it."""
    return one.why if isinstance(one, Passage) else f"{one.expression} is {one.value}"


def _ladder(report: Report, width: int) -> Iterator[str]:
    ladder = report.ladder
    yield from ("", f"The ladder, followed for {_of_accounts(ladder)}:")
    yield (
        f"  {counted(ladder.decisions, 'decision')}; {counted(ladder.removed, 'message')} removed; {ladder.refused:,}"
        f" refused from accounts that were cut; {counted(ladder.cases, 'case')} for a person"
    )
    if ladder.kinds:
        yield from (f"  {line}" for line in _measures(report, width - 2))
    for one in ladder.most_affected[:_AFFECTED]:
        measures = ", ".join(f"{kind.value} {times:,}x" for kind, times in one.measures.items())
        name = printable(one.account)[:40]
        yield f"  {name}: {counted(one.breaching, 'message')}, {measures or 'no measure'}"


def _measures(report: Report, width: int) -> Iterator[str]:
    kinds, against = report.ladder.kinds, report.ladder_against
    before = {each.kind: each for each in against.kinds} if against else {}
    columns = [_numbers("accounts", [f"{each.accounts:,}" for each in kinds])]
    if against is not None:
        was = [before[each.kind].accounts if each.kind in before else 0 for each in kinds]
        columns.append(_numbers("before", [f"{count:,}" for count in was]))
    columns += [
        _numbers("times", [f"{each.measures:,}" for each in kinds]),
        Column(heading="days together", cells=tuple(map(_days, kinds))),
    ]
    yield from table(Column(heading="measure", cells=tuple(each.kind.value for each in kinds)), columns, width=width)


def _days(one: KindShown) -> str:
    unended = f"{one.unended:,} without an end" if one.unended else ""
    return " and ".join(part for part in (f"{one.days:,.1f}" if one.days else "", unended) if part)


def _of_accounts(ladder: LadderShown) -> str:
    if ladder.share == 1:
        return counted(ladder.accounts, "account")
    return f"{counted(ladder.accounts, 'account')}, 1 in {round(1 / ladder.share)} of those that breach, drawn by lot"
