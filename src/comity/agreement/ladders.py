"""Tables to ladders: rows of points, measures, channels and terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from comity.agreement.decoding import check_visible
from comity.agreement.document import Table
from comity.agreement.problems import Misread, Problems, nearest, quoted
from comity.agreement.severity import check_severity
from comity.agreement.source import Excerpt, Source
from comity.agreement.terms import Terms, read_term
from comity.model.agreement import Agreement
from comity.model.clause import Act, Kind, Ladder, Range, Rate, Reaches, Row, Term
from comity.model.country import COUNTRIES
from comity.model.duration import Duration, Unit
from comity.model.ids import Channel, ClauseId

HEADER: Final = ("points", "measure", "channels", "for")
MOST_POINTS: Final = 1_000_000

_ON_ACCOUNT: Final = frozenset({Kind.LIMIT_REACH, Kind.LIMIT, Kind.HOLD, Kind.SUSPEND})
_LIMIT: Final = re.compile(r"limit\s+to\s+([0-9]{1,9})\s+an?\s+(\w+)")
_LIMIT_UNITS: Final = ("minute", "hour", "day", "week")
_SOMEWHERE: Final = re.compile(r"(remove|mark) in (\S.*)")
_SIMPLE: Final = tuple(str(kind) for kind in Kind if kind is not Kind.LIMIT)


class ChoiceError(ValueError):
    """What a person chose instead of the ladder's row cannot be read; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the agreement declares that a ladder may name."""

    channels: tuple[Channel, ...]
    terms: Terms
    by_person: bool = False  # whoever chooses for one message may limit it to countries; a table may not


def is_ladder(table: Table) -> bool:
    return tuple(cell.text for cell in table.rows[0]) == HEADER


def is_almost_ladder(table: Table) -> bool:
    """Whether the header has both `points` and `measure`, but is not a ladder's."""
    words = {cell.text.strip("*_ ").lower().rstrip("s") for cell in table.rows[0]}
    return not is_ladder(table) and {"point", "measure"} <= words


def read_ladder(table: Table, owner: ClauseId, ground: Ground, problems: Problems) -> Ladder:
    """The ladder of a table whose header is a ladder's; rows that cannot be read are reported and left out."""
    rows: list[tuple[Row, Excerpt]] = []
    for number, cells in enumerate(table.rows[1:], start=table.line + 3):
        at = Excerpt(source=cells[0].source, start=cells[0].start, end=cells[-1].end)
        check_visible(at, problems)
        row = _row(cells, at, number, ground, problems)
        if row is not None:
            rows.append((row, at))
    if len(table.rows) == 1:
        problems.error("C092", table.at, "the ladder has no rows", help="add one, such as `| 1 | warn | | |`")
    for (before, _), (row, at) in pairwise(rows):
        if row.points < before.points:
            help = "a record is counted up: write the rows in rising order of points"
            problems.warning("C091", at, f"the row for {row.points} stands below that for {before.points}", help=help)
    rows.sort(key=lambda pair: pair[0].points)
    check_severity(rows, problems)
    return Ladder(owner=owner, rows=tuple(row for row, _ in rows))


def _row(cells: tuple[Excerpt, ...], at: Excerpt, line: int, ground: Ground, problems: Problems) -> Row | None:
    if len(cells) != len(HEADER):
        problems.error("C092", at, f"the row needs 4 cells and has {len(cells)}", help="such as `| 1 | warn | | |`")
        return None
    before = problems.errors
    points = _points(cells[0], problems)
    acts = _acts(cells[1], problems, by_person=ground.by_person)
    channels = _channels(cells[2], ground.channels, problems)
    term = read_term(cells[3].text, ground.terms)
    if isinstance(term, Misread):
        problems.misread("C087", cells[3], term)
    elif acts:
        _check_whole(acts, cells, channels, term, problems)
    if problems.errors > before or isinstance(term, Misread) or points is None:
        return None
    return Row(points=points, acts=acts, channels=channels, term=term, line=line)


def _points(cell: Excerpt, problems: Problems) -> int | None:
    if re.fullmatch(r"[0-9]{1,7}", cell.text) and int(cell.text) <= MOST_POINTS:
        return int(cell.text)
    help = f"a whole number from 0 to {MOST_POINTS:,}"
    problems.error("C083", cell, f"{quoted(cell.text)} is not a number of points", help=help)
    return None


def _acts(cell: Excerpt, problems: Problems, *, by_person: bool) -> tuple[Act, ...]:
    acts: list[Act] = []
    for part in cell.split(","):
        written = " ".join(part.text.split())
        act = (_somewhere(written) if by_person else None) or _act(written)
        if isinstance(act, Misread):
            problems.misread("C084", part, act)
        elif act in acts:
            problems.error("C084", part, f"{quoted(part.text)} is named twice in the row", help="delete one")
        else:
            acts.append(act)
    return tuple(acts)


