"""What the `http` gate answers to a web server that asks whether a request may pass: nginx, Caddy or Envoy.

The web server asks `/authz?channel=NAME` and names the account in a header. 200 lets the request pass, 403 refuses it,
with the reason and the link to the statement, 503 says that nothing can be said. Pure: an asked request in, bytes out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from comity.gates.answers import Allow, Answer, Deny, Limited, Unavailable

_CHANNEL: Final = re.compile(r"[a-z][a-z0-9-]{0,99}", re.ASCII)
_LINK: Final = re.compile(r"https?://[!#-;=?-~]+", re.ASCII)
_PRINTABLE: Final = re.compile(r"[ -~]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request to the gate. `accounts`: the values of the header that names the account, each as it came."""

    path: str
    query: str
    accounts: tuple[bytes, ...]
    wants_page: bool


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457, without a `type` of its own, and what the person should know."""

    title: str
    status: int
    detail: str
    statement: str | None = None
    reason: str | None = None
    until: datetime | None = None
    link: str | None = None


Check = Callable[[str, str], Answer]
Page = Callable[[], bytes]


def answered(asked: Asked, check: Check, pages: Mapping[str, Page]) -> tuple[bytes, Answer | None]:
    """The response, and what it says of the account if it was about one. `pages` are what else can be asked for."""
    if asked.path != "/authz":
        page = pages.get(asked.path)
        return (page() if page else _refused(asked, HTTPStatus.NOT_FOUND, "There is nothing here; ask /authz.")), None
    channel = _channel(asked)
    if not channel:
        return _refused(asked, HTTPStatus.BAD_REQUEST, "Name the channel: /authz?channel=posts"), None
    if len(asked.accounts) > 1:
        return _refused(asked, HTTPStatus.BAD_REQUEST, "The account is named more than once."), None
    try:
        account = b"".join(asked.accounts).decode()
    except UnicodeDecodeError:
        return _refused(asked, HTTPStatus.BAD_REQUEST, "The account's name is not UTF-8."), None
    answer = check(channel, account) if account else Allow()  # nobody in particular: there is nothing to ask
    return _said(asked, answer), answer


def channel_listened_to(asked: Asked) -> str:
    """Of which channel the request wants to hear what changes; empty if it wants something else."""
    return _channel(asked) if asked.path == "/changes" else ""


def _channel(asked: Asked) -> str:
    channel = next((value for key, value in parse_qsl(asked.query) if key == "channel"), "")
    return channel if _CHANNEL.fullmatch(channel) else ""


def _said(asked: Asked, answer: Answer) -> bytes:
    match answer:
        case Allow(is_stale=is_stale):
            return _PASS_STALE if is_stale else _PASS
        case Limited():
            limit = answer.limit if _PRINTABLE.fullmatch(answer.limit) else ""
            named = {"Comity-Standing": "limited", "Comity-Limit": limit, "Comity-Statement": answer.statement}
            return response(HTTPStatus.OK, {**named, **linked(answer.link)}, b"")
        case Deny():
            return _denied(asked, answer)
        case Unavailable(reason=reason):
            return _refused(asked, HTTPStatus.SERVICE_UNAVAILABLE, f"Try again in a moment: {reason}.")


def _denied(asked: Asked, answer: Deny) -> bytes:
    named = {"Comity-Standing": "cut", "Comity-Statement": answer.statement, **linked(answer.link)}
    return _problem(asked, refusal(answer), named)


def refusal(answer: Deny) -> Problem:
    """What a person who is cut off should know."""
    until = f" until {answer.until:%Y-%m-%d %H:%M} UTC" if answer.until else ""
    return Problem(
        title="You cannot communicate here now",
        status=HTTPStatus.FORBIDDEN,
        detail=f"This account is cut off{until}. Clause: {answer.reason}.",
        statement=answer.statement,
        reason=answer.reason,
        until=answer.until,
        link=answer.link if _LINK.fullmatch(answer.link) else None,
    )


def _refused(asked: Asked, status: HTTPStatus, detail: str) -> bytes:
    retry = {"Retry-After": "5"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return _problem(asked, Problem(title=status.phrase, status=status, detail=detail), retry)


def _problem(asked: Asked, problem: Problem, named: Mapping[str, str]) -> bytes:
    sort, body = (
        ("text/html; charset=utf-8", page_of(problem)) if asked.wants_page else ("application/problem+json", b"")
    )
    status = HTTPStatus(problem.status)
    return response(status, {"Content-Type": sort, **named}, body or msgspec.json.encode(problem))


def page_of(problem: Problem) -> bytes:
    """For people, without anything that a browser would run or fetch."""
    title, detail = html.escape(problem.title), html.escape(problem.detail)
    link = html.escape(problem.link or "")
    more = f'<p><a href="{link}" rel="noreferrer">The reasons, and how to appeal</a></p>' if link else ""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    return f"{head}<h1>{title}</h1><p>{detail}</p>{more}</html>\n".encode()


def linked(link: str) -> Mapping[str, str]:
    """The header that leads to the reasons; none if that is no address of a page."""
    return {"Link": f'<{link}>; rel="describedby"'} if _LINK.fullmatch(link) else {}


def response(status: HTTPStatus, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of an HTTP/1.1 response that nobody may keep."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    first = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
    return f"{first}{lines}Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n".encode("ascii") + body


_PASS: Final = response(HTTPStatus.OK, {"Comity-Standing": "open"}, b"")
_PASS_STALE: Final = response(HTTPStatus.OK, {"Comity-Standing": "open; stale"}, b"")
