"""Logs that somebody tampered with, or kept badly: the verifier refuses each, and names the place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from comity.ledger import entry as ledger
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.entry import Entry, canonical
from comity.ledger.log import resume
from comity.ledger.note import Signature, SigningKey
from comity.ledger.tree import EMPTY
from comity.ledger.verify import verify
from tests.corpus.made_logs import (
    AT,
    ENTRIES,
    GENESIS,
    KEY,
    OTHER,
    SIZE,
    VERSION,
    WEEK,
    WHOLE,
    Published,
    correction,
    defects,
    large,
    log_of,
    published,
    statement,
)
from tests.corpus.made_records import FRAUDS, HONEST


def with_file(path: str, content: bytes | None) -> Published:
    files = {**WHOLE.files}
    if content is None:
        del files[path]
    else:
        files[path] = content
    return replace(WHOLE, files=files)


def flipped(path: str, at: int) -> Published:
    content = bytearray(WHOLE.files[path])
    content[at] ^= 1
    return with_file(path, bytes(content))


def test_a_whole_log_is_fine_and_the_report_says_what_that_means() -> None:
    report = WHOLE.verify()
    assert report.is_fine
    assert (report.origin, report.size) == (KEY.name, SIZE)
    assert dict(report.counts) == {"genesis": 1, "agreement": 1, "statement": SIZE - 2}
    assert any("signed just these 600 entries" in each for each in report.proved)
    assert any("`vkey` came with the log" in each for each in report.unproved)
    assert any("(`--since`)" in each for each in report.unproved)


def test_what_is_given_is_no_longer_called_unproved() -> None:
    report = WHOLE.verify(str(KEY.verifier), published(ENTRIES[:300]).checkpoint)
    assert report.is_fine
    assert not any("vkey" in each or "--since" in each for each in report.unproved)
    assert any("first 300 entries are those of the remembered checkpoint" in each for each in report.proved)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 599, 600])
def test_logs_of_every_shape_are_fine_and_continue_each_other(size: int) -> None:
    smaller = published(ENTRIES[:size])
    assert smaller.verify().problems == ()
    assert WHOLE.verify(since=smaller.checkpoint).problems == ()


def test_a_log_that_grows_while_it_is_read_is_fine() -> None:
    """The reader has the old checkpoint; partial tiles are gone, full ones stand in their place."""
    old = published(ENTRIES[:500])
    kept = {path: content for path, content in old.files.items() if path.partition(".p/")[0] not in WHOLE.files}
    assert len(kept) < len(old.files)
    files = {**WHOLE.files, **kept, "checkpoint": old.checkpoint}
    assert verify(files.get).problems == ()
    assert verify(files.get).size == 500


@pytest.mark.parametrize(
    ("path", "at", "place"),
    [
        ("tile/entries/000", 0, r"tile/entries/000: it breaks off|tile/entries/000, entry 0"),
        ("tile/entries/000", 2000, r"tile/0/000: hash [1-9] is not the one that entry [1-9] gives"),
        ("tile/entries/001", 2000, r"tile/0/001: hash [1-9] is not the one that entry (25[7-9]|26[0-9]) gives"),
        ("tile/entries/002.p/88", 30, r"tile/0/002\.p/88: hash 0 is not the one that entry 512 gives"),
        ("tile/0/000", 32 * 5, r"tile/0/000: hash 5 is not the one that entry 5 gives"),
        ("tile/0/001", 8191, r"tile/0/001: hash 255 is not the one that entry 511 gives"),
        ("tile/0/002.p/88", 32 * 87, r"tile/0/002\.p/88: hash 87 is not the one that entry 599 gives"),
        ("tile/1/000.p/2", 32, r"tile/1/000\.p/2: hash 1 is not the one that the entries from 256 on give"),
        ("checkpoint", 3, r"checkpoint: "),
        ("checkpoint", 18, r"checkpoint: "),
        ("vkey", 3, r"vkey: "),
    ],
)
def test_a_flipped_bit_is_found_wherever_it_is(path: str, at: int, place: str) -> None:
    report = flipped(path, at).verify()
    assert any(re.match(place, str(each)) for each in report.problems), report.problems
    assert report.proved == ()


def test_every_single_bit_of_a_small_log_matters() -> None:
    small = published(ENTRIES[:3])
    names = sorted(small.files)
    for path in names:
        for at in range(len(small.files[path])):
            content = bytearray(small.files[path])
            content[at] ^= 1
            report = verify({**small.files, path: bytes(content)}.get)
            if path == "vkey" and bytes(content).strip() == small.files[path].strip():
                continue
            assert not report.is_fine, (path, at)


@pytest.mark.parametrize("path", sorted(WHOLE.files))
def test_a_file_that_is_missing_is_named(path: str) -> None:
    problems = with_file(path, None).verify().problems
    assert any(each.place == path and "there is no such file" in each.message for each in problems)


@pytest.mark.parametrize("path", sorted(set(WHOLE.files) - {"vkey"}))
@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"\0", lambda _: b""])
def test_a_file_that_is_cut_or_goes_on_is_named(path: str, change: Callable[[bytes], bytes]) -> None:
    problems = with_file(path, change(WHOLE.files[path])).verify().problems
    assert any(each.place.startswith(path) for each in problems)


def test_tiles_are_never_trusted_for_an_entry_that_was_changed_with_them() -> None:
    """Entry, tiles and all changed alike: only the signature still speaks of the old ones."""
    forged = published([*ENTRIES[:5], canonical(statement(5, points=2)), *ENTRIES[6:]])
    report = verify({**forged.files, "checkpoint": WHOLE.checkpoint}.get)
    assert [each.place for each in report.problems] == ["checkpoint"]
    assert "its 600 entries give" in report.problems[0].message


def test_a_log_signed_anew_without_an_entry_is_told_by_a_remembered_checkpoint() -> None:
    forged = published([*ENTRIES[:5], *ENTRIES[6:], canonical(statement(900))])
    assert forged.verify().problems == (), "nothing inside the log can show it"
    problems = forged.verify(since=WHOLE.checkpoint).problems
    assert [each.place for each in problems] == ["the remembered checkpoint"]
    assert "first 600 entries are no longer those" in problems[0].message


@pytest.mark.parametrize("size", [1, 256, 599])
def test_a_log_that_was_rolled_back_is_told_by_a_remembered_checkpoint(size: int) -> None:
    problems = published(ENTRIES[:size]).verify(since=WHOLE.checkpoint).problems
    assert any(f"it has {size} entries, fewer than the 600" in each.message for each in problems)


def test_a_remembered_checkpoint_of_another_key_or_log_is_refused() -> None:
    for since in (
        published(ENTRIES, OTHER).checkpoint,
        sign_checkpoint(Checkpoint(origin="example.com/other", size=1, root=EMPTY.root), [KEY]),
        b"",
        b"no checkpoint\n",
    ):
        problems = WHOLE.verify(since=since).problems
        assert any(each.place == "the remembered checkpoint" for each in problems)


def test_a_remembered_checkpoint_of_the_empty_log_is_continued_by_every_log() -> None:
    empty = sign_checkpoint(Checkpoint(origin=KEY.name, size=0, root=EMPTY.root), [KEY])
    assert WHOLE.verify(since=empty).is_fine
    wrong = sign_checkpoint(Checkpoint(origin=KEY.name, size=0, root=bytes(32)), [KEY])
    assert not WHOLE.verify(since=wrong).is_fine


def test_a_checkpoint_by_another_key_is_refused_and_the_rest_is_still_looked_at() -> None:
    report = with_file("checkpoint", published(ENTRIES, OTHER).checkpoint).verify()
    assert [each.place for each in report.problems] == ["checkpoint"]
    assert "No trusted key signed" in report.problems[0].message
    assert report.counts["statement"] == SIZE - 2


def test_the_given_key_counts_and_not_the_one_that_came_with_the_log() -> None:
    forged = published(ENTRIES, OTHER)
    files = {**forged.files, "vkey": str(OTHER.verifier).encode()}
    assert any("names this key" in each.message for each in verify(files.get).problems)
    assert any(each.place == "checkpoint" for each in verify(files.get, str(KEY.verifier)).problems)
    assert any(each.place == "the given verifier key" for each in verify(files.get, "nonsense").problems)


def test_a_signature_by_a_witness_changes_nothing() -> None:
    witness = str(Signature(name="witness.example", key_id=b"abcd", content=bytes(72))).encode()
    assert with_file("checkpoint", WHOLE.checkpoint + witness).verify().is_fine


@pytest.mark.parametrize("size", [0, 599, 601, 70_000, 2**40, 2**63 - 1])
def test_a_checkpoint_of_another_size_is_refused_at_once(size: int) -> None:
    """Signed by the right key, even: an operator's own mistake."""
    checkpoint = sign_checkpoint(Checkpoint(origin=KEY.name, size=size, root=resume(ENTRIES, None).root), [KEY])
    assert not with_file("checkpoint", checkpoint).verify().is_fine


