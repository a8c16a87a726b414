"""The same lives in a SQLite file, with what a new version and the way to appeal add to the invariants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from test_due_process_invariants import CHANNELS, NOW, RULES, Ids, Lives

from comity.agreement.load import load
from comity.casework import appeal as filing
from comity.casework.facts import Appealed, Fact
from comity.casework.record import Record, standing
from comity.casework.refused import RefusedError
from comity.flow import appeal
from comity.flow.agreement import Versions, version_of
from comity.model.duration import Duration
from comity.model.ids import Digest
from comity.model.measure import State
from comity.stores.sqlite import SqliteStore

SHORTEST_WINDOW = timedelta(days=184)


class LivesInAFile(Lives):
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

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "file"):
                self.file.close()
                self.folder.cleanup()


LivesInAFile.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
TestLivesInAFile = LivesInAFile.TestCase


def new_versions_reach_back(patch: pytest.MonkeyPatch) -> None:
    """Against invariant 7."""
    patch.setattr(Versions, "bound", lambda versions, *_, reaches_back: versions._all[-1])


def the_window_closes_early(patch: pytest.MonkeyPatch) -> None:
    """Against invariant 15."""
    patch.setattr(filing, "last_moment", lambda _, told, *__: told)


def the_window_never_closes(patch: pytest.MonkeyPatch) -> None:
    """Against invariant 15."""
    patch.setattr(filing, "last_moment", lambda _, told, *__: told.replace(year=9000))


def a_party_appeals_twice(patch: pytest.MonkeyPatch) -> None:
    """Against invariant 15."""
    patch.setattr(filing, "_demand_first", lambda *_: None)


def whoever_is_cut_off_cannot_appeal(patch: pytest.MonkeyPatch) -> None:
    """Against invariant 25."""
    file = filing.file

    def only_the_open(record: Record, appealed: Appealed, window: Duration | None) -> tuple[Fact, ...]:
        if standing(record, CHANNELS[0], appealed.at).state is State.CUT:
            raise RefusedError("the account is cut off")
        return file(record, appealed, window)

    patch.setattr(filing, "file", only_the_open)


FAULTS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    new_versions_reach_back,
    the_window_closes_early,
    the_window_never_closes,
    a_party_appeals_twice,
    whoever_is_cut_off_cannot_appeal,
)
BUDGET = settings(
    max_examples=150,
    stateful_step_count=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_fault_planted_in_a_file_is_caught(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(LivesInAFile, settings=BUDGET)
