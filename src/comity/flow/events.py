"""Counts what happened to accounts before a message, for many messages at once, by sort and search."""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_RANK = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What happened to whom, and when, in whatever order; or, asked for: before what, and after when.

    `orders` are below 2^31: an event counts for what has a higher one.
    """

    authors: Ints
    orders: Ints
    times: Ints


def counted_before(events: Events, asked: Events) -> Ints:
    """For each that is asked, how many of its author's events have a lower order and a later time."""
    accounts = np.unique(events.authors)
    if not len(accounts) or not len(asked.authors):
        return np.zeros(len(asked.authors), dtype=np.int64)
    codes, wanted = np.searchsorted(accounts, events.authors), np.searchsorted(accounts, asked.authors)
    wanted = np.where(accounts[np.minimum(wanted, len(accounts) - 1)] == asked.authors, wanted, len(accounts))
    times = np.sort(events.times)
    ranks, after = np.searchsorted(times, events.times), np.searchsorted(times, asked.times, "right")
    by_order = np.sort(_key(codes, events.orders))
    by_time = np.sort(_key(codes, ranks))
    before = np.searchsorted(by_order, _key(wanted, asked.orders)) - np.searchsorted(by_order, _key(wanted, 0))
    old = np.searchsorted(by_time, _key(wanted, after)) - np.searchsorted(by_time, _key(wanted, 0))
    counts = np.maximum(before - old, 0)
    for code in _disordered(codes, events).tolist():
        one, places = codes == code, np.flatnonzero(wanted == code)
        counts[places] = _one_by_one(events.orders[one], events.times[one], asked.orders[places], asked.times[places])
    return counts


def _key(codes: NDArray[np.intp], ranks: NDArray[np.int64] | int) -> Ints:
    key: Ints = (codes << _RANK) + ranks
    return key


def _disordered(codes: NDArray[np.intp], events: Events) -> NDArray[np.intp]:
    """The accounts whose events did not come in order of time: for them the old ones are not the first ones."""
    order = np.lexsort((events.times, events.orders, codes))
    same = codes[order][1:] == codes[order][:-1]
    return np.unique(codes[order][1:][same & (np.diff(events.times[order]) < 0)])


def _one_by_one(orders: Ints, times: Ints, before: Ints, after: Ints) -> list[int]:
    """The same for one account, in whatever order."""
    told = sorted(zip(orders.tolist(), times.tolist(), strict=True))
    counts, known, place = [0] * len(before), list[int](), 0
    for asked in np.argsort(before, kind="stable").tolist():
        while place < len(told) and told[place][0] < before[asked]:
            insort(known, told[place][1])
            place += 1
        counts[asked] = len(known) - bisect_right(known, int(after[asked]))
    return counts
