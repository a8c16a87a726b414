"""Archives as columns: every part scanned once, by all cores, and kept; in order, whoever is ready first.

Parquet files are read by the processes that scan them. Other formats are read here and handed on as messages. An
archive whose columns are kept is not read at all.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import groupby
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from comity.app.errors import StopError
from comity.engine.columns import Column
from comity.flow.features import Asked, Columns, without
from comity.flow.finder import Finder
from comity.flow.rows import Rows, rows_of
from comity.intake.parts import PART_ROWS, Part, read_part, rows_in
from comity.intake.problems import ArchiveError, Reject
from comity.intake.records import Taken
from comity.model.message import Message
from comity.stores.feature_files import FeatureFiles, Shelf

READING: Final = "reading/2"
"""Part of every archive's name: raised when the same bytes come to be read as other messages, or hashed otherwise."""

_BATCH: Final = 8192
_LARGEST_PART: Final = 32 << 20  # code points of text in one part that is handed on
_AHEAD: Final = 2


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a part besides its columns."""

    messages: int
    rejects: tuple[Reject, ...] = ()
    problem: tuple[str, str, str] | None = None
    labels: dict[int, str] = {}
    bytes: int | None = None  # of its texts, where that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A part that was read by somebody else."""

    messages: tuple[Message, ...]
    rejects: tuple[Reject, ...]
    problem: ArchiveError | None
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A part to be scanned, and where its columns go. `asked` is pickled, so that equal ones are known again."""

    asked: bytes
    key: bytes
    shelf: Shelf
    number: int
    part: Part | Given


@dataclass(slots=True, kw_only=True)
class Scanned:
    """The columns of one part of the archive; those that are not asked for stay on disk."""

    about: About
    shelf: Shelf
    number: int
    first: int
    """The place of its first message within what `part` gives."""
    part: Part
    share: float
    """How much of all that is stored lies in it."""
    _columns: dict[str, Column] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.about.messages

    def __contains__(self, key: str) -> bool:
        column = self._columns[key] if key in self._columns else self.shelf.load(self.number, key)
        if column is not None:
            self._columns[key] = column
        return column is not None

    def __getitem__(self, key: str) -> Column:
        """Raises `StopError` for a column that somebody deleted meanwhile."""
        if key not in self:
            message = "what was found in the archive was deleted meanwhile"
            raise StopError(message, help="Run the same command again; one cleaning up at a time is enough.")
        return self._columns[key]

    def hold(self, columns: Mapping[str, Column]) -> None:
        """Columns that are known already."""
        self._columns |= columns

    def keep(self, columns: Mapping[str, Column]) -> None:
        self.hold(columns)
        self.shelf.save(self.number, columns)

    def forget(self) -> None:
        """Gives the memory back; columns are read again when they are asked for."""
        self._columns.clear()


def scanned(
    parts: Sequence[Part], names: Mapping[str, str], asked: Asked, files: FeatureFiles, executor: Executor | None
) -> Iterator[Scanned]:
    """All parts in order. `names`: what each archive's columns are kept under, by its path."""
    total = sum({part.archive.path: part.archive.size for part in parts}.values()) or 1
    ahead = 0 if executor is None else _AHEAD * cores()
    waiting: deque[tuple[Callable[[], About], Scanned]] = deque()
    for path, group in groupby(parts, key=lambda part: part.archive.path):
        of = tuple(group)
        shelf = files.shelf(names[path])
        shelf.use()
        for one, about in _of_archive(of, shelf, asked, files.key, executor):
            one.share /= total
            waiting.append((about, one))
            while len(waiting) > ahead:
                yield _done(*waiting.popleft())
    while waiting:
        yield _done(*waiting.popleft())


def _done(about: Callable[[], About], one: Scanned) -> Scanned:
    one.about = about()
    return one


Awaited = tuple[Scanned, Callable[[], About]]


def _of_archive(
    parts: Sequence[Part], shelf: Shelf, asked: Asked, key: bytes, executor: Executor | None
) -> Iterator[Awaited]:
    if parts[0].stretch is None:
        yield from _whole(parts[0], shelf, asked, key, executor)
        return
    for number, part in enumerate(parts):
        one = _place(part, shelf, number, share=part.archive.size / len(parts))
        kept = _kept(shelf, number, asked)
        if kept is not None:
            about, columns = kept
            one.hold(columns)
            yield one, partial(_same, about)
        else:
            job = Job(asked=_lacking(shelf, number, asked), key=key, shelf=shelf, number=number, part=part)
            yield one, _begun(executor, job)


def _whole(part: Part, shelf: Shelf, asked: Asked, key: bytes, executor: Executor | None) -> Iterator[Awaited]:
    """An archive that one process has to read; nobody, if all of it is kept."""
    count = shelf.parts
    kept = [found[0] for number in range(count or 0) if (found := _kept(shelf, number, asked)) is not None]
    first = 0
    if count is not None and len(kept) == count:
        for number, about in enumerate(kept):
            yield _place(part, shelf, number, first=first, share=part.archive.size / count), partial(_same, about)
            first += about.messages
        return
    number, is_whole = 0, True
    for given in _gathered(part):
        job = Job(asked=_lacking(shelf, number, asked), key=key, shelf=shelf, number=number, part=given)
        yield _place(part, shelf, number, first=first, share=given.share * part.archive.size), _begun(executor, job)
        first, number, is_whole = first + len(given.messages), number + 1, is_whole and given.problem is None
    if is_whole:
        shelf.finish(number)


