"""The sealed profile, for communities so small that what was done says whom it was done to.

An entry about a person is one commitment: to the whole entry that the open profile would have. Whoever has its opening
can show that entry, and with further openings what that one commits to.
"""

from __future__ import annotations

from typing import Final

from comity.ledger.commitment import Opening
from comity.ledger.entry import Entry, EntryError, SealedEntry, canonical, parse_entry
from comity.ledger.hours import day_of

FIELD: Final = "entry"
"""What the entry inside is committed to as."""


def seal_entry(entry: Entry, salt: bytes) -> tuple[SealedEntry, Opening]:
    """What stands in the ledger for `entry`, and what shows it. `salt`: 32 fresh random bytes."""
    opening = Opening(entry_id=entry.id, field=FIELD, salt=salt, value=canonical(entry).decode())
    return SealedEntry(id=entry.id, at=day_of(entry.at), c=opening.commitment), opening


def unsealed(entry: SealedEntry, salt: bytes, value: str) -> Entry:
    """The entry inside. Raises `EntryError` if `entry` does not commit to it, or it is another one."""
    if not Opening(entry_id=entry.id, field=FIELD, salt=salt, value=value).fits(entry.c):
        raise EntryError("what is shown as the entry inside is not what the sealed entry commits to")
    inside = parse_entry(value.encode())
    if inside.id != entry.id or day_of(inside.at) != entry.at or isinstance(inside, SealedEntry):
        raise EntryError("the entry inside a sealed one has another id or another day, or is sealed itself")
    return inside
