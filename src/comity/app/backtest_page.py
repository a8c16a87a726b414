"""A backtest's report as one HTML page that needs nothing else: no script, nothing fetched; for screens and paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from comity.app.backtest_report import Affected, ClauseShown, Estimate, KindShown, LadderShown, Report, Sample
from comity.app.backtest_text import elsewhere, estimate, evidence_in_words, share
from comity.app.html import document, in_html
from comity.casework.wording import counted
from comity.console.plots import bars, span, spark
from comity.flow.backtest import Change
from comity.model.finding import Passage

_DATES = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def page(report: Report) -> str:
    """The whole page."""
    body = "".join(part for part in _body(report) if part)
    return document(f"Backtest of {in_html(report.draft.title)}", body)


def _body(report: Report) -> Iterator[str]:
    yield _head(report)
    if not report.messages:
        yield "<p>The archive has no messages.</p>"
        return
    yield _figures(report)
    yield _section("traffic", "Over time", _over_time(report))
    yield _section("clauses", "Clause by clause", _clauses(report))
    if report.labels is not None:
        yield _section("labels", "Precision and recall", _rates(report))
    for change in (Change.CAUGHT, Change.LET_GO, Change.FOUND):
        samples = [each for each in report.samples if each.change is change]
        if samples:
            yield _section(change.value.replace(" ", "-"), change.value.capitalize(), _samples(samples, report))
    yield _section("ladder", "The ladder", _ladder(report))


def _section(id_: str, title: str, parts: Iterable[str]) -> str:
    return f'<section id="{id_}">\n<h2>{escape(title)}</h2>\n{"".join(parts)}</section>\n'


def _head(report: Report) -> str:
    against = ""
    if report.against is not None:
        against = f"<dt>Held against</dt><dd>{_version(report.against.name, report.against.digest)}</dd>"
    when = f", sent {report.first:%Y-%m-%d} to {report.last:%Y-%m-%d}" if report.first and report.last else ""
    lines = [f"<dt>Rejected</dt><dd>{counted(report.rejects, 'bad record')}</dd>"] if report.rejects else []
    lines += [f"<dt>Channels</dt><dd>{in_html(elsewhere(report))}</dd>"] if report.elsewhere else []
    lines += [f"<dt>Broken</dt><dd>{in_html(problem)}</dd>" for problem in report.problems]
    stopped = '<p class="notice">Stopped before the end: only what was read until then is counted.</p>'
    return (
        f"<header>\n<h1>What the draft of “{in_html(report.draft.title)}” would have done</h1>\n<dl>"
        f"<dt>Draft</dt><dd>{_version(report.draft.name, report.draft.digest)}</dd>{against}"
        f"<dt>Archive</dt><dd>{in_html(', '.join(report.archives))}: {counted(report.messages, 'message')} of"
        f" {counted(report.accounts, 'account')}{when}</dd>{''.join(lines)}</dl>\n"
        f"{stopped if report.is_stopped else ''}</header>\n"
    )


def _version(name: str, digest: str) -> str:
    return f'{in_html(name)} <code title="{escape(digest)}">{escape(digest[:19])}…</code>'


def _figures(report: Report) -> str:
    found = report.all
    figures = [
        (share(found.share), "of the messages breach a clause", f"{found.messages:,} messages"),
        (f"{found.accounts:,}", "accounts breach a clause", f"of {report.accounts:,}"),
    ]
    if found.was is not None:
        figures.append((f"{found.newly_caught:,}", "messages newly caught", f"before: {found.was:,} found"))
        figures.append((f"{found.newly_let_go:,}", "messages newly let go", ""))
    cards = "".join(
        f"<li><strong>{figure}</strong> {what}{f'<small>{more}</small>' if more else ''}</li>"
        for figure, what, more in figures
    )
    return f'<ul class="figures">{cards}</ul>\n'


def _names(report: Report) -> list[str]:
    return [f"{start:{_DATES[report.unit]}}" for start in report.starts]


def _over_time(report: Report) -> Iterator[str]:
    yield bars(report.traffic, _names(report), title=f"all messages by {report.unit}")
    yield bars(report.all.over_time, _names(report), title=f"messages that breach a clause by {report.unit}")


def _clauses(report: Report) -> Iterator[str]:
    compared = report.against is not None
    headings = [
        "Clause",
        "Messages",
        "Accounts",
        "Share",
        *(["Before", "Caught", "Let go"] if compared else []),
        "Over time",
    ]
    rows = "".join(_clause(clause, compared=compared) for clause in report.clauses)
    yield _table(headings, rows)


def _clause(clause: ClauseShown, *, compared: bool) -> str:
    decide = f" <small>{escape(clause.decide)}</small>" if clause.decide != "auto" else ""
    cells = [
        f'<th scope="row">{in_html(clause.title)} <code>{escape(clause.id)}</code>{decide}</th>',
        *_numbers(
            ("Messages", f"{clause.messages:,}"), ("Accounts", f"{clause.accounts:,}"), ("Share", share(clause.share))
        ),
    ]
    if compared:
        caught, let_go = clause.newly_caught or 0, clause.newly_let_go or 0
        cells += _numbers(
            ("Before", f"{clause.was:,}"),
            ("Caught", f"+{caught:,}" if caught else "0"),
            ("Let go", f"−{let_go:,}" if let_go else "0"),
        )
    cells.append(f'<td data-name="Over time">{spark(clause.over_time, title="messages over time")}</td>')
    return f"<tr>{''.join(cells)}</tr>\n"


def _numbers(*cells: tuple[str, str]) -> list[str]:
    return [f'<td class="number" data-name="{name}">{value}</td>' for name, value in cells]


def _table(headings: Sequence[str], rows: str) -> str:
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"


def _rates(report: Report) -> Iterator[str]:
    yield f"<p>{in_html(report.labels or '')} The bars are 95 % intervals (Wilson).</p>\n"
    rows = "".join(
        f'<tr><th scope="row">{in_html(clause.title)}</th>'
        f"{_rate('Precision', clause.precision)}{_rate('Recall', clause.recall)}</tr>\n"
        for clause in (*report.clauses, report.all)
    )
    yield _table(
        ["Clause", "Precision: of what is found, so much is a breach", "Recall: of the breaches, so much is found"],
        rows,
    )


def _rate(name: str, one: Estimate | None) -> str:
    drawn = span(one.low, one.value, one.high, title=name) if one is not None and one.of else ""
    return f'<td data-name="{name}">{drawn}{estimate(one)}</td>'


def _samples(samples: Sequence[Sample], report: Report) -> Iterator[str]:
    titles = {clause.id: clause.title for clause in report.clauses}
    yield "<p>Drawn by lot; the same whenever the same archive is read. What the rule rests on is marked.</p>\n"
    for clause in dict.fromkeys(sample.clause for sample in samples):
        of = [sample for sample in samples if sample.clause == clause]
        how_many = counted(len(of), "sample")
        yield f"<details open>\n<summary>{in_html(titles[clause])} <small>{how_many}</small></summary>\n"
        yield "".join(map(_sample, of))
        yield "</details>\n"


def _sample(sample: Sample) -> str:
    values = [evidence_in_words(each) for each in sample.evidence]
    whys = "".join(f"<li>{in_html(why)}</li>" for why in dict.fromkeys(values))
    subject = f'<p class="subject">{_marked(sample, "subject", sample.subject)}</p>' if sample.subject else ""
    label = f" · labelled {in_html(sample.label)}" if sample.label else ""
    cut = " <small>(cut here)</small>" if sample.is_cut else ""
    return (
        f'<article>\n<p class="from"><b>{in_html(sample.author)}</b> · <time>{sample.sent:%Y-%m-%d %H:%M}</time> ·'
        f" {in_html(sample.channel)} · {in_html(sample.source)}/{in_html(sample.id)}{label}</p>\n{subject}"
        f'<p class="text" dir="auto">{_marked(sample, "text", sample.text)}{cut}</p>\n'
        f'<ul class="why">{whys}</ul>\n</article>\n'
    )


def _marked(sample: Sample, field: str, value: str) -> str:
    """The text with the passages of the evidence marked; where they overlap, as one."""
    marked, end = "", 0
    for start, stop in _stretches(sample, field, len(value)):
        marked += f"{_prose(value[end:start])}<mark>{_prose(value[start:stop])}</mark>"
        end = stop
    return marked + _prose(value[end:])


def _prose(value: str) -> str:
    """Text whose lines stay lines."""
    return "\n".join(map(in_html, value.split("\n")))


def _stretches(sample: Sample, field: str, size: int) -> Iterator[tuple[int, int]]:
    passages = (one for one in sample.evidence if isinstance(one, Passage) and one.field == field)
    end = 0
    for start, stop in sorted((min(one.start, size), min(one.end, size)) for one in passages):
        if max(start, end) < stop:
            yield max(start, end), stop
            end = stop


def _ladder(report: Report) -> Iterator[str]:
    ladder = report.ladder
    drawn = "" if ladder.share == 1 else f" (1 in {round(1 / ladder.share)} of those that breach, drawn by lot)"
    yield (
        f"<p>What would have become of {counted(ladder.accounts, 'account')}{drawn}, if each statement had arrived soon"
        f" and nobody had appealed: {counted(ladder.decisions, 'decision')},"
        f" {counted(ladder.removed, 'message')} removed, {ladder.refused:,} breaching ones refused because the"
        f" account was cut, {counted(ladder.cases, 'case')} for a person.</p>\n"
    )
    if ladder.kinds:
        yield _kinds(ladder, report.ladder_against)
    if ladder.most_affected:
        yield "<h3>Most affected</h3>\n"
        yield _table(
            ["Account", "Breaching", "Decisions", "Refused", "Measures"], "".join(map(_affected, ladder.most_affected))
        )


def _kinds(ladder: LadderShown, against: LadderShown | None) -> str:
    before = {each.kind: each.accounts for each in against.kinds} if against else {}
    headings = ["Measure", "Accounts", *(["Before"] if against else []), "Times", "Days together"]

    def row(each: KindShown) -> str:
        days = f"{each.days:,.1f}" if each.days else ("" if each.unended else "–")
        unended = f"{each.unended:,} without an end" if each.unended else ""
        cells = [("Accounts", f"{each.accounts:,}")]
        cells += [("Before", f"{before.get(each.kind, 0):,}")] if against else []
        cells += [
            ("Times", f"{each.measures:,}"),
            ("Days together", " and ".join(part for part in (days, unended) if part)),
        ]
        return f'<tr><th scope="row">{each.kind.value}</th>{"".join(_numbers(*cells))}</tr>\n'

    return _table(headings, "".join(map(row, ladder.kinds)))


def _affected(one: Affected) -> str:
    measures = ", ".join(f"{kind.value} {times:,}×{_days(one.days.get(kind))}" for kind, times in one.measures.items())
    cells = _numbers(
        ("Breaching", f"{one.breaching:,}"), ("Decisions", f"{one.decisions:,}"), ("Refused", f"{one.refused:,}")
    )
    name = f'<th scope="row" class="account">{in_html(one.account)}</th>'
    return f'<tr>{name}{"".join(cells)}<td data-name="Measures">{measures or "none"}</td></tr>\n'


def _days(days: float | None) -> str:
    return f" ({days:,.1f} days)" if days else ""
