"""Two writers on one record, each stopped where it has decided and not yet written: every order has a defined result.

The writer that is overtaken keeps nothing. It reads the store again and decides anew, on the record as it is then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.agreement.load import load
from comity.casework.case_facts import Noticed
from comity.casework.facts import Appealed, AppealOutcome, HoldSet, How
from comity.casework.record import fold, standing
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.flow import amend, appeal, review
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.model.clause import Kind
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, ClauseId, DecisionId, MessageId, ReviewerId
from comity.model.measure import State
from comity.model.message import Message
from comity.ports import Answer, OvertakenError, Store, Version
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from comity.stores.world import CountedEntropy, FixedClock
from comity.testing.faults import OvertakenStore

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = SigningKey(name="example.org/log", seed=b"r" * 32)
ANN = AccountId("ann")
POSTS = Channel("posts")
MARA, NOOR, ADA, IDA = map(ReviewerId, ("mara", "noor", "ada", "ida"))
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

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | suspend | posts | 7 days |
| 2 | suspend | all | 30 days |
"""

Act = Callable[["Writer"], object]


class Record:
    """What all writers share: the store, the published log and the clock; and what was put into it first."""

    def __init__(self, folder: Path) -> None:
        self.store, self.clock, self.writers = SqliteStore(folder / "comity.db"), FixedClock(NOW - 2 * DAY), 0
        self.log = LogFolder(folder / "log")
        self.log.path.mkdir()
        self.log.write_vkey(KEY.verifier)
        recorder = Recorder(self.store, self.log, KEY, CountedEntropy("first"))
        recorder.begin(mode="live", operator="tests", at=NOW)
        recorder.publish_version(self.version(RULES), NOW)
        writer = self.writer()
        answer = writer.say("1", "spam")
        assert answer.statement is not None
        self.earlier: DecisionId = answer.statement
        amend.deliver(writer, self.earlier, How.LINK, self.clock.at)
        self.clock.at = NOW

    def version(self, text: str, effective: datetime = NOW - 9 * DAY) -> Version:
        agreement = load("rules.md", text.encode(), lambda _: None).agreement
        assert agreement is not None
        return version_of(agreement, name="rules.md", effective=effective)

    def writer(self, overtaken_by: Callable[[], object] | None = None) -> Writer:
        """One that has just read the store; the other act happens when it writes first."""
        self.writers += 1
        store = OvertakenStore(self.store, overtaken_by) if overtaken_by else self.store
        return Writer(self, store, CountedEntropy(f"writer {self.writers}"))


class Writer(Proceedings):
    """One reviewer's program."""

    def __init__(self, shared: Record, store: Store, entropy: CountedEntropy) -> None:
        self.shared, self.writes = shared, Recorder(store, shared.log, KEY, entropy)
        terms = Terms(mode="live", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
        super().__init__(store, self.writes, shared.clock, entropy, terms)

    def say(self, id_: str, text: str) -> Answer:
        (answer,) = self.take([self.message(id_, text)])
        return answer

    def message(self, id_: str, text: str) -> Message:
        at = self.shared.clock.at
        return Message(id=MessageId(id_), author=ANN, channel=POSTS, text=text, sent=at, source="s")


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Record]:
    record = Record(tmp_path)
    yield record
    demand_sound(record)
    record.store.close()


def demand_sound(shared: Record) -> None:
    """The ledger verifies, a replay is what a writer sees, and no case or breach has two live decisions."""
    report = verify(shared.log.read)
    assert report.is_fine
    assert report.size == shared.store.size
    record = shared.writer().record(ANN)
    assert record == fold(ANN, shared.store.facts_of(ANN))
    live = [one for one in record.decisions if one.is_live]
    breaches = [(each.message, each.clause) for one in live for each in one.breaches]
    assert len(breaches) == len(set(breaches))
    for case in record.cases:
        assert sum(one.decided.case == case.id for one in live) <= 1


def noticed(shared: Record) -> Noticed:
    """A case about a second message, for a reviewer."""
    return notice(shared.writer(), "2")


