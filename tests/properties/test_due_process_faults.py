"""Faults planted in the record on purpose: the state machine of the invariants must catch each of them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace
from test_due_process_invariants import Lives

from comity.casework import amend, appeal, record, recorded, review, step
from comity.casework.facts import Fact, Lifted
from comity.flow import publish
from comity.model.ids import DecisionId

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


FAULTS: tuple[Plant, ...] = (
    own_appeals_are_decided,
    decided_breaches_are_decided_again,
    cases_are_decided_twice,
    notifiers_hear_nothing,
    corrections_may_harden,
    recomputing_takes_the_new_row_as_it_is,
    reversals_end_nothing,
    unknown_points_count,
    a_rule_terminates,
    corrections_are_not_entered,
    statements_are_not_entered,
    lifting_ends_every_measure,
    statements_are_rewritten,
    measures_start_early,
    ended_measures_are_forgotten_to_be_asked,
    appeals_are_closed_by_reversal_alone,
)

BUDGET = settings(
    max_examples=150,
    stateful_step_count=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Lives, settings=BUDGET)