def _somewhere(text: str) -> Act | Misread | None:
    """A measure on the message in some countries alone; None if the text names none."""
    found = _SOMEWHERE.fullmatch(text)
    if found is None:
        return None
    codes = found.group(2).upper().split(" ")
    for code in codes:
        if code not in COUNTRIES:
            help = "two letters of ISO 3166 each, with spaces: `remove in AT DE`"
            return Misread(message=f"{quoted(code)} is not a country", help=help)
    return Act(kind=Kind(found.group(1)), territory=tuple(sorted(set(codes))))


def _act(text: str) -> Act | Misread:
    if text in _SIMPLE:
        return Act(kind=Kind(text))
    limit = _LIMIT.fullmatch(text)
    if limit is None:
        known = (*_SIMPLE, "limit to 5 an hour")
        message = f"{quoted(text)} is not a measure" if text else "the row names no measure"
        return Misread(message=message, help=nearest(text, known))
    count, unit = int(limit.group(1)), limit.group(2)
    if unit not in _LIMIT_UNITS:
        return Misread(message=f"a limit is not counted by {quoted(unit)}", help=nearest(unit, _LIMIT_UNITS))
    if count == 0:
        return Misread(message="a limit of nothing is no limit", help="write `suspend`")
    return Act(kind=Kind.LIMIT, rate=Rate(count=count, per=Duration(count=1, unit=Unit(unit))))


def _channels(cell: Excerpt, channels: tuple[Channel, ...], problems: Problems) -> frozenset[Channel] | Reaches | None:
    if not cell.text:
        return None
    if cell.text in tuple(Reaches):
        return Reaches(cell.text)
    return read_channels(cell, channels, problems, extra=tuple(Reaches))


def read_channels(
    at: Excerpt, channels: tuple[Channel, ...], problems: Problems, *, extra: tuple[str, ...] = ()
) -> frozenset[Channel]:
    """Names of channels with commas; unknown ones are reported and left out. `extra` are words for the hint.

    Without `channels` none is called unknown: that they could not be read has been reported.
    """
    named: list[str] = []
    for part in at.split(","):
        if part.text in extra:
            problems.error(
                "C071", part, f"`{part.text}` stands alone", help="name channels, or write one word for them"
            )
        elif part.text not in channels and (channels or not part.text):
            message = f"unknown channel {quoted(part.text)}" if part.text else "a channel's name is missing"
            problems.error("C071", part, message, help=nearest(part.text, (*channels, *extra)))
        elif part.text in named:
            problems.error("C071", part, f"the channel `{part.text}` is named twice", help="delete one")
        else:
            named.append(part.text)
    return frozenset(Channel(name) for name in named)


def _check_whole(
    acts: tuple[Act, ...],
    cells: tuple[Excerpt, ...],
    channels: frozenset[Channel] | Reaches | None,
    term: Term,
    problems: Problems,
) -> None:
    """Reports acts that lack their channels or their length."""
    kinds = {act.kind for act in acts}
    needs_channels = sorted(kinds & (_ON_ACCOUNT | {Kind.TERMINATE}))
    if channels is None and needs_channels:
        help = "name them, or write `same` or `all`"
        problems.error("C085", cells[1], f"`{needs_channels[0]}` needs channels", help=help)
    needs_length = sorted(kinds & _ON_ACCOUNT)
    if term.length is None and needs_length:
        help = "write how long in the last column, such as `7 days` or `until reviewed`"
        problems.error("C086", cells[1], f"`{needs_length[0]}` needs a length", help=help)
    if term.length is not None and kinds == {Kind.TERMINATE}:
        help = "empty the last column, or write `suspend`"
        problems.error("C087", cells[3], "`terminate` has no end", help=help)


def read_choice(text: str, agreement: Agreement) -> tuple[Row, ...]:
    """Rows as a ladder has them, without points, such as `suspend | posts | 3 days`; `;` between rows, "" for none.

    What a person may choose instead of the ladder's own. `remove` and `mark` may be limited to countries, such as
    `remove in AT DE`. Raises `ChoiceError`.
    """
    declared = frozenset(agreement.conditions)
    ground = Ground(
        channels=agreement.channels,
        terms=Terms(conditions=declared, review_within=agreement.review_within),
        by_person=True,
    )
    problems, rows = Problems(), list[Row | None]()
    whole = Source(file="the measures", text=text, clean=text).all()
    for written in whole.split(";") if text.strip() else ():
        cells = (*written.split(r"\|"), *(written.part(len(written.text)),) * len(HEADER))[: len(HEADER) - 1]
        points = Source(file="the measures", text="0", clean="0").all()
        rows.append(_row((points, *cells), written, 1, ground, problems))
    if problems.errors:
        first = problems.diagnostics()[0]
        raise ChoiceError(f"{first.message}{f' ({first.help})' if first.help else ''}")
    return tuple(row for row in rows if row is not None)


def written(row: Row) -> str:
    """The row as `read_choice` reads it; of a range its least."""
    acts = ", ".join(str(act) for act in row.acts)
    channels = ", ".join(sorted(row.channels)) if isinstance(row.channels, frozenset) else row.channels or ""
    length = row.term.length.least if isinstance(row.term.length, Range) else row.term.length
    return f"{acts} | {channels} | {Term(length=length, delay=row.term.delay)}".rstrip(" |")
