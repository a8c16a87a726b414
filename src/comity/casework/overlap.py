"""When measures hold, as far as is known before it happens: which surely lasts as long as another, and while both do.

One with `start` None starts `delay` after its statement is delivered, at a time that nobody knows; one that lasts until
conditions are met ends when the last of them is, or never. What is not known is taken so that nothing gets harsher.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from comity.casework.recorded import REVIEWED, capped, earliest
from comity.model.duration import EARLIEST, LATEST, Duration
from comity.model.measure import Measure

Span = tuple[datetime, datetime]

_ALMOST_NEVER: Final = LATEST - timedelta(days=1)
"""When conditions are met that may never be: sooner than what is for good."""


def at_the_longest(measure: Measure) -> Span:
    """From when until when it may hold. One that is delayed is told from its statement's delivery at `EARLIEST` on."""
    start = _start(measure)
    end = _fixed_end(measure, start) or (_ALMOST_NEVER if measure.until else LATEST)
    return start, end if measure.not_after is None or measure.start is None else min(end, measure.not_after)


def surely(one: Measure, whenever: Measure) -> Span | None:
    """From when until when `one` holds at each moment at which `whenever` does; told as `at_the_longest` tells it."""
    if one.start is None and whenever.start is not None:
        return None
    end = _sure_end(one, whenever)
    if one.start is None:
        is_capped = whenever.not_after is not None and whenever.not_after <= (one.not_after or LATEST)
        return (_start(one), end) if one.not_after is None or is_capped else None
    if whenever.start is None:  # `one` began before it, whenever that is
        return (EARLIEST, LATEST) if end >= (whenever.not_after or LATEST) else None
    return one.start, end


def while_both(low: Measure, other: Measure) -> Measure | None:
    """`low`, only while `other` holds too; None where no measure can say that."""
    like = _both(low, other)
    if like is None:
        return None
    caps = [each.not_after for each in (low, other, like) if each.not_after is not None]
    return replace(
        low,
        start=like.start,
        delay=like.delay,
        end=like.end,
        length=like.length,
        most=None if like.until else low.most,
        until=like.until,
        at_least=like.at_least,
        not_after=min(caps, default=None),
    )


def _start(measure: Measure) -> datetime:
    if measure.start is not None:
        return measure.start
    return measure.delay.after(EARLIEST) if measure.delay else EARLIEST


def _fixed_end(measure: Measure, start: datetime) -> datetime | None:
    if measure.start is not None:
        return measure.end
    return measure.length.after(start) if measure.length else None


def _sure_end(one: Measure, whenever: Measure) -> datetime:
    start = _start(one)
    end = _fixed_end(one, start)
    if end is None:
        floor = one.at_least.after(start) if one.at_least else start
        end = LATEST if not one.until or _ends_first(whenever, one) else floor
    return end if one.not_after is None or one.start is None else min(end, one.not_after)


def _ends_first(one: Measure, other: Measure) -> bool:
    """Of two that last until conditions are met: whether `one` has ended whenever `other` has."""
    if not one.until or not set(one.until) <= set(other.until):
        return False
    if REVIEWED in one.until and one.delay != other.delay:  # for that it waits for a time of its own at the most
        return False
    if one.at_least is None:
        return True
    is_alike = set(one.until) == set(other.until) and one.delay == other.delay
    return is_alike and other.at_least is not None and _seconds(one.at_least) <= _seconds(other.at_least)


def _both(x: Measure, y: Measure) -> Measure | None:
    """A measure that holds when both do."""
    if x.start is None and y.start is None:
        return _both_delayed(x, y)
    if x.start is None or y.start is None:
        return _one_delayed(y, x) if x.start is None else _one_delayed(x, y)
    start = max(x.start, y.start)
    if x.until and y.until:
        both = _until_both(x, y)
        return None if both is None else replace(both, start=start)
    if x.until or y.until:
        until, fixed = (x, y) if x.until else (y, x)
        if _outlasts(until, fixed):
            return replace(fixed, start=start)
        return replace(until if fixed.end is None else capped(until, fixed.end), start=start)
    return replace(x, start=start, length=_shorter(x.length, y.length), end=_sooner(x.end, y.end))


def _both_delayed(x: Measure, y: Measure) -> Measure | None:
    if x.delay != y.delay:
        first, last = sorted((x, y), key=_start)
        return last if first.length is None and not first.until else None
    if x.until and y.until:
        return _until_both(x, y)
    if x.until or y.until:
        until, fixed = (x, y) if x.until else (y, x)
        if fixed.length is None:
            return until
        return None if until.at_least is None else _for(fixed, _shorter(fixed.length, until.at_least))
    return replace(x, length=_shorter(x.length, y.length))


def _one_delayed(now: Measure, delayed: Measure) -> Measure | None:
    if not now.until:
        return delayed if now.end is None else capped(delayed, now.end)
    is_for_good = delayed.length is None and not delayed.until
    names = now.until if is_for_good else _shared(now, delayed)
    until = tuple(name for name in names if name != REVIEWED)  # for that each waits for a time of its own at the most
    return replace(delayed, until=until, at_least=None) if until else None


def _until_both(x: Measure, y: Measure) -> Measure | None:
    floor = _shorter(x.at_least, y.at_least) if x.at_least and y.at_least else None
    if set(x.until) == set(y.until):
        return replace(x, at_least=floor)
    shared = _shared(x, y)
    if shared:
        return replace(x, until=shared, at_least=None)
    return None if floor is None else _for(x, floor)


def _for(measure: Measure, length: Duration | None) -> Measure:
    """The measure for a fixed time."""
    end = length.after(measure.start) if measure.start and length else None
    return replace(measure, until=(), at_least=None, length=length, end=end)


def _outlasts(until: Measure, fixed: Measure) -> bool:
    """Whether the first, whenever its conditions are met, lasts at least as long as the second does."""
    if fixed.end is None or until.start is None or until.at_least is None or until.not_after is not None:
        return False
    return fixed.end <= until.at_least.after(until.start)


def _shared(x: Measure, y: Measure) -> tuple[str, ...]:
    return tuple(name for name in x.until if name in y.until)


def _shorter(one: Duration | None, other: Duration | None) -> Duration | None:
    return min((each for each in (one, other) if each is not None), key=_seconds, default=None)


def _seconds(duration: Duration) -> int:
    return duration.nominal_seconds


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return other if one is None else one if other is None else earliest(one, other)
