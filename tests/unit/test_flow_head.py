"""A start goes on from the ledger's right edge, and believes it only if it leads to what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from comity.flow.head import Head, Seen, read_head
from comity.flow.publish import Recorder
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.entry import CensusEntry, canonical
from comity.ledger.hours import hour_of
from comity.ledger.log import ForkError, Log, append, frontier_of, resume, resume_from, signed_head
from comity.ledger.note import SigningKey
from comity.model.ids import Digest
from comity.ports import Version, Write
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, MemoryLog

KEY = SigningKey(name="example.org/log", seed=b"7" * 32)
AT = datetime(2026, 1, 1, tzinfo=UTC)


class CountingStore(MemoryStore):
    """Counts the entries that were read."""

    read = 0

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        found = super().entries(start, end)
        self.read += len(found)
        return found


def grown(batches: Sequence[int]) -> CountingStore:
    """A store that was appended to in such batches, each entry a census of the next day."""
    store, head = CountingStore(), Head(log=Log())
    for count in batches:
        days = range(head.log.size, head.log.size + count)
        entries = [
            CensusEntry(id=f"{n:032x}", at=hour_of(AT + timedelta(days=n)), count=0, root="0" * 64) for n in days
        ]
        contents = list(map(canonical, entries))
        after = head.after(append(head.log, contents).log, entries)
        signed = signed_head(after.log, KEY.name, [KEY])
        store.append(Write(size=head.log.size, position=0, entries=contents, checkpoint=signed, head=after.short()))
        head = after.kept()
    return store


@pytest.mark.parametrize("batches", [[1], [255], [256], [257], [1] * 300, [1000, 1], [3] * 400, [70_000, 5]])
def test_it_is_what_reading_all_entries_gives_and_few_are_read(batches: list[int]) -> None:
    store = grown(batches)
    size = sum(batches)
    published = unverified_checkpoint(store.checkpoint)
    for known in (None, published):
        store.read = 0
        head = read_head(store, KEY.verifier, known)
        assert store.read <= 1024
        assert head.log == resume(store.entries(0, size), None)
        last = (AT + timedelta(days=size - 1)).date()
        assert head.seen == Seen(day=last, census=last)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 66_000])
def test_from_every_frontier_the_same_log_is_reached(size: int) -> None:
    entries = [b"%d" % n for n in range(66_300)]
    frontier = frontier_of(append(Log(), entries[:size]).log)
    assert resume_from(frontier, entries[frontier.first :], None) == append(Log(), entries).log


def test_a_head_that_was_altered_is_not_believed() -> None:
    store, other = grown([300, 5]), grown([600])
    for altered in (b"", b"\xff", store.head[:-1], other.head, store.head.replace(b"frontier", b"frontiar")):
        store.append(Write(size=305, position=0, head=altered or b" "))
        assert read_head(store, KEY.verifier, None).log == resume(store.entries(0, 305), None)


def test_a_checkpoint_signed_by_another_is_not_believed_and_all_is_read() -> None:
    store = grown([300, 5])
    another = SigningKey(name=KEY.name, seed=b"8" * 32)
    store.append(
        Write(
            size=305, position=0, checkpoint=signed_head(read_head(store, KEY.verifier, None).log, KEY.name, [another])
        )
    )
    store.read = 0
    read_head(store, KEY.verifier, None)
    assert store.read > 600


def test_a_store_that_does_not_continue_what_was_published_is_refused() -> None:
    published = unverified_checkpoint(grown([700]).checkpoint)
    with pytest.raises(ForkError, match="The store has 600 entries, but 700 were already published"):
        read_head(grown([600]), KEY.verifier, published)


def test_what_a_crash_left_unpublished_is_still_compared() -> None:
    store, log = grown([500, 100]), Log()
    log = append(log, store.entries(0, 300)).log
    published = unverified_checkpoint(signed_head(log, KEY.name, [KEY]))
    assert read_head(store, KEY.verifier, published).log.size == 600


def test_the_recorder_keeps_its_head_and_a_new_one_goes_on_from_it() -> None:
    store, log, entropy = CountingStore(), MemoryLog(), CountedEntropy()
    recorder = Recorder(store, log, KEY, entropy)
    recorder.begin(mode="replay", operator="tests", at=AT)
    versions = [Version(digest=Digest(f"sha256:{n:064x}"), name="r.md", effective=AT, files=()) for n in range(600)]
    for version in versions:
        recorder.publish_version(version, AT)
    store.read = 0
    Recorder(store, log, KEY, entropy).publish_version(
        Version(digest=Digest("sha256:" + "f" * 64), name="r.md", effective=AT, files=()), AT
    )
    assert store.read < 1024
    assert store.size == 602
    again = read_head(store, KEY.verifier, unverified_checkpoint(store.checkpoint))
    assert again.log == resume(store.entries(0, 602), None)
