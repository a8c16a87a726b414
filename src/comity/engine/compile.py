"""Checked expressions to Python source: the text of one node, its price, and what several rules can share.

The code reads a `Reading` called `f`. Every checked expression is pure and total, so operands of `&&` and `||` are
put in order of price. A sub-expression is known by its code: equal code is equal value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

from comity.engine.frames import frame_of, macro_frame
from comity.engine.windows import UNITS, Window, is_history, window_of
from comity.model import expression as nodes
from comity.model.expression import Call, Comprehension, Expression, ListOf, Type, Variable
from comity.model.ids import ClauseId

DEAR: Final = 4.0
"""The price from which code that occurs twice is worth sharing."""

DEAR_IN_LOOPS: Final = 1.3
"""The same of code in a loop that does not depend on it, so that it runs once and not in each turn."""

FIELDS: Final = ("text", "subject", "unquoted")
"""What is sieved once for all searches of all rules (see `sieve`)."""

_SCANNED: Final = frozenset(f"f.{field}" for field in FIELDS)
_SIFTED: Final = 1.5  # the price of a search that the sieve has mostly answered
_PRICES: Final = {"author.age": 6.0, "links": 12.0, "domains": 14.0, "mentions": 6.0, "hashtags": 6.0, "unquoted": 8.0}
_CHAINS: Final = {"_&&_": " and ", "_||_": " or "}
_NAMED: Final = (Type.DURATION, Type.TIMESTAMP, Type.BYTES)
_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Python for one expression. `plain` shares nothing and is its name; `text` is what runs."""

    plain: str
    text: str
    price: float  # the first time, features included
    again: float  # once the features are there
    free: frozenset[str] = _NOTHING  # the variables of enclosing comprehensions that it reads
    bit: int = 0  # of a search: without this bit among a reading's `hits` it finds nothing


SearchKind = Literal["pattern", "phrases", "domains", "sign", "capitals"]


class Search(NamedTuple):
    """What a sieve looks for in a field: a pattern, phrases (their source), a lexicon of domains, a sign, a share."""

    field: str
    kind: SearchKind
    what: str


SURE: Final = 1
"""Beside the bit of phrases, shifted by this: they are found, and need not be searched for again."""


