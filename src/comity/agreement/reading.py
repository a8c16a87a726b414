"""CEL's syntax tree -> a rule's expression, with whole spans, folded constants and macros as they were written.

What the language has no room for (unknown names, fields, indexes, map literals, `dyn`, conversions) is reported here.
The rest of the proof, which needs an expression to look at, is in `arguments`, `ranges` and `cost`.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message

from comity.agreement import cel, constants, refusals
from comity.agreement.dotted import dotted_name, first_name, has_known_root
from comity.agreement.language import FUNCTIONS, LENGTHS, VARIABLES
from comity.agreement.rule_problem import RuleProblem
from comity.agreement.standard import CONVERSIONS, MACROS
from comity.agreement.tokens import Tokens
from comity.model.expression import (
    Call,
    Comprehension,
    Expression,
    ListOf,
    Literal,
    Macro,
    Span,
    Type,
    Variable,
)

_INFIX: Final = frozenset(
    {"_&&_", "_||_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "_/_", "_%_", "@in", "_?_:_"}
)
_PREFIX: Final = frozenset({"!_", "-_"})
_HIDDEN: Final = frozenset(
    {name.split(".")[0] for name in VARIABLES} | refusals.NAMESPACES | CONVERSIONS | refusals.TYPE_NAMES
)
"""Names that a macro's variable may not take."""


