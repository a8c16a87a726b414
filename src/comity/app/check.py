"""`comity check`: all problems of agreements, drawn for people or written for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from comity.agreement import Checked, Diagnostic, as_github, as_json, draw
from comity.app.errors import Exit, StopError
from comity.app.files import read_agreement, reader_beside
from comity.app.terminal import err, out
from comity.casework.wording import counted
from comity.flow.check import check as check_whole
from comity.model.agreement import Agreement

FORMATS: Final = ("text", "json", "github")


def check(paths: list[Path], format_: str, *, watch: bool) -> Exit:
    """Exit code 1 if any agreement has an error."""
    if format_ not in FORMATS:
        raise StopError(f"no format {format_!r}", help=f"Choose one of {', '.join(FORMATS)}.", code=Exit.USAGE)
    code = _check_once(paths, format_)
    while watch:
        seen = _stamps(paths)
        while _stamps(paths) == seen:
            time.sleep(0.3)
        out.rule()
        code = _check_once(paths, format_)
    return code


def checked_agreement(path: Path) -> Agreement:
    """The agreement in `path`. Raises `StopError` after drawing its errors, if it has any."""
    checked = _checked(path)
    if checked.agreement is None:
        err.print(draw([each for each in checked.diagnostics if each.is_error], checked.sources), markup=False)
        message = f"{path} has errors, so it cannot be used"
        raise StopError(message, help=f"Mend them; `comity check {path}` shows all.", code=Exit.PROBLEMS)
    return checked.agreement


def _check_once(paths: list[Path], format_: str) -> Exit:
    checked = [_checked(path) for path in paths]
    found = [each for one in checked for each in one.diagnostics]
    sources = {name: text for one in checked for name, text in one.sources.items()}
    _print(found, sources, format_)
    errors = sum(each.is_error for each in found)
    if format_ == "text":
        for path, one in zip(paths, checked, strict=True):
            _summarise(path, one)
    return Exit.PROBLEMS if errors else Exit.FINE


def _print(found: Iterable[Diagnostic], sources: Mapping[str, str], format_: str) -> None:
    match format_:
        case "json":
            sys.stdout.write(as_json(tuple(found)) + "\n")
        case "github":
            sys.stdout.write(as_github(tuple(found)))
        case _:
            out.print(draw(tuple(found), sources), markup=False, end="")


def _summarise(path: Path, checked: Checked) -> None:
    errors = sum(each.is_error for each in checked.diagnostics)
    warnings = len(checked.diagnostics) - errors
    if checked.agreement is None:
        out.print(f"{path}: {counted(errors, 'error')}, {counted(warnings, 'warning')}.", markup=False)
        return
    agreement = checked.agreement
    rules = sum(clause.rule is not None for clause in agreement.clauses)
    examples = sum(len(clause.examples) for clause in agreement.clauses)
    clauses = counted(len(agreement.clauses), "clause")
    said = f"{clauses}, {counted(rules, 'rule')}, {counted(examples, 'example holds', 'examples hold')}"
    also = f", {counted(warnings, 'warning')}" if warnings else ""
    out.print(f"{path}: fine: {said}{also}. {agreement.digest}", markup=False)


def _checked(path: Path) -> Checked:
    content = read_agreement(path)
    return check_whole(str(path), content, reader_beside(path))


def _stamps(paths: list[Path]) -> list[tuple[str, int]]:
    """When the files beside the agreements were last changed."""
    beside = {each for path in paths for each in path.absolute().parent.rglob("*") if ".comity" not in each.parts}
    return sorted((str(each), each.stat().st_mtime_ns) for each in beside if each.is_file())
