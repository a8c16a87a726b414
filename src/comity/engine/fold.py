"""Folded text, `fold/1`: what text is compared as, everywhere that wording matters.

NFKC, lower case, characters that show nothing removed, look-alikes of ASCII letters and digits mapped in words that
mix scripts, runs of white space made one space. Folding twice changes nothing. Where matches are and what words are
is decided in `words`. Characters newer than the running Python's Unicode data fold to themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from comity.engine.databases import Patterns
from comity.engine.joined import foreign_in
from comity.engine.lookalikes import ASCII, FOREIGN
from comity.model.expression import Span

FOLD_VERSION: Final = "fold/1"

_INVISIBLE: Final = re.compile(  # category Cf, and what else Unicode calls default ignorable (fillers, selectors)
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]"
    "|[\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_SPACES: Final = re.compile(r"  +")
_WHITE_IN_ASCII: Final = {code: " " for code in range(128) if chr(code).isspace()}
_WHITE: Final = re.compile(r"\s{2,}|[^\S ]")
_FOREIGN: Final = re.compile(f"[{''.join(c for c in FOREIGN if c < chr(0x10000))}]|[\U00010000-\U0001ffff]")
_MEETING: Final = re.compile(r"[0-9A-Za-z][^\x00-\x7f]|[^\x00-\x7f][0-9A-Za-z]")
_CHUNK: Final = re.compile(r"[^\s!-/:-@\[-`{-~]+")
_LONGEST_KNOWN: Final = 32
_MOST_PIECES: Final = 12
_LONGEST_TEXT_KNOWN: Final = 2000
LONGEST_FOREIGN_KNOWN: Final = 48
"""Bytes of what is not ASCII's in a text, up to which it is remembered what becomes of them."""
_WHITE_TO_SPACE: Final = bytes(32 if code < 128 and chr(code).isspace() else code for code in range(256))
_TO_BE_SPACED: Final = Patterns({r"[\t-\r\x1c-\x1f]|  ": 1}, kind="row")  # found quicker than by `in`
_LOOKALIKES: Final = dict(zip(map(ord, FOREIGN), ASCII, strict=True))
_SAME_SCRIPT: Final = {
    **dict.fromkeys(("ARABIC-INDIC", "EXTENDED"), "ARABIC"),  # the names of Arabic digits
    **dict.fromkeys(("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "BOPOMOFO", "HANGUL"), "CJK"),
    **dict.fromkeys(("MODIFIER", "DIGIT", "SUPERSCRIPT", "SUBSCRIPT", "VULGAR", "FRACTION"), ""),
}


def fold(text: str) -> str:
    """`text` as it is compared. Linear in its length."""
    return _folded(text) if text.isascii() else _known_fold(text) if len(text) <= _LONGEST_TEXT_KNOWN else _fold(text)


def _folded(text: str) -> str:
    """Where nothing but case and white space is to be folded."""
    folded = text.lower()
    raw = folded.encode()
    return spaced(raw).decode() if _TO_BE_SPACED.bits_in(raw) else folded


def spaced(raw: bytes) -> bytes:
    """With runs of ASCII's white space made one space."""
    if _TO_BE_SPACED.bits_in(raw):
        raw = raw.translate(_WHITE_TO_SPACE)
        while b"  " in raw:
            raw = raw.replace(b"  ", b" ")
    return raw


def _fold(text: str) -> str:
    """Nothing acts across a space, so that only pieces with characters that are not folded on their own are slow."""
    raw = text.encode()
    foreign = foreign_in(raw)
    seen = seen_in(foreign)
    pieces = _pieces_with(seen.others, raw, len(foreign))
    if len(pieces) > _MOST_PIECES:
        return _fold_whole(text)
    folded, done = [], 0
    for start, end in sorted(pieces.items()):
        folded += [on_their_own(raw[done:start], seen), _fold_piece(raw[start:end].decode()).encode()]
        done = end
    return spaced(b"".join([*folded, on_their_own(raw[done:], seen)])).decode()


def _pieces_with(characters: Iterable[bytes], raw: bytes, foreign: int) -> dict[int, int]:
    """Where the pieces between spaces that have one of the characters begin and end.

    `foreign`: the bytes of all that is not ASCII's. Mostly one piece has them all.
    """
    pieces: dict[int, int] = {}
    for character in characters:
        at = raw.find(character)
        while at >= 0 and len(pieces) <= _MOST_PIECES:
            start, end = raw.rfind(b" ", 0, at) + 1, raw.find(b" ", at)
            end = len(raw) if end < 0 else end
            if not pieces and len(foreign_in(raw[start:end])) == foreign:
                return {start: end}
            pieces[start] = end
            at = raw.find(character, end)
    return pieces


def on_their_own(raw: bytes, seen: Seen) -> bytes:
    """A text in UTF-8 of characters that are folded on their own, folded but for white space."""
    folded = raw.lower()
    for character, lower in seen.replaced:
        folded = folded.replace(character, lower)
    return folded


_known_fold = lru_cache(maxsize=2048)(_fold)  # what a batch is searched for is counted in windows too


class Seen(NamedTuple):
    """Of characters that are not ASCII's, in UTF-8: what some are folded to on their own, and which are not."""

    replaced: tuple[tuple[bytes, bytes], ...]
    moves_spaces: bool
    """One becomes a space, or nothing, so that spaces may meet."""
    others: tuple[bytes, ...]


def seen_in(foreign: bytes) -> Seen:
    """`foreign`: what `foreign_in` says: mostly few characters, and the same ones again and again."""
    return _known_seen(foreign) if len(foreign) <= LONGEST_FOREIGN_KNOWN else _seen(foreign)


def _seen(foreign: bytes) -> Seen:
    alone = {character: on_its_own(character) for character in set(foreign.decode())}
    lowered = {character: seen.lower() for character, seen in alone.items() if seen is not None}
    return Seen(
        replaced=tuple((one.encode(), lower.encode()) for one, lower in lowered.items() if lower != one),
        moves_spaces=any(not lower or " " in lower for lower in lowered.values()),
        others=tuple(one.encode() for one, seen in alone.items() if seen is None),
    )


_known_seen = lru_cache(maxsize=4096)(_seen)


@lru_cache(maxsize=8192)
def on_its_own(character: str) -> str | None:
    """What folds it but for case, if neither neighbours nor script matter among characters of the kind; else None.

    Kept out are what may compose with a neighbour, and letters and digits of scripts with look-alikes of ASCII's.
    """
    if _INVISIBLE.match(character):
        return ""
    normal, lower = unicodedata.normalize("NFKC", character), character.lower()
    if normal.isascii() or normal.isspace():
        return normal if not normal.isspace() else " "
    is_plain = normal == character and _starts_afresh(character) and _script(character) in ("", "LATIN")
    is_lower_plain = len(lower) == 1 and lower == unicodedata.normalize("NFKC", lower) and lower == _lower(lower)
    return character if is_plain and is_lower_plain and _script(lower) == _script(character) else None


def _fold_piece(piece: str) -> str:
    return _known_piece(piece) if len(piece) <= _LONGEST_KNOWN else _fold_whole(piece)


def _fold_whole(text: str) -> str:
    while (once := _fold_once(text)) != text:  # composing may enable a look-alike and the other way round
        text = once
    return text


def _fold_once(text: str) -> str:
    visible = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return _WHITE.sub(" ", _lower(_without_lookalikes(visible)))


def _lower(text: str) -> str:
    """Lower case that does not depend on neighbours: a final sigma is a sigma."""
    return text.lower().replace("ς", "σ")


def _without_lookalikes(text: str) -> str:
    """As long as `text`."""
    if text.isascii() or not _FOREIGN.search(text) or not _may_mix_scripts(text):
        return text
    return _CHUNK.sub(_chunk_without, text)


def _may_mix_scripts(text: str) -> bool:
    """Whether a word may: quickly no for most texts in one script with words of ASCII between."""
    return _MEETING.search(text) is not None or _mixes_scripts("".join(c for c in set(text) if c > "\x7f"))


def _chunk_without(found: re.Match[str]) -> str:
    chunk = found[0]
    if chunk.isascii():
        return chunk
    return _known_chunk(chunk) if len(chunk) <= _LONGEST_KNOWN else _seen_through(chunk)


def _seen_through(chunk: str) -> str:
    """A chunk holds whole words, and seldom several: only where scripts mix are they looked at one by one."""
    if not _mixes_scripts(chunk):
        return chunk
    mapped, done = [], 0
    for start, end in _words(chunk):
        word = chunk[start:end]
        mapped += [chunk[done:start], word.translate(_LOOKALIKES) if _mixes_scripts(word) else word]
        done = end
    return "".join([*mapped, chunk[done:]])


_known_chunk = lru_cache(maxsize=16384)(_seen_through)


def _words(text: str) -> Iterator[tuple[int, int]]:
    """The runs of letters, marks and digits."""
    start = None
    for index, character in enumerate(text):
        if _is_of_word(character):
            start = index if start is None else start
        elif start is not None:
            yield start, index
            start = None
    if start is not None:
        yield start, len(text)


@lru_cache(maxsize=8192)
def _is_of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _mixes_scripts(word: str) -> bool:
    return len({script for character in set(word) if (script := _script(character))}) > 1


@lru_cache(maxsize=8192)
def _script(character: str) -> str:
    """The first word of the character's Unicode name; "" for what is no letter or digit, or is every script's."""
    if unicodedata.category(character)[0] not in "LN":
        return ""
    first = unicodedata.name(character, "").split(" ")[0]
    return _SAME_SCRIPT.get(first, first)


_known_piece = lru_cache(maxsize=16384)(_fold_whole)


class Folded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A folded text that knows where each of its characters stood in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def original(self, start: int, end: int) -> Span:
        """The half-open span of the original that the folded characters `start` to `end` came from."""
        if start >= end:
            return Span(start=0, end=0)
        return Span(start=self.starts[start], end=self.ends[end - 1])


@lru_cache(maxsize=4)  # one message's fields are searched for many phrases
def fold_with_spans(text: str) -> Folded:
    """`fold`, and where each character came from. Nothing acts across a space: other pieces than ASCII's are slow."""
    if text.isascii() and b"  " not in (plain := text.encode().lower().translate(_WHITE_TO_SPACE)):
        return Folded(text=plain.decode(), starts=range(len(text)), ends=range(1, len(text) + 1))
    folded, starts, ends, done = list[str](), list[int](), list[int](), 0
    for first, last in _foreign_pieces(text):
        piece = _known_spans(text[first:last])
        folded += (_lower_and_white(text[done:first]), piece.text)
        starts += (*range(done, first), *(first + start for start in piece.starts))
        ends += (*range(done + 1, first + 1), *(first + end for end in piece.ends))
        done = last
    folded.append(_lower_and_white(text[done:]))
    starts += range(done, len(text))
    ends += range(done + 1, len(text) + 1)
    return _spaced_once(Folded(text="".join(folded), starts=starts, ends=ends))


def _foreign_pieces(text: str) -> Iterator[tuple[int, int]]:
    """Where what stands between spaces and is not all ASCII begins and ends."""
    end = 0
    while found := _NOT_ASCII.search(text, end):
        start = text.rfind(" ", end, found.start()) + 1 or end
        end = text.find(" ", found.start())
        end = len(text) if end < 0 else end
        yield start, end


def _lower_and_white(text: str) -> str:
    """As long as `text`, which is ASCII's."""
    return text.lower().translate(_WHITE_IN_ASCII)


def _spaced_once(folded: Folded) -> Folded:
    """Runs of spaces made one."""
    text, starts, ends, done = list[str](), list[int](), list[int](), 0
    for run in _SPACES.finditer(folded.text):
        text.append(folded.text[done : run.start() + 1])
        starts += folded.starts[done : run.start() + 1]
        ends += (*folded.ends[done : run.start()], folded.ends[run.end() - 1])
        done = run.end()
    if not done:
        return folded
    text.append(folded.text[done:])
    return Folded(text="".join(text), starts=[*starts, *folded.starts[done:]], ends=[*ends, *folded.ends[done:]])


@lru_cache(maxsize=1024)
def _known_spans(piece: str) -> Folded:
    folded = Folded(text=piece, starts=range(len(piece)), ends=range(1, len(piece) + 1))
    while (once := _spans_once(folded)).text != folded.text:
        folded = once
    return folded


def _spans_once(before: Folded) -> Folded:
    pieces = [(unicodedata.normalize("NFKC", piece), start, end) for piece, start, end in _composable(before)]
    flat = [(character, start, end) for piece, start, end in pieces for character in piece]
    seen = _without_lookalikes("".join(character for character, _, _ in flat))
    lowered = [
        (lower, start, end)
        for character, (_, start, end) in zip(seen, flat, strict=True)
        for lower in _lower(character)
    ]
    kept: list[tuple[str, int, int]] = []
    for character, start, end in lowered:
        if character.isspace() and kept and kept[-1][0] == " ":
            kept[-1] = (" ", kept[-1][1], end)
        else:
            kept.append((" " if character.isspace() else character, start, end))
    return Folded(text="".join(c for c, _, _ in kept), starts=[s for _, s, _ in kept], ends=[e for _, _, e in kept])


def _composable(before: Folded) -> Iterator[tuple[str, int, int]]:
    """Pieces that normalise on their own: a character and all that may compose with it."""
    piece, start, end = "", 0, 0
    for character, first, last in zip(before.text, before.starts, before.ends, strict=True):
        if _INVISIBLE.match(character):
            continue
        if piece and _starts_afresh(character):
            yield piece, start, end
            piece = ""
        start = start if piece else first
        piece, end = piece + character, last
    if piece:
        yield piece, start, end


@lru_cache(maxsize=8192)
def _starts_afresh(character: str) -> bool:
    first = unicodedata.normalize("NFKC", character)[0]
    is_jamo = "\u1160" <= first <= "\u11ff"
    return not is_jamo and unicodedata.combining(first) == 0 and unicodedata.category(first)[0] != "M"
