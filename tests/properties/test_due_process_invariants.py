"""The record's invariants, each a method named by its number in the design, asked after every step of a life.

Numbers 12, 21 and 24 are asked where it happens, in `due_process_lives`; 7, 15 and 25 in `test_due_process_kept`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import msgspec
from due_process_lives import ANN, CHANNELS, KEY, NOTIFIER, PEOPLE, SAID, Lives
from hypothesis import settings
from hypothesis.stateful import initialize, invariant

from comity.casework.dsa import exported
from comity.casework.facts import (
    Appealed,
    Corrected,
    Counted,
    Decided,
    OutcomeGiven,
    Recomputed,
    decode,
    encode,
)
from comity.casework.quality import quality, signs
from comity.casework.record import fold, measures, standing
from comity.casework.recorded import Recorded
from comity.casework.severity import CUTS, is_milder
from comity.casework.telling import Version, versions_of
from comity.flow.feed import FeedSource
from comity.flow.quality import UNMEASURED, measured
from comity.gates.answers import Allow, Deny, Limited
from comity.gates.kept import Kept
from comity.gates.records import Records
from comity.gates.replica import Known, Manner, Replica
from comity.ledger.entry import CorrectionEntry, Entry, PublicMeasure, StatementEntry, parse_entry
from comity.ledger.feed import FeedEntry, decode_line, encode_line
from comity.ledger.plan_digest import MODULUS, plan_digest
from comity.ledger.policy import Policy
from comity.ledger.verify import verify
from comity.model.clause import Kind
from comity.model.ids import Channel, DecisionId
from comity.model.measure import Measure, Pause, State
from comity.model.plan import Plan, Span
from comity.model.statement import Origin

SCHEMA = json.loads((Path(__file__).parents[1] / "golden" / "dsa_statement.schema.json").read_text(encoding="utf-8"))
FITS = jsonschema.Draft202012Validator(SCHEMA)
SPAM_EXPIRES = timedelta(days=60)
GRAVEST_AT = {1: Kind.WARN, 2: Kind.SUSPEND, 3: Kind.SUSPEND, 4: Kind.SUSPEND, 5: Kind.SUSPEND, 6: Kind.TERMINATE}
"""What the rules' ladder says, read by hand."""
ALL_FROM = 4
GRAVITY = (Kind.REMOVE, Kind.WARN, Kind.SUSPEND, Kind.TERMINATE)


def gravest(measures: tuple[Measure, ...]) -> int:
    """-1: there is none."""
    return max((GRAVITY.index(each.kind) for each in measures), default=-1)


def end_of(span: Span | Measure | Pause) -> datetime | None:
    return span.until if isinstance(span, Span) else span.end


