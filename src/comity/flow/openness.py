"""The public's numbers, brought up to date: only what came since is read."""

from __future__ import annotations

from collections.abc import Callable

from comity.casework.openness import COUNTED, Openness
from comity.flow.counts import unless_over
from comity.ports import Store


def up_to_date(counted: Openness, store: Store, is_over: Callable[[], bool] = lambda: False) -> Openness:
    """`counted`, with what the store holds by now. Not to be called by two threads at once.

    Raises `EndedError`; then `counted` is of no use any more.
    """
    with store.at_once():
        position = store.position
        counted.take(unless_over(is_over, store.facts(COUNTED, after=counted.position)))
        if store.erasures != counted.erasures:
            counted.erasures = store.erasures
            counted.forget(store.is_erased)
    counted.position = position
    return counted
