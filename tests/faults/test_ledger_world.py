"""What the world around the record does to it: clocks that jump, a second writer, an old copy put in its place."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from test_run_killed import KEY, RULES, START, messages

from comity.agreement import load
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.verify import verify
from comity.model.duration import Duration, Unit
from comity.stores.database import locked
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog

JUMPS = [timedelta(), timedelta(hours=-3), timedelta(days=400), timedelta(days=-30), timedelta(days=-800), timedelta(1)]


def live(store: MemoryStore, log: MemoryLog, clock: FixedClock) -> Proceedings:
    recorder = Recorder(store, log, KEY, CountedEntropy("live"))
    agreement = load("rules.md", RULES.encode(), lambda _: None).agreement
    assert agreement is not None
    recorder.begin(mode="live", operator="tests", at=START)
    recorder.publish_version(version_of(agreement, name="rules.md", effective=START), START)
    terms = Terms(mode="live", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
    return Proceedings(store, recorder, clock, CountedEntropy("acts"), terms)


def test_a_clock_that_jumps_both_ways_leaves_a_ledger_that_verifies_at_every_moment() -> None:
    store, log, clock = MemoryStore(), MemoryLog(), FixedClock(START + timedelta(days=1))
    running, sent, remembered = live(store, log, clock), messages(600), list[bytes]()
    for number, jump in enumerate(JUMPS * 2):
        clock.at += jump
        answers = running.take(sent[number * 50 : number * 50 + 50])
        assert len(answers) == 50
        remembered.append(log.files["checkpoint"])
        for one in remembered:
            report = verify(log.read, str(KEY.verifier), [one])
            assert report.is_fine, report.problems
    assert report.counts["statement"] > 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A record of some messages, and more messages to come."""
    (tmp_path / "agreement.md").write_text(RULES)
    for name, some in (("first", messages(300)), ("second", messages(900))):
        rows = [
            {"id": one.id, "author": one.author, "channel": one.channel, "text": one.text, "sent": one.sent.isoformat()}
            for one in some
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert comity(tmp_path, "run", "first.jsonl", "--as-sent").returncode == 0
    return tmp_path


def comity(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "comity.app", *words], cwd=folder, capture_output=True, text=True)


def test_an_old_copy_of_the_store_in_its_place_is_refused_and_nothing_is_signed(folder: Path) -> None:
    shutil.copytree(folder / ".comity", folder / "backup")
    assert comity(folder, "run", "second.jsonl", "--as-sent").returncode == 0
    published = (folder / ".comity/log/checkpoint").read_bytes()
    for name in ("comity.db", "keys.db"):
        for file in (folder / ".comity").glob(f"{name}*"):
            file.unlink()
        shutil.copy(folder / "backup" / name, folder / ".comity" / name)
    refused = comity(folder, "run", "second.jsonl", "--as-sent")
    assert refused.returncode == 3
    assert "it was restored from an older backup" in refused.stderr
    assert (folder / ".comity/log/checkpoint").read_bytes() == published
    assert comity(folder, "verify").returncode == 0


def test_of_two_programs_at_once_one_writes_and_the_other_says_why_not(folder: Path) -> None:
    with locked(folder / ".comity" / "comity.db"):
        refused = comity(folder, "run", "second.jsonl", "--as-sent")
    assert refused.returncode == 3
    assert "is in use by another program" in refused.stderr
    assert comity(folder, "run", "second.jsonl", "--as-sent").returncode == 0
    assert comity(folder, "verify").returncode == 0


AS_NOBODY = """
import os, sys
from contextlib import suppress
from comity.app.main import main

words = sys.argv[1:]
sys.argv = ["comity", *words, "--store", "elsewhere"]
with suppress(SystemExit):
    main()  # all that is needed is imported, from where nobody may not look
os.geteuid() or os.seteuid(65534)
sys.argv = ["comity", *words]
main()
"""


def test_a_folder_that_cannot_be_written_is_named_and_left_as_it_was(folder: Path) -> None:
    before = {file: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    places = [folder, *(one for one in folder.rglob("*") if one.is_dir())]
    (folder / "elsewhere").mkdir()
    for place in places:
        place.chmod(0o555)
    try:
        words = ["run", "second.jsonl", "--as-sent"]
        refused = subprocess.run([sys.executable, "-c", AS_NOBODY, *words], cwd=folder, capture_output=True, text=True)
    finally:
        for place in places:
            place.chmod(0o755)
    assert refused.returncode == 3, refused
    assert ".comity" in refused.stderr
    assert "check who may write there" in refused.stderr
    assert {file: file.read_bytes() for file in before} == before
    assert comity(folder, "run", "second.jsonl", "--as-sent").returncode == 0
