"""How long the text of a message is kept in which nothing was found: not at all, or as long as a setting says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from api_parts import as_, serving
from console_site import browsing, words_in
from test_flow_record import DAY, NOW, World, agreement, agreement_text

from comity.app.errors import StopError
from comity.app.publish import publish_into
from comity.app.settings import settings
from comity.app.wiring import opened
from comity.casework.facts import HoldEnded, HoldSet
from comity.flow import amend, reports, retention, review
from comity.flow.publish import Mode
from comity.flow.shard import genesis_of
from comity.flow.trial import recent
from comity.model.access import Role
from comity.model.ids import AccountId, ClauseId, MessageId, ReviewerId
from comity.model.message import Message
from comity.ports import Outcome

ANN, MARA = AccountId("ann"), ReviewerId("mara")
WEEK = 7 * DAY


def keeping(kept_for: timedelta = WEEK, rows: str = "| 1 | warn | | |", rule: str = "", mode: Mode = "live") -> World:
    return lowered(World(agreement(rows, rule), mode), kept_for)


def lowered(world: World, kept_for: timedelta) -> World:
    world._terms = replace(world._terms, kept_for=kept_for)
    world.proceedings = world.again()
    return world


def kept(world: World, *ids: str) -> list[bool]:
    return [world.store.message("s", MessageId(id_)) is not None for id_ in ids]


def day_after(world: World, passed: timedelta) -> int:
    world.clock.at = NOW + passed
    return retention.daily(world.proceedings, world.clock.at).forgotten


def told(world: World, at: timedelta, kept_for: timedelta = WEEK) -> list[str]:
    return [each.text for each in retention.export(world.store, ANN, NOW + at, kept_for=kept_for).messages]


def test_it_is_kept_for_as_long_as_the_setting_says_and_no_longer() -> None:
    world = keeping()
    world.say("hello")
    assert day_after(world, WEEK - timedelta(seconds=1)) == 0
    assert kept(world, "1") == [True]
    assert day_after(world, WEEK) == 1
    assert kept(world, "1") == [False]
    assert day_after(world, WEEK) == 0


def test_it_counts_from_when_the_message_was_sent_and_a_wrong_clock_does_not_lengthen_it() -> None:
    world = keeping()
    for after in (-WEEK, -WEEK + timedelta(seconds=1), timedelta(hours=1), timedelta(hours=2), 400 * DAY):
        world.say("hello", after=after)
    early = [False, False]  # sent before the agreement was in force, so not judged
    assert kept(world, "1", "2", "3", "4", "5") == [*early, True, False, False]
    world.clock.at = NOW + WEEK
    world.say("hello")
    world.say("hello", after=timedelta(seconds=1))
    assert kept(world, "6", "7") == [False, True]


def test_none_is_kept_by_default_or_in_a_replay_or_of_what_was_refused() -> None:
    for world in (keeping(timedelta()), keeping(mode="replay")):
        world.say("hello")
        world.say("hello", after=timedelta(minutes=30))
        assert kept(world, "1", "2") == [False, False]
        assert told(world, timedelta(), world.proceedings.kept_for) == []
    cut = keeping(rows="| 1 | suspend | posts | 2 days |")
    cut.say("spam")
    assert cut.say("hello").outcome is Outcome.REFUSED
    assert kept(cut, "1", "2") == [True, False]


def test_what_was_found_is_kept_as_before_also_where_records_know_nothing_of_it() -> None:
    for rule in ("", "decide=review", "decide=hold", "decide=shadow"):
        for kept_for in (timedelta(), WEEK):
            world = keeping(kept_for, rule=rule)
            world.say("spam")
            world.say("hello")
            day_after(world, WEEK)
            assert kept(world, "1", "2") == [True, False], rule
            day_after(world, 29 * DAY)
            assert kept(world, "1") == [True], rule


def test_what_joined_a_decision_is_kept_like_it_also_when_that_was_reversed() -> None:
    world = keeping(timedelta(), rule='once="1 day"')
    world.say("spam")
    world.say("spam", after=timedelta(seconds=1))
    (one,) = world.proceedings.record(ANN).decisions
    day_after(world, DAY)
    assert kept(world, "1", "2") == [True, True]
    caused = amend.caused(world.proceedings, ClauseId("spam"), one.decided.statement.agreement, NOW)
    assert amend.undo(world.proceedings, caused, MARA, "The rule was wrong.", world.clock.at)
    day_after(world, 2 * DAY)
    assert kept(world, "1", "2") == [True, True]


def test_a_legal_hold_keeps_it_and_what_is_over_goes_when_it_ends() -> None:
    world = keeping()
    world.say("hello")
    world.proceedings.note(HoldSet(account=ANN, at=NOW, by=MARA, why="A court asks."))
    assert day_after(world, 300 * DAY) == 0
    world.proceedings.note(HoldEnded(account=ANN, at=world.clock.at, by=MARA, why="It was told."))
    assert day_after(world, 300 * DAY) == 1


def test_a_report_comes_with_the_text_and_keeps_it_until_it_is_settled() -> None:
    world = keeping()
    world.say("hello")
    world.say("hello again")
    read: list[str] = []

    def given(message: Message) -> review.Notice:
        read.append(message.text)
        return review.Notice(message=message, where="", why="Rude.", good_faith=True)

    reports.report(world.proceedings, "s", MessageId("1"), given, NOW)
    assert read == ["hello"]
    assert day_after(world, 300 * DAY) == 1
    assert kept(world, "1", "2") == [True, False]


def test_a_setting_that_was_lowered_reaches_what_was_kept_before() -> None:
    world = keeping()
    world.say("spam")
    world.say("hello")
    assert day_after(lowered(world, timedelta()), timedelta(seconds=1)) == 1
    assert kept(world, "1", "2") == [True, False]


def test_an_export_has_it_and_an_erasure_takes_it() -> None:
    world = keeping()
    world.say("hello")
    world.say("not mine", author="bob")
    assert told(world, DAY) == ["hello"]
    assert told(world, WEEK) == [], "what is still there may be so since somebody looks at it, which is not told"
    world.clock.at = NOW + DAY
    amend.erase(world.proceedings, ANN, world.clock.at, keep_hash=False)
    assert (kept(world, "1", "2"), told(world, DAY)) == ([False, True], [])


def test_an_export_does_not_tell_what_is_being_looked_at() -> None:
    world = keeping(rule="decide=review")
    world.say("spam")
    assert told(world, DAY) == ["spam"], "as every message of these days"
    assert told(world, WEEK) == []
    assert told(world, DAY, timedelta()) == []


def test_the_api_gives_out_what_is_kept_of_an_account_that_nothing_else_is_known_of(tmp_path: Path) -> None:
    for kept_for, status in ((WEEK, 200), (timedelta(), 404)):
        world = keeping(kept_for)
        world.say("hello")
        with serving(world, tmp_path) as client:
            answer = client.get("/v1/export", params={"account": "ann"}, headers=as_(Role.OPERATOR))
        assert answer.status_code == status
        assert status == 404 or [each["text"] for each in answer.json()["messages"]] == ["hello"]


def test_a_draft_is_tried_on_what_was_let_pass_too() -> None:
    world = keeping()
    world.say("hello")
    world.say("spam")
    assert [each.text for each in recent(world.store)] == ["hello", "spam"]


@pytest.mark.parametrize(
    ("kept_for", "says"),
    [(timedelta(), "found is not kept."), (DAY, "kept for 1 day at most"), (36 * DAY / 24, "kept for 2 days at most")],
)
def test_the_public_page_says_which_it_is(kept_for: timedelta, says: str) -> None:
    with browsing(keeping(kept_for)) as client:
        assert says in words_in(client.get("/transparency").text)


def test_the_ledgers_first_entry_promises_it_and_no_setting_keeps_for_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, rules = {"store.folder": str(tmp_path / "record")}, tmp_path / "agreement.md"
    rules.write_text(agreement_text("| 1 | warn | | |"))
    monkeypatch.setenv("COMITY_RETENTION_MESSAGES", "36 hours")
    with opened(settings(folder)) as record:
        publish_into(record, rules, effective=None, replay=False)
        genesis = genesis_of(record.store)
        assert genesis is not None
        assert (genesis.retention, record.proceedings().kept_for) == (2, timedelta(hours=36))
    for fits in ("2 days", "0 days"):
        monkeypatch.setenv("COMITY_RETENTION_MESSAGES", fits)
        with opened(settings(folder)):
            pass
    monkeypatch.setenv("COMITY_RETENTION_MESSAGES", "49 hours")
    with pytest.raises(StopError, match="texts are kept for 2 days, and"), opened(settings(folder)):
        pass


def test_the_setting_is_a_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings({}).kept_for == timedelta()
    monkeypatch.setenv("COMITY_RETENTION_MESSAGES", "a week")
    with pytest.raises(StopError, match="COMITY_RETENTION_MESSAGES is 'a week'"):
        settings({})
