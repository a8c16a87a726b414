"""Reports of messages of which nothing is known here are read on one page, and dismissed together; nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_browser import Browser, reviewing
from test_console_cases import WHY, text_of
from test_flow_record import NOW, World, agreement

from comity.casework.case_facts import Informed
from comity.casework.facts import Dismissed
from comity.flow import reports, review
from comity.flow.claims import AT_ONCE
from comity.model.ids import ClauseId, MessageId, ReviewerId
from comity.model.message import Message
from comity.model.statement import Origin

PLACE = "/console/claims"


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | warn | | |", "decide=review"), "live")


@pytest.fixture
def mara(world: World, tmp_path: Path) -> Iterator[Browser]:
    with reviewing(world, tmp_path) as browser:
        yield browser


def report(world: World, id_: str, source: str = "forum", origin: Origin = Origin.USER) -> None:
    def given(message: Message) -> review.Notice:
        return review.Notice(
            message=message,
            where="",
            why=f"Fraud <b>{id_}</b>",
            good_faith=True,
            clause=ClauseId("spam"),
            origin=origin,
            quote="gold",
        )

    reports.report(world.proceedings, source, MessageId(id_), given, NOW)


def waiting(world: World) -> list[str]:
    return [id_ for id_, _ in world.store.waiting()]


def read(page: str) -> list[str]:
    return re.findall(r'name="read" value="(\w+:\d+)"', page)


def test_all_that_were_read_are_dismissed_and_each_notifier_hears(world: World, mara: Browser) -> None:
    for number in range(AT_ONCE + 7):
        report(world, f"made up {number}")
    queue = text_of(mara.get("/console/queue").text)
    assert f"Read {AT_ONCE + 7} reports of unknown messages at once" in queue
    page = mara.get(PLACE).text
    assert "Fraud <b>made up 3</b>" in text_of(page)
    assert len(read(page)) == AT_ONCE
    told = mara.send_on(page, PLACE, why=WHY, read=read(page))
    assert told.headers["Location"] == f"/console/queue?done=bulk&count={AT_ONCE}"
    assert len(waiting(world)) == 7
    said = [fact for fact in world.store.facts([Dismissed]) if isinstance(fact, Dismissed)]
    assert {(fact.by, fact.why) for fact in said} == {("mara", WHY)}
    assert len(list(world.store.facts([Informed]))) == AT_ONCE


def test_what_is_not_ticked_waits_on(world: World, mara: Browser) -> None:
    for id_ in "abc":
        report(world, id_)
    page = mara.get(PLACE).text
    left, *ticked = read(page)
    mara.send_on(page, PLACE, why=WHY, read=ticked)
    assert waiting(world) == [left.partition(":")[0]]


def test_of_what_changed_since_it_was_read_nothing_is_dismissed(world: World, mara: Browser) -> None:
    for id_ in "ab":
        report(world, id_)
    page = mara.get(PLACE).text
    changed, other = read(page)
    report(world, "a")
    told = mara.send_on(page, PLACE, why=WHY, read=[changed, other])
    assert told.headers["Location"].endswith("count=1")
    assert waiting(world) == [changed.partition(":")[0]]
    assert mara.send_on(page, PLACE, why=WHY, read=[changed]).status_code == 409


def test_nothing_else_can_be_dismissed_so(world: World, mara: Browser) -> None:
    """Neither what a rule found, nor a report of what is known, of a trusted flagger, or of what somebody works on."""
    world.say("spam")
    world.say("hello", author="bob")
    report(world, "2", source="s")
    report(world, "trusted", origin=Origin.TRUSTED_FLAGGER)
    report(world, "claimed")
    *_, claimed = waiting(world)
    review.claim(world.proceedings, claimed, ReviewerId("noor"), NOW)
    report(world, "plain")
    page = mara.get(PLACE).text
    (plain,) = read(page)
    assert len(waiting(world)) == 5
    for version in range(1, 6):
        mara.send_on(page, PLACE, why=WHY, read=[f"{id_}:{version}" for id_ in waiting(world)])
    assert len(waiting(world)) == 4
    assert plain.partition(":")[0] not in waiting(world)


@pytest.mark.parametrize("why", ["", "  "])
def test_without_a_reason_nothing_is_dismissed(why: str, world: World, mara: Browser) -> None:
    report(world, "a")
    page = mara.get(PLACE).text
    assert mara.send_on(page, PLACE, why=why, read=read(page)).status_code == 409
    assert len(waiting(world)) == 1


@pytest.mark.parametrize("sent", ["", "nothing:1", "x", ":", "é:1", "x:99999999999999999999"])
def test_what_is_no_case_is_refused(sent: str, world: World, mara: Browser) -> None:
    report(world, "a")
    page = mara.get(PLACE).text
    assert mara.send_on(page, PLACE, why=WHY, read=[sent]).status_code == 409
