"""What is kept of a mail that has to wait, by which its sender knows it: envelope and headers, not what it says.

Every header, address and parameter is hostile; what makes no sense is left out. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

LARGEST_HEAD: Final = 50_000
"""Bytes of its headers that are kept."""

_LONGEST_ADDRESS: Final = 320
_ATOM: Final = r"[^\s\"(),:;<>@\[\\\]]+"
_QUOTED: Final = r"\"[A-Za-z0-9_ .,:;'()+&#=-]+\""  # neither a way to somebody else nor what needs a backslash
_ADDRESS: Final = re.compile(rf"(?!-)(?:{_ATOM}|{_QUOTED}(?=@))(?:@{_ATOM})?")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,255}")
_XTEXT: Final = re.compile(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2}){1,500}")
_ENCODED: Final = re.compile(rb"\+([0-9A-F]{2})")
_KIND: Final = re.compile(r"[A-Za-z0-9-]{1,20};[!-~]+")
_ID: Final = re.compile(r"<[!-;=?-~]{1,250}>")
_HIDDEN: Final = frozenset((b"bcc", b"resent-bcc"))
_ANSWERS_ITSELF: Final = re.compile(
    r"(?:mailer-daemon|owner-.*|.*-(?:owner|request|bounces?)(?:\+.*)?)(?:@.*)?", re.IGNORECASE | re.DOTALL
)
_LISTS: Final = frozenset(("bulk", "junk", "list"))


class Recipient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`original`: as the sender's own program called it (ORCPT, RFC 3461)."""

    address: str
    original: str = ""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a mail. `recipients`: those of whom the sender wants to hear. `head`: its headers.

    `host`: what the mail server calls itself. `id`: what the sender's program calls the mail (ENVID, RFC 3461).
    `message_id`: as its headers have it, with the brackets. `is_automatic`: no person sent it, so none would read an
    answer, and a list would strike off whom the mail is for (RFC 3834).
    """

    sender: str
    recipients: tuple[Recipient, ...]
    head: bytes
    host: str
    id: str = ""
    message_id: str = ""
    is_automatic: bool = False

    @property
    def wants_report(self) -> bool:
        return bool(self.sender and self.recipients) and not self.is_automatic

    @property
    def is_reachable(self) -> bool:
        """Whether the sender's address is one that can be written to without a doubt."""
        is_text = self.sender.isprintable() and "\ufffd" not in self.sender
        return is_text and len(self.sender) <= _LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(self.sender))


def envelope(
    sender: Sequence[bytes], recipients: Iterable[Sequence[bytes]], heads: Sequence[bytes], host: bytes
) -> Envelope:
    """`sender`, `recipients`: an address and the parameters that came with it. `heads`: `name:value` each."""
    address = _address(sender[0])
    named, message_id = _text(host), _first(heads, b"message-id")
    return Envelope(
        sender=address,
        recipients=tuple(_recipients(recipients)),
        head=_head(heads),
        host=named if _HOST.fullmatch(named) else "localhost",
        id=_xtext(_parameters(sender).get(b"ENVID", b"")),
        message_id=message_id if _ID.fullmatch(message_id) else "",
        is_automatic=bool(_ANSWERS_ITSELF.fullmatch(address)) or _is_automatic(heads),
    )


def _recipients(given: Iterable[Sequence[bytes]]) -> Iterator[Recipient]:
    for one in given:
        told = _parameters(one)
        if b"FAILURE" in told.get(b"NOTIFY", b"FAILURE").upper().split(b","):
            original = _xtext(told.get(b"ORCPT", b""))
            yield Recipient(address=_address(one[0]), original=original if _KIND.fullmatch(original) else "")


def _parameters(given: Sequence[bytes]) -> dict[bytes, bytes]:
    split = (each.partition(b"=") for each in given[1:])
    return {name.upper(): value for name, _, value in split}


def _xtext(value: bytes) -> str:
    """What RFC 3461 writes so; empty if it is something else."""
    if not _XTEXT.fullmatch(value):
        return ""
    text = _text(_ENCODED.sub(lambda found: bytes.fromhex(found[1].decode()), value))
    return text if text.isascii() and text.isprintable() else ""


def _head(heads: Sequence[bytes]) -> bytes:
    """As many whole headers as there is room for, without those that nobody but their writer sees."""
    found, room = list[bytes](), LARGEST_HEAD
    for each in heads:
        one = each.replace(b"\r", b"").strip(b"\n") + b"\n"
        if len(one) <= room and one.partition(b":")[0].strip().lower() not in _HIDDEN:
            found.append(one)
            room -= len(one)
    return b"".join(found)


def _is_automatic(heads: Sequence[bytes]) -> bool:
    is_list = _first(heads, b"precedence").lower() in _LISTS or bool(_first(heads, b"list-id"))
    return is_list or _first(heads, b"auto-submitted").lower().partition(";")[0].strip() not in ("", "no")


def _first(heads: Iterable[bytes], name: bytes) -> str:
    for each in heads:
        found, _, value = each.partition(b":")
        if found.strip().lower() == name:
            return _text(value).strip()
    return ""


def _address(given: bytes) -> str:
    return _text(given.removeprefix(b"<").removesuffix(b">"))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
