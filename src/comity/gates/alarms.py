"""Alarms as lines somewhere: of each sort at most one in a while, and one line whatever a name in it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from comity.gates.following import Clock

_BETWEEN: Final = timedelta(seconds=10)


class Alarms:
    """What a `Replica` is given to raise its alarms."""

    def __init__(self, clock: Clock, write: Callable[[str], None]) -> None:
        self._clock, self._write, self._said = clock, write, dict[str, datetime]()

    def __call__(self, kind: str, text: str) -> None:
        now = self._clock.now()
        if kind not in self._said or now - self._said[kind] >= _BETWEEN:
            self._said[kind] = now
            self._write("".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text))
