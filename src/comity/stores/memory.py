"""A store in memory: for tests, for dry runs, and as the plainest statement of what a store does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from comity.casework.facts import Decided, Fact
from comity.ledger.commitment import Opening
from comity.model.ids import AccountId, DecisionId, MessageId
from comity.model.message import Message
from comity.ports import Answer, OvertakenError, Taken, Version, Write


class MemoryStore:
    """Keeps everything in lists; gone with the process."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, MessageId], Taken] = {}
        self._facts: list[Fact] = []
        self._entries: list[bytes] = []
        self._openings: list[Opening] = []
        self._versions: list[Version] = []
        self._checkpoint = b""

    def append(self, write: Write) -> None:
        if (write.size, write.position) != (self.size, self.position):
            raise OvertakenError(
                f"the ledger has {self.size} entries, not {write.size}, and the record {self.position} facts, not"
                f" {write.position}; read the store again"
            )
        keys = [(taken.message.source, taken.message.id) for taken in write.messages]
        if len(set(keys)) < len(keys) or any(key in self._messages for key in keys):
            raise OvertakenError("a message of this write was taken in before; read the store again")
        self._messages |= dict(zip(keys, write.messages, strict=True))
        self._facts.extend(write.facts)
        self._entries.extend(write.entries)
        self._openings.extend(write.openings)
        self._checkpoint = write.checkpoint or self._checkpoint
        if write.version is not None:
            self._versions.append(write.version)

    def versions(self) -> Sequence[Version]:
        return tuple(self._versions)

    def facts_of(self, account: AccountId) -> Sequence[Fact]:
        return tuple(fact for fact in self._facts if fact.account == account)

    def facts(self) -> Iterator[Fact]:
        return iter(tuple(self._facts))

    def account_of(self, decision: DecisionId) -> AccountId | None:
        for fact in self._facts:
            if isinstance(fact, Decided) and fact.decision == decision:
                return fact.account
        return None

    def answers(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Answer]:
        known = ((each, self._messages.get((source, each))) for each in ids)
        return {each: taken.answer for each, taken in known if taken is not None}

    def message(self, source: str, message: MessageId) -> Message | None:
        taken = self._messages.get((source, message))
        return taken.message if taken is not None and taken.keep_text else None

    def traces(self, within: timedelta) -> Iterator[bytes]:
        newest = max((taken.message.sent for taken in self._messages.values()), default=None)
        for taken in tuple(self._messages.values()):
            if newest is not None and newest - taken.message.sent <= within:
                yield taken.trace

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        return tuple(self._entries[start:end])

    def openings(self, entry: str) -> Sequence[Opening]:
        return tuple(opening for opening in self._openings if opening.entry_id == entry)

    @property
    def size(self) -> int:
        return len(self._entries)

    @property
    def position(self) -> int:
        return len(self._facts)

    @property
    def checkpoint(self) -> bytes:
        return self._checkpoint

    def close(self) -> None:
        """Nothing is held."""
