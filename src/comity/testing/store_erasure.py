"""The contract of a store, third part: what is kept of a person goes, and everything else stays where it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.model.ids import AccountId, DecisionId, MessageId
from comity.ports import Attachment, Kept, Outcome, OvertakenError, Running, StoreError, Write
from comity.testing.store_parts import Contract
from comity.testing.store_values import AT, accepted, case_opened, decided, owned, taken

ANN, BOB = AccountId("ann"), AccountId("bob")
DAY = timedelta(days=1)
FIRST, SECOND, CASE, OTHER = ("1" * 32, "2" * 32, "3" * 32, "4" * 32)
FILE = Attachment(account=ANN, content=b"a picture")

WRITE = Write(
    size=0,
    position=0,
    messages=[taken("1", author="ann", text="secret"), taken("2", author="bob", text="hello"), taken("3")],
    facts=[
        decided("ann", FIRST),
        accepted("bob"),
        case_opened("ann", CASE),
        decided("ann", SECOND),
        decided("bob", OTHER),
    ],
    entries=[b"one", b"two"],
    openings=[
        owned("ann", FIRST, "account", "ann"),
        owned("ann", FIRST, "message", "s/1"),
        owned("ann", "e" * 32, "acceptance-0", "ann accepted"),
        owned("bob", "e" * 32, "acceptance-1", "bob accepted"),
    ],
    attachments=[FILE, Attachment(account=BOB, content=b"a picture")],
    checkpoint=b"signed",
    running=Running(restricted=[ANN, BOB], snapshot=b"running state with ann in it"),
)


class ErasureContract(Contract):
    """What every store forgets."""

    def test_of_an_erased_account_nothing_can_be_read(self) -> None:
        store = self.store()
        store.append(WRITE)
        store.erase(ANN)
        for _ in range(2):
            assert list(store.facts_of(ANN)) == []
            assert list(store.facts()) == [accepted("bob"), decided("bob", OTHER)]
            assert [store.account_of(each) for each in (FIRST, SECOND, CASE, OTHER)] == [None, None, None, BOB]
            assert [store.is_erased(each) for each in (FIRST, SECOND, CASE, OTHER)] == [True, True, True, False]
            assert list(store.waiting()) == []
            assert store.message("s", MessageId("1")) is None
            assert list(store.openings(FIRST)) == []
            assert [each.value for each in store.openings("e" * 32)] == ["bob accepted"]
            assert store.attachment(ANN, FILE.digest) is None
            assert store.attachment(BOB, FILE.digest) == b"a picture"
            assert list(store.restricted()) == [BOB]
            assert list(store.traces()) == [b"s/2"]
            assert store.snapshot is None
            store = self.reopened(store)

    def test_an_erasure_leaves_the_ledger_and_every_position_as_they_were(self) -> None:
        store = self.store()
        store.append(WRITE)
        store.erase(ANN)
        store = self.reopened(store)
        assert (store.size, store.position, store.checkpoint) == (2, 5, b"signed")
        assert list(store.entries(0, 9)) == [b"one", b"two"]
        assert list(store.facts(after=2)) == [decided("bob", OTHER)]
        store.append(Write(size=2, position=5, messages=[taken("4", author="bob")], running=Running(snapshot=b"later")))
        kept = store.snapshot
        assert kept is not None
        assert (kept.messages, kept.position) == (4, 5)

    def test_a_message_of_an_erased_account_is_still_known_and_not_taken_in_again(self) -> None:
        store = self.store()
        store.append(WRITE)
        store.erase(ANN)
        store = self.reopened(store)
        answers = store.answers("s", [MessageId("1"), MessageId("2"), MessageId("9")])
        assert {id_: answer.outcome for id_, answer in answers.items()} == {"1": Outcome.ERASED, "2": Outcome.ALLOWED}
        with pytest.raises(OvertakenError):
            store.append(Write(size=2, position=5, messages=[taken("1")]))

    def test_each_erased_statement_waits_for_its_entry_in_the_ledger(self) -> None:
        store = self.store()
        store.append(WRITE)
        assert list(store.pending_erasures()) == []
        store.erase(ANN)
        store = self.reopened(store)
        assert set(store.pending_erasures()) == {FIRST, SECOND}
        store.append(Write(size=2, position=5, entries=[b"erasure"], erased=[DecisionId(SECOND)]))
        assert list(self.reopened(store).pending_erasures()) == [FIRST]

    def test_what_was_decided_before_an_erasure_is_refused_after_it(self) -> None:
        store = self.store()
        store.append(WRITE)
        seen = store.erasures
        store.erase(ANN)
        with pytest.raises(OvertakenError, match="erased"):
            store.append(Write(size=2, position=5, erasures=seen, facts=[accepted("ann")]))
        store = self.reopened(store)
        assert store.erasures > seen
        assert list(store.facts_of(ANN)) == []
        store.append(Write(size=2, position=5, erasures=store.erasures, facts=[accepted("ann")]))

    def test_an_erasure_that_was_decided_on_less_than_the_whole_record_is_refused(self) -> None:
        store = self.store()
        store.append(WRITE)
        with pytest.raises(OvertakenError, match="5 facts, not 4"):
            store.erase(ANN, position=4)
        store = self.reopened(store)
        assert len(store.facts_of(ANN)) == 3
        store.erase(ANN, position=5)
        assert list(store.facts_of(ANN)) == []

    def test_only_of_a_terminated_account_the_store_still_knows_that_it_was(self) -> None:
        store = self.store()
        store.append(WRITE)
        store.erase(ANN, keep_hash=True)
        store.erase(BOB)
        store = self.reopened(store)
        assert [store.was_terminated(each) for each in (ANN, BOB, AccountId("eve"))] == [True, False, False]

    def test_erasing_twice_or_somebody_unknown_changes_nothing(self) -> None:
        store = self.store()
        store.append(WRITE)
        assert [store.erase(each) for each in (ANN, ANN, AccountId("eve"))] == [True, False, False]
        assert set(self.reopened(store).pending_erasures()) == {FIRST, SECOND}

    def test_an_erased_account_can_come_back_as_a_new_one(self) -> None:
        store = self.store()
        store.append(WRITE)
        store.erase(ANN)
        store.append(Write(size=2, position=5, facts=[accepted("ann")]))
        store = self.reopened(store)
        assert list(store.facts_of(ANN)) == [accepted("ann")]
        assert list(store.facts()) == [accepted("bob"), decided("bob", OTHER), accepted("ann")]
        assert store.is_erased(FIRST)

    def test_a_body_is_forgotten_and_the_rest_of_the_message_is_not(self) -> None:
        store = self.store()
        store.append(WRITE)
        one, two = (Kept(source="s", id=MessageId(id_), account=who, sent=AT) for id_, who in (("1", ANN), ("2", BOB)))
        assert list(store.kept_messages()) == [one, two]
        store.forget_messages([("s", MessageId("1")), ("s", MessageId("9"))])
        store = self.reopened(store)
        assert store.message("s", MessageId("1")) is None
        assert list(store.kept_messages()) == [two]
        assert set(store.answers("s", [MessageId("1")])) == {"1"}
        assert len(list(store.traces())) == 3

    def test_what_is_kept_is_found_by_time_by_account_and_from_the_end(self) -> None:
        store = self.store()
        late = taken("0", author="ann", text="sent an hour later", ago=-timedelta(hours=1))
        store.append(Write(size=0, position=0, messages=[late, *WRITE.messages]))
        for _ in range(2):
            assert [each.id for each in store.kept_messages()] == ["0", "1", "2"]
            assert [each.id for each in store.kept_messages(until=AT)] == ["1", "2"]
            assert list(store.kept_messages(until=AT - timedelta(microseconds=1))) == []
            assert [each.id for each in store.kept_of(ANN)] == ["0", "1"]
            assert [each.id for each in store.kept_last(2)] == ["1", "2"]
            assert [each.id for each in store.kept_last(9)] == ["0", "1", "2"]
            store = self.reopened(store)
        store.erase(ANN)
        store = self.reopened(store)
        assert list(store.kept_of(ANN)) == list(store.kept_of(AccountId("eve"))) == []
        assert [each.id for each in store.kept_last(2)] == ["2"]

    def test_an_attachment_is_its_accounts_alone_and_not_too_large(self) -> None:
        store = self.store()
        large = Attachment(account=ANN, content=b"x" * (10 << 20))
        store.append(Write(size=0, position=0, attachments=[large, FILE, FILE]))
        store = self.reopened(store)
        assert store.attachment(ANN, FILE.digest) == b"a picture"
        assert store.attachment(ANN, large.digest) == large.content
        assert store.attachment(BOB, FILE.digest) is None
        with pytest.raises(StoreError, match="at most 10485760"):
            Attachment(account=ANN, content=b"x" * ((10 << 20) + 1))
