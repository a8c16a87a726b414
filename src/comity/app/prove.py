"""`comity prove` and `comity verify-statement`: a statement that a person can show to anybody, and checking one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from comity.app.errors import Exit, StopError
from comity.app.policy import read_policy
from comity.app.settings import Settings
from comity.app.show import printed
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import LOG_FOLDER, reading
from comity.casework.reread import RereadError, reread
from comity.casework.telling import Told, told_of
from comity.casework.wording import printable
from comity.flow.prove import ProveError, keep
from comity.flow.prove import prove as proof_of
from comity.ledger.kept import LARGEST_KEPT, Verdict, check_kept, write_kept
from comity.ledger.note import NoteError, VerifierKey
from comity.ledger.policy import Policy
from comity.stores.log_folder import LogFolder


def prove(prefix: str, settings: Settings, *, whole: bool, to: Path | None) -> Exit:
    """Works while another program writes, and of the bare proof also after the account was erased."""
    read = LogFolder(settings.folder / LOG_FOLDER).read
    with reading(settings) as store:
        try:
            content = write_kept(keep(store, read, prefix)) if whole else proof_of(store, read, prefix)
        except ProveError as error:
            help_ = "`comity statement` lists the newest statements, `comity verify` checks the published ledger."
            raise StopError(str(error), help=help_, code=Exit.PROBLEMS) from error
    if to is None:
        sys.stdout.write(content.decode())
    else:
        to.write_bytes(content)
        out.print(f"Wrote {to}.", markup=False)
    return Exit.FINE


def verify_statement(path: Path, settings: Settings, *, key: str | None, policy: Path | None, as_json: bool) -> Exit:
    """Exit code 1 if the file is not what it claims to be. Asks nothing of any record or network."""
    verdict = check_kept(_content(path), _trusted(key, policy))
    told: Told | None = None
    text = ""
    if verdict.statement is not None and verdict.is_fine:
        try:
            one = reread(verdict.statement, (value for _, value in verdict.followed))
            told, text = told_of(one), printed(one, settings, None)
        except (RereadError, OverflowError) as error:
            raise StopError(
                f"{path}: {error}", help="The file was not written by Comity.", code=Exit.PROBLEMS
            ) from error
    if as_json:
        print_json({"told": told, **_verdict(verdict)})
    else:
        for line in (*text.split("\n"), *_lines(verdict)):
            out.print(printable(line), markup=False)
    return Exit.FINE if verdict.is_fine else Exit.PROBLEMS


def _verdict(verdict: Verdict) -> dict[str, tuple[str, ...]]:
    return {"proved": verdict.proved, "unproved": verdict.unproved, "problems": verdict.problems}


def _lines(verdict: Verdict) -> Iterator[str]:
    for problem in verdict.problems:
        yield f"  problem: {problem}"
    for sentence in verdict.proved:
        yield f"  proved: {sentence}"
    for sentence in verdict.unproved:
        yield f"  not proved: {sentence}"
    yield "verified" if verdict.is_fine else "NOT verified"


def _trusted(key: str | None, policy: Path | None) -> Policy | None:
    if policy is not None:
        return read_policy(policy)
    try:
        return None if key is None else Policy().trusting(VerifierKey.parse(key))
    except NoteError as error:
        help_ = "Give the operator's key as the file `vkey` of its ledger has it."
        raise StopError(f"that key cannot be trusted: {error}", help=help_, code=Exit.USAGE) from error


def _content(path: Path) -> bytes:
    """One byte more than is read, so that what reads it says that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_KEPT + 1)
    except OSError as error:
        help_ = "Name a file that `comity prove --whole` wrote."
        raise StopError(f"{path} cannot be read: {error.strerror}", help=help_, code=Exit.USAGE) from error
