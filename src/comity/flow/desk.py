"""The one place in a long-running program where a record is acted on, while other programs may act on it too.

Acts take turns. One that was decided on what somebody else has changed meanwhile is decided anew, and proceedings
that could not keep what they knew are given up for new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Generic, TypeVar

from comity.agreement.ladders import ChoiceError
from comity.casework.refused import RefusedError
from comity.flow.message import Proceedings
from comity.ports import NO_SPANS, Spans, Store

ResultT = TypeVar("ResultT")


class HarmlessError(Exception):
    """What an act raises in other words than `RefusedError`, before it has changed anything."""


HARMLESS: Final = (RefusedError, ChoiceError, HarmlessError)
_MOST_ENTRIES: Final = 100


@dataclass(slots=True, kw_only=True)
class Group(Generic[ResultT]):
    """Acts that wait to be kept by one transaction. `outcomes`: of the first so many, what each returned or raised.

    `is_kept`: the transaction is committed, so that nothing of it may be done again.
    """

    works: Sequence[Callable[[Proceedings], ResultT]]
    outcomes: list[ResultT | Exception] = field(default_factory=list)
    is_kept: bool = False


class Desk:
    """Acts on one store. Any thread may ask; they are served one after another."""

    def __init__(self, store: Store, proceed: Callable[[], Proceedings], spans: Spans = NO_SPANS) -> None:
        """`proceed` reads the store's running state anew."""
        self._store, self._proceed, self._lock, self._spans = store, proceed, Lock(), spans
        self._running: Proceedings | None = None

    def act(self, work: Callable[[Proceedings], ResultT]) -> ResultT:
        """Do what changes the record. Raises what `work` does; `StoreError` and `OSError`: nothing was kept of it."""
        with self._lock, self._spans.span("act"), self._store.turn() as was_changed:
            running, self._running = self._current(is_stale=was_changed), None
            try:
                result = work(running)
            except HARMLESS:
                self._running = running
                raise
            self._running = None if running.is_spent else running
            return result

    def act_together(self, group: Group[ResultT], is_over: Callable[[], bool]) -> None:
        """Do what these acts do, one after the other, until `is_over` or the ledger has got 100 entries more.

        What is `HARMLESS` is the act's outcome. Raises what else an act does, and keeps nothing; unless the group
        `is_kept`, and could not be published.
        """
        with self._lock, self._spans.span("acts", len(group.works)), self._store.turn() as was_changed:
            running, self._running = self._current(is_stale=was_changed), None
            last = self._store.size + _MOST_ENTRIES
            with ExitStack() as kept:
                kept.enter_context(running.together())
                for work in group.works:
                    group.outcomes.append(_outcome(work, running))
                    if running.is_spent or self._store.size >= last or is_over():
                        break
                with self._spans.span("commit", len(group.outcomes)):
                    kept.close()
            group.is_kept = True
            with self._spans.span("publish"):
                running.publish_kept()
            self._running = None if running.is_spent else running

    def tidy(self) -> None:
        """What the store can do when nobody waits for it."""
        with self._lock:
            self._store.tidy()

    def read(self, work: Callable[[Proceedings], ResultT]) -> ResultT:
        """Look at the record as it is now."""
        with self._lock:
            self._running = self._current(is_stale=self._store.was_changed())
            return work(self._running)

    def _current(self, *, is_stale: bool) -> Proceedings:
        return self._proceed() if self._running is None or is_stale else self._running


def _outcome(work: Callable[[Proceedings], ResultT], running: Proceedings) -> ResultT | Exception:
    try:
        return work(running)
    except HARMLESS as error:
        return error
