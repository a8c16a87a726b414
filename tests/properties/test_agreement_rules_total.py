"""The checker's laws: it never raises, and what it lets pass never fails, by the judgement of CEL's own evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cel_expr_python import cel
from hypothesis import example, given
from hypothesis import strategies as st

from comity.agreement.language import FUNCTIONS, LENGTHS, MOST, VARIABLES, Shape
from comity.agreement.rules import Names, check_rule
from comity.model.agreement import LexiconKind
from comity.model.expression import Comprehension, Expression, Literal, Type, Variable, parts, text_of, walk
from comity.model.ids import ClauseId

NAMES = Names(
    lexicons={"slurs": LexiconKind.PHRASES, "shops": LexiconKind.DOMAINS, "virus": LexiconKind.EXACT},
    clauses=frozenset({ClauseId("own"), ClauseId("spam")}),
    own=ClauseId("own"),
)


def joined(first: st.SearchStrategy[str], signs: str, last: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} {} {})".format, first, st.sampled_from(signs.split()), last)


def extended(bools: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Larger conditions out of smaller ones."""
    return st.one_of(
        joined(bools, "&& ||", bools),
        st.builds("!{}".format, bools),
        st.builds("({} ? {} : {})".format, bools, bools, bools),
        st.builds("{}.{}(x{}, {})".format, lists, st.sampled_from(["all", "exists"]), st.integers(0, 2), bools),
        st.builds("(({} ? {} : {}) > {})".format, bools, ints, ints, ints),
    )


whole = st.sampled_from(["0", "1", "-1", "7", "2147483648", "9223372036854775807", "-9223372036854775808"])
strings = st.sampled_from(["text", "subject", '"a"', '"é\\n"', "x1", 'meta.get("k")', "(text + subject)", "meta.k"])
lists = st.sampled_from(
    [
        "links",
        "to",
        "author.roles",
        '["a", "b"]',
        "[]",
        "links.map(x1, x1 + x1)",
        "(links + to)",
        'to.filter(x2, x2 != "")',
    ]
)
durations = st.sampled_from(["author.age", "days(7)", "seconds(-1)", 'duration("1h30m")', "days(3650)", "days(4000)"])
durations = durations | joined(durations, "+ -", durations)
times = st.sampled_from(["sent", 'timestamp("2026-01-01T00:00:00Z")', 'timestamp("9999-12-31T23:59:59Z")'])
ints = st.deferred(lambda: st.one_of(whole, counts, st.builds("-{}".format, counts), joined(ints, "+ - * / %", ints)))
counts = st.one_of(
    st.sampled_from(["reach", "size(text)", "text.repeats()", "sent.getHours()", "author.age.getSeconds()"]),
    st.builds("{}.size()".format, st.one_of(strings, lists)),
    st.builds(
        "sent.get{}({})".format,
        st.sampled_from(["FullYear", "Date", "Hours"]),
        st.sampled_from(['"Asia/Tokyo"', '"-03:30"', '"x"']),
    ),
    st.builds("author.messages({})".format, durations),
    st.builds('author.breaches("spam", {})'.format, durations),
)
doubles = st.sampled_from(["1.5", "-0.0", "1e308", "text.capitals()", 'meta.number("k")', "share(reach, size(to))"])
doubles = doubles | joined(doubles, "+ - * /", doubles)
conditions = st.recursive(
    st.one_of(
        st.sampled_from(
            ["true", "is_reply", '"k" in meta', "meta == meta", 'text.says("a b")', 'domains.under("shops")']
        ),
        joined(ints, "< <= == != > >=", ints),
        joined(doubles, "< == >", doubles),
        joined(durations, "< == >", durations),
        joined(times, "< == >", times),
        joined(joined(times, "-", times), "<", durations),
        joined(joined(times, "+ -", durations), "<", times),
        joined(strings, "== != < in", st.one_of(strings, lists)),
        st.builds('{}.matches("{}")'.format, strings, st.sampled_from(["a+", "(", "[a-z]{3}", "(?i)x"])),
        joined(lists, "== !=", lists),
    ),
    extended,
    max_leaves=6,
)
SPACED = """text author . age links exists ( ) [ ] { } , x && || ! - + / * % == < ? : in
"a" ' " \\ // 1 0 2u 1.5 days meta has null dyn int é"""
words = st.sampled_from(["\n", "\0", "\ud800", *SPACED.split()])
anything = st.one_of(conditions, st.lists(words, max_size=25).map(" ".join), st.text(max_size=40))


@given(anything)
@example("")
@example("(" * 5000)
@example("\ud800")
@example("\x1f")
@example("ERROR: <input>:1:1: no\n | x")
def test_any_text_is_a_checked_rule_or_has_problems_inside_it(source: str) -> None:
    checked = check_rule(source, NAMES)
    assert (checked.expression is None) == bool(checked.problems)
    for problem in checked.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(source)
        assert problem.message
        assert problem.label
        assert problem.help


