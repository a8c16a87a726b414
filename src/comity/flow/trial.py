"""A draft tried on recent messages before it is published: what it would find, beside the version in force.

Where the record keeps the texts of those messages alone in which something was found (`retention.messages` is 0), this
shows well what a draft lets go, and only in part what more it would catch; `comity backtest` reads whole archives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from comity.flow.judge import Judging
from comity.model.agreement import Agreement
from comity.model.ids import ClauseId
from comity.model.message import Message
from comity.ports import Store

MOST_TRIED: Final = 2_000
MOST_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One clause over the messages. `was`: what the version in force finds; `caught` and `let_go`: some of each."""

    clause: ClauseId
    title: str
    was: int
    found: int
    caught: tuple[Message, ...]
    let_go: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    messages: int
    clauses: tuple[Tried, ...]

    @property
    def changed(self) -> tuple[Tried, ...]:
        return tuple(each for each in self.clauses if each.caught or each.let_go)


def recent(store: Store) -> tuple[Message, ...]:
    """The last messages whose text is kept, in the order in which they were sent."""
    found = (store.message(each.source, each.id) for each in store.kept_last(MOST_TRIED))
    return tuple(sorted((message for message in found if message is not None), key=lambda message: message.sent))


def trial(messages: tuple[Message, ...], draft: Agreement, against: Agreement | None) -> Trial:
    """Both judge the same messages in the same order, each with a history of its own."""
    now, before = _found(messages, draft), _found(messages, against)
    titles = {clause.id: clause.title for each in (against, draft) if each for clause in each.clauses}
    return Trial(
        messages=len(messages),
        clauses=tuple(_tried(messages, clause, title, before, now) for clause, title in titles.items()),
    )


def _found(messages: tuple[Message, ...], version: Agreement | None) -> list[frozenset[ClauseId]]:
    if version is None:
        return [frozenset()] * len(messages)
    judging = Judging(version)
    channels = frozenset(version.channels)
    return [
        frozenset(finding.clause for finding in judging.judge(message)) if message.channel in channels else frozenset()
        for message in messages
    ]


def _tried(
    messages: tuple[Message, ...],
    clause: ClauseId,
    title: str,
    before: list[frozenset[ClauseId]],
    now: list[frozenset[ClauseId]],
) -> Tried:
    pairs = [(clause in was, clause in found) for was, found in zip(before, now, strict=True)]
    counts = Counter(pairs)
    return Tried(
        clause=clause,
        title=title,
        was=counts[True, True] + counts[True, False],
        found=counts[True, True] + counts[False, True],
        caught=tuple(_some(messages, pairs, (False, True))),
        let_go=tuple(_some(messages, pairs, (True, False))),
    )


def _some(
    messages: tuple[Message, ...], pairs: list[tuple[bool, bool]], wanted: tuple[bool, bool]
) -> Iterator[Message]:
    """The newest of them."""
    found = [message for message, pair in zip(messages, pairs, strict=True) if pair == wanted]
    yield from reversed(found[-MOST_SHOWN:])
