"""What a scan of an archive keeps of its messages: one column for each thing that rules ask, and nothing to read.

A column is known by its key, which names its meaning: leaves of rules (see `engine.leaves`), and what history counts
(authors, texts, recipients and values as keyed hashes of 64 bits, times, numbers). Texts themselves are not kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from comity.engine.columns import Column
from comity.engine.leaves import Leaf, take_apart
from comity.engine.windows import Counted, Window
from comity.model.agreement import Agreement
from comity.model.ids import Channel

AUTHOR: Final = "author"
SENT: Final = "sent"
TEXT: Final = "text"
TO: Final = "to"
TO_SIZES: Final = "to-sizes"
CHANNEL: Final = "channel-"
LABEL: Final = "label"
VALUE: Final = "value-"
NUMBER: Final = "number-"

Columns = dict[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a scan has to find: for each version the leaves that no other has, and what its windows count."""

    versions: tuple[tuple[Agreement, tuple[Leaf, ...]], ...]
    channels: tuple[Channel, ...]
    traced: tuple[str, ...]
    has_labels: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns, by key."""
        leaves = (self.key_of(leaf) for _, leaves in self.versions for leaf in leaves)
        labels = (LABEL,) if self.has_labels else ()
        return (AUTHOR, SENT, *(CHANNEL + each for each in self.channels), *self.traced, *leaves, *labels)

    def key_of(self, leaf: Leaf) -> str:
        return key_of(leaf, self.channels)


def key_of(leaf: Leaf, channels: Iterable[Channel]) -> str:
    """A leaf's column. It is answered on the channels of the versions alone, so they are part of the key."""
    return blake2b(f"{leaf.key} {' '.join(sorted(channels))}".encode(), digest_size=16).hexdigest()


def asked_by(versions: Sequence[Agreement], windows: Iterable[Window], *, has_labels: bool) -> Asked:
    """What a scan has to find so that all of the versions can be judged without their messages."""
    channels = tuple(sorted({channel for version in versions for channel in version.channels}))
    found: dict[str, tuple[int, Leaf]] = {}
    for number_, version in enumerate(versions):
        for taken in take_apart(version):
            for leaf in taken.leaves:
                if not leaf.reads_counts:
                    found.setdefault(leaf.key, (number_, leaf))
    own = [tuple(leaf for of, leaf in found.values() if of == place) for place in range(len(versions))]
    return Asked(
        versions=tuple(zip(versions, own, strict=True)),
        channels=channels,
        traced=tuple(dict.fromkeys(key for window in windows for key in _traced(window))),
        has_labels=has_labels,
    )


def without(asked: Asked, kept: frozenset[str]) -> Asked:
    """What is still to be found when the columns `kept` are there."""
    versions = tuple(
        (version, tuple(leaf for leaf in leaves if asked.key_of(leaf) not in kept))
        for version, leaves in asked.versions
    )
    return dataclasses.replace(asked, versions=versions, traced=tuple(key for key in asked.traced if key not in kept))


def _traced(window: Window) -> tuple[str, ...]:
    """The columns, besides author and time, that history needs for a window."""
    match window.counted:
        case Counted.COPIES | Counted.TEXT_COPIES | Counted.TEXT_COPIERS:
            return (TEXT,)
        case Counted.RECIPIENTS:
            return TO, TO_SIZES
        case Counted.SAME | Counted.AUTHORS_SAME:
            return (VALUE + window.key,)
        case Counted.TOTAL:
            return (NUMBER + window.key,)
        case _:
            return ()
