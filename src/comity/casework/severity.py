"""The order of measures: which of two sets is milder, and the mildest that lies below both, point by point.

On an account a set of measures is a function of channel and time; *milder* means nowhere more. On a message the order
is nothing < mark < remove. A warning is less than any measure on a channel, and more than nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from comity.casework.overlap import at_the_longest, surely, while_both
from comity.model.clause import Kind
from comity.model.ids import Channel
from comity.model.measure import Measure

LIMITS: Final = (Kind.LIMIT_REACH, Kind.LIMIT, Kind.HOLD)
CUTS: Final = (Kind.SUSPEND, Kind.TERMINATE)
RISING: Final = (*LIMITS, *CUTS)
_ON_MESSAGE: Final = (Kind.MARK, Kind.REMOVE)

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
    until = at_the_longest(measure)[1]
    as_strict = (each for each in by if each.kind.is_on_message and _ON_MESSAGE.index(each.kind) >= rank)
    stricter = [each for each in as_strict if at_the_longest(each)[1] >= until]
    return any(
        not each.territory or (measure.territory and set(measure.territory) <= set(each.territory)) for each in stricter
    )


def _is_covered(measure: Measure, channel: Channel, by: Measures) -> bool:
    """Whether `by` is as strict on `channel` at each moment at which `measure` holds."""
    at, end = at_the_longest(measure)
    as_strict = (each for each in _rising(by) if channel in each.channels and level(each) >= level(measure))
    spans = [span for each in as_strict if (span := surely(each, measure)) is not None]
    while at < end:
        reached = max((until for since, until in spans if since <= at < until), default=at)
        if reached == at:
            return False
        at = reached
    return True


def _lower(x: Measure, y: Measure) -> Iterator[Measure]:
    """The minimum of two measures, if there is any."""
    if x.kind.is_on_message and y.kind.is_on_message:
        yield from _lower_on_message(x, y)
    elif x.kind in RISING and y.kind in RISING:
        channels = tuple(channel for channel in x.channels if channel in y.channels)
        low = while_both(*((x, y) if level(x) <= level(y) else (y, x)))
        if channels and low is not None and _may_hold(low):
            yield msgspec.structs.replace(low, channels=channels)


def _may_hold(measure: Measure) -> bool:
    start, end = at_the_longest(measure)
    return start < end


def _lower_on_message(x: Measure, y: Measure) -> Iterator[Measure]:
    low = x if _ON_MESSAGE.index(x.kind) <= _ON_MESSAGE.index(y.kind) else y
    both = tuple(country for country in x.territory if country in y.territory)
    if x.territory and y.territory and not both:
        return
    yield msgspec.structs.replace(low, territory=both or x.territory or y.territory)
