"""The contract of a store, fourth part: what gates are to know, with its digest, and each change of it in its place."""

from __future__ import annotations

from datetime import timedelta

from comity.ledger.commitment import Opening
from comity.ledger.plan_digest import MODULUS, plan_digest
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import State
from comity.model.plan import Called, Planned, Span
from comity.ports import Owned, Store, Write
from comity.testing.store_parts import Contract
from comity.testing.store_values import AT, HOSTILE, decided

ANN, BOB, WEIRD = AccountId("ann"), AccountId("bob"), AccountId(HOSTILE)
POSTS, MAIL = Channel("posts"), Channel("mail")


def cut(account: AccountId, channel: Channel, days: int = 7) -> Planned:
    """Cut off for so many days; 0: open."""
    span = Span(
        state=State.CUT,
        start=AT,
        until=AT + timedelta(days=days),
        statement=DecisionId("1" * 32),
        reason="“Spam”",
    )
    handle = Called(handle=f"{account}@{channel}", start=AT)
    return Planned(account=account, channel=channel, handles=(handle,), plan=(span,) if days else ())


def told(store: Store) -> list[Planned | None]:
    return [one.planned for one in store.told()]


def demand_counted(store: Store) -> None:
    for channel in (POSTS, MAIL):
        digests = [plan_digest(one) for one in told(store) if one is not None and one.channel == channel]
        assert store.feed.totals.get(channel, (0, 0)) == (len(digests), sum(digests) % MODULUS)


class FeedContract(Contract):
    """What every store tells gates."""

    def test_a_new_store_has_nothing_to_tell_and_its_feed_has_a_name(self) -> None:
        store = self.store()
        assert (store.feed.first, store.feed.cursor, store.feed.totals) == (0, 0, {})
        epoch = store.feed.epoch
        store = self.reopened(store)
        assert store.feed.epoch == epoch != ""
        assert not told(store)
        assert not list(store.changes(0))

    def test_plans_are_told_as_they_are_now_and_each_change_has_the_next_number(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, planned=[cut(ANN, POSTS), cut(ANN, MAIL), cut(WEIRD, POSTS)]))
        store.append(Write(size=0, position=0, planned=[cut(ANN, POSTS, 0), cut(WEIRD, POSTS, 30)]))
        store = self.reopened(store)
        assert told(store) == [cut(ANN, MAIL), cut(WEIRD, POSTS, 30)]
        assert [(one.seq, one.planned) for one in store.changes(2)] == [
            (3, cut(WEIRD, POSTS, 30)),
            (4, cut(ANN, POSTS, 0)),
            (5, cut(WEIRD, POSTS, 30)),
        ]
        assert (store.feed.first, store.feed.cursor) == (1, 5)
        demand_counted(store)

    def test_what_is_known_already_and_what_was_never_restricted_is_no_change(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, planned=[cut(ANN, POSTS), cut(BOB, POSTS, 0)]))
        store.append(Write(size=0, position=0, planned=[cut(ANN, POSTS)]))
        assert store.feed.cursor == 1
        demand_counted(store)

    def test_an_erased_account_leaves_a_change_that_names_nobody(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, planned=[cut(ANN, POSTS), cut(BOB, POSTS), cut(ANN, MAIL)]))
        rows = {one.row for one in store.told() if one.planned and one.planned.account == ANN}
        store.erase(ANN)
        for _ in range(2):
            assert told(store) == [cut(BOB, POSTS)]
            assert [(one.seq, one.planned) for one in store.changes(3)] == [(4, None), (5, None)]
            assert {one.row for one in store.changes(3)} == rows
            demand_counted(store)
            store = self.reopened(store)
        store.append(Write(size=0, position=0, planned=[cut(ANN, POSTS)]))
        assert rows.isdisjoint(one.row for one in store.told())
        demand_counted(store)

    def test_the_entry_of_a_statement_is_found_by_its_id(self) -> None:
        store = self.store()
        ids = [f"{number:032x}" for number in range(4)]
        entries = [f'{{"c":{{"id":"{ids[3] * 2}"}},"id":"{each}","t":"statement","v":1}}'.encode() for each in ids]
        store.append(Write(size=0, position=0, facts=[decided("ann", ids[3])]))
        facts = [decided("ann", each) for each in ids[:3]]
        shown = [Opening(entry_id=ids[0], field=each, salt=b"s" * 16, value=HOSTILE) for each in ("account", "message")]
        owned = [Owned(account=ANN, opening=each) for each in shown]
        store.append(Write(size=0, position=1, facts=facts, entries=[b"no id at all", *entries[:3]], openings=owned))
        for openings in (shown, []):
            store = self.reopened(store)
            assert [store.entry_index(each) for each in ids] == [1, 2, 3, None]
            assert store.entry_index("f" * 32) is None
            entered = store.entered([*map(DecisionId, ids), DecisionId("f" * 32)])
            assert {each: (one.index, one.entry) for each, one in entered.items()} == {
                each: (place, entries[place - 1]) for place, each in enumerate(ids[:3], 1)
            }
            assert sorted(entered[DecisionId(ids[0])].openings, key=lambda one: one.field) == openings
            assert not entered[DecisionId(ids[1])].openings
            store.erase(ANN)