@given(conditions)
def test_a_checked_rule_never_fails(source: str) -> None:
    if check_rule(source, NAMES).expression is not None:
        assert [evaluated(source, message) for message in MESSAGES] != []
        assert all(isinstance(evaluated(source, message), bool) for message in MESSAGES)


@pytest.mark.parametrize(
    "rule",
    [
        "reach * reach * reach > 1",
        "reach / text.size() > 1",
        "sent + days(7) > sent",
        "author.age + author.age > days(1)",
        "links[0] == text",
        'meta["key"] == text',
        'sent.getHours("x") > 1',
    ],
)
def test_what_is_refused_does_fail(rule: str) -> None:
    assert check_rule(rule, NAMES).expression is None
    assert not all(isinstance(evaluated(rule, message), bool) for message in MESSAGES)


@given(conditions)
def test_spans_nest_and_hold_what_they_are_spans_of(source: str) -> None:
    expression = check_rule(source, NAMES).expression
    for part in walk(expression) if expression is not None else ():
        assert all(part.at.start <= inner.at.start and inner.at.end <= part.at.end for inner in parts(part))
        text = text_of(source, part)
        assert text == text.strip()
        assert text.count("(") == text.count(")")
        if isinstance(part, Variable):
            assert text.replace(" ", "") == part.name


@given(conditions)
def test_a_part_of_a_rule_reads_the_same_on_its_own(source: str) -> None:
    expression = check_rule(source, NAMES).expression
    for part in walk(expression) if expression is not None else ():
        if part.type is Type.BOOL and not binds(part):
            alone = check_rule(text_of(source, part), NAMES).expression
            assert alone is not None
            assert shape(alone) == shape(part)


@given(conditions)
def test_nothing_unchecked_is_left_in_a_checked_rule(source: str) -> None:
    expression = check_rule(source, NAMES).expression
    for part in walk(expression) if expression is not None else ():
        assert part.type is not Type.NULL
        if isinstance(part, Literal):
            assert part.value is not None


def binds(expression: Expression) -> bool:
    """Whether it reads the variable of a loop around it."""
    inner = {part.variable for part in walk(expression) if isinstance(part, Comprehension)}
    return any(isinstance(part, Variable) and part.bound and part.name not in inner for part in walk(expression))


def shape(expression: Expression) -> object:
    """What it says, wherever it stands."""
    match expression:
        case Literal():
            return expression.value
        case Variable():
            return expression.name
        case _:
            name = getattr(expression, "overload", getattr(expression, "macro", "list"))
            return name, [shape(part) for part in parts(expression)]


def evaluated(source: str, message: Mapping[str, object]) -> object:
    """What CEL's evaluator says: a bool, or the text of an error."""
    return evaluator().compile(source).eval(data=message).value()


@cache
def evaluator() -> cel.Env:
    """CEL with functions that give the most they may."""
    declarations = [
        cel.FunctionDecl(
            function.name,
            [
                cel.Overload(
                    overload.id,
                    declared(overload.result),
                    [declared(one.shape) for one in overload.parameters],
                    is_member=function.is_receiver,
                    impl=lambda *_, name=function.name, result=overload.result: most(name, result, *_),
                )
                for overload in function.overloads
            ],
        )
        for function in FUNCTIONS.values()
    ]
    return cel.NewEnv(variables={one.name: declared(one.shape) for one in VARIABLES.values()}, functions=declarations)


def most(name: str, result: Shape, *args: object) -> object:
    if name in LENGTHS and isinstance(args[0], int):
        return timedelta(**{name: args[0]})
    values: dict[Shape, object] = {Shape.BOOL: True, Shape.INT: MOST, Shape.DOUBLE: 1.7e308, Shape.STRING: "1"}
    return values[result]


def declared(shape: Shape) -> cel.Type:
    match shape:
        case Shape.STRINGS:
            return cel.Type.List(cel.Type.STRING)
        case Shape.META:
            return cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
        case _:
            return cel.Type(shape.value)


def message(*, sent: datetime, age: timedelta, reach: int, text: str, entries: list[str]) -> dict[str, object]:
    values: dict[Shape, object] = {Shape.STRING: text, Shape.STRINGS: entries, Shape.META: {}, Shape.BOOL: False}
    given_ = {name: values[one.shape] for name, one in VARIABLES.items() if one.shape in values}
    return {**given_, "sent": sent, "author.age": age, "reach": reach}


CENTURY = timedelta(days=36525)
MESSAGES = [
    message(sent=datetime(2026, 1, 1, tzinfo=UTC), age=CENTURY, reach=0, text="", entries=[]),
    message(
        sent=datetime(9999, 12, 30, tzinfo=UTC), age=99 * CENTURY, reach=MOST, text="ä" * 50, entries=["a", "", "é"]
    ),
    message(sent=datetime(1, 1, 2, tzinfo=UTC), age=-99 * CENTURY, reach=MOST, text="a\0", entries=["a"] * 5),
]
