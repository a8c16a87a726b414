"""Commit, then publish: the other way round the log forks, and these tests see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.log import ForkError, Log, append, publication, republication, resume, signed_head
from comity.ledger.note import SigningKey

KEY = SigningKey(name="example.com/log", seed=bytes(range(32)))


class KilledError(Exception):
    """The machine died here."""


@dataclass
class Machine:
    """What outlives a kill (`stored`, `files`), what does not (`log`), and the steps that are left until the next."""

    stored: list[bytes] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    steps: int = 0
    seen: list[bytes] = field(default_factory=list)  # every checkpoint that a reader could have kept

    def step(self) -> None:
        if self.steps == 0:
            raise KilledError
        self.steps -= 1

    def commit(self, entries: list[bytes]) -> None:
        self.step()
        self.stored += entries
        self.log = append(self.log, entries).log

    def write(self, path: str, content: bytes) -> None:
        self.step()
        self.files[path] = content
        if path == "checkpoint":
            self.seen.append(content)

    def start(self) -> None:
        """As `Recorder` does: compare, then publish what a kill left unpublished."""
        published = unverified_checkpoint(self.files["checkpoint"]) if "checkpoint" in self.files else None
        self.log = log = resume(self.stored, published)
        size = published.size if published else 0
        if log.size > size:
            for path, content in republication(self.stored, size):
                self.write(path, content)
            self.write("checkpoint", signed_head(log, KEY.name, [KEY]))

    def commit_then_publish(self, entries: list[bytes]) -> None:
        appended = append(self.log, entries)
        files = publication(appended, signed_head(appended.log, KEY.name, [KEY]))
        self.commit(entries)
        for path, content in files:
            self.write(path, content)

    def publish_then_commit(self, entries: list[bytes]) -> None:
        appended = append(self.log, entries)
        for path, content in publication(appended, signed_head(appended.log, KEY.name, [KEY])):
            self.write(path, content)
        self.commit(entries)


def lives(order: Callable[[Machine, list[bytes]], None], kills: int) -> Machine:
    """Run until it was killed after 0, 1, 2, ... steps. Each life decides anew, so its entries are others."""
    machine = Machine()
    for life in range(kills):
        machine.steps = life
        try:
            machine.start()
            for batch in range(100):
                order(machine, [b"life %d, batch %d, entry %d" % (life, batch, n) for n in range(60)])
        except KilledError:
            continue
    return machine


def test_committing_first_no_kill_forks_the_log() -> None:
    machine = lives(Machine.commit_then_publish, 60)
    assert len(machine.seen) > 100
    for checkpoint in machine.seen[::7]:
        resume(machine.stored, unverified_checkpoint(checkpoint))
    machine.steps = 1000
    machine.start()
    log = resume(machine.stored, None)
    assert unverified_checkpoint(machine.files["checkpoint"]).root == log.root
    assert dict(republication(machine.stored, 0)).items() <= machine.files.items()


def test_publishing_first_a_kill_forks_the_log_and_the_next_start_refuses() -> None:
    with pytest.raises(ForkError, match=r"The store has .* entries, but .* were already published"):
        lives(Machine.publish_then_commit, 60)


def test_a_store_of_another_history_is_refused_and_told_what_to_do() -> None:
    machine = lives(Machine.commit_then_publish, 20)
    machine.stored[3] = b"another"
    with pytest.raises(ForkError, match=r"are not those that were published .* Nothing was signed. Restore"):
        machine.start()
    del machine.stored[5:]
    with pytest.raises(ForkError, match="restored from an older backup"):
        machine.start()
