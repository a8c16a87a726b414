"""The contract of a store, second part: what finds an account, a fact or running state without reading everything."""

from __future__ import annotations

from datetime import timedelta

from comity.casework.case_facts import CaseClosed, CaseOpened
from comity.casework.facts import Accepted, Decided, Fact
from comity.model.ids import AccountId, Channel
from comity.ports import Running, Snapshot, Write
from comity.testing.store_parts import Contract
from comity.testing.store_values import AT, HOSTILE, accepted, case_closed, case_opened, decided, handle_given, taken

ANN, BOB, EVE = AccountId("ann"), AccountId("bob"), AccountId("eve")
DAY = timedelta(days=1)


class IndexContract(Contract):
    """What every store finds quickly."""

    def test_an_account_is_found_by_every_id_that_a_fact_made_known(self) -> None:
        store = self.store()
        facts: list[Fact] = [decided(HOSTILE, "1" * 32), case_opened("bob", "2" * 32), accepted("eve")]
        store.append(Write(size=0, position=0, facts=facts))
        store = self.reopened(store)
        assert store.account_of("1" * 32) == HOSTILE
        assert store.account_of("2" * 32) == "bob"
        assert store.account_of("3" * 32) is None
        assert not store.is_erased("1" * 32)
        assert not store.is_erased("3" * 32)

    def test_what_waits_for_a_person_comes_the_longest_waiting_first(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, facts=[case_opened("bob", "b"), decided("bob", "1" * 32)]))
        store.append(Write(size=0, position=2, facts=[case_opened("ann", "a", ago=DAY), case_opened("ann", "c")]))
        assert list(self.reopened(store).waiting()) == [("b", "bob"), ("a", "ann"), ("c", "ann")]

    def test_what_was_closed_waits_no_longer_and_what_is_opened_again_waits_as_the_last(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, facts=[case_opened("ann", "a"), case_opened("bob", "b")]))
        store.append(Write(size=0, position=2, facts=[case_closed("ann", "a"), case_opened("eve", "c")]))
        store = self.reopened(store)
        assert list(store.waiting()) == [("b", "bob"), ("c", "eve")]
        store.append(Write(size=0, position=4, facts=[case_closed("bob", "b"), case_opened("ann", "a")]))
        assert list(self.reopened(store).waiting()) == [("c", "eve"), ("a", "ann")]

    def test_histories_are_of_the_accounts_that_are_asked_for_whole_and_in_order(self) -> None:
        store = self.store()
        cases = case_opened("ann", "a"), case_opened("bob", "b")
        first: list[Fact] = [accepted("ann"), *cases, decided("eve", "1" * 32)]
        store.append(Write(size=0, position=0, facts=first))
        later: list[Fact] = [case_opened("eve", "e"), case_closed("ann", "a"), case_closed("eve", "e"), accepted("ann")]
        store.append(Write(size=0, position=4, facts=later))
        store = self.reopened(store)
        kinds = (CaseOpened, CaseClosed, Decided)
        found = {facts[0].account: list(facts) for facts in store.histories(kinds, [CaseClosed])}
        assert found == {ANN: [first[1], later[1]], EVE: [first[3], later[0], later[2]]}
        store.erase(ANN)
        assert [facts[0].account for facts in self.reopened(store).histories(kinds, [CaseClosed])] == [EVE]

    def test_what_is_opened_and_closed_in_one_write_never_waits(self) -> None:
        store = self.store()
        facts: list[Fact] = [case_opened("ann", "a"), case_closed("ann", "a"), case_closed("bob", "unknown")]
        store.append(Write(size=0, position=0, facts=facts))
        assert list(self.reopened(store).waiting()) == []

    def test_the_holders_of_a_handle_are_told_once_each_and_first_to_last(self) -> None:
        store, mail, chat = self.store(), Channel("mail"), Channel("chat")
        store.append(
            Write(size=0, position=0, facts=[handle_given("bob", mail, HOSTILE), handle_given("ann", mail, "x")])
        )
        store.append(
            Write(
                size=0,
                position=2,
                facts=[
                    handle_given("ann", mail, HOSTILE),
                    handle_given("bob", mail, HOSTILE),
                    handle_given("eve", chat, "x"),
                ],
            )
        )
        store = self.reopened(store)
        asked = [(mail, HOSTILE), (mail, "x"), (chat, "x"), (chat, HOSTILE)]
        found = {of: list(holders) for of, holders in store.handle_holders(asked).items()}
        assert found == {(mail, HOSTILE): ["bob", "ann"], (mail, "x"): ["ann"], (chat, "x"): ["eve"]}
        store.erase(BOB)
        found = {of: list(holders) for of, holders in self.reopened(store).handle_holders(asked[:1]).items()}
        assert found == {(mail, HOSTILE): ["ann"]}

    def test_the_facts_of_several_accounts_are_each_ones_own_in_order(self) -> None:
        store = self.store()
        facts: list[Fact] = [case_opened("ann", "a"), accepted("bob"), case_closed("ann", "a"), accepted(HOSTILE)]
        store.append(Write(size=0, position=0, facts=facts))
        store.erase(BOB)
        store = self.reopened(store)
        found = store.facts_of_each([ANN, BOB, EVE, AccountId(HOSTILE)])
        assert {account: list(of) for account, of in found.items()} == {
            ANN: [facts[0], facts[2]],
            BOB: [],
            EVE: [],
            HOSTILE: [facts[3]],
        }
        assert store.facts_of_each([]) == {}

    def test_facts_are_chosen_by_kind_time_and_position_and_keep_their_order(self) -> None:
        store = self.store()
        late, early = decided("ann", "1" * 32), decided("bob", "2" * 32, ago=3 * DAY)
        opened, told = case_opened("ann", "c", ago=DAY), accepted("eve")
        store.append(Write(size=0, position=0, facts=[late, opened, early, told]))
        store = self.reopened(store)
        assert list(store.facts([Decided])) == [late, early]
        assert list(store.facts([Decided, CaseOpened])) == [late, opened, early]
        assert list(store.facts([Decided, CaseOpened], since=AT - DAY)) == [late, opened]
        assert list(store.facts(since=AT - DAY)) == [late, opened, told]
        assert list(store.facts([Accepted], since=AT + DAY)) == []
        assert list(store.facts(after=1)) == [opened, early, told]
        assert list(store.facts([Decided], after=1)) == [early]
        assert list(store.facts([Decided], after=1, since=AT)) == []

    def test_restricted_accounts_stay_until_they_are_released(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, running=Running(restricted=[ANN, BOB, ANN])))
        store.append(Write(size=0, position=0, running=Running(restricted=[ANN], released=[BOB])))
        assert list(self.reopened(store).restricted()) == [ANN]

    def test_of_an_account_released_and_restricted_in_one_write_a_measure_may_hold(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, running=Running(restricted=[ANN])))
        store.append(Write(size=0, position=0, running=Running(restricted=[ANN], released=[ANN])))
        assert list(store.restricted()) == [ANN]

    def test_a_snapshot_says_which_messages_and_facts_it_stands_for(self) -> None:
        store = self.store()
        assert store.snapshot is None
        store.append(Write(size=0, position=0, messages=[taken("1"), taken("2")], facts=[accepted("ann")]))
        store.append(Write(size=0, position=1, messages=[taken("3")], running=Running(snapshot=b"old")))
        store.append(Write(size=0, position=1, facts=[accepted("bob")], running=Running(snapshot=b"new")))
        store.append(Write(size=0, position=2, messages=[taken("4")], facts=[accepted("eve")]))
        store = self.reopened(store)
        kept = store.snapshot
        assert kept == Snapshot(content=b"new", messages=3, position=2)
        assert list(store.traces(after=kept.messages)) == [b"s/4"]
        assert list(store.facts(after=kept.position)) == [accepted("eve")]

    def test_the_time_that_messages_came_to_stays_until_it_goes_on(self) -> None:
        store = self.store()
        assert store.reached is None
        store.append(Write(size=0, position=0, running=Running(reached=AT)))
        store.append(Write(size=0, position=0, facts=[accepted("ann")]))
        assert self.reopened(store).reached == AT

    def test_the_ledgers_head_is_kept_with_the_write_that_gave_one(self) -> None:
        store = self.store()
        assert store.head == b""
        store.append(Write(size=0, position=0, entries=[b"one"], checkpoint=b"signed", head=b"head"))
        store.append(Write(size=1, position=0, entries=[b"two"], checkpoint=b"signed again"))
        store = self.reopened(store)
        assert (store.head, store.checkpoint) == (b"head", b"signed again")