class Invariants(Lives):
    @initialize()
    def begin(self) -> None:
        super().begin()
        self.told: dict[DecisionId, list[bytes]] = {}
        self.foreseen: dict[DecisionId, tuple[Measure, ...]] = {}
        self.exported: set[DecisionId] = set()
        self.measured = UNMEASURED
        self.feed = FeedSource(self.store, self.log, lambda statement: f"https://example.org/r/{statement}")
        self.gate = Replica(Manner(policy=Policy().trusting(KEY.verifier)), lambda *_: None)
        self.gate.swap(Known(epoch=self.store.feed.epoch, cursor=0, digest=0, records=Records()), Kept())

    @property
    def entries(self) -> list[Entry]:
        return [parse_entry(each) for each in self.store.entries(0, self.store.size)]

    def live_points(self, one: Recorded) -> int:
        """Its own, and those it counted of decisions that stand, or in whose place others stand with their points."""
        return sum(each.count for each in one.decided.points) + sum(map(self.still_live, one.decided.counted))

    def still_live(self, counted: Counted) -> int:
        other, count = self.record.decision(counted.decision), counted.count
        while other is not None and other.replaced_by is not None:
            other = self.record.decision(other.replaced_by)
            count = min(count, sum(each.count for each in other.decided.points)) if other else 0
        return count if other is not None and other.is_live else 0

    @invariant()
    def inv_01_no_measure_without_its_statement(self) -> None:
        for one in self.record.decisions:
            assert one.decided.statement.id == one.id
            assert one.decided.statement.measures == one.decided.measures

    @invariant()
    def inv_02_every_statement_is_in_the_ledger(self) -> None:
        in_ledger = [each.id for each in self.entries if isinstance(each, StatementEntry)]
        assert in_ledger == [*self.erased, *(one.id for one in self.record.decisions)]

    @invariant()
    def inv_03_versions_only_grow_and_old_bytes_stay(self) -> None:
        for one in self.record.decisions:
            versions: list[object] = [one.decided.statement, *map(whole, versions_of(one))]
            now = [msgspec.json.encode(each) for each in versions]
            before = self.told.setdefault(one.id, now)
            assert now[: len(before)] == before
            self.told[one.id] = now

    @invariant()
    def inv_04_the_last_version_is_what_the_measures_are(self) -> None:
        said: dict[str, tuple[PublicMeasure, ...]] = {}
        for each in self.entries:
            if isinstance(each, StatementEntry | CorrectionEntry):
                said[each.prev if isinstance(each, CorrectionEntry) else each.id] = each.measures
        for one in self.record.decisions:
            if one.replaced_by is None:
                public, real = said[one.id], one.measures
                assert [(each.act, set(each.chan)) for each in public] == [
                    (f"limit to {each.rate}" if each.rate else str(each.kind), set(each.channels)) for each in real
                ]
                assert all(near(is_said.until, is_real) for is_said, is_real in zip(public, real, strict=True))

    @invariant()
    def inv_05_no_correction_lengthens_or_hardens(self) -> None:
        for one in self.record.decisions:
            before = self.foreseen.get(one.id, one.measures)
            if any(isinstance(each, Corrected | OutcomeGiven | Recomputed) for each in one.changes):
                assert is_milder(one.measures, before)
            self.foreseen[one.id] = one.measures

    @invariant()
    def inv_06_the_standing_is_what_is_in_force_also_when_nothing_runs_any_more(self) -> None:
        for later in (timedelta(), timedelta(days=3), timedelta(days=4000)):
            at = self.clock.at + later
            for channel in CHANNELS:
                active = {
                    each.kind
                    for one in self.record.decisions
                    for each in one.all_measures
                    if channel in each.channels and each.is_active(at)
                }
                found = standing(self.record, channel, at)
                assert (found.by is None) == (not active)
                assert (found.state is State.CUT) == any(kind in CUTS for kind in active)

    @invariant()
    def inv_06_what_gates_were_told_is_the_standing_at_every_time_to_come(self) -> None:
        """Asked at each bound of each plan, and in between, of what the store keeps; nothing was planned meanwhile."""
        told = {one.planned.channel: one.planned.plan for one in self.store.told() if one.planned}
        for channel in CHANNELS:
            plan = told.get(channel, ())
            for moment in self.moments(channel, plan):
                states = [span.state for span in plan if span.covers(moment)]
                assert (states or [State.OPEN]) == [standing(self.record, channel, moment).state]
            every = [one.planned for one in self.store.told() if one.planned and one.planned.channel == channel]
            digest = sum(map(plan_digest, every)) % MODULUS
            assert self.store.feed.totals.get(channel, (0, 0)) == (len(every), digest)
        assert [one.seq for one in self.store.changes(0)] == list(range(1, self.store.feed.cursor + 1))

    def moments(self, channel: Channel, plan: Plan = ()) -> Iterator[datetime]:
        """From now on: each bound of the plan and of what it is made of, just before it and just after."""
        held = [each for each in measures(self.record) if channel in each.channels]
        pauses = [pause for each in held for pause in each.pauses]
        bounds = {self.clock.at} | {each for span in (*plan, *held, *pauses) for each in (span.start, end_of(span))}
        for at in (bound for bound in bounds if bound is not None and bound >= self.clock.at):
            yield from (at, at + timedelta(seconds=1))
            if at - timedelta(seconds=1) >= self.clock.at:
                yield at - timedelta(seconds=1)

    @invariant()
    def inv_06_a_gate_agrees_with_the_standing_at_every_time_to_come(self) -> None:
        """It follows the feed over the wire, proofs and all; then it is asked, and nobody tells it anything more."""
        known = self.gate.known
        assert known is not None
        for change in self.feed.changes(known.epoch, known.cursor):
            line = decode_line(encode_line(change))
            assert isinstance(line, FeedEntry)
            self.gate.change(line, self.clock.at)
        self.gate.beat(self.feed.heartbeat(self.clock.at), self.clock.at)
        assert known.unproven == {}
        for channel in CHANNELS:
            for moment in self.moments(channel):
                answer = self.gate.check(channel, ANN, moment)
                expected = {State.OPEN: Allow, State.LIMITED: Limited, State.CUT: Deny}
                assert type(answer) is expected[standing(self.record, channel, moment).state]

    @invariant()
    def inv_08_at_most_one_live_decision_for_a_message_and_clause(self) -> None:
        live = [
            (breach.message, breach.clause) for one in self.record.decisions if one.is_live for breach in one.breaches
        ]
        assert len(live) == len(set(live))

    @invariant()
    def inv_09_no_rule_terminates_and_flags_follow_from_facts(self) -> None:
        for one in self.record.decisions:
            assert one.decided.by or all(each.kind is not Kind.TERMINATE for each in one.decided.measures)
            export = exported(one, CHANNELS)
            if export is not None:
                by_rule = all(each.origin is Origin.RULE for each in one.decided.breaches)
                assert (export["automated_decision"] == "AUTOMATED_DECISION_FULLY") == (one.decided.by is None)
                assert (export["source_type"] == "SOURCE_VOLUNTARY") == by_rule

    @invariant()
    def inv_10_the_measure_is_the_ladders_row_or_a_milder_one_that_a_person_chose(self) -> None:
        for one in (each.decided for each in self.record.decisions if each.decided.points):
            points = sum(each.count for each in (*one.points, *one.counted))
            row = GRAVEST_AT[min(points, 6)]
            if one.is_milder:
                assert one.by
                assert gravest(one.measures) <= GRAVITY.index(row)
            else:
                if row is Kind.TERMINATE and one.by is None:
                    row = Kind.SUSPEND
                assert gravest(one.measures) == GRAVITY.index(row)
                cut = {channel for each in one.measures if each.kind in CUTS for channel in each.channels}
                assert (cut == set(CHANNELS)) >= (points >= ALL_FROM)

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
    def inv_14_no_live_decision_rests_on_a_void_or_expired_point(self) -> None:
        for one in self.record.decisions:
            if one.is_live and one.decided.points:
                assert gravest(one.foreseen) <= GRAVITY.index(GRAVEST_AT[min(self.live_points(one), 6)])
            sent = min(breach.sent for breach in one.decided.breaches)
            for counted in one.decided.counted:
                other = self.record.decision(counted.decision)
                assert other is not None
                if all(breach.clause == "spam" for breach in other.decided.breaches):
                    is_kept = any(not each.is_over(sent) for each in other.all_measures if each.channels)
                    assert is_kept or sent <= other.decided.at + SPAM_EXPIRES

    @invariant()
    def inv_16_nobody_decides_an_appeal_against_their_own_decision(self) -> None:
        for one in self.record.decisions:
            assert all(each.outcome is None or each.outcome.by != one.decided.by for each in one.appeals)

    @invariant()
    def inv_17_no_automation_decides_an_appeal(self) -> None:
        outcomes = [each.outcome for each in self.record.appeals if each.outcome]
        assert all(each.by in PEOPLE for each in outcomes)

    @invariant()
    def inv_18_nothing_but_an_outcome_closes_an_appeal(self) -> None:
        facts = self.store.facts_of(ANN)
        ended = {fact.appeal for fact in facts if isinstance(fact, OutcomeGiven)}
        open_ = {fact.appeal for fact in facts if isinstance(fact, Appealed)} - ended
        assert open_ <= {id_ for id_, _ in self.store.waiting()}
        assert open_ == {each.filed.appeal for each in self.record.appeals if each.outcome is None}

    @invariant()
    def inv_19_no_statement_names_a_notifier(self) -> None:
        for one in self.record.decisions:
            told = msgspec.json.encode((one.decided.statement, one.told, one.own_appeals))
            assert NOTIFIER.name.encode() not in told
            assert NOTIFIER.contact.encode() not in told

    @invariant()
    def inv_20_replaying_the_facts_gives_the_same_record(self) -> None:
        facts = self.store.facts_of(ANN)
        assert fold(ANN, [decode(encode(fact)) for fact in facts]) == self.record

    @invariant()
    def inv_22_an_export_fits_its_schema_and_holds_nobodys_data(self) -> None:
        for one in self.record.decisions:
            if one.id not in self.exported:
                self.exported.add(one.id)
                export = exported(one, CHANNELS)
                if export is not None:
                    FITS.validate(export)
                written = json.dumps(export)
                assert not any(canary in written for canary in (SAID, NOTIFIER.name, NOTIFIER.contact, f'"{ANN}"'))

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
    def the_quality_that_is_kept_up_is_that_of_all_records(self) -> None:
        self.measured = measured(self.store, self.measured)
        accounts = {fact.account for fact in self.store.facts()}
        shown = sum((signs(fold(each, self.store.facts_of(each))) for each in accounts), Counter())
        assert self.measured.quality == measured(self.store).quality == quality(shown)

    def teardown(self) -> None:
        """Invariant 2: the whole ledger verifies."""
        if hasattr(self, "log"):
            assert verify(self.log.read, str(KEY.verifier)).problems == ()
            assert all(isinstance(fact, Decided) for fact in self.store.facts([Decided]))


def whole(version: Version) -> Version:
    """Without its measures, whose ends later facts settle."""
    return msgspec.structs.replace(version, measures=())


def near(said: datetime | None, measure: Measure) -> bool:
    """The public reads ends rounded up to the hour; a measure that lasts until a condition may end sooner."""
    if said is None or measure.end is None:
        return measure.end is None or (said is None and bool(measure.until))
    return measure.end <= said and (bool(measure.until) or said < measure.end + timedelta(hours=1))


Invariants.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestInvariants = Invariants.TestCase
