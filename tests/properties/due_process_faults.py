"""Faults planted in the record on purpose, one at least against each invariant, each told by the number it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

import msgspec
import pytest
from due_process_lives import CHANNELS
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace
from test_due_process_invariants import Invariants
from test_due_process_kept import InvariantsInAFile

from comity.casework import amend, appeal, dsa, ladder, points, record, recorded, review, step
from comity.casework.case_facts import Informed
from comity.casework.facts import Appealed, AppealOutcome, Change, Fact, Lifted, OutcomeGiven
from comity.casework.record import Record, standing
from comity.casework.refused import RefusedError
from comity.flow import amend as changing
from comity.flow import message, publish
from comity.flow.agreement import Versions
from comity.gates.records import Records
from comity.model.duration import Duration
from comity.model.ids import DecisionId, ReviewerId
from comity.model.measure import State
from comity.stores.memory import MemoryStore

Plant = Callable[[pytest.MonkeyPatch], None]


def own_appeals_are_decided(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appeal, "took_part", lambda *_: frozenset())


def decided_breaches_are_decided_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "_is_decided", lambda *_: False)


def cases_are_decided_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "_decidable", lambda record_, deciding, at: record_.case(deciding.case))


def notifiers_hear_nothing(patch: pytest.MonkeyPatch) -> None:
    close = review._close
    patch.setattr(review, "_close", lambda *given, **named: list(close(*given, **named))[-1:])


def corrections_may_harden(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(amend, "is_milder", lambda *_: True)


def recomputing_takes_the_new_row_as_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(amend, "mildest", lambda _, new: new)


def reversals_end_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recorded, "ended", lambda one, _: one)


def unknown_points_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(step, "known", lambda record_, *_, besides: [one for one in record_.decisions if one.is_live])


def a_rule_terminates(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(step, "reached", lambda table, points: step.Reached(rows=step.rows_at(table, points)))


def corrections_are_not_entered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(publish.Recorder, "_of_change", lambda *_: iter(()))


def statements_are_not_entered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(publish.Recorder, "_sealed", lambda *_: iter(()))


def lifting_ends_every_measure(patch: pytest.MonkeyPatch) -> None:
    lift = amend.lift

    def too_much(record_: record.Record, decision: DecisionId, *given: object) -> tuple[Fact, ...]:
        (lifted,) = lift(record_, decision, *given)  # type: ignore[arg-type]
        assert isinstance(lifted, Lifted)
        live = (one.id for one in record_.decisions if one.is_live)
        return tuple(msgspec.structs.replace(lifted, decision=each) for each in live)

    patch.setattr(amend, "lift", too_much)


def statements_are_rewritten(patch: pytest.MonkeyPatch) -> None:
    put = recorded.appealed

    def rewritten(one: recorded.Recorded, fact: recorded.Appealed) -> recorded.Recorded:
        statement = msgspec.structs.replace(one.decided.statement, reasoning="Changed.")
        decided = msgspec.structs.replace(one.decided, statement=statement)
        return replace(put(one, fact), decided=decided)

    patch.setattr(record, "appealed", rewritten)


def measures_start_early(patch: pytest.MonkeyPatch) -> None:
    measures_at = step.measures_at

    def early(*given: object, **named: object) -> object:
        found = measures_at(*given, **named)  # type: ignore[arg-type]
        return tuple(
            msgspec.structs.replace(each, start=each.start.replace(year=2020) if each.start else None) for each in found
        )

    patch.setattr(step, "measures_at", early)


def ended_measures_are_forgotten_to_be_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(record, "_unended", lambda *_: iter(()))


def appeals_are_closed_by_reversal_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recorded, "with_outcome", lambda appeals, _: tuple(appeals))


def new_versions_reach_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Versions, "bound", lambda versions, *_, reaches_back: versions._all[-1])


def the_window_closes_early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appeal, "last_moment", lambda _, told, *__: told)


def the_window_never_closes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appeal, "last_moment", lambda _, told, *__: told.replace(year=9000))


def a_party_appeals_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appeal, "_demand_first", lambda *_: None)


def whoever_is_cut_off_cannot_appeal(patch: pytest.MonkeyPatch) -> None:
    file = appeal.file

    def only_the_open(record: Record, appealed: Appealed, window: Duration | None) -> tuple[Fact, ...]:
        if standing(record, CHANNELS[0], appealed.at).state is State.CUT:
            raise RefusedError("the account is cut off")
        return file(record, appealed, window)

    patch.setattr(appeal, "file", only_the_open)


def statements_leave_their_measures_out(patch: pytest.MonkeyPatch) -> None:
    made = step.statement_of
    patch.setattr(step, "statement_of", lambda grounds: replace(made(grounds), measures=()))


def the_row_below_is_taken(patch: pytest.MonkeyPatch) -> None:
    rows = ladder.rows_at
    patch.setattr(ladder, "rows_at", lambda table, points: rows(table, points - 1) or rows(table, points))


def persons_may_choose_harsher(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(step, "is_milder", lambda *_: True)


def nothing_is_recomputed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appeal, "recomputed", lambda *_: iter(()))


def what_is_decided_anew_changes_nothing_later(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(review, "recomputed", lambda *_: iter(()))


def expired_points_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(points, "_is_live", lambda *_: True)


def a_rule_decides_each_appeal_at_once(patch: pytest.MonkeyPatch) -> None:
    file = appeal.file

    def decided(record_: record.Record, filed: Appealed, window: Duration | None) -> tuple[Fact, ...]:
        outcome = OutcomeGiven(
            account=filed.account,
            at=filed.at,
            appeal=filed.appeal,
            decision=filed.decision,
            outcome=AppealOutcome.UPHELD,
            by=ReviewerId("rule"),
            why="The rule is right.",
        )
        return (*file(record_, filed, window), outcome)

    patch.setattr(appeal, "file", decided)


def lifting_closes_the_appeals(patch: pytest.MonkeyPatch) -> None:
    change = recorded.changed

    def closing(one: recorded.Recorded, fact: Change) -> recorded.Recorded:
        changed = change(one, fact)
        return replace(changed, appeals=()) if isinstance(fact, Lifted) else changed

    patch.setattr(record, "changed", closing)


def reasons_name_the_notifier(patch: pytest.MonkeyPatch) -> None:
    confirm = review.confirm

    def naming(record_: record.Record, deciding: review.Deciding, *given: object) -> tuple[Fact, ...]:
        case = record_.case(deciding.case)
        by = case.notices[0].notifier.name if case and case.notices else "a rule"
        return confirm(record_, replace(deciding, why=f"Reported by {by}."), *given)  # type: ignore[arg-type]

    patch.setattr(review, "confirm", naming)


def the_running_record_misses_facts(patch: pytest.MonkeyPatch) -> None:
    known = message.after

    def without(record_: record.Record, fact: Fact) -> record.Record:
        return record_ if isinstance(fact, Informed) else known(record_, fact)

    patch.setattr(message, "after", without)


def a_hold_is_forgotten_when_erasing(patch: pytest.MonkeyPatch) -> None:
    demand = changing.demand_erasable
    patch.setattr(changing, "demand_erasable", lambda record_, at: demand(replace(record_, hold=None), at))


def an_erasure_leaves_the_messages(patch: pytest.MonkeyPatch) -> None:
    erase = MemoryStore.erase

    def leaving(store: MemoryStore, *given: object, **named: object) -> None:
        kept = dict(store._messages)
        erase(store, *given, **named)  # type: ignore[arg-type]
        store._messages = kept

    patch.setattr(MemoryStore, "erase", leaving)


def exports_quote_the_message(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dsa, "_facts", lambda statement: statement.messages[0].text)


def gates_let_go_a_second_early(patch: pytest.MonkeyPatch) -> None:
    holding = Records.holding
    patch.setattr(Records, "holding", lambda *given: holding(*given[:-1], given[-1] + timedelta(seconds=1)))


FAULTS: Final[tuple[tuple[int, Plant], ...]] = (
    (1, statements_leave_their_measures_out),
    (2, statements_are_not_entered),
    (3, statements_are_rewritten),
    (4, corrections_are_not_entered),
    (5, corrections_may_harden),
    (6, ended_measures_are_forgotten_to_be_asked),
    (6, gates_let_go_a_second_early),
    (7, new_versions_reach_back),
    (8, decided_breaches_are_decided_again),
    (9, a_rule_terminates),
    (10, the_row_below_is_taken),
    (10, persons_may_choose_harsher),
    (11, unknown_points_count),
    (12, lifting_ends_every_measure),
    (13, reversals_end_nothing),
    (14, nothing_is_recomputed),
    (14, recomputing_takes_the_new_row_as_it_is),
    (14, what_is_decided_anew_changes_nothing_later),
    (14, expired_points_count),
    (15, the_window_closes_early),
    (15, the_window_never_closes),
    (15, a_party_appeals_twice),
    (16, own_appeals_are_decided),
    (17, a_rule_decides_each_appeal_at_once),
    (18, lifting_closes_the_appeals),
    (18, appeals_are_closed_by_reversal_alone),
    (19, reasons_name_the_notifier),
    (20, the_running_record_misses_facts),
    (21, a_hold_is_forgotten_when_erasing),
    (21, an_erasure_leaves_the_messages),
    (22, exports_quote_the_message),
    (23, notifiers_hear_nothing),
    (24, cases_are_decided_twice),
    (25, whoever_is_cut_off_cannot_appeal),
    (26, measures_start_early),
)
IN_A_FILE: Final = (7, 15, 25)

BUDGET: Final = settings(
    max_examples=600,
    stateful_step_count=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def lives_until_caught(number: int, plant: Plant) -> int | None:
    """How many lives were begun until the fault was caught; None: it was not, within the budget."""
    lives = 0
    machine = InvariantsInAFile if number in IN_A_FILE else Invariants

    class Counted(machine):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            nonlocal lives
            lives += 1
            super().__init__()

    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        try:
            run_state_machine_as_test(Counted, settings=BUDGET)
        except AssertionError:
            return lives
    return None


def table() -> Iterator[str]:
    """Markdown: a row for each fault."""
    yield "| invariant | fault | lives until caught |"
    yield "|---|---|---|"
    for number, plant in FAULTS:
        yield f"| {number} | {plant.__name__.replace('_', ' ')} | {lives_until_caught(number, plant) or 'not caught'} |"


if __name__ == "__main__":
    for line in table():
        print(line, flush=True)
