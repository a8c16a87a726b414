"""Where in the original message a search of a rule has found something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from comity.engine import links, quotes
from comity.engine.fold import Folded, fold_with_spans
from comity.engine.functions import compiled, parent_domains
from comity.engine.reading import Reading
from comity.engine.words import occurrences, phrase
from comity.model.expression import Call, Literal, Span, Variable
from comity.model.finding import Passage

MOST_PASSAGES: Final = 8
"""Passages shown for one search."""

LONGEST_SEARCHED: Final = 100_000
"""Passages are looked for in so many first characters; what stands beyond is evidence by its value alone."""

_FIELDS: Final = ("text", "subject", "unquoted")
_LONGEST_WHY: Final = 200


def passages(call: Call, words: str, reading: Reading) -> tuple[Passage, ...]:
    """What the call, written as `words` in the rule, found in a field of the message; () if it searched elsewhere."""
    match call.args:
        case (Variable(name="domains"), Literal(value=str() as lexicon)) if call.function == "under":
            found = _links_under(lexicon, words, reading)
        case (Variable(name=field, bound=False), Literal(value=str() as wanted)) if field in _FIELDS:
            found = _in_field(call.function, field, wanted, words, reading)
        case _:
            return ()
    return tuple(islice(dict.fromkeys(found), MOST_PASSAGES))


def _in_field(function: str, field: str, wanted: str, words: str, reading: Reading) -> Iterator[Passage]:
    whole = _whole(field, reading)
    text = whole[:LONGEST_SEARCHED]
    shown_field, place = _placing(field, whole, reading)
    for span, what in _found(function, text, wanted, reading):
        if span.end == LONGEST_SEARCHED < len(whole):
            continue  # the word may go on, and then it is another
        at = span if place is None else place(span)
        why = f"{words}: {what}" if what else words
        yield Passage(field=shown_field, start=at.start, end=at.end, why=why[:_LONGEST_WHY])


def _whole(field: str, reading: Reading) -> str:
    match field:
        case "text":
            return reading.text
        case "subject":
            return reading.subject
        case _:
            return reading.unquoted


def _found(function: str, text: str, wanted: str, reading: Reading) -> Iterator[tuple[Span, str]]:
    """Spans in `text`, each with what was found there where the rule does not say."""
    match function:
        case "says":
            yield from [(span, "") for span in _phrase_spans(fold_with_spans(text), wanted)]
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
