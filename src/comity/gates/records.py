"""All plans that a gate knows, in columns of numbers: a million in little memory, each found in constant time.

A *place* is a number in all columns: a span of a plan or a handle of an account. The places of one entry are chained:
its first span, which has the account's id for a name, then further spans, then handles. An entry without handles is
found by that id, one with handles by these alone. Not for several threads.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from comity.gates.answers import Deny, Limited
from comity.gates.handles import Handles
from comity.ledger.feed import ProvenSpan
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import State
from comity.model.plan import Called, Planned, Span

COLUMNS: Final = ("names", "name_at", "start", "until", "what", "next", "row", "statement", "place_of", "free")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_ROW: Final = 100_000_000
_MICROSECOND: Final = timedelta(microseconds=1)
_END: Final = b"\xff"  # ends a name and a link; no UTF-8 holds it, nor what fills the room after shorter ones:
_ROOM: Final = 0xFE
_MOST_ANSWERS: Final = 10_000
_NEVER: Final = 2**63 - 1
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)
_HANDLE: Final = 1 << 31  # of `what`: the place is a handle, and the rest its entry's first place
_CUT: Final = 1 << 30  # of `what`: the span cuts off


class Terms(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What many spans share, kept once."""

    channel: Channel
    state: State
    limit: str | None
    condition: tuple[str, ...]
    reason: str
    link: str  # what all links begin with


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


