"""The entries of a YAML mapping, read one by one as what they should be; what they are not is reported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from comity.agreement.decoding import hides_something
from comity.agreement.durations import read_duration, read_expiry
from comity.agreement.problems import Misread, Problems, nearest, quoted
from comity.agreement.source import Excerpt
from comity.agreement.yaml_nodes import Mapping, Node, Scalar, Sequence
from comity.model.clause import Expiry
from comity.model.duration import Duration

LONGEST_TEXT: Final = 2_000
"""Code points of a value in front matter."""

T = TypeVar("T")
Pairs = tuple[tuple[Scalar, Node], ...]


class Entries:
    """One mapping with the keys that it may have."""

    def __init__(self, mapping: Mapping, keys: Iterable[str], problems: Problems) -> None:
        self._values = {key.value: (key, value) for key, value in mapping.items}
        self._problems = problems
        self.at = mapping.at
        known = tuple(keys)
        for key, _ in mapping.items:
            if key.value not in known:
                problems.error("C044", key.at, f"unknown key {quoted(key.value)}", help=nearest(key.value, known))

    def require(self, keys: Iterable[str], place: Excerpt) -> None:
        """Reports at `place` each of the keys that is not given."""
        for key in keys:
            if key not in self._values:
                self._problems.error("C045", place, f"the key `{key}` is missing", help=f"add a line `{key}: ...`")

    def scalar(self, key: str) -> Scalar | None:
        """The key's text with its place; None if it is not given or no text (reported)."""
        if key not in self._values:
            return None
        return self.text_of(self._values[key][1], f"`{key}`")

    def text(self, key: str) -> str:
        scalar = self.scalar(key)
        return scalar.value if scalar else ""

    def duration(self, key: str, default: Duration) -> Duration:
        return self.duration_or_none(key) or default

    def duration_or_none(self, key: str) -> Duration | None:
        scalar = self.scalar(key)
        return None if scalar is None else self._read(scalar, read_duration(scalar.value), None)

    def expiry(self, key: str, default: Expiry) -> Expiry:
        scalar = self.scalar(key)
        return default if scalar is None else self._read(scalar, read_expiry(scalar.value), default)

    def texts(self, key: str) -> tuple[Scalar, ...] | None:
        """The items of a list of texts; None if it is not given or no list (reported)."""
        if key not in self._values:
            return None
        node = self._values[key][1]
        if not isinstance(node, Sequence):
            self._wrong(node, f"`{key}` is a list", f"write `{key}: [first, second]`")
            return None
        read = [self.text_of(item, f"an item of `{key}`") for item in node.items]
        return tuple(item for item in read if item is not None)

    def pairs(self, key: str) -> Pairs:
        """The entries of a nested mapping."""
        if key not in self._values:
            return ()
        node = self._values[key][1]
        if isinstance(node, Mapping):
            return node.items
        self._wrong(node, f"`{key}` is a list of names with values", "write `  name: value` on a line of its own")
        return ()

    def key(self, key: str) -> Excerpt:
        """Where the key stands; the mapping's first line if it does not."""
        return self._values[key][0].at if key in self._values else self.at.first_line()

    def text_of(self, node: Node, what: str) -> Scalar | None:
        """A node that must be a text."""
        if not isinstance(node, Scalar):
            self._wrong(node, f"{what} is a text", "write one value on one line")
        elif node.is_null or not node.value.strip():
            self._wrong(node, f"{what} has no value", "write a value, or delete the key")
        elif len(node.value) > LONGEST_TEXT:
            self._wrong(node, f"{what} is longer than {LONGEST_TEXT:,} characters", "shorten it")
        elif hides_something(node.value.replace("\n", " ")):
            self._wrong(node, f"{what} holds a control or invisible character", "delete it")
        else:
            return node
        return None

    def _read(self, scalar: Scalar, read: T | Misread, default: T) -> T:
        if isinstance(read, Misread):
            self._problems.misread("C046", scalar.at, read)
            return default
        return read

    def _wrong(self, node: Node, message: str, help: str) -> None:
        self._problems.error("C046", node.at.first_line(), message, help=help)
