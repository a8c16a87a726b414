"""How far a change of an account's standing has come: at which gates, and how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from comity.casework.wording import counted, printable
from comity.model.ids import AccountId, Channel
from comity.model.measure import Standing, State
from comity.ports import GateAcks, Store

_WORDS = {State.CUT: "cut off", State.LIMITED: "limited", State.OPEN: "open"}


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a gate has applied the account's last changes; if so, how long after the record. `cursor`: its last."""

    gate: str
    cursor: int
    took: timedelta | None


Changes = Sequence[tuple[Channel, tuple[int, datetime]]]
"""By channel the number of an account's last change, and when it was written."""


def last_changes(store: Store, account: AccountId, channels: Iterable[Channel]) -> Changes:
    """On those channels where there was one."""
    found = ((channel, store.last_change(account, channel)) for channel in channels)
    return [(channel, change) for channel, change in found if change is not None]


def reached(changes: Changes, acks: GateAcks) -> tuple[Reached, ...]:
    """Each gate that has reported, if it is one for a channel on which something changed."""
    found = []
    for last in acks.every():
        own = [change for channel, change in changes if last.channels is None or channel in last.channels]
        if own:
            found.append(Reached(gate=last.gate, cursor=last.cursor, took=_took(acks, last.gate, own)))
    return tuple(found)


def _took(acks: GateAcks, gate: str, changes: Sequence[tuple[int, datetime]]) -> timedelta | None:
    """Of several changes the slowest; None: one has not come there yet."""
    applied = [(acks.first_after(gate, seq), at) for seq, at in changes]
    took = [max(ack.applied_at - at, timedelta()) for ack, at in applied if ack is not None]
    return max(took) if len(took) == len(changes) else None


def reached_lines(gates: Sequence[Reached], standings: Iterable[Standing]) -> Iterator[str]:
    """In words, such as `cut off at 4 of 4 gates, slowest 3 ms`."""
    states = {one.state for one in standings}
    word = next(word for state, word in _WORDS.items() if state in states or state is State.OPEN)
    if not gates:
        yield "no gate has reported that it was told of this account"
        return
    took = [each.took for each in gates if each.took is not None]
    slowest = f", slowest {max(took) / timedelta(milliseconds=1):.0f} ms" if took else ""
    yield f"{word} at {len(took)} of {counted(len(gates), 'gate')}{slowest}"
    for each in gates:
        if each.took is None:
            yield f"not yet at {printable(each.gate)}: it is at change {each.cursor}"
