"""A snapshot is of one moment however slowly it is taken, and one that does not add up has no first byte."""

from __future__ import annotations

import asyncio

import pytest
from test_flow_feed import Miscounted, Watched, encode_snapshot

from comity.api.snapshots import Snapshots
from comity.flow.feed import DamagedFeedError
from comity.ledger.feed import decode_snapshot


def test_who_takes_a_snapshot_slowly_gets_what_was_and_nobody_waits_for_that() -> None:
    async def told() -> None:
        watched = Watched()
        watched.say("spam")
        before, snapshots = watched.feed.snapshot(), Snapshots(watched.feed)
        slow = await snapshots.pieces(None)
        taken = [await anext(slow)]
        watched.say("spam", author="bob")
        other = b"".join([piece async for piece in await snapshots.pieces(None)])
        assert decode_snapshot(other) == watched.feed.snapshot()
        taken += [piece async for piece in slow]
        assert decode_snapshot(b"".join(taken)) == before
        assert before.count == 2
        await snapshots.stop()

    asyncio.run(told())


def test_a_snapshot_of_nothing_is_whole() -> None:
    async def told() -> None:
        watched = Watched()
        content = b"".join([piece async for piece in await Snapshots(watched.feed).pieces(None)])
        assert content == encode_snapshot(watched.feed.snapshot())

    asyncio.run(told())


def test_what_does_not_add_up_is_not_begun() -> None:
    watched = Watched()
    watched.say("spam")
    watched.feed._store = Miscounted(watched.store)
    with pytest.raises(DamagedFeedError, match="are not those that were counted"):
        asyncio.run(Snapshots(watched.feed).pieces(None))
