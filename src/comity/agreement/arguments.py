"""The arguments that must be known beforehand: windows, phrases, patterns, names, keys, time zones.

`language.ROLES` says what each argument is for; here is what makes a valid one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Final

import re2

from comity.agreement.constants import is_stand_in
from comity.agreement.language import (
    FUNCTIONS,
    LEXICON_KINDS,
    LONGEST_DURATION,
    LONGEST_WINDOW,
    Role,
)
from comity.agreement.problems import nearest, quoted
from comity.agreement.refusals import long_duration
from comity.agreement.rule_problem import Names, RuleProblem
from comity.model.expression import Call, Expression, Literal, Span, Type, Variable, text_of, walk
from comity.model.ids import ClauseId

LONGEST_PHRASE: Final = 1000
LONGEST_PATTERN: Final = 1000
_PATTERN_MEMORY: Final = 1 << 20  # bytes that RE2 may take for one compiled pattern
_MOST_STEPS: Final = 1_000  # of RE2's program for one pattern
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_OFFSET: Final = re.compile(r"[+-](0[0-9]|1[0-4]):[0-5][0-9]")
_ZONED: Final = "timestamp_to_"  # CEL's overloads of getHours and the like on times
_BLANK: Final = frozenset("PZCM")  # Unicode categories of which no phrase can be made
_FILLERS: Final = frozenset("\u115f\u1160\u2800")  # letters and symbols that show nothing
_ONE_BYTE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\C")


def check_arguments(source: str, expression: Expression, names: Names) -> Iterator[RuleProblem]:
    """What is wrong with literal arguments and literal durations, everywhere in a rule."""
    for part in walk(expression):
        if isinstance(part, Literal) and isinstance(part.value, timedelta) and abs(part.value) > LONGEST_DURATION:
            yield long_duration(part.at, text_of(source, part))
        if isinstance(part, Call):
            for role, argument in zip(roles_of(part), part.args, strict=False):
                problem = None if is_stand_in(argument) else _check(role, argument, part, names)
                if problem is not None:
                    yield problem


def roles_of(call: Call) -> tuple[Role, ...]:
    """The roles of a call's arguments; those beyond are `ANY`."""
    if call.function in FUNCTIONS:
        for overload in FUNCTIONS[call.function].overloads:
            if len(overload.parameters) == len(call.args):
                return tuple(parameter.role for parameter in overload.parameters)
    if call.function == "matches":
        return Role.ANY, Role.PATTERN
    if call.function.startswith("get") and len(call.args) == 2:
        return Role.ANY, Role.ZONE
    return ()


def _check(role: Role, argument: Expression, call: Call, names: Names) -> RuleProblem | None:
    match role:
        case Role.ANY | Role.COUNT:
            return None
        case Role.TEXT:
            return _check_text(argument, call.function)
        case Role.WINDOW:
            return _check_window(argument)
        case Role.PHRASES | Role.DOMAINS | Role.EXACT:
            return _check_lexicon(role, argument, names)
        case Role.CLAUSE | Role.NOTICED:
            return _check_clause(role, argument, names)
        case Role.PHRASE:
            return _check_phrase(argument)
        case Role.PATTERN:
            return _check_pattern(argument)
        case Role.ZONE:
            return _check_zone(argument)
        case Role.KEY | Role.LANGUAGE:
            return _check_word(role, argument)


def _check_text(receiver: Expression, function: str) -> RuleProblem | None:
    if isinstance(receiver, Variable) and receiver.name == "text" and not receiver.bound:
        return None
    return RuleProblem(
        code="C035",
        span=receiver.at,
        message=f"only `text` has `{function}`",
        label="is not what copies are counted of",
        help=f"write `text.{function}(...)`",
    )


def _check_window(argument: Expression) -> RuleProblem | None:
    if not isinstance(argument, Literal):
        return _window(argument.at, "a window must be a duration that is written out", "not a literal")
    if not isinstance(argument.value, timedelta):
        return None  # the checker reports the type
    if argument.value <= timedelta(0):
        return _window(argument.at, "a window must be longer than nothing", "holds no message")
    if argument.value > LONGEST_WINDOW:
        return _window(argument.at, "a window is at most 400 days", "longer than history is kept")
    return None


def _window(at: Span, message: str, label: str) -> RuleProblem:
    return RuleProblem(
        code="C025", span=at, message=message, label=label, help="write a window such as `minutes(10)` or `days(30)`"
    )


def _check_phrase(argument: Expression) -> RuleProblem | None:
    phrase = _literal_text(argument)
    if phrase is None:
        return _open("C026", argument, "a phrase")
    if len(phrase) > LONGEST_PHRASE:
        message, label = f"a phrase has at most {LONGEST_PHRASE} characters", f"has {len(phrase)}"
    elif all(_is_blank(letter) for letter in unicodedata.normalize("NFKC", phrase)):
        message, label = "the phrase is empty", "holds no letter, digit or symbol"
    else:
        return None
    return RuleProblem(
        code="C026", span=argument.at, message=message, label=label, help='write words: `text.says("free money")`'
    )


def _is_blank(letter: str) -> bool:
    return unicodedata.category(letter)[0] in _BLANK or letter in _FILLERS


