"""Who is in the community and what each of them writes: the model, with its numbers in one place.

A model to show and to load the record with, not a claim about people.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from comity.app.demo_generated import plain
from comity.app.draws import Draw
from comity.app.simulation.offences import APART, START, Offence, moved
from comity.model.agreement import Agreement
from comity.model.clause import Clause, Decide
from comity.model.ids import AccountId, Channel, ClauseId, MessageId
from comity.model.message import Message

HOUR: Final = timedelta(hours=1)
_TEMPTED: Final = 0.03
"""The share of the accounts that ever breach."""

_FEWEST: Final = 2
_TAIL: Final = 0.75
_MOST: Final = 1000
_WILL: Final = 0.1
_WILL_TAIL: Final = 0.8
_MOST_WILL: Final = 0.9
LEARNS: Final = 0.8
"""What is left of the will to breach with each statement."""

_ACCEPTS: Final = 0.9
"""The share of those asked who accept a version at once; the others are asked again when they write again."""

_UNFOUND: Final = 0.2
"""The share of the breaches in words that no rule finds: only a notice brings them before a person."""

_INNOCENT: Final = 0.08
"""The share of what looks like a breach to a rule and is none: a quotation, a joke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message and what it truly is: of `breached`, None where it breaches nothing, whatever a rule says."""

    message: Message
    breached: ClauseId | None = None
    is_offence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """The accounts of one seed. The same seed, the same people."""

    seed: int
    accounts: int
    days: int
    agreement: Agreement
    offences: tuple[Offence, ...]
    then: Agreement | None = None  # the version that is published when half of the days are over

    def draw(self, of: int | str) -> Draw:
        return Draw(seed=self.seed, of=of)

    def calendar(self) -> list[list[tuple[int, int]]]:
        """Who writes in each hour: the second from the start, and the account's number, in order."""
        hours: list[list[tuple[int, int]]] = [[] for _ in range(self.days * 24)]
        for account in range(self.accounts):
            draw = self.draw(account)
            for number in range(min(_MOST, int(_FEWEST * draw.share("messages") ** -_TAIL))):
                second = draw.below(self.days * 86_400, f"second {number}")
                hours[second // 3600].append((second, account))
        for hour in hours:
            hour.sort()
        return hours

    def will(self, account: int) -> float:
        """The share of an account's messages that breach, before it was ever told: 0 for nearly all."""
        draw = self.draw(account)
        if not draw.happens(_TEMPTED, "tempted"):
            return 0.0
        return min(_MOST_WILL, _WILL * math.pow(draw.share("will"), -_WILL_TAIL))

    def accepts(self, account: int, hour: int) -> bool:
        """Whether an account that writes in that hour accepts the version in force, which it has not yet."""
        return self.draw(account).happens(_ACCEPTS, f"accepts in hour {hour}")

    def ordinary(self, draw: Draw, account: int, second: int, *, channel: Channel, id_: str) -> Message:
        sent = START + timedelta(seconds=second)
        created = START - timedelta(days=30 + self.draw(account).below(3000, "age"))
        return Message(
            id=MessageId(id_),
            author=name(account),
            channel=channel,
            text=plain(draw),
            sent=sent,
            source="simulation",
            author_created=created,
        )

    def offence(self, draw: Draw, account: int, second: int, id_: str) -> Iterator[Written]:
        """One of the agreement's examples, or a breach that only people see."""
        if draw.happens(_UNFOUND, "unfound"):
            clause = draw.one_of(self.clauses, "clause")
            channel = draw.one_of(sorted(clause.channels), "channel")
            message = self.ordinary(draw, account, second, channel=channel, id_=id_)
            yield Written(message=message, breached=clause.id, is_offence=True)
            return
        chosen = draw.one_of(self.offences, "offence")
        breached = None if draw.happens(_INNOCENT, "innocent") else chosen.clause
        last = (second // 3600 + 1) * 3600 - 1  # all copies within the hour
        first = min(second, last - int(APART.total_seconds()) * (chosen.copies - 1))
        for copy in range(chosen.copies):
            sent = START + timedelta(seconds=first) + copy * APART
            message = moved(chosen.message, MessageId(f"{id_}.{copy}"), name(account), sent)
            yield Written(message=message, breached=breached, is_offence=True)

    @property
    def clauses(self) -> Sequence[Clause]:
        """Those of which a breach has consequences."""
        return [clause for clause in self.agreement.clauses if clause.decide is not Decide.SHADOW and clause.channels]


def name(account: int) -> AccountId:
    return AccountId(f"account-{account}")
