"""The same lives under an agreement that uses all that ladders can say, together: a ladder for a clause, with points on
that alone or on both, points that end after a clean time, ranges, delays, conditions, rates.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from due_process_lives import ANN, PEOPLE, Ids
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from msgspec.structs import replace
from test_due_process_invariants import Invariants

from comity.casework.facts import AppealOutcome, Corrected, Counted, OutcomeGiven, Recomputed
from comity.casework.record import fold
from comity.casework.recorded import Recorded
from comity.casework.refused import RefusedError
from comity.casework.severity import is_milder
from comity.flow import amend
from comity.model.clause import Kind
from comity.model.ids import ReviewerId

RULES: Final = """---
comity: 1
title: Rules
channels: [posts, mail]
points_expire: 60 days clean
conditions:
  cleaned: Somebody has looked at the device.
---

# Rules

## Spam {#spam}

No.

```rule
text.says("spam")
```

## Threats {#threats}

No.

```rule points=2 counts=both expires="90 days"
text.says("threat")
```

| points | measure | channels | for |
|---|---|---|---|
| 2 | warn | | |
| 4 | suspend | same | after 2 days: 1 to 7 days |
| 6 | suspend | all | until cleaned, at least 2 days |

## Doubts {#doubts}

No.

```rule decide=review once="2 days"
text.says("doubt")
```