def notice(writer: Writer, id_: str, text: str = "an advertisement") -> Noticed:
    message = writer.message(id_, text)
    given = review.Notice(message=message, where="", why="Look.", good_faith=True, clause=ClauseId("spam"))
    return review.notice(writer, given, writer.shared.clock.at)


def appealed(shared: Record) -> Appealed:
    return appeal.file(shared.writer(), appeal.Complaint(decision=shared.earlier, text="No."), NOW)


def deciding(shared: Record, by: ReviewerId) -> Deciding:
    """On the case as it was when everybody began to read."""
    (case,) = shared.writer().record(ANN).cases
    return Deciding(case=case.id, version=2, by=by, why="It is one.")


def confirm(by: ReviewerId) -> Act:
    return lambda writer: review.confirm(writer, deciding(writer.shared, by), writer.shared.clock.at)


def dismiss(by: ReviewerId) -> Act:
    return lambda writer: review.dismiss(writer, deciding(writer.shared, by), writer.shared.clock.at)


def give_outcome(outcome: AppealOutcome, by: ReviewerId) -> Act:
    def act(writer: Writer) -> object:
        (waiting,) = writer.record(ANN).appeals
        return appeal.give_outcome(writer, waiting.filed.appeal, outcome, by, "So.", writer.shared.clock.at)

    return act


def correct(instead: str) -> Act:
    return lambda writer: amend.correct(
        writer, writer.shared.earlier, NOOR, "A word.", writer.shared.clock.at, instead=instead
    )


def lift(writer: Writer) -> object:
    return amend.lift(writer, writer.shared.earlier, NOOR, "Enough.", writer.shared.clock.at)


def complain(writer: Writer) -> object:
    return appeal.file(writer, appeal.Complaint(decision=writer.shared.earlier, text="No."), writer.shared.clock.at)


def report(writer: Writer) -> object:
    return notice(writer, "3")


def publish(effective: datetime) -> Act:
    milder = RULES.replace("| 2 | suspend | all | 30 days |", "| 2 | suspend | mail | 2 days |")
    return lambda writer: writer.writes.publish_version(writer.shared.version(milder, effective), NOW)


