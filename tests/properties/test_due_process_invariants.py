"""The record's invariants, held over whole lives: offences, notices, decisions, appeals, corrections, time.

Each invariant is a method named by its number in the design. Steps are composite (offend several times, then decide),
since single random acts miss real faults.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from comity.agreement.ladders import ChoiceError
from comity.agreement.load import load
from comity.casework.case_facts import CaseKind
from comity.casework.cases import Case
from comity.casework.facts import (
    AppealOutcome,
    Corrected,
    Decided,
    How,
    OutcomeGiven,
    Recomputed,
    decode,
    encode,
)
from comity.casework.record import Record, fold, standing
from comity.casework.recorded import Recorded
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.casework.severity import is_milder
from comity.flow import amend, appeal, review
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings, Terms
from comity.flow.publish import Recorder
from comity.ledger.entry import CorrectionEntry, StatementEntry, parse_entry
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.model.clause import Kind
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, AppealId, Channel, ClauseId, DecisionId, MessageId, ReviewerId
from comity.model.measure import Measure
from comity.model.message import Message
from comity.model.statement import Statement
from comity.ports import Store
from comity.stores.memory import MemoryStore
from comity.testing.world import CountedEntropy, FixedClock, MemoryLog

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = SigningKey(name="example.org/log", seed=b"k" * 32)
ANN = AccountId("ann")
CHANNELS = tuple(map(Channel, ("posts", "mail")))
PEOPLE = tuple(map(ReviewerId, ("mara", "noor", "ada")))
RULES = """---
comity: 1
title: Rules
channels: [posts, mail]
---

# Rules

## Spam {#spam}

No.

```rule expires="60 days"
text.says("spam")
```

## Threats {#threats}

No.

```rule points=2
text.says("threat")
```

## Doubts {#doubts}

No.

