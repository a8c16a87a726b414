"""What operators do to the record: undo what a bad rule caused, give people their data, erase them, keep them."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest
from comity.api.cases import Text
from comity.api.desk import Queue
from comity.api.messages import DryRun
from comity.api.once import Key, Once
from comity.api.problems import ProblemError
from comity.api.sources import Line
from comity.api.standings import Account
from comity.api.times import Time
from comity.casework.facts import HoldEnded, HoldSet, Recomputed
from comity.casework.refused import RefusedError
from comity.flow import amend, retention
from comity.flow.message import Proceedings
from comity.flow.retention import Export
from comity.model.duration import EARLIEST
from comity.model.ids import AccountId, ClauseId, DecisionId, Digest, ReviewerId
from comity.ports import Clock


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """Which rule: its clause, its version (the last published, if left out), and since when."""

    clause: ClauseId
    by: Line
    why: Text
    version: Digest | None = None
    since: Time | None = None


class UndoneNow(msgspec.Struct, frozen=True, kw_only=True):
    """`reversed`: the decisions that the rule alone caused. `left`: those that rest on other clauses too, and stand."""

    reversed: tuple[DecisionId, ...]
    recomputed: int
    left: tuple[DecisionId, ...]


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """`keep_hash`: of a terminated account, so that it can be told from a new one."""

    account: Line
    keep_hash: bool = False


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A legal hold: nothing of the account may be erased. `ends`: it is over."""

    account: Line
    by: Line
    why: Text
    ends: bool = False


def operator_routes(queue: Queue, once: Once, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/v1/undo", status_code=HTTPStatus.OK)
    async def undo(
        request: TokenRequest, data: JSONBody[Undoing], *, dry_run: DryRun = False, key: Key = None
    ) -> UndoneNow:
        """Reverse, in one transaction, all that a rule of one version caused."""
        if dry_run:
            return await queue.read(lambda running: _undone(_caused(running, data), 0))

        def act(running: Proceedings) -> UndoneNow:
            return _undo(running, data, clock.now())

        return await once.act(request, key, act, UndoneNow, is_alone=True)

    @get("/v1/export")
    async def export(account: Account) -> Response[dict[str, object]]:
        """All that the record holds of an account and may tell it, as `comity export` prints it."""
        found = await queue.read(lambda running: _export(running, AccountId(account), clock.now()))
        return Response(msgspec.to_builtins(found), headers={"Cache-Control": "no-store"})

    @post("/v1/erasures", status_code=HTTPStatus.NO_CONTENT)
    async def erase(request: TokenRequest, data: JSONBody[Erasure], key: Key = None) -> None:
        """Erase an account's data for good: 409 under a legal hold, or while a measure, case or appeal needs them."""

        def act(running: Proceedings) -> None:
            amend.erase(running, AccountId(data.account), clock.now(), keep_hash=data.keep_hash)

        await once.act(request, key, act, type(None), is_alone=True)

    @post("/v1/holds", status_code=HTTPStatus.NO_CONTENT)
    async def hold(request: TokenRequest, data: JSONBody[Hold], key: Key = None) -> None:
        """Set a legal hold, or end it."""
        await once.act(request, key, lambda running: _hold(running, data, clock.now()), type(None))

    return [undo, export, erase, hold]


def _caused(running: Proceedings, given: Undoing) -> amend.Caused:
    latest = running.versions.latest()
    digest = given.version or (latest.version.digest if latest else Digest(""))
    return amend.caused(running, given.clause, digest, given.since or EARLIEST)


def _undo(running: Proceedings, given: Undoing, now: datetime) -> UndoneNow:
    found = _caused(running, given)
    if not found.alone:
        raise RefusedError(f"no decision that stands was caused by “{given.clause}” alone")
    facts = amend.undo(running, found, ReviewerId(given.by), given.why, now)
    return _undone(found, sum(isinstance(fact, Recomputed) for fact in facts))


def _undone(found: amend.Caused, recomputed: int) -> UndoneNow:
    return UndoneNow(
        reversed=tuple(decision for _, decision in found.alone),
        recomputed=recomputed,
        left=tuple(decision for _, decision in found.mixed),
    )


def _export(running: Proceedings, account: AccountId, now: datetime) -> Export:
    found = retention.export(running.store, account, now, kept_for=running.kept_for)
    if not running.store.facts_of(account) and not found.messages:
        raise ProblemError(HTTPStatus.NOT_FOUND, "The record has nothing about that account.")
    return found


def _hold(running: Proceedings, given: Hold, now: datetime) -> None:
    account, by = AccountId(given.account), ReviewerId(given.by)
    if given.ends == (running.record(account).hold is None):
        raise RefusedError("the account has no legal hold" if given.ends else "the account has a legal hold already")
    fact: HoldSet | HoldEnded = (
        HoldEnded(account=account, at=now, by=by, why=given.why)
        if given.ends
        else HoldSet(account=account, at=now, by=by, why=given.why)
    )
    running.note(fact)
