"""Proof for one statement: that it is in the ledger, and a file with which a person can show what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from comity.casework.record import fold
from comity.casework.recorded import Recorded
from comity.flow.head import stored_entries
from comity.ledger.checkpoint import Checkpoint, unverified_checkpoint
from comity.ledger.entry import AppealEntry, Entry, SealedEntry, StatementEntry, parse_entry
from comity.ledger.kept import Kept, Part, Shown, concerns
from comity.ledger.log import CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH
from comity.ledger.note import NoteError
from comity.ledger.sealed import FIELD, unsealed
from comity.ledger.tiles import FileReader, hashes_from_tiles
from comity.ledger.tlog_proof import TlogProof
from comity.ledger.tree import HashReader, check_inclusion, inclusion_proof, leaf_hash
from comity.model.ids import DecisionId
from comity.ports import Store


class ProveError(ValueError):
    """No proof can be given. The message says why, and what can be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """An entry and where it stands."""

    index: int
    content: bytes
    entry: Entry


def prove(store: Store, read: FileReader, prefix: str) -> bytes:
    """The tlog-proof of the one statement whose id begins with `prefix`. Raises `ProveError`."""
    published = _Published(read)
    found = _statement(store, published.size, prefix)
    return published.proofs([found])[0]


def keep(store: Store, read: FileReader, prefix: str) -> Kept:
    """All that its account needs to show the statement to anybody, later and offline. Raises `ProveError`."""
    published = _Published(read)
    found = _statement(store, published.size, prefix)
    account = store.account_of(found.entry.id)
    if account is None and store.is_erased(found.entry.id):
        raise ProveError(
            f"the data of the account of statement {found.entry.id} were erased: nobody can open it any more. Its entry"
            " can still be proved, without --whole; and whoever kept the file can show it"
        )
    one = fold(account, store.facts_of(account)).decision(DecisionId(found.entry.id)) if account else None
    if one is None:
        raise ProveError(f"the entry {found.entry.id} is not that of a statement")
    known = frozenset({one.id, *(each.filed.appeal for each in one.own_appeals)})
    placed = [found, *_following(store, published.size, found.index + 1, known)]
    proofs = published.proofs(placed)
    return Kept(
        statement=one.decided.statement,
        key=published.key,
        parts=tuple(_part(store, each, proof, one) for each, proof in zip(placed, proofs, strict=True)),
    )


def _part(store: Store, placed: _Placed, proof: bytes, one: Recorded) -> Part:
    told = None if placed.entry.id == one.id else _told(one)
    return Part(
        entry=placed.content.decode(),
        proof=proof.decode(),
        openings=tuple(
            Shown(field=each.field, salt=each.salt, value=str(each.value))
            for each in store.openings(placed.entry.id)
            if told is None or each.value in told or each.field == FIELD
        ),
    )


def _told(one: Recorded) -> frozenset[str]:
    """What the account may learn of what followed. INVARIANT 19: nothing of a notifier."""
    facts: Iterable[msgspec.Struct] = (*one.told, *(each.filed for each in one.own_appeals))
    return frozenset(msgspec.json.encode(fact, order="sorted").decode() for fact in facts)


def _statement(store: Store, size: int, prefix: str) -> _Placed:
    index = store.entry_index(prefix)
    start, end = (0, size) if index is None else (index, min(size, index + 1))
    named = _naming(store, end, start, [f'"id":"{prefix}'])
    found = [one for one in named if isinstance(one.entry, StatementEntry | SealedEntry)]
    if len(found) != 1:
        raise ProveError(f"{len(found) or 'no'} statements in the ledger have an id that begins with {prefix!r}")
    return found[0]


def _following(store: Store, size: int, start: int, known: frozenset[str]) -> Iterator[_Placed]:
    """Entries about the statement, sealed ones too, which say so only inside."""
    for placed in _naming(store, size, start, [*(f'"prev":"{each}"' for each in known), '"t":"sealed"']):
        entry = _inside(store, placed.entry)
        is_own = not isinstance(entry, AppealEntry) or entry.id in known
        if is_own and concerns(entry, known):
            yield placed


def _inside(store: Store, entry: Entry) -> Entry:
    """Of a sealed entry the one inside, if it can still be opened."""
    if isinstance(entry, SealedEntry):
        for each in store.openings(entry.id):
            if each.field == FIELD:
                return unsealed(entry, each.salt, str(each.value))
    return entry


def _naming(store: Store, size: int, start: int, parts: Iterable[str]) -> Iterator[_Placed]:
    """The entries, up to what was published, in which any of `parts` stands."""
    wanted = [part.encode("utf-8", "replace") for part in parts]
    for index, content in enumerate(stored_entries(store, start), start):
        if index >= size:
            return
        if any(part in content for part in wanted):
            yield _Placed(index=index, content=content, entry=parse_entry(content))


class _Published:
    """What proofs are made against: the newest checkpoint that witnesses vouch for, or else the newest."""

    def __init__(self, read: FileReader) -> None:
        checkpoint, key = read(CHECKPOINT_PATH), read(VKEY_PATH)
        if checkpoint is None or key is None:
            raise ProveError("nothing was published yet: the ledger's folder has no checkpoint or no key")
        self.key, self.size = key.decode("ascii", "replace").strip(), _said(checkpoint).size
        self._read, self._newest, self._cosigned = read, checkpoint, read(COSIGNED_PATH)

    def proofs(self, placed: Sequence[_Placed]) -> list[bytes]:
        """Of each, all against one checkpoint. INVARIANT: what is given was checked. Raises `ProveError`."""
        has_all = self._cosigned is not None and placed[-1].index < _said(self._cosigned).size
        note = self._cosigned if self._cosigned is not None and has_all else self._newest
        checkpoint = _said(note)
        hashes = hashes_from_tiles(self._read, checkpoint.size)
        return [_proof(each, hashes, checkpoint, note) for each in placed]


def _said(note: bytes) -> Checkpoint:
    try:
        return unverified_checkpoint(note)
    except NoteError as error:
        raise ProveError(f"the published checkpoint cannot be read: {error}") from error


def _proof(placed: _Placed, read: HashReader, checkpoint: Checkpoint, note: bytes) -> bytes:
    try:
        hashes = inclusion_proof(placed.index, checkpoint.size, read)
        check_inclusion(placed.index, checkpoint.size, leaf_hash(placed.content), hashes, checkpoint.root)
    except ValueError as error:
        raise ProveError(f"the published tiles do not prove entry {placed.index}: {error}") from error
    return bytes(TlogProof(index=placed.index, hashes=hashes, checkpoint=note))
