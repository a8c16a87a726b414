"""The agreement in the console: its versions with what each clause found lately, and an editor for the next one.

A draft is checked while somebody types, tried on recent messages, and published by an operator alone. It lives in the
browser until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.params import QueryParameter
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.casework.refused import RefusedError
from comity.console.case import Desk
from comity.console.changes import Part, changes
from comity.console.forms import Form, read_form
from comity.console.numbers import Counting, Numbers
from comity.console.shell import onward
from comity.console.visit import PageRequest
from comity.flow import draft as flow
from comity.flow.agreement import InForce
from comity.flow.draft import Checked
from comity.flow.message import Proceedings
from comity.flow.trial import Trial, recent, trial
from comity.model.agreement import Agreement
from comity.model.ids import Digest
from comity.ports import Version

LARGEST_DRAFT: Final = 8 << 20
_LARGEST_LIST: Final = 20_000
"""Bytes of a list that can be edited on the page; longer ones stay as they are."""
_MOST_DRAWN: Final = 10
_LIST: Final = "list:"
Digested = Annotated[str, QueryParameter(max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """The editor's fields as they stand. `fixed`: lists that are too long for it."""

    base: str
    text: str
    lists: tuple[tuple[str, str], ...]
    fixed: tuple[str, ...]
    new_path: str = ""
    new_list: str = ""
    effective: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found out about a draft: by checking it, and if asked for by trying it."""

    checked: Checked
    changes: tuple[Part, ...] = ()
    trial: Trial | None = None


def draft_routes(of: Desk, counting: Counting) -> list[ControllerRouterHandler]:
    return [*_reading(of, counting), *_drafting(of)]


def _reading(of: Desk, counting: Counting) -> list[ControllerRouterHandler]:
    @get("/console/agreement")
    async def agreement(request: PageRequest, done: Digested = "") -> Response[str]:
        """The versions, and what each clause led to lately."""
        every = await of.asks.read(lambda running: running.versions.every)
        now = of.clock.now()
        titles = {clause.id: clause.title for one in every for clause in one.agreement.clauses}
        lately = await counting.numbers(titles, now)
        current = next((one for one in reversed(every) if one.version.effective <= now), every[-1] if every else None)
        rows = _rows(current, lately)
        return of.shell.answer(
            request, "console_agreement", every=tuple(reversed(every)), current=current, rows=rows, done=done, now=now
        )

    @get("/console/agreement/draft")
    async def editor(request: PageRequest) -> Response[str]:
        """A draft of the next version, begun from the last."""
        latest = await of.asks.read(lambda running: running.versions.latest())
        return of.shell.answer(request, "draft", editor=_begun(latest), looked=None, problem="")

    return [agreement, editor]


def _drafting(of: Desk) -> list[ControllerRouterHandler]:
    async def answer(request: PageRequest, form: Form, latest: InForce | None, looked: Looked) -> Response[str]:
        if request.headers.get("hx-request"):
            return of.shell.answer(request, "draft_looked", looked=looked, is_part=True)
        return of.shell.answer(request, "draft", editor=_typed(form, latest), looked=looked, problem="")

    @post("/console/agreement/check", status_code=HTTPStatus.OK, request_max_body_size=LARGEST_DRAFT)
    async def check(request: PageRequest) -> Response[str]:
        """What is wrong with the draft, and what it would change; asked for while somebody types."""
        form, latest = await _sent(of, request)
        return await answer(request, form, latest, await sync_to_thread(_looked, form, latest))

    @post("/console/agreement/trial", status_code=HTTPStatus.OK, request_max_body_size=LARGEST_DRAFT)
    async def tried(request: PageRequest) -> Response[str]:
        """What the draft would find in recent messages."""
        form, latest = await _sent(of, request)
        messages = await of.reader.look(recent)
        looked = await sync_to_thread(_looked, form, latest)
        against, written = latest.agreement if latest else None, looked.checked.agreement
        if written is not None:
            found = await sync_to_thread(trial, messages, written, against)
            looked = Looked(checked=looked.checked, changes=looked.changes, trial=found)
        return await answer(request, form, latest, looked)

    @post("/console/agreement/publish", status_code=HTTPStatus.OK, request_max_body_size=LARGEST_DRAFT)
    async def publish(request: PageRequest) -> Response[str] | Redirect:
        """Put the draft in force; with an error in it nothing is done. What was written stays in the editor."""
        form, latest = await _sent(of, request)
        looked = await sync_to_thread(_looked, form, latest)
        try:
            version = await _published(of, form, looked.checked.agreement)
        except (_UnfitError, RefusedError) as error:
            fault = isinstance(error, _UnfitError)
            status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.CONFLICT
            told = {"editor": _typed(form, latest), "looked": looked, "problem": f"Nothing was published: {error}."}
            return of.shell.answer(request, "draft", status=status, **told)
        return onward(f"/console/agreement?done={version.digest}")

    return [check, tried, publish]


class _UnfitError(Exception):
    """The form has to be mended before anything can be published."""


async def _published(of: Desk, form: Form, written: Agreement | None) -> Version:
    """Raises `_UnfitError` or `RefusedError`."""
    if written is None:
        raise _UnfitError("the draft has errors")
    now, base = of.clock.now(), Digest(form.text("base"))
    effective = _effective(form.text("effective"), of, now)
    return await of.asks.act(lambda running: flow.publish(running, written, base, effective, now))


async def _sent(of: Desk, request: PageRequest) -> tuple[Form, InForce | None]:
    form = await read_form(request, most=0)
    return form, await of.asks.read(_latest)


def _latest(running: Proceedings) -> InForce | None:
    return running.versions.latest()


def _looked(form: Form, latest: InForce | None) -> Looked:
    checked = flow.checked(_files(form, latest), most=_MOST_DRAWN)
    against = latest.agreement if latest else None
    changed = changes(against, checked.agreement) if against and checked.agreement else ()
    return Looked(checked=checked, changes=changed)


def _files(form: Form, latest: InForce | None) -> dict[str, bytes]:
    """Those of the last version, with what was edited in their places."""
    files = {each.path: each.content for each in latest.version.files} if latest else {}
    edited = {name.removeprefix(_LIST): form.text(name) for name in form.fields if name.startswith(_LIST)}
    files |= {path: text.encode() for path, text in edited.items() if path in files}
    if form.text("new_path").strip():
        files[form.text("new_path").strip()] = form.text("new_list").encode()
    return {**files, "": form.text("text").encode()}


def _begun(latest: InForce | None) -> Editor:
    files = {each.path: each.content.decode() for each in latest.version.files} if latest else {}
    text = files.pop("", "")
    short = {path: content for path, content in sorted(files.items()) if len(content) <= _LARGEST_LIST}
    return Editor(
        base=latest.version.digest if latest else "",
        text=text,
        lists=tuple(short.items()),
        fixed=tuple(sorted(files.keys() - short.keys())),
    )


def _typed(form: Form, latest: InForce | None) -> Editor:
    begun = _begun(latest)
    return Editor(
        base=form.text("base"),
        text=form.text("text"),
        lists=tuple((path, form.text(_LIST + path)) for path, _ in begun.lists),
        fixed=begun.fixed,
        new_path=form.text("new_path"),
        new_list=form.text("new_list"),
        effective=form.text("effective"),
    )


def _effective(text: str, of: Desk, now: datetime) -> datetime:
    """What the browser's own field says, in the console's zone; empty: now. Raises `_UnfitError`."""
    if not text.strip():
        return now
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise _UnfitError(f"“{text[:40]}” is no date and time such as 2026-12-01T08:00") from error
    return at if at.tzinfo else at.replace(tzinfo=of.shell.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A clause of the version in force, and how often it was breached lately; None: it is still being counted."""

    title: str
    id: str
    decide: str
    points: int
    has_rule: bool
    count: int | None


def _rows(current: InForce | None, lately: Numbers | None) -> tuple[Row, ...]:
    counts = lately.by_clause if lately else {}
    return tuple(
        Row(
            title=clause.title,
            id=clause.id,
            decide=str(clause.decide),
            points=clause.points,
            has_rule=clause.rule is not None and bool(clause.rule.source.strip()),
            count=counts.get(clause.id, 0) if lately else None,
        )
        for clause in (current.agreement.clauses if current else ())
    )
