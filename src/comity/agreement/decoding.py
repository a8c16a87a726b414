"""Bytes to text: size, UTF-8, line ends, byte order mark, control and invisible characters.

A checkout on another system must give the same digest, so a file is UTF-8 without a byte order mark and its lines end
with LF. Everything else is an error with its mend, and reading goes on where it can.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

from comity.agreement.problems import Problems
from comity.agreement.source import Excerpt, Source

LARGEST_FILE: Final = 1 << 20
"""Bytes of an agreement or a translation."""

LONGEST_LINE: Final = 10_000
"""Code points of a line of an agreement or a translation."""

_EACH: Final = 5  # so many problems of one sort are reported in one file
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_INVISIBLE: Final = re.compile(
    r"[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large one file and one line of it may be; `code` is reported when it is larger."""

    size: int = LARGEST_FILE
    line: int = LONGEST_LINE
    code: str = "C001"


def decode(file: str, content: bytes, limits: Limits, problems: Problems) -> Source | None:
    """The file's text, or None when it is too large or not UTF-8 (reported)."""
    if len(content) > limits.size:
        _refuse_size(file, limits, problems)
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_encoding(file, content, error.start, problems)
        return None
    source = Source(file=file, text=text, clean=_cleaned(text))
    _check_text(source, limits, problems)
    return source


def check_visible(at: Excerpt, problems: Problems) -> None:
    """Reports characters that a reader cannot see, where what is written also runs."""
    for match in islice(_INVISIBLE.finditer(at.text), _EACH):
        problems.error(
            "C006",
            at.part(match.start(), match.end()),
            f"invisible character U+{ord(match.group()):04X}",
            label="changes how the text looks, or hides in it",
            help="delete it: what runs must read as it is written",
        )


def hides_something(text: str) -> bool:
    """Whether the text has control or invisible characters."""
    return _CONTROL.search(text) is not None or _INVISIBLE.search(text) is not None


def _refuse_size(file: str, limits: Limits, problems: Problems) -> None:
    problems.error(
        limits.code,
        Source(file=file, text="", clean="").all(),
        f"the file has more than the {limits.size:,} bytes that are read",
        help="shorten it; word lists belong in lexicons" if limits.code == "C001" else "shorten the lexicons",
    )


def _refuse_encoding(file: str, content: bytes, at: int, problems: Problems) -> None:
    text = content.decode("utf-8", errors="replace")
    offset = len(content[:at].decode("utf-8"))
    problems.error(
        "C002",
        Source(file=file, text=text, clean=text).all().part(offset, offset + 1),
        f"byte 0x{content[at]:02x} is not UTF-8",
        label="cannot be decoded",
        help="save the file with the encoding UTF-8",
    )


def _cleaned(text: str) -> str:
    clean = text.replace("\r", " ")
    if _CONTROL.search(clean):
        clean = _CONTROL.sub("\ufffd", clean)
    return " " + clean[1:] if clean.startswith("\ufeff") else clean


def _check_text(source: Source, limits: Limits, problems: Problems) -> None:
    whole = source.all()
    if source.text.startswith("\ufeff"):
        problems.error(
            "C004",
            whole.part(0, 1),
            "the file starts with a byte order mark",
            help='save it as "UTF-8 without BOM"',
        )
    _check_line_ends(whole, problems)
    for match in islice(_CONTROL.finditer(source.text), _EACH):
        problems.error(
            "C005",
            whole.part(match.start(), match.end()),
            f"control character U+{ord(match.group()):04X}",
            help="delete it",
        )
    for match in islice(re.finditer(rf"(?m)^.{{{limits.line + 1},}}", source.text), _EACH):
        problems.error(
            "C007",
            whole.part(match.start(), match.end()),
            f"the line has {len(match.group()):,} characters, more than {limits.line:,}",
            help="break it into several lines",
        )


def _check_line_ends(whole: Excerpt, problems: Problems) -> None:
    count = whole.source.text.count("\r")
    if count:
        first = whole.source.text.index("\r")
        problems.error(
            "C003",
            whole.part(first, first + 1),
            f"{count:,} carriage return{'s' if count > 1 else ''} in the file",
            label="the first one",
            help="save the file with LF line ends, and add `* text eol=lf` to .gitattributes",
        )
