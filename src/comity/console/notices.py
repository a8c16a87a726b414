"""Reporting a message without an account. Whoever does so gets a receipt, see `receipts`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from litestar import Response, Router, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import ControllerRouterHandler

from comity.casework.case_facts import Notifier
from comity.console.forms import AnyRequest, Form, read_form
from comity.console.pages import PRIVATE
from comity.console.problems import problem_pages
from comity.console.public import Public, page
from comity.console.receipts import receipt_routes
from comity.flow import reports, review
from comity.flow.evenly import evenly
from comity.flow.message import Proceedings
from comity.flow.rate import Rate
from comity.model.ids import Channel, ClauseId, MessageId
from comity.model.message import Message

LONGEST_WHY: Final = 10_000
_LONGEST_LINE: Final = 1_024
_AT_ONCE: Final = 10
_EACH: Final = timedelta(minutes=6)
_LINES: Final = ("where", "source", "id", "channel", "name", "contact")
Named = Annotated[str, QueryParameter(max_length=_LONGEST_LINE)]
Id = Annotated[str, QueryParameter(name="id", max_length=_LONGEST_LINE)]


def notice_pages(of: Public) -> Router:
    routes = [*_form(of), *receipt_routes(of)]
    return Router("/", route_handlers=routes, include_in_schema=False, exception_handlers=problem_pages(of.pages))


def _form(of: Public) -> list[ControllerRouterHandler]:
    rate = Rate(_AT_ONCE, _EACH)

    @get("/notice")
    async def form(source: Named = "", id_: Id = "") -> Response[str]:
        """The form; a service that links to it names the message in the address."""
        return await _shown(of, Form(fields={"source": source, "id": id_}))

    @post("/notice")
    async def send(request: AnyRequest) -> Response[str] | Redirect:
        given = await read_form(request, most=0)
        problems = tuple(_problems(given))
        wait = rate.wait(request.client.host if request.client else "", of.clock.now()) if not problems else None
        if wait is not None:
            problems = (f"There were many reports from your address. Send this one again in {-(-wait // 60)} minutes.",)
        if problems:
            return await _shown(of, given, problems)
        source, id_ = given.text("source").strip(), MessageId(given.text("id").strip())
        now = of.clock.now()
        async with evenly():
            notice = await of.asks.act(
                lambda running: reports.report(
                    running, source, id_, lambda message: _notice(given, message), now, channel=_channel(running, given)
                )
            )
        return Redirect(f"/notices/{notice}", status_code=HTTP_303_SEE_OTHER, headers=PRIVATE)

    return [form, send]


async def _shown(of: Public, given: Form, problems: tuple[str, ...] = ()) -> Response[str]:
    clauses, channels = await of.asks.read(_clauses), await of.asks.read(_channels)
    typed = {name: given.text(name) for name in (*_LINES, "why", "quote", "clause", "good_faith")}
    values = {"clauses": clauses, "channels": channels, "typed": typed, "problems": problems, "most": LONGEST_WHY}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return await page(of, "notice", "notice", values, status=status, headers=PRIVATE)


def _problems(given: Form) -> Iterator[str]:
    if not given.text("id").strip():
        yield "Please say which message it is: give its number, as the service shows it."
    if not given.text("why").strip():
        yield "Please write why the message breaks the agreement or the law."
    if len(given.text("why")) > LONGEST_WHY:
        yield f"Your reason has {len(given.text('why')):,} characters. Please cut it to {LONGEST_WHY:,} or fewer."
    if len(given.text("quote")) > LONGEST_WHY:
        yield f"The text has {len(given.text('quote')):,} characters. Please cut it to {LONGEST_WHY:,} or fewer."
    for name in _LINES:
        if len(given.text(name)) > _LONGEST_LINE:
            yield f"The field “{name}” has {len(given.text(name)):,} characters. Please cut it to {_LONGEST_LINE:,}."
    if not given.text("good_faith"):
        yield "Please confirm that you believe what you write to be true."


def _notice(given: Form, message: Message) -> review.Notice:
    return review.Notice(
        message=message,
        where=given.text("where").strip(),
        why=given.text("why"),
        good_faith=True,
        clause=ClauseId(given.text("clause")) if given.text("clause") else None,
        notifier=Notifier(name=given.text("name").strip(), contact=given.text("contact").strip()),
        quote=given.text("quote").strip(),
    )


def _channel(running: Proceedings, given: Form) -> str:
    """The one that was chosen; none for one that the agreement does not name any more."""
    return given.text("channel") if given.text("channel") in _channels(running) else ""


def _channels(running: Proceedings) -> tuple[Channel, ...]:
    one = running.versions.in_force(running.now()) or running.versions.latest()
    return tuple(one.agreement.channels) if one else ()


def _clauses(running: Proceedings) -> tuple[tuple[str, str], ...]:
    one = running.versions.in_force(running.now()) or running.versions.latest()
    return tuple((clause.id, clause.title) for clause in one.agreement.clauses) if one else ()
