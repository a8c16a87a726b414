"""CEL's errors, rephrased: what is wrong, where, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from comity.agreement.cel import CelError
from comity.agreement.language import FUNCTIONS
from comity.agreement.problems import quoted
from comity.agreement.refusals import forms
from comity.agreement.rule_problem import RuleProblem
from comity.agreement.standard import STANDARD
from comity.agreement.tokens import Tokens
from comity.model.expression import Span

LONGEST_RULE: Final = 100_000
"""Code points of a rule; CEL's own parser takes no more."""

DEEPEST: Final = 32
"""How deep CEL's parser nests."""

_INSTEAD: Final = {
    "=": "compare with `==`",
    "&": "join conditions with `&&`",
    "|": "join conditions with `||`",
    "and": "join conditions with `&&`",
    "AND": "join conditions with `&&`",
    "or": "join conditions with `||`",
    "OR": "join conditions with `||`",
    "not": "deny with `!`, as in `!is_reply`",
    "NOT": "deny with `!`, as in `!is_reply`",
    "≥": "write `>=`",
    "≤": "write `<=`",
    "≠": "write `!=`",
    "=>": "write `>=`",
    "=<": "write `<=`",
    "<>": "write `!=`",
    "“": 'use straight quotes, `"..."`',
    "”": 'use straight quotes, `"..."`',
    "„": 'use straight quotes, `"..."`',
    "‘": "use straight quotes, `'...'`",
    "’": "use straight quotes, `'...'`",
    "#": "comments begin with `//`",
    ";": "a rule is one condition: join several with `&&` or `||`",
}
_MISUSED: Final = (
    (
        "has() argument",
        "`has` is not part of the rule language",
        "variables are always there: compare with their default",
    ),
    ("must be a simple identifier", "a loop begins with a plain name", "write `links.exists(link, ...)`"),
    ("unsupported syntax", "optional values are not part of the rule language", 'write `meta.get("key")`'),
    ("reserved identifier", "the word is reserved", "choose another name"),
)
_TRUTH: Final = "`&&`, `||`, `!` and `?` need conditions: compare each part with something"
_MENDS: Final = {
    "_&&_": _TRUTH,
    "_||_": _TRUTH,
    "!_": _TRUTH,
    "-_": "only signed numbers and doubles have a negative",
    "_?_:_": "write `condition ? this : that`, with both of the same type",
    "@in": "the right side must be a list or `meta`; ask a string with `.contains(...)`",
}
_SIGNS: Final = {"@in": "in", "_?_:_": "? :"}
_UNDECLARED: Final = re.compile(r"undeclared reference to '\.?(.*?)'")
_APPLIED: Final = re.compile(r"found no matching overload for '(.*)' applied to '\((.*)\)'$")
_TYPES: Final = (("google.protobuf.", ""), ("Duration", "duration"), ("Timestamp", "timestamp"))


def syntax_problem(source: str, error: CelError) -> RuleProblem:
    """The first syntax error of a rule; those after it are mostly its echoes."""
    if error.is_too_deep or error.position is None:
        return too_deep(source)
    tokens = Tokens(source)
    if tokens.last is None:
        return _syntax(Span(start=0, end=len(source)), "a rule needs a condition", "is empty", "write `text.says(...)`")
    if error.position >= tokens.last.end:
        return _early_end(source, tokens, tokens.last)
    at = tokens.span_at(error.position)
    found = source[at.start : at.end]
    if found[:1] in ('"', "'") and "token recognition" in error.message:
        return _open_string(source, at)
    if "literal" in error.message:
        return _bad_literal(at, found)
    for words, message, help_ in _MISUSED:
        if words in error.message:
            return _syntax(at, message, "not possible here", help_)
    return _syntax(at, f"unexpected {quoted(found)}", "does not belong here", _instead(source, tokens, at))


def _instead(source: str, tokens: Tokens, at: Span) -> str:
    before = tokens.before(at.start)
    candidates = (
        source[at.start : at.end + 1],
        source[max(at.start - 1, 0) : at.end],
        source[at.start : at.end],
        before.text if before else "",
    )
    return next((_INSTEAD[text] for text in candidates if text in _INSTEAD), "join conditions with `&&` or `||`")


def _early_end(source: str, tokens: Tokens, last: Span) -> RuleProblem:
    if tokens.unclosed is not None:
        mark = source[tokens.unclosed.start]
        closing = {"(": ")", "[": "]", "{": "}"}[mark]
        return _syntax(tokens.unclosed, f"`{mark}` is never closed", "opened here", f"add the `{closing}`")
    return _syntax(last, "the rule ends too early", "something must follow", "finish the condition, or leave this out")


