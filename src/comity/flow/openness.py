"""The public's numbers, brought up to date: only what came since is read."""

from __future__ import annotations

from comity.casework.openness import COUNTED, Openness
from comity.ports import Store


def up_to_date(counted: Openness, store: Store) -> Openness:
    """`counted`, with what the store holds by now. Not to be called by two threads at once."""
    with store.at_once():
        position = store.position
        counted.take(store.facts(COUNTED, after=counted.position))
        if store.erasures != counted.erasures:
            counted.erasures = store.erasures
            counted.forget(store.is_erased)
    counted.position = position
    return counted
