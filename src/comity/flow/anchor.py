"""A store against a checkpoint that was kept elsewhere: it must hold all that was signed then."""

from __future__ import annotations

from typing import Final

from comity.flow.head import stored_entries
from comity.flow.shard import genesis_of
from comity.ledger.checkpoint import open_checkpoint, unverified_checkpoint
from comity.ledger.keyring import LogKeys
from comity.ledger.log import ForkError, resume
from comity.ledger.note import NoteError
from comity.ports import Store

_UNWATCHED: Final = (
    "Whether the whole folder was put back to an earlier day, nothing would notice: neither an anchor nor witnesses"
    " are named (`anchor`, `policy` under [ledger])."
)


def unwatched(*, has_anchor: bool, has_witnesses: bool) -> tuple[str, ...]:
    """What nobody would notice of this record, as a sentence; nothing, if somebody would."""
    return () if has_anchor or has_witnesses else (_UNWATCHED,)


def demand_anchored(store: Store, keys: LogKeys, kept: bytes) -> None:
    """Raises `ForkError` if the store does not continue the checkpoint `kept`: nothing may be signed then."""
    if _is_of_earlier_log(store, kept):
        return
    try:
        anchored = open_checkpoint(kept, [one.verifier for one in keys.signers], keys.name)
    except NoteError as error:
        raise ForkError(f"The anchor holds no checkpoint of this ledger: {error}") from error
    if store.checkpoint and unverified_checkpoint(store.checkpoint).text == anchored.text:
        return  # what the store signed last, which it is compared with anyway
    resume(stored_entries(store), anchored)


def _is_of_earlier_log(store: Store, kept: bytes) -> bool:
    """Whether it is what a new log cites, or a checkpoint before that."""
    genesis = genesis_of(store)
    try:
        said = unverified_checkpoint(kept)
    except NoteError:
        return False
    if genesis is None or not genesis.after:
        return False
    return said.origin == genesis.after.origin and said.size <= genesis.after.size
