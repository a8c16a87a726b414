"""A backtest's report at the terminal: tables, and a few messages to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.table import Table

from comity.app.backtest_report import ClauseShown, Estimate, LadderShown, Report, Sample
from comity.app.terminal import out
from comity.casework.wording import counted, printable
from comity.flow.backtest import Change
from comity.model.finding import Evidence, Passage

_SAMPLES: Final = 3
_LINE: Final = 100
_AFFECTED: Final = 5
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


def print_report(report: Report) -> None:
    """All of it but the longer lists, which the page and `--json` have."""
    for line in _head(report):
        out.print(line, markup=False)
    if not report.messages:
        return
    out.print()
    out.print(_clauses(report))
    for line in _over_time(report):
        out.print(line, markup=False)
    if report.labels is not None:
        out.print()
        out.print(printable(report.labels), markup=False)
        out.print(_rates(report))
    for change in (Change.CAUGHT, Change.LET_GO, Change.FOUND):
        _print_samples(change, [each for each in report.samples if each.change is change])
    _print_ladder(report)


def _head(report: Report) -> Iterator[str]:
    against = f" against {report.against.name}" if report.against else ""
    yield f"{printable(report.draft.name)}{printable(against)} over {printable(', '.join(report.archives))}"
    if report.is_stopped:
        yield "STOPPED before the end: only what was read until then is counted."
    said = f"{counted(report.messages, 'message')} of {counted(report.accounts, 'account')}"
    if report.first is not None and report.last is not None:
        said += f", sent {report.first:%Y-%m-%d} to {report.last:%Y-%m-%d}"
    yield f"{said}."
    found = report.all
    if report.messages:
        yield (
            f"The draft finds a breach in {counted(found.messages, 'message')} ({share(found.share)})"
            f" of {counted(found.accounts, 'account')}."
        )
    if found.was is not None:
        yield (
            f"The other version finds {counted(found.was, 'message')}: {found.newly_caught:,} newly caught,"
            f" {found.newly_let_go:,} newly let go."
        )


def share(value: float) -> str:
    """A share in percent, small ones with more digits."""
    percent = 100 * value
    return (
        f"{percent:.0f} %" if percent >= 99.95 else f"{percent:.3g} %" if percent >= 0.01 or not value else "< 0.01 %"
    )


def _clauses(report: Report) -> Table:
    compared = report.against is not None
    table = Table(box=None, pad_edge=False)
    table.add_column("clause", overflow="fold")
    for heading in ("messages", "accounts", "share", *(("before", "caught", "let go") if compared else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("over time", no_wrap=True)
    for clause in report.clauses:
        cells = [f"{clause.messages:,}", f"{clause.accounts:,}", share(clause.share)]
        if compared:
            cells += [f"{clause.was:,}", _signed(clause.newly_caught, "+"), _signed(clause.newly_let_go, "-")]
        table.add_row(_name(clause), *cells, spark(clause.over_time))
    return table


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


def _rates(report: Report) -> Table:
    table = Table("clause", box=None, pad_edge=False)
    table.add_column("precision", no_wrap=True)
    table.add_column("recall", no_wrap=True)
    for clause in (*report.clauses, report.all):
        table.add_row(clause.id or "any", estimate(clause.precision), estimate(clause.recall))
    return table


def estimate(one: Estimate | None) -> str:
    """A rate with its interval and what it is of."""
    if one is None or not one.of:
        return "none"
    return f"{share(one.value)} ({100 * one.low:.1f} to {100 * one.high:.1f}) of {one.of:,}"


def _print_samples(change: Change, samples: list[Sample]) -> None:
    if not samples:
        return
    out.print()
    out.print(f"{change.value.capitalize()}, drawn by lot:", markup=False)
    for clause in dict.fromkeys(sample.clause for sample in samples):
        of = [sample for sample in samples if sample.clause == clause]
        out.print(f"  {clause}", markup=False)
        for sample in of[:_SAMPLES]:
            head = f"    {sample.sent:%Y-%m-%d %H:%M} {printable(sample.author)[:30]}: "
            out.print(head + _one_line(sample.subject, sample.text), markup=False)
            out.print(f"      {_one_line('', '; '.join(map(evidence_in_words, sample.evidence)))}", markup=False)


def _one_line(subject: str, text: str) -> str:
    flowing = " ".join(printable(f"{subject}: {text}" if subject else text).split())
    return flowing if len(flowing) <= _LINE else f"{flowing[: _LINE - 1]}…"


def evidence_in_words(one: Evidence) -> str:
    """A piece of evidence as the rule says it."""
    return one.why if isinstance(one, Passage) else f"{one.expression} is {one.value}"


def _print_ladder(report: Report) -> None:
    ladder = report.ladder
    out.print()
    out.print(f"The ladder, followed for {_of_accounts(ladder)}:", markup=False)
    out.print(
        f"  {counted(ladder.decisions, 'decision')}; {counted(ladder.removed, 'message')} removed; {ladder.refused:,}"
        f" refused from accounts that were cut; {counted(ladder.cases, 'case')} for a person",
        markup=False,
    )
    table = Table("  measure", "accounts", "times", "days together", box=None, pad_edge=False)
    before = {each.kind: each for each in report.ladder_against.kinds} if report.ladder_against else {}
    for each in ladder.kinds:
        was = f" (before {before[each.kind].accounts:,})" if each.kind in before else ""
        days = f"{each.days:,.1f}" if each.days else ""
        ongoing = f" and {each.unended:,} without an end" if each.unended else ""
        table.add_row(f"  {each.kind.value}", f"{each.accounts:,}{was}", f"{each.measures:,}", days + ongoing)
    out.print(table)
    for one in ladder.most_affected[:_AFFECTED]:
        measures = ", ".join(f"{kind.value} {times:,}x" for kind, times in one.measures.items())
        name = printable(one.account)[:40]
        out.print(f"  {name}: {counted(one.breaching, 'message')}, {measures or 'no measure'}", markup=False)


def _of_accounts(ladder: LadderShown) -> str:
    if ladder.share == 1:
        return counted(ladder.accounts, "account")
    return f"{counted(ladder.accounts, 'account')}, 1 in {round(1 / ladder.share)} of those that breach, drawn by lot"
