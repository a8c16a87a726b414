"""A new log in the place of one that cannot go on: its key was lost, or what it published last is not in the store.

It begins with a genesis that cites the last good checkpoint of the old one, and has the store's other entries as they
were, so that every statement is proved in it too. The old log stays published as it was, under its own name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

import msgspec

from comity.flow.head import stored_entries
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.entry import Cited, GenesisEntry, canonical, parse_entry
from comity.ledger.hours import day_of, hour_of
from comity.ledger.log import resume, signed_head
from comity.ledger.note import Signer
from comity.ports import Entropy, Store, StoreError, Write


def genesis_of(store: Store) -> GenesisEntry | None:
    """The entry that the store's ledger begins with; None while it is empty."""
    for content in store.entries(0, 1):
        entry = parse_entry(content)
        if isinstance(entry, GenesisEntry):
            return entry
        raise StoreError("the store's first entry is no genesis; restore a backup of it")
    return None


def begin_shard(store: Store, key: Signer, vkey: str, cited: Checkpoint, at: datetime, entropy: Entropy) -> None:
    """Make the store's ledger a log of its own, in one transaction; publish it where nothing is published yet."""
    old = genesis_of(store)
    if old is None:
        raise StoreError("the store has no ledger yet: begin one with `comity publish`")
    genesis = canonical(
        msgspec.structs.replace(
            old,
            id=entropy.token(16).hex(),
            at=hour_of(at) if old.profile == "open" else day_of(at),
            origin=key.name,
            key=vkey,
            after=Cited(origin=cited.origin, size=cited.size, root=cited.root.hex()),
        )
    )
    log = resume(_with_genesis(store, genesis), None)
    checkpoint = signed_head(log, key.name, [key])
    store.append(Write(size=store.size, position=store.position, genesis=genesis, checkpoint=checkpoint))


def _with_genesis(store: Store, genesis: bytes) -> Iterator[bytes]:
    return chain([genesis], stored_entries(store, 1))