class Reader:
    """Reads one rule's tree. `problems` and `places` grow while it reads."""

    def __init__(self, source: str, parsed: cel.Parsed, typing: cel.Typing) -> None:
        self.problems: list[RuleProblem] = []
        self.places: dict[int, Span] = {}  # CEL's position of a node -> its widest span
        self._source = source
        self._tokens = Tokens(source)
        self._positions = parsed.positions
        self._typing = typing
        self._bound: list[str] = []

    def read(self, node: Message) -> Expression:
        """The expression of `node`. Where a problem was reported, a stand-in of the same span."""
        match node.WhichOneof("expr_kind"):
            case "const_expr":
                expression = self._constant(node)
            case "ident_expr":
                expression = self._name(node)
            case "select_expr":
                expression = self._field(node)
            case "call_expr":
                expression = self._call(node)
            case "list_expr":
                expression = self._list(node)
            case "struct_expr":
                expression = self._struct(node)
            case _:
                expression = self._macro(node)
        position = self._at(node)
        known = self.places.get(position)
        if known is None or _length(expression.at) > _length(known):
            self.places[position] = expression.at
        self._check_type(node, expression)
        return expression

    def _constant(self, node: Message) -> Expression:
        at = self._tokens.span_at(self._at(node))
        following = self._tokens.after(at.start)
        if self._text(at) == "-" and following is not None:
            at = Span(start=at.start, end=following.at.end)
        return self._settled(constants.written(node.const_expr, at, self._text(at)))

    def _name(self, node: Message) -> Expression:
        written = node.ident_expr.name
        name = written.lstrip(".")  # `.text` is the variable, whatever a loop calls `text`
        at = self._tokens.span_at(self._at(node))
        if written in self._bound:
            return Variable(name=name, type=self._type(node), at=at, bound=True)
        if name in VARIABLES:
            return Variable(name=name, type=VARIABLES[name].shape.type, at=at)
        return self._refuse(refusals.unknown_variable(at, name, filter(None, self._bound)))

    def _field(self, node: Message) -> Expression:
        if node.select_expr.test_only:
            return self._has(node)
        end = self._tokens.after(self._at(node))
        assert end is not None
        name = self._dotted_name(node)
        if name in VARIABLES:
            return Variable(name=name, type=VARIABLES[name].shape.type, at=self._chain(node))
        if name is not None and not has_known_root(name):
            return self._refuse(refusals.unknown_variable(self._chain(node), name))
        operand = self.read(node.select_expr.operand)
        at = self._tokens.cover(operand.at.start, end.at.end)
        return self._refuse(refusals.field(at, operand, node.select_expr.field))

    def _has(self, node: Message) -> Expression:
        position = self._at(node)
        operand = self.read(node.select_expr.operand)
        name = self._tokens.before(position)
        at = Span(start=name.at.start if name else position, end=self._tokens.closing(position))
        return self._refuse(refusals.has(at, operand, node.select_expr.field))

    def _call(self, node: Message) -> Expression:
        call = node.call_expr
        if call.HasField("target"):
            return self._member(node)
        if call.function in _INFIX or call.function in _PREFIX:
            return self._operator(node)
        if call.function == "_[_]":
            return self._index(node)
        return self._function(node)

    def _operator(self, node: Message) -> Expression:
        args = tuple(self.read(arg) for arg in node.call_expr.args)
        if node.call_expr.function in _PREFIX:
            at = self._tokens.cover(self._at(node), args[-1].at.end)
        else:
            at = self._tokens.cover(args[0].at.start, args[-1].at.end)
            at = Span(start=self._tokens.prefixed(at.start), end=at.end)
        return self._made(node, node.call_expr.function, args, at)

    def _index(self, node: Message) -> Expression:
        operand, key = (self.read(arg) for arg in node.call_expr.args)
        at = self._tokens.cover(operand.at.start, self._tokens.closing(self._at(node)))
        return self._refuse(refusals.index(at, operand, key, self._text(key.at)))

    def _function(self, node: Message) -> Expression:
        position = self._at(node)
        name = node.call_expr.function.lstrip(".")
        before = self._tokens.before(position)
        start = before.at.start if before else position
        args = tuple(self.read(arg) for arg in node.call_expr.args)
        at = Span(start=start, end=self._tokens.closing(position))
        if name in CONVERSIONS and len(args) == 1:
            return self._settled(constants.converted(name, args[0], at, self._text(at)))
        if name in LENGTHS and len(args) == 1:
            return self._settled(constants.length_of_time(name, args[0], at, self._text(at)))
        if name in refusals.DYNAMIC:
            return self._refuse(refusals.dynamic(at, name))
        if name not in refusals.PLAIN | CONVERSIONS:
            named = Span(start=start, end=before.at.end if before else at.end)
            return self._refuse(refusals.unknown_function(named, name), at)
        return self._made(node, name, args, at)

    def _member(self, node: Message) -> Expression:
        call = node.call_expr
        position = self._at(node)
        end = self._tokens.closing(position)
        called = self._dotted_name(call.target)
        name = f"{called}.{call.function}" if called else call.function
        if name in FUNCTIONS and called:
            at = Span(start=self._chain(call.target).start, end=end)
            return self._made(node, name, tuple(self.read(arg) for arg in call.args), at)
        if called is not None and self._is_unknown(called, call.function):
            named = Span(start=self._chain(call.target).start, end=self._name_end(position))
            return self._refuse(refusals.unknown_function(named, name), Span(start=named.start, end=end))
        return self._received(node, end)

    def _received(self, node: Message, end: int) -> Expression:
        call = node.call_expr
        position = self._at(node)
        receiver = self.read(call.target)
        at = self._tokens.cover(receiver.at.start, end)
        if call.function in refusals.METHODS - MACROS:
            return self._made(node, call.function, (receiver, *(self.read(arg) for arg in call.args)), at)
        self._read_like_macro(node)
        before = self._tokens.before(position)
        named = before.at if before else at
        return self._refuse(refusals.unknown_method(named, call.function, receiver, len(call.args)), at)

    def _read_like_macro(self, node: Message) -> None:
        """Reads the arguments of `links.any(l, ...)`: `l` is no unknown variable if `any` should be a macro."""
        args = list(node.call_expr.args)
        name = self._dotted_name(args[0]) if len(args) > 1 else None
        if name is None or name in VARIABLES:
            args, name = args, ""
        else:
            args = args[1:]
        self._bound.append(name)
        for arg in args:
            self.read(arg)
        self._bound.pop()

    def _list(self, node: Message) -> Expression:
        position = self._at(node)
        items = tuple(self.read(item) for item in node.list_expr.elements)
        at = Span(start=position, end=self._tokens.closing(position))
        return ListOf(items=items, type=Type.LIST, at=at)

    def _struct(self, node: Message) -> Expression:
        position = self._at(node)
        brace = self._tokens.opening(position, "{")
        at = Span(start=position, end=self._tokens.closing(brace))
        return self._refuse(refusals.structure(at, node.struct_expr.message_name))

    def _macro(self, node: Message) -> Expression:
        loop = node.comprehension_expr
        position = self._at(node)
        before = self._tokens.before(position)
        over = self.read(loop.iter_range)
        at = self._tokens.cover(over.at.start, self._tokens.closing(position))
        if before is None or before.text not in MACROS or loop.iter_var2:
            return self._refuse(refusals.unknown_macro(at))
        if loop.iter_var in _HIDDEN or loop.iter_var in self._bound:
            named = self._tokens.after(position)
            self._refuse(refusals.hides(named.at if named else at, loop.iter_var))
        if over.type is Type.MAP and before.text in (Macro.MAP, Macro.FILTER):
            self._refuse(refusals.unordered(at, before.text))
        where, body = _parts(Macro(before.text), loop.loop_step)
        self._bound.append(loop.iter_var)
        read_where = self.read(where) if where is not None else None
        read_body = self.read(body)
        self._bound.pop()
        return Comprehension(
            macro=Macro(before.text),
            over=over,
            variable=loop.iter_var,
            body=read_body,
            type=self._type(node),
            at=at,
            where=read_where,
        )

    def _dotted_name(self, node: Message) -> str | None:
        return dotted_name(node, self._bound)

    def _is_unknown(self, called: str, function: str) -> bool:
        """Whether `called.function` names no function, rather than a function of an unknown variable."""
        if called in VARIABLES or has_known_root(called):
            return False
        return function not in refusals.METHODS or called in refusals.NAMESPACES

    def _chain(self, node: Message) -> Span:
        """The span of a dotted name."""
        first = self._tokens.span_at(self._at(first_name(node)))
        if node.WhichOneof("expr_kind") == "ident_expr":
            return first
        end = self._tokens.after(self._at(node))
        return self._tokens.cover(first.start, end.at.end if end else first.end)

    def _name_end(self, position: int) -> int:
        before = self._tokens.before(position)
        return before.at.end if before else position

    def _made(self, node: Message, function: str, args: tuple[Expression, ...], at: Span) -> Expression:
        overloads = self._typing.overloads.get(node.id, ())
        if function in FUNCTIONS and len(args) not in {len(one.parameters) for one in FUNCTIONS[function].overloads}:
            return self._refuse(refusals.wrong_count(at, function))
        if len(overloads) > 1:
            return self._refuse(refusals.untyped(at))
        overload = overloads[0] if overloads else ""
        return Call(function=function, overload=overload, args=args, type=self._type(node), at=at)

    def _type(self, node: Message) -> Type:
        found = self._typing.types.get(node.id)
        return found.type if found is not None and found.type is not None else constants.UNTYPED

    def _check_type(self, node: Message, expression: Expression) -> None:
        found = self._typing.types.get(node.id)
        is_empty = isinstance(expression, ListOf) and not expression.items
        if found is None or (found.type is Type.LIST and is_empty):
            return
        if (found.type is None or (found.type is Type.LIST and found.element is None)) and not any(
            _holds(expression.at, problem.span) for problem in self.problems
        ):
            self._refuse(refusals.untyped(expression.at))

    def _settled(self, found: Literal | RuleProblem) -> Expression:
        return self._refuse(found) if isinstance(found, RuleProblem) else found

    def _refuse(self, problem: RuleProblem, at: Span | None = None) -> Expression:
        self.problems.append(problem)
        return self._stand_in(at or problem.span)

    def _stand_in(self, at: Span) -> Expression:
        return constants.stand_in(at)

    def _at(self, node: Message) -> int:
        return self._positions.get(node.id, 0)

    def _text(self, at: Span) -> str:
        return self._source[at.start : at.end]


def _parts(macro: Macro, step: Message) -> tuple[Message | None, Message]:
    """The condition and the body that were written, out of the loop step that CEL's parser makes of a macro."""
    args = step.call_expr.args
    match macro:
        case Macro.ALL | Macro.EXISTS:  # result && body, result || body
            return None, args[1]
        case Macro.EXISTS_ONE | Macro.FILTER:  # body ? ... : result
            return None, args[0]
        case Macro.MAP if step.call_expr.function == "_?_:_":  # where ? result + [body] : result
            return args[0], args[1].call_expr.args[1].list_expr.elements[0]
        case Macro.MAP:  # result + [body]
            return None, args[1].list_expr.elements[0]


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _length(span: Span) -> int:
    return span.end - span.start
