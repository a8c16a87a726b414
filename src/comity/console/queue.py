"""The queue: what waits for a reviewer and why it is first, with filters that live in the address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from comity.casework.cases import Case
from comity.casework.facts import Appealed
from comity.casework.marks import Piece, pieces
from comity.casework.queue import UNKNOWN
from comity.casework.wording import counted
from comity.console.asking import Reader
from comity.console.shell import Shell
from comity.console.visit import PageRequest
from comity.flow.queue import Waiting, waiting_in
from comity.model.finding import Passage
from comity.model.ids import ReviewerId
from comity.ports import Clock, Store

_AT_ONCE: Final = 25
_EXCERPT: Final = 240
_DAYS_FROM: Final = 48

Filter = Annotated[str, QueryParameter(max_length=200)]
WHO: Final = {"mine": "I can work on", "own": "claimed by me", "all": "everybody's"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case in the queue. `why`: what put it where it is."""

    id: str
    account: str
    kind: str
    asked: str
    clauses: tuple[str, ...]
    excerpt: tuple[Piece, ...]
    why: tuple[str, ...]
    since: datetime
    holder: str
    is_own: bool
    is_escalated: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filters, as the address has them."""

    clause: str = ""
    kind: str = ""
    who: str = "mine"
    after: str = ""

    def address(self, **other: str) -> str:
        told = {"clause": self.clause, "kind": self.kind, "who": self.who, "after": "", **other}
        given = {name: value for name, value in told.items() if value and (name, value) != ("who", "mine")}
        return "/console/queue" + (f"?{urlencode(given)}" if given else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A page of it. `alike`: how many cases only the wanted clause's rule asks about."""

    lines: tuple[Line, ...]
    count: int
    total: int
    clauses: tuple[str, ...]
    kinds: tuple[str, ...]
    more: str


def queue_routes(shell: Shell, reader: Reader, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/console/queue")
    async def queue(
        request: PageRequest,
        clause: Filter = "",
        kind: Filter = "",
        who: Filter = "mine",
        after: Filter = "",
        done: Filter = "",
        count: Annotated[int, QueryParameter(ge=0)] = 0,
    ) -> Response[str]:
        wanted = Wanted(clause=clause, kind=kind, who=who if who in WHO else "mine", after=after)
        now, name = clock.now(), request.auth.name
        found = await reader.look(lambda store: _queue(store, wanted, name, now))
        return shell.answer(request, "queue", queue=found, wanted=wanted, who=WHO, done=done, count=count)

    @get("/console/waiting")
    async def waiting(request: PageRequest) -> Response[str]:
        """How much waits, for whoever has a page open."""
        count = await reader.look(lambda store: sum(1 for _ in store.waiting()))
        return shell.answer(request, "waiting", count=count)

    return [queue, waiting]


def _queue(store: Store, wanted: Wanted, by: ReviewerId, now: datetime) -> Queue:
    every = [each for each in waiting_in(store, now) if isinstance(each.what, Case)]
    found = [each for each in every if _is_wanted(each, wanted, by, now)]
    start = next((place + 1 for place, each in enumerate(found) if each.id == wanted.after), 0)
    shown = found[start : start + _AT_ONCE]
    is_more = start + _AT_ONCE < len(found)
    return Queue(
        lines=tuple(_line(store, each, by, now) for each in shown),
        count=len(found),
        total=len(every),
        clauses=tuple(sorted({clause for each in every for clause in _clauses(each.what)})),
        kinds=tuple(sorted({str(each.what.opened.kind) for each in every if isinstance(each.what, Case)})),
        more=wanted.address(after=shown[-1].id) if is_more else "",
    )


def _is_wanted(one: Waiting, wanted: Wanted, by: ReviewerId, now: datetime) -> bool:
    if not isinstance(one.what, Case):
        return False
    holder = one.what.holder(now)
    is_theirs = {"mine": holder in (None, by), "own": holder == by, "all": True}[wanted.who]
    is_of_clause = not wanted.clause or wanted.clause in _clauses(one.what)
    return is_theirs and is_of_clause and wanted.kind in ("", one.what.opened.kind)


def _clauses(what: Case | Appealed) -> tuple[str, ...]:
    if isinstance(what, Appealed):
        return ()
    found: Iterable[str | None] = (*(each.clause for each in what.breaches), *(each.clause for each in what.notices))
    return tuple(dict.fromkeys(each for each in found if each))


def _line(store: Store, one: Waiting, by: ReviewerId, now: datetime) -> Line:
    case = one.what
    assert isinstance(case, Case)
    holder = case.holder(now)
    return Line(
        id=one.id,
        account=one.account,
        kind=str(case.opened.kind),
        asked=case.opened.why,
        clauses=_clauses(case),
        excerpt=_excerpt(store, case),
        why=tuple(_why(one, case, now)),
        since=one.urgency.since,
        holder=holder or "",
        is_own=holder == by,
        is_escalated=case.escalated is not None,
        version=case.version,
    )


def _why(one: Waiting, case: Case, now: datetime) -> Iterable[str]:
    """In the order in which it counts."""
    yield counted(one.urgency.severity, "point")
    if one.urgency.reach:
        yield f"seen by {one.urgency.reach:,}"
    yield f"waits {since(one.urgency.since, now)}"
    if case.breaches and one.urgency.confidence != UNKNOWN:
        yield f"people confirm {one.urgency.confidence:.0%} of what this rule finds"
    if case.notices:
        yield counted(len(case.notices), "report")


def since(at: datetime, now: datetime) -> str:
    """`5 minutes`, `3 hours`, `12 days`."""
    minutes = max(0, int((now - at).total_seconds() // 60))
    if minutes < 60:
        return counted(minutes, "minute")
    hours = minutes // 60
    return counted(hours, "hour") if hours < _DAYS_FROM else counted(hours // 24, "day")


def _excerpt(store: Store, case: Case) -> tuple[Piece, ...]:
    """The beginning of its first message whose text is kept, with what was found in it."""
    for breach in case.breaches:
        kept = store.message(breach.source, breach.message)
        if kept is not None:
            own = (each for each in breach.evidence if isinstance(each, Passage) and each.field == "text")
            return pieces(kept.text[:_EXCERPT], own)
    return pieces(case.messages[0].text[:_EXCERPT], ()) if case.messages else ()
