"""What the links to a statement lead to: the account's own page, and the page for whoever was refused.

Whoever has the link may do what stands on its page, so no other site can act in their name: it does not know the link.
All links that lead nowhere get the same answer after the same time, whether they were never given out, were replaced
or ended with an erasure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import ControllerRouterHandler

from comity.casework.appeal import LARGEST_ATTACHMENT, MOST_ATTACHMENTS
from comity.casework.refused import RefusedError
from comity.console.asking import Asks, Reader
from comity.console.forms import AnyRequest, Form, read_form
from comity.console.pages import PRIVATE, Pages
from comity.console.problems import problem_pages
from comity.console.statement import EMPTY, Page, Seen, own_page, problems_of, refused_page
from comity.console.words import ENGLISH, WORDS, Words, words_of
from comity.flow import appeal, retention, subject
from comity.flow.evenly import end_of_step
from comity.flow.links import Links, Purpose
from comity.flow.message import Proceedings
from comity.flow.prove import keep
from comity.flow.subject import Told
from comity.ledger.kept import write_kept
from comity.model.ids import AppealId, DecisionId
from comity.model.routes import LOOKS_ONLY
from comity.ports import Clock, PublishedLog

_LARGEST_FORM: Final = MOST_ATTACHMENTS * LARGEST_ATTACHMENT + (1 << 20)
_DONE: Final[Mapping[str, Callable[[Words], str]]] = {
    "appeal": lambda words: words.appeal_filed,
    "offer": lambda words: words.offer_sent,
    "read": lambda words: words.read_done,
}


class NowhereError(Exception):
    """The link leads to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the pages are made of."""

    asks: Asks
    reader: Reader
    links: Links
    log: PublishedLog
    clock: Clock
    zone: ZoneInfo
    pages: Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """One kind of link: its page, and where it stands."""

    purpose: Purpose
    template: str
    page: Callable[[Told, Seen], Page]

    def here(self, token: str) -> str:
        return f"/{'s' if self.purpose is Purpose.STATEMENT else 'r'}/{token}"


_OWN: Final = _Link(purpose=Purpose.STATEMENT, template="statement", page=own_page)
_REFUSED: Final = _Link(purpose=Purpose.REFUSAL, template="refused", page=refused_page)


def subject_pages(of: Subject) -> list[Router]:
    def nowhere(_: AnyRequest, __: Exception) -> Response[str]:
        first, *others = sorted(WORDS.values(), key=lambda each: each is not ENGLISH)
        return of.pages.page("nowhere", {"words": [first, *others]}, status=HTTPStatus.NOT_FOUND, headers=PRIVATE)

    own = [*_own(of), *_downloads(of)]
    known = {**problem_pages(of.pages), NowhereError: nowhere}
    return [
        Router("/s/{token:str}", route_handlers=own, include_in_schema=False, exception_handlers=known),
        Router("/r/{token:str}", route_handlers=_refused(of), include_in_schema=False, exception_handlers=known),
    ]


def _own(of: Subject) -> list[ControllerRouterHandler]:
    @get("/")
    async def statement(request: AnyRequest, token: FromPath[str], done: FromQuery[str] = "") -> Response[str]:
        """The account's page. Opening it delivers the statement; asking whether it is there does not."""
        one = (await _told(of, _OWN, token)).one
        if one.delivered is None and LOOKS_ONLY not in request.scope["state"]:
            now = of.clock.now()
            await of.asks.act(lambda running: subject.open_by_link(running, one.id, now))
        return await _shown(of, _OWN, token, done=done)

    @post("/appeal", request_max_body_size=_LARGEST_FORM)
    async def file(token: FromPath[str], request: AnyRequest) -> Response[str] | Redirect:
        def work(running: Proceedings, decision: DecisionId, form: Form) -> None:
            text, by = form.text("text"), form.text("by").strip()
            given = appeal.Complaint(decision=decision, text=text, by=by, files=form.files)
            appeal.file(running, given, of.clock.now())

        return await _sent(of, _OWN, token, request, work, done="appeal")

    @post("/offers/{offer:str}")
    async def take(token: FromPath[str], offer: FromPath[str], request: AnyRequest) -> Response[str] | Redirect:
        def work(running: Proceedings, decision: DecisionId, _: Form) -> None:
            appeal.take_offer(running, AppealId(offer), of.clock.now(), against=decision)

        return await _sent(of, _OWN, token, request, work, done="appeal", is_written=False)

    @post("/read")
    async def read(token: FromPath[str], request: AnyRequest) -> Response[str] | Redirect:
        def work(running: Proceedings, decision: DecisionId, _: Form) -> None:
            subject.acknowledge(running, decision, of.clock.now())

        return await _sent(of, _OWN, token, request, work, done="read", is_written=False)

    return [statement, file, take, read]


