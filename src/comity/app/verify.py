"""`comity verify`: the ledger recomputed from its entries, in a folder or on a server, and what is remembered of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from comity.app.errors import Exit, StopError
from comity.app.log_url import LogUrl
from comity.app.policy import read_policy
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.casework.wording import counted, printable
from comity.flow.anchor import unwatched
from comity.ledger.note import LARGEST_NOTE
from comity.ledger.report import Report
from comity.ledger.verify import verify as verify_log
from comity.stores.log_folder import LogFolder
from comity.stores.scratch import FileScratch

_SINCE_HELP: Final = "Name a file of yours: it keeps the log's checkpoint from one time to the next."


def verify_own(
    settings: Settings, *, since: Sequence[Path], key: str | None, policy: Path | None = None, as_json: bool
) -> Exit:
    """The record's own log, compared with its anchor too."""
    anchor = settings.anchor
    extra = unwatched(has_anchor=anchor is not None, has_witnesses=settings.policy is not None)
    folder, anchors = str(settings.folder / "log"), (anchor,) if anchor else ()
    return verify(folder, since=since, key=key, policy=policy, as_json=as_json, anchors=anchors, unproved=extra)


def verify(
    place: str,
    *,
    since: Sequence[Path] = (),
    key: str | None,
    policy: Path | None = None,
    as_json: bool,
    anchors: Sequence[Path] = (),
    unproved: tuple[str, ...] = (),
) -> Exit:
    """Exit code 1 if anything is not as it must be; only if all is, the files in `since` are rewritten.

    `anchors` are compared and left alone. `unproved`: what else cannot be proved.
    """
    kept = [content for content in map(_remembered, (*since, *anchors)) if content is not None]
    trusted = read_policy(policy) if policy else None
    with ExitStack() as opened:
        log = opened.enter_context(LogUrl(place)) if is_url(place) else _folder(Path(place))
        found = verify_log(log.read, key, kept, trusted, opened.enter_context(FileScratch()))
    report = replace(found, unproved=(*found.unproved, *unproved))
    if as_json:
        print_json(report)
    else:
        for line in report_lines(report):
            out.print(printable(line), markup=False)
    if report.checkpoint is not None:
        for path in since:
            _remember(path, report.checkpoint)
    return Exit.FINE if report.is_fine else Exit.PROBLEMS


def is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def report_lines(report: Report) -> Iterator[str]:
    """The report in words: what was proved, or what is wrong, and always what cannot be proved."""
    counts = ", ".join(f"{count} {kind}" for kind, count in report.counts.items() if count)
    entries = counted(report.size, "entry", "entries")
    yield f"{report.origin or 'the log'}: {entries} ({counts or 'none'}), root {report.root or 'unknown'}"
    for problem in report.problems:
        yield f"  problem: {problem}"
    if report.more_problems:
        yield f"  problem: and {report.more_problems} more"
    if report.is_fine:
        for sentence in report.proved:
            yield f"  proved: {sentence}"
    for sentence in report.unproved:
        yield f"  not proved: {sentence}"
    yield "verified" if report.is_fine else "NOT verified"


def _folder(folder: Path) -> LogFolder:
    if not folder.is_dir():
        help_ = "Name the folder or the address that holds `checkpoint` and `tile`, such as .comity/log."
        raise StopError(f"there is no log in {folder}", help=help_, code=Exit.USAGE)
    return LogFolder(folder)


def _remembered(path: Path) -> bytes | None:
    """None: nothing is remembered there yet."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_NOTE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StopError(f"{path} cannot be read: {error.strerror}", help=_SINCE_HELP, code=Exit.USAGE) from error


def _remember(path: Path, checkpoint: bytes) -> None:
    """In one step, durably: what was remembered is there until the new checkpoint is."""
    aside = path.with_name(f".{path.name}.new")
    try:
        with aside.open("wb") as file:
            file.write(checkpoint)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        message = f"the checkpoint cannot be kept in {path}: {error.strerror}"
        raise StopError(message, help=_SINCE_HELP, code=Exit.COULD_NOT_RUN) from error
