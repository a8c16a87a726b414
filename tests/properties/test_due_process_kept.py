"""The same lives in a SQLite file, with what a new version and the way to appeal add to the invariants."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from due_process_lives import NOW, RULES, SHORTEST_WINDOW, Ids
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from test_due_process_invariants import Invariants

from comity.agreement.load import load
from comity.casework.refused import RefusedError
from comity.flow import appeal
from comity.flow.agreement import version_of
from comity.model.ids import Digest
from comity.stores.sqlite import SqliteStore


class InvariantsInAFile(Invariants):
    """Those lives, in a file that is thrown away afterwards."""

    def opened(self) -> SqliteStore:
        self.folder = TemporaryDirectory()
        self.file = SqliteStore(Path(self.folder.name) / "comity.db")
        return self.file

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.published = [(NOW, self.rules.digest)]

    @rule()
    def publish_a_version_and_take_what_was_sent_before(self) -> None:
        """The messages are handed in late: two from before the new version, one from after it."""
        before = [self.message("spam"), self.message("threat")]
        self.clock.at += timedelta(hours=1)
        text = RULES.replace("title: Rules", f"title: Rules {len(self.published)}")
        agreement = load("rules.md", text.encode(), lambda _: None).agreement
        assert agreement is not None
        version = version_of(agreement, name="rules.md", effective=self.clock.at)
        self.recorder.publish_version(version, self.clock.at)
        self.published.append((self.clock.at, agreement.digest))
        self.clock.at += timedelta(hours=1)
        self.start()  # the writer reads the versions when it starts
        self.proceedings.take([*before, self.message("spam")])

    def in_force(self, sent: datetime) -> Digest:
        return [digest for effective, digest in self.published if effective <= sent][-1]

    @invariant()
    def inv_07_judged_version_is_the_bound_one(self) -> None:
        for one in self.record.decisions:
            assert all(each.agreement == self.in_force(each.sent) for each in one.decided.breaches)

    @rule(number=Ids, by=st.sampled_from(["", "A friend"]))
    def inv_15_25_appeals_are_taken_in_the_window_once_whatever_the_measure(self, number: int, by: str) -> None:
        one = self.one(number)
        if one is None or one.replaced_by is not None:
            return
        told = one.delivered or self.clock.at
        try:
            appeal.file(self.proceedings, appeal.Complaint(decision=one.id, text="No.", by=by), self.clock.at)
        except RefusedError:
            assert one.own_appeals or self.clock.at > told + SHORTEST_WINDOW
        else:
            assert not one.own_appeals
            assert self.clock.at < told + SHORTEST_WINDOW + timedelta(days=3)

    @rule()
    def appeal_too_late(self) -> None:
        self.offend(["spam"])
        self.deliver_all()
        self.clock.at += SHORTEST_WINDOW + timedelta(days=4)
        self.inv_15_25_appeals_are_taken_in_the_window_once_whatever_the_measure(len(self.record.decisions) - 1, "")

    def kept(self) -> bytes:
        return b"".join(each.read_bytes() for each in Path(self.folder.name).rglob("*") if each.is_file())

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "file"):
                self.file.close()
                self.folder.cleanup()


InvariantsInAFile.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
TestInvariantsInAFile = InvariantsInAFile.TestCase
