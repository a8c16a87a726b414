"""From a message to the record: who waits, what the source hears, and what the ledger's entries say of a decision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from comity.agreement import load
from comity.casework.case_facts import CaseOpened
from comity.casework.facts import Accepted, AppealOutcome, Decided, Delivered, HoldEnded, HoldSet, How, Joined
from comity.casework.record import standing
from comity.casework.refused import RefusedError
from comity.flow import amend, appeal
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Mode, Recorder
from comity.flow.terms import Terms
from comity.ledger.entry import CensusEntry, CorrectionEntry, Entry, ErasureEntry, StatementEntry, parse_entry
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.model.agreement import Agreement
from comity.model.clause import Kind
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, DecisionId, MessageId, ReviewerId
from comity.model.measure import State
from comity.model.message import Message
from comity.ports import Answer, Outcome, OvertakenError
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = SigningKey(name="example.org/log", seed=b"k" * 32)


def agreement(rows: str, attributes: str = "") -> Agreement:
    checked = load("rules.md", agreement_text(rows, attributes).encode(), none)
    assert checked.agreement is not None, checked.diagnostics
    return checked.agreement


def none(_: str) -> None:
    """No lexicons."""


def agreement_text(rows: str, attributes: str = "") -> str:
    clauses = "".join(
        f"## {name} {{#{name}}}\n\nDo not.\n\n```rule {given}\ntext.says('{name}')\n```\n\n"
        for name, given in (("spam", attributes), ("other", ""))
    )
    return (
        f"---\ncomity: 1\ntitle: Rules\nchannels: [posts, mail]\nreview_within: 5 days\n---\n\n# Rules\n\n{clauses}"
        f"## Measures {{#measures}}\n\n| points | measure | channels | for |\n|---|---|---|---|\n{rows}\n"
    )


class World:
    """One record, in memory."""

    def __init__(self, rules: Agreement, mode: Mode = "replay", store: MemoryStore | None = None) -> None:
        self.store, self.log, self.clock = store or MemoryStore(), MemoryLog(), FixedClock(NOW)
        self._entropy = CountedEntropy()
        self.recorder = Recorder(self.store, self.log, KEY, self._entropy)
        self.recorder.begin(mode=mode, operator="tests", at=NOW)
        self.publish(rules, NOW)
        self._terms = Terms(mode=mode, delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
        self.proceedings = self.again()
        self._count = 0

    def publish(self, rules: Agreement, effective: datetime) -> None:
        self.recorder.publish_version(version_of(rules, name="rules.md", effective=effective), NOW)

    def again(self) -> Proceedings:
        return Proceedings(self.store, self.recorder, self.clock, self._entropy, self._terms)

    def say(self, text: str, *, after: timedelta = timedelta(), author: str = "ann") -> Answer:
        self._count += 1
        message = Message(
            id=MessageId(str(self._count)),
            author=AccountId(author),
            channel=Channel("posts"),
            text=text,
            sent=NOW + after,
            source="s",
        )
        (answer,) = self.proceedings.take([message])
        return answer

    @property
    def entries(self) -> list[Entry]:
        assert verify(self.log.read, str(KEY.verifier)).problems == ()
        return [parse_entry(each) for each in self.store.entries(0, self.store.size)]


def test_messages_of_an_account_on_hold_wait_for_a_reviewer() -> None:
    world = World(agreement("| 1 | hold | posts | 2 days |"))
    held_by = world.say("spam").statement
    answer = world.say("hello", after=DAY)
    assert (answer.outcome, answer.statement) == (Outcome.HELD, held_by)
    assert world.store.message("s", answer.message) is not None
    assert sum(isinstance(fact, CaseOpened) for fact in world.store.facts()) == 1
    assert world.say("hello again", after=DAY).outcome is Outcome.HELD
    assert sum(isinstance(fact, CaseOpened) for fact in world.store.facts()) == 2
    assert world.say("hello", after=2 * DAY).outcome is Outcome.ALLOWED


def test_a_finding_for_a_person_is_told_and_lets_the_message_pass() -> None:
    world = World(agreement("| 1 | warn | | |", "decide=review"))
    answer = world.say("spam")
    assert (answer.outcome, answer.clauses, answer.statement) == (Outcome.ALLOWED, ("spam",), None)


def test_a_shadow_finding_is_not_told() -> None:
    world = World(agreement("| 1 | warn | | |", "decide=shadow"))
    assert world.say("spam").clauses == ()


def test_a_correction_names_the_clauses_of_all_breaches_that_the_statement_covers() -> None:
    world = World(agreement("| 1 | warn | | |"))
    for text in ("spam", "other", "spam"):
        world.say(text)
    said = [each.clauses for each in world.entries if isinstance(each, StatementEntry | CorrectionEntry)]
    assert said == [("spam",), ("spam", "other"), ("spam", "other")]


def test_4_the_last_version_of_a_delayed_measure_states_its_end() -> None:
    world = World(agreement("| 1 | suspend | all | after 3 days: 2 days |"), "live")
    decision = world.say("spam").statement
    assert decision is not None
    (issued,) = (each for each in world.entries if isinstance(each, StatementEntry))
    assert issued.until is None
    world.clock.at = delivered = NOW + timedelta(hours=1)
    world.proceedings.note(Delivered(account=AccountId("ann"), at=delivered, decision=decision, how=How.SOURCE))
    settled = world.entries[-1]
    assert isinstance(settled, CorrectionEntry)
    assert settled.until == delivered + 5 * DAY
    world.say("spam", after=timedelta(minutes=30))
    last = world.entries[-1]
    assert isinstance(last, CorrectionEntry)
    assert last.until == delivered + 5 * DAY


def test_4_the_last_version_of_a_measure_that_an_appeal_held_states_its_end() -> None:
    world = World(agreement("| 1 | suspend | all | after 3 days: 2 days |"), "live")
    decision = world.say("spam").statement
    assert decision is not None
    amend.deliver(world.proceedings, decision, How.LINK, NOW)
    filed = appeal.file(world.proceedings, appeal.Complaint(decision=decision, text="No."), NOW)
    world.clock.at = NOW + 9 * DAY
    world.say("spam", after=timedelta(minutes=1))  # it joins while the measure waits
    by = ReviewerId("noor")
    appeal.give_outcome(world.proceedings, filed.appeal, AppealOutcome.UPHELD, by, "So.", world.clock.at)
    said = [each.until for each in world.entries if isinstance(each, CorrectionEntry)]
    assert said[0] == NOW + 5 * DAY, "as far as was known when it was delivered"
    assert said[-1] == NOW + 11 * DAY
    (told,) = [each.planned for each in world.store.told() if each.planned and each.planned.channel == "posts"]
    assert [(span.start, span.until) for span in told.plan] == [(NOW + 9 * DAY, NOW + 11 * DAY)]


@pytest.mark.parametrize(("at", "says"), [(NOW - DAY, "taken now"), (NOW + DAY, "still to come")])
def test_in_a_record_of_the_present_a_decision_is_taken_now(at: datetime, says: str) -> None:
    world = World(agreement("| 1 | suspend | posts | 3 days |"), "live")
    decision = world.say("spam").statement
    assert decision is not None
    before = world.store.position
    with pytest.raises(RefusedError, match=says):
        amend.lift(world.proceedings, decision, ReviewerId("mara"), "Enough.", at)
    assert world.store.position == before
    amend.lift(world.proceedings, decision, ReviewerId("mara"), "Enough.", NOW)


def test_an_erasure_is_told_with_the_first_entry_of_another_day_and_a_hold_set_before_it_prevents_it() -> None:
    world = World(agreement("| 1 | warn | | |"), "live")
    said = [world.say("spam", author=author).statement for author in ("ann", "bob")]
    ann = AccountId("ann")
    world.proceedings.note(HoldSet(account=ann, at=NOW, by=ReviewerId("mara"), why="A court asks."))
    with pytest.raises(RefusedError, match="A court asks"):
        amend.erase(world.proceedings, ann, NOW, keep_hash=False)
    world.proceedings.note(HoldEnded(account=ann, at=NOW, by=ReviewerId("mara"), why="It does not."))
    for author in ("ann", "bob"):
        amend.erase(world.proceedings, AccountId(author), NOW, keep_hash=False)
    world.proceedings = world.again()
    world.say("spam", author="eve")
    assert not any(isinstance(each, ErasureEntry) for each in world.entries)
    world.clock.at = NOW + DAY
    world.say("spam", after=DAY, author="joe")
    assert sorted(each.prev for each in world.entries if isinstance(each, ErasureEntry)) == sorted(map(str, said))


def test_4_the_entry_of_a_measure_until_reviewed_states_when_it_ends_at_the_latest() -> None:
    world = World(agreement("| 1 | suspend | all | until reviewed |"))
    world.say("spam")
    (issued,) = (each for each in world.entries if isinstance(each, StatementEntry))
    assert (issued.until, issued.met) == (NOW + 5 * DAY, ("reviewed",))


def test_the_census_counts_measures_that_hold_and_is_the_same_after_a_restart() -> None:
    world = World(agreement("| 1 | suspend | posts | 3 days |"))
    for number in range(6):
        world.say("spam", after=number * DAY, author=f"a{number}")
        if number == 3:
            world.proceedings = world.again()
    counts = [each.count for each in world.entries if isinstance(each, CensusEntry)]
    assert counts == [1, 2, 3, 3, 3, 3]


def test_7_an_acceptance_binds_once_its_version_is_in_force() -> None:
    world = World(agreement("| 1 | warn | | |"), "live")
    stricter = agreement("| 1 | remove, warn | | |")
    world.publish(stricter, NOW + 2 * DAY)
    world.proceedings = world.again()
    world.proceedings.note(Accepted(account=AccountId("ann"), at=NOW, agreement=stricter.digest, language="en"))
    world.clock.at = NOW + DAY
    assert world.say("spam", after=DAY).outcome is Outcome.ALLOWED
    world.clock.at = NOW + 3 * DAY
    world.proceedings.note(Delivered(account=AccountId("ann"), at=NOW + 2 * DAY, decision=_only(world), how=How.SOURCE))
    assert world.say("spam", after=3 * DAY).outcome is Outcome.REMOVED
    assert world.entries


def _only(world: World) -> DecisionId:
    (entry,) = (each for each in world.entries if isinstance(each, StatementEntry))
    return DecisionId(entry.id)


def test_a_burst_of_10_000_messages_over_a_limit_brings_one_warning_and_no_termination() -> None:
    text = agreement_text("| 1 | warn | | |\n| 2 | suspend | all | 7 days |\n| 3 | terminate | all | |")
    checked = load("rules.md", text.replace("text.says('spam')", "author.messages(minutes(1)) > 20").encode(), none)
    assert checked.agreement is not None, checked.diagnostics
    world = World(checked.agreement, "live")
    burst = [
        Message(
            id=MessageId(str(number)),
            author=AccountId("ann"),
            channel=Channel("posts"),
            text="hello",
            sent=NOW + number * timedelta(milliseconds=6),
            source="s",
        )
        for number in range(10_000)
    ]
    for start in range(0, len(burst), 1_000):
        world.proceedings.take(burst[start : start + 1_000])
    (decided,) = (fact for fact in world.store.facts() if isinstance(fact, Decided))
    assert [each.kind for each in decided.measures] == [Kind.WARN]
    assert sum(isinstance(fact, Joined) for fact in world.store.facts()) == 10_000 - 21
    assert standing(world.proceedings.record(AccountId("ann")), Channel("posts"), NOW + DAY).state is State.OPEN


def test_the_ids_of_decisions_of_one_transaction_begin_alike_and_no_others() -> None:
    world = World(agreement("| 1 | warn | | |"))
    with world.proceedings.together():
        together = [str(world.say("spam", author=author).statement) for author in ("ann", "bob")]
    alone = [str(world.say("spam", author=author).statement) for author in ("eve", "joe")]
    beginnings = [id_[:8] for id_ in (*together, *alone)]
    assert beginnings[0] == beginnings[1]
    assert len(set(beginnings)) == 3
    assert len({id_[8:] for id_ in (*together, *alone)}) == 4
    assert {len(id_) for id_ in (*together, *alone)} == {32}


def test_of_two_that_share_a_recorder_only_the_newer_writes() -> None:
    world = World(agreement("| 1 | warn | | |"))
    newer, before = world.again(), world.store.position
    with pytest.raises(OvertakenError, match="read anew"):
        world.say("spam")
    with pytest.raises(OvertakenError, match="read anew"):
        world.proceedings.erase(AccountId("ann"), keep_hash=False)
    assert world.store.position == before
    world.proceedings = newer
    assert world.say("spam").statement is not None
