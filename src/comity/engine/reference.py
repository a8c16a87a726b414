"""The oracle: rules judged by CEL's own evaluator, with functions that are slow, plain and obviously right.

Law: for every rule and message the plan says what the reference says. The functions here are written a second time
on purpose. Shared with the plan are definitions: how text folds, what derives from it, which scripts have no spaces.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Final

from cel_expr_python import cel
from google.protobuf.timestamp_pb2 import Timestamp

from comity.agreement.language import FUNCTIONS, VARIABLES, DeclaredFunction, Shape
from comity.engine import links
from comity.engine.fold import fold
from comity.engine.reading import Reading
from comity.engine.windows import Counted, Window
from comity.engine.words import is_unspaced
from comity.model.agreement import Agreement
from comity.model.ids import ClauseId
from comity.model.message import Message

Counts = Mapping[Window, int | float]


class Reference:
    """Judges by CEL's evaluator. Slow, and not safe to share between threads: for tests and doubts."""

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self._own = ""
        self._counts: Counts = {}
        environment = cel.NewEnv(
            variables={variable.name: _declared(variable.shape) for variable in VARIABLES.values()},
            functions=[self._declaration(function) for function in FUNCTIONS.values()],
        )
        self._rules = [
            (clause, environment.compile(clause.rule.source)) for clause in agreement.clauses if clause.rule is not None
        ]

    def breached(self, message: Message, counts: Counts) -> frozenset[ClauseId]:
        """The clauses that the message breaches. `ArithmeticError` if a rule fails, which no checked rule may.

        `ValueError` for a message with NUL characters: `cel_expr_python` 0.1 would cut its strings there.
        """
        values = _values(Reading(message, counts))
        if any("\0" in text for text in _texts(values)):
            raise ValueError("CEL's Python binding cuts strings at NUL, so it cannot judge this message")
        self._counts = counts
        applying = [(clause.id, rule) for clause, rule in self._rules if message.channel in clause.channels]
        return frozenset(own for own, rule in applying if self._holds(own, rule, values))

    def _holds(self, own: ClauseId, rule: cel.Expression, values: dict[str, object]) -> bool:
        self._own = own
        answer = rule.eval(data=values).value()
        if not isinstance(answer, bool):
            raise ArithmeticError(f"the rule of {own} came to {answer}")
        return answer

    def _declaration(self, function: DeclaredFunction) -> cel.FunctionDecl:
        overloads = [
            cel.Overload(
                overload.id,
                _declared(overload.result),
                [_declared(parameter.shape) for parameter in overload.parameters],
                is_member=function.is_receiver,
                impl=self._meaning(function.name),
            )
            for overload in function.overloads
        ]
        return cel.FunctionDecl(function.name, overloads)

    def _meaning(self, function: str) -> Callable[..., object]:
        match function:
            case "saysAny":
                return lambda text, lexicon: any(_says(text, phrase) for phrase in self._entries(lexicon))
            case "under":
                return lambda domains, lexicon: any(_is_under(d, p) for d in domains for p in self._entries(lexicon))
            case "anyIn":
                return lambda values, lexicon: any(value in self._entries(lexicon) for value in values)
            case name if name in set(Counted):
                return lambda *args: self._count(Counted(name), args)
            case name:
                return _MEANINGS[name]

    def _entries(self, lexicon: str) -> tuple[str, ...]:
        return self._agreement.lexicons[lexicon].entries

    def _count(self, counted: Counted, args: tuple[str | timedelta, ...]) -> int | float:
        *before, within = args
        assert isinstance(within, timedelta)
        key = str(before[0]) if before and counted not in (Counted.TEXT_COPIES, Counted.TEXT_COPIERS) else ""
        besides = self._own if counted is Counted.BREACHES and not key else ""
        return self._counts[Window(counted=counted, within=within, key=key, besides=besides)]


def _declared(shape: Shape) -> cel.Type:
    match shape:
        case Shape.STRINGS:
            return cel.Type.List(cel.Type.STRING)
        case Shape.META:
            return cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
        case _:
            return cel.Type(shape.value)


