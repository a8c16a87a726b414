"""The versions of the agreement: listed, read whole, and the next one published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from comity.agreement.diagnostics import Diagnostic
from comity.api.access import TokenRequest
from comity.api.conditional import LIMIT, UNCHANGED, Limit, NotModified, conditional, next_page
from comity.api.desk import Queue
from comity.api.messages import DryRun
from comity.api.once import Key, Once
from comity.api.problems import ProblemError
from comity.api.times import Time, in_utc
from comity.casework.wording import counted
from comity.flow import issue
from comity.flow.agreement import InForce
from comity.flow.message import Proceedings
from comity.model.ids import Digest
from comity.ports import Clock, Version

LARGEST_AGREEMENT = 16 << 20
_MOST_SHOWN = 50
_FOR_GOOD = "public, max-age=31536000, immutable"
DigestPath = Annotated[str, PathParameter(pattern="^sha256:[0-9a-f]{64}$", description="The version's digest.")]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One published version."""

    digest: Digest
    title: str
    effective: datetime
    languages: tuple[str, ...]


class VersionWhole(msgspec.Struct, frozen=True, kw_only=True):
    """A version and all that its digest covers: the agreement's text, and its lexicons by their paths."""

    digest: Digest
    title: str
    effective: datetime
    text: str
    lexicons: dict[str, str]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement to publish. `effective`: from when on it is in force; now, if left out."""

    text: Text
    lexicons: dict[str, str] = {}
    effective: Time | None = None


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """`remarks`: what `comity check` would say of it, a line each."""

    digest: Digest
    effective: datetime
    remarks: tuple[str, ...]


def agreement_routes(queue: Queue, once: Once, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/v1/agreements", responses=UNCHANGED)
    async def versions(
        after: Annotated[
            str | None, QueryParameter(max_length=100, description="The last digest that is known.")
        ] = None,
        limit: Limit = LIMIT,
        known: NotModified = None,
    ) -> Response[list[VersionLine]]:
        """All versions, first to last; `Link` names the next page."""
        every = await queue.read(lambda running: [_line(one) for one in running.versions.every])
        start = next((place for place, one in enumerate(every, 1) if one.digest == after), 0)
        page = every[start : start + limit]
        more = next_page("/v1/agreements", page[-1].digest, limit) if start + limit < len(every) else None
        return conditional(page, known, next_=more)

    @get("/v1/agreements/{digest:str}", responses=UNCHANGED)
    async def whole(digest: DigestPath, known: NotModified = None) -> Response[VersionWhole]:
        """One version's text, as it was published: its digest is the SHA-256 of it all."""
        found = await queue.read(lambda running: _whole(running, Digest(digest)))
        return conditional(found, known, tag=f'"{digest}"', cache=_FOR_GOOD)

    @post("/v1/agreements", status_code=HTTPStatus.CREATED, request_max_body_size=LARGEST_AGREEMENT)
    async def publish(
        request: TokenRequest, data: JSONBody[Draft], *, dry_run: DryRun = False, key: Key = None
    ) -> Published:
        """Publish the next version: 422 with every error that `comity check` finds."""
        now = clock.now()
        files = {"": data.text, **data.lexicons}
        checked = await sync_to_thread(_checked, files, in_utc(data.effective or now))
        version = checked.version
        if version is None:
            found = tuple(_said(each) for each in checked.diagnostics if each.is_error)
            detail = f"The agreement has {counted(len(found), 'error')}."
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, places=found[:_MOST_SHOWN])
        answer = _published(version, checked)
        if not dry_run:
            await once.act(request, key, lambda running: _issued(running, version, now, answer), Published)
        return answer

    return [versions, whole, publish]


def _issued(running: Proceedings, version: Version, now: datetime, answer: Published) -> Published:
    issue.issue(running, version, now)
    return answer


def _published(version: Version, checked: issue.Checked) -> Published:
    remarks = tuple(_said(each) for each in checked.diagnostics)[:_MOST_SHOWN]
    return Published(digest=version.digest, effective=version.effective, remarks=remarks)


def _checked(files: Mapping[str, str], effective: datetime) -> issue.Checked:
    return issue.read("agreement.md", {path: text.encode() for path, text in files.items()}, effective)


def _said(one: Diagnostic) -> str:
    return f"{one.file}:{one.line}:{one.column}: {one.code}: {one.message}"


def _line(one: InForce) -> VersionLine:
    return VersionLine(
        digest=one.version.digest,
        title=one.agreement.title,
        effective=one.version.effective,
        languages=(one.agreement.language, *one.agreement.translations),
    )


def _whole(running: Proceedings, digest: Digest) -> VersionWhole:
    one = running.versions.of(digest)
    if one is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no version {digest}.")
    files = {each.path: each.content.decode() for each in one.version.files}
    return VersionWhole(
        digest=digest,
        title=one.agreement.title,
        effective=one.version.effective,
        text=files.pop(""),
        lexicons=files,
    )
