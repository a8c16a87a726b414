"""A store in memory: for tests, for dry runs, and as the plainest statement of what a store does."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from copy import deepcopy
from datetime import datetime

from comity.casework.facts import Decided, Fact, closed, handle_of, introduced, opened
from comity.ledger.commitment import Opening
from comity.ledger.plan_digest import exchanged, plan_digest
from comity.model.duration import EARLIEST, LATEST
from comity.model.ids import AccountId, Channel, DecisionId, Digest, MessageId
from comity.model.message import Message
from comity.model.plan import Planned
from comity.ports import (
    Answer,
    Entered,
    Feed,
    Kept,
    Outcome,
    OvertakenError,
    Owned,
    Publication,
    Sender,
    Snapshot,
    Taken,
    Told,
    Version,
    Write,
)


class MemoryStore:
    """Keeps everything in lists; gone with the process, and so it needs no keys."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, MessageId], Taken | None] = {}  # None: erased
        self._forgotten: set[tuple[str, MessageId]] = set()
        self._facts: list[Fact | None] = []
        self._by_account: dict[AccountId, list[int]] = {}
        self._ids: dict[str, AccountId | None] = {}
        self._waiting: dict[str, AccountId] = {}
        self._handles: dict[tuple[Channel, str], dict[AccountId, None]] = {}
        self._restricted: dict[AccountId, None] = {}
        self._entries: list[bytes] = []
        self._openings: dict[str, list[Owned]] = {}
        self._attachments: dict[tuple[AccountId, Digest], bytes] = {}
        self._versions: list[Version] = []
        self._publications: list[tuple[int, Publication]] = []
        self._erased: set[DecisionId] = set()
        self._terminated: set[AccountId] = set()
        self._erasures = 0
        self._checkpoint = self._head = b""
        self._reached: datetime | None = None
        self._snapshot: Snapshot | None = None
        self._plans: list[Planned | None] = []  # by row
        self._rows: dict[tuple[AccountId, Channel], int] = {}
        self._epoch = "memory"
        self._changes: list[tuple[int, datetime]] = []

    def append(self, write: Write) -> None:
        keys = self._demand_at(write)
        self._messages |= dict(zip(keys, write.messages, strict=True))
        for fact in write.facts:
            self._append_fact(fact)
        self._entries.extend(write.entries)
        if write.genesis:
            self._entries[0], self._epoch = write.genesis, f"{self._epoch}+"
        for owned in write.openings:
            self._openings.setdefault(owned.opening.entry_id, []).append(owned)
        self._attachments |= {(each.account, each.digest): each.content for each in write.attachments}
        self._append_state(write)

    @contextmanager
    def together(self) -> Iterator[None]:
        with ExitStack() as unless_kept:
            unless_kept.callback(self.__dict__.update, deepcopy(self.__dict__))
            yield
            unless_kept.pop_all()

    def _demand_at(self, write: Write) -> list[tuple[str, MessageId]]:
        if (write.size, write.position) != (self.size, self.position):
            raise OvertakenError(
                f"the ledger has {self.size} entries, not {write.size}, and the record {self.position} facts, not"
                f" {write.position}; read the store again"
            )
        if write.erasures not in (None, self._erasures):
            raise OvertakenError("an account was erased since this was decided; read the store again")
        keys = [(taken.message.source, taken.message.id) for taken in write.messages]
        if len(set(keys)) < len(keys) or any(key in self._messages for key in keys):
            raise OvertakenError("a message of this write was taken in before; read the store again")
        return keys

    def _append_fact(self, fact: Fact) -> None:
        account = fact.account
        self._by_account.setdefault(account, []).append(len(self._facts))
        self._facts.append(fact)
        for each in introduced(fact):
            self._ids.setdefault(each, account)
        for each in closed(fact):
            self._waiting.pop(each, None)
        for each in opened(fact):
            self._waiting.setdefault(each, account)
        if handle := handle_of(fact):
            self._handles.setdefault(handle, {})[account] = None

    def _append_state(self, write: Write) -> None:
        running = write.running
        for account in running.released:
            self._restricted.pop(account, None)
        self._restricted |= dict.fromkeys(running.restricted)
        self._reached = running.reached or self._reached
        if running.snapshot is not None:
            self._snapshot = Snapshot(content=running.snapshot, messages=len(self._messages), position=self.position)
        self._erased.difference_update(write.erased)
        self._checkpoint, self._head = write.checkpoint or self._checkpoint, write.head or self._head
        at = write.facts[-1].at if write.facts else EARLIEST
        for one in write.planned:
            self._plan(one, at)
        if write.version is not None:
            self._versions.append(write.version)
            self._publish(write.version, write.published)

    def _publish(self, version: Version, at: datetime | None) -> None:
        if at is not None:
            self._facts.append(None)
            one = Publication(digest=version.digest, effective=version.effective, at=at)
            self._publications.append((self.position, one))

    def _plan(self, one: Planned, at: datetime) -> None:
        key = (one.account, one.channel)
        if key not in self._rows:
            if not one.plan:
                return
            self._rows[key] = len(self._plans)
            self._plans.append(None)
        row = self._rows[key]
        if self._plans[row] != one:
            self._plans[row] = one
            self._changes.append((row, at))

    def erase(self, account: AccountId, *, keep_hash: bool = False, position: int | None = None) -> bool:
        if position not in (None, self.position):
            raise OvertakenError(f"the record has {self.position} facts, not {position}; read the store again")
        wrote = any(taken and _author(taken) == account for taken in self._messages.values())
        was_known = wrote or account in self._by_account
        self._erasures += 1
        self._erased |= {fact.decision for fact in self.facts_of(account) if isinstance(fact, Decided)}
        for position in self._by_account.pop(account, ()):
            self._facts[position] = None
        self._messages |= {key: None for key, taken in self._messages.items() if taken and _author(taken) == account}
        self._ids |= {id_: None for id_, holder in self._ids.items() if holder == account}
        self._waiting = {id_: holder for id_, holder in self._waiting.items() if holder != account}
        for holders in self._handles.values():
            holders.pop(account, None)
        self._restricted.pop(account, None)
        for entry, openings in self._openings.items():
            self._openings[entry] = [each for each in openings if each.account != account]
        self._attachments = {key: content for key, content in self._attachments.items() if key[0] != account}
        self._snapshot = None
        for key in [key for key in self._rows if key[0] == account]:
            row = self._rows.pop(key)
            self._plans[row] = None
            self._changes.append((row, EARLIEST))
        if keep_hash:
            self._terminated.add(account)
        return was_known

    def forget_messages(self, messages: Iterable[tuple[str, MessageId]]) -> None:
        self._forgotten.update(messages)

    def versions(self) -> Sequence[Version]:
        return tuple(self._versions)

    def facts_of(self, account: AccountId, *, until: int | None = None) -> Sequence[Fact]:
        every = self._by_account.get(account, ())
        facts = (self._facts[position] for position in every if until is None or position < until)
        return tuple(fact for fact in facts if fact is not None)

    def facts_of_each(self, accounts: Iterable[AccountId]) -> Mapping[AccountId, Sequence[Fact]]:
        return {account: self.facts_of(account) for account in accounts}

    def histories(self, kinds: Sequence[type[Fact]], having: Sequence[type[Fact]]) -> Iterator[Sequence[Fact]]:
        for account in self._by_account:
            facts = self.facts_of(account)
            if any(isinstance(each, tuple(having)) for each in facts):
                yield tuple(each for each in facts if isinstance(each, tuple(kinds)))

    def numbered(self, kinds: Sequence[type[Fact]], *, after: int) -> Iterator[tuple[int, Fact]]:
        chosen = tuple(kinds) or (object,)
        facts = enumerate(self._facts[after:], after + 1)
        return ((position, fact) for position, fact in facts if fact is not None and isinstance(fact, chosen))

    def publications(self, *, after: int) -> Iterator[tuple[int, Publication]]:
        return (each for each in self._publications if each[0] > after)

    def facts(
        self, kinds: Sequence[type[Fact]] = (), *, after: int = 0, since: datetime | None = None
    ) -> Iterator[Fact]:
        chosen = tuple(kinds) or (object,)
        for fact in self._facts[after:]:
            if fact is not None and isinstance(fact, chosen) and (since is None or fact.at >= since):
                yield fact

    def account_of(self, id_: str) -> AccountId | None:
        return self._ids.get(id_)

    def is_erased(self, id_: str) -> bool:
        return id_ in self._ids and self._ids[id_] is None

    def waiting(self) -> Iterator[tuple[str, AccountId]]:
        return iter(tuple(self._waiting.items()))

    def handle_holders(
        self, handles: Iterable[tuple[Channel, str]]
    ) -> Mapping[tuple[Channel, str], Sequence[AccountId]]:
        return {each: tuple(holders) for each in handles if (holders := self._handles.get(each))}

    def restricted(self) -> Iterator[AccountId]:
        return iter(tuple(self._restricted))

    def told(self) -> Iterator[Told]:
        for row, planned in enumerate(self._plans, 1):
            if planned is not None and planned.plan:
                yield Told(row=row, planned=planned)

    def changes(self, after: int) -> Iterator[Told]:
        for seq, (row, _) in enumerate(self._changes[after:], after + 1):
            yield Told(seq=seq, row=row + 1, planned=self._plans[row])

    @property
    def feed(self) -> Feed:
        totals: dict[Channel, tuple[int, int]] = {}
        for one in self.told():
            if one.planned is not None:
                count, digest = totals.get(one.planned.channel, (0, 0))
                totals[one.planned.channel] = count + 1, exchanged(digest, 0, plan_digest(one.planned))
        return Feed(epoch=self._epoch, first=min(len(self._changes), 1), cursor=len(self._changes), totals=totals)

    def last_change(self, account: AccountId, channel: Channel) -> tuple[int, datetime] | None:
        wanted = self._rows.get((account, channel))
        found = [(seq, at) for seq, (row, at) in enumerate(self._changes, 1) if row == wanted]
        return found[-1] if found else None

    def at_once(self) -> AbstractContextManager[None]:
        return nullcontext()

    def was_terminated(self, account: AccountId) -> bool:
        return account in self._terminated

    def pending_erasures(self) -> Sequence[DecisionId]:
        return tuple(sorted(self._erased))

    def answers(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Answer]:
        known = ((each, self._messages[source, each]) for each in ids if (source, each) in self._messages)
        return {each: taken.answer if taken else _erased(each) for each, taken in known}

    def senders(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Sender]:
        known = ((each, self._messages.get((source, each))) for each in ids)
        return {
            each: Sender(account=taken.message.author, sent=taken.message.sent, trace=taken.trace)
            for each, taken in known
            if taken
        }

    def message(self, source: str, message: MessageId) -> Message | None:
        taken = self._messages.get((source, message))
        return taken.message if taken is not None and self._is_kept((source, message)) else None

    def _is_kept(self, key: tuple[str, MessageId]) -> bool:
        taken = self._messages[key]
        return taken is not None and taken.keep_text and key not in self._forgotten

    def kept_messages(self, *, until: datetime = LATEST) -> Iterator[Kept]:
        for key, taken in tuple(self._messages.items()):
            if taken is not None and self._is_kept(key) and taken.message.sent <= until:
                yield Kept(source=key[0], id=key[1], account=_author(taken), sent=taken.message.sent)

    def kept_of(self, account: AccountId) -> Iterator[Kept]:
        return (each for each in self.kept_messages() if each.account == account)

    def kept_last(self, count: int) -> Sequence[Kept]:
        return tuple(deque(self.kept_messages(), maxlen=count))

    def attachment(self, account: AccountId, digest: Digest) -> bytes | None:
        return self._attachments.get((account, digest))

    def traces(self, *, after: int = 0, since: datetime | None = None) -> Iterator[bytes]:
        for taken in tuple(self._messages.values())[after:]:
            if taken is not None and (since is None or taken.message.sent >= since):
                yield taken.trace

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        return tuple(self._entries[start:end])

    def entry_index(self, id_: str) -> int | None:
        wanted = f'"id":"{id_}"'.encode()
        return next((index for index, entry in enumerate(self._entries) if wanted in entry), None)

    def entered(self, decisions: Collection[DecisionId]) -> Mapping[DecisionId, Entered]:
        places = {each: index for each in decisions if (index := self.entry_index(each)) is not None}
        return {
            each: Entered(index=index, entry=self._entries[index], openings=tuple(self.openings(each)))
            for each, index in places.items()
        }

    def openings(self, entry: str) -> Sequence[Opening]:
        return tuple(owned.opening for owned in self._openings.get(entry, ()))

    @property
    def size(self) -> int:
        return len(self._entries)

    @property
    def position(self) -> int:
        return len(self._facts)

    @property
    def erasures(self) -> int:
        return self._erasures

    @property
    def checkpoint(self) -> bytes:
        return self._checkpoint

    @property
    def head(self) -> bytes:
        return self._head

    @property
    def reached(self) -> datetime | None:
        return self._reached

    @property
    def snapshot(self) -> Snapshot | None:
        return self._snapshot

    @contextmanager
    def turn(self) -> Iterator[bool]:
        yield False

    def was_changed(self) -> bool:
        return False

    def tidy(self) -> None:
        """There is nothing to do."""

    def close(self) -> None:
        """Nothing is held."""


def _author(taken: Taken) -> AccountId:
    return taken.message.author


def _erased(message: MessageId) -> Answer:
    return Answer(message=message, outcome=Outcome.ERASED)
