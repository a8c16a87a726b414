"""A rule taken apart: what it asks of a message (leaves), and what it makes of the answers (the form around them).

Leaves have no numbers in them that an author tunes: `links.size()` is a leaf, `links.size() > 3` is a form over it. So
leaves can be computed once for an archive and kept, and a changed threshold or window needs only the form again, over
whole columns (see `columns`). A leaf's key names its meaning: equal keys are equal values, in any version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from comity.engine.windows import UNITS, Window, is_history, window_of, windows
from comity.model.agreement import Agreement
from comity.model.clause import Clause
from comity.model.expression import Call, Comprehension, Expression, ListOf, Literal, Type, Variable, walk
from comity.model.ids import ClauseId

MEANING: Final = "leaves/1 fold/1"
"""Part of every key: raised when a function of the language comes to mean something else."""

_PLAIN: Final = frozenset({Type.BOOL, Type.INT, Type.DOUBLE, Type.DURATION, Type.TIMESTAMP})
_FORMS: Final = frozenset(
    {"_&&_", "_||_", "!_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "-_", "share"}
)
_OF_LEXICON: Final = frozenset({"saysAny", "under", "anyIn"})
_EXACT: Final = 2**53
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One thing that rules ask of a message. `reads_counts`: the answer needs windows too, so it is never kept."""

    key: str
    expression: Expression
    own: ClauseId
    reads_counts: bool

    @property
    def type(self) -> Type:
        return self.expression.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """Durations and times in microseconds."""

    value: int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """An operator of the language over forms."""

    function: str
    operands: tuple[Form, ...]


Form = Constant | Leaf | Window | Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A clause whose rule is taken apart."""

    clause: Clause
    form: Form

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(part for part in parts(self.form) if isinstance(part, Leaf))

    @property
    def windows(self) -> tuple[Window, ...]:
        """All that the rule asks for, those inside leaves too."""
        rule = self.clause.rule
        return tuple(dict.fromkeys(windows(rule.expression, self.clause.id))) if rule else ()


def take_apart(agreement: Agreement) -> tuple[Taken, ...]:
    """All rules of a version, in reading order."""
    lexicons = {name: _digest(lexicon.entries) for name, lexicon in agreement.lexicons.items()}
    return tuple(
        Taken(clause=clause, form=_form(clause.rule.expression, clause.id, lexicons))
        for clause in agreement.clauses
        if clause.rule
    )


def parts(form: Form) -> Iterator[Form]:
    """It and everything in it."""
    yield form
    if isinstance(form, Applied):
        for operand in form.operands:
            yield from parts(operand)


def _form(expression: Expression, own: ClauseId, lexicons: Mapping[str, str]) -> Form:
    match expression:
        case Literal(value=bool() | int() | float() | timedelta() | datetime() as value) if expression.type in _PLAIN:
            return Constant(value=plain(value))
        case Call(function=unit, args=(Literal(value=int() as count),)) if unit in UNITS:
            return Constant(value=plain(count * UNITS[unit]))
        case Call(function=function) if is_history(function):
            return window_of(expression, own)
        case Call(function=function, args=args) if function in _FORMS and _is_columnar(expression):
            return Applied(function=function, operands=tuple(_form(each, own, lexicons) for each in args))
    reads_counts = any(isinstance(part, Call) and is_history(part.function) for part in walk(expression))
    key = blake2b(f"{MEANING} {_written(expression, lexicons)}".encode(), digest_size=16).hexdigest()
    return Leaf(key=key, expression=expression, own=own, reads_counts=reads_counts)


def _is_columnar(call: Call) -> bool:
    """Whether columns of 64-bit numbers come to the same as Python's numbers."""
    if not all(part.type in _PLAIN for part in (call, *call.args)):
        return False
    kinds = {argument.type for argument in call.args} & {Type.INT, Type.DOUBLE}
    large = (a for a in call.args if isinstance(a, Literal) and isinstance(a.value, int) and abs(a.value) >= _EXACT)
    return len(kinds) < 2 or not any(large)


def plain(value: int | float | timedelta | datetime) -> int | float:  # bool is an int
    """The number that stands for a constant: microseconds of durations, and of times since 1970."""
    match value:
        case timedelta():
            return value // _MICROSECOND
        case datetime():
            return (value - _EPOCH) // _MICROSECOND
        case _:
            return value


def _written(expression: Expression, lexicons: Mapping[str, str]) -> str:
    """The expression without its place; lexicons by what they hold."""
    match expression:
        case Literal(value=value, type=kind):
            return f"{kind}:{value!r}"
        case Variable(name=name):
            return name
        case Call(function=function, args=(receiver, Literal(value=str() as name))) if function in _OF_LEXICON:
            return f"({function} {_written(receiver, lexicons)} {lexicons[name]})"
        case Call(function=function, overload=overload, args=args):
            return f"({function}/{overload} {' '.join(_written(each, lexicons) for each in args)})"
        case ListOf(items=items):
            return f"[{' '.join(_written(each, lexicons) for each in items)}]"
        case Comprehension(over=over, body=body, where=where):
            inner = [_written(each, lexicons) for each in (over, body, where) if each is not None]
            return f"({expression.macro} {expression.variable} {' '.join(inner)})"


def _digest(entries: tuple[str, ...]) -> str:
    digest = blake2b(digest_size=16)
    for entry in entries:
        digest.update(f"{len(entry)}:{entry}".encode())
    return digest.hexdigest()
