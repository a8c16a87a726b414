"""What people do that breaches an agreement, taken from the agreement's own examples, so that any agreement works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from comity.engine.examples import example_message
from comity.flow.judge import Judging
from comity.model.agreement import Agreement
from comity.model.clause import Clause
from comity.model.ids import AccountId, ClauseId, MessageId
from comity.model.message import Message

START: Final = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
MOST_COPIES: Final = 12
APART: Final = timedelta(seconds=20)
"""Between the messages of an offence that takes more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """An example that breaches `clause` when it is sent `copies` times in a row."""

    clause: ClauseId
    message: Message
    copies: int


def offences(agreement: Agreement) -> tuple[Offence, ...]:
    """The examples of breaches that the rules find without anything having gone before.

    An example that sets what cannot be written at once, such as 300 recipients in a day, is left out.
    """
    judging, sent = Judging(agreement), START
    found: list[Offence] = []
    for clause, message in _examples(agreement):
        sent += timedelta(days=400)  # no window reaches from one example to the next
        copies = _copies(judging, clause, message, sent, len(found))
        if copies:
            found.append(Offence(clause=clause.id, message=message, copies=copies))
    return tuple(found)


def _examples(agreement: Agreement) -> Iterator[tuple[Clause, Message]]:
    for clause in agreement.clauses:
        for example in clause.examples:
            if clause.rule is not None and example.breaches:
                yield clause, example_message(agreement, clause, example)


def _copies(judging: Judging, clause: Clause, message: Message, sent: datetime, number: int) -> int:
    """How often it has to be sent until it is found; 0: more often than anybody would."""
    for copy in range(MOST_COPIES):
        one = moved(message, MessageId(f"{number}/{copy}"), AccountId(f"{clause.id}/{number}"), sent + copy * APART)
        if any(finding.clause == clause.id for finding in judging.judge(one)):
            return copy + 1
    return 0


def moved(message: Message, id_: MessageId, author: AccountId, sent: datetime) -> Message:
    """The message as another one sends it at another time; the author's age stays what it was."""
    created = message.author_created and sent - (message.sent - message.author_created)
    return replace(message, id=id_, author=author, sent=sent, author_created=created, source="simulation")