def _values(reading: Reading) -> dict[str, object]:
    """Every variable's value, in the types that CEL takes."""
    values: dict[str, object] = {}
    for name, variable in VARIABLES.items():
        value = getattr(reading, name.replace(".", "_"))
        values[name] = list(value) if variable.shape is Shape.STRINGS else value
    sent = Timestamp()  # a datetime would go through a double, and lose microseconds far from 1970
    sent.FromDatetime(reading.sent)
    return {**values, "meta": dict(reading.meta), "sent": sent}


def _texts(values: Mapping[str, object]) -> Iterator[str]:
    for value in values.values():
        match value:
            case str():
                yield value
            case list():
                yield from value
            case dict():
                yield from [*value.keys(), *value.values()]
            case _:
                continue


def _says(text: str, phrase: str) -> bool:
    """Whether the pieces of the phrase follow each other in the text as they do in the phrase."""
    folded, wanted = fold(text), fold(phrase).strip()
    have, want = list(_pieces(folded)), list(_pieces(wanted))
    if not want:
        return wanted != "" and wanted in folded
    has_star = wanted[-1] == "*" and _is_of_word(wanted[-2])
    return any(_stands_at(have[start : start + len(want)], want, has_star) for start in range(len(have)))


def _stands_at(have: list[tuple[str, bool]], want: list[tuple[str, bool]], has_star: bool) -> bool:  # noqa: FBT001
    if len(have) < len(want):
        return False
    for place, ((piece, is_apart), (wanted, wanted_apart)) in enumerate(zip(have, want, strict=True)):
        if place > 0 and is_apart != wanted_apart:
            return False
        is_begun = has_star and place == len(want) - 1 and not is_unspaced(wanted[0])
        if not (piece.startswith(wanted) and not is_unspaced(piece[0]) if is_begun else piece == wanted):
            return False
    return True


def _pieces(folded: str) -> Iterator[tuple[str, bool]]:
    """Words, and single characters of scripts without spaces; each with whether it is apart from the one before."""
    for kind, characters in groupby(folded, key=_kind):
        if kind == "word":
            yield "".join(characters), True
        elif kind == "unspaced":
            for number, character in enumerate(characters):
                yield character, number == 0


def _kind(character: str) -> str:
    if not _is_of_word(character):
        return "separator"
    return "unspaced" if is_unspaced(character) else "word"


def _is_of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in ("L", "M", "N")


def _capitals(text: str) -> float:
    letters = [character for character in text if unicodedata.category(character)[0] == "L"]
    capitals = [letter for letter in letters if unicodedata.category(letter) in ("Lu", "Lt")]
    return len(capitals) / len(letters) if letters else 0.0


def _repeats(text: str) -> int:
    return max((len(list(run)) for _, run in groupby(text)), default=0)


def _is_under(domain: str, parent: str) -> bool:
    """Both in the form in which domains are compared; what is no domain is under none."""
    lower, upper = links.domain(domain), links.domain(parent)
    return upper != "" and ("." + lower).endswith("." + upper)


def _speaks(tag: str, wanted: str) -> bool:
    have, want = (value.lower().replace("_", "-").split("-") for value in (tag, wanted))
    return have[: len(want)] == want


def _number(meta: Mapping[str, str], key: str) -> float:
    """The finite decimal number in ASCII that is written, alone; else 0.0."""
    written = meta.get(key, "").strip(" \t\n\r\f\v")
    if not written.isascii() or not set(written) <= set("0123456789+-.eE") or len(meta.get(key, "")) > 400:
        return 0.0
    try:
        value = float(written)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _share(part: float, whole: float) -> float:
    return 0.0 if whole == 0 else part / whole


_MEANINGS: Final[Mapping[str, Callable[..., object]]] = {
    "says": _says,
    "capitals": _capitals,
    "repeats": _repeats,
    "speaks": _speaks,
    "get": lambda meta, key: meta.get(key, ""),
    "number": _number,
    "share": _share,
    "seconds": lambda count: timedelta(seconds=count),
    "minutes": lambda count: timedelta(minutes=count),
    "hours": lambda count: timedelta(hours=count),
    "days": lambda count: timedelta(days=count),
}
