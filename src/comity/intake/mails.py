"""Reads mails: mbox files, files of one mail, and folders of such files.

A mail in an mbox begins with a `From ` line that bears a time, at the start or after an empty line; `>From ` in a mail
loses one `>` (mboxrd). Python's `mailbox` needs a whole, uncompressed file and a table of it in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from comity.intake.mail import MAIL_LIMIT, mail_record
from comity.intake.paths import shown
from comity.intake.problems import ArchiveError, Place, RecordError, Reject, reject
from comity.intake.records import Block, Origin, Taken, take
from comity.intake.streams import RECORD_LIMIT, Opened

_BATCH: Final = 64
_BATCH_BYTES: Final = 4 << 20
_FROM: Final = re.compile(rb"From \S*\s.*\d\d:\d\d.*\d{4}")
_QUOTED_FROM: Final = re.compile(rb">+From ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A mail in an archive, the `number`th. Of one that is `broken`, only the start."""

    content: bytes
    place: Place
    number: int = 1
    broken: RecordError | None = None


def read_mbox(opened: Opened, origin: Origin) -> Iterator[Taken]:
    for batch in _batches(_split(opened)):
        yield _take(batch, origin)


def read_mail(opened: Opened, origin: Origin) -> Iterator[Taken]:
    yield _take([_whole(opened, 1)], origin)


def read_folder(files: Sequence[str], open_file: Callable[[str], Opened], origin: Origin) -> Iterator[Taken]:
    """Files of one mail each, in the order given."""
    for batch in _batches(_each(files, open_file)):
        yield replace(_take(batch, origin), share=batch[-1].number / len(files))


def _each(files: Sequence[str], open_file: Callable[[str], Opened]) -> Iterator[Found]:
    for number, path in enumerate(files, 1):
        try:
            opened = open_file(path)
            with opened.raw:
                yield _whole(opened, number)
        except (ArchiveError, OSError) as error:
            broken = RecordError(str(error), "check the file; the others are read")
            yield Found(content=b"", place=Place(archive=shown(path), number=1), number=number, broken=broken)


def _whole(opened: Opened, number: int) -> Found:
    content = bytearray()
    for chunk in opened.chunks():
        content += chunk[: MAIL_LIMIT + 1 - len(content)]
    return Found(content=bytes(content), place=Place(archive=opened.name, number=1), number=number)


def _split(opened: Opened) -> Iterator[Found]:
    mail = _Growing(opened.name, 0, 1)
    is_after_empty = True
    lines = (line for block in opened.lines() for line in block)
    for number, line in enumerate(lines, 1):
        if is_after_empty and _FROM.match(line):
            yield from mail.found()
            mail = _Growing(opened.name, mail.number + 1, number)
        mail.add(line)
        is_after_empty = not line or line == b"\r"
    yield from mail.found()


class _Growing:
    """The mail that is being read. Number 0 is what stands before the first `From ` line: nothing, if all is well."""

    def __init__(self, archive: str, number: int, line: int) -> None:
        self.number = number
        self._place = Place(archive=archive, number=line)
        self._content = bytearray()
        self._is_cut = False

    def add(self, line: bytes) -> None:
        if len(self._content) > MAIL_LIMIT or len(line) > RECORD_LIMIT:
            self._is_cut = True
            return
        self._content += line[1:] if _QUOTED_FROM.match(line) else line
        self._content += b"\n"

    def found(self) -> Iterator[Found]:
        if self.number or self._content.strip():
            yield Found(content=bytes(self._content), place=self._place, number=self.number, broken=self._broken())

    def _broken(self) -> RecordError | None:
        if self._is_cut:
            return RecordError(
                f"the mail is longer than {MAIL_LIMIT:,} bytes or has a line of over {RECORD_LIMIT:,}", "leave it out"
            )
        if not self.number:
            return RecordError("there is text before the first `From ` line", "is this an mbox file?")
        return None


def _batches(mails: Iterable[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for mail in mails:
        batch.append(mail)
        size += len(mail.content)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _take(mails: Sequence[Found], origin: Origin) -> Taken:
    records: list[dict[str, object]] = []
    read: list[Found] = []
    rejects: list[Reject] = []
    for mail in mails:
        try:
            records.append(_record(mail))
            read.append(mail)
        except RecordError as refused:
            rejects.append(reject(mail.place, refused, mail.content))
    return take(
        Block(
            place=lambda row: read[row].place,
            columns={field: [record.get(field) for record in records] for field in (records[0] if records else ())},
            numbers=[mail.number for mail in read],
            raw=lambda row: read[row].content,
            rejects=rejects,
        ),
        origin,
    )


def _record(mail: Found) -> dict[str, object]:
    if mail.broken:
        raise mail.broken
    return mail_record(mail.content)
