"""Messages that are judged together: their texts are joined once, for all that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from comity.engine.joined import Joined, pieces
from comity.model.message import Message


class Batch(tuple[Message, ...]):
    """Some messages in their order."""

    @cached_property
    def joined(self) -> tuple[Joined, ...]:
        """Their texts, in turns."""
        return tuple(pieces([message.text for message in self]))


def joined_texts(messages: Sequence[Message]) -> tuple[Joined, ...]:
    """The texts of messages, in turns; of a batch those that it has."""
    return (messages if isinstance(messages, Batch) else Batch(messages)).joined
