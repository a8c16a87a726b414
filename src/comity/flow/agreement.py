"""The versions of the agreement: published in one line, and which of them a message is judged under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from comity.agreement.load import load
from comity.casework.record import Record
from comity.engine.plan import Plan, plan
from comity.engine.windows import Counted, Window, windows_of
from comity.model.agreement import Agreement
from comity.model.duration import EARLIEST
from comity.model.ids import Channel, Digest
from comity.ports import StoreError, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A version, ready to judge with."""

    version: Version
    agreement: Agreement
    plan: Plan


class Versions:
    """All versions that a store has published, compiled."""

    def __init__(self, versions: Sequence[Version]) -> None:
        """Raises `StoreError` if a published version no longer reads as an agreement."""
        self._all = tuple(_ready(version) for version in versions)
        counted = {window.counted for window in self.windows}
        self.count_breaches = not counted.isdisjoint((Counted.BREACHES, Counted.NOTICES))
        """Whether any of them has a rule that counts breaches, or notices that were upheld."""
        self.channels = frozenset(channel for one in self._all for channel in one.agreement.channels)
        """Those that any of them names."""

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows that any of them asks for."""
        return tuple(dict.fromkeys(window for one in self._all for window in windows_of(one.agreement)))

    @property
    def lateness(self) -> timedelta:
        """The longest that any of them waits for messages that come out of order."""
        return max(
            (timedelta(seconds=one.agreement.lateness.nominal_seconds) for one in self._all), default=timedelta()
        )

    @property
    def every(self) -> tuple[InForce, ...]:
        """First to last."""
        return self._all

    def latest(self) -> InForce | None:
        return self._all[-1] if self._all else None

    def of(self, digest: Digest) -> InForce | None:
        return next((one for one in reversed(self._all) if one.version.digest == digest), None)

    def agreement(self, digest: Digest) -> Agreement | None:
        one = self.of(digest)
        return one.agreement if one else None

    def is_later(self, one: InForce, than: InForce) -> bool:
        """Whether it was published after the other."""
        return self._all.index(one) > self._all.index(than)

    def in_force(self, at: datetime) -> InForce | None:
        """The version in force at `at`: of those already effective, the last published."""
        return next((one for one in reversed(self._all) if one.version.effective <= at), None)

    def bound(self, record: Record, sent: datetime, *, reaches_back: bool) -> InForce | None:
        """The version that the account was bound by at `sent`.

        The last one it accepted by then, once that is in force; else the one in force. Of a version that it was told
        of, sending on once that counts is the acceptance. In a replay (`reaches_back`)
        the first version covers what was sent before it, since the archive is older than the agreement.
        """
        for accepted in reversed(record.acceptances):
            one = self.of(accepted.agreement) if accepted.binds_from <= sent else None
            if one is not None and (reaches_back or one.version.effective <= sent):
                return one
        in_force = self.in_force(sent)
        if in_force is None and reaches_back and self._all:
            return self._all[0]
        return in_force

    def hint(self, channel: Channel) -> str | None:
        """What a source may have got wrong that names this channel; None: one of them names it."""
        if channel in self.channels:
            return None
        names = ", ".join(sorted(self.channels))
        return f"No clause and no measure applies to {channel}, which is no channel of the agreement; it names {names}."

    def due(self, record: Record, at: datetime) -> Digest | None:
        """The version in force, if the account accepted another one before, and neither this nor a later one since."""
        accepted = {one.agreement for one in record.acceptances if one.binds_from <= at}
        for one in reversed(self._all) if accepted else ():
            if one.version.digest in accepted:
                return None
            if one.version.effective <= at:
                return one.version.digest
        return None


def version_of(agreement: Agreement, *, name: str, effective: datetime = EARLIEST) -> Version:
    """What a store keeps of a checked agreement."""
    return Version(digest=agreement.digest, name=name, effective=effective, files=agreement.files)


def _ready(version: Version) -> InForce:
    files = {each.path: each.content for each in version.files}
    agreement = load(version.name, files.get("", b""), files.get).agreement
    if agreement is None or agreement.digest != version.digest:
        raise StoreError(
            f"The published version {version.digest} does not read as it did when it was published. Use the version"
            " of Comity that published it, or restore the store."
        )
    return InForce(version=version, agreement=agreement, plan=plan(agreement))