```rule decide=review
text.says("doubt")
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | remove, suspend | same | 1 to 7 days |
| 4 | remove, suspend | all | until reviewed, at least 3 days |
| 6 | terminate | all | |
"""
CHOICES = (None, "", "warn", "suspend | posts | 2 days", "suspend | all | 9 days", "remove | | ")
Ids = st.integers(0, 50)


class Lives(RuleBasedStateMachine):
    """One account, three reviewers, an in-memory record."""

    def opened(self) -> Store:
        return MemoryStore()

    @initialize()
    def begin(self) -> None:
        checked = load("rules.md", RULES.encode(), lambda _: None)
        assert checked.agreement is not None, checked.diagnostics
        self.rules = checked.agreement
        self.store, self.log, self.clock = self.opened(), MemoryLog(), FixedClock(NOW)
        self.entropy = CountedEntropy()
        self.recorder = recorder = Recorder(self.store, self.log, KEY, self.entropy)
        recorder.begin(mode="live", operator="tests", at=NOW)
        recorder.publish_version(version_of(self.rules, name="rules.md", effective=NOW), NOW)
        self.start()
        self.messages = 0
        self.issued: dict[DecisionId, Statement] = {}
        self.foreseen: dict[DecisionId, tuple[Measure, ...]] = {}

    def start(self) -> None:
        terms = Terms(mode="live", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
        self.proceedings = Proceedings(self.store, self.recorder, self.clock, self.entropy, terms)

    @property
    def record(self) -> Record:
        return self.proceedings.record(ANN)

    def one(self, number: int) -> Recorded | None:
        known = self.record.decisions
        return known[number % len(known)] if known else None

    def message(self, text: str) -> Message:
        self.messages += 1
        return Message(
            id=MessageId(str(self.messages)),
            author=ANN,
            channel=CHANNELS[self.messages % 2],
            text=text,
            sent=self.clock.at,
            source="s",
        )

    @rule(hours=st.sampled_from([1, 24, 80, 24 * 31]))
    def pass_time(self, hours: int) -> None:
        self.clock.at += timedelta(hours=hours)

    @rule(texts=st.lists(st.sampled_from(["spam", "threat", "doubt", "hello"]), min_size=1, max_size=4))
    def offend(self, texts: list[str]) -> None:
        for text in texts:
            self.proceedings.take([self.message(text)])
            self.clock.at += timedelta(minutes=1)

    @rule(text=st.sampled_from(["spam", "threat"]), times=st.integers(2, 4))
    def offend_and_know(self, text: str, times: int) -> None:
        """Climbs: each statement is delivered before the next message is sent."""
        for _ in range(times):
            self.proceedings.take([self.message(text)])
            self.clock.at += timedelta(days=8)
            self.deliver_all()

    @rule()
    def deliver_all(self) -> None:
        for one in self.record.decisions:
            amend.deliver(self.proceedings, one.id, How.LINK, self.clock.at)
        self.clock.at += timedelta(minutes=1)

    @rule(clause=st.sampled_from(["spam", "threats", "doubts"]))
    def report(self, clause: str) -> None:
        given = review.Notice(
            message=self.message("noticed"),
            where="",
            why="Look.",
            good_faith=True,
            clause=ClauseId(clause),
        )
        review.notice(self.proceedings, given, self.clock.at)

    @rule(number=Ids, by=st.sampled_from(PEOPLE), instead=st.sampled_from(CHOICES), confirms=st.booleans())
    def decide(self, number: int, by: ReviewerId, instead: str | None, confirms: bool) -> None:
        """All open cases but those that need other clauses, one after another; each is decided only once."""
        for case in self.record.open_cases:
            deciding = Deciding(case=case.id, version=case.version, by=by, why="Because.")
            self.decide_one(case, deciding, instead, confirms=confirms)
            if self.record.case(case.id) != case:
                self.refused_now(deciding)

    def decide_one(self, case: Case, deciding: Deciding, instead: str | None, *, confirms: bool) -> None:
        try:
            if confirms:
                review.confirm(self.proceedings, deciding, self.clock.at, instead=instead)
            else:
                review.dismiss(self.proceedings, deciding, self.clock.at)
        except (RefusedError, ChoiceError):
            assert self.record.case(case.id) == case

    def refused_now(self, deciding: Deciding) -> None:
        """Invariant 24: nobody decides a case version that was decided."""
        before = self.store.position
        try:
            review.dismiss(self.proceedings, deciding, self.clock.at)
        except RefusedError:
            assert self.store.position == before
        else:
            raise AssertionError("24: two reviewers decided one case version")

    @rule(number=Ids)
    def appeal(self, number: int) -> None:
        one = self.one(number)
        if one is not None:
            try:
                appeal.file(self.proceedings, appeal.Complaint(decision=one.id, text="No."), self.clock.at)
            except RefusedError as error:
                assert one.appeals or "ended" in str(error)  # noqa: PT017

    @rule(outcome=st.sampled_from(list(AppealOutcome)), by=st.sampled_from(PEOPLE), instead=st.sampled_from(CHOICES))
    def give_outcomes(self, outcome: AppealOutcome, by: ReviewerId, instead: str | None) -> None:
        waiting = [each for each in self.record.appeals if each.outcome is None]
        for each in waiting:
            self.give_outcome(each.filed.appeal, outcome, by, instead)

    def give_outcome(self, of: AppealId, outcome: AppealOutcome, by: ReviewerId, instead: str | None) -> None:
        rows = instead if outcome is AppealOutcome.VARIED else None
        try:
            appeal.give_outcome(self.proceedings, of, outcome, by, "So.", self.clock.at, instead=rows)
        except (RefusedError, ChoiceError):
            known = self.record.appeal(of)
            assert known is not None
            assert known.outcome is None

    @rule(number=Ids, by=st.sampled_from(PEOPLE))
    def appeal_and_reverse(self, number: int, by: ReviewerId) -> None:
        self.appeal(number)
        self.give_outcomes(AppealOutcome.REVERSED, by, None)

    @rule(by=st.sampled_from(PEOPLE), clause=st.sampled_from(["spam", "threats"]))
    def decide_an_appeal_against_oneself(self, by: ReviewerId, clause: str) -> None:
        self.report(clause)
        self.decide(0, by, None, confirms=True)
        self.appeal(len(self.record.decisions) - 1)
        self.give_outcomes(AppealOutcome.UPHELD, by, None)

    @rule(by=st.sampled_from(PEOPLE))
    def report_what_was_decided(self, by: ReviewerId) -> None:
        self.report("threats")
        case = self.record.open_case(CaseKind.REVIEW)
        assert case is not None
        message = case.notices[-1].message
        for _ in range(2):
            given = review.Notice(message=message, where="", why="Look.", good_faith=True, clause=ClauseId("threats"))
            review.notice(self.proceedings, given, self.clock.at)
            self.decide(0, by, None, confirms=True)

    @rule(by=st.sampled_from(PEOPLE))
    def climb_correct_and_reverse(self, by: ReviewerId) -> None:
        """A later decision is made milder by hand; recomputing it must not bring back what the ladder has."""
        self.offend_and_know("spam", 3)
        last = len(self.record.decisions) - 1
        self.amend(last, "correct", "")
        self.appeal_and_reverse(last - 1, by)

    @rule()
    def climb_and_lift(self) -> None:
        self.offend_and_know("threat", 2)
        self.amend(len(self.record.decisions) - 1, "lift", None)

    @rule()
    def know_only_the_last(self) -> None:
        """Two decisions of one step, of which only the second is delivered; then a next step."""
        self.offend(["spam", "threat"])
        one = self.one(len(self.record.decisions) - 1)
        if one is not None:
            amend.deliver(self.proceedings, one.id, How.LINK, self.clock.at)
        self.clock.at += timedelta(days=8)
        self.offend(["spam"])

    @rule(number=Ids, act=st.sampled_from(["correct", "lift"]), instead=st.sampled_from(CHOICES))
    def amend(self, number: int, act: str, instead: str | None) -> None:
        one = self.one(number)
        if one is None:
            return
        others = {each.id: each for each in self.record.decisions if each.id != one.id}
        try:
            if act == "lift":
                amend.lift(self.proceedings, one.id, PEOPLE[0], "Enough.", self.clock.at)
            else:
                amend.correct(self.proceedings, one.id, PEOPLE[0], "A word.", self.clock.at, instead=instead)
        except (RefusedError, ChoiceError):
            assert self.record.decision(one.id) == one
        # invariant 12: ending one measure changes no other
        assert {each.id: each for each in self.record.decisions if each.id != one.id} == others

    @rule()
    def undo(self) -> None:
        found = amend.caused(self.proceedings, ClauseId("spam"), self.rules.digest, NOW)
        amend.undo(self.proceedings, found, PEOPLE[0], "Wrong.", self.clock.at)
        assert amend.caused(self.proceedings, ClauseId("spam"), self.rules.digest, NOW).alone == ()

    @invariant()
    def inv_01_02_every_decision_has_its_statement_in_the_ledger(self) -> None:
        entries = [parse_entry(each) for each in self.store.entries(0, self.store.size)]
        in_ledger = [each.id for each in entries if isinstance(each, StatementEntry)]
        assert in_ledger == [one.id for one in self.record.decisions]
        assert all(one.decided.statement.measures == one.decided.measures for one in self.record.decisions)

    @invariant()
    def inv_03_what_was_issued_stays(self) -> None:
        for one in self.record.decisions:
            assert self.issued.setdefault(one.id, one.decided.statement) == one.decided.statement

    @invariant()
    def inv_04_the_last_version_in_the_ledger_names_the_measures(self) -> None:
        entries = [parse_entry(each) for each in self.store.entries(0, self.store.size)]
        for one in self.record.decisions:
            versions = [
                each
                for each in entries
                if (isinstance(each, StatementEntry) and each.id == one.id)
                or (isinstance(each, CorrectionEntry) and each.prev == one.id)
            ]
            if one.replaced_by is None:
                said = [(each.act, set(each.chan)) for each in versions[-1].measures]
                assert said == [(str(each.kind), set(each.channels)) for each in one.foreseen]

    @invariant()
    def inv_05_14_nothing_becomes_harsher(self) -> None:
        for one in self.record.decisions:
            before = self.foreseen.get(one.id, one.measures)
            if any(isinstance(each, Corrected | OutcomeGiven | Recomputed) for each in one.changes):
                assert is_milder(one.measures, before)
            self.foreseen[one.id] = one.measures

    @invariant()
    def inv_08_at_most_one_live_decision_for_a_message_and_clause(self) -> None:
        live = [
            (breach.message, breach.clause) for one in self.record.decisions if one.is_live for breach in one.breaches
        ]
        assert len(live) == len(set(live))

    @invariant()
    def inv_09_17_no_rule_terminates_and_none_decides_an_appeal(self) -> None:
        for one in self.record.decisions:
            assert one.decided.by or all(each.kind is not Kind.TERMINATE for each in one.decided.measures)
            assert all(each.outcome is None or each.outcome.by for each in one.appeals)

    @invariant()
    def inv_11_no_point_counts_before_its_statement_was_known(self) -> None:
        for one in self.record.decisions:
            sent = min(breach.sent for breach in one.decided.breaches)
            for counted in one.decided.counted:
                other = self.record.decision(counted.decision)
                assert other is not None
                is_mate = other.decided.step == one.decided.step
                assert is_mate or (other.delivered is not None and other.delivered < sent)

    @invariant()
    def inv_13_reversed_is_never_active(self) -> None:
        for one in self.record.decisions:
            if one.reversed_at is not None:
                assert not any(each.is_active(one.reversed_at) for each in one.all_measures if each.channels)

    @invariant()
    def inv_16_nobody_decides_an_appeal_against_their_own_decision(self) -> None:
        for one in self.record.decisions:
            assert all(each.outcome is None or each.outcome.by != one.decided.by for each in one.appeals)

    @invariant()
    def inv_18_only_an_outcome_closes_an_appeal(self) -> None:
        waiting = {id_ for id_, _ in self.store.waiting()}
        assert {each.filed.appeal for each in self.record.appeals if each.outcome is None} <= waiting

    @invariant()
    def inv_20_replaying_the_facts_gives_the_same_record(self) -> None:
        facts = self.store.facts_of(ANN)
        assert fold(ANN, [decode(encode(fact)) for fact in facts]) == self.record

    @invariant()
    def inv_23_every_closed_case_told_its_notifiers(self) -> None:
        for case in self.record.cases:
            if case.closed is not None and case.closed.decision is not None:
                assert {each.notice for each in case.notices} == {each.notice for each in case.informed}

    @invariant()
    def inv_26_no_measure_starts_before_its_statement(self) -> None:
        for one in self.record.decisions:
            assert all(each.start is None or each.start >= one.decided.at for each in one.all_measures)

    @invariant()
    def the_standing_is_the_strictest_active_measure(self) -> None:
        """Invariants 6 and 13: also at times at which nothing runs any more."""
        for later in (timedelta(), timedelta(days=3), timedelta(days=4000)):
            at = self.clock.at + later
            for channel in CHANNELS:
                active = [
                    each
                    for one in self.record.decisions
                    for each in one.all_measures
                    if channel in each.channels and each.is_active(at)
                ]
                assert (standing(self.record, channel, at).by is None) == (not active)

    def teardown(self) -> None:
        """Invariant 2: the whole ledger verifies."""
        if hasattr(self, "log"):
            assert verify(self.log.read, str(KEY.verifier)).problems == ()
            assert all(isinstance(fact, Decided) for fact in self.store.facts([Decided]))


Lives.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestLives = Lives.TestCase