@dataclass(slots=True)
class Records:
    """Entries by the row that the centre gave each; a row's entry is replaced whole."""

    names: bytearray = field(default_factory=bytearray)
    name_at: array[int] = field(default_factory=lambda: array("I", [0]))
    start: array[int] = field(default_factory=lambda: array("q", [0]))
    until: array[int] = field(default_factory=lambda: array("q", [0]))
    what: array[int] = field(default_factory=lambda: array("I", [0]))
    next: array[int] = field(default_factory=lambda: array("I", [0]))
    row: array[int] = field(default_factory=lambda: array("I", [0]))
    statement: bytearray = field(default_factory=lambda: bytearray(16))
    place_of: array[int] = field(default_factory=lambda: array("I", [0]))
    free: array[int] = field(default_factory=lambda: array("I"))
    terms: list[Terms] = field(default_factory=list)
    _number: dict[Terms, int] = field(default_factory=dict)
    _channels: dict[str, Handles] = field(default_factory=dict)
    _answers: dict[int, Deny | Limited] = field(default_factory=dict)
    count: int = 0  # how many entries there are

    def __len__(self) -> int:
        """How many entries there are."""
        return self.count

    def put(self, row: int, planned: Planned) -> None:
        """Replace what the row held. An empty plan is no entry."""
        self.drop(row)
        if not planned.plan:
            return
        self.place_of.frombytes(bytes(max(0, row + 1 - len(self.place_of)) * self.place_of.itemsize))
        first = last = self._span(row, planned.account, planned.channel, planned.plan[0])
        for span in planned.plan[1:]:
            last = self._chained(last, self._span(row, "", planned.channel, span))
        for called in planned.handles:
            last = self._chained(last, self._handle(row, first, called))
            self._table(planned.channel).add(called.handle, last)
        if not planned.handles:
            self._table(planned.channel).add(planned.account, first)
        self.place_of[row] = first
        self.count += 1

    def drop(self, row: int) -> None:
        """Forget what the row held, if anything: no byte of its names stays."""
        first = place = self.place_of[row] if row < len(self.place_of) else 0
        if not first:
            return
        table, is_called = self._table(self._terms(first).channel), False
        account = self._name(first)
        while place:
            if self.what[place] & _HANDLE:
                table.drop(self._name(place), place)
                is_called = True
            self.free.append(place)
            self._write_name(place, _END + _END)
            self._answers.pop(place, None)
            place = self.next[place]
        if not is_called:
            table.drop(account, first)
        self.place_of[row] = 0
        self.count -= 1

    def planned(self, row: int) -> Planned | None:
        """The row's entry, as it was put."""
        first = place = self.place_of[row] if row < len(self.place_of) else 0
        if not first:
            return None
        plan: list[Span] = []
        handles: list[Called] = []
        while place:
            if self.what[place] & _HANDLE:
                until = _time(self.until[place])
                handles.append(Called(handle=self._name(place), start=_known(self.start[place]), until=until))
            else:
                plan.append(self.span(place))
            place = self.next[place]
        return Planned(
            account=AccountId(self._name(first)),
            channel=self._terms(first).channel,
            handles=tuple(handles),
            plan=tuple(plan),
        )

    def rows(self) -> Iterator[int]:
        """The rows that hold an entry."""
        return (row for row, place in enumerate(self.place_of) if place)

    def find_names(self) -> None:
        """Make the tables, after all columns were set from outside."""
        self._number = {terms: number for number, terms in enumerate(self.terms)}
        most = Counter[str]()
        for what, count in Counter(self.what[place] & ~_CUT for place in self.place_of if place).items():
            most[self.terms[what].channel] += count
        self._channels = {channel: Handles(room=count) for channel, count in most.items()}
        numbers = [self._table(terms.channel) for terms in self.terms]
        for first in filter(None, self.place_of):
            self.count += 1
            table, place, is_called = numbers[self.what[first] & ~_CUT], self.next[first], False
            while place:
                if self.what[place] & _HANDLE:
                    table.add(self._name(place), place)
                    is_called = True
                place = self.next[place]
            if not is_called:
                table.add(self._name(first), first)

    def holding(self, channel: str, handle: str, at: datetime) -> int:
        """The place of the strictest span that holds at `at` for whoever the channel calls so; 0: there is none."""
        table = self._channels.get(channel)
        if table is None:
            return 0
        recent = table.recent.get(handle)
        if recent is not None and recent[0] <= at < recent[1]:
            return recent[2]
        slots, mask = table.slots, table.mask
        part = hash(handle) & 0xFFFFFFFF
        slot_at = part & mask
        if not slots[slot_at]:
            return 0
        found = named = count = 0
        while slot := slots[slot_at]:
            if slot >> 32 == part:
                named, count = slot & 0xFFFFFFFF, count + 1
                place = self._held(named, handle, at)
                if place and self.what[place] & _CUT:
                    found, count = place, 1
                    break
                found = found or place
            slot_at = (slot_at + 1) & mask
        if count == 1 and found in self._answers:
            self._remember(table, handle, named, found)
        return found

    def _remember(self, table: Handles, handle: str, named: int, place: int) -> None:
        """Where to look for whoever is asked about again. Nothing stricter holds while it does."""
        start, until = self.start[place], self.until[place]
        if self.what[named] & _HANDLE:
            start, until = max(start, self.start[named]), min(until, self.until[named])
        if len(table.recent) >= _MOST_ANSWERS:
            table.recent.clear()
        table.recent[handle] = _known(start), _time(until) or _FOREVER, place

    def span(self, place: int) -> Span:
        terms = self._terms(place)
        return Span(
            state=terms.state,
            start=_known(self.start[place]),
            until=_time(self.until[place]),
            limit=terms.limit,
            condition=terms.condition,
            statement=self._statement(place),
            reason=terms.reason,
        )

    def answer(self, place: int) -> Deny | Limited:
        """What the span at this place means for who was asked about. Some answers are kept, for those who try again."""
        answer = self._answers.get(place)
        if answer is None:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            answer = self._answers[place] = self._answered(place)
        return answer

    def _answered(self, place: int) -> Deny | Limited:
        terms, until, statement = self._terms(place), _time(self.until[place]), self._statement(place)
        link = self.link(place)
        if self.what[place] & _CUT:
            return Deny(statement=statement, reason=terms.reason, until=until, link=link)
        limit = terms.limit or ""
        return Limited(limit=limit, statement=statement, reason=terms.reason, until=until, link=link)

    def _statement(self, place: int) -> DecisionId:
        return DecisionId(self.statement[16 * place : 16 * place + 16].hex())

    def link(self, place: int) -> str:
        """Where the refused person reads why; empty if the centre gave none."""
        start = self.names.index(_END, self.name_at[place]) + 1
        token = self.names[start : self.names.index(_END, start)].decode("utf-8", "surrogatepass")
        return self._terms(place).link + token

    def _held(self, place: int, handle: str, at: datetime) -> int:
        """The span that holds at `at`, if `place` is of this name and that is in use then."""
        if place >= len(self.what):  # the mark of a name that was taken out
            return 0
        if not self.names.startswith(_bytes(handle), self.name_at[place]):
            return 0
        now = micros(at)
        what = self.what[place]
        if what & _HANDLE:
            if not self.start[place] <= now < self.until[place]:
                return 0
            place = what & ~_HANDLE
        while place and not self.start[place] <= now < self.until[place]:
            place = self.next[place]
        return 0 if self.what[place] & _HANDLE else place

    def _span(self, row: int, name: str, channel: Channel, span: Span) -> int:
        link = span.link if isinstance(span, ProvenSpan) and span.link else ""
        base, slash, token = link.rpartition("/")
        terms = Terms(
            channel=channel,
            state=span.state,
            limit=span.limit,
            condition=span.condition,
            reason=span.reason,
            link=base + slash,
        )
        number = self._number.setdefault(terms, len(self.terms))
        if number == len(self.terms):
            self.terms.append(terms)
        what = number | (_CUT if span.state is State.CUT else 0)
        place = self._place(row, _bytes(name) + _bytes(token), what, (span.start, span.until))
        self.statement[16 * place : 16 * place + 16] = bytes.fromhex(span.statement)
        return place

    def _handle(self, row: int, first: int, called: Called) -> int:
        return self._place(row, _bytes(called.handle) + _END, _HANDLE | first, (called.start, called.until))

    def _place(self, row: int, name: bytes, what: int, time: tuple[datetime, datetime | None]) -> int:
        if not self.free:
            self.free.append(len(self.what))
            for column in (self.start, self.until, self.what, self.next, self.row):
                column.append(0)
            self.name_at.append(len(self.names))
            self.statement += bytes(16)
        place = self.free.pop()
        self._write_name(place, name)
        self.start[place] = micros(time[0])
        self.until[place] = _NEVER if time[1] is None else micros(time[1])
        self.what[place], self.next[place], self.row[place] = what, 0, row
        return place

    def _write_name(self, place: int, name: bytes) -> None:
        """Over the last name of this place if there is room, so that changes do not use up memory."""
        at = self.name_at[place]
        room = self._room(at)
        if len(name) > room:
            self.names[at : at + room] = bytes([_ROOM]) * room
            at = self.name_at[place] = len(self.names)
            room = max(len(name), room * 3 // 2)
        self.names[at : at + room] = name.ljust(room, bytes([_ROOM]))

    def _room(self, at: int) -> int:
        if at == len(self.names):
            return 0
        end = self.names.index(_END, self.names.index(_END, at) + 1) + 1
        while end < len(self.names) and self.names[end] == _ROOM:
            end += 1
        return end - at

    def _chained(self, last: int, place: int) -> int:
        self.next[last] = place
        return place

    def _name(self, place: int) -> str:
        start = self.name_at[place]
        return self.names[start : self.names.index(_END, start)].decode("utf-8", "surrogatepass")

    def _terms(self, place: int) -> Terms:
        return self.terms[self.what[place] & ~_CUT]

    def _table(self, channel: str) -> Handles:
        table = self._channels.get(channel)
        if table is None:
            table = self._channels[channel] = Handles()
        return table


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass") + _END


def _known(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def _time(at: int) -> datetime | None:
    return None if at == _NEVER else _known(at)
