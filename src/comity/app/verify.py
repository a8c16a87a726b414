"""`comity verify`: the ledger recomputed from its entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.casework.wording import counted, printable
from comity.ledger.report import Report
from comity.ledger.verify import verify as verify_log
from comity.stores.log_folder import LogFolder

_UNWATCHED: Final = (
    "That the whole folder was not put back to an earlier day: neither an anchor nor witnesses are named"
    " (`anchor`, `policy` under [ledger])."
)


def verify_own(settings: Settings, *, since: Path | None, key: str | None, as_json: bool) -> Exit:
    """The record's own log, compared with its anchor where nothing else is named."""
    folder, anchor = settings.folder / "log", settings.anchor
    remembered = since or (anchor if anchor and anchor.exists() else None)
    extra = (_UNWATCHED,) if anchor is None and settings.policy is None else ()
    return verify(folder, since=remembered, key=key, as_json=as_json, unproved=extra)


def verify(folder: Path, *, since: Path | None, key: str | None, as_json: bool, unproved: tuple[str, ...] = ()) -> Exit:
    """Exit code 1 if anything is not as it must be. `unproved`: what else cannot be."""
    if not folder.is_dir():
        help_ = "Name the folder that holds `checkpoint` and `tile`, such as .comity/log."
        raise StopError(f"there is no log in {folder}", help=help_, code=Exit.USAGE)
    found = verify_log(LogFolder(folder).read, key, _remembered(since))
    report = replace(found, unproved=(*found.unproved, *unproved))
    if as_json:
        print_json(report)
    else:
        for line in report_lines(report):
            out.print(printable(line), markup=False)
    return Exit.FINE if report.is_fine else Exit.PROBLEMS


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


def _remembered(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        help_ = "Name a copy of the log's `checkpoint` file that you kept."
        raise StopError(f"{path} cannot be read: {error.strerror}", help=help_, code=Exit.USAGE) from error
