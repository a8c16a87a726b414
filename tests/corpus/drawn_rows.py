"""Statements drawn at random under any agreement: most are what its ladders foresee, the others nearly so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from comity.ledger import entry as ledger
from comity.ledger.entry import Automation, PublicMeasure, canonical, measure
from comity.ledger.log import republication, resume, signed_head
from comity.ledger.versions import version_file
from comity.model.agreement import Agreement
from comity.model.clause import Act, Kind, Ladder, Range, Reaches, Row, Until
from comity.model.duration import Duration
from tests.corpus.made_logs import AT, GENESIS, KEY

ENDS = (timedelta(hours=1), timedelta(hours=-1), timedelta(days=1))


def drawn_log(
    random: Random, version: Agreement, count: int
) -> tuple[Mapping[str, bytes], list[ledger.StatementEntry]]:
    """The files of a log of `count` statements behind genesis and version, and the statements."""
    statements = [drawn_statement(random, version, number) for number in range(count)]
    published = ledger.AgreementEntry(id="f" * 32, at=AT, agreement=version.digest, effective=AT)
    contents = [canonical(each) for each in (GENESIS, published, *statements)]
    path, text = version_file(version.files)
    head = signed_head(resume(contents, None), KEY.name, [KEY])
    files = {**dict(republication(contents, 0)), "checkpoint": head, "vkey": str(KEY.verifier).encode(), path: text}
    return files, statements


def drawn_statement(random: Random, version: Agreement, number: int) -> ledger.StatementEntry:
    clauses = random.sample(version.clauses, min(len(version.clauses), random.choice((1, 1, 1, 2))))
    names = {ladder for clause in clauses for ladder in clause.ladders}
    live = {str(name): _points(random, version.ladders[name]) for name in sorted(names)}
    if random.random() < 0.05:
        live["measures"] = 1
    by = random.choice(("rule", "person"))
    at = AT + timedelta(hours=random.randrange(24 * 400))
    measures = list(dict.fromkeys(_taken(random, version, names, live, at, by)))
    if measures and random.random() < 0.7:
        _spoil(random, measures, version)
    return ledger.statement(
        entry_id=f"{number + 1:032x}",
        at=at,
        agreement=version.digest,
        clauses=tuple(clause.id for clause in clauses),
        points=random.choice((0, 1)),
        measures=tuple(measures),
        by="rule" if by == "rule" else "person",
        auto=Automation(found=1, decided=1 if by == "rule" else 0),
        live=live,
    )


def _points(random: Random, ladder: Ladder) -> int:
    return max(0, random.choice(ladder.rows).points + random.choice((0, 0, 1, -1)))


def _taken(
    random: Random, version: Agreement, names: set[str], live: Mapping[str, int], at: datetime, by: str
) -> Iterator[PublicMeasure]:
    rows = [row for name in names for row in _rows(version.ladders[name], live[name], by)]  # type: ignore[index]
    kinds = {act.kind for row in rows for act in row.acts}
    is_strictest = len(names) > 1
    for row in rows:
        for act in row.acts:
            falls = (act.kind is Kind.MARK and Kind.REMOVE in kinds) or (act.kind is Kind.WARN and len(kinds) > 2)
            if not (is_strictest and falls):
                yield _public(random, version, row, act, at, by)


def _rows(ladder: Ladder, points: int, by: str) -> list[Row]:
    below = [row for row in ladder.rows if row.points <= points]
    if by == "rule":
        ends = {row.points for row in below if any(act.kind is Kind.TERMINATE for act in row.acts)}
        below = [row for row in below if row.points not in ends]
    return [row for row in below if row.points == below[-1].points]


def _public(random: Random, version: Agreement, row: Row, act: Act, at: datetime, by: str) -> PublicMeasure:
    if act.kind.is_on_message or act.kind is Kind.WARN:
        return measure(str(act))
    channels = version.channels if isinstance(row.channels, Reaches) else tuple(row.channels or ())
    if row.channels is Reaches.SAME:
        channels = tuple(random.sample(channels, 1))
    began, end = at + timedelta(minutes=random.randrange(60)), None
    length = row.term.length
    if row.term.delay is None and isinstance(length, Duration | Range):
        end = (length if isinstance(length, Duration) else length.most if by == "person" else length.least).after(began)
    conditions = length.conditions if isinstance(length, Until) else ()
    if row.term.delay is None and conditions == ("reviewed",):
        end = version.review_within.after(began)
    return measure(str(act), frozenset(map(str, channels)), end, conditions)


def _spoil(random: Random, measures: list[PublicMeasure], version: Agreement) -> None:
    at = random.randrange(len(measures))
    one = measures[at]
    match random.randrange(6):
        case 0:
            del measures[at]
        case 1:
            measures.append(measure(random.choice(("remove", "mark", "warn"))))
        case 2 if one.until is not None:
            measures[at] = replace(one, until=one.until + random.choice(ENDS))
        case 3 if one.chan:
            measures[at] = replace(one, chan=tuple(sorted({*one.chan[1:], random.choice(version.channels)})))
        case 4 if one.chan:
            measures[at] = replace(one, act=random.choice(("suspend", "hold", "limit to 5 an hour", "limit reach")))
        case _:
            measures[at] = replace(one, until=None, met=())
