"""A rule's expression: macros as they were written, constants folded, names resolved, whole spans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from comity.agreement.rules import Names, check_rule
from comity.model.expression import (
    Call,
    Comprehension,
    Expression,
    ListOf,
    Literal,
    Macro,
    Type,
    Variable,
    text_of,
    walk,
)
from comity.model.ids import ClauseId

NAMES = Names(lexicons={}, clauses=frozenset({ClauseId("own")}), own=ClauseId("own"))


def read(rule: str) -> Expression:
    checked = check_rule(rule, NAMES)
    assert checked.problems == ()
    assert checked.expression is not None
    return checked.expression


def first(rule: str, kind: type[Expression]) -> Expression:
    return next(part for part in walk(read(rule)) if isinstance(part, kind))


@pytest.mark.parametrize(
    ("rule", "macro", "where", "body"),
    [
        ('links.exists(l, l == "a")', Macro.EXISTS, None, 'l == "a"'),
        ("links.all(l, l.size() > 1)", Macro.ALL, None, "l.size() > 1"),
        ("links.exists_one(l, l.size() > 1)", Macro.EXISTS_ONE, None, "l.size() > 1"),
        ("links.filter(l, l.size() > 1) == []", Macro.FILTER, None, "l.size() > 1"),
        ("links.map(l, l.size()) == []", Macro.MAP, None, "l.size()"),
        ("links.map(l, l.size() > 1, l.size()) == []", Macro.MAP, "l.size() > 1", "l.size()"),
    ],
)
def test_a_macro_is_kept_as_written(rule: str, macro: Macro, where: str | None, body: str) -> None:
    loop = first(rule, Comprehension)
    assert isinstance(loop, Comprehension)
    assert (loop.macro, loop.variable, text_of(rule, loop.over)) == (macro, "l", "links")
    assert text_of(rule, loop.body) == body
    assert (loop.where and text_of(rule, loop.where)) == where


def test_the_variable_of_a_loop_is_bound_and_others_are_not() -> None:
    variables = [part for part in walk(read("links.exists(l, l == text)")) if isinstance(part, Variable)]
    assert {(one.name, one.bound, one.type) for one in variables} == {
        ("links", False, Type.LIST),
        ("l", True, Type.STRING),
        ("text", False, Type.STRING),
    }


@pytest.mark.parametrize(
    ("constant", "value", "type_"),
    [
        ("days(7)", timedelta(days=7), Type.DURATION),
        ("minutes(-90)", timedelta(minutes=-90), Type.DURATION),
        ('duration("1h30m")', timedelta(minutes=90), Type.DURATION),
        ('duration("-1.5s")', timedelta(seconds=-1.5), Type.DURATION),
        ('timestamp("2026-01-01T00:00:00+02:00")', datetime(2025, 12, 31, 22, tzinfo=UTC), Type.TIMESTAMP),
        ("timestamp(5)", datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC), Type.TIMESTAMP),
        ('int("5")', 5, Type.INT),
        ("int(2.9)", 2, Type.INT),
        ("uint(5)", 5, Type.UINT),
        ('double("1e3")', 1000.0, Type.DOUBLE),
        ("string(5)", "5", Type.STRING),
        ('string(int("5"))', "5", Type.STRING),
        ('bytes("é")', b"\xc3\xa9", Type.BYTES),
        ('bool("true")', True, Type.BOOL),
        ("-5", -5, Type.INT),
        ("- 5", -5, Type.INT),
        ("0x10", 16, Type.INT),
        (r"r'\d'", r"\d", Type.STRING),
        (r'"\u00e9\n"', "é\n", Type.STRING),
        ("'''a\nb'''", "a\nb", Type.STRING),
    ],
)
def test_a_constant_is_folded(constant: str, value: object, type_: Type) -> None:
    rule = f"{constant} == {constant}"
    expression = read(rule)
    assert isinstance(expression, Call)
    literal = expression.args[0]
    assert isinstance(literal, Literal)
    assert (literal.value, literal.type, text_of(rule, literal)) == (value, type_, constant)


@pytest.mark.parametrize(
    ("rule", "texts"),
    [
        ("author.age < days(7)", ["author.age < days(7)", "author.age", "days(7)"]),
        ("author . age < days(7)", ["author . age < days(7)", "author . age", "days(7)"]),
        ("(reach) + (1) == 2", ["(reach) + (1) == 2", "(reach) + (1)", "reach", "1", "2"]),
        ("!!is_reply && !(is_reply)", ["!!is_reply && !(is_reply)", "is_reply", "!(is_reply)", "is_reply"]),
        ("((text)).size( ) > 3", ["((text)).size( ) > 3", "((text)).size( )", "text", "3"]),
        (
            '"é😀)".contains(text) // ( "\n || true',
            ['"é😀)".contains(text) // ( "\n || true', '"é😀)".contains(text)', '"é😀)"', "text", "true"],
        ),
        ("(is_reply ? 1 : 2) == 3", ["(is_reply ? 1 : 2) == 3", "is_reply ? 1 : 2", "is_reply", "1", "2", "3"]),
        ('text in [ "a" , "b" ]', ['text in [ "a" , "b" ]', "text", '[ "a" , "b" ]', '"a"', '"b"']),
        (
            'author.notices("own",\n  days(1)) > 1',
            ['author.notices("own",\n  days(1)) > 1', 'author.notices("own",\n  days(1))', '"own"', "days(1)", "1"],
        ),
        ("(links).exists (l, l == text)", ["(links).exists (l, l == text)", "links", "l == text", "l", "text"]),
    ],
)
def test_a_span_holds_the_whole_part(rule: str, texts: list[str]) -> None:
    assert [text_of(rule, part) for part in walk(read(rule))] == texts


@pytest.mark.parametrize(
    ("call", "function", "overload", "args"),
    [
        ("text.copies(days(1))", "copies", "text_copies", ["text", "days(1)"]),
        ("author.copies(days(1))", "author.copies", "author_copies", ["days(1)"]),
        ("size(links)", "size", "size_list", ["links"]),
        ("links.size()", "size", "list_size", ["links"]),
    ],
)
def test_a_receiver_is_the_first_argument(call: str, function: str, overload: str, args: list[str]) -> None:
    rule = f"{call} == 1"
    comparison = read(rule)
    assert isinstance(comparison, Call)
    called = comparison.args[0]
    assert isinstance(called, Call)
    assert (called.function, called.overload) == (function, overload)
    assert [text_of(rule, arg) for arg in called.args] == args


def test_an_empty_list_is_a_list() -> None:
    empty = first("links == []", ListOf)
    assert isinstance(empty, ListOf)
    assert (empty.items, empty.type) == ((), Type.LIST)
