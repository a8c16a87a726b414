"""`comity backtest`: what a draft would have done to archives, beside the version in force. Nothing is recorded."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from comity.app.archives import demand_apart, parse_mapping
from comity.app.backtest_page import page
from comity.app.backtest_report import Report
from comity.app.backtest_run import Version, run
from comity.app.backtest_text import print_report
from comity.app.check import checked_agreement
from comity.app.errors import Exit, StopError
from comity.app.fingerprints import Fingerprints
from comity.app.interrupts import explained
from comity.app.judge import keeper
from comity.app.scan import READING, cores, processes
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, parse_name
from comity.app.wiring import STORE_FILE, SystemClock, reading
from comity.casework.wording import counted
from comity.flow.agreement import InForce, Versions
from comity.intake.parts import Part, parts_of
from comity.intake.problems import ArchiveError
from comity.intake.reject_file import RejectFile
from comity.stores.feature_files import FeatureFiles

FEATURES: Final = "features"
NO_VERSION: Final = "none"
_SMALL: Final = 24 << 20  # bytes that one process has scanned before others are ready
_STDIN: Final = "-"
_PREFIX: Final = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a backtest is asked for. `jobs` None: as many processes as there are cores."""

    draft: Path
    archives: Sequence[str]
    mapping: Sequence[str]
    source: str | None
    against: str | None
    html: Path | None
    out: Path | None
    label: str | None
    rejects: Path
    jobs: int | None
    as_json: bool


def backtest(wanted: Wanted, settings: Settings) -> Exit:
    """Exit code 1 if records were rejected or an archive was broken, 130 after Ctrl-C; what was read is shown."""
    begun = time.perf_counter()
    draft = Version(name=str(wanted.draft), agreement=checked_agreement(wanted.draft))
    against = _against(wanted.against, draft, settings)
    for written in (wanted.html, wanted.out, wanted.rejects):
        if written is not None:
            demand_apart(written, [*wanted.archives, str(wanted.draft), *([wanted.against] if wanted.against else [])])
    with ExitStack() as stack:
        stack.enter_context(explained("What was found so far is kept: the same command goes on from there."))
        keep = keeper(wanted.out, stack) if wanted.out else None
        parts = _parts(wanted, [_spooled(stack) if each == _STDIN else each for each in wanted.archives])
        files = stack.enter_context(_files(settings.folder / FEATURES))
        names = _names(wanted, parts, files)
        report = run(
            draft,
            against,
            parts=parts,
            names=names,
            files=files,
            executor=stack.enter_context(processes(_processes(wanted, parts))),
            delivery=settings.delivery,
            has_labels=wanted.label is not None,
            keep=keep,
            rejects=stack.enter_context(RejectFile(wanted.rejects)),
        )
        files.tidy(besides=names.values())
    _show(report, wanted, time.perf_counter() - begun)
    if report.is_stopped:
        return Exit.STOPPED
    return Exit.PROBLEMS if report.rejects or report.problems else Exit.FINE


def _show(report: Report, wanted: Wanted, seconds: float) -> None:
    if wanted.html is not None:
        wanted.html.write_text(page(report), encoding="utf-8", newline="\n")
    if wanted.as_json:
        print_json(report)
    else:
        print_report(report)
    if report.rejects:
        err.print(f"Left out: {counted(report.rejects, 'bad record')}; see {wanted.rejects}.", markup=False)
    if err.is_terminal:
        rate = report.messages / max(seconds, 0.001)
        err.print(f"{counted(report.messages, 'message')} in {seconds:.1f} s ({rate:,.0f} a second).")
        if wanted.html is None and report.messages and not wanted.as_json:
            err.print("--html report.html writes it as a page, with plots and more samples.", markup=False)
    if wanted.html is not None and not wanted.as_json:
        err.print(f"Written to {wanted.html}; it opens in any browser.", markup=False)


def _against(named: str | None, draft: Version, settings: Settings) -> Version | None:
    """The version that the draft is held against: a file, a published version, or the one in force if there is any."""
    if named == NO_VERSION:
        return None
    if named is not None and not named.startswith(_PREFIX):
        return Version(name=named, agreement=checked_agreement(Path(named)))
    if named is None and not (settings.folder / STORE_FILE).exists():
        return None
    with reading(settings) as store:
        versions = Versions(store.versions())
        if named is None:
            found = versions.in_force(SystemClock().now())
        else:
            known = [each for each in store.versions() if each.digest.startswith(named)]
            found = versions.of(known[0].digest) if len(known) == 1 else _unknown(named, settings)
    if found is None or (named is None and found.version.digest == draft.agreement.digest):
        return None
    return Version(name=found.version.name, agreement=found.agreement)


def _unknown(named: str, settings: Settings) -> InForce | None:
    help_ = "Give more of its digest, or name a file; `comity publish` says each version's digest."
    raise StopError(f"not one version in {settings.folder} begins with {named}", help=help_, code=Exit.USAGE)


def _parts(wanted: Wanted, archives: Sequence[str]) -> tuple[Part, ...]:
    source = parse_name(wanted.source, "--source") if wanted.source is not None else None
    mapping = dict(parse_mapping(wanted.mapping))
    if wanted.label is not None:
        mapping["label"] = wanted.label
    try:
        return parts_of(archives, source=source, mapping=mapping)
    except ArchiveError as error:
        what = f"{error.archive}: {error.what}" if error.archive else error.what
        raise StopError(what, help=error.mend, code=Exit.USAGE) from error


def _names(wanted: Wanted, parts: Sequence[Part], files: FeatureFiles) -> dict[str, str]:
    """What each archive's columns are kept under: its bytes, and how they are read."""
    reading_ = f"{READING} {sorted(wanted.mapping)} {wanted.label}"
    return Fingerprints(files.folder / "digests", at=SystemClock().now()).names(parts, reading_)


def _spooled(stack: ExitStack) -> str:
    """Standard input as a file, for samples and evidence are read in a second pass."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comity-")))
    with (folder / "stdin.jsonl").open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return str(folder / "stdin.jsonl")


@contextmanager
def _files(folder: Path) -> Iterator[FeatureFiles]:
    """Where columns are kept; a folder for this time only, if nobody may write there."""
    try:
        yield FeatureFiles(folder)
        return
    except PermissionError:
        err.print(f"{folder} cannot be written, so nothing is kept for the next backtest.", markup=False)
    with tempfile.TemporaryDirectory(prefix="comity-") as instead:
        yield FeatureFiles(Path(instead))


def _processes(wanted: Wanted, parts: Sequence[Part]) -> int:
    if wanted.jobs is not None:
        return wanted.jobs
    size = sum({part.archive.path: part.archive.size for part in parts}.values())
    return cores() if size > _SMALL else 1
