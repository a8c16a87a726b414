"""Archives on their way in: progress for the reader, rejects into a file, and nothing stopped by a bad record."""

from __future__ import annotations

import glob
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.progress import TaskID

from comity.app.errors import Exit, StopError
from comity.app.terminal import err, parse_name, progress
from comity.casework.wording import counted, printable
from comity.intake.archives import Batch, read_archives
from comity.intake.problems import ArchiveError, Reject
from comity.intake.reject_file import RejectFile
from comity.model.message import Message

_SHOWN = 5
"""Rejects that are also shown at the terminal."""

Work = Callable[[Sequence[Message]], str]
"""What is done with a batch; what it returns is shown beside the progress bar."""


@dataclass(slots=True, kw_only=True)
class Read:
    """What reading came to."""

    messages: int = 0
    rejects: int = 0
    problems: int = 0

    @property
    def exit_code(self) -> Exit:
        return Exit.PROBLEMS if self.rejects or self.problems else Exit.FINE


def each_batch(
    what: str, archives: Sequence[str], mapping: Sequence[str], source: str | None, rejects: Path, work: Work
) -> Read:
    """Gives every batch of messages to `work`.

    Raises `StopError` for archives or mappings that name nothing.
    """
    read = Read()
    demand_apart(rejects, archives)
    source = parse_name(source, "--source") if source is not None else None
    with ExitStack() as stack:
        kept = stack.enter_context(RejectFile(rejects))
        bar = stack.enter_context(progress(what, None))
        for batch in _batches(archives, mapping, source):
            note = work(batch.messages) if batch.messages else ""
            read.messages += len(batch.messages)
            read.rejects += len(batch.rejects)
            _keep(kept, batch.rejects)
            if batch.problem is not None:
                read.problems += 1
                err.print(f"error: {printable(str(batch.problem))}", markup=False)
            bar.update(TaskID(0), completed=batch.done, total=batch.total, note=note)
    if read.rejects:
        err.print(f"Left out: {counted(read.rejects, 'bad record')}; see {printable(str(rejects))}.", markup=False)
    return read


def on_other_channels(elsewhere: int, messages: int, channels: Iterable[str], *, named_by: str) -> str:
    """Why that many of the messages are found by no rule, and what to do if they should be."""
    some = f"{elsewhere:,} of them {'is' if elsewhere == 1 else 'are'} not"
    which = "None of them is" if elsewhere == messages else some
    names = ", ".join(channels)
    return f"{which} on a channel that {named_by} names ({names}); `--map channel==NAME` says which one it was."


def demand_apart(written: Path, archives: Sequence[str]) -> None:
    """What a command writes has a folder, and is none of what it reads. Raises `StopError` before anything is done."""
    if not written.absolute().parent.is_dir():
        message = f"{written} cannot be written: there is no folder {written.parent}"
        raise StopError(message, help="Make the folder, or name another file.")
    read = (each for pattern in archives for each in (pattern, *glob.iglob(pattern, recursive=True)))
    if written.exists() and any(os.path.exists(each) and written.samefile(each) for each in read):
        message = f"{written} is one of the files that are read, and would be overwritten"
        raise StopError(message, help="Name another file.", code=Exit.USAGE)


def parse_mapping(mapping: Sequence[str]) -> Mapping[str, str]:
    """`NAME=COLUMN` pairs. Raises `StopError`."""
    for each in mapping:
        if "=" not in each:
            help_ = "Write NAME=COLUMN, such as --map author=user."
            raise StopError(f"--map {each!r} has no `=`", help=help_, code=Exit.USAGE)
    return dict(each.split("=", 1) for each in mapping)


def _batches(archives: Sequence[str], mapping: Sequence[str], source: str | None) -> Iterator[Batch]:
    try:
        yield from read_archives(archives, source=source, mapping=parse_mapping(mapping), stdin=_standard_input())
    except ArchiveError as error:
        raise StopError(
            f"{error.archive}: {error.what}" if error.archive else error.what, help=error.mend, code=Exit.USAGE
        ) from error


def _standard_input() -> io.BufferedReader | None:
    return sys.stdin.buffer if isinstance(sys.stdin.buffer, io.BufferedReader) else None


def _keep(kept: RejectFile, rejects: Sequence[Reject]) -> None:
    for each in rejects[: max(0, _SHOWN - kept.count)]:
        err.print(f"left out: {printable(str(each))}", markup=False)
    kept.append(rejects)
