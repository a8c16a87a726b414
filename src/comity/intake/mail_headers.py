"""Reads the values of mail headers, of which none can be trusted to have any form. Each function gives what it can."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import Message as Mail
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

from comity.intake.mail_parts import decoded

_MOST: Final = 100
_LONGEST: Final = 1 << 16
_LONGEST_OF_A_PART: Final = 1 << 12
_LONGEST_ADDRESS: Final = 320

_FOLD: Final = re.compile(r"[\r\n]+[ \t]*")
_WORD: Final = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?([^?]*+)\?=")
_COMMENT: Final = re.compile(r"\([^()]*+\)")
_RESULT: Final = re.compile(r";\s*+(dkim|spf|dmarc)\s*+=\s*+([a-z]{1,20})\b", re.IGNORECASE)


class RawHeaders(Compat32):
    """Headers exactly as they stand, cut to a length that no parser takes long over."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value[: _LONGEST_OF_A_PART if name.lower().startswith("content-") else _LONGEST]


class Heads:
    """A mail's headers by name. `envelope` is the `From ` line before them, as an mbox has it."""

    def __init__(self, mail: Mail) -> None:
        self.envelope = unfolded(mail.get_unixfrom() or "")
        self._raw: dict[str, list[str]] = {}
        for name, value in mail.items():
            self._raw.setdefault(name.lower(), []).append(value)

    def first(self, name: str) -> str:
        """The first header of that name, unfolded; "" if there is none."""
        return next(self.every(name), "")

    def every(self, name: str) -> Iterator[str]:
        """All headers of that name, at most `_MOST`, unfolded."""
        return (unfolded(raw) for raw in self._raw.get(name.lower(), [])[:_MOST])


def unfolded(raw: str) -> str:
    """A header in one line; its raw bytes read as UTF-8, or as Latin-1 if they are not that."""
    return _FOLD.sub(" ", decoded(raw.encode("utf-8", "surrogateescape"), "")).strip()


def unencoded(line: str) -> str:
    """A header with its encoded words (RFC 2047) decoded; broken ones stay as they are."""
    return "".join(_pieces(line))


def _pieces(line: str) -> Iterator[str]:
    """Neighbouring words of one character set are joined first: many mailers split characters between them."""
    at = 0
    held, charset = b"", ""
    for word in _WORD.finditer(line):
        between = line[at : word.start()]
        is_neighbour = at > 0 and not between.strip()
        if held and not (is_neighbour and charset == word[1].lower()):
            yield decoded(held, charset)
            held = b""
        if not is_neighbour:
            yield between
        held, charset = held + _bytes_of(word), word[1].lower()
        at = word.end()
    yield decoded(held, charset)
    yield line[at:]


def _bytes_of(word: re.Match[str]) -> bytes:
    content = word[3].encode("utf-8", "replace")
    try:
        return binascii.a2b_base64(content + b"==") if word[2] in "bB" else binascii.a2b_qp(content, header=True)
    except binascii.Error:
        return word[0].encode("utf-8", "replace")


def addresses(line: str) -> tuple[tuple[str, str], ...]:
    """Display name (encoded words decoded) and address (in lower case) of everybody that a header names."""
    try:
        found = getaddresses([line])
    except (ValueError, LookupError, TypeError, RecursionError, MessageError):
        return ()
    return tuple((unencoded(name), address.lower()) for name, address in found if _is_address(address))


def _is_address(given: str) -> bool:
    return "@" in given and len(given) <= _LONGEST_ADDRESS


def date(line: str) -> datetime | None:
    """The time of a `Date` header (RFC 5322) in UTC; without a zone it is UTC."""
    try:
        found = parsedate_to_datetime(line)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, LookupError, TypeError, OverflowError):
        return None


def authentication(line: str) -> Mapping[str, str]:
    """The results of `dkim`, `spf` and `dmarc` in an `Authentication-Results` header (RFC 8601); of several, a pass."""
    results: dict[str, str] = {}
    for method, result in _RESULT.findall(_COMMENT.sub(" ", line)):
        if results.get(method.lower()) != "pass":
            results[method.lower()] = result.lower()
    return results
