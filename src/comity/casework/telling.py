"""A statement for programs: as issued, every version since, and how its measures stand."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from comity.casework.facts import Appealed, Change, Joined
from comity.casework.recorded import Recorded, changed, recorded
from comity.model.measure import Measure
from comity.model.statement import Statement


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What the statement came to foresee, and by what; the first is as issued and has no cause."""

    number: int
    at: datetime
    cause: Change | None
    measures: tuple[Measure, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """All that the account is told. `measures` are as they stand now, with the times that are settled."""

    statement: Statement
    stands: bool
    delivered: datetime | None
    joined: tuple[Joined, ...]
    measures: tuple[Measure, ...]
    since: tuple[Change, ...]
    appeals: tuple[Appealed, ...]
    versions: tuple[Version, ...]


def told_of(one: Recorded) -> Told:
    return Told(
        statement=one.decided.statement,
        stands=one.is_live,
        delivered=one.delivered,
        joined=one.joined,
        measures=one.measures,
        since=one.told,
        appeals=tuple(each.filed for each in one.own_appeals),
        versions=versions_of(one),
    )


def versions_of(one: Recorded) -> tuple[Version, ...]:
    """The statement as issued, then a version for each change of it that its account is told of."""
    then = replace(recorded(one.decided), appeals=one.appeals)  # an outcome asks whose appeal it ends
    versions = [Version(number=1, at=one.decided.at, cause=None, measures=then.foreseen)]
    for change in one.told:
        then = changed(then, change)
        if change in one.corrections:
            number = len(versions) + 1
            versions.append(Version(number=number, at=change.at, cause=change, measures=then.foreseen))
    return tuple(versions)