def _open_string(source: str, at: Span) -> RuleProblem:
    end = source.find("\n", at.start)
    span = Span(start=at.start, end=end if end >= 0 else len(source))
    text = source[span.start : span.end]
    if "\\" in text:
        return _syntax(
            span,
            "the string is not closed, or holds an unknown escape",
            "no string",
            r"""write a backslash twice, or the string as r"...": the escapes are \n \t \" \' \\ \u0041""",
        )
    return _syntax(span, "the string is not closed", "opened here", f"add the closing {text[0]}")


def _bad_literal(at: Span, found: str) -> RuleProblem:
    if found[:1].isdigit() or found[:1] == "-":
        return _syntax(at, f"the number {quoted(found)} is too large", "more than 64 bits", "write a smaller number")
    return _syntax(at, "the string holds an invalid escape", "no string", r"escapes name Unicode characters: \u00e9")


def _syntax(at: Span, message: str, label: str, help_: str) -> RuleProblem:
    return RuleProblem(code="C010", span=at, message=message, label=label, help=help_)


def too_deep(source: str) -> RuleProblem:
    return RuleProblem(
        code="C011",
        span=Span(start=0, end=len(source)),
        message="the rule is nested too deeply",
        label=f"more than {DEEPEST} levels",
        help="take parentheses out, or move a part to a clause of its own",
    )


def too_long(source: str) -> RuleProblem:
    return RuleProblem(
        code="C011",
        span=Span(start=0, end=len(source)),
        message="the rule is too long",
        label=f"{len(source)} characters of at most {LONGEST_RULE}",
        help="move lists of words or domains to a lexicon, or a part to a clause of its own",
    )


def surrogate(position: int) -> RuleProblem:
    return _syntax(
        Span(start=position, end=position + 1),
        "half of a character",
        "a lone surrogate",
        "write the whole character, or take it out",
    )


def type_problem(source: str, error: CelError, places: Mapping[int, Span]) -> RuleProblem:
    """A type error of a rule that parses; `places` has the span of the node at each of CEL's positions."""
    position = min(error.position or 0, max(len(source) - 1, 0))
    at = places.get(position) or Tokens(source).span_at(position)
    undeclared = _UNDECLARED.match(error.message)
    if undeclared is not None:
        return _wrong_count(at, undeclared[1])
    applied = _APPLIED.match(error.message)
    if applied is not None:
        return _wrong_types(at, applied[1], _plain(applied[2]))
    if "range of a comprehension" in error.message:
        return _mistyped(at, "only lists have entries to ask about", "not a list", "ask the value itself")
    return _mistyped(at, _plain(error.message), "does not fit", "see the reference of the rule language")


def _wrong_count(at: Span, function: str) -> RuleProblem:
    """CEL says "undeclared" of its own functions too, when the number of arguments is wrong."""
    calls = STANDARD[function].forms if function in STANDARD else (f'{function}("...")',)
    mend = " or ".join(f"`{call}`" for call in calls)
    return _mistyped(at, f"{quoted(function)} needs other arguments", "too few or too many", f"write {mend}")


def _wrong_types(at: Span, function: str, types: str) -> RuleProblem:
    if function in FUNCTIONS:
        calls = " or ".join(f"`{form}`" for form in forms(function))
        return _mistyped(at, f"`{function}` does not take ({types})", "other arguments are needed", f"write {calls}")
    if function in STANDARD:
        calls = " or ".join(f"`{form}`" for form in STANDARD[function].forms)
        return _mistyped(at, f"`{function}` does not take ({types})", "other arguments are needed", f"write {calls}")
    sign = _SIGNS.get(function, function.strip("_"))
    message = f"`{sign}` does not go with {types.replace(', ', ' and ')}"
    return _mistyped(at, message, "the types do not fit", _MENDS.get(function) or _same_type(set(types.split(", "))))


def _same_type(types: set[str]) -> str:
    if types == {"timestamp", "string"}:
        return 'write the time as `timestamp("2026-01-31T12:00:00Z")`'
    if types == {"int", "double"}:
        return "write whole numbers as doubles, `1.0`, or use `share(a, b)`"
    if "duration" in types:
        return "write durations as `days(7)` or `minutes(90)`; they take no factors"
    return "give both sides the same type"


def _plain(text: str) -> str:
    for old, new in _TYPES:
        text = text.replace(old, new)
    return text


def _mistyped(at: Span, message: str, label: str, help_: str) -> RuleProblem:
    return RuleProblem(code="C014", span=at, message=message, label=label, help=help_)
