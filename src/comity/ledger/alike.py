"""What entries have in common that differ in ids and hashes alone: most of an hour do, and then one is read for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Final, Generic, TypeVar

_IDS: Final = re.compile(rb':"[0-9a-f]{32}"')  # after a colon no name can stand, for which digits would not do
_HASHES: Final = re.compile(rb':"[0-9a-f]{64}"')
_ZERO_ID: Final = b':"%b"' % (b"0" * 32)
_ZERO_HASH: Final = b':"%b"' % (b"0" * 64)
_EITHER: Final = re.compile(rb'(?<=:")(?:[0-9a-f]{32}|[0-9a-f]{64})(?=")')
_EDGES: Final = (b':"', b'"')
_COMMITMENTS: Final = b'"c":{'
_ID: Final = b'"id":"'
_ID_LENGTH: Final = 32
_DIGITS: Final = b"0123456789abcdef"
_MOST: Final = 4096
_MOST_FORMS: Final = 8

_T = TypeVar("_T")
Parts = Callable[[bytes], tuple[bytes, ...]]


def with_zeros(content: bytes) -> bytes:
    """The bytes of an entry with zeros for its ids and hashes: any others read alike."""
    return _IDS.sub(_ZERO_ID, _HASHES.sub(_ZERO_HASH, content))


def with_known_zeros(content: bytes, entry_id: str, commitments: Mapping[str, str]) -> bytes:
    """The same, quicker, of a statement of which they are known."""
    first = content.index(_COMMITMENTS)
    last = content.index(b"}", first)
    digits = content.index(_ID, last) + len(_ID)
    rest = digits + len(entry_id)
    zeros = _no_commitments(tuple(commitments), tuple(map(len, commitments.values())))
    return b"".join((content[:first], zeros, content[last:digits], b"0" * len(entry_id), content[rest:]))


@lru_cache(maxsize=_MOST)
def _no_commitments(names: tuple[str, ...], lengths: tuple[int, ...]) -> bytes:
    """The fields of `c`, up to its closing brace, with zeros."""
    zeros = sorted(zip(names, lengths, strict=True))
    return _COMMITMENTS + ",".join([f'"{name}":"{"0" * length}"' for name, length in zeros]).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form(Generic[_T]):
    """Where the digits of ids and hashes stand in statements of one length, what stands before and after them, and
    what was found of statements by all that they say elsewhere."""

    entry_id: slice
    digits: Parts
    edges: Parts
    others: Parts
    found: dict[tuple[bytes, ...], _T] = field(default_factory=dict)

    def is_of(self, content: bytes) -> bool:
        """Whether ids and hashes stand there in these bytes of a statement too."""
        edges = self.edges(content)
        return edges == _EDGES * (len(edges) // len(_EDGES)) and self.has_digits(content)

    def has_digits(self, content: bytes) -> bool:
        return not b"".join(self.digits(content)).translate(None, _DIGITS)


class Alike(Generic[_T]):
    """What was found of statements, for those that are like one before in all but id and hashes."""

    def __init__(self) -> None:
        self._forms: dict[int, list[_Form[_T]]] = {}  # by the length of their statements
        self._count = 0

    def known(self, content: bytes) -> tuple[_T, bytes] | None:
        """What was kept of a statement that differs from these bytes in digits alone, and the digits of their id.

        Then they are a statement too: any digits read alike, and where those of one stand, only digits stand here.
        """
        for form in self._forms.get(len(content), ()):
            found = form.found.get(form.others(content))
            if found is not None and form.has_digits(content):
                return found, content[form.entry_id]
        return None

    def keep(self, content: bytes, found: _T) -> None:
        """`content`: the canonical bytes of a statement; `found` depends on neither its id nor its hashes."""
        if self._count == _MOST:
            self.clear()
        forms = self._forms.setdefault(len(content), [])
        form = next((one for one in forms if one.is_of(content)), None)
        if form is None:
            if len(forms) == _MOST_FORMS:
                forms.clear()
            form = _form(content)
            forms.append(form)
        form.found[form.others(content)] = found
        self._count += 1

    def clear(self) -> None:
        self._forms.clear()
        self._count = 0


def _form(content: bytes) -> _Form[_T]:
    places = [slice(*one.span()) for one in _EITHER.finditer(content)]
    starts, ends = (0, *(one.stop for one in places)), (*(one.start for one in places), len(content))
    return _Form(
        entry_id=next(one for one in places if one.stop - one.start == _ID_LENGTH),
        digits=itemgetter(*places, slice(0, 0)),  # of one thing alone it would make no tuple
        edges=itemgetter(*(edge for one in places for edge in _edges(one))),
        others=itemgetter(*map(slice, starts, ends)),
    )


def _edges(place: slice) -> tuple[slice, slice]:
    return slice(place.start - len(_EDGES[0]), place.start), slice(place.stop, place.stop + len(_EDGES[1]))