| points | measure | channels | for |
|---|---|---|---|
| 1 | mark, warn | | |
| 2 | hold | same | until acknowledged |

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | remove, limit to 3 a day | same | 1 to 7 days |
| 4 | remove, suspend | all | until reviewed, at least 3 days |
| 6 | terminate | all | |
"""
BY_HAND: Final = {
    "threats": {0: (), 2: (Kind.WARN,), 4: (Kind.SUSPEND,), 6: (Kind.SUSPEND,)},
    "doubts": {0: (), 1: (Kind.MARK, Kind.WARN), 2: (Kind.HOLD,)},
    "measures": {
        0: (), 1: (Kind.WARN,), 2: (Kind.REMOVE, Kind.LIMIT), 4: (Kind.REMOVE, Kind.SUSPEND), 6: (Kind.TERMINATE,),
    },
}  # fmt: skip
"""What the ladders say, read by hand."""
CLEAN: Final = timedelta(days=60)
CHOICES: Final = (
    "limit to 1 an hour | posts | 2 days",
    "limit to 5 a day | same | 3 days",
    "suspend | all | until cleaned",
    "suspend | posts | after 3 days: 2 days",
    "suspend | same | after 2 days: 9 days",
    "suspend | all | until reviewed",
    "hold | same | 1 day",
)
GRAVITY: Final = (Kind.MARK, Kind.REMOVE, Kind.WARN, Kind.HOLD, Kind.LIMIT, Kind.SUSPEND, Kind.TERMINATE)


def row(ladder: str, points: int, *, by_rule: bool) -> tuple[Kind, ...]:
    """The kinds at that many points; a rule stops below termination."""
    table = BY_HAND[ladder]
    reached = max(number for number in table if number <= points)
    return table[4] if by_rule and Kind.TERMINATE in table[reached] else table[reached]


def gravest(kinds: set[Kind]) -> int:
    return max(map(GRAVITY.index, kinds), default=-1)


class InvariantsWithLadders(Invariants):
    agreement = RULES

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.compared = 0

    @rule(number=Ids, instead=st.sampled_from(CHOICES), by=st.sampled_from(PEOPLE))
    def choose(self, number: int, instead: str, by: ReviewerId) -> None:
        """A milder measure of a kind that only these ladders have, in a correction and in a decision."""
        self.amend(number, "correct", instead)
        self.decide(number, by, instead, confirms=True)

    @rule(number=Ids)
    def meet_conditions(self, number: int) -> None:
        one = self.one(number)
        for name in {name for each in one.foreseen for name in each.until} if one else ():
            try:
                amend.attest(self.proceedings, one.id, name, "the desk", self.clock.at)
            except RefusedError:
                assert self.record.decision(one.id) == one or (one.met != ())

    @rule()
    def wait_until_clean(self) -> None:
        self.deliver_all()
        self.clock.at += CLEAN + timedelta(days=1)
        self.offend(["spam"])

    @rule()
    def climb_a_ladder_of_its_own(self) -> None:
        """To a delayed measure; then it starts."""
        self.offend_and_know("threat", 2)
        self.deliver_all()
        self.clock.at += timedelta(days=3)

    @rule(outcome=st.sampled_from(list(AppealOutcome)), by=st.sampled_from(PEOPLE), corrects=st.booleans())
    def appeal_before_it_starts(self, outcome: AppealOutcome, by: ReviewerId, *, corrects: bool) -> None:
        """After a correction or not; what is decided of it comes after the day on which it would have started."""
        self.offend_and_know("threat", 1)
        self.offend(["threat"])
        self.deliver_all()
        last = len(self.record.decisions) - 1
        if corrects:
            self.amend(last, "correct", "suspend | posts | after 3 days: 2 days")
        self.appeal(last)
        self.clock.at += timedelta(days=3)
        self.offend(["threat"])
        self.give_outcomes(outcome, by, None)

    @invariant()
    def what_was_appealed_before_it_started_does_not_hold_before_the_outcome(self) -> None:
        for one in self.record.decisions:
            for each in (each for each in one.own_appeals if one.delivered is not None):
                for measure in (measure for measure in one.measures if measure.delay):
                    planned = measure.delay.after(one.delivered)
                    if each.filed.at < planned and (each.outcome is None or each.outcome.at > planned):
                        begins = each.outcome.at if each.outcome else None
                        assert measure.start == begins

    def points_on(self, one: Recorded, *, live: bool) -> dict[str, int]:
        """By ladder, those that it was taken at, or that are left of them."""
        found: dict[str, int] = dict.fromkeys(one.decided.ladders, 0)
        for points in one.decided.points:
            found[points.ladder] += points.count
        for counted in one.decided.counted:
            found[counted.ladder] += self.still_on(counted) if live else counted.count
        return found

    def still_on(self, counted: Counted) -> int:
        other, count = self.record.decision(counted.decision), counted.count
        while other is not None and other.replaced_by is not None:
            other = self.record.decision(other.replaced_by)
            own = [each.count for each in other.decided.points if each.ladder == counted.ladder] if other else []
            count = min(count, sum(own))
        return count if other is not None and other.is_live else 0

    @invariant()
    def inv_05_no_correction_lengthens_or_hardens(self) -> None:
        """Held against what was known when it was made: a delayed measure starts when its statement is delivered."""
        facts = self.store.facts_of(ANN)
        for number in range(min(self.compared, len(facts)), len(facts)):
            fact = facts[number]
            if isinstance(fact, Corrected | OutcomeGiven | Recomputed):
                before, now = (fold(ANN, facts[:end]).decision(fact.decision) for end in (number, number + 1))
                if before is not None and now is not None:
                    then = replace(before, foreseen=now.foreseen, past=now.past)  # an outcome also settles a start
                    assert is_milder(then.measures, before.measures)
        self.compared = len(facts)

    @invariant()
    def inv_10_the_measure_is_the_ladders_row_or_a_milder_one_that_a_person_chose(self) -> None:
        for one in (each for each in self.record.decisions if each.decided.points):
            by_rule = one.decided.by is None
            rows = [row(ladder, points, by_rule=by_rule) for ladder, points in self.points_on(one, live=False).items()]
            asked = {kind for each in rows for kind in each}
            found = {each.kind for each in one.decided.measures}
            if one.decided.is_milder:
                assert not by_rule
                assert gravest(found) <= gravest(asked)
                continue
            restricts = any(not kind.is_on_message and kind is not Kind.WARN for kind in asked)
            merged = asked - ({Kind.WARN} if restricts else set()) - ({Kind.MARK} if Kind.REMOVE in asked else set())
            is_alone = all(other.decided.step != one.decided.step for other in self.besides(one))
            assert found == merged if is_alone else found <= asked

    @invariant()
    def inv_14_no_live_decision_rests_on_a_void_or_expired_point(self) -> None:
        for one in self.record.decisions:
            if one.is_live and one.decided.points:
                left = self.points_on(one, live=True).items()
                rows = [row(ladder, points, by_rule=one.decided.by is None) for ladder, points in left]
                assert gravest({each.kind for each in one.foreseen}) <= gravest({k for each in rows for k in each})
            sent = min(breach.sent for breach in one.decided.breaches)
            for counted in one.decided.counted:
                other = self.record.decision(counted.decision)
                assert other is not None
                if any(each.clean for each in other.decided.points):
                    is_kept = any(not each.is_over(sent) for each in other.all_measures if each.channels)
                    assert is_kept or not self.had_a_clean_time(other.decided.breaches[0].sent, sent)

    def had_a_clean_time(self, since: datetime, until: datetime) -> bool:
        """Of all breaches there ever were: what is reversed later was one then."""
        every = sorted(breach.sent for one in self.record.decisions for breach in one.breaches)
        times = [since, *(each for each in every if since < each < until), until]
        return any(later - earlier > CLEAN for earlier, later in pairwise(times))


InvariantsWithLadders.TestCase.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestInvariantsWithLadders = InvariantsWithLadders.TestCase


def test_09_a_termination_that_a_delivery_tells_again_is_still_a_persons() -> None:
    """With it the person's decision has a delayed measure, which starts when the statement is delivered."""
    lives = InvariantsWithLadders()
    lives.begin()
    for _ in range(2):
        lives.wait_until_clean()
    for _ in range(3):
        lives.climb_and_decide_anew(clauses=("spam",))
        lives.decide(0, PEOPLE[0], None, confirms=True)
    lives.deliver_all()
    both = {Kind.TERMINATE, Kind.SUSPEND}
    assert any({each.kind for each in one.measures} == both for one in lives.record.decisions)
    lives.teardown()
