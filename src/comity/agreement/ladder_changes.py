"""What a number of points brings in two versions of a ladder, and which of them is harsher.

A version is stricter where each measure of the other is covered: by one at least as grave, on at least its channels,
for at least its time, and no later. A condition counts as unbounded, a range by both its ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from comity.agreement.changes import Change, Effect
from comity.model.clause import Act, Kind, Ladder, Range, Reaches, Row, Until
from comity.model.duration import Duration
from comity.model.ids import Channel

_ON_ACCOUNT: Final = (Kind.WARN, Kind.LIMIT_REACH, Kind.LIMIT, Kind.HOLD, Kind.SUSPEND, Kind.TERMINATE)
_ON_MESSAGE: Final = (Kind.MARK, Kind.REMOVE)
_UNBOUNDED: Final = float("inf")

Channels = tuple[Channel, ...]


def ladder_changes(old: Ladder | None, new: Ladder | None, channels: tuple[Channels, Channels]) -> Iterator[Change]:
    """A change for each stretch of points that brings something else. `channels`: all that each version governs."""
    numbers = sorted({row.points for ladder in (old, new) if ladder is not None for row in ladder.rows})
    before: tuple[str, str] | None = None
    for place, number in enumerate(numbers):
        rows = _at(old, number), _at(new, number)
        written = _written(rows[0]), _written(rows[1])
        one, other = (_covers(rows[a], rows[b], channels[a], channels[b]) for a, b in ((1, 0), (0, 1)))
        effect = Effect.NEITHER if one == other else Effect.STRICTER if one else Effect.LOOSER
        if written[0] != written[1] and written != before:
            until = next(
                (n for n in numbers[place + 1 :] if (_written(_at(old, n)), _written(_at(new, n))) != written), None
            )
            yield Change(what=_stretch(number, until), old=written[0], new=written[1], effect=effect)
        before = written


def _stretch(number: int, until: int | None) -> str:
    if until is None:
        return f"{number} points or more"
    last = until - 1
    return f"{number} to {last} points" if last > number else f"{number} {'point' if number == 1 else 'points'}"


def _at(ladder: Ladder | None, points: int) -> tuple[Row, ...]:
    """The rows of the highest number that is not above `points`."""
    rows = () if ladder is None else ladder.rows
    reached = max((row.points for row in rows if row.points <= points), default=None)
    return tuple(row for row in rows if row.points == reached)


def _written(rows: tuple[Row, ...]) -> str:
    return "; ".join(map(_written_row, rows)) or "nothing"


def _written_row(row: Row) -> str:
    acts = ", ".join(map(str, row.acts))
    match row.channels:
        case None:
            where = ""
        case Reaches.ALL:
            where = " on all channels"
        case Reaches.SAME:
            where = " on the same channel"
        case names:
            where = f" on {', '.join(sorted(names))}"
    term = str(row.term)
    separator = " " if term.startswith(("until", "after")) else " for "
    return f"{acts}{where}{separator + term if term else ''}"


def _covers(rows: tuple[Row, ...], others: tuple[Row, ...], channels: Channels, of_others: Channels) -> bool:
    """Whether everything that `others` bring is brought by `rows`, or something harsher is."""
    return all(
        any(_act_covers(row, act, other, milder, channels, of_others) for row in rows for act in row.acts)
        for other in others
        for milder in other.acts
    )


def _act_covers(row: Row, act: Act, other: Row, milder: Act, channels: Channels, of_others: Channels) -> bool:
    if act.kind.is_on_message or milder.kind.is_on_message:
        is_grave = act.kind.is_on_message and milder.kind.is_on_message
        return (
            is_grave
            and _ON_MESSAGE.index(act.kind) >= _ON_MESSAGE.index(milder.kind)
            and _starts(row) <= _starts(other)
        )
    rank, lower = _ON_ACCOUNT.index(act.kind), _ON_ACCOUNT.index(milder.kind)
    if milder.kind is Kind.WARN:
        return rank >= lower
    if rank < lower or (rank == lower and _slowness(act) < _slowness(milder)):
        return False
    return (
        _is_everywhere(row, other, channels, of_others)
        and _lasts(row, act, other, milder)
        and _starts(row) <= _starts(other)
    )


def _slowness(act: Act) -> float:
    return act.rate.per.nominal_seconds / act.rate.count if act.rate else 0.0


def _starts(row: Row) -> float:
    return row.term.delay.nominal_seconds if row.term.delay else 0.0


def _is_everywhere(row: Row, other: Row, channels: Channels, of_others: Channels) -> bool:
    if row.channels is Reaches.ALL:
        return set(of_others) <= set(channels) or other.channels is Reaches.SAME
    if other.channels in (Reaches.ALL, Reaches.SAME):
        return row.channels is other.channels
    named = _named(row), _named(other)
    return named[0] >= named[1]


def _named(row: Row) -> frozenset[Channel]:
    return row.channels if isinstance(row.channels, frozenset) else frozenset()


def _lasts(row: Row, act: Act, other: Row, milder: Act) -> bool:
    if act.kind is Kind.TERMINATE:
        return True
    if milder.kind is Kind.TERMINATE:
        return False
    if isinstance(row.term.length, Until) and isinstance(other.term.length, Until):
        one, two = row.term.length, other.term.length
        return set(one.conditions) >= set(two.conditions) and _seconds(one.at_least) >= _seconds(two.at_least)
    (least, most), (shorter, longest) = _ends(row), _ends(other)
    return least >= shorter and most >= longest


def _seconds(duration: Duration | None) -> float:
    return duration.nominal_seconds if duration else 0.0


def _ends(row: Row) -> tuple[float, float]:
    match row.term.length:
        case Duration() as length:
            return length.nominal_seconds, length.nominal_seconds
        case Range(least=least, most=most):
            return least.nominal_seconds, most.nominal_seconds
        case _:
            return _UNBOUNDED, _UNBOUNDED
