"""A gate that is killed, loses power or has a full disk knows afterwards what it knew, or a little less: never more."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.gates.answers import Allow, Deny
from comity.gates.disk import Disk, DiskError
from comity.gates.kept import Kept
from comity.gates.records import Records
from comity.gates.replica import Known, Manner, Replica
from comity.ledger.feed import FeedEntry, ProvenSpan, Skipped
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import State
from comity.model.plan import Called, Planned

NOW = datetime(2026, 6, 1, tzinfo=UTC)
POSTS = Channel("posts")


def span(number: int) -> ProvenSpan:
    return ProvenSpan(
        state=State.CUT,
        start=NOW,
        statement=DecisionId(f"{number:032x}"),
        reason="“Spam”",
        link=f"https://a.example/r/{number}",
    )


def change(seq: int, *, is_cut: bool = True) -> FeedEntry:
    plan = (span(seq),) if is_cut else ()
    return FeedEntry(seq=seq, row=seq, account=AccountId(f"a{seq}"), channel=POSTS, plan=plan)


class Gate:
    """A replica on disk that was told of the accounts a1 to a3 at once, and follows."""

    def __init__(self, folder: Path) -> None:
        self.alarms: list[str] = []
        self.replica = Replica(Manner(policy=None), lambda _, text: self.alarms.append(text))
        self.disk = Disk(folder)
        self.disk.load(self.replica)

    def begin(self) -> None:
        self.replica.swap(Known(epoch="one", cursor=0, digest=0, records=Records()), Kept())
        for seq in (1, 2, 3):
            self.replica.change(change(seq), NOW)
        self.disk.write(self.replica)

    def follow(self, *seqs: int) -> None:
        for seq in seqs:
            believed = self.replica.change(change(seq), NOW)
            self.disk.append([(change(seq), believed)], self.replica.offset)

    def cut(self) -> list[int]:
        return [n for n in range(1, 30) if isinstance(self.replica.check("posts", f"a{n}", NOW), Deny)]


def again(folder: Path) -> Gate:
    gate = Gate(folder)
    gate.disk.close()
    return gate


def test_a_killed_gate_answers_as_before_without_asking_anybody(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.begin()
    gate.follow(4, 5)
    gate.replica.offset = timedelta(seconds=7)
    gate.follow(6)
    gate.disk.close()
    back = again(tmp_path)
    assert back.alarms == []
    assert back.cut() == [1, 2, 3, 4, 5, 6]
    assert back.replica.check("posts", "a5", NOW) == gate.replica.check("posts", "a5", NOW)
    known, was = back.replica.known, gate.replica.known
    assert known is not None
    assert was is not None
    assert (known.epoch, known.cursor, known.digest) == (was.epoch, was.cursor, was.digest)
    assert back.replica.offset == timedelta(seconds=7)
    assert back.replica.is_stale(NOW)


def test_the_last_offset_of_the_clocks_holds_after_a_restart(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.begin()
    for seconds in (7, 7.1, 60):
        gate.disk.keep_offset(timedelta(seconds=seconds))
    gate.follow(4)
    gate.disk.keep_offset(timedelta(seconds=3))
    gate.disk.close()
    assert len((tmp_path / "journal-1").read_bytes().splitlines()) == 4
    back = again(tmp_path)
    assert back.replica.offset == timedelta(seconds=3)
    assert back.cut() == [1, 2, 3, 4]


def test_of_whoever_was_erased_no_byte_stays_at_the_gate(tmp_path: Path) -> None:
    """Neither in its files, also of changes before and after a restart, nor in what it knows."""
    gate = Gate(tmp_path)
    gate.begin()
    for seq, name in ((4, "canary"), (5, "canary-with-a-name-that-is-longer"), (6, "canary")):
        told = FeedEntry(
            seq=seq, row=4, account=AccountId(name), channel=POSTS, handles=called(name), plan=(span(seq),)
        )
        gate.disk.append([(told, gate.replica.change(told, NOW))], gate.replica.offset)
    assert left(tmp_path)
    of_another_channel = Skipped(since=7, seq=7)
    gate.disk.append([(of_another_channel, gate.replica.change(of_another_channel, NOW))], gate.replica.offset)
    assert not gate.disk.is_due
    erased = FeedEntry(seq=8, row=4, account=None, channel=None)
    gate.disk.append([(erased, gate.replica.change(erased, NOW))], gate.replica.offset)
    gate.disk.close()
    gate = Gate(tmp_path)
    assert gate.disk.is_due
    gate.disk.write(gate.replica)
    assert not left(tmp_path)
    assert not gate.disk.is_due
    known = gate.replica.known
    assert known is not None
    assert b"canary" not in known.records.names
    gate.follow(9)
    gate.disk.close()
    assert again(tmp_path).cut() == [1, 2, 3, 9]


def called(name: str) -> tuple[Called, ...]:
    return (Called(handle=f"{name}@a.example", start=NOW), Called(handle=f"{name}@b.example", start=NOW))


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if b"canary" in path.read_bytes()]


def test_an_empty_folder_knows_nothing(tmp_path: Path) -> None:
    assert again(tmp_path).replica.known is None


def test_a_journal_cut_off_anywhere_gives_a_beginning_of_it(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    gate.begin()
    gate.follow(4, 5, 6)
    gate.disk.close()
    whole = (tmp_path / "gate" / "journal-1").read_bytes()
    ends = [len(b"".join(whole.splitlines(keepends=True)[:count])) for count in range(4)]
    for length in range(len(whole) + 1):
        torn = shutil.copytree(tmp_path / "gate", tmp_path / "torn", dirs_exist_ok=True)
        (torn / "journal-1").write_bytes(whole[:length])
        back = Gate(torn)
        told = sum(end <= length for end in ends) - 1
        assert (back.cut(), back.alarms) == (list(range(1, 4 + told)), [])
        back.follow(*range(4 + told, 8))
        back.disk.close()
        assert again(torn).cut() == [1, 2, 3, 4, 5, 6, 7]


def test_a_flipped_bit_in_the_journal_ends_it_there_with_an_alarm(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.begin()
    gate.follow(4, 5, 6)
    gate.disk.close()
    journal = tmp_path / "journal-1"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"a5"', b'"a7"')
    journal.write_bytes(b"".join(lines))
    back = again(tmp_path)
    assert back.cut() == [1, 2, 3, 4]
    (alarm,) = back.alarms
    assert f"journal-1 cannot be read from byte {len(lines[0])} on" in alarm


def test_a_base_that_is_not_whole_is_left_out_with_an_alarm(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    gate.begin()
    gate.disk.close()
    whole = (tmp_path / "gate" / "base-1").read_bytes()
    flipped = (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 7))
    for content in (b"", whole[: len(whole) // 2], whole[:-1], whole + b"x", *flipped):
        (tmp_path / "gate" / "base-1").write_bytes(content)
        back = again(tmp_path / "gate")
        assert back.replica.known is None
        assert len(back.alarms) == 1


class Dead(BaseException):
    """The process was killed here."""


@pytest.mark.parametrize("at", range(12))
def test_killed_at_any_step_of_writing_everything_anew_it_knows_everything(
    tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(tmp_path)
    gate.begin()
    gate.follow(4, 5)
    steps = 0

    def dying(name: str) -> None:
        original = getattr(os, name)

        def step(*arguments: object, **named: object) -> object:
            nonlocal steps
            steps += 1
            if steps > at:
                raise Dead
            return original(*arguments, **named)

        monkeypatch.setattr(os, name, step)

    for name in ("open", "fsync", "replace", "unlink"):
        dying(name)
    try:
        gate.disk.write(gate.replica)
    except Dead:
        assert at < 11
    monkeypatch.undo()
    os.close(gate.disk._lock)
    back = Gate(tmp_path)
    assert back.cut() == [1, 2, 3, 4, 5]
    back.follow(6)
    back.disk.close()
    assert again(tmp_path).cut() == [1, 2, 3, 4, 5, 6]


def test_a_full_disk_stops_no_gate_and_what_was_written_before_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(tmp_path)
    gate.begin()
    gate.follow(4)

    def full(descriptor: int, content: bytes) -> int:
        if len(content) > 20:
            return original(descriptor, content[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    original = os.write
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        gate.follow(5)
    monkeypatch.undo()
    gate.follow(6)
    assert gate.cut() == [1, 2, 3, 4, 5, 6]
    assert gate.disk.is_due
    copied = shutil.copytree(tmp_path, tmp_path / "copied")
    assert again(copied).cut() == [1, 2, 3, 4]
    gate.disk.write(gate.replica)
    gate.follow(7)
    gate.disk.close()
    assert again(tmp_path).cut() == [1, 2, 3, 4, 5, 6, 7]


def test_an_old_life_that_holds_still_holds_after_a_restart(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.begin()
    kept = Kept()
    kept.put(Planned(account=AccountId("a9"), channel=POSTS, plan=(span(9),)))
    kept.put(Planned(account=AccountId("a4"), channel=POSTS, plan=(span(4),)))
    assert gate.replica.known is not None
    gate.replica.swap(gate.replica.known, kept)
    gate.disk.write(gate.replica)
    assert gate.cut() == [1, 2, 3, 4, 9]
    lifted = change(4, is_cut=False)
    gate.disk.append([(lifted, gate.replica.change(lifted, NOW))], timedelta())
    gate.disk.close()
    assert again(tmp_path).cut() == [1, 2, 3, 9]


def test_an_unproven_cut_is_believed_no_longer_for_a_restart(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.begin()
    end = NOW + timedelta(minutes=10)
    for seq in (4, 5):
        gate.replica.put(change(seq), end)
        gate.disk.append([(change(seq), end)], timedelta())
        if seq == 4:
            gate.disk.write(gate.replica)
    gate.disk.close()
    back = again(tmp_path).replica
    for handle in ("a4", "a5"):
        assert isinstance(back.check("posts", handle, end - timedelta(seconds=1)), Deny)
        assert isinstance(back.check("posts", handle, end), Allow)


def test_two_gates_cannot_share_a_folder(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    with pytest.raises(DiskError, match="folder of its own"):
        Gate(tmp_path)
    gate.disk.close()
    again(tmp_path)


def test_the_journal_is_written_into_the_base_when_it_has_outgrown_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity.gates.disk._LEAST_JOURNAL", 1000)
    gate = Gate(tmp_path)
    gate.begin()
    seq = 4
    while not gate.disk.is_due:
        gate.follow(seq)
        seq += 1
    gate.disk.write(gate.replica)
    assert not gate.disk.is_due
    gate.disk.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base-2", "journal-2", "lock"]
    assert again(tmp_path).cut() == list(range(1, seq))
