"""A played community as one HTML page that needs nothing else: the picture first, then the figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import escape

from comity.app.html import document, in_html
from comity.app.simulation.report import Report
from comity.app.simulation.text import figures, ledger_line, not_played
from comity.casework.severity import RISING
from comity.casework.wording import counted
from comity.console.plots import Line, lines


def page(report: Report) -> str:
    """The whole page."""
    return document(f"A simulation of {in_html(report.agreement)}", "".join(_body(report)))


def _body(report: Report) -> Iterator[str]:
    yield (
        f"<header>\n<h1>“{in_html(report.agreement)}”, played for {counted(len(report.days), 'day')}</h1>\n"
        f"<p>{counted(report.accounts, 'made-up account')}, seed {report.seed}. It shows how Comity works under load,"
        " not how people behave.</p>\n</header>\n"
    )
    dates = [f"{report.start + timedelta(days=number):%Y-%m-%d}" for number in range(len(report.days))]
    under = [
        Line(name=kind.value, values=[day.under.get(kind, 0) for day in report.days])
        for kind in RISING
        if any(day.under.get(kind) for day in report.days)
    ]
    waiting = [
        Line(name="open cases", values=[day.cases for day in report.days]),
        Line(name="waiting appeals", values=[day.appeals for day in report.days]),
    ]
    yield "<section>\n<h2>Accounts under a measure, at the end of each day</h2>\n"
    yield lines(under, dates, title="accounts under a measure") if under else "<p>None ever was.</p>\n"
    yield "</section>\n<section>\n<h2>What waits for a person, at the end of each day</h2>\n"
    yield lines(waiting, dates, title="cases and appeals")
    yield "</section>\n<section>\n<h2>Figures</h2>\n<dl>"
    yield "".join(f"<dt>{escape(what)}</dt><dd>{in_html(value)}</dd>" for what, value in figures(report))
    yield f"</dl>\n</section>\n<section>\n<h2>Clauses</h2>\n{_clauses(report)}</section>\n"
    yield f"<p>{in_html(ledger_line(report))}</p>\n"


def _clauses(report: Report) -> str:
    rows = "".join(
        f'<tr><th scope="row">{in_html(each.title)} <code>{in_html(each.id)}</code></th>'
        f'<td class="number" data-name="Findings">{each.findings:,}</td>'
        f'<td class="number" data-name="Confirmed">{each.confirmed:,}</td></tr>\n'
        for each in report.clauses
    )
    head = '<tr><th scope="col">Clause</th><th scope="col">Findings</th><th scope="col">Confirmed</th></tr>'
    said = f"<p>{in_html(not_played(report))}</p>\n" if not_played(report) else ""
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody>\n</table>\n{said}"
