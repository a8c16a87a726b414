"""A message as rules read it: every variable of the language, and what several rules share, each made at most once.

Everything is computed when first asked for. A compiled plan adds what its own rules share (see `compile`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ClassVar, Final, Generic, TypeVar, overload

from comity.agreement.language import MOST
from comity.engine import links as found
from comity.engine import quotes
from comity.engine.fold import fold
from comity.engine.scan import Entries
from comity.engine.windows import Window
from comity.model.message import Message

T = TypeVar("T")

UNKNOWN_AGE: Final = timedelta(days=100 * 365)
_NO_AGE: Final = timedelta()
"""`author.age` where it is not known: nobody is new because something is unknown."""


class feature(Generic[T]):  # noqa: N801 (reads as a decorator)
    """A method's answer, kept in the instance after the first call (`cached_property` without its lock)."""

    def __init__(self, make: Callable[[Reading], T]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, reading: None, owner: type) -> feature[T]: ...
    @overload
    def __get__(self, reading: Reading, owner: type) -> T: ...
    def __get__(self, reading: Reading | None, owner: type) -> feature[T] | T:
        if reading is None:
            return self
        made = reading.__dict__[self._name] = self._make(reading)
        return made


def age_of(message: Message) -> timedelta:
    created = message.author_created
    if created is None:
        return UNKNOWN_AGE
    age = message.sent - created
    return age if age > _NO_AGE else _NO_AGE


def reach_of(message: Message) -> int:
    return min(max(message.reach, 0), MOST)


def most_links(message: Message, has_www: int) -> int:
    """No fewer than there are; so with the three below. `has_www`: 0 if `www.` was searched for and not found."""
    if message.links is not None:
        return len(message.links)
    return message.text.count("://") + (message.text.lower().count(found.WWW) if has_www else 0)


def most_domains(message: Message, has_www: int) -> int:
    return most_links(message, has_www) if message.domains is None else len(message.domains)


def most_mentions(message: Message) -> int:
    return message.text.count("@") if message.mentions is None else len(message.mentions)


def most_hashtags(message: Message) -> int:
    given = message.hashtags
    return message.text.count("#") + message.text.count("＃") if given is None else len(given)


def unquoted_of(message: Message) -> str:
    return quotes.unquoted(message.text) if message.unquoted is None else message.unquoted


class Reading:
    """One message and the counts of its windows, under the names that generated code uses."""

    lexicons: ClassVar[Mapping[str, Entries]] = MappingProxyType({})
    """The version's lexicons; a plan's own readings have them."""

    every_hit: ClassVar[int] = 0
    """Of a plan's searches that each may find something, and that none is sure to have (see `sieve`)."""

    def __init__(self, message: Message, counts: Mapping[Window, int | float], hits: int | None = None) -> None:
        self.message = message
        self.counts = counts
        self.hits = self.every_hit if hits is None else hits
        self.text: str = message.text
        self.channel: str = message.channel

    @feature
    def subject(self) -> str:
        return self.message.subject

    @feature
    def unquoted(self) -> str:
        return unquoted_of(self.message)

    @feature
    def sent(self) -> datetime:
        return self.message.sent

    @feature
    def language(self) -> str:
        return self.message.language

    @feature
    def links(self) -> tuple[str, ...]:
        given = self.message.links
        return found.links(self.text) if given is None else tuple(given)

    @feature
    def domains(self) -> tuple[str, ...]:
        given = self.message.domains
        return found.domains(self.links) if given is None else tuple(map(found.domain, given))

    @feature
    def mentions(self) -> tuple[str, ...]:
        given = self.message.mentions
        return found.mentions(self.text) if given is None else tuple(name.removeprefix("@").lower() for name in given)

    @feature
    def hashtags(self) -> tuple[str, ...]:
        given = self.message.hashtags
        return found.hashtags(self.text) if given is None else tuple(tag.removeprefix("#").lower() for tag in given)

    @feature
    def to(self) -> tuple[str, ...]:
        return tuple(self.message.to)

    @feature
    def hashes(self) -> tuple[str, ...]:
        return tuple(self.message.hashes)

    @feature
    def attachments(self) -> tuple[str, ...]:
        return tuple(self.message.attachments)

    @feature
    def reach(self) -> int:
        return reach_of(self.message)

    @feature
    def is_reply(self) -> bool:
        return self.message.is_reply

    @feature
    def edit_of(self) -> str:
        return self.message.edit_of

    @feature
    def meta(self) -> Mapping[str, str]:
        return self.message.meta

    @feature
    def author_age(self) -> timedelta:
        return age_of(self.message)

    @feature
    def author_roles(self) -> tuple[str, ...]:
        return tuple(self.message.author_roles)

    @feature
    def author_labels(self) -> tuple[str, ...]:
        return tuple(self.message.author_labels)

    @feature
    def folded_text(self) -> str:
        return fold(self.text)

    @feature
    def folded_subject(self) -> str:
        return fold(self.subject)

    @feature
    def folded_unquoted(self) -> str:
        return self.folded_text if self.unquoted is self.text else fold(self.unquoted)

    @feature
    def text_bytes(self) -> bytes:
        return self.text.encode()

    @feature
    def subject_bytes(self) -> bytes:
        return self.subject.encode()

    @feature
    def unquoted_bytes(self) -> bytes:
        return self.unquoted.encode()