@dataclass(slots=True)
class Compiler:
    """Turns rules into code and keeps what the code refers to. `shared` holds the plain code of what is shared."""

    shared: frozenset[str] = _NOTHING
    variables: Mapping[str, str] = field(default_factory=dict)  # where they stand; by default in the reading `f`
    counts: str = "f.counts[{}]"  # where a window's count stands, by the window's name
    count_price: float = 2.0
    constants: dict[str, str] = field(default_factory=dict)  # source -> name
    groups: dict[str, dict[str, int]] = field(default_factory=dict)  # scanned variable -> phrases' source -> number
    bits: dict[Search, int] = field(default_factory=dict)
    least_shares: dict[str, float] = field(default_factory=dict)  # by field
    parts: dict[str, tuple[str, str]] = field(default_factory=dict)  # plain code -> name, code
    seen: Counter[str] = field(default_factory=Counter)  # plain code worth sharing -> how often it occurs
    loops: int = 0  # around what is being compiled

    def code(self, expression: Expression, own: ClauseId) -> Code:
        """The code of `expression` in the rule of the clause `own`."""
        made = self._code(expression, own)
        if made.free or isinstance(expression, Variable):
            return made
        if made.again >= (DEAR_IN_LOOPS if self.loops else DEAR):
            self.seen[made.plain] += 2 if self.loops else 1
        made = self._part(made) if made.plain in self.shared else made
        return _sifted(made) if made.bit else made

    def _part(self, made: Code) -> Code:
        name, _ = self.parts.setdefault(made.plain, (f"part{len(self.parts)}", made.text))
        return replace(made, text=f"f.{name}")

    def bit(self, field: str, kind: SearchKind, what: str) -> int:
        """The bit of a search among a reading's `hits`. The one above it stands for a sure find of phrases."""
        return self.bits.setdefault(Search(field, kind, what), 1 << 2 * len(self.bits))

    def capitals_bit(self, field: str, share: float) -> int:
        """The bit of a share of capitals that is above the least of those that rules ask about."""
        self.least_shares[field] = min(share, self.least_shares.get(field, share))
        return self.bit(field, "capitals", "")

    def constant(self, source: str) -> str:
        """The name of the module-level value that `source` makes."""
        return self.constants.setdefault(source, f"K{len(self.constants)}")

    def window(self, window: Window) -> str:
        """The name of a window."""
        return self.constant(_window_source(window))

    def _code(self, expression: Expression, own: ClauseId) -> Code:
        match expression:
            case nodes.Literal(type=kind, value=value):
                return leaf(self.constant(repr(value)) if kind in _NAMED else _number_or_text(value), price=0.2)
            case Variable(name=name, bound=True):
                return Code(plain=f"x_{name}", text=f"x_{name}", price=0.2, again=0.2, free=frozenset({name}))
            case Variable(name=name):
                return leaf(
                    self.variables.get(name, f"f.{name.replace('.', '_')}"), price=_PRICES.get(name, 1.0), again=0.2
                )
            case ListOf(items=items):
                return filled("(" + "{}, " * len(items) + ")", [self.code(item, own) for item in items])
            case Comprehension():
                return self._comprehension(expression, own)
            case Call():
                return self._call(expression, own)

    def _comprehension(self, made: Comprehension, own: ClauseId) -> Code:
        over = self.code(made.over, own)
        self.loops += 1
        inner = [self.code(part, own) for part in (made.body, made.where) if part is not None]
        self.loops -= 1
        free = over.free.union(*(part.free - {made.variable} for part in inner))
        return filled(macro_frame(made), [over, *inner], price=10 + 3 * sum(part.price for part in inner), free=free)

    def _call(self, call: Call, own: ClauseId) -> Code:
        function = call.function
        if function in _CHAINS:
            operands = sorted((self.code(a, own) for a in chain(call, function)), key=lambda code: code.price)
            return filled("(" + _CHAINS[function].join(["{}"] * len(operands)) + ")", operands)
        if is_history(function):
            return leaf(self.counts.format(self.window(window_of(call, own))), price=self.count_price)
        match call:
            case Call(function="says" | "saysAny" | "matches", args=(receiver, wanted)):
                return self._search(function, receiver, text_of(wanted), own)
            case Call(function="under" | "anyIn", args=(receiver, wanted)):
                return self._lookup(function, self.code(receiver, own), text_of(wanted))
            case Call(args=(nodes.Literal(value=int() as count),)) if function in UNITS:
                return leaf(self.constant(repr(count * UNITS[function])), price=0.2)
        frame, price = frame_of(call)
        return filled(frame, [self.code(argument, own) for argument in call.args], price=price)

    def _search(self, function: str, receiver: Expression, wanted: str, own: ClauseId) -> Code:
        value = self.code(receiver, own)
        scanned = value.plain.removeprefix("f.") if value.plain in _SCANNED else ""
        if function == "matches":
            source = f"f.{scanned}_bytes" if scanned else "{}.encode()"
            frame = f"({self.constant(f'regex({wanted!r})')}({source}) is not None)"
            if not scanned:
                return filled(frame, [value], price=30)
            made = leaf(frame, price=25.0 + value.price, again=25.0)
            return replace(made, bit=self.bit(scanned, "pattern", wanted))
        phrases = phrases_source(function, wanted)
        if scanned:
            numbers = self.groups.setdefault(scanned, {})
            number = numbers.setdefault(phrases, len(numbers))
            bit = self.bit(scanned, "phrases", phrases)
            found = f"(f.hits & {bit << SURE} != 0 or {number} in f.said_in_{scanned})"
            made = leaf(found, price=20.0 + value.price, again=1.0)
            return replace(made, bit=bit)
        return filled(f"says({{0}}, {self.constant(phrases)})", [value], price=60)

    def _lookup(self, function: str, value: Code, lexicon: str) -> Code:
        if function == "under":
            parents = self.constant(f"parent_domains(lexicons[{lexicon!r}])")
            return filled(f"any_under({{0}}, {parents})", [value], price=5)
        entries = self.constant(f"frozenset(lexicons[{lexicon!r}])")
        return filled(f"(not {entries}.isdisjoint({{0}}))", [value], price=3)


def _sifted(made: Code) -> Code:
    """The exact search, only where the sieve let it through."""
    text = f"(f.hits & {made.bit} != 0 and {made.text})"
    return replace(made, text=text, price=_SIFTED + made.again / 100, again=_SIFTED)


def leaf(text: str, *, price: float, again: float | None = None) -> Code:
    return Code(plain=text, text=text, price=price, again=price if again is None else again)


def filled(frame: str, parts: Sequence[Code], *, price: float = 0.5, free: frozenset[str] | None = None) -> Code:
    """The frame with the code of its parts."""
    return Code(
        plain=frame.format(*(part.plain for part in parts)),
        text=frame.format(*(part.text for part in parts)),
        price=price + sum(part.price for part in parts),
        again=price + sum(part.again for part in parts),
        free=_NOTHING.union(*(part.free for part in parts)) if free is None else free,
    )


def chain(call: Call, function: str) -> Iterator[Expression]:
    """The operands of a chain of one and the same `&&` or `||`."""
    for argument in call.args:
        if isinstance(argument, Call) and argument.function == function:
            yield from chain(argument, function)
        else:
            yield argument


def phrases_source(function: str, wanted: str) -> str:
    """The code for what `says` or `saysAny` looks for."""
    return f"phrases([{wanted!r}])" if function == "says" else f"phrases(lexicons[{wanted!r}])"


def text_of(expression: Expression) -> str:
    """A literal string: the checker lets no other phrase, pattern or lexicon's name pass."""
    if isinstance(expression, nodes.Literal) and isinstance(expression.value, str):
        return expression.value
    raise TypeError(f"not a literal string at {expression.at}")


def _number_or_text(value: object) -> str:
    return f"float({str(value)!r})" if value in (float("inf"), float("-inf")) or value != value else repr(value)


def _window_source(window: Window) -> str:
    return f"window(Counted({window.counted.value!r}), {window.within!r}, {window.key!r}, {window.besides!r})"