def _gathered(part: Part) -> Iterator[Given]:
    """What an archive gives, in parts large enough to be handed on."""
    messages: list[Message] = []
    rejects: list[Reject] = []
    size, before, share, problem = 0, 0.0, 0.0, None
    for taken, problem in read_part(part):
        messages += taken.messages
        rejects += taken.rejects
        size += sum(len(message.text) for message in taken.messages)
        share = taken.share or share
        if len(messages) >= PART_ROWS or size >= _LARGEST_PART:
            yield Given(messages=tuple(messages), rejects=tuple(rejects), problem=problem, share=share - before)
            messages, rejects, size, before, problem = [], [], 0, share, None
    if messages or rejects or problem or not before:
        yield Given(messages=tuple(messages), rejects=tuple(rejects), problem=problem, share=1 - before)


def _place(part: Part, shelf: Shelf, number: int, *, first: int = 0, share: float) -> Scanned:
    return Scanned(about=About(messages=0), shelf=shelf, number=number, first=first, part=part, share=share)


def _kept(shelf: Shelf, number: int, asked: Asked) -> tuple[About, Columns] | None:
    """What an earlier scan left, if that is all that is asked for and undamaged."""
    loaded = {key: shelf.load(number, key) for key in asked.keys}  # all of them, for what is damaged goes
    columns = {key: column for key, column in loaded.items() if column is not None}
    written = shelf.about(number)
    about = _read_about(written) if written is not None else None
    is_whole = len(columns) == len(loaded) and about is not None and about.problem is None
    return (about, columns) if is_whole and about is not None else None


def _read_about(written: bytes) -> About | None:
    try:
        return msgspec.msgpack.decode(written, type=About)
    except msgspec.MsgspecError:
        return None


def _same(about: About) -> About:
    return about


def _lacking(shelf: Shelf, number: int, asked: Asked) -> bytes:
    """What has to be found still."""
    return pickle.dumps(without(asked, shelf.has(number, asked.keys)))


def _begun(executor: Executor | None, job: Job) -> Callable[[], About]:
    """Begins the job, and gives what waits for it; without other processes it is done when it is waited for."""
    return partial(scan, job) if executor is None else executor.submit(scan, job).result


def scan(job: Job) -> About:
    """Finds the columns of a part and writes them to its shelf."""
    with _without_collections():
        return _scan(job)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Messages and columns make no circles, and looking for some among millions of values takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _scan(job: Job) -> About:
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own takes fresh memory, zeroed page by page, part after part
    finder = _finder(job.asked, job.key)
    batches: list[Columns] = []
    labels: dict[int, str] = {}
    about = About(messages=0, bytes=0)
    for rows, taken, problem in _batches(job.part, finder):
        batches.append(finder.find(rows))
        labels.update(finder.labels(rows))
        about = About(
            messages=about.messages + len(rows),
            rejects=(*about.rejects, *taken.rejects),
            problem=about.problem if problem is None else (problem.archive, problem.what, problem.mend),
            labels=labels,
            bytes=None if about.bytes is None or rows.bytes is None else about.bytes + rows.bytes,
        )
    columns = _concatenated(batches) if batches else finder.find(rows_of(()))
    job.shelf.save(job.number, columns)
    job.shelf.note(job.number, msgspec.msgpack.encode(about))
    return about


def _batches(part: Part | Given, finder: Finder) -> Iterator[tuple[Rows, Taken, ArchiveError | None]]:
    if isinstance(part, Part):
        yield from rows_in(part, with_times=finder.needs_times)
        return
    yield rows_of(()), Taken(rejects=part.rejects), part.problem
    for start in range(0, len(part.messages), _BATCH):
        yield rows_of(part.messages[start : start + _BATCH]), Taken(), None


def _concatenated(batches: Sequence[Columns]) -> Columns:
    return {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}


@lru_cache(maxsize=8)  # parts mostly lack the same
def _finder(asked: bytes, key: bytes) -> Finder:
    made: Asked = pickle.loads(asked)  # noqa: S301 - written by the process that began this one
    return Finder(made, key=key)


@contextmanager
def processes(count: int) -> Iterator[Executor | None]:
    """So many processes that scan; None for one: this one. They leave Ctrl-C to this one."""
    if count < 2:
        yield None
        return
    executor = ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts
    )
    _start(executor, count)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _start(executor: Executor, count: int) -> None:
    """Begins its processes, one for each job: born deaf to Ctrl-C, which may come while they are still starting.

    This one hears it then as soon as they have begun.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where processes are told one by one
        executor.submit(_leave_interrupts)
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for _ in range(count):
            executor.submit(_leave_interrupts)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def cores() -> int:
    """How many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
