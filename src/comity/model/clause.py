"""Clauses, their rules and the ladders that turn points into measures: what an agreement says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from comity.model.duration import Duration
from comity.model.expression import Expression
from comity.model.ids import Channel, ClauseId

MEASURES_ID: Final = ClauseId("measures")
"""The section that holds the main ladder; it is no clause."""


class Decide(StrEnum):
    """What follows a finding of the rule."""

    AUTO = "auto"
    REVIEW = "review"
    HOLD = "hold"
    SHADOW = "shadow"


class Counts(StrEnum):
    """On which ladders the clause's points count."""

    OWN = "own"
    MAIN = "main"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """A point that never expires."""

    def __str__(self) -> str:
        return "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """All points end together once no breach was sent for `duration`."""

    duration: Duration

    def __str__(self) -> str:
        return f"{self.duration} clean"


Expiry = Duration | Never | Clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A machine-found condition. `line` is the 1-based line of the file on which `source` begins."""

    source: str
    expression: Expression
    line: int
    reads_history: bool
    is_conduct: bool  # reads no part of the message: `remove` and `mark` never apply


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One line of an `examples` fence. `values` pairs a variable or exact call with its YAML flow text."""

    breaches: bool
    text: str
    values: tuple[tuple[str, str], ...]
    line: int


class Kind(StrEnum):
    """The effect of a measure: the first two on the message, the others on the account; mild to grave."""

    REMOVE = "remove"
    MARK = "mark"
    WARN = "warn"
    LIMIT_REACH = "limit reach"
    LIMIT = "limit"
    HOLD = "hold"
    SUSPEND = "suspend"
    TERMINATE = "terminate"

    @property
    def is_on_message(self) -> bool:
        return self is Kind.REMOVE or self is Kind.MARK


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`limit to COUNT a UNIT`, with the unit minute, hour, day or week."""

    count: int
    per: Duration

    def __str__(self) -> str:
        return f"{self.count} {'an' if self.per.unit == 'hour' else 'a'} {self.per.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One measure that a ladder's row names. `rate` is set for `limit` alone, `territory` by a person alone."""

    kind: Kind
    rate: Rate | None = None
    territory: tuple[str, ...] = ()  # ISO 3166 countries in which the message is removed or marked; none: everywhere

    def __str__(self) -> str:
        return f"limit to {self.rate}" if self.rate else self.kind.value


class Reaches(StrEnum):
    """The channels column when it does not list names."""

    ALL = "all"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """`1 to 30 days`: automation takes `least`, a person anything between."""

    least: Duration
    most: Duration

    def __str__(self) -> str:
        return f"{self.least} to {self.most}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """`until NAME and NAME, at least DURATION`."""

    conditions: tuple[str, ...]
    at_least: Duration | None = None

    def __str__(self) -> str:
        floor = f", at least {self.at_least}" if self.at_least else ""
        return f"until {' and '.join(self.conditions)}{floor}"


Length = Duration | Range | Until


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The `for` column. `delay`: starts that long after delivery. `length` None: for good, or at once."""

    length: Length | None = None
    delay: Duration | None = None

    def __str__(self) -> str:
        parts = [f"after {self.delay}" if self.delay else "", str(self.length) if self.length else ""]
        return ": ".join(part for part in parts if part)


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False, cache_hash=True):
    """A ladder's row. `channels` is None where the acts need none."""

    points: int
    acts: tuple[Act, ...]
    channels: frozenset[Channel] | Reaches | None
    term: Term
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Rows in rising order of points; rows that share a number all apply. `owner` is the section's id."""

    owner: ClauseId
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A section with an id. `prose` is its Markdown (fences and tables left out), quoted in statements."""

    id: ClauseId
    title: str
    prose: str
    line: int
    parent: ClauseId | None
    rule: Rule | None
    decide: Decide
    points: int
    expires: Expiry
    once: Duration | None
    ladders: tuple[ClauseId, ...]  # owners of the ladders on which its points count
    category: str | None  # EU DSA statement category, without its `STATEMENT_CATEGORY_` prefix
    channels: frozenset[Channel]
    examples: tuple[Example, ...]

    def __hash__(self) -> int:
        """Of its id alone: a clause has few versions, and all of it would take long to hash."""
        return hash(self.id)
