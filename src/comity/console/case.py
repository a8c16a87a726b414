"""One case: what a reviewer looks at, what would be sent, and the acts that send it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.agreement.ladders import ChoiceError
from comity.casework.case_facts import CaseKind
from comity.casework.facts import Decided, Fact
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.console.alike import Likeness
from comity.console.asking import Asks, Reader
from comity.console.queue import since
from comity.console.refusals import PageError
from comity.console.sent import Sent, Several, several
from comity.console.shell import Shell, onward
from comity.console.told import Told, told
from comity.console.visit import PageRequest
from comity.flow import preview, review
from comity.flow.dossier import case_dossier
from comity.flow.message import Proceedings
from comity.flow.preview import Choice
from comity.flow.queue import Queue
from comity.model.ids import CaseId, ClauseId, ReviewerId
from comity.ports import Clock

LADDER: Final = "ladder"
DISMISS: Final = "dismiss"
OWN: Final = "own"
"""What may be chosen besides a milder row, which stands for itself."""
_QUEUE: Final = ("/console/queue", "To the queue")
_ASSESSED: Final = (CaseKind.SAMPLE, CaseKind.SECOND_REVIEW)

CasePath = Annotated[str, PathParameter(max_length=100)]
Why = Annotated[str, msgspec.Meta(max_length=10_000)]


class Choosing(Sent, frozen=True):
    """`version`: of the case as it was read. `choice`: of the ladder, a milder row, one's own words, or to dismiss.

    `offered_for`: the clauses for which the page offers its choices.
    """

    version: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    choice: Annotated[str, msgspec.Meta(max_length=1_000)] = LADDER
    own: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    why: Why = ""
    clauses: Several = ()
    offered_for: Annotated[str, msgspec.Meta(max_length=10_000)] = ""

    @property
    def instead(self) -> str | None:
        return None if self.choice == LADDER else self.own if self.choice == OWN else self.choice

    @property
    def named(self) -> tuple[ClauseId, ...]:
        return tuple(map(ClauseId, several(self.clauses)))


class Working(Sent, frozen=True):
    """Claim, release, hand over, escalate."""

    act: str
    to: Annotated[str, msgspec.Meta(max_length=200)] = ""
    why: Why = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the pages of cases are made of."""

    shell: Shell
    asks: Asks
    reader: Reader
    queue: Queue
    clock: Clock
    likeness: Likeness


def case_routes(of: Desk) -> list[ControllerRouterHandler]:
    return [*_reading(of), *_deciding(of)]


def _reading(of: Desk) -> list[ControllerRouterHandler]:
    @get("/console/cases/{case:str}")
    async def case(request: PageRequest, case: CasePath) -> Response[str]:
        return await _page(of, request, CaseId(case))

    @post("/console/cases/{case:str}/preview", status_code=HTTPStatus.OK)
    async def previewed(request: PageRequest, case: CasePath, data: URLEncodedBody[Choosing]) -> Response[str]:
        """The statement as it would be sent; a part of the page for htmx, the page for all others."""
        shown = await _preview(of, request.auth.name, CaseId(case), data)
        if request.headers.get("hx-request"):
            part: dict[str, object] = {"id": case, "shown": shown, "said": data}
            if tuple(data.offered_for.split()) != data.named:
                offered = await _offered(of, _of(case, request.auth.name, data), data.named)
                part |= {"is_part": True, "named": data.named, "offered": offered}
            return of.shell.answer(request, "case_preview", status=HTTPStatus.OK, **part)
        return await _page(of, request, CaseId(case), shown=shown, said=data)

    return [case, previewed]


def _deciding(of: Desk) -> list[ControllerRouterHandler]:
    @post("/console/cases/{case:str}/work", status_code=HTTPStatus.OK)
    async def work(request: PageRequest, case: CasePath, data: URLEncodedBody[Working]) -> Redirect:
        by, now = request.auth.name, of.clock.now()
        await of.asks.act(lambda running: _worked(running, CaseId(case), by, data, now))
        return onward(_QUEUE[0] if data.act != "claim" else f"/console/cases/{case}")

    @post("/console/cases/{case:str}/decision", status_code=HTTPStatus.OK)
    async def decide(request: PageRequest, case: CasePath, data: URLEncodedBody[Choosing]) -> Redirect:
        """412, and nothing is done, if the case is not as it was read."""
        by, now = request.auth.name, of.clock.now()
        facts = await of.asks.act(lambda running: _decided(running, _of(case, by, data), data, now))
        made = next((fact.decision for fact in facts if isinstance(fact, Decided)), None)
        return onward(f"/console/queue?done={made or 'closed'}")

    @post("/console/cases/{case:str}/assessment", status_code=HTTPStatus.OK)
    async def assess(request: PageRequest, case: CasePath, data: URLEncodedBody[Choosing]) -> Redirect:
        by, now = request.auth.name, of.clock.now()
        await of.asks.act(lambda running: _assessed(running, _of(case, by, data), data, now))
        return onward("/console/queue?done=noted")

    return [work, decide, assess]


