"""The order of measures: which of two sets is milder, and the mildest that lies below both, point by point.

On an account a set of measures is a function of channel and time; *milder* means nowhere more. On a message the order
is nothing < mark < remove. A warning is less than any measure on a channel, and more than nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from comity.casework.recorded import capped, earliest
from comity.model.clause import Kind
from comity.model.duration import EARLIEST, LATEST, Duration
from comity.model.ids import Channel
from comity.model.measure import Measure

LIMITS: Final = (Kind.LIMIT_REACH, Kind.LIMIT, Kind.HOLD)
CUTS: Final = (Kind.SUSPEND, Kind.TERMINATE)
RISING: Final = (*LIMITS, *CUTS)
_ON_MESSAGE: Final = (Kind.MARK, Kind.REMOVE)

_ALMOST_NEVER: Final = LATEST - timedelta(days=1)

Level = tuple[int, float]
Measures = tuple[Measure, ...]


def level(measure: Measure) -> Level:
    """How strict a measure on channels is: by kind, and a lower rate is stricter."""
    rate = -measure.rate.count / measure.rate.per.nominal_seconds if measure.rate else 0.0
    return RISING.index(measure.kind), rate


def is_milder(one: Measures, other: Measures) -> bool:
    """Whether `one` is nowhere more than `other` (the same counts as milder)."""
    return (
        _warns(one) <= _warns(other)
        and all(_is_covered_message(each, other) for each in one if each.kind.is_on_message)
        and all(_is_covered(each, channel, other) for each in _rising(one) for channel in each.channels)
    )


def mildest(one: Measures, other: Measures) -> Measures:
    """The point by point minimum of both."""
    kept = list(dict.fromkeys(low for x in one for y in other for low in _lower(x, y)))
    for each in tuple(kept):
        rest = tuple(low for low in kept if low != each)
        if _adds_nothing(each, rest):
            kept.remove(each)
    if _warns(one) and _warns(other) and not any(_rising(kept)):
        kept += [each for each in (*one, *other) if each.kind is Kind.WARN][:1]
    return tuple(kept)


def _adds_nothing(measure: Measure, rest: Measures) -> bool:
    if measure.kind.is_on_message:
        return _is_covered_message(measure, rest)
    return all(_is_covered(measure, channel, rest) for channel in measure.channels)


def _rising(measures: Iterable[Measure]) -> Iterator[Measure]:
    return (each for each in measures if each.kind in RISING)


def _warns(measures: Measures) -> bool:
    return any(not each.kind.is_on_message for each in measures)


def _is_covered_message(measure: Measure, by: Measures) -> bool:
    """Whether the message is treated as strictly by `by`, everywhere that `measure` holds."""
    rank = _ON_MESSAGE.index(measure.kind)
    until = _span(measure)[1]
    as_strict = (each for each in by if each.kind.is_on_message and _ON_MESSAGE.index(each.kind) >= rank)
    stricter = [each for each in as_strict if _span(each)[1] >= until]
    return any(
        not each.territory or (measure.territory and set(measure.territory) <= set(each.territory)) for each in stricter
    )


def _is_covered(measure: Measure, channel: Channel, by: Measures) -> bool:
    """Whether `by` is as strict on `channel` at each moment at which `measure` holds."""
    start, end = _span(measure)
    as_strict = (each for each in _rising(by) if channel in each.channels and level(each) >= level(measure))
    spans = [_span(each) for each in as_strict if _has_floor(each, measure)]
    at = start
    while at < end:
        reached = max((until for since, until in spans if since <= at < until), default=at)
        if reached == at:
            return False
        at = reached
    return True


def _has_floor(one: Measure, other: Measure) -> bool:
    """Of two that last until a condition is met: whether `one` lasts at least as long as `other` does at least."""
    if not one.until or not other.until or other.at_least is None:
        return True
    return one.at_least is not None and one.at_least.nominal_seconds >= other.at_least.nominal_seconds


def _span(measure: Measure) -> tuple[datetime, datetime]:
    """When it holds, a measure without a known end for ever, and one until a condition almost so.

    A delayed one counts from its own delay.
    """
    end = measure.end
    if measure.start is None:
        end = measure.length.after(EARLIEST) if measure.length else None
    if measure.not_after is not None:
        end = earliest(end, measure.not_after)
    return measure.start or EARLIEST, end or (_ALMOST_NEVER if measure.until else LATEST)


def _lower(x: Measure, y: Measure) -> Iterator[Measure]:
    """The minimum of two measures, if there is any."""
    if x.kind.is_on_message and y.kind.is_on_message:
        yield from _lower_on_message(x, y)
    elif x.kind in RISING and y.kind in RISING:
        channels = tuple(channel for channel in x.channels if channel in y.channels)
        low = _shared_time(*((x, y) if level(x) <= level(y) else (y, x)))
        start, end = _span(low)
        if channels and start < end:
            yield msgspec.structs.replace(low, channels=channels)


def _lower_on_message(x: Measure, y: Measure) -> Iterator[Measure]:
    low = x if _ON_MESSAGE.index(x.kind) <= _ON_MESSAGE.index(y.kind) else y
    both = tuple(country for country in x.territory if country in y.territory)
    if x.territory and y.territory and not both:
        return
    yield msgspec.structs.replace(low, territory=both or x.territory or y.territory)


def _shared_time(low: Measure, other: Measure) -> Measure:
    """`low`, only while `other` holds too."""
    if low.delay != other.delay or (low.start is None) != (other.start is None):
        low = low if low.start is None else _delayed(low, other)
    elif low.start is not None and other.start is not None:
        low = msgspec.structs.replace(low, start=max(low.start, other.start))
    if other.not_after is not None:
        low = capped(low, other.not_after)
    if other.until:
        return low if _outlasts(other, low) else _until_both(low, other)
    if low.until:
        return capped(low, other.end) if other.end else low
    return msgspec.structs.replace(low, length=_shorter(low.length, other.length), end=_sooner(low.end, other.end))


def _delayed(low: Measure, other: Measure) -> Measure:
    """`low`, which has a start, no sooner than the delayed `other`."""
    held = capped(low, low.end) if low.end else low
    return msgspec.structs.replace(held, start=other.start, delay=other.delay)


def _outlasts(other: Measure, low: Measure) -> bool:
    """Whether `other`, whenever its conditions are met, lasts at least as long as `low` does."""
    if low.end is None or other.start is None or other.at_least is None or other.not_after is not None:
        return False
    return low.end <= other.at_least.after(other.start)


def _until_both(low: Measure, other: Measure) -> Measure:
    if not low.until:
        capped_low = capped(low, low.end) if low.end else low
        return msgspec.structs.replace(
            capped_low, until=other.until, at_least=other.at_least, end=None, length=None, most=None
        )
    shared = tuple(name for name in low.until if name in other.until) or low.until
    at_least = _shorter(low.at_least, other.at_least) if low.at_least and other.at_least else None
    return msgspec.structs.replace(low, until=shared, at_least=at_least)


def _shorter(one: Duration | None, other: Duration | None) -> Duration | None:
    known = [each for each in (one, other) if each is not None]
    return min(known, key=lambda each: each.nominal_seconds, default=None)


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [each for each in (one, other) if each is not None]
    return min(known, default=None)
