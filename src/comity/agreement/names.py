"""The shapes of names that an agreement gives: clause ids, channels, conditions, lexicons, languages, paths."""

from __future__ import annotations

import re
from typing import Final

from comity.agreement.decoding import hides_something
from comity.agreement.problems import Misread, quoted

BUILT_IN_CONDITIONS: Final = frozenset({"reviewed", "acknowledged", "withdrawn"})

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_LEXICON: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_LONGEST_NAME: Final = 100
_UNPORTABLE: Final = re.compile(r'[<>:"|?*]')
_RESERVED_CHANNELS: Final = frozenset({"all", "same"})
_RESERVED_CONDITIONS: Final = BUILT_IN_CONDITIONS | {"and", "at", "least"}
_NAME_HELP: Final = "a lower-case letter, then lower-case letters, digits and hyphens"


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and len(text) <= _LONGEST_NAME


def channel_trouble(text: str) -> Misread | None:
    """Why the text cannot name a channel."""
    if text in _RESERVED_CHANNELS:
        return Misread(message=f"{quoted(text)} cannot name a channel", help="the word has a meaning in ladders")
    return None if is_name(text) else Misread(message=f"{quoted(text)} is not a channel's name", help=_NAME_HELP)


def condition_trouble(text: str) -> Misread | None:
    """Why the text cannot name a declared condition."""
    if text in _RESERVED_CONDITIONS:
        return Misread(
            message=f"{quoted(text)} cannot be declared", help="the word has a meaning of its own in ladders"
        )
    return None if is_name(text) else Misread(message=f"{quoted(text)} is not a condition's name", help=_NAME_HELP)


def lexicon_trouble(text: str) -> Misread | None:
    """Why the text cannot name a lexicon."""
    if _LEXICON.fullmatch(text) and len(text) <= _LONGEST_NAME:
        return None
    return Misread(message=f"{quoted(text)} is not a lexicon's name", help="a letter, then letters, digits and `-_.`")


def language_trouble(text: str) -> Misread | None:
    """Why the text cannot be a language tag (BCP 47, its shape alone)."""
    if _LANGUAGE.fullmatch(text) and len(text) <= _LONGEST_NAME:
        return None
    return Misread(message=f"{quoted(text)} is not a language tag", help="BCP 47, such as `en`, `es-MX` or `zh-Hant`")


def path_trouble(path: str) -> Misread | None:
    """Why the text cannot name a file of the agreement.

    A path stays inside the agreement's folder and means the same file on every system.
    """
    if "\\" in path:
        return Misread(message="a path has no backslashes", help=f"write `{path[:80].replace(chr(92), '/')}`")
    if path.startswith("/") or re.match(r"[A-Za-z][\w+.-]*:", path):
        return Misread(message="a path is relative to the agreement", help="move the file into the agreement's folder")
    segments = path.split("/")
    if ".." in segments:
        return Misread(message="a path never leads out of its folder", help="move the file into the agreement's folder")
    if "" in segments or "." in segments:
        tidy = "/".join(segment for segment in segments if segment not in ("", "."))
        return Misread(message="the path has a needless part", help=f"write `{tidy[:80]}`" if tidy else "name a file")
    unportable = _UNPORTABLE.search(path) or hides_something(path) or len(path) > 255
    if unportable or any(segment != segment.strip() or segment.endswith(".") for segment in segments):
        return Misread(message="the path does not work on every system", help="use letters, digits and `-_./`")
    return None
