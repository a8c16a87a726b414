"""Which of two public measures is milder: nowhere more, by act, channels and end."""

from __future__ import annotations

from typing import Final

from comity.ledger.entry import PublicMeasure

_SECONDS: Final = {"a minute": 60, "an hour": 3600, "a day": 86400, "a week": 7 * 86400}
_GRAVITY: Final = ("mark", "warn", "remove", "limit reach", "limit", "hold", "suspend", "terminate")


def is_milder(new: PublicMeasure, old: PublicMeasure) -> bool:
    """Whether `new` is nowhere more than `old`: act, channels and end."""
    if new.act == "warn":
        return True
    is_on_message = new.act in ("mark", "remove")
    if is_on_message != (old.act in ("mark", "remove")) or _gravity(new.act) > _gravity(old.act):
        return False
    return frozenset(new.chan) <= frozenset(old.chan) and _ends_no_later(new, old)


def _ends_no_later(new: PublicMeasure, old: PublicMeasure) -> bool:
    if old.met and new.met:
        return frozenset(new.met) <= frozenset(old.met)
    if old.met:
        return new.until is not None  # when conditions would have been met, nobody can tell from here
    return old.until is None or (new.until is not None and new.until <= old.until)


def _gravity(act: str) -> tuple[int, float]:
    """Greater is graver; of two limits, the one that lets less through."""
    if not act.startswith("limit to "):
        return _GRAVITY.index(act), 0.0
    count, _, unit = act.removeprefix("limit to ").partition(" ")
    return _GRAVITY.index("limit"), -int(count) / _SECONDS[unit]
