"""The record's one way in: facts become ledger entries, one transaction keeps both, and only then are they published.

The order is the promise: commit, publish (tiles, then the checkpoint), acknowledge. Publishing first would fork the
log when the machine dies in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Literal

from comity.casework.facts import (
    Accepted,
    Appealed,
    AppealOutcome,
    Change,
    ConditionMet,
    Corrected,
    Decided,
    Delivered,
    Fact,
    Joined,
    Lifted,
    OutcomeGiven,
    Recomputed,
    Undone,
)
from comity.casework.recorded import Recorded
from comity.flow.entries import (
    Sealed,
    acceptances_entries,
    appeal_entry,
    correction_entry,
    lift_entry,
    outcome_entry,
    sealed_entry,
    statement_entry,
)
from comity.flow.head import read_head, stored_entries
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.entry import (
    AgreementEntry,
    CensusEntry,
    ErasureEntry,
    GenesisEntry,
    KeyEntry,
    Profile,
    canonical,
    parse_entry,
)
from comity.ledger.hours import day_of, hour_of
from comity.ledger.keyring import LogKeys
from comity.ledger.log import CHECKPOINT_PATH, File, append, partial_files, republication, signed_head
from comity.ledger.note import VerifierKey
from comity.ledger.tree import ids_root
from comity.ledger.versions import version_file, version_path
from comity.model.ids import AccountId, DecisionId
from comity.model.plan import Planned
from comity.ports import Attachment, Entropy, OvertakenError, PublishedLog, Running, Store, Taken, Version, Write

Mode = Literal["live", "replay"]

_COUNTED: Final = (Decided, Joined)
"""The facts that bring a day's census."""
_BEGINNING: Final = 4  # bytes; nobody can guess the other 12 of an id


def mode_of(store: Store) -> Mode | None:
    """Whether the record is of the present or replays an archive, as its first entry says; None: no entry yet."""
    genesis = _genesis(store)
    return genesis.mode if genesis else None


def profile_of(store: Store) -> Profile:
    """What its ledger says in public; `open` while it has no entry."""
    genesis = _genesis(store)
    return genesis.profile if genesis else "open"


def _genesis(store: Store) -> GenesisEntry | None:
    first = [parse_entry(content) for content in store.entries(0, 1)]
    return next((entry for entry in first if isinstance(entry, GenesisEntry)), None)


