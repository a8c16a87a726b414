"""How long a message waits for a person at most: a day, or less by a setting; its source is told until when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from api_parts import as_, serving
from litestar.testing import TestClient
from test_flow_record import NOW, World, agreement

from comity.app.errors import StopError
from comity.app.settings import settings
from comity.app.wiring import opened
from comity.flow.publish import Mode
from comity.gates.held import Become, Fate, Held, Waits
from comity.model.access import Role
from comity.model.duration import Duration, Unit
from comity.stores.world import FixedClock

MODE: Mode = "live"
HOLDS = (("| 1 | warn | | |", "decide=hold"), ("| 1 | hold | posts | 9 days |", ""))


def patient(world: World, hours: int) -> World:
    world._terms = replace(world._terms, patience=Duration(count=hours, unit=Unit.HOUR))
    world.proceedings = world.again()
    return world


def send(client: TestClient, id_: str, text: str, how: str = "") -> dict[str, str]:
    given = {"id": id_, "author": "ann", "channel": "posts", "text": text, "sent": NOW.isoformat()}
    return client.post(f"/v1/messages{how}", json=given, headers=as_(Role.SOURCE)).json()


@pytest.mark.parametrize("hours", [24, 2])
@pytest.mark.parametrize("rules", HOLDS, ids=["by a rule", "of an account on hold"])
def test_its_source_is_told_until_when_it_waits_and_from_then_on_that_it_passes(
    tmp_path: Path, rules: tuple[str, str], hours: int
) -> None:
    world = World(agreement(*rules), MODE)
    with serving(patient(world, hours) if hours != 24 else world, tmp_path) as client:
        said = "spam"
        if rules is HOLDS[1]:
            assert send(client, "0", "spam")["until"] is None, "this one is warned of, and does not wait"
            said = "hello"
        until = world.clock.at + timedelta(hours=hours)
        tried, told = send(client, "1", said, "?dry_run=1"), send(client, "1", said)
        assert [(each["answer"], datetime.fromisoformat(each["until"])) for each in (tried, told)] == [
            ("hold", until)
        ] * 2
        patient(world, 1)  # what was told stands, whatever the setting says later
        world.clock.at = until - timedelta(seconds=1)
        assert (again := send(client, "1", said))["answer"] == "hold"
        assert datetime.fromisoformat(again["until"]) == until
        world.clock.at = until
        assert (send(client, "1", said)["answer"], send(client, "1", said)["until"]) == ("allow", None)


def test_the_setting_is_at_most_a_day_and_reaches_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMITY_REVIEW_PATIENCE", "25 hours")
    with pytest.raises(StopError, match="COMITY_REVIEW_PATIENCE is '25 hours', which is more than 24 hours"):
        settings({})
    monkeypatch.setenv("COMITY_REVIEW_PATIENCE", "90 minutes")
    with opened(settings({"store.folder": str(tmp_path)})) as record:
        assert record.proceedings().given(NOW).patience == Duration(count=90, unit=Unit.MINUTE)


def test_a_gate_passes_on_what_waits_when_the_centre_said_and_never_later_than_its_own_patience(tmp_path: Path) -> None:
    settled: list[tuple[str, Become]] = []

    async def settle(one: Waits, fate: Fate) -> bool:
        settled.append((one.name, fate.become))
        return True

    clock = FixedClock(NOW)
    held = Held(
        folder=tmp_path,
        url="http://127.0.0.1:9",
        token="t",
        settle=settle,
        clock=clock,
        warn=lambda *_: None,
        patience=timedelta(hours=4),
    )
    ends = {"sooner": timedelta(hours=2), "later": timedelta(hours=20)}
    for name, end in ends.items():
        asyncio.run(held.keep(Waits(name=name, message=name, since=NOW, until=NOW + end)))
    asyncio.run(held.keep(Waits(name="older", message="older", since=NOW)))
    for hours, names in ((2, ["sooner"]), (4, ["sooner", "later", "older"])):
        clock.at = NOW + timedelta(hours=hours) - timedelta(seconds=1)
        asyncio.run(held._is_all_settled())
        assert len(settled) < len(names)
        clock.at = NOW + timedelta(hours=hours)
        asyncio.run(held._is_all_settled())
        assert settled == [(name, Become.RELEASED) for name in names]
