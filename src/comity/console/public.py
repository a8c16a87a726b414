"""What anybody may see: what this place is, the agreement and its versions, numbers, and how to check the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final
from zoneinfo import ZoneInfo

from litestar import Response, Router, get, post
from litestar.concurrency import sync_to_thread
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import ControllerRouterHandler

from comity.casework.retention import KEPT_AFTER, whole_days
from comity.casework.wording import dated
from comity.console.asking import Asks
from comity.console.changes import changes
from comity.console.checking import Checked, Checks
from comity.console.forms import AnyRequest, demand_own
from comity.console.lately import Measuring
from comity.console.numbers import MONTHS, Counting
from comity.console.pages import SAFE, Pages
from comity.console.problems import problem_pages
from comity.console.rendering import rendered
from comity.flow.agreement import InForce
from comity.flow.message import Proceedings
from comity.flow.shard import genesis_of
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.log import CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH
from comity.ledger.note import parse_note
from comity.model.ids import ClauseId, Digest
from comity.ports import Clock, PublishedLog

_FRESH: Final = {**SAFE, "Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """What the pages are made of. `url`: where the service is reached.

    `is_anchored`: the last checkpoint is kept on other storage too; `has_witnesses`: a policy names some.
    """

    asks: Asks
    log: PublishedLog
    clock: Clock
    zone: ZoneInfo
    pages: Pages
    url: str
    checks: Checks
    counting: Counting
    measuring: Measuring
    is_anchored: bool = False
    has_witnesses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One published version, for a list."""

    digest: Digest
    title: str
    since: str
    clauses: int
    is_in_force: bool
    is_to_come: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What every public page says: whose it is, under which agreement. `versions`: first to last."""

    operator: str
    title: str
    contact: str
    versions: tuple[Version, ...]
    is_replay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where it stands, who vouches for it, how the last check here ended. `cosigned`: how many entries others saw."""

    checkpoint: str
    size: int
    vkey: str
    cosigned: int | None
    signatures: int
    checked: Checked | None
    watched: bool
    anchored: bool
    url: str


def public_pages(of: Public) -> Router:
    routes = [*_first(of), *_agreements(of), *_ledger(of)]
    return Router("/", route_handlers=routes, include_in_schema=False, exception_handlers=problem_pages(of.pages))


def _first(of: Public) -> list[ControllerRouterHandler]:
    @get("/")
    async def home() -> Response[str]:
        """What this place is, and where to go on."""
        return await _page(of, "home", "")

    @get("/transparency")
    async def transparency() -> Response[str]:
        """What was decided, appealed and reversed, in numbers."""
        shown = await of.counting.numbers(await of.asks.read(_titles), of.clock.now())
        passed = whole_days(await of.asks.read(lambda running: running.kept_for))
        kept = {"passed": passed, "after": KEPT_AFTER.days}
        return await _page(of, "transparency", "transparency", shown=shown, kept=kept, months=MONTHS)

    return [home, transparency]


def _agreements(of: Public) -> list[ControllerRouterHandler]:
    @get("/agreement")
    async def current() -> Redirect:
        """The version in force."""
        now = of.clock.now()
        one = await of.asks.read(lambda running: running.versions.in_force(now) or running.versions.latest())
        if one is None:
            raise NotFoundException
        return Redirect(f"/agreements/{one.version.digest}", status_code=HTTP_303_SEE_OTHER, headers=_FRESH)

    @get("/agreements")
    async def versions() -> Response[str]:
        return await _page(of, "versions", "agreement")

    @get("/agreements/{digest:str}")
    async def version(digest: FromPath[str]) -> Response[str]:
        """One version as people read it."""
        _, one = await of.asks.read(lambda running: _pair(running, Digest(digest)))
        files = {each.path: each.content.decode() for each in one.version.files}
        text = files.pop("")
        shown = await sync_to_thread(rendered, text)
        return await _page(of, "version", "agreement", one=one, text=shown, lists=sorted(files))

    @get("/agreements/{digest:str}/changes")
    async def changed(digest: FromPath[str]) -> Response[str]:
        """What differs from the version before it."""
        before, one = await of.asks.read(lambda running: _pair(running, Digest(digest)))
        parts = await sync_to_thread(changes, before.agreement, one.agreement) if before else ()
        return await _page(of, "changes", "agreement", one=one, before=before, parts=parts)

    return [current, versions, version, changed]


def _ledger(of: Public) -> list[ControllerRouterHandler]:
    @get("/verify")
    async def verify() -> Response[str]:
        """How to check the ledger, and how this server's own last check ended."""
        return await _page(of, "verify", "verify", ledger=ledger(of))

    @post("/verify")
    async def check(request: AnyRequest) -> Redirect:
        """Read the whole ledger now; not again while nothing was added."""
        demand_own(request)
        await of.checks.check(of.clock.now())
        return Redirect("/verify#checked", status_code=HTTP_303_SEE_OTHER, headers=_FRESH)

    return [verify, check]


def ledger(of: Public) -> Ledger:
    """As it stands now."""
    checkpoint, cosigned = of.log.read(CHECKPOINT_PATH) or b"", of.log.read(COSIGNED_PATH)
    return Ledger(
        checkpoint=checkpoint.decode(),
        size=unverified_checkpoint(checkpoint).size if checkpoint else 0,
        vkey=(of.log.read(VKEY_PATH) or b"").decode().strip(),
        cosigned=unverified_checkpoint(cosigned).size if cosigned else None,
        signatures=len(parse_note(cosigned).signatures) if cosigned else 0,
        checked=of.checks.last,
        watched=of.has_witnesses,
        anchored=of.is_anchored,
        url=of.url,
    )


async def _page(of: Public, template: str, place: str, **values: object) -> Response[str]:
    return await page(of, template, place, values)


async def page(
    of: Public,
    template: str,
    place: str,
    values: Mapping[str, object],
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] = _FRESH,
) -> Response[str]:
    """With what all public pages say: whose they are, and the versions."""
    now = of.clock.now()
    about = await of.asks.read(lambda running: _about(running, now, of.zone))
    whole = {"about": about, "place": place, **values}
    return of.pages.page(f"public/{template}", whole, status=status, headers=headers)


def _about(running: Proceedings, now: datetime, zone: ZoneInfo) -> About:
    current = running.versions.in_force(now) or running.versions.latest()
    genesis = genesis_of(running.store)
    versions = tuple(
        Version(
            digest=one.version.digest,
            title=one.agreement.title,
            since=dated(one.version.effective, zone),
            clauses=len(one.agreement.clauses),
            is_in_force=one is current,
            is_to_come=one.version.effective > now,
        )
        for one in running.versions.every
    )
    return About(
        operator=genesis.operator if genesis else "",
        title=current.agreement.title if current else "",
        contact=current.agreement.contact if current else "",
        versions=versions,
        is_replay=running.mode == "replay",
    )


def _pair(running: Proceedings, digest: Digest) -> tuple[InForce | None, InForce]:
    """The version, and the one before it."""
    every = running.versions.every
    place = next((place for place, one in enumerate(every) if one.version.digest == digest), None)
    if place is None:
        raise NotFoundException(status_code=HTTPStatus.NOT_FOUND)
    return every[place - 1] if place else None, every[place]


def _titles(running: Proceedings) -> Mapping[ClauseId, str]:
    """Of every clause there ever was, in its last words."""
    return {clause.id: clause.title for one in running.versions.every for clause in one.agreement.clauses}
