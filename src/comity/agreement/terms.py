"""The `for` column of a ladder: how long a measure lasts, until what, and after which delay."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from comity.agreement.durations import read_duration, read_range
from comity.agreement.names import BUILT_IN_CONDITIONS
from comity.agreement.problems import Misread, nearest, quoted
from comity.model.clause import Length, Term, Until
from comity.model.duration import Duration

_UNTIL: Final = re.compile(r"until\s+(.*?)(?:\s*,\s*at\s+least\s+(.*))?", re.DOTALL)
_AFTER: Final = re.compile(r"after\s+([^:]*?)\s*(?::\s*(.*))?", re.DOTALL)
_EXAMPLE: Final = "write `7 days`, `1 to 30 days`, `until reviewed` or `after 2 days: 7 days`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the `for` column is read with."""

    conditions: frozenset[str]  # declared ones
    review_within: Duration


def read_term(text: str, terms: Terms) -> Term | Misread:
    """A length, `after DURATION: LENGTH`, `after DURATION` alone, or nothing."""
    text = " ".join(text.split())
    match = _AFTER.fullmatch(text)
    delay = read_duration(match.group(1)) if match else None
    if isinstance(delay, Misread):
        return delay
    rest = (match.group(2) or "") if match else text
    if not rest:
        return Term(delay=delay)
    length = _length(rest, terms)
    return length if isinstance(length, Misread) else Term(length=length, delay=delay)


def _length(text: str, terms: Terms) -> Length | Misread:
    until = _UNTIL.fullmatch(text)
    if until:
        return _until(until.group(1), until.group(2), terms)
    found = read_range(text)
    if found is not None:
        return found
    duration = read_duration(text)
    if isinstance(duration, Misread) and not text[:1].isdigit():
        return Misread(message=f"{quoted(text)} is not a length of time", help=_EXAMPLE)
    return duration


def _until(names: str, floor: str | None, terms: Terms) -> Until | Misread:
    conditions = tuple(re.split(r"\s+and\s+", names))
    known = BUILT_IN_CONDITIONS | terms.conditions
    for index, name in enumerate(conditions):
        if name not in known:
            return Misread(
                code="C088", message=f"unknown condition {quoted(name)}", help=nearest(name, known), about=name
            )
        if name in conditions[:index]:
            return Misread(message=f"the condition `{name}` is named twice", help="delete one")
    at_least = read_duration(floor) if floor is not None else None
    if isinstance(at_least, Misread):
        return at_least
    if at_least and "reviewed" in conditions and at_least.nominal_seconds > terms.review_within.nominal_seconds:
        return Misread(
            code="C089",
            message=f"at least {at_least} is longer than a review may last",
            label=f"`review_within` is {terms.review_within}",
            help="write a shorter `at least`, or a longer `review_within` in the front matter",
        )
    return Until(conditions=conditions, at_least=at_least)
