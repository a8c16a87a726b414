"""Which addresses of a channel are cut off and until when: what the replica's plans come to, for rules that hold alone.

A gate that is asked needs no more than `Replica.check`. One that writes rules must know what to write, so this watches
the replica. An address is cut off while any account is that is called so: two that share one share the stricter.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from comity.gates.addresses import Address, Sort, address_of
from comity.gates.following import Clock
from comity.gates.handles import Handles
from comity.gates.records import Records
from comity.gates.replica import Replica
from comity.model.measure import State
from comity.model.plan import Planned

FOREVER: Final = datetime.max.replace(tzinfo=UTC)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_KEPT: Final = 1 << 30
"""Added to the rows of what a former life of the feed told; those of the present one are smaller."""
_LATE: Final = timedelta(seconds=5)
"""What ended less long ago may still be in the kernel."""

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """An address is cut off `until` then (None: not now). `was`: it was before, or may have been."""

    address: Address
    until: datetime | None
    was: bool


class Cuts:
    """By address. Times are the centre's."""

    def __init__(self, replica: Replica, channel: str, clock: Clock) -> None:
        self._replica, self._channel, self._clock = replica, channel, clock
        self._rows = Handles()
        self._touched, self._told = dict[Address, bool](), tuple[Address, ...]()
        self._starts = list[tuple[datetime, str, Address]]()
        self._must_begin = True
        replica.watcher = self

    @property
    def now(self) -> datetime:
        """By the centre's clock."""
        return self._clock.now() + self._replica.offset

    @property
    def next_start(self) -> datetime | None:
        """When the next measure begins of which nothing more will be told."""
        return self._starts[0][0] if self._starts else None

    @property
    def must_begin(self) -> bool:
        """Whether nothing of what was said before counts: ask for `every`."""
        return self._must_begin

    def begin(self) -> None:
        """Everything is another than before."""
        self._must_begin = True

    def before(self, row: int, planned: Planned | None) -> None:
        """The replica is about to replace what it knows in a row."""
        known, kept = self._replica.known, self._replica.kept
        if known is None or self._must_begin:
            return
        old, self._told = known.records.planned(row), self._addresses(planned)
        forgotten = kept.row(planned.channel, planned.account) if planned and kept else None
        former = kept.records.planned(forgotten) if forgotten is not None else None
        for address in {*self._addresses(old), *self._told, *self._addresses(former)}:
            self._touched.setdefault(address, self._was_cut(address))
        self._unlist(old, row)
        self._unlist(former, _KEPT + (forgotten or 0))
        if planned is not None and planned != old and self._is_here(planned) and not self._told:
            self._warn_of(1)

    def after(self, row: int) -> None:
        """It has replaced it."""
        if self._replica.known is not None and not self._must_begin:
            self._list(self._told, row)

    def changed(self, at: datetime) -> list[Cut]:
        """What has become of addresses since this was last asked."""
        while self._starts and self._starts[0][0] <= at:
            address = heapq.heappop(self._starts)[2]
            self._touched.setdefault(address, self._was_cut(address))
        touched, self._touched = self._touched, {}
        return [Cut(address=each, until=self._until(each, at), was=was) for each, was in touched.items()]

    def every(self, at: datetime) -> list[Cut]:
        """All that are cut off, found anew; each once."""
        known, kept = self._replica.known, self._replica.kept.records
        self._rows, self._touched, self._starts = Handles(), {}, []
        self._must_begin = False
        found, without = dict[Address, None](), 0
        for shift, records in ((0, known.records if known else Records()), (_KEPT, kept)):
            for row in records.rows():
                planned = records.planned(row)
                listed = self._addresses(planned)
                self._list(listed, shift + row)
                found.update(dict.fromkeys(listed))
                without += planned is not None and self._is_here(planned) and not listed
        if without:
            self._warn_of(without)
        return [Cut(address=each, until=until, was=False) for each in found if (until := self._until(each, at))]

    def spellings(self, address: Address) -> Iterator[str]:
        """How the accounts of an address are called, as the replica has it."""
        for planned, _ in self._entries(address):
            yield from (each for each in _called(planned) if address_of(each) == address)

    def _until(self, address: Address, at: datetime) -> datetime | None:
        intervals = sorted(self._intervals(address))
        until = holds_until(intervals, at)
        later = next((start for start, _ in intervals if start > (until or at)), None)
        if later is not None:
            heapq.heappush(self._starts, (later, address.text, address))
        return until

    def _was_cut(self, address: Address) -> bool:
        now = self.now
        return any(start <= now and now - _LATE < end for start, end in self._intervals(address))

    def _intervals(self, address: Address) -> Iterator[Interval]:
        """When the address is cut off, in any order."""
        for planned, believed in self._entries(address):
            times = [(one.start, one.until or FOREVER) for one in planned.handles if address_of(one.handle) == address]
            for start, end in times or [(_EARLIEST, FOREVER)]:
                for span in planned.plan:
                    if span.state is State.CUT:
                        yield max(start, span.start), min(end, span.until or FOREVER, believed)

    def _entries(self, address: Address) -> Iterator[tuple[Planned, datetime]]:
        """What is known of an address's accounts, and until when that is believed."""
        known, kept = self._replica.known, self._replica.kept
        for row in self._rows.places(_key(address)):
            records = kept.records if row >= _KEPT else known.records if known else kept.records
            planned = records.planned(row & ~_KEPT)
            if planned is not None and self._is_of(planned, address):
                doubted = known.unproven.get(row) if known else None
                yield planned, FOREVER if doubted is None else doubted + self._replica.offset

    def _is_of(self, planned: Planned, address: Address) -> bool:
        if self._is_here(planned) and address.text in _called(planned) and address.sort is not Sort.SITE:
            return True  # as `address_of` would find, at twenty times the cost
        return address in self._addresses(planned)

    def _list(self, addresses: Iterable[Address], row: int) -> None:
        for address in addresses:
            self._rows.add(_key(address), row)

    def _unlist(self, planned: Planned | None, row: int) -> None:
        for address in self._addresses(planned):
            self._rows.drop(_key(address), row)

    def _warn_of(self, count: int) -> None:
        text = f"{count} restricted on {self._channel} without an address there: this gate can do nothing about them"
        self._replica.warn("no address", text)

    def _is_here(self, planned: Planned) -> bool:
        return planned.channel == self._channel and bool(planned.plan)

    def _addresses(self, planned: Planned | None) -> tuple[Address, ...]:
        if planned is None or not self._is_here(planned):
            return ()
        return tuple(dict.fromkeys(one for each in _called(planned) if (one := address_of(each)) is not None))


def holds_until(intervals: Iterable[Interval], at: datetime) -> datetime | None:
    """The end of what holds at `at` without a gap, however many follow each other; None: nothing does.

    >>> day = [datetime(2026, 1, number, tzinfo=UTC) for number in range(1, 9)]
    >>> holds_until([(day[1], day[3]), (day[2], day[4]), (day[5], day[6])], day[2]).day
    5
    >>> holds_until([(day[1], day[3])], day[3])
    """
    until = at
    for start, end in sorted(intervals):
        if start <= until < end:
            until = end
    return until if until > at else None


def _called(planned: Planned) -> tuple[str, ...]:
    return tuple(one.handle for one in planned.handles) or (planned.account,)


def _key(address: Address) -> str:
    return f"{address.sort} {address.text}"
