"""The queue: what waits for a reviewer and why it is first, with filters that live in the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from comity.casework.cases import Case
from comity.casework.marks import Piece, pieces
from comity.casework.queue import UNKNOWN, rests_on_claims
from comity.casework.wording import counted
from comity.console.asking import Reader
from comity.console.shell import Shell
from comity.console.visit import PageRequest
from comity.flow.agreement import Versions
from comity.flow.claims import is_claimed
from comity.flow.queue import Queue as Waits
from comity.flow.queue import Waiting
from comity.model.finding import Passage
from comity.model.ids import ClauseId, ReviewerId
from comity.ports import Clock, Store

_AT_ONCE: Final = 25
_EXCERPT: Final = 240
_DAYS_FROM: Final = 48

Filter = Annotated[str, QueryParameter(max_length=200)]
WHO: Final = {"mine": "I can work on", "own": "claimed by me", "all": "everybody's"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case in the queue. `clauses`: titles and ids; `why`: what put it where it is."""

    id: str
    account: str
    kind: str
    asked: str
    clauses: tuple[tuple[str, ClauseId], ...]
    subject: tuple[Piece, ...]
    excerpt: tuple[Piece, ...]
    why: tuple[str, ...]
    holder: str
    is_own: bool
    is_escalated: bool


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
    """A page of it, and what can be filtered by."""

    lines: tuple[Line, ...]
    count: int
    total: int
    clauses: tuple[tuple[str, ClauseId], ...]
    kinds: tuple[str, ...]
    claims: int
    """How many can be dismissed together: reports of messages of which nothing is known."""
    more: str


def queue_routes(shell: Shell, reader: Reader, queue: Waits, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/console/queue")
    async def shown(
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
        found = await reader.look(lambda store: _queue(store, queue, wanted, name, now))
        return shell.answer(request, "queue", queue=found, wanted=wanted, who=WHO, done=done, count=count)

    @get("/console/waiting")
    async def waiting(request: PageRequest) -> Response[str]:
        """How much waits, for whoever has a page open."""
        count = await reader.look(lambda store: sum(1 for _ in store.waiting()))
        return shell.answer(request, "waiting", count=count)

    return [shown, waiting]


def _queue(store: Store, queue: Waits, wanted: Wanted, by: ReviewerId, now: datetime) -> Queue:
    every = [(each, each.what) for each in queue.look(store, now) if isinstance(each.what, Case)]
    found = [(each, case) for each, case in every if _is_wanted(case, wanted, by, now)]
    start = next((place + 1 for place, (each, _) in enumerate(found) if each.id == wanted.after), 0)
    shown = found[start : start + _AT_ONCE]
    named = titles(queue.versions(store))
    return Queue(
        lines=tuple(_line(each, case, named, by, now) for each, case in shown),
        count=len(found),
        total=len(every),
        clauses=tuple(
            sorted((named.get(clause, clause), clause) for clause in {c for _, case in every for c in _clauses(case)})
        ),
        kinds=tuple(sorted({str(case.opened.kind) for _, case in every})),
        claims=sum(is_claimed(case, by, now) for _, case in every),
        more=wanted.address(after=shown[-1][0].id) if start + _AT_ONCE < len(found) else "",
    )


def _is_wanted(case: Case, wanted: Wanted, by: ReviewerId, now: datetime) -> bool:
    holder = case.holder(now)
    is_theirs = {"mine": holder in (None, by), "own": holder == by, "all": True}[wanted.who]
    is_of_clause = not wanted.clause or wanted.clause in _clauses(case)
    return is_theirs and is_of_clause and wanted.kind in ("", case.opened.kind)


def _clauses(case: Case) -> tuple[ClauseId, ...]:
    found = (*(each.clause for each in case.breaches), *(each.clause for each in case.notices))
    return tuple(dict.fromkeys(each for each in found if each))


def titles(versions: Versions) -> Mapping[ClauseId, str]:
    """As the newest version that has the clause calls it."""
    return {clause.id: clause.title for one in versions.every for clause in one.agreement.clauses}


def _line(one: Waiting, case: Case, named: Mapping[ClauseId, str], by: ReviewerId, now: datetime) -> Line:
    holder = case.holder(now)
    return Line(
        id=one.id,
        account=one.account,
        kind=str(case.opened.kind),
        asked=case.opened.why,
        clauses=tuple((named.get(each, each), each) for each in _clauses(case)),
        subject=_marked(one, "subject"),
        excerpt=_marked(one, "text"),
        why=tuple(_why(one, case, now)),
        holder=holder or "",
        is_own=holder == by,
        is_escalated=case.escalated is not None,
    )


def _why(one: Waiting, case: Case, now: datetime) -> Iterable[str]:
    """In the order in which it counts."""
    is_named = bool(case.breaches) or any(each.clause for each in case.notices)
    yield counted(one.urgency.severity, "point") if is_named or one.urgency.severity else "no clause is named yet"
    if one.urgency.reach:
        yield f"seen by {one.urgency.reach:,}"
    yield f"waits {since(one.urgency.since, now)}"
    if case.breaches:
        is_known = one.urgency.confidence != UNKNOWN
        known = f"people confirm {one.urgency.confidence:.0%} of what this rule finds"
        yield known if is_known else "nobody has decided on this rule yet"
    if case.notices:
        yield counted(len(case.notices), "report")
    if rests_on_claims(case):
        yield "nothing is known of its message here"


def since(at: datetime, now: datetime) -> str:
    """`less than a minute`, `5 minutes`, `3 hours`, `12 days`."""
    minutes = max(0, int((now - at).total_seconds() // 60))
    if not minutes:
        return "less than a minute"
    if minutes < 60:
        return counted(minutes, "minute")
    hours = minutes // 60
    return counted(hours, "hour") if hours < _DAYS_FROM else counted(hours // 24, "day")


def _marked(one: Waiting, field: Literal["subject", "text"]) -> tuple[Piece, ...]:
    """The beginning of that field of its first message whose text is kept, with what was found in it."""
    message = one.message
    if message is None:
        return ()
    own = [each for each in one.breaches if (each.source, each.message) == (message.source, message.id)]
    evidence = (each for breach in own for each in breach.evidence)
    found = (each for each in evidence if isinstance(each, Passage) and each.field == field)
    return pieces((message.subject if field == "subject" else message.text)[:_EXCERPT], found)
