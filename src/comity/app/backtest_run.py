"""A backtest from the first part to the report, with progress, and with what there is when it is stopped."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from rich.progress import Progress, TaskID

from comity.app import backtest_report as shown
from comity.app.interrupts import held
from comity.app.judge import Keep, rows_of
from comity.app.reread import Again, read_at
from comity.app.scan import Scanned, scanned
from comity.app.terminal import err, progress
from comity.casework.wording import counted, printable
from comity.flow.backtest import Backtest, Side, findings_at
from comity.flow.columnar import Judged
from comity.flow.ladder import Breaching, Course, decide_alike, follow
from comity.flow.tally import ANY, any_of
from comity.intake.parts import Part
from comity.intake.problems import ArchiveError
from comity.intake.reject_file import RejectFile
from comity.model.agreement import Agreement
from comity.model.duration import Duration
from comity.stores.feature_files import FeatureFiles

_SHOWN: Final = 5
_TOGETHER: Final = 4000
"""Breaching messages whose ladder one process follows at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An agreement and what it is called."""

    name: str
    agreement: Agreement


@dataclass(slots=True, kw_only=True)
class _Read:
    """What was read of the archives, besides what was counted."""

    parts: dict[int, Scanned] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    rejects: int = 0
    is_stopped: bool = False


def run(
    draft: Version,
    against: Version | None,
    *,
    parts: Sequence[Part],
    names: Mapping[str, str],
    files: FeatureFiles,
    executor: Executor | None,
    delivery: Duration,
    has_labels: bool,
    keep: Keep | None,
    rejects: RejectFile,
) -> shown.Report:
    """Reads all parts, follows the ladder and reads the samples. After Ctrl-C the report tells of what was read."""
    archive = hashlib.blake2b("\n".join(names.values()).encode(), digest_size=16).hexdigest()
    other = against.agreement if against else None
    backtest = Backtest(draft.agreement, other, archive=archive, has_labels=has_labels)
    read = _Read()
    with progress("backtest", 1) as bar:
        try:
            _take_all(backtest, scanned(parts, names, backtest.asked, files, executor), read, rejects, keep, bar)
        except KeyboardInterrupt:
            read.is_stopped = True
            err.print("Stopped. The report tells of what was read so far.", markup=False)
        bar.update(TaskID(0), description="ladder", completed=0.0, note="")
        courses = _courses(backtest, delivery, executor, bar)
        bar.update(TaskID(0), description="samples", completed=0.0, note="")
        return _report(backtest, draft, against, courses, read, parts, executor)


def _take_all(
    backtest: Backtest,
    ready: Iterator[Scanned],
    read: _Read,
    rejects: RejectFile,
    keep: Keep | None,
    bar: Progress,
) -> None:
    again, begun, done = Again(), time.perf_counter(), 0.0
    for number, one in enumerate(ready):
        with held():
            _note(one, read, rejects)
            judged = backtest.take(one, number, partial(again.messages, one))
            if keep is not None:
                keep(_findings(backtest.draft, judged[0], one, again))
            one.forget()
            read.parts[number] = one
        done += one.share
        rate = backtest.all.messages / (time.perf_counter() - begun)
        note = f"{counted(backtest.all.messages, 'message')}, {rate:,.0f} a second"
        bar.update(TaskID(0), completed=done, note=note)


def _note(one: Scanned, read: _Read, rejects: RejectFile) -> None:
    """What was wrong with a part is said at once."""
    about = one.about
    read.labels.update(about.labels)
    for each in about.rejects[: max(0, _SHOWN - rejects.count)]:
        err.print(f"left out: {printable(str(each))}", markup=False)
    rejects.append(about.rejects)
    read.rejects += len(about.rejects)
    if about.problem is not None:
        problem = str(ArchiveError(*about.problem))
        if problem not in read.problems:
            read.problems.append(problem)
            err.print(f"error: {printable(problem)}", markup=False)


def _findings(side: Side, judged: Judged, one: Scanned, again: Again) -> list[dict[str, object]]:
    rows = np.flatnonzero(any_of(judged.breaches, judged.breaches, one.size)).tolist()
    found = findings_at(side, judged, again.at(one, rows))
    return [row for message, findings in found for row in rows_of(message, findings)]


def _courses(backtest: Backtest, delivery: Duration, executor: Executor | None, bar: Progress) -> list[list[Course]]:
    """What becomes of each account under each version; once where the same breaches come to the same."""
    draft, against = backtest.draft, backtest.against
    accounts = draft.gathered.accounts()
    courses = list(_followed(draft, accounts, delivery, executor, bar))
    if against is None:
        return [courses]
    messages, known = dict(accounts), {}
    if decide_alike(draft.agreement, against.agreement):
        known = {course.account: course for course in courses}
    others = against.gathered.accounts()
    same = {account: known[account] for account, of in others if account in known and messages[account] == of}
    left = _followed(against, [each for each in others if each[0] not in same], delivery, executor, bar)
    return [courses, [same[account] if account in same else next(left) for account, _ in others]]


def _followed(
    side: Side,
    accounts: Sequence[tuple[int, list[Breaching]]],
    delivery: Duration,
    executor: Executor | None,
    bar: Progress,
) -> Iterator[Course]:
    """What becomes of each of the accounts, by all cores."""
    groups = list(_groups(accounts))
    each = map if executor is None else executor.map
    agreements, deliveries = [side.agreement] * len(groups), [delivery] * len(groups)
    for number, courses in enumerate(each(follow, agreements, groups, deliveries)):
        bar.update(TaskID(0), completed=(number + 1) / len(groups))
        yield from courses


def _groups(accounts: Sequence[tuple[int, list[Breaching]]]) -> Iterator[list[tuple[int, list[Breaching]]]]:
    group: list[tuple[int, list[Breaching]]] = []
    size = 0
    for account in accounts:
        group.append(account)
        size += len(account[1])
        if size >= _TOGETHER:
            yield group
            group, size = [], 0
    if group:
        yield group


def _report(
    backtest: Backtest,
    draft: Version,
    against: Version | None,
    courses: Sequence[Sequence[Course]],
    read: _Read,
    parts: Sequence[Part],
    executor: Executor | None,
) -> shown.Report:
    samples = backtest.samples
    places = {(place.part, place.row) for _, _, place in samples}
    places |= {place for each in courses for place in shown.hardest_places(each)}
    messages = read_at(places, read.parts, executor)
    authors = {place: message.author for place, message in messages.items()}
    bars = shown.bars_of(backtest.all.hours)
    labels = shown.read_labels(backtest, read.labels) if backtest.all.labels else None
    ladders = [shown.ladder_shown(side, of, authors) for side, of in zip(backtest.sides, courses, strict=True)]
    hours = sorted(backtest.all.hours)
    return shown.Report(
        draft=shown.version_shown(draft.name, draft.agreement),
        against=shown.version_shown(against.name, against.agreement) if against else None,
        archives=tuple(dict.fromkeys(part.archive.name for part in parts)),
        messages=backtest.all.messages,
        elsewhere=backtest.elsewhere,
        accounts=len(backtest.all.accounts),
        rejects=read.rejects,
        problems=tuple(read.problems),
        is_stopped=read.is_stopped,
        first=shown.time_of(hours[0]) if hours else None,
        last=shown.time_of(hours[-1]) if hours else None,
        unit=bars.unit,
        starts=tuple(map(shown.time_of, bars.starts)),
        traffic=bars.of(backtest.all.hours),
        all=shown.clause_shown(backtest, ANY, bars, labels, read.labels),
        clauses=tuple(
            shown.clause_shown(backtest, clause, bars, labels, read.labels) for clause in shown.clauses_shown(backtest)
        ),
        samples=tuple(
            shown.sample_of(backtest, clause, change, place, messages[place.part, place.row])
            for clause, change, place in samples
        ),
        ladder=ladders[0],
        ladder_against=ladders[1] if against else None,
        labels=labels.reading if labels else None,
    )
