"""What entries that name one id must say together, however far apart they stand: one owner, and nothing of nobody's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from comity.ledger.entry import PublicMeasure
from comity.ledger.mentions import Mention, Role
from comity.ledger.milder import is_milder

_VERBS: Final = {
    Role.CORRECTS: "corrects",
    Role.SETTLES: "corrects",
    Role.LIFTS: "lifts",
    Role.APPEALS: "is an appeal against",
    Role.ERASES: "erases",
}

Measures = Callable[[int], tuple[PublicMeasure, ...]]
"""The measures that a mention notes."""


@dataclass(slots=True, kw_only=True)
class _Owned:
    """What is known of the id, entry after entry. `measures`: those of a statement, as last corrected.

    `unsettled`: what they were before its delivery settled their times, while nothing else changed them.
    """

    id: str
    owner: Mention | None = None
    measures: tuple[PublicMeasure, ...] | None = None
    unsettled: tuple[PublicMeasure, ...] | None = None
    is_decided: bool = False
    is_erased: bool = False


def objections(entry_id: str, mentions: Iterable[Mention], measures: Measures) -> Iterator[tuple[int, str]]:
    """What is wrong, each with its entry. `mentions`: all that name `entry_id`, in the log's order."""
    owned = _Owned(id=entry_id)
    for one in mentions:
        match one.role:
            case Role.OTHER | Role.STATEMENT | Role.SEALED | Role.APPEAL:
                wrong = _own(owned, one, measures)
            case Role.DECIDES:
                wrong = _decide(owned)
            case _:
                wrong = _cite(owned, one, measures)
        yield from ((one.entry, each) for each in wrong)


def _own(owned: _Owned, one: Mention, measures: Measures) -> list[str]:
    if owned.owner is not None:
        return [f"its id is {owned.id}, which entry {owned.owner.entry} already has"]
    owned.owner = one
    if one.role in (Role.STATEMENT, Role.SEALED):
        owned.measures = measures(one.noted) if one.role is Role.STATEMENT else ()
    return []


def _decide(owned: _Owned) -> list[str]:
    if owned.owner is None or owned.owner.role is not Role.APPEAL:
        return [f"the outcome of appeal {owned.id}, which no earlier entry is"]
    was_decided, owned.is_decided = owned.is_decided, True
    return [f"a second outcome of appeal {owned.id}"] if was_decided else []


def _cite(owned: _Owned, one: Mention, measures: Measures) -> list[str]:
    wrong = []
    if owned.measures is None:
        wrong.append(f"it {_VERBS[one.role]} statement {owned.id}, which no earlier entry is")
    elif one.role in (Role.CORRECTS, Role.SETTLES):
        wrong += _correct(owned, one.role, measures(one.noted), owned.measures)
    elif one.role is Role.APPEALS and owned.unsettled is not None:
        owned.measures = owned.unsettled  # an appeal holds what was still to start, so that it may end later
    if one.role is Role.ERASES:
        if owned.is_erased:
            wrong.append(f"statement {owned.id} was erased before")
        owned.is_erased = True
    return wrong


def _correct(
    owned: _Owned, role: Role, after: tuple[PublicMeasure, ...], before: tuple[PublicMeasure, ...]
) -> list[str]:
    owned.measures = after
    if role is Role.SETTLES:
        owned.unsettled = before
    elif after != before:
        owned.unsettled = None
    harsher = [each for each in after if not any(is_milder(each, one) for one in before)]
    return [f"a correction to something harsher: {each.act}" for each in harsher]
