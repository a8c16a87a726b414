"""Forms over whole columns: the rules of a version for many messages in one step each.

Columns are numpy arrays, one value a message: `bool`, `int64` (durations and times in microseconds) or `float64`. The
checker has bounded all whole numbers, and doubles are IEEE 754 on both sides, so columns answer as a plan does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from comity.engine.leaves import Applied, Constant, Form, Leaf
from comity.engine.windows import Window

Column = NDArray[np.bool_] | NDArray[np.int64] | NDArray[np.float64]
Bools = NDArray[np.bool_]
_Operand = Column | bool | int | float


class Answers(Protocol):
    """What leaves and windows came to, for as many messages as there are."""

    @property
    def size(self) -> int: ...
    def leaf(self, leaf: Leaf) -> Column: ...
    def window(self, window: Window) -> Column: ...


def holds(form: Form, answers: Answers) -> Bools:
    """For each message whether the form, a rule's, is true of it."""
    with np.errstate(all="ignore"):  # infinities and NaN are values like others, as in CEL
        value = _value(form, answers)
    return np.broadcast_to(np.asarray(value, dtype=np.bool_), (answers.size,))


def _value(form: Form, answers: Answers) -> _Operand:
    match form:
        case Constant(value=value):
            return value
        case Leaf():
            return answers.leaf(form)
        case Window():
            return answers.window(form)
        case Applied(function="_&&_" | "_||_" as function, operands=(left, right)):
            return _chained(function, _value(left, answers), right, answers)
        case Applied(function=function, operands=operands):
            return _OPERATORS[function](*(_value(each, answers) for each in operands))


def _chained(function: str, left: _Operand, right: Form, answers: Answers) -> _Operand:
    """Where the left side settles it for all messages, the right side is never asked."""
    settled = function == "_||_"
    if np.all(left == settled):
        return left
    return np.logical_or(left, _value(right, answers)) if settled else np.logical_and(left, _value(right, answers))


def _share(part: _Operand, whole: _Operand) -> _Operand:
    return np.where(np.equal(whole, 0), 0.0, np.true_divide(part, whole))


_OPERATORS: Final[Mapping[str, Callable[..., _Operand]]] = {
    "!_": np.logical_not,
    "_?_:_": np.where,
    "_==_": np.equal,
    "_!=_": np.not_equal,
    "_<_": np.less,
    "_<=_": np.less_equal,
    "_>_": np.greater,
    "_>=_": np.greater_equal,
    "_+_": np.add,
    "_-_": np.subtract,
    "_*_": np.multiply,
    "-_": np.negative,
    "share": _share,
}