def test_an_empty_log_is_refused_for_lack_of_a_genesis() -> None:
    assert any("without even a genesis" in each.message for each in published([]).verify().problems)


def test_a_log_whose_first_entries_are_gone_is_refused() -> None:
    problems = [str(each) for each in published(ENTRIES[1:10]).verify().problems]
    assert problems == [
        "tile/entries/000.p/9, entry 0: the first entry is an entry `agreement`, not the genesis:"
        " earlier entries are gone"
    ]


def test_no_files_at_all_are_refused() -> None:
    assert {each.place for each in verify(lambda _: None).problems} == {"checkpoint", "vkey"}


def test_problems_without_end_are_counted_and_not_listed() -> None:
    report = published([b"no entry"] * 1000).verify()
    assert len(report.problems) == 100
    assert report.more_problems == 900


@pytest.mark.parametrize("entries", HONEST)
def test_what_a_record_may_say_is_fine(entries: tuple[Entry, ...]) -> None:
    assert log_of(*entries).verify().problems == ()


@pytest.mark.parametrize(("entries", "message"), FRAUDS)
def test_what_a_record_must_not_say_is_refused_with_the_entry(entries: tuple[Entry, ...], message: str) -> None:
    problems = [str(each) for each in log_of(*entries).verify().problems]
    assert any(re.search(message, each) for each in problems), problems
    assert all(each.startswith(f"tile/entries/000.p/{len(entries) + 2}, entry ") for each in problems)


