"""What a mail says, once its MIME parts are taken apart: the text that a reader sees, its links and its attachments.

Of alternatives the last one with text counts, as mail programs choose it (RFC 2046, 5.1.4): a harmless plain part
does not hide an HTML part. Mails within the mail are attachments: their text is somebody else's.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message as Mail
from typing import Final

from comity.model import markup

_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}", re.ASCII)
_WEB: Final = ("http://", "https://", "ftp://", "www.", "//")
_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_CHARSETS: Final = re.compile(
    r"utf-?(8|16|32|7)\S*|ascii|iso8859-\d+|iso-?2022\S*|cp\d+|koi8-\w|mac-\w+|tis-620|gb(2312|k|18030)|hz|"
    r"big5\w*|euc_\w+|shift_jis\w*|johab|ptcp154|kz1048",
    re.ASCII,
)
"""What Python calls the character sets of mail. Its other codecs are none (`punycode` takes quadratic time)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`hashes` are the SHA-256 of the decoded attachments, in hexadecimal, but of mails within the mail."""

    text: str = ""
    links: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()


def read_parts(mail: Mail) -> Parts:
    kind = media_type(mail)
    if kind.startswith("message/"):
        return Parts(attachments=(kind,))
    if mail.is_multipart():
        parts = [read_parts(part) for part in mail.get_payload() if isinstance(part, Mail)]
        return _alternatives(parts) if kind == "multipart/alternative" else _joined(parts)
    if _is_attached(mail, kind):
        return _attached(kind, _content(mail))
    if kind == "text/html":
        shown = markup.seen(_text(mail))
        return Parts(text=shown.text, links=tuple(link for link in shown.links if link.lower().startswith(_WEB)))
    return Parts(text=_text(mail).replace("\r\n", "\n").strip("\n"))


def media_type(mail: Mail) -> str:
    """The declared type in lower case; `text/plain` if there is none or it is no type (RFC 2045, 5.2)."""
    kind = mail.get_content_type()
    return kind if _TYPE.fullmatch(kind) else "text/plain"


def _is_attached(mail: Mail, kind: str) -> bool:
    if kind not in ("text/plain", "text/html") and not kind.startswith("multipart/"):
        return True
    return mail.get_content_disposition() == "attachment"


def _attached(kind: str, content: bytes) -> Parts:
    return Parts(attachments=(kind,), hashes=(hashlib.sha256(content).hexdigest(),))


def _alternatives(parts: Iterable[Parts]) -> Parts:
    parts = list(parts)
    shown = next((part for part in reversed(parts) if part.text.strip()), Parts())
    every = _joined(parts)
    return Parts(text=shown.text, links=shown.links, attachments=every.attachments, hashes=every.hashes)


def _joined(parts: Iterable[Parts]) -> Parts:
    parts = list(parts)
    return Parts(
        text="\n\n".join(part.text for part in parts if part.text.strip()),
        links=tuple(link for part in parts for link in part.links),
        attachments=tuple(kind for part in parts for kind in part.attachments),
        hashes=tuple(digest for part in parts for digest in part.hashes),
    )


def _content(mail: Mail) -> bytes:
    content = mail.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(mail: Mail) -> str:
    return decoded(_content(mail), mail.get_content_charset() or "")


def decoded(content: bytes, charset: str) -> str:
    """Text in its declared character set; else as UTF-8, or as Latin-1 if it is not that. Never fails."""
    name = _codec(charset)
    if name in ("", "ascii"):
        name = "utf-8" if _is_utf_8(content) else "cp1252"
    return _LONE_SURROGATES.sub("\N{REPLACEMENT CHARACTER}", content.decode(name, "replace"))


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _codec(charset: str) -> str:
    """Python's name of a character set; "" if it is unknown or none of mail's."""
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return ""
    return name if _CHARSETS.fullmatch(name) else ""