def _of(case: str, by: ReviewerId, data: Choosing) -> Deciding:
    return Deciding(case=CaseId(case), version=data.version, by=by, why=data.why.replace("\r\n", "\n").strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What would be sent, or why nothing can be."""

    told: tuple[Told, ...] = ()
    problem: str = ""
    is_ready: bool = False


async def _page(
    of: Desk, request: PageRequest, case: CaseId, *, shown: Shown | None = None, said: Choosing | None = None
) -> Response[str]:
    now, by = of.clock.now(), request.auth.name
    found = await of.reader.look(lambda store: case_dossier(store, of.queue.versions(store), case, now))
    if found is None:
        raise PageError(HTTPStatus.NOT_FOUND, "There is no such case", "It may have been erased.", back=_QUEUE)
    is_asked = found.case.opened.kind in _ASSESSED
    is_open = found.case.closed is None
    clauses = said.named if said else tuple(each.id for each in found.clauses)
    asked = Deciding(case=case, version=found.case.version, by=by, why="")
    offered = await _offered(of, asked, clauses) if is_open and not is_asked else ()
    holder = found.case.holder(now)
    alike = await of.likeness.like(found, now) if is_open else ()
    return of.shell.answer(
        request,
        "case",
        found=found,
        offered=offered,
        alike=alike,
        is_open=is_open,
        is_asked=is_asked,
        holder=holder or "",
        is_own=holder == by,
        waits=since(found.case.since, now),
        named=clauses,
        shown=shown,
        said=said or Choosing(version=found.case.version, clauses=clauses),
    )


async def _offered(of: Desk, asked: Deciding, clauses: tuple[ClauseId, ...]) -> tuple[Choice, ...]:
    now = of.clock.now()
    return await of.asks.read(lambda running: preview.choices(running, asked, now, clauses))


async def _preview(of: Desk, by: ReviewerId, case: CaseId, data: Choosing) -> Shown:
    now = of.clock.now()
    deciding = _of(case, by, data)
    is_reasoned = bool(deciding.why)
    if not is_reasoned:
        deciding = msgspec.structs.replace(deciding, why="…")
    try:
        found = await of.asks.read(lambda running: _previewed(running, deciding, data, now))
    except ChoiceError as error:
        return Shown(problem=f"The measures cannot be read: {error}")
    except RefusedError as error:
        return Shown(problem=f"This cannot be sent: {error}.")
    problem = "" if is_reasoned else "Write your reasons: the person will read them where … stands."
    return Shown(told=told(found, of.shell.zone), problem=problem, is_ready=is_reasoned)


def _previewed(
    running: Proceedings, deciding: Deciding, data: Choosing, now: datetime
) -> tuple[preview.Statement, ...]:
    if data.choice == DISMISS:
        return preview.dismissed(running, deciding, now)
    return preview.confirmed(running, deciding, now, data.named, data.instead)


def _decided(running: Proceedings, deciding: Deciding, data: Choosing, now: datetime) -> tuple[Fact, ...]:
    _demand_as_read(running, deciding, now)
    if data.choice == DISMISS:
        return review.dismiss(running, deciding, now)
    return review.confirm(running, deciding, now, clauses=data.named, instead=data.instead)


def _assessed(running: Proceedings, deciding: Deciding, data: Choosing, now: datetime) -> tuple[Fact, ...]:
    _demand_as_read(running, deciding, now)
    clauses = () if data.choice == DISMISS else data.named
    return review.assess(running, deciding, clauses, now)


def _demand_as_read(running: Proceedings, deciding: Deciding, now: datetime) -> None:
    """Raises `PageError`, 412, that says who was first."""
    case = running.record(review.account_of(running, deciding.case)).case(deciding.case)
    if case is None or case.version == deciding.version:
        return
    back = (f"/console/cases/{deciding.case}", "Look at it again")
    first = "Somebody was first"
    if case.closed is not None:
        said = f"{case.closed.by} decided this case {since(case.closed.at, now)} ago. Nothing of yours was sent."
        raise PageError(HTTPStatus.PRECONDITION_FAILED, first, said, back=back)
    holder = case.holder(now)
    if holder not in (None, deciding.by):
        said = f"{holder} has claimed this case. Nothing of yours was sent; ask them to release it."
        raise PageError(HTTPStatus.PRECONDITION_FAILED, first, said, back=back)
    said = "Something was found or reported, or somebody worked on it, since you read it. Nothing of yours was sent."
    raise PageError(HTTPStatus.PRECONDITION_FAILED, "The case has changed", said, back=back)


def _worked(running: Proceedings, case: CaseId, by: ReviewerId, data: Working, now: datetime) -> tuple[Fact, ...]:
    acts: dict[str, Callable[[], tuple[Fact, ...]]] = {
        "claim": lambda: review.claim(running, case, by, now),
        "release": lambda: review.release(running, case, by, now),
        "hand over": lambda: review.hand_over(running, case, by, ReviewerId(data.to.strip().lower()), now),
        "escalate": lambda: review.escalate(running, case, by, data.why, now),
    }
    act = acts.get(data.act)
    if act is None:
        raise PageError(HTTPStatus.BAD_REQUEST, "This cannot be done", f"There is no act {data.act[:40]!r}.")
    return act()