def raced(shared: Record, first: Act, second: Act) -> str:
    """`first` runs to its end after `second` has decided and before it writes; what comes of `second` then."""
    before = shared.store.position
    overtaken = shared.writer(overtaken_by=lambda: first(shared.writer()))
    with pytest.raises(OvertakenError):
        second(overtaken)
    kept = shared.store.position
    assert kept > before or len(shared.store.versions()) > 1
    try:
        second(shared.writer())
    except RefusedError as error:
        assert shared.store.position == kept
        return str(error)
    return "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """`result` of the overtaken act when it is tried anew; `measures` of the last decision then."""

    name: str
    first: Act
    second: Act
    result: str
    measures: tuple[str, ...]
    is_live: bool = True


MILD, GRAVE, NEW = ("suspend posts 7 days",), ("suspend posts+mail 30 days",), ("suspend mail 2 days",)
REVERSE, UPHOLD = give_outcome(AppealOutcome.REVERSED, ADA), give_outcome(AppealOutcome.UPHELD, IDA)
RACES = (
    Race(
        name="of two reviewers who confirm, the first decides and the second is told who did",
        first=confirm(MARA),
        second=confirm(NOOR),
        result="the case was closed by mara",
        measures=GRAVE,
    ),
    Race(
        name="who would dismiss what was just confirmed is told who decided",
        first=confirm(MARA),
        second=dismiss(NOOR),
        result="the case was closed by mara",
        measures=GRAVE,
    ),
    Race(
        name="who would confirm what was just dismissed is told who decided",
        first=dismiss(NOOR),
        second=confirm(MARA),
        result="the case was closed by noor",
        measures=MILD,
    ),
    Race(
        name="a point that was just reversed is not counted",
        first=REVERSE,
        second=confirm(MARA),
        result="kept",
        measures=MILD,
    ),
    Race(
        name="a reversal makes milder what was just decided with its point",
        first=confirm(MARA),
        second=REVERSE,
        result="kept",
        measures=MILD,
    ),
    Race(
        name="a point of a decision that was just corrected still counts",
        first=correct("suspend | posts | 3 days"),
        second=confirm(MARA),
        result="kept",
        measures=GRAVE,
    ),
    Race(
        name="a correction of an earlier decision leaves what was just decided as it is",
        first=confirm(MARA),
        second=correct("suspend | posts | 3 days"),
        result="kept",
        measures=GRAVE,
    ),
    Race(
        name="a version that was just published is used for a message that was sent when it was in force",
        first=publish(NOW),
        second=confirm(MARA),
        result="kept",
        measures=NEW,
    ),
    Race(
        name="a version that was just published does not reach back",
        first=publish(NOW + timedelta(hours=1)),
        second=confirm(MARA),
        result="kept",
        measures=GRAVE,
    ),
    Race(
        name="a version that is published after a decision changes nothing of it",
        first=confirm(MARA),
        second=publish(NOW),
        result="kept",
        measures=GRAVE,
    ),
    Race(
        name="who would decide a case to which a notice was just added reads it again",
        first=report,
        second=confirm(MARA),
        result="the case has changed since you read it (it is at version 3); read it again",
        measures=MILD,
    ),
    Race(
        name="a notice on a case that was just decided opens another case",
        first=confirm(MARA),
        second=report,
        result="kept",
        measures=GRAVE,
    ),
    Race(
        name="of two outcomes the first stands, reversed",
        first=REVERSE,
        second=UPHOLD,
        result="the appeal was decided already: reversed",
        measures=MILD,
        is_live=False,
    ),
    Race(
        name="of two outcomes the first stands, upheld",
        first=UPHOLD,
        second=REVERSE,
        result="the appeal was decided already: upheld",
        measures=MILD,
    ),
    Race(
        name="what was just reversed cannot be corrected",
        first=REVERSE,
        second=correct("suspend | posts | 3 days"),
        result="the decision was reversed or replaced already",
        measures=MILD,
        is_live=False,
    ),
    Race(
        name="what was just corrected can be reversed",
        first=correct("suspend | posts | 3 days"),
        second=REVERSE,
        result="kept",
        measures=("suspend posts 3 days",),
        is_live=False,
    ),
    Race(
        name="a second correction may only make milder what the first one left",
        first=correct("suspend | posts | 3 days"),
        second=correct("suspend | posts | 5 days"),
        result="that is harsher than the decision; anything harsher is a new decision with a new statement",
        measures=("suspend posts 3 days",),
    ),
    Race(
        name="a second correction makes milder still what the first one left",
        first=correct("suspend | posts | 5 days"),
        second=correct("suspend | posts | 3 days"),
        result="kept",
        measures=("suspend posts 3 days",),
    ),
    Race(
        name="of two who lift a measure the second is told that it has ended",
        first=lift,
        second=lift,
        result="no measure of that decision holds on any channel any more",
        measures=MILD,
    ),
)


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
def test_an_overtaken_writer_decides_anew_and(race: Race, shared: Record) -> None:
    noticed(shared)
    appealed(shared)
    assert raced(shared, race.first, race.second) == race.result
    last = shared.writer().record(ANN).decisions[-1]
    found = [f"{each.kind} {'+'.join(each.channels)} {each.length}" for each in last.foreseen if each.channels]
    assert tuple(found) == race.measures
    assert last.is_live == race.is_live


@pytest.mark.parametrize(("first", "second"), [(lift, complain), (complain, lift)], ids=["lift first", "appeal first"])
def test_lifting_neither_closes_an_appeal_nor_keeps_anybody_from_filing_one(
    first: Act, second: Act, shared: Record
) -> None:
    assert raced(shared, first, second) == "kept"
    record = shared.writer().record(ANN)
    assert [each.outcome for each in record.appeals] == [None]
    assert standing(record, POSTS, NOW).state is State.OPEN
    assert [id_ for id_, _ in shared.store.waiting()] == [record.appeals[0].filed.appeal]


def test_of_two_appeals_of_one_party_the_first_stands(shared: Record) -> None:
    assert raced(shared, complain, complain).startswith("an appeal of that party was filed already")


@pytest.mark.parametrize("expired", [False, True], ids=["while it is written", "before the message was sent"])
def test_a_point_counts_if_it_was_live_when_the_message_was_sent_though_it_expires(
    expired: bool, shared: Record
) -> None:
    end = NOW - 2 * DAY + 60 * DAY
    shared.clock.at = end if expired else end - timedelta(seconds=1)
    noticed(shared)

    def pass_time() -> None:
        shared.clock.at = end + timedelta(minutes=1)

    writer = shared.writer(overtaken_by=pass_time)
    confirm(MARA)(writer)
    last = shared.writer().record(ANN).decisions[-1]
    assert {channel for each in last.measures for channel in each.channels} == (
        {POSTS} if expired else {POSTS, Channel("mail")}
    )
    assert [each.kind for each in last.measures] == [Kind.SUSPEND]


def test_a_rule_and_a_reviewer_who_find_the_same_breach_make_one_decision(shared: Record) -> None:
    shared.clock.at = NOW + 40 * DAY
    notice(shared.writer(), "9", "spam")
    assert raced(shared, lambda writer: writer.say("9", "spam"), confirm(MARA)) == "kept"
    record = shared.writer().record(ANN)
    assert len(record.decisions) == 2
    assert record.open_cases == ()


def test_an_overtaken_writer_writes_no_more_and_a_new_one_goes_on(shared: Record) -> None:
    overtaken = shared.writer(overtaken_by=lambda: lift(shared.writer()))
    for attempt in (lift, complain):
        with pytest.raises(OvertakenError):
            attempt(overtaken)
    complain(shared.writer())
    assert len(shared.writer().record(ANN).appeals) == 1


def erase(writer: Writer) -> None:
    amend.erase(writer, ANN, writer.shared.clock.at, keep_hash=False)


def hold(writer: Writer) -> object:
    return writer.act([ANN], lambda _: [HoldSet(account=ANN, at=writer.shared.clock.at, by=MARA, why="A court asks.")])


def say_again(writer: Writer) -> object:
    return writer.say("7", "spam")


@pytest.mark.parametrize(
    ("act", "refusal"),
    [
        (hold, "a legal hold was set by mara: A court asks."),
        (complain, "an appeal waits for its outcome"),
        (report, "a case is open"),
        (say_again, "a measure on its channels has not ended yet"),
    ],
    ids=["a hold", "an appeal", "a notice", "a decision"],
)
def test_21_nothing_is_erased_that_is_needed_since_a_moment_ago(act: Act, refusal: str, shared: Record) -> None:
    shared.clock.at = NOW + 40 * DAY
    assert raced(shared, act, erase) == refusal
    assert shared.store.facts_of(ANN)[0].decision == shared.earlier


@pytest.mark.parametrize("act", [complain, correct("suspend | posts | 3 days")], ids=["an appeal", "a correction"])
def test_21_nothing_is_recorded_of_what_was_just_erased(act: Act, shared: Record) -> None:
    shared.clock.at = NOW + 40 * DAY
    overtaken_and_refused(shared, act)
    assert list(shared.store.facts_of(ANN)) == []


def test_21_who_was_just_erased_begins_anew(shared: Record) -> None:
    shared.clock.at = NOW + 40 * DAY
    overtaken = shared.writer(overtaken_by=lambda: erase(shared.writer()))
    with pytest.raises(OvertakenError):
        say_again(overtaken)
    assert list(shared.store.facts_of(ANN)) == []
    say_again(shared.writer())
    (one,) = shared.writer().record(ANN).decisions
    assert (one.decided.step, one.decided.counted) == (1, ())


def overtaken_and_refused(shared: Record, act: Act) -> None:
    overtaken = shared.writer(overtaken_by=lambda: erase(shared.writer()))
    with pytest.raises(OvertakenError):
        act(overtaken)
    with pytest.raises(RefusedError, match="was erased with its account's data"):
        act(shared.writer())
