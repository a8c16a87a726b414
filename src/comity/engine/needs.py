"""What must have been found in a message before a rule can hold of it: why most rules need not be asked at all.

A need is a set of searches, as bits of a reading's `hits`: if the rule is true, one of them found something. A guard
is a quick test, of bits and of what can be read off the message at once, that holds wherever the rule does.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from comity.engine.compile import FIELDS, SURE, Compiler, Search, chain, phrases_source, text_of
from comity.engine.sieve import LINK_SIGNS
from comity.model.expression import Call, Comprehension, Expression, Literal, Macro, Variable, walk
from comity.model.ids import ClauseId

SIGNS: Final = {
    "links": LINK_SIGNS,
    "domains": LINK_SIGNS,
    "mentions": ("@",),
    "hashtags": ("#", "＃"),
}
"""What a text holds if it has a link, a mention or a hashtag."""

OF_LINKS: Final = ("links", "domains")
"""Of these a search is sure of `www.`, which takes long to count."""

DIRECT: Final = {
    **{name: f"m.{name}" for name in ("text", "subject", "channel", "sent", "language", "is_reply", "edit_of", "meta")},
    **{name: f"tuple(m.{name})" for name in ("to", "hashes", "attachments")},
    "author.roles": "tuple(m.author_roles)",
    "author.labels": "tuple(m.author_labels)",
    "reach": "reach_of(m)",
}
"""Variables and where they stand in a message `m`."""

_DEAREST: Final = 15.0
_SEARCHES: Final = frozenset({"says", "saysAny", "matches"})
_AT_LEAST: Final = {"_>_": 0, "_>=_": 1, "_==_": 1, "_!=_": 0}
_MIRRORED: Final = {"_<_": "_>_", "_<=_": "_>=_", "_==_": "_==_", "_!=_": "_!=_"}


def need_of(expression: Expression, compiler: Compiler) -> int:
    """The searches of which one has found something if the expression is true; 0 if nothing need be found."""
    match expression:
        case Call(function="_&&_"):
            needs = [need for operand in chain(expression, "_&&_") if (need := need_of(operand, compiler))]
            return min(needs, key=lambda need: (_is_sign(need, compiler), need.bit_count()), default=0)
        case Call(function="_||_"):
            needs = [need_of(operand, compiler) for operand in chain(expression, "_||_")]
            return _union(needs) if all(needs) else 0
        case Call(function=function, args=(Variable(name=name, bound=False), wanted)) if (
            function in _SEARCHES and name in FIELDS
        ):
            return _search(function, name, text_of(wanted), compiler)
        case Call(function="under", args=(Variable(name="domains", bound=False), lexicon)):
            return compiler.bit("text", "domains", text_of(lexicon))
        case Call(function="under" | "anyIn", args=(receiver, _)):
            return _entries(receiver, compiler)
        case Comprehension(macro=Macro.EXISTS | Macro.EXISTS_ONE, over=over):
            return _entries(over, compiler)
        case Call(function="@in", args=(_, receiver)):
            return _entries(receiver, compiler)
        case Call(
            function="_>_" | "_>=_",
            args=(Call(function="capitals", args=(Variable(name=name, bound=False),)), Literal(value=share)),
        ) if name in FIELDS and isinstance(share, float) and 0 <= share <= 1:
            return compiler.capitals_bit(name, share)
        case Call(function=function, args=(left, right)) if function in _AT_LEAST or function in _MIRRORED:
            return _size(function, left, right, compiler) or _size(_MIRRORED.get(function, ""), right, left, compiler)
        case _:
            return 0


def _search(function: str, field: str, wanted: str, compiler: Compiler) -> int:
    if function == "matches":
        return compiler.bit(field, "pattern", wanted)
    return compiler.bit(field, "phrases", phrases_source(function, wanted))


def _size(function: str, sized: Expression, limit: Expression, compiler: Compiler) -> int:
    """Of `LIST.size() > 3` and the like, where only a list with entries has such a size."""
    match sized, limit:
        case Call(function="size", args=(receiver,)), Literal(value=int() as number) if function in _AT_LEAST:
            is_some = number == 0 if function == "_!=_" else number >= _AT_LEAST[function]
            return _entries(receiver, compiler) if is_some else 0
        case _:
            return 0


def _entries(receiver: Expression, compiler: Compiler) -> int:
    """The sign of a list with entries."""
    match receiver:
        case Variable(name=name, bound=False) if name in SIGNS:
            return compiler.bit("text", "sign", name)
        case Comprehension(macro=Macro.FILTER | Macro.MAP, over=over):
            return _entries(over, compiler)
        case _:
            return 0


def _is_sign(need: int, compiler: Compiler) -> bool:
    return any(need & compiler.bits.get(Search("text", "sign", name), 0) for name in SIGNS)


def _union(needs: list[int]) -> int:
    bits = 0
    for need in needs:
        bits |= need
    return bits


class Guard(NamedTuple):
    """Code over a message `m`, `counts` and `hits`, and what of `COSTLY` it reads. Without code it is no guard.

    `sure` is code that holds only where the expression does. Where it is the guard itself there is no more to ask.
    """

    code: str
    price: float
    reads: frozenset[str] = frozenset()
    sure: str = ""

    @property
    def is_exact(self) -> bool:
        return bool(self.code) and self.sure == self.code


COSTLY: Final = frozenset({*SIGNS, "author.age"})
"""What is worth computing once for many guards."""

_NO_GUARD: Final = Guard("", 0)


def costly(name: str, compiler: Compiler) -> str:
    """How one of `COSTLY` is computed."""
    if name == "author.age":
        return "age_of(m)"
    if name not in OF_LINKS:
        return f"most_{name}(m)"
    return f"most_{name}(m, hits & {compiler.bits.get(Search('text', 'sign', name), 0) << SURE})"


def local(name: str) -> str:
    """The variable that holds one of `COSTLY`."""
    return f"{name.replace('.', '_')}_of_m"


def guard_of(expression: Expression, own: ClauseId, direct: Compiler, compiler: Compiler) -> Guard:
    """What holds wherever the expression does, as far as it is quick to find out.

    `direct` says where variables stand: its `author.age` decides whether `COSTLY` is in variables or computed in place.
    """
    match expression:
        case Call(function="_&&_"):
            guards = [guard_of(operand, own, direct, compiler) for operand in chain(expression, "_&&_")]
            joined = _joined(" and ", [guard for guard in guards if guard.code])
            return joined if all(guard.sure for guard in guards) else joined._replace(sure="")
        case Call(function="_||_"):
            guards = [guard_of(operand, own, direct, compiler) for operand in chain(expression, "_||_")]
            return _joined(" or ", guards) if all(guard.code for guard in guards) else _NO_GUARD
        case Call(
            function="_>_" | "_>=_" as sign,
            args=(Call(function="size", args=(Variable(name=name, bound=False),)), Literal(value=int() as size)),
        ) if name in SIGNS and (need := need_of(expression, compiler)):
            code = f"(hits & {need} and {direct.variables[name]} {sign.strip('_')} {size})"
            return Guard(code, 0.7, frozenset({name}))
    if need := need_of(expression, compiler):
        return Guard(f"hits & {need}", 0.5, sure=f"hits & {need << SURE}" if _is_of_phrases(expression) else "")
    if not _is_direct(expression):
        return _NO_GUARD
    made = direct.code(expression, own)
    reads = frozenset({part.name for part in walk(expression) if isinstance(part, Variable)} & COSTLY)
    return Guard(made.text, made.price, reads, made.text) if made.price < _DEAREST else _NO_GUARD


def _is_of_phrases(expression: Expression) -> bool:
    """Whether it holds wherever the search that it needs is sure of a phrase."""
    return isinstance(expression, Call) and expression.function in ("says", "saysAny")


def _joined(sign: str, guards: list[Guard]) -> Guard:
    """Cheap ones first."""
    ordered = list(dict.fromkeys(sorted(guards, key=lambda guard: guard.price)))
    if len(ordered) < 2:
        return ordered[0] if ordered else _NO_GUARD
    sure = [guard.sure for guard in ordered if guard.sure]
    return Guard(
        f"({sign.join(guard.code for guard in ordered)})",
        sum(guard.price for guard in ordered),
        frozenset().union(*(guard.reads for guard in ordered)),
        f"({sign.join(sure)})" if sure else "",
    )


def _is_direct(expression: Expression) -> bool:
    return all(map(_is_read_at_once, walk(expression)))


def _is_read_at_once(part: Expression) -> bool:
    match part:
        case Variable(name=name):
            return name in DIRECT or name == "author.age"
        case Call(function=function):
            return function not in _SEARCHES
        case Comprehension():
            return False
        case _:
            return True
