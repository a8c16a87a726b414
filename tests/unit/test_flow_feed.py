"""What gates are told: in the record's order, proved by the ledger, and nothing of channels that they may not know."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from test_flow_record import DAY, KEY, NOW, World, agreement

from comity.casework.facts import HandleGiven
from comity.flow import amend
from comity.flow.feed import DamagedFeedError, FeedSource, GoneError, scoped
from comity.ledger.alike import Alike
from comity.ledger.feed import (
    FeedEntry,
    FeedError,
    FeedSnapshot,
    Heartbeat,
    ProvenSpan,
    Said,
    Skipped,
    Unproven,
    decode_line,
    decode_snapshot,
    demand_in_log,
    demand_proven,
    encode_line,
)
from comity.ledger.plan_digest import MODULUS, plan_digest
from comity.ledger.policy import Policy
from comity.model.ids import AccountId, Channel, ReviewerId
from comity.model.measure import State
from comity.stores.memory import MemoryStore

POLICY = Policy().trusting(KEY.verifier)
POSTS, MAIL = Channel("posts"), Channel("mail")
ANN, EVE = AccountId("ann"), AccountId("eve\0\"'<script>\u202e" + "x" * 900)
ROWS = "| 1 | suspend | all | 2 days |\n| 2 | suspend | all | 9 days |"


def encode_snapshot(snapshot: FeedSnapshot) -> bytes:
    """As it is sent, made in one go."""
    return msgspec.json.encode(snapshot)


class Watched(World):
    """One record, and the feed of it."""

    def __init__(self, rows: str = ROWS, store: MemoryStore | None = None) -> None:
        super().__init__(agreement(rows), store=store)
        self.feed = FeedSource(self.store, self.log, lambda statement: f"https://example.org/r/{statement}")

    def changes(self, after: int = 0, channels: frozenset[Channel] | None = None) -> list[FeedEntry]:
        """As they come off the wire, without those that are only counted."""
        return [line for line in self.lines(after, channels) if isinstance(line, FeedEntry)]

    def lines(self, after: int = 0, channels: frozenset[Channel] | None = None) -> list[FeedEntry | Skipped]:
        """As they come off the wire."""
        changes = self.feed.changes(self.store.feed.epoch, after)
        lines = [decode_line(encode_line(one)) for one in scoped(changes, channels)]
        return [line for line in lines if not isinstance(line, Heartbeat)]


def digest_of(entries: list[FeedEntry]) -> str:
    last = {one.row: one.planned for one in entries}
    return (sum(map(plan_digest, last.values())) % MODULUS).to_bytes(32, "big").hex()


def only_span(entry: FeedEntry) -> ProvenSpan:
    (span,) = entry.plan
    return span


def test_a_cut_comes_with_its_reason_its_link_and_a_proof_that_holds() -> None:
    watched = Watched()
    statement = watched.say("spam", author=EVE).statement
    mail, posts = watched.changes()
    assert (posts.account, posts.channel, mail.channel) == (EVE, POSTS, MAIL)
    span = only_span(posts)
    assert (span.state, span.start, span.until) == (State.CUT, NOW, NOW + 2 * DAY)
    assert (span.statement, span.reason) == (statement, "“spam”")
    assert span.link == f"https://example.org/r/{statement}"
    demand_proven(EVE, POSTS, span, demand_in_log(span, POLICY))


def test_what_is_told_while_the_log_grows_is_proved_at_each_of_its_sizes() -> None:
    watched, after = Watched("| 1 | suspend | posts | 2 days |"), 0
    for number in range(300):  # beyond a full tile
        watched.say("spam", author=f"a{number}")
        if number % 7 == 0 or number > 250:
            told = watched.changes(after)
            after = told[-1].seq
            for one in (*told, watched.changes(number // 2)[0]):
                demand_proven(one.account, POSTS, only_span(one), demand_in_log(only_span(one), POLICY))
    assert after == 300


def test_every_change_has_the_next_number_and_its_last_digest_is_the_heartbeats() -> None:
    watched = Watched()
    for number in range(5):
        watched.say("spam", author=f"a{number}")
        watched.say("other", author=f"a{number}", after=timedelta(hours=1))
    changes = watched.changes()
    assert [one.seq for one in changes] == list(range(1, len(changes) + 1))
    beat = decode_line(encode_line(watched.feed.heartbeat(NOW)))
    assert isinstance(beat, Heartbeat)
    assert (beat.cursor, beat.digest) == (len(changes), digest_of(changes))
    assert watched.changes(beat.cursor) == []
    snapshot = decode_snapshot(encode_snapshot(watched.feed.snapshot()))
    assert (snapshot.cursor, snapshot.count, snapshot.digest) == (beat.cursor, 10, beat.digest)


def test_what_overlaps_is_one_plan_and_lifting_one_leaves_the_other() -> None:
    watched = Watched("| 1 | suspend | mail | 2 days |\n| 2 | suspend | all | 9 days |")
    first = watched.say("spam").statement
    second = watched.say("other", after=DAY).statement
    plan = watched.feed.snapshot(frozenset({MAIL})).entries[0].plan
    assert [(span.statement, span.until) for span in plan] == [(second, NOW + 10 * DAY)]
    assert first is not None
    assert second is not None
    amend.lift(watched.proceedings, second, ReviewerId("mara"), "A mistake.", NOW + DAY)
    mail, posts = watched.changes()[-2:]
    span = only_span(mail)
    assert (span.statement, span.until) == (first, NOW + 2 * DAY)
    assert posts.plan == ()
    demand_proven(ANN, MAIL, span, demand_in_log(span, POLICY))


def test_a_gate_of_one_channel_learns_nothing_of_others_and_its_sum_is_right() -> None:
    watched = Watched()
    for name in ("ann", "bob", "cy"):
        watched.say("spam", author=name)
    told = watched.lines(channels=frozenset({MAIL}))
    assert [one.account for one in told if isinstance(one, FeedEntry)] == ["ann", "bob", "cy"]
    assert {one.channel for one in told if isinstance(one, FeedEntry)} == {"mail"}
    assert [number for one in told for number in range(one.since, one.seq + 1)] == [1, 2, 3, 4, 5, 6]
    assert [one.skips for one in told if isinstance(one, FeedEntry)] == [0, 1, 1]
    assert watched.lines(channels=frozenset()) == [Skipped(since=1, seq=6)]
    only = watched.feed.heartbeat(NOW, frozenset({MAIL}))
    assert only.digest == digest_of(watched.changes(channels=frozenset({MAIL})))
    assert only.digest != watched.feed.heartbeat(NOW).digest
    assert watched.feed.snapshot(frozenset({MAIL})).count == 3


def test_no_word_of_a_message_is_told() -> None:
    watched = Watched()
    watched.say("spam, and xyzzy")
    changes = list(watched.feed.changes(watched.store.feed.epoch, 0))
    shown = [demand_in_log(span, POLICY) for each in changes for span in each.plan]
    assert shown
    told = b"".join((encode_snapshot(watched.feed.snapshot()), *map(encode_line, changes), *shown))
    assert b"ann" in told
    assert b"xyzzy" not in told


def test_the_feed_goes_on_only_from_where_it_was() -> None:
    watched = Watched()
    watched.say("spam")
    for epoch, after in (("another", 0), (watched.store.feed.epoch, 3)):
        with pytest.raises(GoneError):
            list(watched.feed.changes(epoch, after))


def test_handles_come_with_the_plan_and_a_new_one_is_a_change() -> None:
    watched = Watched()
    watched.say("spam")
    given = HandleGiven(account=ANN, at=NOW + DAY, channel=MAIL, handle="ann@example.org", since=NOW)
    watched.proceedings.note(given)
    (change,) = watched.changes(2)
    assert [called.handle for called in change.handles] == ["ann@example.org"]
    assert change.channel == MAIL


def test_nothing_is_told_before_the_ledger_that_proves_it_is_published() -> None:
    watched = Watched()
    before = dict(watched.log.files)
    watched.say("spam")
    after, watched.log.files = watched.log.files, before
    assert watched.changes() == []
    watched.log.files = after
    assert len(watched.changes()) == 2


def test_plans_that_do_not_add_up_are_not_told() -> None:
    watched = Watched()
    watched.say("spam")
    watched.store._plans[0] = None
    assert watched.feed.snapshot().count == 1  # it was erased
    watched.feed._store = Miscounted(watched.store)
    with pytest.raises(DamagedFeedError, match="are not those that were counted"):
        watched.feed.snapshot()


class Miscounted:
    def __init__(self, store: object) -> None:
        self.store = store

    @property
    def feed(self) -> object:
        return replace(self.store.feed, totals={POSTS: (2, 7)})

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


@pytest.mark.parametrize("alike", [None, Alike[Said]()], ids=["read", "known"])
def test_a_span_is_believed_for_its_account_its_channel_and_its_time_alone(alike: Alike[Said] | None) -> None:
    watched = Watched("| 1 | suspend | posts | 2 days |")
    watched.say("spam")
    watched.say("spam", author="bob")
    ann, bob = map(only_span, watched.changes())
    entry = demand_in_log(ann, POLICY)
    demand_proven(AccountId("bob"), POSTS, bob, demand_in_log(bob, POLICY), alike)
    assert alike is None or alike.known(entry) is not None
    demand_proven(ANN, POSTS, ann, entry, alike)
    demand_proven(ANN, POSTS, replace(ann, until=NOW + DAY), entry, alike)
    demand_proven(ANN, POSTS, replace(ann, state=State.LIMITED), entry, alike)
    for account, channel, span, of, why in (
        (AccountId("bob"), POSTS, ann, entry, "about another account"),
        (ANN, POSTS, replace(ann, opening=bob.opening), entry, "about another account"),
        (ANN, POSTS, replace(ann, opening=None), entry, "without the opening"),
        (ANN, MAIL, ann, entry, "no measure on mail"),
        (ANN, POSTS, replace(ann, until=None), entry, "lasts as long"),
        (ANN, POSTS, replace(ann, until=NOW + 3 * DAY), entry, "lasts as long"),
        (ANN, POSTS, ann, demand_in_log(bob, POLICY), "not that of its statement"),
        (ANN, POSTS, ann, b"{}", "cannot be read"),
        (ANN, POSTS, ann, re.sub(b'(?<="account":").', b"x", entry), "cannot be read"),
    ):
        with pytest.raises(Unproven, match=why):
            demand_proven(account, channel, span, of, alike)


def test_a_limit_proves_no_cut() -> None:
    watched = Watched("| 1 | limit to 3 an hour | posts | 2 days |")
    watched.say("spam")
    span = only_span(watched.changes()[0])
    assert (span.state, span.limit) == (State.LIMITED, "3 an hour")
    entry = demand_in_log(span, POLICY)
    demand_proven(ANN, POSTS, span, entry)
    with pytest.raises(Unproven, match="as strict"):
        demand_proven(ANN, POSTS, replace(span, state=State.CUT), entry)


def test_a_proof_of_another_log_or_of_another_entry_is_none() -> None:
    watched = Watched("| 1 | suspend | posts | 2 days |")
    watched.say("spam")
    watched.say("spam", author="bob")
    ann, bob = map(only_span, watched.changes())
    assert ann.proof
    assert bob.proof
    swapped = [*ann.proof.splitlines()[:1], bob.proof.splitlines()[1], *ann.proof.splitlines()[2:]]
    for span in (
        replace(ann, proof=None),
        replace(ann, proof="nothing"),
        replace(ann, proof="\n".join([*swapped, ""])),
        replace(ann, proof=re.sub("^index .*$", "index 0", ann.proof, flags=re.MULTILINE)),
    ):
        with pytest.raises(Unproven):
            demand_in_log(span, POLICY)
    with pytest.raises(Unproven, match="cannot be trusted"):
        demand_in_log(ann, Policy())


def test_lines_that_are_none_are_named() -> None:
    for line in (b"", b"{", b'{"seq":1}', b'{"cursor":1}', b"[1]", b"\xff", b'{"seq":"1","row":1}', b" " * (1 << 21)):
        with pytest.raises(FeedError, match="a line of the feed"):
            decode_line(line)
    for content in (b"", b"{}", b'{"epoch":1}'):
        with pytest.raises(FeedError, match="the snapshot cannot be read"):
            decode_snapshot(content)


def test_the_digest_is_counted_as_the_page_tells_others_to() -> None:
    page = (Path(__file__).parents[2] / "docs" / "gates.md").read_text()
    (code,) = re.findall(r"^```python\n(import json\nfrom hashlib.*?)^```", page, re.DOTALL | re.MULTILINE)
    told: dict[str, Callable[[object], str]] = {}
    exec(code, told)
    watched = Watched()
    for author in (ANN, EVE, "Zoë Z"):
        given = HandleGiven(account=AccountId(author), at=NOW, channel=POSTS, handle=f"{author[:9]}Z@x", since=NOW)
        watched.proceedings.note(given)
        watched.say("spam", author=author)
    snapshot = watched.feed.snapshot()
    assert told["digest"](msgspec.to_builtins(snapshot)["entries"]) == snapshot.digest
