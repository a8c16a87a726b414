"""What a Matrix client is told when something may not be sent: the protocol's own errors, with reason and link. Pure.

A suspended account gets `M_USER_SUSPENDED` (Matrix 1.13): it may read, leave rooms and delete what it sent, and clients
know that. Clients show `error`; programs find the parts under `comity`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec

from comity.gates.answers import Deny, Limited, Unavailable
from comity.gates.content import Do, Judged

SUSPENDED: Final = "M_USER_SUSPENDED"
FORBIDDEN: Final = "M_FORBIDDEN"
LIMITED: Final = "M_LIMIT_EXCEEDED"
LATER: Final = "M_UNKNOWN"
_RETRY_MS: Final = 5_000


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a client. `fields` stand in it beside the code and the words."""

    status: HTTPStatus
    code: str
    words: str
    fields: dict[str, object] = {}


def cut_off(answer: Deny) -> Refusal:
    until = f" until {answer.until:%Y-%m-%d %H:%M} UTC" if answer.until else ""
    still = "You can still read, leave rooms and delete your own messages."
    return Refusal(
        status=HTTPStatus.FORBIDDEN,
        code=SUSPENDED,
        words=f"You cannot communicate here{until}. Clause: {answer.reason}. {still}{_more(answer.link)}",
        fields=_parts(
            statement=answer.statement,
            reason=answer.reason,
            until=answer.until.isoformat() if answer.until else None,
            link=answer.link,
        ),
    )


def over_the_limit(answer: Limited) -> Refusal:
    """A limit such as `3 an hour` is used up. No time is named at which to try again: each message has its own."""
    return Refusal(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        code=LIMITED,
        words=f"You may send no more than {answer.limit} here. Clause: {answer.reason}.{_more(answer.link)}",
        fields=_parts(statement=answer.statement, reason=answer.reason, limit=answer.limit, link=answer.link),
    )


def unread(answer: Limited) -> Refusal:
    """For who is on hold and sends what cannot be read here: a person would have to look at it first."""
    words = "This was not sent: a person has to look at each of your messages first, and this one cannot be read here."
    return Refusal(
        status=HTTPStatus.FORBIDDEN,
        code=FORBIDDEN,
        words=f"{words} Clause: {answer.reason}.{_more(answer.link)}",
        fields=_parts(statement=answer.statement, reason=answer.reason, limit=answer.limit, link=answer.link),
    )


def waits(clauses: tuple[str, ...]) -> Refusal:
    """For a message that is kept until a person has looked at it."""
    why = f" Clause: {_named(clauses)}." if clauses else ""
    then = "It is sent for you once that is decided, after 24 hours at the latest; there is no need to send it again."
    return Refusal(
        status=HTTPStatus.FORBIDDEN,
        code=FORBIDDEN,
        words=f"This waits for a person to look at it first.{why} {then}",
        fields=_parts(waits=True, clauses=list(clauses) or None),
    )


def not_sent(judged: Judged) -> Refusal:
    """For a message that is denied, or that a person has to look at first."""
    why = f" Clause: {_named(judged.clauses)}." if judged.clauses else ""
    must_wait = judged.answer is Do.HOLD
    words = "This was not sent: a person has to look at it first." if must_wait else "This was not sent."
    return Refusal(
        status=HTTPStatus.FORBIDDEN,
        code=FORBIDDEN if judged.clauses or must_wait else SUSPENDED,
        words=f"{words}{why}{_more(judged.link)}",
        fields=_parts(statement=judged.statement, clauses=list(judged.clauses) or None, link=judged.link),
    )


def unreadable() -> Refusal:
    return Refusal(
        status=HTTPStatus.BAD_REQUEST, code="M_BAD_JSON", words="This was not sent: it could not be read to be judged."
    )


def later(answer: Unavailable) -> Refusal:
    """Nothing can be said now; clients try again by themselves after a server's error."""
    return Refusal(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        code=LATER,
        words=f"Try again in a moment: {answer.reason}.",
        fields={"retry_after_ms": _RETRY_MS},
    )


def only_without_words(answer: Deny) -> Refusal:
    """For who is cut off and leaves, or deletes, with a reason: those are words that others read."""
    refusal = cut_off(answer)
    words = f"{refusal.words} You can do this without giving a reason."
    return msgspec.structs.replace(refusal, words=words)


def _named(clauses: tuple[str, ...]) -> str:
    return ", ".join(f"“{clause}”" for clause in clauses)


def _more(link: str | None) -> str:
    return f" The reasons, and how to appeal: {link}" if link else ""


def _parts(**parts: object) -> dict[str, object]:
    return {"comity": {name: part for name, part in parts.items() if part}}
