"""What a gate says in an SMTP reply: one line of printable ASCII, short enough for every client, whatever is in it.

A reply is ASCII unless the client asked for more (RFC 6531), and a line of it at most 512 octets (RFC 5321, 4.5.3.1.5).
The link comes before whatever may be cut off.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from comity.gates.answers import Deny, Limited

LONGEST: Final = 510
"""Octets of a reply's line, without its end."""
SHORTEST: Final = 200
"""Octets that are left for what a gate says, even if the mail's addresses leave no room."""

_LINK: Final = re.compile(r"https?://[!#-;=?-~]{1,256}", re.ASCII)
_UNPRINTABLE: Final = re.compile(r"[^ -~]+")
_PLAIN: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."})


def refusal(answer: Deny, room: int = LONGEST) -> str:
    """Why somebody may not send, until when, and where to read more."""
    until = f" until {answer.until:%Y-%m-%d %H:%M} UTC" if answer.until else ""
    return _linked(f"This account is cut off{until}.", answer.link, answer.reason, room)


def limitation(answer: Limited, room: int = LONGEST) -> str:
    """Why somebody has to wait."""
    return _linked(f"This account may send {answer.limit}: try again later.", answer.link, answer.reason, room)


def breach(link: str, clauses: Sequence[str], room: int = LONGEST) -> str:
    """Why a mail was refused for what it says; without clauses, for who sends it."""
    what = "This mail breaches the agreement." if clauses else "This account is cut off."
    return _linked(what, link, ", ".join(clauses), room)


def line(text: str, room: int = LONGEST) -> str:
    """The text as one printable line of ASCII; what has no likeness there becomes `?`."""
    likened = _likened(text).encode("ascii", "replace").decode()
    return _UNPRINTABLE.sub(" ", likened).strip()[: max(room, SHORTEST)]


def _linked(what: str, link: str, reason: str, room: int) -> str:
    more = f" Why, and how to appeal: {link}" if _LINK.fullmatch(link) else ""
    likened = _likened(reason)
    clause = f" (clause: {likened})" if likened and likened.isascii() else ""  # else the link shows it
    return line(what + more + clause, room)


def _likened(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text[: 2 * LONGEST].translate(_PLAIN))
    return "".join(each for each in apart if not unicodedata.combining(each))