def test_a_key_that_was_replaced_still_vouches_for_what_was_remembered() -> None:
    """The log's entries name the new key; whoever kept a checkpoint by the old one goes on from it."""
    fresh = SigningKey(name=KEY.name, seed=bytes(range(2, 34)))
    entries = [*ENTRIES[:300], canonical(ledger.KeyEntry(id="f" * 32, at=AT, key=str(fresh.verifier)))]
    log = published(entries, fresh)
    files = {**log.files, "vkey": str(fresh.verifier).encode()}
    since = published(ENTRIES[:300]).checkpoint
    assert verify(files.get, since=[since]).is_fine
    assert verify(files.get, str(fresh.verifier), [since]).is_fine
    unnamed = {**published(ENTRIES, fresh).files, "vkey": str(fresh.verifier).encode()}
    assert any("names this key" in str(each) for each in verify(unnamed.get, since=[since]).problems)


@pytest.mark.parametrize("name", sorted(defects()))
def test_a_log_with_a_defect_is_refused_and_the_place_is_named(name: str) -> None:
    one = defects()[name]
    report = verify(one.files.get, str(KEY.verifier), () if one.since is None else (one.since,))
    assert any(str(each).startswith(one.place) for each in report.problems), report.problems
    assert report.checkpoint is None


def test_without_its_defect_the_large_log_is_fine() -> None:
    assert verify(large().files.get).problems == ()


def test_what_stands_after_bytes_that_are_no_entry_is_still_looked_at() -> None:
    rest = (statement(2), correction(3, 2, WEEK), correction(4, 2, ledger.measure("suspend")))
    log = published([canonical(GENESIS), canonical(VERSION), b"no entry", b"{}", *map(canonical, rest)])
    places = [str(each).partition(":")[0] for each in log.verify().problems]
    assert places == [f"tile/entries/000.p/7, entry {index}" for index in (2, 3, 6)]
