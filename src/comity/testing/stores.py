"""The contract of a store. Subclass `StoreContract`, give it your store, and let pytest collect it.

class TestMyStore(StoreContract):
    def store(self) -> Store: ...
    def reopened(self, store: Store) -> Store: ...  # the same content, as after a restart
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from comity.casework.facts import Accepted, CaseOpened, Fact
from comity.ledger.commitment import Opening
from comity.model.agreement import SourceFile
from comity.model.ids import AccountId, CaseId, Channel, Digest, MessageId
from comity.model.message import Message
from comity.ports import Answer, Outcome, OvertakenError, Store, Taken, Version, Write

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
HOSTILE = "Robert'); drop table facts;--\0\n\u202e\U0001f600" + "x" * 900


def taken(id_: str, *, source: str = "s", author: str = "ann", ago: timedelta = timedelta(), text: str = "") -> Taken:
    """A message taken in, its text kept if it has one."""
    message = Message(
        id=MessageId(id_), source=source, author=AccountId(author), channel=Channel("posts"), text=text, sent=AT - ago
    )
    answer = Answer(message=message.id, outcome=Outcome.ALLOWED)
    return Taken(message=message, trace=f"{source}/{id_}".encode(), answer=answer, keep_text=bool(text))


def accepted(account: str, *, language: str = "en") -> Fact:
    return Accepted(account=AccountId(account), at=AT, agreement=Digest("sha256:" + "0" * 64), language=language)


class StoreContract:
    """What every store does."""

    def store(self) -> Store:
        raise NotImplementedError("give a new, empty store")

    def reopened(self, store: Store) -> Store:
        raise NotImplementedError("give the same store as after a restart")

    def test_what_was_appended_is_there_after_a_restart(self) -> None:
        store = self.store()
        opening = Opening(entry_id="e" * 32, field="account", salt=b"s" * 32, value=HOSTILE)
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
                openings=[opening],
                checkpoint=b"signed",
                version=version,
            )
        )
        store = self.reopened(store)
        assert store.size == 2
        assert list(store.entries(0, 9)) == [b"one", b"two"]
        assert list(store.entries(1, 2)) == [b"two"]
        assert store.checkpoint == b"signed"
        assert list(store.openings("e" * 32)) == [opening]
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
        opened = CaseOpened(account=AccountId("ann"), at=AT - timedelta(days=9), case=CaseId("c"), why="")
        store.append(Write(size=0, position=3, facts=[opened]))
        assert list(store.facts_of(AccountId("ann"))) == [accepted("ann"), accepted("ann", language="es"), opened]
        assert list(store.facts_of(AccountId("eve"))) == []

    def test_a_message_is_known_by_source_and_id_and_its_answer_stays(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, messages=[taken("1"), taken("1", source="other"), taken("2")]))
        ids = [MessageId("2"), MessageId("1"), MessageId("3")]
        assert set(store.answers("s", ids)) == {"1", "2"}
        assert set(store.answers("other", ids)) == {"1"}
        assert store.answers("none", ids) == {}

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

    def test_traces_come_in_intake_order_from_the_newest_message_back(self) -> None:
        store = self.store()
        hour = timedelta(hours=1)
        store.append(
            Write(size=0, position=0, messages=[taken("old", ago=3 * hour), taken("edge", ago=2 * hour), taken("new")])
        )
        store.append(Write(size=0, position=0, messages=[taken("late", ago=hour)]))
        assert list(store.traces(2 * hour)) == [b"s/edge", b"s/new", b"s/late"]

    def test_an_empty_store_is_empty(self) -> None:
        store = self.store()
        assert store.size == 0
        assert store.checkpoint == b""
        assert list(store.traces(timedelta(days=400))) == []
        assert list(store.versions()) == []
