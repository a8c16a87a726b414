"""Where facts are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from comity.casework.facts import Fact
from comity.ledger.commitment import Opening
from comity.model.duration import LATEST
from comity.model.ids import AccountId, Channel, DecisionId, Digest, MessageId
from comity.model.message import Message
from comity.ports.kept import Answer, Entered, Feed, Kept, Publication, Sender, Snapshot, Told, Version, Write


class Store(Protocol):
    """Keeps what `append` was given, whole or not at all, durably before it returns; and erases an account's data."""

    def append(self, write: Write) -> None:
        """Raises `OvertakenError`, and keeps nothing, if the write was decided on what is no longer the whole record.

        That is: the ledger is not at `write.size`, the facts not at `write.position`, an account was erased since
        `write.erasures`, or a message was taken in before.
        """

    def erase(self, account: AccountId, *, keep_hash: bool = False, position: int | None = None) -> bool:
        """Make everything kept of the account unreadable for good. What it may still be needed for is not asked here.

        Returns whether anything was. Its facts and ids keep their places, empty. Its statements are `pending_erasures`
        then. `keep_hash`: the store can still say `was_terminated` of it. Raises `OvertakenError`, and erases nothing,
        if the record no longer has the `position` facts that it was decided on.
        """

    def forget_messages(self, messages: Iterable[tuple[str, MessageId]]) -> None:
        """Delete the bodies of these messages, each named by source and id."""

    def versions(self) -> Sequence[Version]:
        """All published versions, first to last."""

    def facts_of(self, account: AccountId, *, until: int | None = None) -> Sequence[Fact]:
        """The account's facts, in the record's order. `until`: only those of the record's first so many positions."""

    def facts_of_each(self, accounts: Iterable[AccountId]) -> Mapping[AccountId, Sequence[Fact]]:
        """The facts of each, none for an account that is not known."""

    def facts(
        self, kinds: Sequence[type[Fact]] = (), *, after: int = 0, since: datetime | None = None
    ) -> Iterator[Fact]:
        """The facts, erased ones left out, in the record's order.

        Only those of `kinds` (none: all), not of the first `after` positions, not from before `since`.
        """

    def histories(self, kinds: Sequence[type[Fact]], having: Sequence[type[Fact]]) -> Iterator[Sequence[Fact]]:
        """Of each account that has a fact of `having` its facts of `kinds`, in the record's order.

        All of it costs one pass over those facts; the accounts come in no telling order.
        """

    def numbered(self, kinds: Sequence[type[Fact]], *, after: int) -> Iterator[tuple[int, Fact]]:
        """The facts of `kinds` after that position, erased ones left out, each with its own position."""

    def publications(self, *, after: int) -> Iterator[tuple[int, Publication]]:
        """The versions that took a place in the record after that position, each with its own."""

    def account_of(self, id_: str) -> AccountId | None:
        """Whose decision (and so statement), case, appeal or notice that is."""

    def is_erased(self, id_: str) -> bool:
        """Whether it was a decision, case, appeal or notice of an account whose data were erased."""

    def waiting(self) -> Iterator[tuple[str, AccountId]]:
        """Cases and appeals opened and not yet closed, the longest waiting first."""

    def handle_holders(
        self, handles: Iterable[tuple[Channel, str]]
    ) -> Mapping[tuple[Channel, str], Sequence[AccountId]]:
        """The accounts that ever had each of the handles, first to last; without those that nobody had."""

    def restricted(self) -> Iterator[AccountId]:
        """The accounts of which a measure on channels may hold; without this one asks all of them."""

    def told(self) -> Iterator[Told]:
        """What gates are to know: all plans that are not empty."""

    def changes(self, after: int) -> Iterator[Told]:
        """The feed's changes after that one, without gaps; each with what is planned now."""

    @property
    def feed(self) -> Feed:
        """Kept with each change in the same transaction."""

    def last_change(self, account: AccountId, channel: Channel) -> tuple[int, datetime] | None:
        """The number of the feed's last change of that plan, and when it was committed."""

    def at_once(self) -> AbstractContextManager[None]:
        """What is read inside is of one moment."""

    def was_terminated(self, account: AccountId) -> bool:
        """Whether the account was erased with `keep_hash`."""

    def pending_erasures(self) -> Sequence[DecisionId]:
        """The statements that were erased and have no erasure entry yet, in no telling order."""

    def answers(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Answer]:
        """What was answered for those of the messages that were taken in before."""

    def senders(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Sender]:
        """Who sent those of the messages that were taken in before, and when; without what was erased."""

    def message(self, source: str, message: MessageId) -> Message | None:
        """The message, if its text was kept."""

    def kept_messages(self, *, until: datetime = LATEST) -> Iterator[Kept]:
        """The messages of which the text is kept and that were sent by `until`, in intake order."""

    def kept_of(self, account: AccountId) -> Iterator[Kept]:
        """Those of the account."""

    def kept_last(self, count: int) -> Sequence[Kept]:
        """The last `count` of all, in intake order."""

    def attachment(self, account: AccountId, digest: Digest) -> bytes | None:
        """The content of one of the account's attachments."""

    def traces(self, *, after: int = 0, since: datetime | None = None) -> Iterator[bytes]:
        """The traces of messages in intake order: not of the first `after`, nor of those sent before `since`."""

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        """The ledger's entries of that half-open range."""

    def entry_index(self, id_: str) -> int | None:
        """Where in the ledger the entry with the id of a decision or an appeal stands, which came with its fact."""

    def entered(self, decisions: Collection[DecisionId]) -> Mapping[DecisionId, Entered]:
        """The entries of those of the decisions that have one, looked up together."""

    def openings(self, entry: str) -> Sequence[Opening]:
        """The openings of the entry of that id."""

    @property
    def size(self) -> int:
        """How many entries the ledger has."""

    @property
    def position(self) -> int:
        """How many facts the record has, and versions that took a place among them."""

    @property
    def erasures(self) -> int:
        """How often an account was erased."""

    @property
    def checkpoint(self) -> bytes:
        """The last signed checkpoint; empty before the first."""

    @property
    def head(self) -> bytes:
        """The last `Write.head`; empty before the first."""

    @property
    def reached(self) -> datetime | None:
        """The last `Running.reached`."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The last snapshot; None before the first, and after an erasure, since it may hold what was erased."""

    def together(self) -> AbstractContextManager[None]:
        """What is appended inside is kept when it ends: by then each append was taken or refused for its place.

        Nothing of it is kept if the end is not reached, or an append failed otherwise. Do not erase or forget inside.
        """

    def turn(self) -> AbstractContextManager[bool]:
        """Nobody else writes meanwhile. True: somebody has, since the last turn: decide on what is there now."""

    def was_changed(self) -> bool:
        """Whether another program has written since this was asked last; asked often, so it is cheap."""

    def tidy(self) -> None:
        """Do what takes a while and can wait, when nobody waits for it."""

    def close(self) -> None:
        """Give back what is held; a closed store is not used again."""
