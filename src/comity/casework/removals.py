"""Which messages a source has to take down or put back: removing is the source's, and it says when it is done.

What is due is what the decisions ask for now, less what the source acknowledged; so nothing can be missed or forgotten.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime

import msgspec

from comity.casework.cases import Held, held_by, passed_on, waiting
from comity.casework.facts import Acknowledged, Decided, Fact, Joined, Treatment
from comity.casework.record import Record
from comity.casework.refused import RefusedError
from comity.casework.removed import Territory, removed
from comity.model.clause import Kind
from comity.model.ids import AccountId, ClauseId, DecisionId, MessageId

Key = Held


class Due(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the source has not acknowledged yet. `territory`: the countries in which it is withheld; none: everywhere.

    `statement`: which says why, or of a restored one, said why it was withheld.
    """

    account: AccountId
    source: str
    message: MessageId
    treatment: Treatment
    territory: Territory
    statement: DecisionId


def may_remove(fact: Fact) -> bool:
    """Whether a message may have to be taken down because of it."""
    match fact:
        case Decided(measures=measures):
            return any(measure.kind is Kind.REMOVE for measure in measures)
        case Joined(removed=removed):
            return removed
        case _:
            return False


class Wanted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the decisions ask for about one message. `statement`: the last of them."""

    treatment: Treatment
    territory: Territory
    statement: DecisionId


def wanted(record: Record, at: datetime) -> dict[Key, Wanted]:
    """What is asked for about each message that a decision removes or removed."""
    asked: dict[Key, DecisionId] = {}
    places: dict[Key, list[Territory]] = {}
    for one in record.decisions:
        for key, territory in removed(one, at):
            asked[key] = one.id
            places.setdefault(key, []).extend([] if territory is None else [territory])
    found: dict[Key, Wanted] = {}
    for key, statement in asked.items():
        treatment, territory = _together(places[key])
        found[key] = Wanted(treatment=treatment, territory=territory, statement=statement)
    return found


def clauses_of(record: Record, about: Wanted, key: Key) -> tuple[ClauseId, ...]:
    """Those under which the message is not to be seen."""
    one = record.decision(about.statement)
    breaches = one.breaches if one and about.treatment is Treatment.WITHHELD else ()
    return tuple(dict.fromkeys(each.clause for each in breaches if (each.source, each.message) == key))


def seen(record: Record, at: datetime) -> frozenset[Key]:
    """The messages that waited for a reviewer, and that everybody could see by `at`."""
    return frozenset(key for case in record.cases for key in passed_on(case, at)) - kept_back(record, at)


def kept_back(record: Record, at: datetime) -> frozenset[Key]:
    """The messages that wait for a reviewer at `at`: as long as one case has them wait, whatever became of others."""
    return frozenset(key for case in record.open_cases for key in held_by(case, at))


def waits_until(record: Record, key: Key, at: datetime) -> datetime | None:
    """When a message that waits for a reviewer is passed on at the latest; None: it does not wait."""
    every = (each for case in record.open_cases for each in waiting(case, at))
    return max((each.until for each in every if (each.source, each.message) == key), default=None)


def due(record: Record, refused: Set[Key], at: datetime) -> tuple[Due, ...]:
    """What is left to do about the account's messages. `refused`: those that were never shown."""
    done = {(each.source, each.message): (each.treatment, each.territory) for each in record.acknowledged}
    waits = kept_back(record, at)
    found: list[Due] = []
    for key, one in wanted(record, at).items():
        if key in waits:
            continue
        before = (Treatment.WITHHELD, ()) if key in refused else (Treatment.RESTORED, ())
        if (one.treatment, one.territory) != done.get(key, before):
            found.append(
                Due(
                    account=record.account,
                    source=key[0],
                    message=key[1],
                    treatment=one.treatment,
                    territory=one.territory,
                    statement=one.statement,
                )
            )
    return tuple(found)


def acknowledge(
    record: Record, key: Key, treatment: Treatment, refused: Set[Key], at: datetime
) -> tuple[Acknowledged, ...]:
    """The source has done what was due. Raises `RefusedError` if that is not what is due."""
    for each in due(record, refused, at):
        if (each.source, each.message) == key:
            if each.treatment is not treatment:
                raise RefusedError(f"the message is to be {each.treatment}, not {treatment}")
            return (
                Acknowledged(
                    account=record.account,
                    at=at,
                    source=each.source,
                    message=each.message,
                    treatment=treatment,
                    territory=each.territory,
                ),
            )
    raise RefusedError(f"nothing is left to do about message {key[1]} of {key[0]!r}")


def _together(territories: list[Territory]) -> tuple[Treatment, Territory]:
    """What several decisions ask for at once."""
    if not territories:
        return Treatment.RESTORED, ()
    if not all(territories):
        return Treatment.WITHHELD, ()
    return Treatment.WITHHELD, tuple(sorted({country for each in territories for country in each}))
