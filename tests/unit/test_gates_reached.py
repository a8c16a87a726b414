"""At which gates a change of a standing has arrived, and how long after the record the slowest had it."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from test_flow_feed import ANN, MAIL, POSTS, Watched
from test_flow_record import NOW

from comity.casework.record import standing
from comity.flow.reached import last_changes, reached, reached_lines
from comity.model.access import GateAck
from comity.model.ids import AccountId, Channel
from comity.stores.gate_acks import GateAckFile

MILLISECOND = timedelta(milliseconds=1)


def lines(watched: Watched, acks: GateAckFile, account: AccountId = ANN) -> list[str]:
    record = watched.proceedings.record(account)
    standings = [standing(record, channel, NOW) for channel in (MAIL, POSTS)]
    return list(reached_lines(reached(last_changes(watched.store, account, (MAIL, POSTS)), acks), standings))


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.say("spam")
    return watched


def test_every_gate_counts_for_its_channels_and_the_slowest_is_named(watched: Watched, tmp_path: Path) -> None:
    _, committed = watched.store.last_change(ANN, POSTS) or (0, NOW)
    with closing(GateAckFile(tmp_path / "gates.db")) as acks:

        def ack(gate: str, cursor: int, ms: int, *channels: Channel) -> None:
            at = committed + ms * MILLISECOND
            acks.add(GateAck(gate=gate, channels=frozenset(channels) or None, cursor=cursor, applied_at=at))

        assert lines(watched, acks) == ["no gate has reported that it was told of this account"]
        ack("web", 2, 3)
        ack("mail", 1, 9, MAIL)
        ack("calls", 0, 1, Channel("calls"))
        assert lines(watched, acks) == ["cut off at 2 of 2 gates, slowest 9 ms"]
        ack("chat", 1, 1)
        assert lines(watched, acks) == [
            "cut off at 2 of 3 gates, slowest 9 ms",
            "not yet at chat: it is at change 1",
        ]
        ack("chat", 40, 90_000)
        ack("web", 41, 90_001)  # later reports do not make it slower
        assert lines(watched, acks) == ["cut off at 3 of 3 gates, slowest 90000 ms"]
        assert lines(watched, acks, AccountId("bob")) == ["no gate has reported that it was told of this account"]
