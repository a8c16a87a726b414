"""The contract of a store. Subclass `StoreContract`, give it your store, and let pytest collect it.

class TestMyStore(StoreContract):
    def store(self) -> Store: ...
    def reopened(self, store: Store) -> Store: ...  # the same content, as after a restart
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.casework.facts import Accepted
from comity.model.agreement import SourceFile
from comity.model.ids import AccountId, Digest, MessageId
from comity.ports import OvertakenError, Publication, Sender, Store, Version, Write
from comity.testing.store_erasure import ErasureContract
from comity.testing.store_feed import FeedContract
from comity.testing.store_indexes import IndexContract
from comity.testing.store_values import AT, HOSTILE, accepted, case_opened, owned, taken


class StoreContract(IndexContract, ErasureContract, FeedContract):
    """What every store does."""

    def test_what_is_appended_together_is_taken_or_refused_one_by_one(self) -> None:
        store = self.store()
        with store.together():
            store.append(Write(size=0, position=0, facts=[accepted("ann")], entries=[b"one"]))
            with pytest.raises(OvertakenError):
                store.append(Write(size=0, position=0, facts=[accepted("bob")], entries=[b"other"]))
            assert (store.size, store.position) == (1, 1)
            store.append(Write(size=1, position=1, facts=[accepted("cid")], entries=[b"two"]))
        store = self.reopened(store)
        assert list(store.entries(0, 9)) == [b"one", b"two"]
        assert [fact.account for fact in store.facts()] == ["ann", "cid"]

    def test_of_what_was_to_be_kept_together_nothing_is_kept_if_the_end_is_not_reached(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, facts=[accepted("bob")], entries=[b"zero"]))
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                append_and_fail(store, Write(size=1, position=1, facts=[accepted("ann")], entries=[b"one"]))
            assert (store.size, store.position) == (1, 1)
            assert not store.facts_of(AccountId("ann"))
        store.append(Write(size=1, position=1, facts=[accepted("ann")], entries=[b"two"]))
        store = self.reopened(store)
        assert list(store.entries(0, 9)) == [b"zero", b"two"]
        assert [fact.account for fact in store.facts()] == ["bob", "ann"]

    def test_what_was_appended_is_there_after_a_restart(self) -> None:
        store = self.store()
        shown = owned(HOSTILE, "e" * 32, "account", HOSTILE)
        version = Version(
            digest=Digest("sha256:" + "1" * 64),
            name="rules.md",
            effective=AT,
            files=(SourceFile(path="", content=b"\xff\0"),),
        )
        store.append(
            Write(
                size=0,
                position=0,
                messages=[taken("1", text=HOSTILE, author=HOSTILE)],
                facts=[accepted(HOSTILE)],
                entries=[b"one", b"two"],
                openings=[shown],
                checkpoint=b"signed",
                version=version,
            )
        )
        store = self.reopened(store)
        assert store.size == 2
        assert list(store.entries(0, 9)) == [b"one", b"two"]
        assert list(store.entries(1, 2)) == [b"two"]
        assert store.checkpoint == b"signed"
        assert list(store.openings("e" * 32)) == [shown.opening]
        assert list(store.versions()) == [version]
        assert list(store.facts_of(AccountId(HOSTILE))) == [accepted(HOSTILE)]
        assert list(store.facts()) == [accepted(HOSTILE)]
        kept = store.message("s", MessageId("1"))
        assert kept is not None
        assert kept.text == HOSTILE

    def test_an_account_sees_its_own_facts_in_the_records_order(self) -> None:
        store = self.store()
        store.append(
            Write(
                size=0,
                position=0,
                facts=[accepted("ann", language="en"), accepted("bob"), accepted("ann", language="es")],
            )
        )
        opened = case_opened("ann", "c", ago=timedelta(days=9))
        store.append(Write(size=0, position=3, facts=[opened]))
        assert list(store.facts_of(AccountId("ann"))) == [accepted("ann"), accepted("ann", language="es"), opened]
        assert list(store.facts_of(AccountId("ann"), until=2)) == [accepted("ann")]
        assert list(store.facts_of(AccountId("eve"))) == []

    def test_facts_are_told_with_their_positions_and_erased_ones_leave_theirs_empty(self) -> None:
        store = self.store()
        opened = case_opened("ann", "c", ago=timedelta(days=9))
        store.append(Write(size=0, position=0, facts=[accepted("ann"), accepted("bob"), opened, accepted("ann")]))
        every = [(1, accepted("ann")), (2, accepted("bob")), (3, opened), (4, accepted("ann"))]
        assert list(store.numbered((), after=0)) == every
        assert list(store.numbered([Accepted], after=1)) == [every[1], every[3]]
        store.erase(AccountId("bob"))
        assert list(store.numbered((), after=0)) == [every[0], *every[2:]]

    def test_a_version_takes_a_place_in_the_record_which_is_nobodys(self) -> None:
        store = self.store()
        one = Version(digest=Digest("sha256:" + "1" * 64), name="rules.md", effective=AT + timedelta(days=1), files=())
        store.append(Write(size=0, position=0, facts=[accepted("ann")], version=one, published=AT))
        with pytest.raises(OvertakenError):
            store.append(Write(size=0, position=1, facts=[accepted("bob")]))
        store.append(Write(size=0, position=2, facts=[accepted("bob")]))
        store = self.reopened(store)
        told = Publication(digest=one.digest, effective=one.effective, at=AT)
        assert list(store.publications(after=0)) == list(store.publications(after=1)) == [(2, told)]
        assert list(store.publications(after=2)) == []
        assert list(store.versions()) == [one]
        assert list(store.numbered((), after=0)) == [(1, accepted("ann")), (3, accepted("bob"))]
        assert list(store.facts()) == list(store.facts(since=AT)) == [accepted("ann"), accepted("bob")]
        assert {fact.account for each in store.histories([Accepted], [Accepted]) for fact in each} == {"ann", "bob"}
        assert store.position == 3

    def test_a_message_is_known_by_source_and_id_and_its_answer_stays(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, messages=[taken("1"), taken("1", source="other"), taken("2")]))
        ids = [MessageId("2"), MessageId("1"), MessageId("3")]
        assert set(store.answers("s", ids)) == {"1", "2"}
        assert set(store.answers("other", ids)) == {"1"}
        assert store.answers("none", ids) == {}

    def test_who_sent_a_message_and_when_is_known_without_its_text(self) -> None:
        store = self.store()
        one, other = taken("1"), taken("2", author="bob", ago=timedelta(days=1))
        store.append(Write(size=0, position=0, messages=[one, other]))
        ids = [MessageId("1"), MessageId("2"), MessageId("9")]
        sent = {
            each.message.id: Sender(account=each.message.author, sent=each.message.sent, trace=each.trace)
            for each in (one, other)
        }
        assert store.senders("s", ids) == sent
        store.erase(AccountId("bob"))
        assert set(store.senders("s", ids)) == {"1"}
        assert store.senders("other", ids) == {}

    def test_a_text_is_kept_only_when_asked_for(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, messages=[taken("1")]))
        assert store.message("s", MessageId("1")) is None

    def test_a_second_writer_is_refused_and_nothing_of_its_write_stays(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, entries=[b"one"], checkpoint=b"first"))
        with pytest.raises(OvertakenError):
            store.append(Write(size=0, position=0, entries=[b"fork"], facts=[accepted("ann")], checkpoint=b"forked"))
        store = self.reopened(store)
        assert list(store.entries(0, 9)) == [b"one"]
        assert store.checkpoint == b"first"
        assert list(store.facts()) == []

    def test_of_two_decisions_on_the_same_record_one_is_refused_though_neither_has_an_entry(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, facts=[accepted("ann")]))
        seen = store.position
        store.append(Write(size=0, position=seen, facts=[accepted("bob")]))  # overtakes
        with pytest.raises(OvertakenError, match="2 facts, not 1"):
            store.append(Write(size=0, position=seen, messages=[taken("1")], facts=[accepted("eve")]))
        with pytest.raises(OvertakenError, match="2 facts, not 3"):
            store.append(Write(size=0, position=3, facts=[accepted("eve")]))
        store = self.reopened(store)
        assert store.position == 2
        assert list(store.facts()) == [accepted("ann"), accepted("bob")]
        assert store.answers("s", [MessageId("1")]) == {}

    def test_a_write_without_facts_leaves_the_position(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, facts=[accepted("ann")]))
        store.append(Write(size=0, position=1, messages=[taken("1")], entries=[b"one"]))
        assert (store.size, store.position) == (1, 1)

    def test_a_write_with_a_message_taken_in_before_leaves_nothing(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, messages=[taken("1")]))
        write = Write(
            size=0,
            position=0,
            messages=[taken("2"), taken("1")],
            facts=[accepted("ann")],
            entries=[b"x"],
            checkpoint=b"c",
        )
        with pytest.raises(OvertakenError):
            store.append(write)
        store = self.reopened(store)
        assert store.size == 0
        assert store.answers("s", [MessageId("2")]) == {}
        assert list(store.facts()) == []

    def test_traces_come_in_intake_order_whatever_is_dated_ahead(self) -> None:
        store = self.store()
        hour = timedelta(hours=1)
        store.append(
            Write(
                size=0,
                position=0,
                messages=[taken("old", ago=3 * hour), taken("edge", ago=2 * hour), taken("ahead", ago=-900_000 * hour)],
            )
        )
        store.append(Write(size=0, position=0, messages=[taken("late", ago=hour)]))
        store = self.reopened(store)
        assert list(store.traces(since=AT - 2 * hour)) == [b"s/edge", b"s/ahead", b"s/late"]
        assert list(store.traces(after=2)) == [b"s/ahead", b"s/late"]
        assert list(store.traces(after=3, since=AT)) == []

    def test_an_empty_store_is_empty(self) -> None:
        store = self.store()
        assert store.size == 0
        assert store.checkpoint == b""
        assert list(store.traces()) == []
        assert list(store.versions()) == []


def append_and_fail(store: Store, write: Write) -> None:
    with store.together():
        store.append(write)
        raise ZeroDivisionError
