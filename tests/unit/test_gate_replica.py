"""What a gate's replica answers: what the record says, on time, with nothing running; what it makes of bad proofs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from gate_centre import Rows
from msgspec.structs import replace
from test_flow_feed import ANN, MAIL, POLICY, POSTS, ROWS, Watched, encode_snapshot
from test_flow_record import DAY, NOW

from comity.casework.facts import HandleGiven
from comity.flow import amend
from comity.gates.answers import Allow, Deny, Limited, Unavailable, WhenStale
from comity.gates.kept import kept
from comity.gates.records import Records
from comity.gates.replica import Applied, DigestError, Manner, Replica
from comity.gates.snapshot import take
from comity.ledger.feed import FeedEntry, FeedError, FeedSnapshot, ProvenSpan, Skipped
from comity.ledger.policy import Policy
from comity.model.ids import AccountId, DecisionId, ReviewerId
from comity.model.measure import State
from comity.model.plan import Called, Planned, Span

MANNER = Manner(policy=POLICY)
SECOND = timedelta(seconds=1)


class Gate:
    """A replica and the alarms that it raised."""

    def __init__(self, watched: Watched, manner: Manner = MANNER) -> None:
        self.alarms: list[str] = []
        self.replica = Replica(manner, lambda _, text: self.alarms.append(text))
        self.watched, self.epoch = watched, "one"

    def load(self, at: datetime = NOW, spoil: Callable[[bytes], bytes] = lambda content: content) -> None:
        snapshot = encode_snapshot(replace(self.watched.feed.snapshot(), epoch=self.epoch))
        taken = take([spoil(snapshot)], self.watched.log.read, MANNER, at)
        old = self.replica.known
        is_new = old is not None and old.epoch != taken.known.epoch
        left = kept(self.replica.kept, old.records, taken.known.records) if old and is_new else self.replica.kept
        self.replica.swap(taken.known, left)

    def follow(self, at: datetime = NOW, spoil: Callable[[FeedEntry], FeedEntry] = lambda change: change) -> None:
        known = self.replica.known
        assert known is not None
        for change in self.watched.changes(known.cursor):
            self.replica.change(spoil(change), at)
        self.replica.beat(self.watched.feed.heartbeat(at), at)

    def state(self, at: datetime = NOW, channel: str = "posts", handle: str = "ann") -> type:
        return type(self.replica.check(channel, handle, at))


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def gate(watched: Watched) -> Gate:
    gate = Gate(watched)
    gate.load()
    gate.follow()
    return gate


def test_nothing_is_answered_before_a_snapshot(watched: Watched) -> None:
    answer = Gate(watched).replica.check("posts", "ann", NOW)
    assert answer == Unavailable(reason="this gate has not been told anything yet")


def test_a_cut_is_refused_with_reason_statement_and_link_until_it_ends(gate: Gate) -> None:
    statement = gate.watched.say("spam").statement
    assert statement is not None
    gate.follow()
    link = f"https://example.org/r/{statement}"
    expected = Deny(statement=statement, reason="“spam”", until=NOW + 2 * DAY, link=link)
    assert gate.replica.check("posts", "ann", NOW) == expected
    assert gate.replica.check("mail", "ann", NOW + 2 * DAY - SECOND) == expected
    assert gate.state(NOW + 2 * DAY) is Allow
    assert gate.state(NOW - SECOND) is Allow
    assert gate.state(handle="bob") is gate.state(channel="other") is Allow


def test_a_limit_lets_pass_as_much_as_it_says() -> None:
    gate = Gate(Watched("| 1 | limit to 3 an hour | posts | 2 days |"))
    gate.load()
    statement = gate.watched.say("spam").statement
    gate.follow()
    answer = gate.replica.check("posts", "ann", NOW)
    assert isinstance(answer, Limited)
    assert (answer.limit, answer.statement, answer.until) == ("3 an hour", statement, NOW + 2 * DAY)


def test_lifting_opens_and_erasing_empties(gate: Gate) -> None:
    for author, end in (("ann", amend.lift), ("bob", None)):
        statement = gate.watched.say("spam", author=author).statement
        assert statement is not None
        gate.follow()
        assert gate.state(handle=author) is Deny
        if end:
            end(gate.watched.proceedings, statement, ReviewerId("mara"), "A mistake.", NOW)
        else:
            gate.watched.store.erase(AccountId(author))
        gate.follow()
        assert gate.state(handle=author) is Allow
    assert gate.replica.known is not None
    assert len(gate.replica.known.records) == 0


def test_a_snapshot_is_what_the_changes_came_to(gate: Gate) -> None:
    for number in range(300):
        gate.watched.say("spam", author=f"a{number}")
    gate.follow()
    other = Gate(gate.watched)
    other.load()
    other.follow()
    assert other.alarms == gate.alarms == []
    known, loaded = gate.replica.known, other.replica.known
    assert known is not None
    assert loaded is not None
    assert (loaded.digest, loaded.cursor, loaded.unproven) == (known.digest, known.cursor, {})
    rows = list(known.records.rows())
    assert len(rows) == 600
    assert [loaded.records.planned(row) for row in rows] == [known.records.planned(row) for row in rows]


@pytest.mark.parametrize("size", [1, 3, 700, 1 << 16])
def test_a_snapshot_may_come_in_pieces_of_any_size(watched: Watched, size: int) -> None:
    for author in ("ann", 'b"},{"seq":0,"row":1', "c\\", "d},{"):
        watched.say("spam", author=author)
    content = encode_snapshot(watched.feed.snapshot())
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    assert len(take(chunks, watched.log.read, MANNER, NOW).known.records) == 8


SPOILS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("cut short", lambda content: content[: len(content) // 2]),
    ("without its end", lambda content: content[:-2]),
    ("nothing", lambda content: b""),
    ("garbage", lambda content: b"<html>it works</html>"),
    ("an entry missing", lambda content: content[: content.rindex(b',{"seq"')] + b"]}"),
    ("an empty list", lambda content: content[: content.index(b"[{") + 1] + b"]}"),
    (
        "an entry twice",
        lambda content: content.replace(b"[{", b"[" + content[content.rindex(b'{"seq"') : -2] + b",{", 1),
    ),
    ("another digest", lambda content: content.replace(b'"digest":"', b'"digest":"0')),
    ("an open end", lambda content: content.replace(b'"until":"2026-06-03T12:00:00Z"', b'"until":null', 1)),
    ("no time zone", lambda content: content.replace(b"2026-06-03T12:00:00Z", b"2026-06-03T12:00:00")),
    ("a row beyond", lambda content: content.replace(b'"row":1,', b'"row":4000000000,')),
)


@pytest.mark.parametrize("spoil", [spoil for _, spoil in SPOILS], ids=[name for name, _ in SPOILS])
def test_a_snapshot_that_is_wrong_changes_nothing(gate: Gate, spoil: Callable[[bytes], bytes]) -> None:
    gate.watched.say("spam")
    gate.follow()
    gate.watched.say("spam", author="bob")
    with pytest.raises(FeedError):
        gate.load(spoil=spoil)
    assert gate.state() is Deny
    assert gate.state(handle="bob") is Allow


def test_a_change_out_of_order_is_refused_and_one_told_twice_is_no_news(gate: Gate) -> None:
    gate.watched.say("spam")
    first, second = gate.watched.changes()
    with pytest.raises(FeedError, match="change 2 came after 0"):
        gate.replica.change(second, NOW)
    for change in (first, first, second, first):
        gate.replica.change(change, NOW)
    gate.replica.beat(gate.watched.feed.heartbeat(NOW), NOW)


def test_changes_of_other_channels_are_passed_over_without_a_gap(gate: Gate) -> None:
    known = gate.replica.known
    assert known is not None
    for wrong in (Skipped(since=2, seq=3), Skipped(since=1, seq=10_001), Skipped(since=-(2**60), seq=2**60)):
        with pytest.raises(FeedError):
            gate.replica.change(wrong, NOW)
    gate.watched.say("spam")
    first = gate.watched.changes()[0]
    for wrong in (replace(first, seq=3, skips=1), replace(first, skips=-1), replace(first, seq=10_001, skips=10_000)):
        with pytest.raises(FeedError):
            gate.replica.change(wrong, NOW)
    assert known.cursor == 0
    for told, cursor in ((Skipped(since=1, seq=3), 3), (Skipped(since=2, seq=3), 3), (Skipped(since=3, seq=5), 5)):
        gate.replica.change(told, NOW)
        assert known.cursor == cursor


def test_what_does_not_add_up_is_noticed_at_the_next_heartbeat(gate: Gate) -> None:
    gate.watched.say("spam")

    def longer(change: FeedEntry) -> FeedEntry:
        return replace(change, plan=tuple(replace(span, until=NOW + DAY) for span in change.plan))

    with pytest.raises(DigestError):
        gate.follow(spoil=longer)
    assert gate.replica.counts["alarm digest"] == 1


def with_span(**changes: object) -> Callable[[FeedEntry], FeedEntry]:
    return lambda change: replace(change, plan=tuple(replace(span, **changes) for span in change.plan))


def test_an_unproven_cut_holds_for_a_while_and_is_then_lifted_with_an_alarm(gate: Gate) -> None:
    gate.watched.say("spam")
    gate.follow(spoil=with_span(proof=None))
    end = NOW + MANNER.grace
    assert gate.replica.counts["alarm no proof"] == 2
    assert gate.state(end - SECOND) is Deny
    gate.replica.sweep(end - SECOND)
    assert gate.replica.counts["alarm unproven"] == 0
    assert gate.state(end) is Allow
    for _ in range(2):
        gate.replica.sweep(end)
    assert gate.replica.counts["alarm unproven"] == 1


def applied(gate: Gate, change: FeedEntry) -> Applied:
    told = gate.replica.apply(change, NOW)
    assert told is not None
    return told


def test_a_cut_is_in_force_before_its_proof_is_looked_at_and_then_for_a_while_without(gate: Gate) -> None:
    gate.watched.say("spam")
    known, rows = gate.replica.known, list[int]()
    assert known is not None
    gate.replica.watcher = Rows(rows.append)
    proven, bare = gate.watched.changes()
    told = [applied(gate, proven), applied(gate, with_span(proof=None)(bare))]
    assert gate.state(channel="posts") is gate.state(channel="mail") is Deny
    assert (known.unproven, gate.alarms, rows) == ({}, [], [1, 2])
    for _ in range(2):  # each is looked at once
        for one in told:
            gate.replica.prove(one)
    assert [one.believed for one in told] == [None, NOW + MANNER.grace]
    assert known.unproven == {2: NOW + MANNER.grace}
    assert (len(gate.alarms), rows) == (1, [1, 2, 2])
    assert gate.state(NOW + MANNER.grace, str(bare.channel)) is Allow


def test_what_is_no_longer_believed_does_not_hold_again_when_it_is_told_again(gate: Gate) -> None:
    gate.watched.say("spam")
    gate.follow(spoil=with_span(proof=None))
    late = NOW + MANNER.grace
    bare = with_span(proof=None)(replace(gate.watched.changes()[0], seq=3))
    told = gate.replica.apply(bare, late)
    assert told is not None
    assert told.believed == late
    assert gate.state(late) is Allow


def test_a_proof_of_which_nobody_can_be_told_is_not_taken_for_one(gate: Gate) -> None:
    gate.watched.say("spam")
    told = applied(gate, with_span(proof=None)(gate.watched.changes()[0]))

    def full(*_: str) -> None:
        raise OSError("no space left")

    gate.replica.alarm = full
    with pytest.raises(OSError, match="no space"):
        gate.replica.prove(told)
    gate.replica.prove(told)
    assert gate.replica.known is not None
    assert told.believed == NOW + MANNER.grace
    assert gate.replica.known.unproven == {1: NOW + MANNER.grace}


def test_a_proof_is_not_looked_at_when_something_else_is_known_by_then(gate: Gate) -> None:
    gate.watched.say("spam")
    told = applied(gate, with_span(proof=None)(gate.watched.changes()[0]))
    gate.load()
    gate.replica.prove(told)
    assert gate.replica.known is not None
    assert (gate.replica.known.unproven, gate.alarms) == ({}, [])


def test_without_grace_nothing_is_in_force_before_its_proof_holds(gate: Gate) -> None:
    gate.replica.manner = Manner(policy=POLICY, grace=timedelta())
    rows = list[int]()
    gate.replica.watcher = Rows(rows.append)
    gate.watched.say("spam")
    proven, bare = gate.watched.changes()
    applied(gate, proven)
    applied(gate, with_span(proof=None)(bare))
    states = {gate.state(channel=str(one.channel)) for one in (proven, bare)}
    assert states == {Allow, Deny}
    assert (len(gate.alarms), rows) == (1, [1, 2])


@pytest.mark.parametrize("proof", [True, False])
def test_a_proof_is_looked_at_before_the_next_change_of_the_same_row(gate: Gate, *, proof: bool) -> None:
    gate.watched.say("spam")
    first = gate.watched.changes()[0]
    told = applied(gate, first if proof else with_span(proof=None)(first))
    later = applied(gate, replace(with_span(proof=None, until=NOW + DAY)(first), seq=2))
    gate.replica.prove(later)
    assert gate.replica.known is not None
    expected = None if proof else NOW + MANNER.grace
    assert (told.believed, later.believed) == (expected, expected)
    assert gate.replica.known.unproven == ({} if proof else {first.row: NOW + MANNER.grace})


def test_telling_it_again_without_a_proof_earns_no_more_belief_and_a_proof_ends_the_doubt(gate: Gate) -> None:
    gate.watched.say("spam")
    gate.follow(spoil=with_span(proof=None))
    known = gate.replica.known
    assert known is not None
    later = NOW + timedelta(minutes=5)
    bare = FeedEntry(seq=3, row=1, account=ANN, channel=MAIL, plan=gate.watched.changes()[0].plan)
    gate.replica.change(with_span(proof=None)(bare), later)
    assert known.unproven == {1: NOW + MANNER.grace, 2: NOW + MANNER.grace}
    unread = take([encode_snapshot(gate.watched.feed.snapshot())], lambda _: None, MANNER, later).known
    assert unread.unproven == {1: later + MANNER.grace, 2: later + MANNER.grace}
    unread.remember(known)
    assert unread.unproven == known.unproven
    gate.load(later)
    assert gate.replica.known is not None
    assert gate.replica.known.unproven == {}


def test_what_was_proven_stays_so_when_it_is_told_again_without_a_proof_or_made_shorter(gate: Gate) -> None:
    gate.watched.say("spam")
    gate.follow()
    known = gate.replica.known
    assert known is not None
    (span,) = (replace(each, proof=None) for each in gate.watched.changes()[0].plan)
    told = FeedEntry(seq=3, row=1, account=ANN, channel=MAIL, plan=(span,))
    gate.replica.change(told, NOW)
    shorter = replace(span, until=NOW + DAY)
    gate.replica.change(replace(told, seq=4, plan=(shorter,)), NOW)
    assert known.unproven == {}
    assert gate.state(NOW + DAY - SECOND, channel="mail") is Deny
    unread = take([encode_snapshot(gate.watched.feed.snapshot())], lambda _: None, MANNER, NOW).known
    unread.remember(known)
    assert unread.unproven.keys() == {1}  # it was made longer again
    for seq, longer in enumerate(
        (
            replace(shorter, until=None),
            replace(shorter, start=shorter.start - SECOND),
            replace(shorter, statement=DecisionId("0" * 32)),
        ),
        start=5,
    ):
        gate.replica.change(replace(told, seq=seq, plan=(longer,)), NOW)
        assert known.unproven.pop(1) == NOW + MANNER.grace
        known.records.put(1, replace_plan(told, shorter))


def replace_plan(entry: FeedEntry, span: Span) -> Planned:
    planned = replace(entry, plan=(span,)).planned
    assert planned is not None
    return planned


def test_the_proof_of_another_account_proves_nothing(gate: Gate) -> None:
    gate.watched.say("spam", author="bob")
    bob: ProvenSpan = gate.watched.changes()[0].plan[0]
    gate.follow()
    gate.watched.say("spam")
    for change in gate.watched.changes(2):
        stolen = replace(change.plan[0], proof=bob.proof, opening=bob.opening)
        gate.replica.change(replace(change, plan=(stolen,)), NOW)
    assert gate.state(NOW + MANNER.grace) is Allow
    assert gate.state(NOW + MANNER.grace, handle="bob") is Deny


def test_a_proven_cut_holds_whatever_becomes_of_witnesses_and_opening_needs_no_proof() -> None:
    gate = Gate(Watched())
    gate.load()
    statement = gate.watched.say("spam").statement
    assert statement is not None
    gate.follow()
    gate.replica.manner = Manner(policy=Policy())  # now nothing can be proven
    assert gate.state(NOW + DAY) is Deny
    amend.lift(gate.watched.proceedings, statement, ReviewerId("mara"), "A mistake.", NOW)
    gate.follow()
    assert gate.state() is Allow
    assert gate.alarms == []


def test_a_snapshot_whose_log_cannot_be_read_is_believed_for_a_while(watched: Watched) -> None:
    watched.say("spam")
    content = encode_snapshot(watched.feed.snapshot())
    for read in (lambda _: None, lambda _: b"x" * 100):
        taken = take([content], read, MANNER, NOW)
        assert set(taken.known.unproven.values()) == {NOW + MANNER.grace}
        assert taken.doubts
    for path in [path for path in watched.log.files if "entries" in path]:
        watched.log.files[path] = watched.log.files[path].replace(b'"points":1', b'"points":2')
    assert len(take([content], watched.log.read, MANNER, NOW).known.unproven) == 2


def test_in_a_snapshot_too_the_entry_of_another_account_proves_nothing(watched: Watched) -> None:
    for author in ("ann", "bob"):
        watched.say("spam", author=author)
    snapshot = watched.feed.snapshot()
    bob = {entry.channel: entry.plan[0] for entry in snapshot.entries if entry.account == "bob"}

    def stolen(entry: FeedEntry) -> FeedEntry:
        given = bob[entry.channel]
        return replace(entry, plan=(replace(entry.plan[0], index=given.index, opening=given.opening),))

    entries = tuple(map(stolen, snapshot.entries))
    taken = take([encode_snapshot(replace(snapshot, entries=entries))], watched.log.read, MANNER, NOW)
    assert taken.known.unproven.keys() == {entry.row for entry in entries if entry.account == "ann"}
    assert taken.doubts == {"its entry is not that of its statement"}


def test_of_two_that_are_called_the_same_the_stricter_counts() -> None:
    records = Records()
    for row, state in ((1, State.LIMITED), (2, State.CUT), (3, State.LIMITED)):
        span = Span(state=state, start=NOW, statement=DecisionId(f"{row:032x}"), reason="“Spam”", limit="hold")
        called = (Called(handle="ann", start=NOW),)
        records.put(row, Planned(account=AccountId(f"a{row}"), channel=POSTS, handles=called, plan=(span,)))
    assert records.span(records.holding("posts", "ann", NOW)).state is State.CUT
    records.drop(2)
    assert records.span(records.holding("posts", "ann", NOW)).state is State.LIMITED


def test_a_stale_gate_lets_unknown_accounts_pass_or_not_as_it_was_told_and_keeps_its_cuts(watched: Watched) -> None:
    watched.say("spam")
    for when_stale, expected in ((WhenStale.OPEN, Allow), (WhenStale.CLOSED, Unavailable)):
        gate = Gate(watched, Manner(policy=POLICY, when_stale=when_stale, max_stale=5 * SECOND))
        gate.load()
        gate.follow()
        assert gate.replica.check("posts", "bob", NOW + 5 * SECOND) == Allow()
        late = NOW + 6 * SECOND
        assert gate.replica.is_stale(late)
        assert gate.state(late, handle="bob") is expected
        assert gate.replica.check("posts", "bob", late) != Allow()
        assert gate.state(late) is Deny
        assert gate.state(NOW + 2 * DAY) is expected  # it ended with no connection
    assert gate.replica.counts == {"unavailable": 3, "refused": 1}


def test_a_centre_that_is_ahead_of_what_it_tells_leaves_its_gates_to_grow_stale(gate: Gate) -> None:
    gate.watched.say("spam")
    late = NOW + MANNER.max_stale + SECOND
    gate.replica.beat(gate.watched.feed.heartbeat(late), late)
    assert gate.replica.is_stale(late)


@pytest.mark.parametrize("apart", [timedelta(seconds=4), timedelta(minutes=7), timedelta(minutes=-7)])
def test_plans_are_read_by_the_centres_clock(gate: Gate, apart: timedelta) -> None:
    gate.watched.say("spam")
    here = NOW - apart
    for change in gate.watched.changes():
        gate.replica.change(change, here)
    for _ in range(10):
        gate.replica.beat(gate.watched.feed.heartbeat(NOW), here)
    assert gate.state(here) is Deny
    assert gate.state(here - SECOND) is Allow
    assert gate.state(here + 2 * DAY - SECOND) is Deny
    assert gate.state(here + 2 * DAY) is Allow
    assert bool(gate.alarms) == (abs(apart) > timedelta(seconds=5))


def test_a_heartbeat_that_was_read_late_moves_no_clock(gate: Gate) -> None:
    gate.replica.beat(gate.watched.feed.heartbeat(NOW), NOW + 3 * SECOND)
    assert gate.replica.offset == timedelta()


def test_what_a_new_life_of_the_feed_forgot_holds_until_it_is_told_of(gate: Gate) -> None:
    for author in ("ann", "bob"):
        gate.watched.say("spam", author=author)
    gate.follow()
    gate.watched, gate.epoch = Watched(ROWS), "another"
    gate.watched.say("spam", author="bob", after=DAY)
    gate.load()
    gate.follow()
    assert gate.replica.counts["alarm kept"] == 1
    assert (gate.state(), gate.state(handle="bob")) == (Deny, Allow)
    assert gate.state(NOW + DAY, handle="bob") is Deny
    assert gate.state(NOW + 2 * DAY) is Allow
    gate.watched.say("spam", after=DAY)
    gate.follow()
    assert (gate.state(), gate.state(NOW + DAY)) == (Allow, Deny)
    assert len(gate.replica.kept) == 0


def test_an_empty_snapshot_of_a_new_life_frees_nobody(gate: Gate) -> None:
    gate.watched.say("spam")
    gate.follow()
    for epoch in ("another", "a third"):
        gate.watched, gate.epoch = Watched(), epoch
        gate.load()
        gate.follow()
        assert gate.state() is Deny
    assert len(gate.replica.kept) == 2


def test_a_handle_is_found_while_it_is_the_accounts(watched: Watched) -> None:
    gate = Gate(watched)
    gate.load()
    given = HandleGiven(account=ANN, at=NOW, channel=MAIL, handle="ann@example.org", since=NOW, until=NOW + DAY)
    watched.proceedings.note(given)
    watched.say("spam")
    gate.follow()
    assert gate.state(channel="mail", handle="ann@example.org") is Deny
    assert gate.state(NOW + DAY, channel="mail", handle="ann@example.org") is Allow
    assert gate.state(channel="posts", handle="ann@example.org") is Allow
    assert gate.state(channel="posts") is Deny


def test_entries_that_are_not_sound_are_refused(gate: Gate) -> None:
    gate.watched.say("spam")
    change = gate.watched.changes()[0]
    span = change.plan[0]
    for bad in (
        replace(change, row=0),
        replace(change, row=2**40),
        replace(change, account=None),
        replace(change, account=AccountId("x" * 1025)),
        replace(change, plan=(span, span)),
        replace(change, plan=(replace(span, until=NOW), replace(span, start=NOW - DAY))),
        replace(change, plan=(replace(span, until=span.start),)),
        replace(change, plan=(replace(span, statement="x"),)),
        replace(change, plan=(replace(span, start=span.start.replace(tzinfo=None)),)),
        replace(change, plan=(span,) * 2000),
    ):
        with pytest.raises(FeedError):
            gate.replica.change(bad, NOW)
    assert gate.state() is Allow
    gate.follow()
    assert gate.state() is Deny


def test_a_snapshot_of_nothing_is_one() -> None:
    empty = FeedSnapshot(epoch="e", cursor=0, count=0, digest="0" * 64, checkpoint="", entries=())
    assert len(take([encode_snapshot(empty)], lambda _: None, MANNER, NOW).known.records) == 0
