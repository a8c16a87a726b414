"""The page of all results: the speeds that are promised, then every benchmark with its parts, as tables with bars.

It needs nothing else, and is read on screens of any width, dark or light, and on paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from comity.app.html import document
from results import Figure, Result

SPEEDS = (
    ("20 clauses, one message at a time: times as fast as a function by hand", "judge-twenty-clauses", ""),
    ("20 clauses, in batches: times as fast", "judge-twenty-clauses", "posts, by hand : in batches"),
    (
        "20 clauses and two windows, one message at a time: times as fast",
        "judge-twenty-clauses",
        "posts with two windows, by hand : one by one",
    ),
    (
        "20 clauses and two windows, in batches: times as fast",
        "judge-twenty-clauses",
        "posts with two windows, by hand : in batches",
    ),
    (
        "from 20 to 500 clauses, one message at a time: times as slow",
        "judge-scaling",
        "growth with clauses, one by one",
    ),
    ("from 20 to 500 clauses, in batches: times as slow", "judge-scaling", "growth with clauses, in batches"),
    (
        "from 100 to 10,000 phrases, one message at a time: times as slow",
        "judge-scaling",
        "growth with phrases, one by one",
    ),
    ("from 100 to 10,000 phrases, in batches: times as slow", "judge-scaling", "growth with phrases, in batches"),
    ("backtest of Parquet, windows included", "backtest-parquet", ""),
    ("comity check of 50 clauses", "check-fifty-clauses", ""),
)
"""What is measured, by which benchmark, and its part; "": its closing figure."""


def page(results: Sequence[Result], machine: Iterable[str], *, left: int) -> str:
    """`left`: so many benchmarks are still to be run."""
    return document("Benchmarks of Comity", "".join(_body(results, machine, left)))


def _body(results: Sequence[Result], machine: Iterable[str], left: int) -> Iterator[str]:
    yield "<header>\n<h1>Benchmarks of Comity</h1>\n"
    yield "".join(f"<p>{escape(sentence)}</p>\n" for sentence in machine)
    if left:
        yield f'<p class="notice">{left} more {"is" if left == 1 else "are"} still to be run.</p>\n'
    yield "</header>\n"
    speeds = [row for what, name, part in SPEEDS if (row := _speed(results, what, name, part))]
    if speeds:
        yield _section("speeds", "What judging must reach", _table(("What", "Reached", "Must reach", ""), speeds))
    rows = [_row(result) for result in results]
    yield _section("all", "All benchmarks", _table(("Benchmark", "Reached", "Must reach", "", "Took"), rows))
    for result in results:
        yield _section(result.name, result.name, "".join(_whole(result)))


def _section(id_: str, title: str, body: str) -> str:
    return f'<section id="{escape(id_)}">\n<h2>{escape(title)}</h2>\n{body}</section>\n'


def _table(headings: Sequence[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>\n"


def _speed(results: Sequence[Result], what: str, name: str, part: str) -> str:
    figure = next((result.figure(part) for result in results if result.name == name), None)
    return f'<tr><th scope="row">{escape(what)}</th>{_cells(figure)}</tr>\n' if figure else ""


def _row(result: Result) -> str:
    name = f'<th scope="row"><a href="#{result.name}">{result.name}</a></th>'
    took = f'<td class="number" data-name="Took">{result.seconds:.0f} s</td>'
    if result.closing is None:
        return f'<tr>{name}<td data-name="Reached" colspan="3">{_why_not(result)}</td>{took}</tr>\n'
    return f"<tr>{name}{_cells(result.closing)}{took}</tr>\n"


def _why_not(result: Result) -> str:
    return (
        f'<span class="bad">{escape(result.problem)}</span>'
        if result.problem
        else f"left out: {escape(result.left_out)}"
    )


def _cells(figure: Figure) -> str:
    met = {True: '<span class="good">reached</span>', False: '<strong class="bad">missed</strong>', None: ""}
    target = f'<td data-name="Must reach">{escape(figure.target)}</td>'
    return (
        f'<td class="number" data-name="Reached">{_said(figure)}</td>{target if figure.target else "<td></td>"}'
        f'<td class="number">{met[figure.is_met]}</td>'
    )


def _said(figure: Figure) -> str:
    value = f"{figure.value:,.0f}" if abs(figure.value) >= 1000 else f"{figure.value:.3g}"
    return f"{value} {escape(figure.unit)}"


def _whole(result: Result) -> Iterator[str]:
    """What it measures, its figures with bars, and what else it said."""
    yield f"<p>{escape(' '.join(result.about.split()))}</p>\n"
    if result.problem or result.left_out:
        yield f'<p class="notice">{_why_not(result)}</p>\n'
    figures = (*result.parts, *([result.closing] if result.closing else []))
    rows = [
        f'<tr><th scope="row">{escape(figure.name)}</th>{_cells(figure)}'
        f'<td class="bar">{_bar(figure, figures)}</td></tr>\n'
        for figure in figures
    ]
    if rows:
        yield _table(("Part", "Reached", "Must reach", "", "Beside others of its unit"), rows)
    yield "".join(f"<p><small>{escape(remark)}</small></p>\n" for remark in result.remarks if remark.strip())


def _bar(one: Figure, figures: Sequence[Figure]) -> str:
    """Beside the others of its unit; none for a figure that has none beside it."""
    values = [each.value for each in figures if each.unit == one.unit]
    if len(values) == 1 or max(values) <= 0:
        return ""
    width = max(0.5, 100 * one.value / max(values))
    return (
        '<svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.1f}" height="12"/></svg>'
    )