def _check_pattern(argument: Expression) -> RuleProblem | None:
    pattern = _literal_text(argument)
    if pattern is None:
        return _open("C027", argument, "a pattern")
    if len(pattern) > LONGEST_PATTERN:
        why, label = f"a pattern has at most {LONGEST_PATTERN} characters", f"has {len(pattern)}"
    else:
        why, label = "the pattern is not valid RE2", _pattern_error(pattern)
    if not label:
        return _check_size(pattern, argument)
    return RuleProblem(
        code="C027",
        span=argument.at,
        message=why,
        label=label,
        help=r"write patterns as raw strings, r'\d+', and marks with a backslash, r'\('; RE2 has no look-around",
    )


def _check_size(pattern: str, argument: Expression) -> RuleProblem | None:
    """RE2 takes time in the length of the text times the steps of the pattern, where a text is made to be slow."""
    steps = re2.compile(pattern, _options()).programsize
    if steps <= _MOST_STEPS:
        return None
    return RuleProblem(
        code="C037",
        span=argument.at,
        message="the pattern is too large",
        label=f"comes to {steps:,} steps, more than {_MOST_STEPS:,}",
        help="repeat less: what is repeated 900 times counts 900 times; for lists of words take a lexicon",
    )


@cache
def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    return options


def _pattern_error(pattern: str) -> str:
    """RE2's complaint, or nothing."""
    if _ONE_BYTE.search(pattern):
        return r"\C would match a part of a character"
    try:
        re2.compile(pattern, _options())
    except re2.error as error:
        complaint = error.args[0] if error.args else "not valid"
        text = complaint.decode("utf-8", "replace") if isinstance(complaint, bytes) else str(complaint)
        return " ".join(text.split())[:120]
    return ""


def _check_lexicon(role: Role, argument: Expression, names: Names) -> RuleProblem | None:
    name = _literal_text(argument)
    if name is None:
        return _open("C028", argument, "a lexicon's name")
    if name not in names.lexicons:
        return RuleProblem(
            code="C028",
            span=argument.at,
            message=f"unknown lexicon {quoted(name)}",
            label="not a lexicon of this agreement",
            help=nearest(name, names.lexicons) or "declare it in the front matter: `lexicons: {NAME: path}`",
        )
    kind = names.lexicons[name]
    if kind is LEXICON_KINDS[role]:
        return None
    return RuleProblem(
        code="C029",
        span=argument.at,
        message=f"{quoted(name)} is a lexicon of {kind}, and this needs one of {LEXICON_KINDS[role]}",
        label=f"has the kind `{kind}`",
        help=f"declare it as `{{file: path, kind: {LEXICON_KINDS[role]}}}`, or use `{_READERS[kind.value]}`",
    )


_READERS: Final = {"phrases": "saysAny", "domains": "under", "exact": "anyIn"}


def _check_clause(role: Role, argument: Expression, names: Names) -> RuleProblem | None:
    name = _literal_text(argument)
    if name is None:
        return _open("C030", argument, "a clause's id")
    if name not in names.clauses:
        return RuleProblem(
            code="C030",
            span=argument.at,
            message=f"unknown clause {quoted(name)}",
            label="not a clause of this agreement",
            help=nearest(name, names.clauses - {names.own}) or "this agreement has no other clause",
        )
    if role is Role.CLAUSE and ClauseId(name) == names.own:
        return RuleProblem(
            code="C031",
            span=argument.at,
            message="a rule cannot count breaches of its own clause",
            label="is this clause",
            help="let points and the ladder count repetition, or count another clause",
        )
    return None


def _check_zone(argument: Expression) -> RuleProblem | None:
    zone = _literal_text(argument)
    if zone is not None and (_OFFSET.fullmatch(zone) or zone in _zones()):
        return None
    if zone is None:
        return _open("C033", argument, "a time zone")
    return RuleProblem(
        code="C033",
        span=argument.at,
        message=f"unknown time zone {quoted(zone)}",
        label="not a name of the IANA time zone database",
        help=_nearest_zone(zone),
    )


def _nearest_zone(zone: str) -> str:
    found = nearest(zone, (name.lower() for name in _zones()))
    near = {name.lower(): name for name in _zones()}.get(found[found.find("`") + 1 : found.rfind("`")])
    return f"did you mean `{near}`?" if near else 'write a name such as "Europe/Berlin", or an offset such as "+02:00"'


@cache
def _zones() -> frozenset[str]:
    """The names in the `tzdata` package: the same on every machine, whatever its system knows."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


def _check_word(role: Role, argument: Expression) -> RuleProblem | None:
    word = _literal_text(argument)
    if word is None:
        return _open("C034", argument, str(role.value))
    if role is Role.KEY and word:
        return None
    if role is Role.LANGUAGE and _TAG.fullmatch(word):
        return None
    return RuleProblem(
        code="C034",
        span=argument.at,
        message=f"{quoted(word)} is not {role.value}" if word else "the name is empty",
        label="names nothing",
        help='write a language such as "de" or "pt-BR"'
        if role is Role.LANGUAGE
        else "name a key that the source sends",
    )


def _open(code: str, argument: Expression, what: str) -> RuleProblem | None:
    if argument.type not in (Type.STRING, Type.NULL) or isinstance(argument, Literal):
        return None  # the checker reports the type
    return RuleProblem(
        code=code,
        span=argument.at,
        message=f"{what} must be written out",
        label="not a literal",
        help='write it in quotes: `"..."`',
    )


def _literal_text(argument: Expression) -> str | None:
    return argument.value if isinstance(argument, Literal) and isinstance(argument.value, str) else None
