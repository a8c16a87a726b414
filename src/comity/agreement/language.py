"""The rule language's words: every variable and function, once, for the checker, the engine and the documentation.

What CEL itself brings is in `standard`; how a call's literal arguments are checked follows from their `Role`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from comity.model.agreement import LexiconKind
from comity.model.expression import Type

LONGEST_WINDOW: Final = timedelta(days=400)
LONGEST_DURATION: Final = timedelta(days=3650)  # 10 years
MOST: Final = 2**31
"""The largest size or count. INVARIANT: the engine cuts what it counts to this, since rules rely on it."""


class Shape(StrEnum):
    """A declared type, in CEL's notation."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    DURATION = "duration"
    TIMESTAMP = "timestamp"
    STRINGS = "list(string)"
    META = "map(string, string)"

    @property
    def type(self) -> Type:
        match self:
            case Shape.STRINGS:
                return Type.LIST
            case Shape.META:
                return Type.MAP
            case _:
                return Type(self.value)


class Role(StrEnum):
    """What an argument is for. All but `ANY` must be literals, so that nothing about them is left to run time."""

    ANY = "any value"
    TEXT = "the variable `text`"
    COUNT = "a whole number"
    WINDOW = "a window"
    PHRASE = "a phrase"
    PATTERN = "a pattern"
    PHRASES = "a lexicon of phrases"
    DOMAINS = "a lexicon of domains"
    EXACT = "a lexicon of exact entries"
    CLAUSE = "a clause id"
    NOTICED = "a clause id, this one's own too"
    KEY = "a key of `meta`"
    LANGUAGE = "a language tag"
    ZONE = "a time zone"


