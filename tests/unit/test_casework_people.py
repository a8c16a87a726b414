"""What people may do to a record, and what it refuses: cases, appeals, corrections, reversals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace
from test_casework_decide import LADDER, START, Case, agreement, clause, days

from comity.agreement.ladders import ChoiceError, read_choice
from comity.casework import amend, appeal, review
from comity.casework.case_facts import CaseClosed, CaseKind, CaseOpened, Informed, Noticed
from comity.casework.facts import (
    Appealed,
    AppealOutcome,
    AppealsPutOff,
    Decided,
    Fact,
    How,
    Joined,
    OutcomeGiven,
    Party,
    Recomputed,
    decode,
    encode,
)
from comity.casework.printing import as_text
from comity.casework.record import fold, standing
from comity.casework.recorded import Recorded
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.casework.severity import is_milder
from comity.casework.step import Circumstances, Confirmed
from comity.casework.wording import sections
from comity.model.agreement import Agreement
from comity.model.clause import Kind
from comity.model.ids import (
    AccountId,
    AppealId,
    CaseId,
    Channel,
    ClauseId,
    DecisionId,
    Digest,
    MessageId,
    NoticeId,
    ReviewerId,
)
from comity.model.measure import State
from comity.model.message import Message
from comity.model.statement import Breach, Origin

ANN, MARA, NOOR = AccountId("ann"), ReviewerId("mara"), ReviewerId("noor")
POSTS = Channel("posts")


class Record(Case):
    """A record that people work on."""

    def version_of(self, digest: Digest) -> Agreement | None:
        return self.rules if digest == self.rules.digest else None

    def keep(self, facts: Iterable[Fact]) -> tuple[Fact, ...]:
        kept = tuple(facts)
        self.facts += kept
        return kept

    @property
    def last(self) -> Recorded:
        return self.record.decisions[-1]

    def reported(self, *, sent: datetime, clause_: str = "spam") -> tuple[CaseId, Confirmed]:
        """A notice, and what a reviewer would confirm."""
        message = Message(id=MessageId(f"n{len(self.facts)}"), author=ANN, channel=POSTS, text="x", sent=sent)
        case = CaseId(f"c{len(self.facts):030x}0")
        notice = Noticed(
            account=ANN,
            at=sent,
            notice=NoticeId(f"notice of {case}"),
            case=case,
            message=message,
            origin=Origin.USER,
            where="",
            why="spam",
            good_faith=True,
        )
        self.keep([CaseOpened(account=ANN, at=sent, case=case, why="Reported."), notice])
        breach = Breach(
            source="",
            message=message.id,
            channel=POSTS,
            sent=sent,
            clause=ClauseId(clause_),
            agreement=self.rules.digest,
            origin=Origin.USER,
        )
        asked = self.rules.clause(breach.clause)
        return case, Confirmed(clause=asked, breach=breach, message=message, agreement=self.rules)

    def deciding(self, case: CaseId, by: ReviewerId = MARA) -> Deciding:
        known = self.record.case(case)
        return Deciding(case=case, version=known.version if known else 0, by=by, why="Because.")

    def given(self, at: datetime) -> Circumstances:
        number = len(self.facts)
        return Circumstances(
            at=at,
            decision=DecisionId(f"d{number:031x}"),
            case=CaseId(f"e{number:030x}0"),
            delivery=self.delivery,
        )

    def confirm(
        self, case: CaseId, *confirmed: Confirmed, at: datetime, instead: str | None = None
    ) -> tuple[Fact, ...]:
        rows = None if instead is None else read_choice(instead, self.rules)
        return self.keep(
            review.confirm(self.record, self.deciding(case), confirmed, self.given(at), self.version_of, rows)
        )

    def appealed(self, decision: DecisionId, at: datetime) -> AppealId:
        fact = Appealed(
            account=ANN,
            at=at,
            appeal=AppealId(f"a{len(self.facts)}"),
            decision=decision,
            party=Party.ACCOUNT,
            text="No.",
        )
        self.keep(appeal.file(self.record, fact, self.rules.appeal_window))
        return fact.appeal

    def outcome(
        self, of: AppealId, outcome: AppealOutcome, *, by: ReviewerId = NOOR, at: datetime, instead: str | None = None
    ) -> tuple[Fact, ...]:
        filed = self.record.appeal(of)
        assert filed is not None
        given = OutcomeGiven(
            account=ANN, at=at, appeal=of, decision=filed.filed.decision, outcome=outcome, by=by, why="So."
        )
        rows = None if instead is None else read_choice(instead, self.rules)
        return self.keep(appeal.give_outcome(self.record, given, rows, self.version_of))


@pytest.fixture
def ann() -> Iterator[Record]:
    """After each test, its facts are read back as they were written, and fold to the same record."""
    one = Record(agreement(clause("spam") + clause("threats", "points=2")))
    yield one
    assert fold(ANN, [decode(encode(fact)) for fact in one.facts]) == one.record


def kinds(facts: Iterable[Fact]) -> list[Kind]:
    return [measure.kind for fact in facts if isinstance(fact, Decided) for measure in fact.measures]


def test_a_person_takes_the_ladders_row_and_every_notifier_hears(ann: Record) -> None:
    ann.breach("spam")
    case, breach = ann.reported(sent=START + days(1))
    facts = ann.confirm(case, breach, at=START + days(2))
    assert kinds(facts) == [Kind.REMOVE, Kind.SUSPEND]
    assert [type(fact) for fact in facts[-2:]] == [Informed, CaseClosed]
    assert ann.last.decided.by == MARA
    assert ann.record.open_cases == ()


def test_10_a_person_may_choose_milder_and_nothing_harsher(ann: Record) -> None:
    ann.breach("spam")
    case, breach = ann.reported(sent=START + days(1))
    with pytest.raises(RefusedError, match="harsher"):
        ann.confirm(case, breach, at=START + days(2), instead="suspend | all | 3 days")
    facts = ann.confirm(case, breach, at=START + days(2), instead="suspend | posts | 3 days")
    assert kinds(facts) == [Kind.SUSPEND]
    assert ann.last.decided.is_milder


@pytest.mark.parametrize("text", ["banish | posts | 3 days", "suspend | nowhere | 3 days", "suspend | posts", "|||"])
def test_measures_that_nobody_can_read_are_refused(ann: Record, text: str) -> None:
    with pytest.raises(ChoiceError):
        read_choice(text, ann.rules)


def test_11_messages_from_before_and_after_a_statement_are_two_steps(ann: Record) -> None:
    ann.breach("spam")
    case, early = ann.reported(sent=START + timedelta(seconds=1), clause_="threats")
    _, late = ann.reported(sent=START + days(1))
    facts = ann.confirm(case, early, late, at=START + days(2))
    graver, new = [fact for fact in facts if isinstance(fact, Decided)]
    assert (graver.step, new.step) == (1, 2)
    assert [points.count for points in graver.points] == [1]
    assert graver.decision != new.decision


def test_8_what_is_decided_is_not_decided_twice(ann: Record) -> None:
    case, breach = ann.reported(sent=START)
    ann.confirm(case, breach, at=START + days(1))
    again, _ = ann.reported(sent=START + days(2))
    facts = ann.confirm(again, breach, at=START + days(2))
    assert not any(isinstance(fact, Decided | Joined) for fact in facts)


def test_24_a_case_that_changed_is_not_decided(ann: Record) -> None:
    case, breach = ann.reported(sent=START)
    read = ann.deciding(case)
    ann.keep(review.escalate(ann.record, case, NOOR, "Hard.", START))
    with pytest.raises(RefusedError, match="changed"):
        review.confirm(ann.record, read, [breach], ann.given(START), ann.version_of)


def test_a_person_who_confirms_says_why(ann: Record) -> None:
    case, breach = ann.reported(sent=START)
    with pytest.raises(RefusedError, match="a reason is missing"):
        review.confirm(ann.record, replace(ann.deciding(case), why=" "), [breach], ann.given(START), ann.version_of)


def test_a_claimed_case_is_one_reviewers_until_the_claim_ends(ann: Record) -> None:
    case, breach = ann.reported(sent=START)
    ann.keep(review.claim(ann.record, case, NOOR, START, START + timedelta(minutes=30)))
    with pytest.raises(RefusedError, match="noor works on"):
        review.confirm(ann.record, ann.deciding(case), [breach], ann.given(START), ann.version_of)
    assert kinds(ann.confirm(case, breach, at=START + timedelta(minutes=30))) == [Kind.WARN]


def test_a_person_may_go_where_a_rule_must_stop(ann: Record) -> None:
    for day in range(0, 120, 20):
        ann.breach("threats", after=days(day) / 20)
    assert all(each.kind is not Kind.TERMINATE for one in ann.record.decisions for each in one.measures)
    case = ann.record.open_case(CaseKind.CEILING)
    assert case is not None
    about = ann.record.decision(case.opened.about or DecisionId(""))
    assert about is not None
    message = Message(id=about.breaches[0].message, author=ANN, channel=POSTS, text="x", sent=about.breaches[0].sent)
    breach = Confirmed(
        clause=ann.rules.clause(ClauseId("threats")), breach=about.breaches[0], message=message, agreement=ann.rules
    )
    facts = ann.confirm(case.id, breach, at=START + days(10))
    assert Kind.TERMINATE in kinds(facts)
    replaced = ann.record.decision(about.id)
    assert replaced is not None
    assert not replaced.is_live
    assert ann.last.decided.step == about.decided.step


def test_14_a_reversal_makes_later_decisions_milder_and_never_harsher(ann: Record) -> None:
    ann.breach("spam")
    first = ann.last.id
    ann.breach("spam", after=days(1))
    before = ann.last
    assert standing(ann.record, POSTS, START + days(2)).state is State.CUT
    facts = ann.outcome(ann.appealed(first, START + days(2)), AppealOutcome.REVERSED, at=START + days(3))
    assert [fact.because for fact in facts if isinstance(fact, Recomputed)] == [first]
    assert is_milder(ann.last.foreseen, before.measures)
    assert standing(ann.record, POSTS, START + days(3)).state is State.OPEN
    assert standing(ann.record, POSTS, START + days(2)).state is State.CUT


@pytest.mark.parametrize("taker", [MARA, NOOR])
def test_16_whoever_took_part_does_not_decide_the_appeal(ann: Record, taker: ReviewerId) -> None:
    case, breach = ann.reported(sent=START)
    ann.keep(review.claim(ann.record, case, NOOR, START, START + timedelta(minutes=1)))
    ann.confirm(case, breach, at=START + days(1))
    filed = ann.appealed(ann.last.id, START + days(2))
    with pytest.raises(RefusedError, match="took part"):
        ann.outcome(filed, AppealOutcome.UPHELD, by=taker, at=START + days(3))
    assert ann.outcome(filed, AppealOutcome.UPHELD, by=ReviewerId("ada"), at=START + days(3))


def test_15_appeals_are_taken_for_all_of_the_window_and_refused_after(ann: Record) -> None:
    ann.breach("spam")
    (first,) = ann.record.decisions
    assert first.delivered is not None
    closes = appeal.last_moment(ann.record, first.delivered, ann.rules.appeal_window, Party.ACCOUNT)
    assert closes > first.delivered + days(184)
    with pytest.raises(RefusedError, match="time to appeal ended"):
        ann.appealed(first.id, closes)
    ann.keep(
        appeal.put_off(
            ann.record,
            AppealsPutOff(
                account=ANN, at=START + days(9), party=Party.ACCOUNT, until=START + days(19), by=MARA, why="Flood."
            ),
        )
    )
    ann.appealed(first.id, closes + days(9))
    with pytest.raises(RefusedError, match="one a party"):
        ann.appealed(first.id, START + days(2))


def test_an_appeal_that_waits_too_long_pauses_the_measure(ann: Record) -> None:
    ann.breach("threats")
    ann.breach("threats", after=days(1))
    measured = ann.last
    ann.appealed(measured.id, START + days(1))
    due = measured.decided.decide_within.after(START + days(1))
    (cut,) = [each for each in ann.last.measures if each.kind is Kind.SUSPEND]
    assert cut.is_active(START + days(2))
    assert cut.is_paused(due)
    assert not cut.is_paused(due - timedelta(microseconds=1))


def test_5_a_correction_never_hardens(ann: Record) -> None:
    ann.breach("threats")
    with pytest.raises(RefusedError, match="harsher"):
        amend.correct(
            ann.record,
            ann.last.id,
            MARA,
            "Longer.",
            START + days(1),
            rows=read_choice("remove, suspend | posts | 8 days", ann.rules),
            version_of=ann.version_of,
        )
    rows = read_choice("remove, suspend | posts | 2 days", ann.rules)
    ann.keep(
        amend.correct(ann.record, ann.last.id, MARA, "Shorter.", START + days(1), rows=rows, version_of=ann.version_of)
    )
    assert standing(ann.record, POSTS, START + days(1)).state is State.CUT
    assert standing(ann.record, POSTS, START + days(2)).state is State.OPEN


def test_12_lifting_one_measure_changes_no_other(ann: Record) -> None:
    ann.breach("threats")
    first = ann.last.id
    ann.breach("threats", after=days(1))
    second = ann.last
    ann.keep(amend.lift(ann.record, first, MARA, "Enough.", START + days(1)))
    assert ann.record.decision(second.id) == second
    with pytest.raises(RefusedError, match="no measure"):
        amend.lift(ann.record, first, MARA, "Again.", START + days(2))


def test_13_what_was_undone_is_never_active_again(ann: Record) -> None:
    ann.breach("threats")
    decision = ann.last.id
    ann.keep(amend.undo(ann.record, (decision,), "undo", MARA, "Bad rule.", START + days(1), ann.version_of))
    assert standing(ann.record, POSTS, START + days(1)).state is State.OPEN
    with pytest.raises(RefusedError, match="reversed"):
        amend.lift(ann.record, decision, MARA, "Why not.", START + days(2))
    assert ann.kinds("spam", after=days(2)) == ["warn"]


def test_23_a_notifier_who_appeals_a_dismissal_and_is_right_opens_the_case_again(ann: Record) -> None:
    case, breach = ann.reported(sent=START)
    deciding = ann.deciding(case)
    dismissed, told, _ = ann.keep(review.dismiss(ann.record, deciding, ann.given(START), ann.version_of))
    assert isinstance(told, Informed)
    fact = Appealed(
        account=ANN,
        at=START + days(1),
        appeal=AppealId("a"),
        decision=told.decision,
        party=Party.NOTIFIER,
        notice=told.notice,
        text="It is spam.",
    )
    ann.keep(appeal.file(ann.record, fact, None))
    with pytest.raises(RefusedError, match="took part"):
        ann.outcome(fact.appeal, AppealOutcome.REVERSED, by=MARA, at=START + days(2))
    ann.outcome(fact.appeal, AppealOutcome.REVERSED, at=START + days(2))
    assert [each.id for each in ann.record.open_cases] == [case]
    assert kinds(ann.confirm(case, breach, at=START + days(3))) == [Kind.WARN]
    assert dismissed in ann.facts


def too_mild(ann: Record, instead: str | None) -> tuple[Confirmed, Appealed]:
    """A breach that was confirmed, and the appeal of whoever had reported it."""
    case, breach = ann.reported(sent=START, clause_="threats")
    told = next(fact for fact in ann.confirm(case, breach, at=START, instead=instead) if isinstance(fact, Informed))
    return breach, Appealed(
        account=ANN,
        at=START + days(1),
        appeal=AppealId("a"),
        decision=told.decision,
        party=Party.NOTIFIER,
        notice=told.notice,
        text="canary",
    )


def test_a_notifier_does_not_appeal_where_all_was_done_that_the_agreement_foresees(ann: Record) -> None:
    _, filed = too_mild(ann, None)
    with pytest.raises(RefusedError, match="what the agreement foresees"):
        appeal.file(ann.record, filed, None)


def test_a_notifier_who_appeals_what_is_too_mild_and_is_right_has_it_decided_anew(ann: Record) -> None:
    breach, filed = too_mild(ann, "warn")
    ann.keep(appeal.file(ann.record, filed, None))
    with pytest.raises(RefusedError, match="milder"):
        ann.outcome(filed.appeal, AppealOutcome.VARIED, at=START + days(2), instead="")
    ann.outcome(filed.appeal, AppealOutcome.REVERSED, at=START + days(2))
    assert kinds([ann.last.decided]) == [Kind.WARN]
    assert ann.last.is_live
    (case,) = ann.record.open_cases
    facts = ann.confirm(case.id, breach, at=START + days(3))
    assert Kind.SUSPEND in kinds(facts)
    assert any(isinstance(fact, Informed) for fact in facts)
    assert [one.is_live for one in ann.record.decisions] == [False, True]


def test_a_notifier_who_was_right_about_a_decision_that_was_reversed_since_opens_no_case(ann: Record) -> None:
    _, filed = too_mild(ann, "warn")
    ann.keep(appeal.file(ann.record, filed, None))
    ann.outcome(ann.appealed(ann.last.id, START + days(1)), AppealOutcome.REVERSED, at=START + days(2))
    ann.outcome(filed.appeal, AppealOutcome.REVERSED, at=START + days(2))
    assert ann.record.open_cases == ()


def test_19_the_account_learns_nothing_of_a_notifiers_appeal(ann: Record) -> None:
    _, fact = too_mild(ann, "")
    ann.keep(appeal.file(ann.record, fact, None))
    ann.outcome(fact.appeal, AppealOutcome.UPHELD, at=START + days(2))
    zone = ZoneInfo("UTC")
    shown = as_text("", sections(ann.last, zone=zone, appeal_window=None))
    assert "canary" not in shown
    assert "Your appeal" not in shown


def test_an_outcome_that_varies_takes_only_what_is_milder(ann: Record) -> None:
    ann.breach("threats")
    filed = ann.appealed(ann.last.id, START + days(1))
    with pytest.raises(RefusedError, match="harsher"):
        ann.outcome(filed, AppealOutcome.VARIED, at=START + days(1), instead="suspend | all | 7 days")
    ann.outcome(filed, AppealOutcome.VARIED, at=START + days(1), instead="suspend | posts | 2 days")
    assert standing(ann.record, POSTS, START + days(2)).state is State.OPEN
    with pytest.raises(RefusedError, match="decided already"):
        ann.outcome(filed, AppealOutcome.UPHELD, at=START + days(3))


def test_an_appeal_that_is_too_much_is_refused_with_what_is_too_much(ann: Record) -> None:
    ann.breach("spam")
    plain = Appealed(account=ANN, at=START, appeal=AppealId("a"), decision=ann.last.id, party=Party.ACCOUNT, text="No.")
    long = msgspec.structs.replace(plain, text="x" * (appeal.LONGEST_TEXT + 1))
    for each, why in ((long, "50,001 characters"), (msgspec.structs.replace(plain, text=" "), "empty")):
        with pytest.raises(RefusedError, match=why):
            appeal.file(ann.record, each, None)


def test_13_a_case_left_open_does_not_bring_back_what_was_reversed() -> None:
    ladder = LADDER.replace("| 1 | warn | | |", "| 1 | suspend | all | until reviewed |")
    ann = Record(agreement(clause("spam"), ladder=ladder))
    ann.breach("spam")
    case = ann.record.open_case(CaseKind.UNTIL_REVIEWED)
    assert case is not None
    _, breach = ann.reported(sent=START)
    again = replace(breach, breach=ann.last.decided.breaches[0])
    ann.outcome(ann.appealed(ann.last.id, START), AppealOutcome.REVERSED, at=START + days(1))
    with pytest.raises(RefusedError, match="reversed"):
        ann.confirm(case.id, again, at=START + days(2))
    ann.keep(review.dismiss(ann.record, ann.deciding(case.id), ann.given(START + days(2)), ann.version_of))
    assert standing(ann.record, POSTS, START + days(2)).state is State.OPEN


def test_a_measure_until_reviewed_ends_when_somebody_has_looked() -> None:
    ladder = LADDER.replace("| 1 | warn | | |", "| 1 | suspend | all | until reviewed |")
    ann = Record(agreement(clause("spam"), ladder=ladder))
    ann.breach("spam")
    case = ann.record.open_case(CaseKind.UNTIL_REVIEWED)
    assert case is not None
    ann.confirm(case.id, at=START + days(1))
    assert standing(ann.record, POSTS, START + days(1)).state is State.OPEN


def delayed(*, upheld: bool | None, files: float, decides: float = 20) -> Record:
    """From day 0 on Ann knows that she may not post for 2 days from day 3 on; she appeals, and somebody decides."""
    rows = (
        "\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | suspend | posts | after 3 days: 2 days |\n"
    )
    ann = Record(agreement(clause("spam"), ladder=rows), delivery=None)
    ann.breach("spam")
    ann.keep(amend.deliver(ann.record, ann.last.id, How.LINK, START))
    filed = ann.appealed(ann.last.id, START + days(files))
    if upheld is not None:
        ann.outcome(filed, AppealOutcome.UPHELD if upheld else AppealOutcome.REVERSED, at=START + days(decides))
    return ann


def cut(ann: Record, *at: float) -> list[bool]:
    return [standing(ann.record, POSTS, START + days(each)).state is State.CUT for each in at]


def test_an_appeal_from_before_a_delayed_measure_starts_holds_it_until_its_outcome() -> None:
    assert cut(delayed(upheld=None, files=2.9), 3, 4, 19, 400) == [False, False, False, False]
    assert cut(delayed(upheld=True, files=2.9), 3, 4, 19.9, 20, 21.9, 22) == [False, False, False, True, True, False]
    assert cut(delayed(upheld=False, files=2.9), 3, 4, 20, 21) == [False, False, False, False]


def test_an_appeal_that_is_decided_before_a_delayed_measure_starts_moves_nothing() -> None:
    assert cut(delayed(upheld=True, files=1, decides=2), 2, 2.9, 3, 4.9, 5) == [False, False, True, True, False]


def test_an_appeal_from_after_a_delayed_measure_started_holds_nothing() -> None:
    assert cut(delayed(upheld=None, files=3), 2.9, 3, 4.9, 5) == [False, True, True, False]


def test_5_an_appeal_never_makes_the_end_later_that_a_correction_has_told() -> None:
    ann = Record(delayed(upheld=None, files=1).rules, delivery=None)
    ann.breach("spam")
    ann.keep(amend.deliver(ann.record, ann.last.id, How.LINK, START))
    rows = read_choice("suspend | posts | after 3 days: 1 day", ann.rules)
    at, version_of = START + days(1), ann.version_of
    ann.keep(amend.correct(ann.record, ann.last.id, MARA, "A day.", at, rows=rows, version_of=version_of))
    filed = ann.appealed(ann.last.id, START + days(2))
    assert [each.end for each in ann.last.measures] == [START + days(4)]
    ann.outcome(filed, AppealOutcome.UPHELD, at=START + days(3.5))
    assert cut(ann, 3.4, 3.5, 3.9, 4) == [False, True, True, False]


def test_the_statement_says_that_an_appeal_holds_what_has_not_started() -> None:
    def read(ann: Record) -> str:
        return as_text("", sections(ann.last, zone=ZoneInfo("UTC"), appeal_window=None)).replace("\n", " ")

    waits = read(delayed(upheld=None, files=1))
    assert "If you appeal before a measure starts, it does not start until the appeal is decided." in waits
    assert "What had not started when you appealed does not start before it is decided." in waits
    assert "starts on" not in waits
    decided = read(delayed(upheld=True, files=1))
    assert "starts on 21 January 2026, 12:00 (UTC) and ends on 23 January 2026, 12:00 (UTC)." in decided
    assert "does not start before it is decided" not in decided
    assert "does not start before it is decided" not in read(delayed(upheld=None, files=4))
    assert "starts on" not in read(delayed(upheld=False, files=1, decides=2)), "it was over before it began"