class Recorder:
    """Appends to one store and its published log. One at a time: the store's writer."""

    def __init__(self, store: Store, log: PublishedLog, key: LogKeys, entropy: Entropy) -> None:
        """Publishes what a crash left unpublished. Raises `ForkError` if the store is older than what was published."""
        self._store, self._published, self._key, self._entropy = store, log, key, entropy
        checkpoint = log.read(CHECKPOINT_PATH)
        last = unverified_checkpoint(checkpoint) if checkpoint else None
        self._head = read_head(store, key.verifier, last)
        self._position, self._readers = store.position, 0
        self._profile = profile_of(store)
        self._published_size = last.size if last else 0
        self._is_together, self._mark, self._checkpoint = False, "", b""
        self.beginning = entropy.token(_BEGINNING)
        """What ids of one transaction's decisions begin with: in the store's indexes they lie together then."""
        self._unpublished: list[tuple[int, tuple[File, ...]]] = []
        """What each write filled, and the entry that it begins with."""
        self._catch_up()
        self._publish_texts()

    def begin(self, *, mode: Mode, operator: str, at: datetime, profile: Profile = "open", retention: int = 0) -> None:
        """Write the genesis entry. Does nothing if there is one. `retention`: for how many days it says texts stay."""
        if self._store.size == 0:
            self._profile = profile
            genesis = GenesisEntry(
                id=self._fresh(),
                at=self._shown(at),
                profile=profile,
                mode=mode,
                operator=operator,
                origin=self._key.name,
                key=str(self._key.verifier),
                retention=retention,
            )
            self._write([Sealed(entry=genesis)])

    def enter_key(self, key: VerifierKey, at: datetime) -> None:
        """Say in the ledger that it may be signed with `key` from now on."""
        self._write([Sealed(entry=KeyEntry(id=self._fresh(), at=self._shown(at), key=str(key)))])

    def publish_version(self, version: Version, at: datetime) -> None:
        """Put a version of the agreement in force."""
        entry = AgreementEntry(
            id=self._fresh(),
            at=self._shown(at),
            agreement=version.digest,
            effective=hour_of(version.effective),
            prev=self._head.seen.agreement,
        )
        self._write([Sealed(entry=entry)], version=version, published=at)

    def relieve(self) -> int:
        """Somebody has read the record anew and decides on it from now on. Their number; older ones write no more."""
        self._readers += 1
        return self._readers

    def record(
        self,
        messages: Sequence[Taken],
        facts: Sequence[Fact],
        *,
        recorded: Callable[[AccountId, DecisionId], Recorded | None],
        active: Callable[[datetime], list[DecisionId]],
        running: Callable[[], Running],
        planned: Sequence[Planned] = (),
        attachments: Sequence[Attachment] = (),
        erasures: int | None = None,
        reader: int | None = None,
    ) -> None:
        """Keep messages and facts in one transaction with their entries, then publish.

        `recorded` looks up a decision as the facts leave it; `active` names those whose measures hold at a time;
        `running` is asked last for what is kept of the running state; `planned` is what gates are told; `erasures` had
        happened when it was decided, by `reader`. Raises `OvertakenError`.
        """
        self._demand_last(reader)
        if facts:
            self.publish_erasures(facts[0].at)
        sealed = list(self._entries(facts, recorded, active))
        self._write(
            sealed,
            messages=messages,
            facts=facts,
            attachments=attachments,
            running=running(),
            planned=planned,
            erasures=erasures,
        )

    def _demand_last(self, reader: int | None) -> None:
        if reader not in (None, self._readers):
            raise OvertakenError("the record was read anew meanwhile, by others who decide on it now; ask them")

    def erase(self, account: AccountId, *, keep_hash: bool, reader: int | None = None) -> bool:
        """As the store does. Raises `OvertakenError` if anything was recorded since, such as a legal hold."""
        self._demand_last(reader)
        return self._store.erase(account, keep_hash=keep_hash, position=self._position)

    def publish_erasures(self, at: datetime) -> None:
        """Say in the ledger which statements were erased, so that erased differs from withheld.

        Once a day, before its first other entry, and all that wait together: few at a time would tell which statements
        were one person's. Does nothing later in the day.
        """
        day = self._head.seen.day
        if day is not None and at.date() <= day:
            return
        erased = self._store.pending_erasures()
        entries = [ErasureEntry(id=self._fresh(), at=self._shown(at), prev=statement) for statement in erased]
        if entries:
            self._write([Sealed(entry=entry) for entry in entries], erased=erased)

    def _entries(
        self,
        facts: Sequence[Fact],
        recorded: Callable[[AccountId, DecisionId], Recorded | None],
        active: Callable[[datetime], list[DecisionId]],
    ) -> Iterator[Sealed]:
        """A sealed ledger has no census, whose count would tell, and an entry for each acceptance."""
        if self._profile == "open":
            yield from self._censuses(facts, active)
            yield from self._sealed(facts, recorded)
        else:
            for fact in facts:
                yield from (sealed_entry(each, self._entropy) for each in self._sealed([fact], recorded))

    def _sealed(
        self, facts: Sequence[Fact], recorded: Callable[[AccountId, DecisionId], Recorded | None]
    ) -> Iterator[Sealed]:
        for fact in facts:
            match fact:
                case Decided():
                    yield statement_entry(fact, self._entropy)
                case Delivered():
                    one = recorded(fact.account, fact.decision)
                    if one is not None and any([each.delay for each in one.decided.measures]):
                        yield from self._of_change(fact, one)
                case Appealed() | OutcomeGiven() | Lifted() | Joined():
                    yield from self._of_change(fact, recorded(fact.account, fact.decision))
                case Corrected() | Recomputed() | Undone():
                    yield from self._of_change(fact, recorded(fact.account, fact.decision))
                case _:
                    continue
        yield from acceptances_entries([fact for fact in facts if isinstance(fact, Accepted)], self._entropy)

    def _of_change(self, fact: Appealed | Change, one: Recorded | None) -> Iterator[Sealed]:
        """`one` as the facts leave it; None: the decision was a dismissal, of which the public learns nothing."""
        if one is None:
            return
        match fact:
            case Appealed():
                yield appeal_entry(fact, self._entropy)
            case OutcomeGiven():
                yield outcome_entry(fact, self._entropy)
                is_changed = fact.outcome in (AppealOutcome.VARIED, AppealOutcome.REVERSED)
                if is_changed or any(each.delay for each in one.foreseen):  # which an appeal holds until its outcome
                    yield correction_entry(fact, one, self._entropy)
            case Lifted():
                yield lift_entry(fact, self._entropy)
                yield correction_entry(fact, one, self._entropy)
            case Delivered() if one.delivered != fact.at:
                return
            case ConditionMet():
                return
            case _:
                yield correction_entry(fact, one, self._entropy)

    def _censuses(self, facts: Sequence[Fact], active: Callable[[datetime], list[DecisionId]]) -> Iterator[Sealed]:
        """One with the first write of each day; an archive that goes back in time brings no second one."""
        day = self._head.seen.census
        for fact in facts:
            if isinstance(fact, _COUNTED) and (day is None or fact.at.date() > day):
                day = fact.at.date()
                ids = active(fact.at)
                yield Sealed(
                    entry=CensusEntry(id=self._fresh(), at=hour_of(fact.at), count=len(ids), root=ids_root(ids))
                )

    def _write(
        self,
        sealed: Sequence[Sealed],
        *,
        messages: Sequence[Taken] = (),
        facts: Sequence[Fact] = (),
        attachments: Sequence[Attachment] = (),
        running: Running = Running(),  # noqa: B008 - an immutable value
        planned: Sequence[Planned] = (),
        version: Version | None = None,
        published: datetime | None = None,
        erased: Sequence[DecisionId] = (),
        erasures: int | None = None,
    ) -> None:
        entries = tuple(canonical(each.entry) for each in sealed)
        appended = append(self._head.log, entries)
        head = self._head.after(appended.log, [each.entry for each in sealed])
        checkpoint = signed_head(appended.log, self._key.name, self._key.signers) if entries else b""
        self._store.append(
            Write(
                size=self._head.log.size,
                position=self._position,
                erasures=erasures,
                messages=messages,
                facts=facts,
                entries=entries,
                openings=tuple(opening for each in sealed for opening in each.openings),
                attachments=attachments,
                erased=erased,
                checkpoint=checkpoint,
                head=head.short(),
                running=running,
                planned=planned,
                version=version,
                published=published,
            )
        )
        self._head, self._position = head.kept(), self._position + len(facts) + (published is not None)
        if entries:
            texts = (version_file(version.files),) if version else ()
            self._unpublished.append((appended.first, (*texts, *appended.files)))
            self._checkpoint = checkpoint
        if not self._is_together:
            self.beginning = self._entropy.token(_BEGINNING)
            self.publish()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is recorded inside is kept in one transaction; `publish` it afterwards."""
        self._mark, self._is_together = self.mark, True
        try:
            with self._store.together():
                yield
        finally:
            self._is_together, self.beginning = False, self._entropy.token(_BEGINNING)

    @property
    def mark(self) -> str:
        """How far what is durable has come: another whenever something was kept."""
        if self._is_together:
            return self._mark
        return f"{self._store.size}/{self._store.position}/{self._store.erasures}"

    def publish(self) -> None:
        """Publish what is committed and was not published."""
        waiting, self._unpublished = self._unpublished, []
        if waiting and self._published_size == waiting[0][0]:
            full = (file for _, files in waiting for file in files)
            self._published.publish([*full, *partial_files(self._head.log, self._published_size)], self._checkpoint)
            self._published_size = self._head.log.size
        self._catch_up()

    def _catch_up(self) -> None:
        """Publish what was committed before these, or could not be published when it was their turn."""
        if self._published_size < self._head.log.size:
            files = republication(stored_entries(self._store), self._published_size)
            self._published.publish(files, self._store.checkpoint)
            self._published_size = self._head.log.size

    def _publish_texts(self) -> None:
        """Publish each version's text that is not: its publication failed, or an earlier Comity published none."""
        versions = (each for each in self._store.versions() if self._published.read(version_path(each.digest)) is None)
        if missing := [version_file(each.files) for each in versions]:
            self._published.publish(missing, self._store.checkpoint)

    def _shown(self, at: datetime) -> datetime:
        """When it happened, as exactly as the ledger's profile says it."""
        return hour_of(at) if self._profile == "open" else day_of(at)

    def _fresh(self) -> str:
        return self._entropy.token(16).hex()
