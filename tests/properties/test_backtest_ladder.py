"""What a backtest counts beside the record is what the record says: events before a message, and who is cut when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from random import Random

import numpy as np
import pytest
from hypothesis import settings

from comity.agreement.load import load
from comity.casework.decide import Judged, decide
from comity.casework.record import Record, after, standing
from comity.casework.step import Circumstances
from comity.flow import ladder
from comity.flow.events import Events, counted_before
from comity.flow.ladder import Breaching, Gathered, decide_alike, follow
from comity.model.agreement import Agreement
from comity.model.duration import Duration, Unit
from comity.model.finding import Finding
from comity.model.ids import AccountId, CaseId, Channel, ClauseId, DecisionId, MessageId
from comity.model.measure import State
from comity.model.message import Message

BULK = settings().max_examples
START = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = Duration(count=1, unit=Unit.MINUTE)
TERMS = (
    "| 3 | remove, suspend | same | 2 days |",
    "| 4 | suspend | all | until reviewed |",
    "| 5 | suspend | all | until mended |",
)


SOURCE = "\n".join(
    [
        "---", "comity: 1", "title: T", "channels: [posts, mail]", "review_within: 3 days",
        "conditions: {mended: It is mended.}", "---", "# T",
        *("", "## A {#a}", "", "Do not.", "", "```rule", 'text.says("a")', "```"),
        *("", "## B {#b}", "", "Do not.", "", '```rule points=2 once="1 day"', 'text.says("b")', "```"),
        *("", "## M {#measures}", "", "| points | measure | channels | for |", "|---|---|---|---|"),
        *("| 1 | warn | | |", *TERMS),
    ]
)  # fmt: skip


def agreement() -> Agreement:
    return changed()


def changed(*changes: tuple[str, str]) -> Agreement:
    text = SOURCE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    loaded = load("a.md", text.encode(), {}.get).agreement
    assert loaded is not None
    return loaded


def test_versions_decide_alike_that_differ_in_rules_and_words_alone() -> None:
    other = changed(('says("a")', 'says("c")'), ("Do not.", "Do never."), ("## A {", "## Z {"))
    assert other.digest != agreement().digest
    assert decide_alike(agreement(), other)
    for one in (
        ("points=2", "points=3"),
        ('once="1 day"', 'once="2 days"'),
        ("| 3 | remove", "| 2 | remove"),
        ("2 days |", "3 days |"),
        ("review_within: 3", "review_within: 4"),
        ("[posts, mail]", "[posts]"),
        ('text.says("a")', "author.messages(days(1)) > 3"),
    ):
        assert not decide_alike(agreement(), changed(one)), one


def plainly_counted(events: Events, asked: Events) -> list[int]:
    rows = list(zip(*(each.tolist() for each in (events.authors, events.orders, events.times)), strict=True))
    questions = zip(*(each.tolist() for each in (asked.authors, asked.orders, asked.times)), strict=True)
    return [sum(a == author and o < order and t > time for a, o, t in rows) for author, order, time in questions]


def drawn(random: Random, count: int, *, in_order: bool) -> Events:
    orders = sorted(random.choices(range(12), k=count))
    times = [random.randrange(-20, 20) for _ in range(count)]
    return Events(
        authors=np.array(random.choices((-7, 1, 2, 900), k=count), dtype=np.int64),
        orders=np.array(orders, dtype=np.int64),
        times=np.array(sorted(times) if in_order else times, dtype=np.int64),
    )


def test_events_before_a_message_are_counted_exactly() -> None:
    for seed in range(10 * BULK):
        random = Random(seed)
        events = drawn(random, random.randrange(9), in_order=random.random() < 0.5)
        asked = drawn(random, random.randrange(6), in_order=False)
        assert counted_before(events, asked).tolist() == plainly_counted(events, asked), f"seed {seed}"


def messages(random: Random) -> list[Breaching]:
    at = (START - EPOCH) // timedelta(microseconds=1)
    made = []
    for row in range(random.randrange(1, 25)):
        at += random.choice((0, 1, 30, 600, 7200, 90_000, 400_000)) * 1_000_000
        late = random.choice((0, 0, 0, 0, 3600, 200_000)) * 1_000_000
        clauses = random.choice((("a",), ("b",), ("a", "b")))
        made.append(
            Breaching(at - late, Channel(random.choice(("posts", "mail"))), tuple(map(ClauseId, clauses)), 0, row)
        )
    return made


def by_the_record(version: Agreement, sent: Sequence[Breaching]) -> Iterator[bool]:
    """Whether each message is refused, as the record says by `standing`."""
    record = Record(account=AccountId("a"))
    for number, one in enumerate(sent):
        at = EPOCH + timedelta(microseconds=one.sent)
        is_refused = standing(record, one.channel, at).state is State.CUT
        yield is_refused
        if not is_refused:
            message = Message(id=MessageId("m"), author=record.account, channel=one.channel, text="", sent=at)
            findings = tuple(Finding(clause=clause) for clause in one.clauses)
            given = Circumstances(at=at, decision=DecisionId(str(number)), case=CaseId(str(number)), delivery=MINUTE)
            facts = decide(record, Judged(message=message, findings=findings, agreement=version), given)
            record = reduce(after, facts, record)


def refusals(seed: int) -> tuple[int, int]:
    version, sent = agreement(), messages(Random(seed))
    (course,) = follow(version, [(1, sent)], MINUTE)
    return course.refused, sum(by_the_record(version, sent))


def test_an_account_is_refused_when_its_standing_is_cut() -> None:
    every = [refusals(seed) for seed in range(2 * BULK)]
    assert all(one == other for one, other in every)
    assert sum(one for one, _ in every) > BULK


def test_a_cut_that_is_forgotten_too_soon_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "_earliest_left", lambda sent: [START + timedelta(days=3)] * len(sent))
    assert any(one != other for one, other in map(refusals, range(BULK)))


def test_of_too_many_accounts_half_are_followed() -> None:
    gathered = Gathered(most=100)
    for part in range(8):
        authors = np.arange(64, dtype=np.int64) * 977
        everything = np.ones(64, dtype=np.bool_)
        gathered.add(authors, authors, [(Channel("posts"), everything)], [(ClauseId("a"), everything)], part=part)
    followed = dict(gathered.accounts())
    assert 1 <= gathered.halvings <= 4
    assert sum(map(len, followed.values())) <= 100
    assert {len(sent) for sent in followed.values()} == {8}, "who is followed is followed throughout"
