"""Comity from Python: an agreement that judges.

from comity import Agreement

agreement = Agreement.load("agreement.md")
findings = agreement.judge(message)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Final, Self

from comity.agreement import Diagnostic, draw
from comity.app.files import read_agreement, reader_beside
from comity.engine.plan import plan
from comity.flow.check import check
from comity.flow.judge import Judging
from comity.model.agreement import Agreement as Checked
from comity.model.finding import Finding
from comity.model.message import Message

_AHEAD: Final = 512


class AgreementError(ValueError):
    """An agreement has errors. `diagnostics` are all of them; as text they are drawn as `comity check` draws them."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], drawn: str) -> None:
        super().__init__(drawn)
        self.diagnostics = diagnostics


class Agreement:
    """A checked version of an agreement. `checked` is all that it says."""

    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self._plan = plan(checked)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """The agreement in a file, checked whole. Raises `AgreementError`, or `StopError` if there is no such file."""
        found = check(str(path), read_agreement(Path(path)), reader_beside(Path(path)))
        if found.agreement is None:
            errors = tuple(each for each in found.diagnostics if each.is_error)
            raise AgreementError(errors, draw(errors, found.sources))
        return cls(found.agreement)

    @property
    def digest(self) -> str:
        """`sha256:` and 64 hexadecimal digits: which version this is."""
        return self.checked.digest

    def judge(self, message: Message, *, history: Iterable[Message] = ()) -> tuple[Finding, ...]:
        """The breaches of one message. `history`: the messages taken in before it, in order, for rules that count."""
        judging = Judging(self.checked, self._plan)
        for earlier in history:
            judging.judge(earlier)
        return judging.judge(message)

    def judge_batch(self, messages: Iterable[Message]) -> Iterator[tuple[Finding, ...]]:
        """The breaches of each message, in order, all before it being its history: many times as fast as one by one.

        Messages are read ahead, some hundred at a time.
        """
        judging, coming = Judging(self.checked, self._plan), iter(messages)
        while some := list(islice(coming, _AHEAD)):
            yield from judging.judge_batch(some)
