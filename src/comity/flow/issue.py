"""A draft becomes the next version of the agreement: checked whole, and never reaching back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from comity.agreement.diagnostics import Diagnostic
from comity.casework.refused import RefusedError
from comity.flow.agreement import version_of
from comity.flow.check import check
from comity.flow.message import Proceedings
from comity.ports import Version


class NotNextError(RefusedError):
    """The version cannot follow those before it. `help`: what can be done."""

    def __init__(self, message: str, help_: str) -> None:
        super().__init__(message)
        self.help = help_


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A draft, read. `version` None: it has errors."""

    version: Version | None
    diagnostics: tuple[Diagnostic, ...]


def read(name: str, files: Mapping[str, bytes], effective: datetime) -> Checked:
    """`files`: the agreement under the empty path, and its lexicons under theirs."""
    checked = check(name, files.get("", b""), files.get)
    agreement = checked.agreement
    version = None if agreement is None else version_of(agreement, name=name, effective=effective)
    return Checked(version=version, diagnostics=checked.diagnostics)


def issue(proceedings: Proceedings, version: Version, at: datetime) -> None:
    """Put it in force. Raises `NotNextError`."""
    published = [one.version for one in proceedings.versions.every]
    demand_next(version, published, at if proceedings.mode == "live" else None)
    proceedings.publish(version, at)


def demand_next(version: Version, published: Sequence[Version], now: datetime | None) -> None:
    """Raises `NotNextError` for a version that is or was published, or reaches back. `now`: None in a replay."""
    if published and published[-1].digest == version.digest:
        raise NotNextError("this version is published already", "Change something to publish another.")
    if any(one.digest == version.digest for one in published):
        raise NotNextError(
            "this version was published before, and a later one replaced it",
            "Say in its prose that it holds again, and since when; that makes it a version of its own.",
        )
    if not published:
        return
    least = published[-1].effective if now is None else max(published[-1].effective, now)
    if version.effective < least:
        raise NotNextError(
            f"a version after the one before can be in force from {least:%Y-%m-%dT%H:%M:%SZ} on, not earlier",
            "Name a later time with --from: a new version never reaches back.",
        )
