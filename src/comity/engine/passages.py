"""Where in the original message a search of a rule has found something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

import msgspec

from comity.engine import links, quotes
from comity.engine.fold import Folded, fold_with_spans
from comity.engine.functions import compiled, parent_domains
from comity.engine.reading import Reading
from comity.engine.words import occurrences, phrase
from comity.model.expression import Call, Expression, Literal, Span, Variable
from comity.model.finding import Passage

MOST_PASSAGES: Final = 8
"""Passages shown for one search."""

LONGEST_SEARCHED: Final = 100_000
"""Passages are looked for in so many first characters; what stands beyond is evidence by its value alone."""

_FIELDS: Final = ("text", "subject", "unquoted")
_DOMAINS: Final = "domains"
_LONGEST_WHY: Final = 200


class Search(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call that searches a field of the message for what the rule names, with the rule's words for it."""

    function: str
    field: str
    wanted: str
    words: str


def search_of(expression: Expression, words: str) -> Search | None:
    """None: it searches nothing, or elsewhere."""
    match expression:
        case Call(function="under", args=(Variable(name="domains"), Literal(value=str() as lexicon))):
            return Search(function="under", field=_DOMAINS, wanted=lexicon, words=words)
        case Call(function=function, args=(Variable(name=field, bound=False), Literal(value=str() as wanted))):
            return Search(function=function, field=field, wanted=wanted, words=words) if field in _FIELDS else None
        case _:
            return None


def passages(search: Search, reading: Reading) -> tuple[Passage, ...]:
    """What it found in the message."""
    is_list = search.field == _DOMAINS
    found = _links_under(search.wanted, search.words, reading) if is_list else _in_field(search, reading)
    return tuple(islice(dict.fromkeys(found), MOST_PASSAGES))


def _in_field(search: Search, reading: Reading) -> Iterator[Passage]:
    field, words = search.field, search.words
    whole = reading.text if field == "text" else reading.subject if field == "subject" else reading.unquoted
    text = whole[:LONGEST_SEARCHED]
    shown_field, place = _placing(field, whole, reading)
    for span, what in _found(search.function, text, search.wanted, reading):
        if span.end == LONGEST_SEARCHED < len(whole):
            continue  # the word may go on, and then it is another
        at = span if place is None else place(span)
        why = f"{words}: {what}" if what else words
        yield Passage(field=shown_field, start=at.start, end=at.end, why=why[:_LONGEST_WHY])


def _found(function: str, text: str, wanted: str, reading: Reading) -> Iterable[tuple[Span, str]]:
    """Spans in `text`, each with what was found there where the rule does not say."""
    if function == "says":
        return [(span, "") for span in _phrase_spans(fold_with_spans(text), wanted)]
    return _found_besides(function, text, wanted, reading)


def _found_besides(function: str, text: str, wanted: str, reading: Reading) -> Iterator[tuple[Span, str]]:
    match function:
        case "saysAny":
            folded = fold_with_spans(text)
            for entry in reading.lexicons[wanted].found_in(folded.text):
                yield from [(span, entry) for span in _phrase_spans(folded, entry)]
        case "matches":
            yield from ((span, "") for span in _regex_spans(text, wanted))
        case "contains":
            yield from ((span, "") for span in _literal_spans(text, wanted))
        case _:
            return


def _phrase_spans(folded: Folded, written: str) -> list[Span]:
    found = islice(occurrences(phrase(written), folded.text), MOST_PASSAGES)
    return [folded.original(start, end) for start, end in found]


def _regex_spans(text: str, pattern: str) -> Iterator[Span]:
    """Found in bytes, as when judging: handed a string, RE2's binding miscounts where a match begins in a character."""
    places = range(len(text)) if text.isascii() else [place for place, c in enumerate(text) for _ in c.encode()]
    for match in compiled(pattern).finditer(text.encode()):
        if match.start() < match.end():
            yield Span(start=places[match.start()], end=places[match.end() - 1] + 1)


def _literal_spans(text: str, wanted: str) -> Iterator[Span]:
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        yield Span(start=at, end=at + len(wanted))
        at = text.find(wanted, at + len(wanted))


def _links_under(lexicon: str, words: str, reading: Reading) -> Iterator[Passage]:
    """The links whose domain the lexicon holds, where links and domains are the text's own."""
    if reading.message.links is not None or reading.message.domains is not None:
        return
    parents = parent_domains(reading.lexicons[lexicon].written)
    for span in links.link_spans(reading.text[:LONGEST_SEARCHED]):
        for domain in links.domains([reading.text[span.start : span.end]]):
            if links.is_under(domain, parents):
                yield Passage(field="text", start=span.start, end=span.end, why=f"{words}: {domain}"[:_LONGEST_WHY])


def _placing(field: str, text: str, reading: Reading) -> tuple[str, Callable[[Span], Span] | None]:
    """The field that a passage names, and how a span of the searched text is placed in it; None: as it is."""
    if field != "unquoted" or reading.message.unquoted is not None:
        return field, None
    pieces = quotes.own_spans(reading.text) if text != reading.text else (Span(start=0, end=len(text)),)
    indexes = (index for piece in pieces for index in range(piece.start, piece.end))
    places = list(islice(indexes, LONGEST_SEARCHED))
    return "text", lambda span: Span(start=places[span.start], end=places[span.end - 1] + 1) if places else span
