"""One thing that differs between two versions, in plain words, and to whose cost it is where that can be decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from comity.model.clause import Clean, Expiry, Never
from comity.model.duration import Duration


class Effect(StrEnum):
    """What a change means for accounts. `NEITHER`: wording, or some things stricter and some looser."""

    STRICTER = "stricter"
    LOOSER = "looser"
    NEITHER = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`what` changed from `old` to `new`, as an agreement writes them; empty for nothing."""

    what: str
    old: str
    new: str
    effect: Effect = Effect.NEITHER


def changed(what: str, old: object, new: object, effect: Effect = Effect.NEITHER) -> Iterator[Change]:
    """The change, if there is one."""
    if old != new:
        written = ["" if each is None else str(each) for each in (old, new)]
        yield Change(what=what, old=written[0], new=written[1], effect=effect)


def rising(old: float, new: float) -> Effect:
    """More is stricter."""
    if old == new:
        return Effect.NEITHER
    return Effect.STRICTER if new > old else Effect.LOOSER


def contrary(effect: Effect) -> Effect:
    match effect:
        case Effect.STRICTER:
            return Effect.LOOSER
        case Effect.LOOSER:
            return Effect.STRICTER
        case Effect.NEITHER:
            return effect


def between_sets(old: frozenset[str], new: frozenset[str]) -> Effect:
    """More of them is stricter; some other ones are neither."""
    if old < new:
        return Effect.STRICTER
    return Effect.LOOSER if new < old else Effect.NEITHER


def of_expiry(old: Expiry, new: Expiry) -> Effect:
    """A point that lasts longer is stricter. One that ends with a clean time outlasts the same time alone."""
    match old, new:
        case (Never(), Never()):
            return Effect.NEITHER
        case (_, Never()):
            return Effect.STRICTER
        case (Never(), _):
            return Effect.LOOSER
        case (Clean(duration=one), Clean(duration=other)) | (Duration() as one, Duration() as other):
            return rising(one.nominal_seconds, other.nominal_seconds)
        case (Duration() as one, Clean(duration=other)):
            return Effect.STRICTER if other.nominal_seconds >= one.nominal_seconds else Effect.NEITHER
        case (Clean(duration=one), Duration() as other):
            return Effect.LOOSER if one.nominal_seconds >= other.nominal_seconds else Effect.NEITHER
        case _:
            return Effect.NEITHER


def of_duration(old: Duration | None, new: Duration | None) -> Effect:
    """Longer is stricter, None the shortest."""
    return rising(old.nominal_seconds if old else -1, new.nominal_seconds if new else -1)
