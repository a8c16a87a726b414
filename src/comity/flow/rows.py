"""Messages as a scan takes them: what most rules and all windows ask, as columns, and the messages themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comity.engine.columns import Column
from comity.engine.joined import Joined, pieces
from comity.model.ids import AccountId, Channel, MessageId
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
class Texts:
    """The messages' texts, piece by piece. `codes`: for each message the place of its text; None: they are in order."""

    pieces: Callable[[], Iterator[Joined]]
    codes: NDArray[np.integer] | None = None

    def spread(self, column: Column) -> Column:
        """What is known of each text, for each message."""
        return column if self.codes is None else column[self.codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some messages in their order. Times are in microseconds since 1970. Messages are made when they are asked for.

    Where `are_stubs`, the messages have nothing but their texts, channels and subjects, and times if they were asked
    for: made so from archives whose other fields no rule reads. Otherwise each has a text of its own.
    """

    messages: Callable[[], Sequence[Message]]
    texts: Texts
    authors: Named
    channels: Named
    labels: Named
    sent: Ints
    created: Ints
    are_stubs: bool = False
    bytes: int | None = None
    """Of all texts, each counted wherever it stands; None where that was not counted."""

    def __len__(self) -> int:
        return len(self.sent)


def rows_of(messages: Sequence[Message]) -> Rows:
    """The columns of whole messages."""
    texts = [message.text for message in messages]
    return Rows(
        messages=lambda: messages,
        texts=Texts(pieces=lambda: pieces(texts)),
        authors=_named([message.author for message in messages]),
        channels=_named([message.channel for message in messages]),
        labels=_named([message.label for message in messages]),
        sent=np.array([microseconds(message.sent) for message in messages], dtype=np.int64),
        created=np.array([_created(message) for message in messages], dtype=np.int64),
    )


_made: Final[Callable[..., Message]] = Message
_ID: Final = MessageId("-")
_NOBODY: Final = AccountId("-")


def stub(text: str, channel: Channel, subject: str = "") -> Message:
    """As much of a message as rules read of most archives; the rest stands for nothing."""
    return _made(id=_ID, author=_NOBODY, channel=channel, text=text, subject=subject, sent=EPOCH)


def _created(message: Message) -> int:
    return UNKNOWN if message.author_created is None else microseconds(message.author_created)


def microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - EPOCH) // _MICROSECOND


def _named(values: Sequence[str]) -> Named:
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(value, len(numbers)) for value in values]
    return Named(names=tuple(numbers), codes=np.array(codes, dtype=np.int64))
