"""YAML as nodes that know where they stand: scalars, sequences and mappings, and nothing that YAML builds from them.

Reads the parser's events, so that nothing is ever constructed: an alias, an anchor, a tag, a second document or a
mapping that nests too deeply is refused when it is met, before it can cost anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from comity.agreement.problems import Misread, Problems, quoted
from comity.agreement.source import Excerpt

DEEPEST: Final = 100
"""Nesting of sequences and mappings."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """`value` is the text, escapes resolved; `is_null` for a plain `~`, `null` or nothing."""

    value: str
    is_null: bool
    at: Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    items: tuple[Node, ...]
    at: Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Keys are unique: a second one is reported and left out."""

    items: tuple[tuple[Scalar, Node], ...]
    at: Excerpt


Node = Scalar | Sequence | Mapping


def read_yaml(at: Excerpt, problems: Problems) -> Node | None:
    """The document's node, or None if it has none or is refused (reported)."""
    builder = _Builder(at, problems)
    try:
        for event in YAML(typ="safe", pure=True).parse(at.text):
            if not builder.take(event):
                return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = mark.index if mark is not None else 0
        what = ", ".join(part for part in (error.context, error.problem) if part)
        problems.error("C041", at.part(offset, offset + 1), f"this is not YAML: {what}"[:300])
        return None
    except ReaderError as error:
        problems.error("C041", at.part(error.position, error.position + 1), "this is not YAML: unacceptable character")
        return None
    return builder.root


class _Open:
    """A collection whose end has not been met yet."""

    def __init__(self, start: int, *, is_mapping: bool) -> None:
        self.start = start
        self.is_mapping = is_mapping
        self.children: list[Node] = []


class _Builder:
    """Folds events into nodes with a stack of its own, so that depth costs no recursion."""

    def __init__(self, at: Excerpt, problems: Problems) -> None:
        self.root: Node | None = None
        self._at = at
        self._problems = problems
        self._stack: list[_Open] = []
        self._documents = 0

    def take(self, event: yaml_events.Event) -> bool:
        """Adds one event; False if the document is refused."""
        refused = self._refusal(event)
        if refused is not None:
            self._problems.misread("C042", self._span(event), refused)
            return False
        match event:
            case yaml_events.ScalarEvent():
                self._add(self._scalar(event))
            case yaml_events.SequenceStartEvent() | yaml_events.MappingStartEvent():
                is_mapping = isinstance(event, yaml_events.MappingStartEvent)
                self._stack.append(_Open(event.start_mark.index, is_mapping=is_mapping))
            case yaml_events.SequenceEndEvent() | yaml_events.MappingEndEvent():
                self._add(self._closed(self._stack.pop(), event.end_mark.index))
            case _:
                pass
        return True

    def _refusal(self, event: yaml_events.Event) -> Misread | None:
        if isinstance(event, yaml_events.AliasEvent) or getattr(event, "anchor", None):
            return Misread(message="anchors and aliases are not allowed", help="write the value out")
        if isinstance(event, yaml_events.NodeEvent) and getattr(event, "ctag", None) is not None:
            return Misread(message="tags are not allowed", help="write the value without `!`")
        if isinstance(event, yaml_events.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1 or event.version or event.tags:
                return Misread(message="one YAML document without directives is read", help="delete the others")
        if len(self._stack) >= DEEPEST:
            return Misread(code="C008", message=f"YAML is nested more than {DEEPEST} levels deep")
        return None

    def _span(self, event: yaml_events.Event) -> Excerpt:
        return self._at.part(event.start_mark.index, event.end_mark.index)

    def _scalar(self, event: yaml_events.ScalarEvent) -> Scalar:
        is_null = event.style is None and event.value in _NULLS
        return Scalar(value=event.value, is_null=is_null, at=self._span(event).stripped())

    def _closed(self, opened: _Open, end: int) -> Node:
        at = self._at.part(opened.start, end).stripped()
        if not opened.is_mapping:
            return Sequence(items=tuple(opened.children), at=at)
        return Mapping(items=tuple(self._pairs(opened.children)), at=at)

    def _pairs(self, children: list[Node]) -> Iterator[tuple[Scalar, Node]]:
        seen: set[str] = set()
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._problems.error("C042", key.at.first_line(), "a key is plain text", help="write `name: value`")
            elif key.value in seen:
                self._problems.error("C043", key.at, f"{quoted(key.value)} is given twice", help="keep one of them")
            else:
                seen.add(key.value)
                yield key, value

    def _add(self, node: Node) -> None:
        if self._stack:
            self._stack[-1].children.append(node)
        else:
            self.root = node
