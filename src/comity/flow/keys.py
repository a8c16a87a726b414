"""Which keys the ledger names: in its genesis, and in the entries of those that took its place."""

from __future__ import annotations

from comity.flow.head import stored_entries
from comity.ledger.entry import GenesisEntry, KeyEntry, parse_entry
from comity.ports import Store


def entered_keys(store: Store) -> tuple[str, ...]:
    """All that the ledger may be, or might have been, signed with; the newest last."""
    entries = (parse_entry(each) for each in stored_entries(store) if b'"t":"key"' in each or b'"t":"genesis"' in each)
    return tuple(entry.key for entry in entries if isinstance(entry, GenesisEntry | KeyEntry))