def _downloads(of: Subject) -> list[ControllerRouterHandler]:
    @get("/statement.json")
    async def proof(token: FromPath[str]) -> Response[bytes]:
        """The statement with its proof, as `comity verify-statement` reads it."""
        one = (await _told(of, _OWN, token)).one
        content = await of.reader.look(lambda store: write_kept(keep(store, of.log.read, one.id)))
        return _download(content, f"statement-{one.id}")

    @get("/account.json")
    async def data(token: FromPath[str]) -> Response[bytes]:
        """All that is kept about the account."""
        account, now = (await _told(of, _OWN, token)).record.account, of.clock.now()
        kept_for = await of.asks.read(lambda running: running.kept_for)
        export = await of.reader.look(lambda store: retention.export(store, account, now, kept_for=kept_for))
        return _download(msgspec.json.format(msgspec.json.encode(export)), "account")

    return [proof, data]


def _refused(of: Subject) -> list[ControllerRouterHandler]:
    @get("/")
    async def refused(token: FromPath[str], done: FromQuery[str] = "") -> Response[str]:
        """Why somebody was refused: measure, clauses, end, how to appeal; no name and no message."""
        return await _shown(of, _REFUSED, token, done=done)

    @post("/appeal")
    async def offer(token: FromPath[str], request: AnyRequest) -> Response[str] | Redirect:
        def work(running: Proceedings, decision: DecisionId, form: Form) -> None:
            appeal.offer(running, decision, form.text("text"), of.clock.now())

        return await _sent(of, _REFUSED, token, request, work, done="offer")

    return [refused, offer]


async def _told(of: Subject, link: _Link, token: str) -> Told:
    """Raises `NowhereError`, each time as long after it was asked."""
    asked = asyncio.get_running_loop().time()
    told = await of.asks.read(lambda running: subject.told(running, of.links, link.purpose, token))
    if told is None:
        await end_of_step(asked)
        raise NowhereError
    return told


async def _shown(
    of: Subject, link: _Link, token: str, *, done: str = "", problems: tuple[str, ...] = (), form: Form = EMPTY
) -> Response[str]:
    """The page as the record is now; with problems what was typed into the form."""
    told = await _told(of, link, token)
    words = words_of(told.one.decided.statement.language)
    seen = Seen(
        here=link.here(token),
        at=of.clock.now(),
        zone=of.zone,
        done=_DONE[done](words) if done in _DONE else "",
        problems=problems,
        form=form,
    )
    return of.pages.page(
        link.template,
        {"page": link.page(told, seen), "words": words, "language": words.code},
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        headers=PRIVATE,
    )


async def _sent(
    of: Subject,
    link: _Link,
    token: str,
    request: AnyRequest,
    work: Callable[[Proceedings, DecisionId, Form], None],
    *,
    done: str,
    is_written: bool = True,
) -> Response[str] | Redirect:
    """Do what a form asks for, then show the page anew; or say what is wrong with it. `is_written`: it has a text."""
    told = await _told(of, link, token)  # before the form is read: whoever has no link sends nothing large
    words = words_of(told.one.decided.statement.language)
    form = await read_form(request, most=LARGEST_ATTACHMENT + 1)
    problems = tuple(problems_of(form, words)) if is_written else ()
    if not problems:
        try:
            await of.asks.act(lambda running: work(running, told.one.id, form))
        except RefusedError as error:
            problems = (words.not_done.format(why=error),)
    if problems:
        return await _shown(of, link, token, problems=problems, form=form)
    return Redirect(f"{link.here(token)}?done={done}", status_code=HTTP_303_SEE_OTHER, headers=PRIVATE)


def _download(content: bytes, name: str) -> Response[bytes]:
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}.json"'}
    return Response(content, headers=headers, media_type="application/json")
