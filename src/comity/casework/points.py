"""Which points of an account are live at a time: not void, not expired, and known where that is asked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from comity.casework.facts import Counted, Points
from comity.casework.record import Record
from comity.casework.recorded import Recorded
from comity.casework.severity import RISING
from comity.model.duration import EARLIEST, Duration
from comity.model.ids import ClauseId, DecisionId


def live_points(record: Record, ladder: ClauseId, at: datetime) -> int:
    """The points live on `ladder` at `at`, of what was decided by then."""
    return _sum(counted(record, (one for one in _remembered(record, at) if one.decided.at <= at), ladder, at))


def known(record: Record, sent: datetime, *, besides: int | None) -> tuple[Recorded, ...]:
    """The decisions whose points count for what was sent at `sent`: live, delivered before, of another step."""
    return tuple(
        [
            one
            for one in _remembered(record, sent)
            if one.is_live and one.delivered is not None and one.delivered < sent and one.decided.step != besides
        ]
    )


def _remembered(record: Record, at: datetime) -> Sequence[Recorded]:
    """All decisions but the first ones whose points are forgotten by `at`, each and all."""
    decisions = record.decisions
    first = len(decisions)
    while first and ((until := decisions[first - 1].forgotten) is None or at < until):
        first -= 1
    return decisions[first:] if first else decisions


def known_points(record: Record, ladder: ClauseId, sent: datetime, *, besides: int | None) -> int:
    """The points live at `sent` whose statement was delivered before then, the step `besides` left out."""
    return _sum(counted(record, known(record, sent, besides=besides), ladder, sent))


def counted(record: Record, decisions: Iterable[Recorded], ladder: ClauseId, at: datetime) -> tuple[Counted, ...]:
    """The points of `decisions` that are live on `ladder` at `at`, with whose they are."""
    pauses: dict[Duration, datetime] = {}
    found: list[Counted] = []
    for one in decisions:
        for points in one.decided.points if one.is_live else ():
            if points.clean is not None and points.clean not in pauses:
                pauses[points.clean] = _last_pause(record, points.clean, at)
            if points.ladder == ladder and _is_live(one, points, at, pauses):
                found.append(Counted(decision=one.decided.decision, ladder=ladder, count=points.count))
    return tuple(found)


def left_of(record: Record, one: Counted) -> int:
    """How many of the points that a later decision counted still count.

    None of what was reversed; of what was decided anew, as many as the new decision has, and no more.
    """
    count = one.count
    for each in lineage(record, one.decision):
        if each.reversed_at is not None:
            return 0
        if each.id != one.decision:
            count = min(count, sum(points.count for points in each.decided.points if points.ladder == one.ladder))
    return count


def lineage(record: Record, decision: DecisionId) -> Iterator[Recorded]:
    """The decision and those that took its place, one after another."""
    one = record.decision(decision)
    while one is not None:
        yield one
        one = record.decision(one.replaced_by) if one.replaced_by else None


def _sum(counts: Iterable[Counted]) -> int:
    return sum([each.count for each in counts])


def _is_live(one: Recorded, points: Points, at: datetime, pauses: Mapping[Duration, datetime]) -> bool:
    """Whether the points have not expired at `at`; they never do before their decision's measures end."""
    if points.clean is not None:
        is_kept = pauses[points.clean] < one.decided.breaches[0].sent
    else:
        is_kept = points.expires_at is None or at < points.expires_at
    # INVARIANT: a point is never forgotten before its measure ends
    return is_kept or any(each.kind in RISING and not each.is_over(at) for each in one.measures)


def _last_pause(record: Record, length: Duration, at: datetime) -> datetime:
    """The last breach before `at` that was followed by none for `length`; `EARLIEST` if there was no such pause."""
    live = (one for one in record.decisions if one.is_live)
    sent = sorted(breach.sent for one in live for breach in one.breaches if breach.sent <= at)
    end, first = at, len(sent)
    while first:
        paused = bisect_right(sent, end, hi=first, key=length.after)
        if paused == first:
            return sent[first - 1]
        end, first = sent[paused], paused  # everything from there on is closer together than `length`
    return EARLIEST
