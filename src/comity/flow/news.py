"""The record's events in their order: for auditors what anybody may know, for a source what became of its messages.

Each event is told at least once and under the same id: whoever reads goes on from where they stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice, takewhile
from operator import itemgetter

import msgspec
from msgspec.structs import replace

from comity.casework.case_facts import CaseClosed
from comity.casework.events import TOLD, Event, Happened, channels_of, of_messages, places, public
from comity.casework.facts import Fact
from comity.casework.record import Record, after, fold
from comity.casework.recorded import Recorded
from comity.casework.removals import Key
from comity.flow.feed import Channels, GoneError
from comity.flow.publish import profile_of
from comity.flow.removals import refused_of
from comity.ledger.hours import day_of, hour_after, hour_of
from comity.model.ids import DecisionId
from comity.ports import Publication, Store

Link = Callable[[Recorded], str]
"""The address of a statement's page, for its account alone."""
_LOOKED_AT = 1_000
"""Facts that one page looks at, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Of a statement's two pages. `refusal`: of the one that anybody may see who meets with what it did."""

    own: Link
    refusal: Callable[[DecisionId], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who is told. `source`: of its own messages, on its channels, with their accounts; None: what anybody may know."""

    source: str | None = None
    channels: Channels = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Events, and where to go on. `is_last`: there was nothing more when it was read."""

    events: tuple[Event, ...]
    next: int
    is_last: bool


def page(store: Store, position: int, limit: int, reader: Reader, addresses: Addresses) -> Page:
    """The events after `position`. Raises `GoneError` if the record is shorter, since a backup was restored."""
    last = store.position
    if position > last:
        raise GoneError(f"the record has no position {position}; it has come to {last}; read from there, or anew")
    found: list[Event] = []
    looked, reached = 0, position
    shown = _as_open if profile_of(store) == "open" else _as_sealed
    for reached, fact in islice(_happened(store, position, last), _LOOKED_AT):
        looked += 1
        told = _published(reached, fact) if isinstance(fact, Publication) else public(reached, fact)
        if reader.source is not None and not isinstance(fact, Publication):
            found += _for_source(store, reached, fact, told, reader, addresses)
        elif told is not None:
            found.append(shown(told))
        if len(found) >= limit:
            break
    is_last = looked < _LOOKED_AT and len(found) < limit
    return Page(events=tuple(found), next=max(last, reached) if is_last else reached, is_last=is_last)


def event(store: Store, id_: str, reader: Reader, addresses: Addresses) -> Event | None:
    """The event of that id as it is told now; None: its account was erased since."""
    position = int(id_.partition(".")[0])
    told = page(store, position - 1, 1, reader, addresses).events
    return next((each for each in told if each.id == id_), None)


def _happened(store: Store, position: int, last: int) -> Iterator[tuple[int, Fact | Publication]]:
    """In the record's order; nothing after `last`, since of what is kept meanwhile only one of both may be seen."""
    facts: Iterator[tuple[int, Fact | Publication]] = store.numbered(TOLD, after=position)
    every = merge(facts, store.publications(after=position), key=itemgetter(0))
    return takewhile(lambda each: each[0] <= last, every)


def _published(position: int, one: Publication) -> Event:
    return Event(id=str(position), type=Happened.PUBLISHED, at=one.at, agreement=one.digest, effective=one.effective)


def _for_source(
    store: Store, position: int, fact: Fact, told: Event | None, reader: Reader, addresses: Addresses
) -> Iterator[Event]:
    before = fold(fact.account, store.facts_of(fact.account, until=position - 1))
    then = after(before, fact)
    if told is not None and told.statement is not None and _concerns(then, told.statement, reader):
        one = fold(fact.account, store.facts_of(fact.account)).decision(told.statement)  # its link of today
        yield replace(told, account=fact.account, link=addresses.own(one) if one else None)
    for each in _of_messages(store, position, before, then, fact, reader):
        why = each.statement if each.clauses else None
        yield replace(each, refusal=addresses.refusal(why)) if why else each


def _of_messages(
    store: Store, position: int, before: Record, then: Record, fact: Fact, reader: Reader
) -> Iterator[Event]:
    if reader.source is None or (not isinstance(fact, CaseClosed) and not then.decisions):
        return
    refused: frozenset[Key] = refused_of(store, then, fact.at)
    channels = places(then)
    for each in of_messages(position, before, then, fact, refused, reader.source):
        where = channels.get((reader.source, each.message)) if each.message else None
        if reader.channels is None or where in reader.channels:
            yield each


def _concerns(record: Record, statement: DecisionId, reader: Reader) -> bool:
    found = channels_of(record, statement, reader.source or "")
    return bool(found if reader.channels is None else found & reader.channels)


def _as_open(event: Event) -> Event:
    """As exactly as an open ledger says it."""
    measures = tuple(
        replace(each, start=each.start and hour_of(each.start), end=each.end and hour_after(each.end))
        for each in event.measures
    )
    return replace(event, at=hour_of(event.at), measures=measures)


def _as_sealed(event: Event) -> Event:
    """A sealed ledger tells the day and no act."""
    return replace(event, at=day_of(event.at), clauses=(), measures=(), by_person=False)
