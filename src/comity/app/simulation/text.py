"""A played community for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table

from comity.app.simulation.report import Report
from comity.app.terminal import out
from comity.casework.wording import counted, printable


def print_report(report: Report) -> None:
    """The figures, then the clauses, then the ledger."""
    out.print(f"[bold]{_escaped(report.agreement)}[/bold], played for {counted(len(report.days), 'day')}")
    table = Table(show_header=False, box=None, pad_edge=False)
    for what, value in figures(report):
        table.add_row(what, value)
    out.print(table)
    out.print()
    clauses = Table("clause", "findings", "confirmed", box=None, pad_edge=False)
    for each in report.clauses:
        clauses.add_row(_escaped(each.title), f"{each.findings:,}", f"{each.confirmed:,}")
    out.print(clauses)
    if said := not_played(report):
        out.print(said, markup=False)
    out.print()
    out.print(ledger_line(report), markup=False)


def figures(report: Report) -> Iterator[tuple[str, str]]:
    """Each figure with its name."""
    appeals, end = report.appeals, report.end
    yield "accounts", f"{report.accounts:,}, with {counted(report.reviewers, 'reviewer')}"
    yield "messages", f"{report.messages:,} ({_listed(report.outcomes)})"
    yield "not written", f"{report.not_written:,}, since their authors were cut"
    yield "notices", f"{report.notices:,}"
    for number, each in enumerate(report.versions, 1):
        which = f"version {number}" if len(report.versions) > 1 else "the version"
        yield which, f"accepted by {each.accepted:,}, {counted(each.decisions, 'decision')} under it"
    people = f"{report.by_rules:,} by rules, {report.by_people:,} by people"
    yield "decisions", f"{report.decisions:,}: {people}; {counted(report.dismissals, 'dismissal')}"
    yield "measures", _listed(report.measures) or "none"
    yield "cases", f"{report.cases:,}, {_hours(report.median_hours)}; {end.open_cases:,} open at the end"
    filed = f"{appeals.by_accounts:,} by accounts, {appeals.by_notifiers:,} by notifiers"
    yield "appeals", f"{filed}, {_hours(appeals.median_hours)}; {appeals.waiting:,} waiting at the end"
    yield "outcomes", _listed(appeals.outcomes) or "none"
    yield "recomputed", f"{counted(report.recomputed, 'later decision')} made milder after a reversal"
    yield "undone", f"{counted(report.undone, 'decision')} of rules, by reviewers"
    yield "ever warned", _of(report.ever_warned, report)
    yield "ever cut", _of(report.ever_cut, report)
    if report.top_tenth is not None:
        yield "the tail", f"a tenth of those who breached caused {report.top_tenth:.0%} of the breaches"
    yield "at the end", f"{counted(end.cut, 'account')} cut, {end.cut_for_good:,} of them without an end"
    yield "all others open", f"from {end.all_open_at:%Y-%m-%d %H:%M} UTC on"


def ledger_line(report: Report) -> str:
    ledger = report.ledger
    said = "verified" if ledger.is_verified else f"NOT verified: {'; '.join(ledger.problems[:3])}"
    return f"The ledger: {counted(ledger.size, 'entry', 'entries')}, root {ledger.root}, {said}."


def not_played(report: Report) -> str:
    """What is not shown is said; empty if all is."""
    named = ", ".join(printable(each.title) for each in report.clauses if not each.is_played)
    why = "Breached only in words that no rule finds, for want of an example that one account can send"
    return f"{why}: {named}." if named else ""


def _hours(value: float | None) -> str:
    return "none decided" if value is None else f"decided after {value:g} hours (median)"


def _of(count: int, report: Report) -> str:
    return f"{counted(count, 'account')} ({count / max(1, report.accounts):.2%})"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _escaped(value: str) -> str:
    return printable(value).replace("[", r"\[")
