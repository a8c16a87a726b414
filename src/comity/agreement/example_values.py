"""The values that examples set: names of variables and functions, and texts read as their types.

The agreement keeps a value as it is written; the engine reads it with `read_value` when it runs the example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from comity.agreement.durations import read_duration
from comity.agreement.language import FUNCTIONS, MOST, VARIABLES, History, Shape
from comity.agreement.problems import Misread, Problems, quoted
from comity.agreement.source import Source
from comity.agreement.yaml_nodes import Mapping as MappingNode
from comity.agreement.yaml_nodes import Node, Scalar, Sequence, read_yaml

ExampleValue = bool | int | float | str | datetime | timedelta | tuple[str, ...] | Mapping[str, str]

_INT: Final = re.compile(r"[0-9]{1,10}")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_CALL: Final = re.compile(r"([a-z]+\.[a-z]+)(\(.*\))?", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"\\([\\n])")


def settable() -> Mapping[str, Shape]:
    """What an example may set, by name: every variable, and every function that counts earlier messages."""
    counting = {
        (f"text.{name}" if function.is_receiver else name): function.overloads[0].result
        for name, function in FUNCTIONS.items()
        if function.history is not History.NONE
    }
    return {name: variable.shape for name, variable in VARIABLES.items()} | counting


def split_call(name: str) -> tuple[str, str]:
    """`author.messages(days(1))` as its name and its call, the latter without white space and with double quotes.

    The call is "" where the name stands for any window.
    """
    match = _CALL.fullmatch(name)
    if match is None or match.group(2) is None:
        return name, ""
    return match.group(1), normal_call(name)


def normal_call(code: str) -> str:
    """Code without white space and with double quotes, so that two ways to write a call compare equal."""
    return re.sub(r"\s+", "", code).replace("'", '"')


def unescape(text: str) -> str:
    r"""`\n` becomes a new line and `\\` a backslash; other backslashes stay."""
    return _ESCAPE.sub(lambda match: "\n" if match.group(1) == "n" else "\\", text)


def read_value(text: str, shape: Shape) -> ExampleValue | Misread:
    """A value in YAML flow form, as the type that it is for. Strings are verbatim but for `unescape`."""
    match shape:
        case Shape.STRING:
            return unescape(text)
        case Shape.BOOL:
            return text == "true" if text in ("true", "false") else _wrong(text, "`true` or `false`")
        case Shape.INT:
            is_count = _INT.fullmatch(text) and int(text) <= MOST
            return int(text) if is_count else _wrong(text, "a whole number from 0 to 2^31")
        case Shape.DOUBLE:
            return float(text) if _NUMBER.fullmatch(text) else _wrong(text, "a number, such as `0.5`")
        case Shape.DURATION:
            duration = read_duration(text, zero=True)
            return duration if isinstance(duration, Misread) else timedelta(seconds=duration.nominal_seconds)
        case Shape.TIMESTAMP:
            return _time(text)
        case Shape.STRINGS | Shape.META:
            return _collection(text, shape)


def _time(text: str) -> datetime | Misread:
    trouble = _wrong(text, "a time, such as `2026-01-01T12:00:00Z`")
    if not _TIME.fullmatch(text):
        return trouble
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return trouble


def _collection(text: str, shape: Shape) -> tuple[str, ...] | Mapping[str, str] | Misread:
    problems = Problems()
    node = read_yaml(Source(file="", text=text, clean=text).all(), problems)
    if problems.errors:
        return Misread(message=problems.diagnostics()[0].message, help="write it on one line as YAML")
    if shape is Shape.STRINGS and isinstance(node, Sequence):
        items = [_text(item) for item in node.items]
        return (
            tuple(item for item in items if item is not None) if None not in items else _wrong(text, "a list of texts")
        )
    if shape is Shape.META and isinstance(node, MappingNode):
        pairs = {key.value: _text(value) for key, value in node.items}
        whole = {key: value for key, value in pairs.items() if value is not None}
        return whole if len(whole) == len(pairs) else _wrong(text, "keys with texts")
    return _wrong(text, "a list, such as `[a, b]`" if shape is Shape.STRINGS else "keys with texts, such as `{a: b}`")


def _text(node: Node) -> str | None:
    return node.value if isinstance(node, Scalar) else None


def _wrong(text: str, expected: str) -> Misread:
    return Misread(message=f"{quoted(text)} is not {expected}" if text else f"the value is missing: {expected}")
