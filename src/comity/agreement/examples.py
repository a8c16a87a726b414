"""The `examples` fence: texts that breach a clause or are fine under it, each with the values it sets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from comity.agreement.document import Fence
from comity.agreement.example_values import normal_call, read_value, settable, split_call, unescape
from comity.agreement.problems import Misread, Problems, nearest, quoted
from comity.agreement.source import Excerpt
from comity.model.clause import Example

_FIRST: Final = re.compile(r"(breach|fine):(?: (.*))?")
_VALUE: Final = re.compile(r"""[ \t]+((?:[^"':]|"[^"]*"|'[^']*'|:(?! |$))+?)[ \t]*:(?: (.*))?""")


@dataclass(slots=True, kw_only=True)
class _Open:
    """An example whose values are still being read."""

    breaches: bool
    text: str
    line: int
    values: dict[str, str] = field(default_factory=dict)


def read_examples(fence: Fence, rule: str, problems: Problems) -> tuple[Example, ...]:
    """The examples of a fence. `rule` is the clause's rule, in which an exact call must occur."""
    reader = _Reader(normal_call(rule), problems)
    for number, line in enumerate(fence.lines, start=fence.line + 2):
        if line.text.strip():
            reader.take(line, number)
    return reader.examples()


class _Reader:
    def __init__(self, rule: str, problems: Problems) -> None:
        self._rule = rule
        self._problems = problems
        self._open: list[_Open] = []
        self._settable = settable()

    def take(self, line: Excerpt, number: int) -> None:
        first = _FIRST.fullmatch(line.text)
        value = _VALUE.fullmatch(line.text)
        if first:
            text = unescape(first.group(2) or "")
            self._open.append(_Open(breaches=first.group(1) == "breach", text=text, line=number))
        elif value and self._open:
            name = line.part(value.start(1), value.end(1))
            has_text = value.group(2) is not None
            self._set(name, line.part(value.start(2), value.end(2)).stripped() if has_text else line.part(value.end()))
        else:
            help = "write `breach: TEXT` or `fine: TEXT`, then indented lines `name: value`"
            self._problems.error("C073", line.stripped(), "this is no line of examples", help=help)

    def examples(self) -> tuple[Example, ...]:
        return tuple(
            Example(breaches=one.breaches, text=one.text, values=tuple(one.values.items()), line=one.line)
            for one in self._open
        )

    def _set(self, name_at: Excerpt, value_at: Excerpt) -> None:
        name, call = split_call(name_at.text)
        if name not in self._settable:
            help = nearest(name, self._settable)
            self._problems.error("C074", name_at, f"an example cannot set {quoted(name)}", help=help)
        elif name_at.text in self._open[-1].values:
            self._problems.error("C074", name_at, f"{quoted(name_at.text)} is set twice", help="keep one of them")
        elif call and call not in self._rule:
            help = f"write the call exactly as the rule has it, or `{name}` for any window"
            self._problems.error("C074", name_at, f"the rule never calls {quoted(name_at.text)}", help=help)
        else:
            read = read_value(value_at.text, self._settable[name])
            if isinstance(read, Misread):
                self._problems.error("C075", value_at, read.message, label=read.label, help=read.help)
            self._open[-1].values[name_at.text] = value_at.text