LEXICON_KINDS: Final = {
    Role.PHRASES: LexiconKind.PHRASES,
    Role.DOMAINS: LexiconKind.DOMAINS,
    Role.EXACT: LexiconKind.EXACT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredVariable:
    """What a message brings. `is_message` is false for what a rule about conduct may read too."""

    name: str
    shape: Shape
    doc: str
    is_message: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    name: str
    shape: Shape
    role: Role = Role.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """`parameters` has the receiver first where there is one; `id` is what `Call.overload` holds."""

    id: str
    parameters: tuple[Parameter, ...]
    result: Shape
    doc: str


class History(StrEnum):
    """What a function knows of earlier messages: nothing, this message's like, or the author's conduct."""

    NONE = "none"
    OF_MESSAGE = "of the message"
    OF_CONDUCT = "of conduct"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFunction:
    name: str
    overloads: tuple[Overload, ...]
    is_receiver: bool = False  # called as `receiver.name(...)`
    history: History = History.NONE


VARIABLES: Final = {
    variable.name: variable
    for variable in (
        DeclaredVariable(name="text", shape=Shape.STRING, doc="the message's text"),
        DeclaredVariable(name="unquoted", shape=Shape.STRING, doc="the text without quoted lines and forwarded parts"),
        DeclaredVariable(name="subject", shape=Shape.STRING, doc="the subject of a mail or thread"),
        DeclaredVariable(name="channel", shape=Shape.STRING, doc="the channel it came over", is_message=False),
        DeclaredVariable(name="sent", shape=Shape.TIMESTAMP, doc="when it was sent", is_message=False),
        DeclaredVariable(name="language", shape=Shape.STRING, doc="its BCP 47 tag, `und` if the source gave none"),
        DeclaredVariable(name="links", shape=Shape.STRINGS, doc="the addresses it links to"),
        DeclaredVariable(name="domains", shape=Shape.STRINGS, doc="the domains of its links, lower case, without port"),
        DeclaredVariable(name="mentions", shape=Shape.STRINGS, doc="the accounts it mentions, lower case, without `@`"),
        DeclaredVariable(name="hashtags", shape=Shape.STRINGS, doc="its hashtags, lower case, without `#`"),
        DeclaredVariable(name="to", shape=Shape.STRINGS, doc="its recipients"),
        DeclaredVariable(name="hashes", shape=Shape.STRINGS, doc="hashes of its attachments, as the source gave them"),
        DeclaredVariable(name="attachments", shape=Shape.STRINGS, doc="the media types of its attachments"),
        DeclaredVariable(name="reach", shape=Shape.INT, doc="the size of its audience, at most 2^31"),
        DeclaredVariable(name="is_reply", shape=Shape.BOOL, doc="whether it answers another message"),
        DeclaredVariable(name="edit_of", shape=Shape.STRING, doc="the id of the message that it edits, else empty"),
        DeclaredVariable(
            name="author.age",
            shape=Shape.DURATION,
            doc="the age of the author's account, 100 years if unknown",
            is_message=False,
        ),
        DeclaredVariable(
            name="author.roles", shape=Shape.STRINGS, doc="the author's roles, such as `staff`", is_message=False
        ),
        DeclaredVariable(
            name="author.labels", shape=Shape.STRINGS, doc="labels that others gave the author", is_message=False
        ),
        DeclaredVariable(name="meta", shape=Shape.META, doc="what the source sends along, by key"),
    )
}


_TEXT: Final = Parameter(name="text", shape=Shape.STRING)
_ONLY_TEXT: Final = Parameter(name="text", shape=Shape.STRING, role=Role.TEXT)
_SITES: Final = Parameter(name="domains", shape=Shape.STRINGS)
_ENTRIES: Final = Parameter(name="hashes", shape=Shape.STRINGS)
_SPOKEN: Final = Parameter(name="language", shape=Shape.STRING)
_META: Final = Parameter(name="meta", shape=Shape.META)
_KEY: Final = Parameter(name="key", shape=Shape.STRING, role=Role.KEY)
_WINDOW: Final = Parameter(name="window", shape=Shape.DURATION, role=Role.WINDOW)
_CLAUSE: Final = Parameter(name="id", shape=Shape.STRING, role=Role.CLAUSE)
_NOTICED: Final = Parameter(name="id", shape=Shape.STRING, role=Role.NOTICED)


def _one(name: str, id_: str, parameters: tuple[Parameter, ...], result: Shape, doc: str) -> DeclaredFunction:
    return DeclaredFunction(
        name=name,
        overloads=(Overload(id=id_, parameters=parameters, result=result, doc=doc),),
        is_receiver=parameters[0].shape in (Shape.STRING, Shape.STRINGS, Shape.META),
    )


def _windowed(
    name: str,
    id_: str,
    parameters: tuple[Parameter, ...],
    doc: str,
    *,
    history: History = History.OF_CONDUCT,
    result: Shape = Shape.INT,
) -> DeclaredFunction:
    return DeclaredFunction(
        name=name,
        overloads=(Overload(id=id_, parameters=(*parameters, _WINDOW), result=result, doc=doc),),
        is_receiver=parameters[:1] == (_ONLY_TEXT,),
        history=history,
    )


def _counted(name: str, id_: str, key: Parameter, doc: str, doc_of_one: str) -> DeclaredFunction:
    return DeclaredFunction(
        name=name,
        overloads=(
            Overload(id=id_, parameters=(_WINDOW,), result=Shape.INT, doc=doc),
            Overload(id=f"{id_}_id", parameters=(key, _WINDOW), result=Shape.INT, doc=doc_of_one),
        ),
        history=History.OF_CONDUCT,
    )


def _length(name: str) -> DeclaredFunction:
    count = Parameter(name="n", shape=Shape.INT, role=Role.COUNT)
    return _one(name, f"{name}_int", (count,), Shape.DURATION, f"a duration of n {name}")


def _lexicon(role: Role) -> Parameter:
    return Parameter(name="lexicon", shape=Shape.STRING, role=role)


_PHRASE: Final = Parameter(name="phrase", shape=Shape.STRING, role=Role.PHRASE)
_TAG: Final = Parameter(name="tag", shape=Shape.STRING, role=Role.LANGUAGE)
_INTS: Final = tuple(Parameter(name=name, shape=Shape.INT) for name in "ab")
_DOUBLES: Final = tuple(Parameter(name=name, shape=Shape.DOUBLE) for name in "ab")

FUNCTIONS: Final = {
    function.name: function
    for function in (
        _one("says", "text_says", (_TEXT, _PHRASE), Shape.BOOL, "whether the folded text has the phrase"),
        _one(
            "saysAny",
            "text_says_any",
            (_TEXT, _lexicon(Role.PHRASES)),
            Shape.BOOL,
            "whether the folded text has a phrase of the lexicon",
        ),
        _one(
            "capitals", "text_capitals", (_TEXT,), Shape.DOUBLE, "the share of capitals among the letters, 0.0 to 1.0"
        ),
        _one("repeats", "text_repeats", (_TEXT,), Shape.INT, "the length of the longest run of one character"),
        _windowed(
            "copies",
            "text_copies",
            (_ONLY_TEXT,),
            "messages with the same folded text, this one included",
            history=History.OF_MESSAGE,
        ),
        _windowed(
            "copiers",
            "text_copiers",
            (_ONLY_TEXT,),
            "distinct authors of the same folded text, this one included",
            history=History.OF_MESSAGE,
        ),
        _one(
            "under",
            "list_under",
            (_SITES, _lexicon(Role.DOMAINS)),
            Shape.BOOL,
            "whether one of the domains is in the lexicon, or below one that is",
        ),
        _one(
            "anyIn",
            "list_any_in",
            (_ENTRIES, _lexicon(Role.EXACT)),
            Shape.BOOL,
            "whether one of the entries is in the lexicon, compared as is",
        ),
        _one(
            "speaks",
            "language_speaks",
            (_SPOKEN, _TAG),
            Shape.BOOL,
            "whether the language is the tag or a subtag of it",
        ),
        _windowed("author.messages", "author_messages", (), "the author's messages, this one included"),
        _windowed(
            "author.copies",
            "author_copies",
            (),
            "the author's messages with the same folded text, this one included",
            history=History.OF_MESSAGE,
        ),
        _windowed("author.recipients", "author_recipients", (), "distinct recipients of the author's messages"),
        _windowed(
            "author.total",
            "author_total",
            (_KEY,),
            "the sum of a `meta` number over the author's messages",
            result=Shape.DOUBLE,
        ),
        _windowed(
            "author.same",
            "author_same",
            (_KEY,),
            "the author's messages with this message's `meta` value, 0 if that is empty",
            history=History.OF_MESSAGE,
        ),
        _windowed(
            "authors.same",
            "authors_same",
            (_KEY,),
            "distinct authors with this message's `meta` value, 0 if that is empty",
            history=History.OF_MESSAGE,
        ),
        _counted(
            "author.breaches",
            "author_breaches",
            _CLAUSE,
            "the author's breaches of all other clauses",
            "the author's breaches of the clause, which is another one",
        ),
        _counted(
            "author.notices",
            "author_notices",
            _NOTICED,
            "notices about the author that a reviewer upheld",
            "notices about the author that a reviewer upheld as breaches of the clause",
        ),
        _one("get", "meta_get", (_META, _KEY), Shape.STRING, "the value of the key, empty if missing"),
        _one("number", "meta_number", (_META, _KEY), Shape.DOUBLE, "the key's number, 0.0 if missing or not finite"),
        DeclaredFunction(
            name="share",
            overloads=(
                Overload(
                    id="share_int",
                    parameters=_INTS,
                    result=Shape.DOUBLE,
                    doc="one int divided by another, 0.0 if b is 0",
                ),
                Overload(
                    id="share_double",
                    parameters=_DOUBLES,
                    result=Shape.DOUBLE,
                    doc="the same of doubles, 0.0 if b is 0.0",
                ),
            ),
        ),
        _length("seconds"),
        _length("minutes"),
        _length("hours"),
        _length("days"),
    )
}

ROLES: Final = {
    overload.id: tuple(parameter.role for parameter in overload.parameters)
    for function in FUNCTIONS.values()
    for overload in function.overloads
}
"""The roles of a call's arguments, receiver first, by overload id."""

LENGTHS: Final = frozenset({"seconds", "minutes", "hours", "days"})
"""Functions that make a duration of a number; a checked rule holds the duration as a literal."""
