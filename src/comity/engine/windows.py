"""Windows of history: what rules count over the time before a message, as values that can be asked for.

A window counts the messages taken in, refused or not, up to and including this one in intake order, whose `sent`
lies in `(sent - within, sent]`. Which windows a version needs is read from its rules here; `history` counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from comity.model.agreement import Agreement
from comity.model.expression import Call, Expression, Literal, Variable, walk
from comity.model.ids import ClauseId


class Counted(StrEnum):
    """What a window counts, named after the function that asks for it."""

    MESSAGES = "author.messages"
    COPIES = "author.copies"
    TEXT_COPIES = "copies"
    TEXT_COPIERS = "copiers"
    RECIPIENTS = "author.recipients"
    TOTAL = "author.total"
    SAME = "author.same"
    AUTHORS_SAME = "authors.same"
    BREACHES = "author.breaches"
    NOTICES = "author.notices"

    @property
    def includes_this_message(self) -> bool:
        return self not in (Counted.BREACHES, Counted.NOTICES)


class Window(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """One count that a rule asks for. `key` is a clause for breaches and notices, else a name in `meta`.

    `besides` is the asking clause where the breaches of all *other* clauses are counted.
    """

    counted: Counted
    within: timedelta
    key: str = ""
    besides: str = ""


UNITS: Final = {
    "seconds": timedelta(seconds=1),
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
}

_HISTORY: Final = {counted.value: counted for counted in Counted}


def is_history(function: str) -> bool:
    """Whether the function counts over a window."""
    return function in _HISTORY


def window_of(call: Call, own: ClauseId) -> Window:
    """The window that a call of a history function asks for, in the rule of the clause `own`."""
    counted = _HISTORY[call.function]
    *keys, within = [_constant(argument) for argument in call.args if not isinstance(argument, Variable)]
    if not isinstance(within, timedelta):
        raise TypeError(f"{call.function} at {call.at}: the checker lets only literal windows pass")
    key = str(keys[0]) if keys else ""
    besides = own if counted is Counted.BREACHES and not keys else ""
    return known(counted, within, key, besides)


@lru_cache(maxsize=4096)  # one and the same window is found in a table without comparing it
def known(counted: Counted, within: timedelta, key: str = "", besides: str = "") -> Window:
    """The window, the same object each time while it is in use."""
    return Window(counted=counted, within=within, key=key, besides=besides)


def _constant(expression: Expression) -> str | timedelta:
    """The value of a literal, or of a unit of one."""
    match expression:
        case Literal(value=str() | timedelta() as value):
            return value
        case Call(function=unit, args=(Literal(value=int() as count),)) if unit in UNITS:
            return count * UNITS[unit]
        case _:
            raise TypeError(f"not a literal window or name at {expression.at}")


def windows(expression: Expression, own: ClauseId) -> Iterator[Window]:
    """Every window that the expression asks for."""
    return (window_of(part, own) for part in walk(expression) if isinstance(part, Call) and is_history(part.function))


def windows_of(agreement: Agreement) -> tuple[Window, ...]:
    """The distinct windows that all rules of the version ask for, in reading order."""
    rules = [(clause.id, clause.rule) for clause in agreement.clauses if clause.rule]
    return tuple(dict.fromkeys(w for own, rule in rules for w in windows(rule.expression, own)))
