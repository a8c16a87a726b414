"""One decision stops a person everywhere at once, each refusal says why in its own way, and lifting opens all of it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gate_kinds import KINDS, Attached, Place, centre, prepared
from namespaces import PATIENCE, Network, network
from test_gate_serve import free_port


async def all_are(attached: Mapping[str, Attached], *, passing: bool) -> None:
    """Wait until it is so at every gate."""
    async with asyncio.timeout(PATIENCE):
        for each in attached.values():
            while await each.passes() is not passing:
                pass


async def decided(place: Place) -> str:
    """By a person, on the command line: one command that suspends everywhere. The statement."""
    message = {"id": "1", "author": "ann", "channel": "posts", "text": "I know where you live."}
    message["sent"] = datetime.now(UTC).isoformat()
    (place.folder / "message.json").write_text(json.dumps(message))
    reported = ("--where", "here", "--why", "A threat", "--good-faith", "--name", "bob", "--contact", "b@example.org")
    said = await place.record.comity("notice", "message.json", *reported)
    (case,) = re.findall(r"in case ([0-9a-f]{32})", said)
    decision = ("--confirm", "--clause", "threats", "--by", "mara", "--why", "It threatens.", "--yes")
    said = await place.record.comity("case", case, *decision)
    (statement,) = re.findall(r"statement is ([0-9a-f]{32})", said)
    return statement


async def ends(place: Place) -> datetime:
    """A rule cuts ann off everywhere, for some seconds: until when."""
    said = {"id": "2", "author": "ann", "channel": "posts", "text": "noise", "sent": datetime.now(UTC).isoformat()}
    assert (await place.source.post("/v1/messages", json=said)).json()["statement"]
    standing = await place.source.get("/v1/standing", params={"account": "ann", "channel": "posts"})
    return datetime.fromisoformat(standing.json()["until"])


def test_one_decision_cuts_off_everywhere_at_once_and_lifting_and_its_end_open_whatever_becomes_of_the_centre(
    tmp_path: Path,
) -> None:
    if why := prepared():
        pytest.skip(why)

    async def told(net: Network) -> None:
        async with centre(tmp_path, free_port(), net) as place, AsyncExitStack() as held:
            serving = await held.enter_async_context(place.record.serving())
            attached = {
                kind: await held.enter_async_context(attach(place, tmp_path / f"gate-{kind}"))
                for kind, attach in KINDS.items()
            }
            await all_are(attached, passing=True)
            statement = await decided(place)
            await all_are(attached, passing=False)
            count = len(KINDS)
            said = await place.record.comity("standing", "ann", "--gates")
            assert re.search(rf"cut off at {count} of {count} gates, slowest [0-9]+ ms", said)
            links = {kind: _link(await each.shown(), kind) for kind, each in attached.items()}
            for link in links.values():
                assert (await place.source.get(link)).status_code == 200
            await serving.end(signal.SIGKILL)
            await all_are(attached, passing=False)
            await place.record.comity("lift", statement, "--by", "mara", "--why", "A mistake.")
            assert [await each.passes() for each in attached.values()] == [False] * count
            serving = await held.enter_async_context(place.record.serving())
            await all_are(attached, passing=True)
            end = await ends(place)
            await all_are(attached, passing=False)
            await serving.end(signal.SIGKILL)
            while datetime.now(UTC) < end - timedelta(seconds=2):
                assert [await each.passes() for each in attached.values()] == [False] * count
            await all_are(attached, passing=True)
            assert datetime.now(UTC) >= end - timedelta(milliseconds=100)

    with network() as net:
        asyncio.run(told(net))


def _link(shown: str, kind: str) -> str:
    """What the person read has the reason and where to read more."""
    assert "Threats" in shown, kind
    (link,) = set(re.findall(r'(http://[^"\s>]+/r/[^"\s>]+)', shown))
    return link
