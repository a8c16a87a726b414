"""A history as bytes: what a restart goes on from, in place of all traces that windows still reach.

    comity-history/1 \\n · BLAKE2b of the rest (32 bytes) · MessagePack: windows, newest, claimed, series

A snapshot is of certain windows and a lateness, and says so by their digest. What was cut off, changed or made by
somebody else is refused before anything of it is used; it then costs a slower start, and no wrong count.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Final, Protocol

import msgspec

from comity.engine.tallies import EARLIEST
from comity.engine.windows import Window

_FORMAT: Final = b"comity-history/1\n"
_BYTES: Final = 32
_START: Final = len(_FORMAT) + _BYTES
_Moment = Annotated[int, msgspec.Meta(ge=EARLIEST, le=-EARLIEST)]


class SnapshotError(ValueError):
    """A snapshot that cannot be gone on from. The mend is to rebuild the history from the stored traces."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the snapshot of the history {what}; rebuild the history from the stored traces")


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a history knows. Times are microseconds since 1970."""

    windows: bytes
    newest: _Moment
    claimed: _Moment | None
    series: list[bytes]


class _Loaded(Protocol):
    def load(self, content: bytes) -> None: ...


def digest_of(windows: Sequence[Window], lateness: int) -> bytes:
    """What tells histories apart that count other windows, or in another order."""
    asked = [
        [window.counted, window.within // window.within.resolution, window.key, window.besides] for window in windows
    ]
    return blake2b(msgspec.msgpack.encode([asked, lateness]), digest_size=_BYTES).digest()


def written(snapshot: Snapshot) -> bytes:
    content = msgspec.msgpack.encode(snapshot)
    return _FORMAT + _sum(content) + content


def read(content: bytes, windows: bytes) -> Snapshot:
    """The snapshot in `content`, if it is whole and of the windows with that digest. Raises `SnapshotError`."""
    if not content.startswith(_FORMAT):
        raise SnapshotError("is of another format")
    if content[len(_FORMAT) : _START] != _sum(content[_START:]):
        raise SnapshotError("is damaged")
    snapshot = _decoded(content[_START:])
    if snapshot.windows != windows:
        raise SnapshotError("counts other windows than the version's")
    return snapshot


def fill(series: Sequence[_Loaded], snapshot: Snapshot) -> None:
    """Each series takes over what was saved of it. Raises `SnapshotError`."""
    try:
        for one, saved in zip(series, snapshot.series, strict=True):
            one.load(saved)
    except (msgspec.DecodeError, ValueError) as error:
        raise SnapshotError(f"does not hold what it should ({error})") from error


def _decoded(content: bytes) -> Snapshot:
    try:
        return msgspec.msgpack.decode(content, type=Snapshot)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"does not hold what it should ({error})") from error


def _sum(content: bytes) -> bytes:
    return blake2b(content, digest_size=_BYTES).digest()
