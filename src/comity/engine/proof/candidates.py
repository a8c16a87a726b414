"""From the solver's choice to a message with its counts: what it has chosen, and ordinary values for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import z3

from comity.engine.examples import SENT
from comity.engine.proof.lists import Listed
from comity.engine.proof.numbers import EPOCH, MICRO
from comity.engine.proof.symbols import Symbols
from comity.engine.proof.values import Subject
from comity.engine.proof.wording import worded
from comity.engine.reading import UNKNOWN_AGE
from comity.engine.windows import Counted, Window
from comity.model.duration import EARLIEST
from comity.model.ids import Channel
from comity.model.message import Message

TEXTS: Final = ("text", "subject", "unquoted", "language", "channel", "edit_of")
LISTS: Final = (
    *("links", "domains", "mentions", "hashtags", "to", "hashes", "attachments"),
    *("author.roles", "author.labels"),
)
_ORDINARY: Final = {
    "links": "http://example.org/{}",
    "domains": "site{}.example",
    "attachments": "image/png",
    "to": "somebody{}@mail.example",
}
_MOST_ENTRIES: Final = 10_000
_LONGEST_TOTAL: Final = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    message: Message
    counts: Mapping[Window, int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A candidate, or lemmas that rule out the solver's choice."""

    candidate: Candidate | None
    lemmas: tuple[z3.BoolRef, ...]
    work: int


def tried(symbols: Symbols, lists: Mapping[str, Listed], model: z3.ModelRef, channel: Channel) -> Tried:
    """`channel`: where the message is sent if no rule asks for its channel."""
    maker = _Maker(symbols=symbols, lists=lists, model=model)
    fields = {**maker.texts(channel), **maker.lists_of_message(), **maker.rest()}
    if maker.lemmas:
        return Tried(candidate=None, lemmas=tuple(maker.lemmas), work=maker.work)
    message = msgspec.convert({"id": "witness", "author": "somebody", "text": "hello", **fields}, Message)
    return Tried(candidate=Candidate(message=message, counts=maker.counts()), lemmas=(), work=maker.work)


def natural(message: Message) -> Iterator[Message]:
    """The message as a person would write it, what derives from its text left out; the message itself last."""
    if message.links and not message.domains:
        text = " ".join((message.text, *message.links)).strip()
        yield msgspec.structs.replace(message, text=text, links=None, domains=None, unquoted=None)
        yield msgspec.structs.replace(message, text=text, links=None, domains=None)
    if message.unquoted is not None and message.text == "hello":
        yield msgspec.structs.replace(message, text=message.unquoted, unquoted=None)
    if message.domains and not message.links:
        text = " ".join((message.text, *(f"http://{domain}/" for domain in message.domains)))
        yield msgspec.structs.replace(message, text=text, links=None, domains=None)
    yield msgspec.structs.replace(message, links=message.links or None, domains=message.domains or None)
    yield message


def at_other_times(message: Message) -> Iterator[Message]:
    """The message on every day of a week, in every month, at every hour: for rules that read the calendar."""
    age = None if message.author_created is None else message.sent - message.author_created
    days = [
        datetime(year, month, day, 12, tzinfo=UTC)
        for year in (2026, 2028)
        for month in range(1, 13)
        for day in (1, 29 if month != 2 else 28)
    ]
    week = [SENT + timedelta(days=day) for day in range(8)]
    hours = [SENT.replace(hour=hour, minute=30) for hour in range(24)]
    for sent in (*week, *hours, *days):
        created = None if age is None else sent - age
        yield msgspec.structs.replace(message, sent=sent, author_created=created)


@dataclass(slots=True, kw_only=True)
class _Maker:
    symbols: Symbols
    lists: Mapping[str, Listed]
    model: z3.ModelRef
    lemmas: list[z3.BoolRef] = field(default_factory=list)
    work: int = 0

    def _value(self, term: z3.ExprRef) -> z3.ExprRef:
        return self.model.eval(term, model_completion=True)

    def _int(self, name: str, default: int) -> int:
        term = self.symbols.numbers.get(name)
        return default if term is None else self._value(term).as_long()

    def _worded(self, subject: Subject) -> str:
        made = worded(subject, self.model)
        self.lemmas += made.lemmas
        self.work += made.work
        return made.text

    def texts(self, channel: Channel) -> dict[str, object]:
        known = {key: self.symbols.subjects[key] for key in TEXTS if key in self.symbols.subjects}
        made: dict[str, object] = {
            str(key): self._worded(subject) for key, subject in known.items() if subject.traits or subject.measures
        }
        return {"channel": channel, **made}

    def lists_of_message(self) -> dict[str, object]:
        known = {name: self.lists[name] for name in LISTS if name in self.lists}
        return {name.replace(".", "_"): self._entries(listed) for name, listed in known.items()}

    def _entries(self, listed: Listed) -> tuple[str, ...]:
        entries: list[str] = []
        for name, (there, entry) in listed.slots.items():
            if z3.is_true(self._value(there)):
                text = self._worded(entry)
                wanted = min(self._int(f"size of {name}", 1), _MOST_ENTRIES)  # entries that a filter lets pass
                entries += [text] * (wanted - entries.count(text))
        missing = min(self._value(listed.size).as_long(), _MOST_ENTRIES) - len(entries)
        ordinary = _ORDINARY.get(listed.key, "entry{}")
        return (*entries, *(ordinary.format(number + 1) for number in range(missing)))

    def rest(self) -> dict[str, object]:
        sent = self._sent()
        age = timedelta(microseconds=self._int("author.age", UNKNOWN_AGE // MICRO))
        created = None if age == UNKNOWN_AGE else sent - min(age, sent - EARLIEST)
        is_reply = "is_reply" in self.symbols.truths and z3.is_true(self._value(self.symbols.truths["is_reply"]))
        return {
            "sent": sent,
            "author_created": created,
            "reach": self._int("reach", 0),
            "is_reply": is_reply,
            "meta": dict(self._meta()),
        }

    def _sent(self) -> datetime:
        return EPOCH + self._int("sent", (SENT - EPOCH) // MICRO) * MICRO

    def _meta(self) -> Iterator[tuple[str, str]]:
        keys = [key.removeprefix("meta.") for key in self.symbols.subjects if key.startswith("meta.")]
        for key in keys:
            has = self.symbols.truths.get(f"{key!r} in meta")
            text = self._worded(self.symbols.subjects[f"meta.{key}"])
            if text or (has is not None and z3.is_true(self._value(has))):
                yield key, text

    def counts(self) -> dict[Window, int | float]:
        return {window: self._count(window, self._value(term)) for window, term in self.symbols.windows.items()}

    def _count(self, window: Window, value: z3.ExprRef) -> int | float:
        if window.counted is not Counted.TOTAL:
            return value.as_long()
        exact = value.numerator_as_long() / value.denominator_as_long()
        return max(-_LONGEST_TOTAL, min(_LONGEST_TOTAL, exact))


def with_all(windows: Iterable[Window], counts: Mapping[Window, int | float]) -> dict[Window, int | float]:
    """The counts, and those of a first message for the windows that they leave out."""
    return {window: counts.get(window, 1 if window.counted.includes_this_message else 0) for window in windows}
