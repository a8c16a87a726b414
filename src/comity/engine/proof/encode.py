"""A checked rule as a truth of the solver's. What is not followed becomes an unknown, the same for the same expression.

So what is proved here holds for the rule, and what is found here is a candidate that the engine must confirm.
"""

from __future__ import annotations

from typing import Final

import z3

from comity.engine.proof import lists, numbers, traits
from comity.engine.proof.lists import IS, EitherList, Filtered, Joined, Listed, Mapped, Spelled
from comity.engine.proof.symbols import Symbols, key_of
from comity.engine.proof.values import (
    Bound,
    Constant,
    Double,
    Either,
    Entries,
    Subject,
    Test,
    Text,
    Trait,
    Value,
    Version,
)
from comity.engine.windows import is_history, window_of
from comity.model.expression import Call, Comprehension, Expression, ListOf, Literal, Macro, Type, Variable

_ORDER: Final = ("_<_", "_<=_", "_>_", "_>=_")
_COMPARED: Final = (*_ORDER, "_==_", "_!=_")
_WHOLE: Final = (Type.INT, Type.UINT, Type.DURATION, Type.TIMESTAMP)
_NAMED: Final = ("saysAny", "under", "anyIn")


class Encoder:
    """Reads the rules of one clause, in both of its versions, over the same unknowns."""

    def __init__(self, symbols: Symbols, known_lists: dict[str, Listed], version: Version) -> None:
        self._symbols = symbols
        self._lists = known_lists
        self._version = version

    def truth(self, expression: Expression, bound: Bound) -> z3.BoolRef:
        """What a boolean expression comes to."""
        match expression:
            case Literal(value=bool() as value):
                return self._symbols.true(value)
            case Variable(bound=True, name=name) if isinstance(known := bound.get(name), z3.BoolRef):
                return known
            case Variable(name=name, bound=False):
                return self._symbols.truth(name)
            case Comprehension():
                return self._quantified(expression, bound)
            case Call():
                return self._called(expression, bound)
            case _:
                return self._symbols.truth(self.name(expression, bound))

    def number(self, expression: Expression, bound: Bound) -> z3.ArithRef:
        if isinstance(expression, Variable) and expression.bound:
            known = bound.get(expression.name)
            return known if isinstance(known, z3.ArithRef) else self._symbols.number(self.name(expression, bound))
        return numbers.whole(self, self._symbols, self._version.own, expression, bound)

    def double(self, expression: Expression, bound: Bound) -> Double:
        if isinstance(expression, Variable) and isinstance(known := bound.get(expression.name), Double):
            return known
        return numbers.double(self, self._symbols, self._version.own, expression, bound)

    def text(self, expression: Expression, bound: Bound) -> Text:
        match expression:
            case Literal(value=str() as text):
                return Constant(text=text)
            case Variable(bound=True, name=name):
                known = bound.get(name)
                if isinstance(known, Constant | Subject | Either):
                    return known
                return self._symbols.subject(self.name(expression, bound))
            case Variable(name=name):
                return self._symbols.subject(name)
            case Call(function="get", args=(_, Literal(value=str() as key))):
                return self._symbols.subject(f"meta.{key}")
            case Call(function="_?_:_", args=(when, then, other)):
                return Either(when=self.truth(when, bound), then=self.text(then, bound), other=self.text(other, bound))
            case _:
                return self._symbols.subject(self.name(expression, bound))

    def value(self, expression: Expression, bound: Bound) -> Value | None:
        """What an expression comes to; None for types that are not followed."""
        match expression.type:
            case Type.BOOL:
                return self.truth(expression, bound)
            case Type.DOUBLE:
                return self.double(expression, bound)
            case Type.STRING:
                return self.text(expression, bound)
            case kind if kind in _WHOLE:
                return self.number(expression, bound)
            case _:
                return None

    def entries(self, expression: Expression, bound: Bound) -> Entries | None:
        """A list; None for one that is not followed."""
        match expression:
            case Variable(bound=False, name=name, type=Type.LIST):
                return self._lists.setdefault(name, Listed(symbols=self._symbols, key=name))
            case ListOf(items=items):
                values = [value for item in items if (value := self.value(item, bound)) is not None]
                return Spelled(symbols=self._symbols, items=values) if len(values) == len(items) else None
            case Call(function="_+_", args=(first, last)):
                one, other = self.entries(first, bound), self.entries(last, bound)
                return None if one is None or other is None else Joined(symbols=self._symbols, first=one, last=other)
            case Call(function="_?_:_", args=(when, then, otherwise)):
                one, other = self.entries(then, bound), self.entries(otherwise, bound)
                truth = self.truth(when, bound)
                return None if one is None or other is None else EitherList(when=truth, then=one, other=other)
            case Comprehension(macro=Macro.FILTER | Macro.MAP):
                return self._made(expression, bound)
            case _:
                return None

    def name(self, expression: Expression, bound: Bound) -> str:
        """Names an expression by what it is: equal names come to equal values in both versions."""
        match expression:
            case Literal(value=value, type=kind):
                return f"{kind}:{value!r}"
            case Variable(name=name, bound=True):
                return key_of(bound[name]) if name in bound else f"${name}"
            case Variable(name=name):
                return name
            case Call() if is_history(expression.function):
                return repr(window_of(expression, self._version.own))
            case Call(function=function, overload=overload, args=args):
                named = [
                    self._lexicon(arg) if function in _NAMED and n else self.name(arg, bound)
                    for n, arg in enumerate(args)
                ]
                return f"{function} {overload}({', '.join(named)})"
            case ListOf(items=items):
                return f"[{', '.join(self.name(item, bound) for item in items)}]"
            case Comprehension(macro=macro, over=over, variable=variable, body=body, where=where):
                inner = {name: value for name, value in bound.items() if name != variable}
                tested = "" if where is None else self.name(where, inner)
                return f"{self.name(over, bound)}.{macro}(${variable}, {tested}, {self.name(body, inner)})"

    def _lexicon(self, argument: Expression) -> str:
        assert isinstance(argument, Literal)
        return self._symbols.lexicon(self._version.lexicons[str(argument.value)])

    def _called(self, call: Call, bound: Bound) -> z3.BoolRef:
        match call:
            case Call(function="_&&_"):
                return self._symbols.all(self.truth(arg, bound) for arg in call.args)
            case Call(function="_||_"):
                return self._symbols.any(self.truth(arg, bound) for arg in call.args)
            case Call(function="!_", args=(arg,)):
                return z3.Not(self.truth(arg, bound))
            case Call(function="_?_:_", args=(when, then, other)):
                return z3.If(self.truth(when, bound), self.truth(then, bound), self.truth(other, bound))
            case Call(function="@in", args=(wanted, over)):
                return self._contained(call, wanted, over, bound)
            case Call(function=function) if function in _COMPARED:
                return self._comparison(call, bound)
            case Call(function="under" | "anyIn", args=(over, _)):
                found, trait = self.entries(over, bound), self._looked_up(call)
                if found is not None:
                    return found.exists(trait.name, lambda entry: self._has(entry, trait))
            case Call(args=(text, Literal(value=str() as wanted))) if text.type is Type.STRING:
                asked = self._looked_up(call) if call.function == "saysAny" else _asked(call.function, wanted)
                if asked is not None:
                    return self._symbols.trait(self.text(text, bound), asked)
        return self._symbols.truth(self.name(call, bound))

    def _has(self, value: Value, trait: Trait) -> z3.BoolRef:
        """Whether a text has the trait; an unknown for what is no text."""
        if isinstance(value, z3.ExprRef | Double):
            return self._symbols.truth(f"{key_of(value)} {trait.name}")
        return self._symbols.trait(value, trait)

    def _looked_up(self, call: Call) -> Trait:
        argument = call.args[1]
        assert isinstance(argument, Literal)
        entries = self._version.lexicons[str(argument.value)]
        made = {"saysAny": traits.says, "under": traits.under, "anyIn": traits.one_of}[call.function]
        return made(f"{call.function} {self._symbols.lexicon(entries)}", entries)

    def _contained(self, call: Call, wanted: Expression, over: Expression, bound: Bound) -> z3.BoolRef:
        """`in`: of a list, or a key of `meta`."""
        if over.type is Type.MAP and isinstance(wanted, Literal):
            return self._has_key(str(wanted.value))
        found, value = self.entries(over, bound), self.value(wanted, bound)
        if found is None or value is None:
            return self._symbols.truth(self.name(call, bound))
        name = f"{IS}{value.text!r}" if isinstance(value, Constant) else f"equals {key_of(value)}"
        return found.exists(name, lambda entry: self._same(entry, value))

    def _has_key(self, key: str) -> z3.BoolRef:
        has = self._symbols.truth(f"{key!r} in meta")
        is_empty = self._symbols.trait(self._symbols.subject(f"meta.{key}"), traits.equality(""))
        self._symbols.facts.append(z3.Or(has, is_empty))
        return has

    def _comparison(self, call: Call, bound: Bound) -> z3.BoolRef:
        left, right = call.args
        kinds = {left.type, right.type}
        if Type.DOUBLE in kinds and kinds <= {Type.DOUBLE, Type.INT, Type.UINT}:
            return numbers.compared_doubles(
                self._symbols, call.function, self._as_double(left, bound), self._as_double(right, bound)
            )
        if kinds <= set(_WHOLE):
            return numbers.compared(call.function, self.number(left, bound), self.number(right, bound))
        if kinds == {Type.STRING}:
            return self._texts_compared(call.function, self.text(left, bound), self.text(right, bound))
        if kinds == {Type.BOOL} and call.function in ("_==_", "_!=_"):
            are_equal = self.truth(left, bound) == self.truth(right, bound)
            return are_equal if call.function == "_==_" else z3.Not(are_equal)
        if call.function == "_!=_":  # so that `a != b` is known to be the contrary of `a == b`
            return z3.Not(self._symbols.truth(f"{self.name(left, bound)} == {self.name(right, bound)}"))
        if call.function == "_==_":
            return self._symbols.truth(f"{self.name(left, bound)} == {self.name(right, bound)}")
        return self._symbols.truth(self.name(call, bound))

    def _as_double(self, expression: Expression, bound: Bound) -> Double:
        if expression.type is Type.DOUBLE:
            return self.double(expression, bound)
        value = z3.ToReal(self.number(expression, bound))
        return Double(value=value, undefined=self._symbols.true(False), is_finite=True)

    def _texts_compared(self, function: str, left: Text, right: Text) -> z3.BoolRef:
        match function:
            case "_==_":
                return self._same(left, right)
            case "_!=_":
                return z3.Not(self._same(left, right))
            case "_<_":
                return self._comes_before(left, right)
            case "_>_":
                return self._comes_before(right, left)
            case "_>=_":
                return z3.Not(self._comes_before(left, right))
            case _:
                return z3.Not(self._comes_before(right, left))

    def _same(self, left: Value, right: Value) -> z3.BoolRef:
        match left, right:
            case Constant(text=text), other if not isinstance(other, z3.ExprRef | Double):
                return self._symbols.trait(other, traits.equality(text))
            case other, Constant(text=text) if not isinstance(other, z3.ExprRef | Double):
                return self._symbols.trait(other, traits.equality(text))
            case Double(), Double():
                return numbers.compared_doubles(self._symbols, "_==_", left, right)
            case (z3.ExprRef(), z3.ExprRef()) if left.sort() == right.sort():
                return left == right
        if left is right:
            return self._symbols.true(True)
        first, last = sorted((key_of(left), key_of(right)))
        return self._symbols.truth(f"{first} == {last}")

    def _comes_before(self, left: Text, right: Text) -> z3.BoolRef:
        if isinstance(right, Constant):
            return self._symbols.trait(left, traits.before(right.text))
        if isinstance(left, Constant):  # not equal, and not before
            same = self._symbols.trait(right, traits.equality(left.text))
            return z3.Not(z3.Or(same, self._symbols.trait(right, traits.before(left.text))))
        return self._symbols.truth(f"{left.key} < {right.key}")

    def _test(self, made: Comprehension, tested: Expression, bound: Bound) -> Test:
        return lambda entry: self.truth(tested, {**bound, made.variable: entry})

    def _quantified(self, made: Comprehension, bound: Bound) -> z3.BoolRef:
        """`all` is that no entry fails; `exists_one` is known to be `exists`, and the same of one entry."""
        over = self.entries(made.over, bound)
        if over is None:
            return self._symbols.truth(self.name(made, bound))
        name, test = self._tested(made, made.body, bound), self._test(made, made.body, bound)
        match made.macro:
            case Macro.EXISTS:
                return over.exists(name, test)
            case Macro.ALL:
                return z3.Not(over.exists(f"not {name}", lambda entry: z3.Not(test(entry))))
            case _:
                only, some = self._symbols.truth(self.name(made, bound)), over.exists(name, test)
                self._symbols.facts += [z3.Implies(only, some), z3.Implies(z3.And(some, over.size == 1), only)]
                return only

    def _tested(self, made: Comprehension, tested: Expression, bound: Bound) -> str:
        """Names a test, whatever its variable is called."""
        return self.name(tested, {**bound, made.variable: Constant(text="entry")})

    def _made(self, made: Comprehension, bound: Bound) -> Entries | None:
        over = self.entries(made.over, bound)
        tested = made.where if made.macro is Macro.MAP else made.body
        if over is not None and tested is not None:
            key = f"{self.name(made.over, bound)} where {self._tested(made, tested, bound)}"
            over = Filtered(symbols=self._symbols, over=over, key=key, passes=self._test(made, tested, bound))
        if over is None or made.macro is Macro.FILTER:
            return over
        if made.body.type not in (*_WHOLE, Type.BOOL, Type.DOUBLE, Type.STRING):
            return None
        return Mapped(
            over=over, key=self._tested(made, made.body, bound), made=lambda entry: self._made_of(made, bound, entry)
        )

    def _made_of(self, made: Comprehension, bound: Bound, entry: Value) -> Value:
        value = self.value(made.body, {**bound, made.variable: entry})
        assert value is not None
        return value


def _asked(function: str, wanted: str) -> Trait | None:
    """The trait that a call with a literal asks of its receiver."""
    match function:
        case "contains":
            return traits.contains(wanted)
        case "startsWith":
            return traits.begins(wanted)
        case "endsWith":
            return traits.ends(wanted)
        case "matches":
            return traits.matches(wanted)
        case "speaks":
            return traits.speaks(wanted)
        case "says":
            return traits.says(f"says {wanted}", (wanted,))
        case _:
            return None


def closed(symbols: Symbols, known_lists: dict[str, Listed]) -> None:
    """Adds what is known between all that was read."""
    lists.close(symbols, known_lists)
    symbols.close()
