"""Reads single values of a record: strings, lists, numbers and maps, whatever their archive gives them as.

Each function takes a value that is not missing and returns what a `Message` holds, or raises `RecordError`. Limits are
stated here and in `docs/archives.md`. Strings that are not Unicode text (lone surrogates, which also stand for bytes
that are not UTF-8) are refused; NUL is a character like any other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from comity.intake.problems import RecordError

NAME_LIMIT: Final = 1024
TEXT_LIMIT: Final = 1 << 20
LINE_LIMIT: Final = 16 << 10
TAG_LIMIT: Final = 64
ITEM_LIMIT: Final = 8192
ITEMS_LIMIT: Final = 10_000
META_LIMIT: Final = 256
REACH_LIMIT: Final = 1 << 31

_CHANNEL: Final = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,19}", re.ASCII)
_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


def string(value: object, limit: int) -> str:
    if not isinstance(value, str):
        raise RecordError(f"is a {_kind(value)}, not a string", "give it as a string")
    if len(value) > limit or not value.isascii():
        _measure(value, limit)
    return value


def _measure(value: str, limit: int) -> None:
    try:
        size = len(value) if len(value) > limit else len(value.encode())
    except UnicodeEncodeError as error:
        raise RecordError(
            f"is no Unicode text: a lone surrogate or a byte that is not UTF-8 at character {error.start + 1}",
            "write the archive as UTF-8",
        ) from None
    if size > limit:
        raise RecordError(f"is {size:,} bytes long; the limit is {limit:,}", "shorten it")


def _kind(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case list() | tuple():
            return "list"
        case Mapping():
            return "map"
        case _:
            return type(value).__name__


def text(value: object) -> str:
    return string(value, TEXT_LIMIT)


def line(value: object) -> str:
    return string(value, LINE_LIMIT)


def tag(value: object) -> str:
    return string(value, TAG_LIMIT)


def name(value: object) -> str:
    """An id: a string of 1 to 1024 bytes, or a whole number, which becomes its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = _digits(value)
    if value == "":
        raise RecordError("is empty", "give every record one")
    return string(value, NAME_LIMIT)


def _digits(number: int) -> str:
    """Bounded first: Python refuses to write out a number of more than 4,300 digits."""
    if abs(number) >= 1 << 127:
        raise RecordError("is a number of more than 38 digits", "give it as a string")
    return str(number)


def channel(value: object) -> str:
    if isinstance(value, str) and len(value) <= TAG_LIMIT and _CHANNEL.fullmatch(value):
        return value
    shown = repr(value[:40]) if isinstance(value, str) else f"a {_kind(value)}"
    raise RecordError(f"is no channel name: {shown}", "channels are written a-z, 0-9 and -, and begin with a letter")


def label(value: object) -> str:
    """Text as it is; a list's items joined by spaces; numbers and booleans as JSON writes them."""
    if isinstance(value, list | tuple):
        return string(" ".join(strings(value)), LINE_LIMIT)
    return string(value if isinstance(value, str) else _scalar(value), LINE_LIMIT)


def strings(value: object) -> list[str]:
    """A list of strings; text is read as a JSON array if it begins with `[`, else as words."""
    if isinstance(value, str):
        value = _json(value) if value.lstrip().startswith("[") else value.split()
    if not isinstance(value, list | tuple):
        raise RecordError(f"is a {_kind(value)}, not a list", "give a list of strings")
    if len(value) > ITEMS_LIMIT:
        raise RecordError(f"has {len(value):,} items; the limit is {ITEMS_LIMIT:,}", "shorten the list")
    items = [string(item, ITEM_LIMIT) for item in value]
    if sum(map(len, items)) > TEXT_LIMIT:
        raise RecordError(f"is more than {TEXT_LIMIT:,} characters long", "shorten the list")
    return items


def _json(written: str) -> object:
    try:
        value: object = msgspec.json.decode(string(written, TEXT_LIMIT))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise RecordError("is no valid JSON", "mend its brackets and quotes") from None
    return value


def words(sign: str) -> Callable[[object], list[str]]:
    """Mentions or hashtags: without their sign, in lower case."""

    def read(value: object) -> list[str]:
        return [item.lstrip(sign).lower() for item in strings(value)]

    return read


def media_types(value: object) -> list[str]:
    """Without parameters, in lower case."""
    return [item.partition(";")[0].strip().lower() for item in strings(value)]


def claim(value: object) -> bool:
    if isinstance(value, bool):
        return value
    written = (
        value.lower() if isinstance(value, str) else {0: "0", 1: "1"}.get(value) if isinstance(value, int) else None
    )
    if written in _TRUE or written in _FALSE:
        return written in _TRUE
    raise RecordError("is not true or false", "write true or false")


def reach(value: object) -> int:
    """A whole number from 0 to 2^31; a greater one is never cut to it, since a wrong number should be seen."""
    number = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise RecordError("is no whole number", "write a whole number")
    if not 0 <= number <= REACH_LIMIT:
        raise RecordError(f"lies outside 0 to {REACH_LIMIT}", "give the size of the audience")
    if number != int(number):
        raise RecordError(f"is no whole number: {number}", "write a whole number")
    return int(number)


def meta(value: object) -> dict[str, str]:
    """A map of strings. Numbers and booleans are written as JSON writes them; nulls are left out."""
    pairs = _pairs(_json(value) if isinstance(value, str) else value)
    if len(pairs) > META_LIMIT:
        raise RecordError(f"has {len(pairs):,} keys; the limit is {META_LIMIT}", "send fewer")
    return {string(key, NAME_LIMIT): _meta_value(item) for key, item in pairs if item is not None}


def _pairs(value: object) -> list[tuple[object, object]]:
    """A map's pairs; Parquet gives its maps as a list of pairs."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
        return [(key, item) for key, item in value]
    raise RecordError(f"is a {_kind(value)}, not a map", "give a map from strings to strings")


def _meta_value(value: object) -> str:
    return string(value if isinstance(value, str) else _scalar(value), ITEM_LIMIT)


def _scalar(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return _digits(value)
        case float() if math.isfinite(value):
            return repr(value)
        case _:
            raise RecordError(f"holds a {_kind(value)}", "give strings or finite numbers")
