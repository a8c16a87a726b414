"""The end of the service: what would go on without end is told, so that what is being answered can be finished."""

from __future__ import annotations

from collections.abc import Callable


class Ending:
    """Called once, when nothing new is taken any more."""

    def __init__(self) -> None:
        self._told: list[Callable[[], None]] = []

    def tell(self, work: Callable[[], None]) -> None:
        """`work` is done then; it does not wait for anything."""
        self._told.append(work)

    def __call__(self) -> None:
        for work in self._told:
            work()
