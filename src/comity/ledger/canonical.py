"""JSON in its one canonical form (RFC 8785), for values without floating-point numbers.

Decides how a private value is written before it is committed to. Entries have their own, faster path in `entry.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Final

import msgspec

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]
"""What can be committed to: no floats, whose canonical form readers get wrong; write them as strings."""

_GREATEST: Final = 2**53 - 1
_DEEPEST: Final = 64
_STRINGS: Final = msgspec.json.Encoder()  # of a string alone, which it writes as RFC 8785 does


class CanonicalError(ValueError):
    """A value has no canonical form here; the message names the place, as in `$.evidence[2].start`."""


def canonical_json(value: Json) -> bytes:
    """The bytes of `value` after RFC 8785. Raises `CanonicalError`."""
    try:
        if type(value) is str:
            return _STRINGS.encode(value)
        return _written(value, "$", _DEEPEST).encode()
    except UnicodeEncodeError as error:
        raise CanonicalError(f"A string holds half of a surrogate pair ({error.object!r}): remove it.") from error


def _written(value: Json, place: str, depth: int) -> str:
    if depth == 0:
        raise CanonicalError(f"{place[:80]}: nested deeper than {_DEEPEST} levels.")
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return _integer(value, place)
        case str():
            return encode_basestring(value)
        case Mapping():
            return _members(value, place, depth - 1)
        case list() | tuple():
            return "[" + ",".join(_written(item, f"{place}[{n}]", depth - 1) for n, item in enumerate(value)) + "]"
    raise CanonicalError(f"{place}: a {type(value).__name__} cannot be committed to; write it as a string.")


def _integer(value: int, place: str) -> str:
    if abs(value) > _GREATEST:
        raise CanonicalError(f"{place}: {value} is beyond what JSON readers keep exactly; write it as a string.")
    return str(int(value))


def _members(value: Mapping[str, Json], place: str, depth: int) -> str:
    for key in value:
        if not isinstance(key, str):
            raise CanonicalError(f"{place}: the key {key!r} is not a string.")
    # RFC 8785, 3.2.3: keys are sorted by their UTF-16 code units, which differs from Python's order of code points.
    keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
    return (
        "{"
        + ",".join(f"{encode_basestring(key)}:{_written(value[key], f'{place}.{key}', depth)}" for key in keys)
        + "}"
    )
