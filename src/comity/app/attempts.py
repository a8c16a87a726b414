"""Asking somebody outside who may never answer: each attempt is waited for so long, and no longer once all is over."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from threading import Lock, Thread
from typing import Final, TypeVar

from comity.ports import UnreachableError

ResultT = TypeVar("ResultT")
_OVER: Final = "the service ended before it answered"


class Attempts:
    """Several threads may wait, each for an attempt of its own."""

    def __init__(self) -> None:
        self._lock, self._waiting, self._is_over = Lock(), set[Callable[[], bool]](), False

    def wait_for(self, ask: Callable[[], ResultT], seconds: float) -> ResultT:
        """What `ask` returns. Raises `UnreachableError`, as `ask` does; what takes too long is left to itself.

        `seconds`: for all of it, be it a name, a handshake or bytes that drip.
        """
        outcome: Future[ResultT] = Future()
        with self._lock:
            if self._is_over:
                raise UnreachableError(_OVER)
            self._waiting.add(outcome.cancel)
        Thread(target=_ask, args=(ask, outcome), daemon=True).start()
        try:
            return outcome.result(timeout=seconds)
        except TimeoutError:
            raise UnreachableError(f"no answer within {seconds:g} seconds") from None
        except CancelledError:
            raise UnreachableError(_OVER) from None
        finally:
            with self._lock:
                self._waiting.discard(outcome.cancel)

    def give_up(self) -> None:
        """Nothing is waited for any more."""
        with self._lock:
            self._is_over = True
            for cancel in self._waiting:
                cancel()


def _ask(ask: Callable[[], ResultT], outcome: Future[ResultT]) -> None:
    with suppress(InvalidStateError):  # nobody waits for it any more
        try:
            outcome.set_result(ask())
        except UnreachableError as error:
            outcome.set_exception(error)
