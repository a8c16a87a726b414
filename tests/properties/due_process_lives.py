"""Lives under an agreement, drawn at random: offences, notices, decisions, appeals, corrections, erasure, time.

Steps are composite (offend several times, then decide), since single random acts miss real faults.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from comity.agreement.ladders import ChoiceError
from comity.agreement.load import load
from comity.casework.case_facts import CaseKind, Notifier
from comity.casework.cases import Case
from comity.casework.facts import AppealOutcome, HoldEnded, HoldSet, How
from comity.casework.record import Record
from comity.casework.recorded import Recorded
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.flow import amend, appeal, review
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, AppealId, Channel, ClauseId, DecisionId, MessageId, ReviewerId
from comity.model.message import Message
from comity.ports import Store
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = SigningKey(name="example.org/log", seed=b"k" * 32)
ANN = AccountId("ann")
CHANNELS = tuple(map(Channel, ("posts", "mail")))
PEOPLE = tuple(map(ReviewerId, ("mara", "noor", "ada")))
NOTIFIER = Notifier(name="Nora Notifier", contact="nora@notifier.example")
SAID = "so says this person"
SHORTEST_WINDOW = timedelta(days=184)
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
    """One account, three reviewers, one notifier, an in-memory record."""

    agreement = RULES

    def opened(self) -> Store:
        return MemoryStore()

    @initialize()
    def begin(self) -> None:
        checked = load("rules.md", self.agreement.encode(), lambda _: None)
        assert checked.agreement is not None, checked.diagnostics
        self.rules = checked.agreement
        self.store, self.log, self.clock = self.opened(), MemoryLog(), FixedClock(NOW)
        self.entropy = CountedEntropy()
        self.recorder = recorder = Recorder(self.store, self.log, KEY, self.entropy)
        recorder.begin(mode="live", operator="tests", at=NOW)
        recorder.publish_version(version_of(self.rules, name="rules.md", effective=NOW), NOW)
        self.start()
        self.messages = 0
        self.erased: list[DecisionId] = []

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
            text=f"{text}, {SAID}",
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
            notifier=NOTIFIER,
        )
        review.notice(self.proceedings, given, self.clock.at)

    @rule(number=Ids, by=st.sampled_from(PEOPLE), instead=st.sampled_from(CHOICES), confirms=st.booleans())
    def decide(self, number: int, by: ReviewerId, instead: str | None, confirms: bool) -> None:
        """All open cases but those that need other clauses, one after another; each is decided only once."""
        for listed in self.record.open_cases:
            case = self.record.case(listed.id)
            if case is None or case.closed is not None:  # what was decided before it left it nothing to ask
                continue
            deciding = Deciding(case=case.id, version=case.version, by=by, why="Because.")
            self.decide_one(case, deciding, instead, confirms=confirms)
            if self.record.case(case.id) != case:
                self.inv_24_nobody_decides_what_was_decided(deciding)

    def decide_one(
        self, case: Case, deciding: Deciding, instead: str | None, *, confirms: bool, clauses: tuple[ClauseId, ...] = ()
    ) -> None:
        try:
            if confirms:
                review.confirm(self.proceedings, deciding, self.clock.at, clauses=clauses, instead=instead)
            else:
                review.dismiss(self.proceedings, deciding, self.clock.at)
        except (RefusedError, ChoiceError):
            assert self.record.case(case.id) == case

    def inv_24_nobody_decides_what_was_decided(self, deciding: Deciding) -> None:
        before = self.store.position
        try:
            review.dismiss(self.proceedings, deciding, self.clock.at)
        except RefusedError:
            assert self.store.position == before
        else:
            raise AssertionError("two reviewers decided one case version")

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

    @rule(by=st.sampled_from(PEOPLE), clause=st.sampled_from(["spam", "threats"]), instead=st.sampled_from(CHOICES))
    def decide_an_appeal_against_oneself(self, by: ReviewerId, clause: str, instead: str | None = None) -> None:
        self.report(clause)
        self.decide(0, by, instead, confirms=True)
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

    @rule(clauses=st.sampled_from([("spam",), ("threats",)]))
    def climb_and_decide_anew(self, clauses: tuple[str, ...]) -> None:
        """What was counted already is decided anew, mostly with fewer points."""
        for text in ("spam", "threat", "spam threat"):
            self.offend_and_know(text, 1)
        self.report("spam")
        for kind, by, named, instead in (
            (CaseKind.REVIEW, PEOPLE[0], (), None),
            (CaseKind.UNTIL_REVIEWED, PEOPLE[1], clauses, "suspend | posts | 2 days"),
        ):
            case = self.record.open_case(kind)
            if case is not None:
                deciding = Deciding(case=case.id, version=case.version, by=by, why="Because.")
                self.decide_one(case, deciding, instead, confirms=True, clauses=tuple(map(ClauseId, named)))

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
        others = self.besides(one)
        try:
            if act == "lift":
                amend.lift(self.proceedings, one.id, PEOPLE[0], "Enough.", self.clock.at)
            else:
                amend.correct(self.proceedings, one.id, PEOPLE[0], "A word.", self.clock.at, instead=instead)
        except (RefusedError, ChoiceError):
            assert self.record.decision(one.id) == one
        self.inv_12_ending_one_measure_changes_no_other(one, others)

    def besides(self, one: Recorded) -> list[Recorded]:
        return [each for each in self.record.decisions if each.id != one.id]

    def inv_12_ending_one_measure_changes_no_other(self, one: Recorded, others: list[Recorded]) -> None:
        assert self.besides(one) == others

    @rule()
    def undo(self) -> None:
        found = amend.caused(self.proceedings, ClauseId("spam"), self.rules.digest, NOW)
        amend.undo(self.proceedings, found, PEOPLE[0], "Wrong.", self.clock.at)
        assert amend.caused(self.proceedings, ClauseId("spam"), self.rules.digest, NOW).alone == ()

    @rule(on_hold=st.booleans())
    def settle_everything_and_erase(self, on_hold: bool) -> None:
        for by in PEOPLE:
            self.decide(0, by, None, confirms=False)
            self.give_outcomes(AppealOutcome.UPHELD, by, None)
        self.clock.at += timedelta(days=400)
        if on_hold:
            self.proceedings.note(HoldSet(account=ANN, at=self.clock.at, by=PEOPLE[0], why="A court asked."))
        before = self.record
        try:
            amend.erase(self.proceedings, ANN, self.clock.at, keep_hash=False)
        except RefusedError:
            assert self.record == before
        else:
            self.inv_21_erased_is_gone_and_the_ledger_verifies(before)
        if on_hold:
            self.proceedings.note(HoldEnded(account=ANN, at=self.clock.at, by=PEOPLE[0], why="It is over."))

    def inv_21_erased_is_gone_and_the_ledger_verifies(self, before: Record) -> None:
        assert before.hold is None
        assert not any(each.outcome is None for each in before.appeals)
        self.start()
        self.erased += [one.id for one in before.decisions]
        assert self.record == Record(account=ANN)
        assert all(self.store.is_erased(one.id) for one in before.decisions)
        assert SAID.encode() not in self.kept()
        assert NOTIFIER.contact.encode() not in self.kept()
        assert verify(self.log.read, str(KEY.verifier)).problems == ()

    def kept(self) -> bytes:
        """All that the store holds."""
        return repr(vars(self.store)).encode()
