"""A draft of the next version: checked whole, tried on recent messages, and published if nobody was faster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from comity.agreement.diagnostics import Diagnostic, draw
from comity.casework.refused import RefusedError
from comity.flow import issue
from comity.flow.agreement import version_of
from comity.flow.check import check
from comity.flow.message import Proceedings
from comity.model.agreement import Agreement
from comity.model.ids import Digest
from comity.ports import Version

NAME = "agreement.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`drawn`: the first of its problems, as `comity check` draws them. `agreement` None: one of them is an error."""

    agreement: Agreement | None
    problems: tuple[Diagnostic, ...]
    drawn: str


def checked(files: Mapping[str, bytes], *, most: int) -> Checked:
    """`files`: the agreement under the empty path, and its lists under theirs. `most`: problems that are drawn."""
    found = check(NAME, files.get("", b""), files.get)
    return Checked(
        agreement=found.agreement,
        problems=found.diagnostics,
        drawn=draw(found.diagnostics[:most], found.sources),
    )


def publish(proceedings: Proceedings, agreement: Agreement, base: Digest, effective: datetime, at: datetime) -> Version:
    """Put it in force from `effective` on. Raises `RefusedError` if `base` is not the last version any more."""
    latest = proceedings.versions.latest()
    if latest is not None and latest.version.digest != base:
        raise RefusedError("another version was published since this draft was begun; begin again from that one")
    name = latest.version.name if latest else NAME
    version = version_of(agreement, name=name, effective=effective)
    issue.issue(proceedings, version, at)
    return version
