"""Messages as a scan takes them: what most rules and all windows ask, as columns, and the messages themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comity.model.message import Message

Ints = NDArray[np.int64]

UNKNOWN: Final = np.iinfo(np.int64).min
"""Stands for a time that is not given."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Strings of which few are different: `names[codes[row]]`. A name may stand there twice."""

    names: Sequence[str]
    codes: NDArray[np.integer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some messages in their order. Times are in microseconds since 1970.

    Where `are_stubs`, the messages have nothing but their texts, channels and subjects, and times if they were asked
    for: made so from archives whose other fields no rule reads.
    """

    messages: Sequence[Message]
    authors: Named
    channels: Named
    labels: Named
    sent: Ints
    created: Ints
    are_stubs: bool = False


def rows_of(messages: Sequence[Message]) -> Rows:
    """The columns of whole messages."""
    return Rows(
        messages=messages,
        authors=_named([message.author for message in messages]),
        channels=_named([message.channel for message in messages]),
        labels=_named([message.label for message in messages]),
        sent=np.array([microseconds(message.sent) for message in messages], dtype=np.int64),
        created=np.array([_created(message) for message in messages], dtype=np.int64),
    )


def _created(message: Message) -> int:
    return UNKNOWN if message.author_created is None else microseconds(message.author_created)


def microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - EPOCH) // _MICROSECOND


def _named(values: Sequence[str]) -> Named:
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(value, len(numbers)) for value in values]
    return Named(names=tuple(numbers), codes=np.array(codes, dtype=np.int64))
