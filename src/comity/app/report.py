"""`comity report`: what happened in a period, as files for those to whom an operator reports."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from comity.app.dsa import batches_of
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import reading
from comity.casework.transparency import COUNTED, Period
from comity.casework.transparency_tables import Cell, Table, tables
from comity.casework.wording import counted, printable
from comity.flow.agreement import InForce, Versions
from comity.ports import Store

_YEARS: Final = range(1970, 9999)


def report(settings: Settings, folder: Path, *, first: str, last: str, as_json: bool) -> Exit:
    """Writes each table and each batch of statements into a new or empty folder."""
    period = _period(settings, first, last)
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise StopError(f"{folder} is there already", help="Name a new folder after --out.", code=Exit.USAGE)
    written: list[str] = []
    with reading(settings) as store:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in _files(store, settings, period, first, last):
            (folder / name).write_bytes(content)
            written.append(name)
    if as_json:
        print_json({"folder": str(folder), "files": written})
    else:
        out.print(f"Wrote {counted(len(written), 'file')} to {printable(str(folder))}.", markup=False)
    return Exit.FINE


def _period(settings: Settings, first: str, last: str) -> Period:
    """Whole days of the reader's zone, the last one included. Raises `StopError`."""
    start, end = _day(first, "--from"), _day(last, "--to")
    if end < start:
        message = f"--to {last} is before --from {first}"
        raise StopError(message, help="Name the first day, then the last.", code=Exit.USAGE)
    zone = settings.zone
    after = datetime.combine(end, time(), zone) + timedelta(days=1)
    return Period(start=datetime.combine(start, time(), zone), end=after)


def _day(text: str, option: str) -> date:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day is one of the reader's zone
    except ValueError:
        day = date.min
    if day.year in _YEARS:
        return day
    message = f"{option} {text[:40]!r} is no day"
    raise StopError(message, help="Write it as 2026-12-31.", code=Exit.USAGE)


def _files(store: Store, settings: Settings, period: Period, first: str, last: str) -> Iterator[tuple[str, bytes]]:
    versions = Versions(store.versions())
    known = _in_force(versions, period)
    facts = (fact for fact in store.facts(COUNTED) if fact.at < period.end)
    made = tables(facts, period, [one.agreement for one in known])
    yield "report.csv", _csv(_about(settings, known, first, last))
    yield from ((f"{each.name}.csv", _csv(each)) for each in made)
    for number, batch in enumerate(batches_of(store, versions, period.start, period.end), 1):
        yield f"statements-{number:04}.json", msgspec.json.encode(batch) + b"\n"


def _in_force(versions: Versions, period: Period) -> tuple[InForce, ...]:
    """Those that were in force at some time of the period; where none was, the first: a replay's archive is older."""
    first = versions.in_force(period.start)
    found = tuple(one for one in versions.every if one is first or period.covers(one.version.effective))
    return found or versions.every[:1]


def _about(settings: Settings, known: Iterable[InForce], first: str, last: str) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = (
        ("from", first),
        ("to", last),
        ("zone", settings["reader.zone"]),
        ("operator", settings["ledger.operator"]),
        *(("agreement", one.version.digest) for one in known),
        ("written by", f"comity {version('comity')}"),
    )
    return Table(name="report", head=("what", "is"), rows=rows)


def _csv(table: Table) -> bytes:
    """RFC 4180; None is an empty cell."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([table.head, *table.rows])
    return written.getvalue().encode()
