"""Who may communicate: one standing for whoever asks, and the feed that gates follow (`gates.md`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import MediaType, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest, demand_channel
from comity.api.desk import Queue
from comity.api.lines import LINES
from comity.api.short import LONGEST_ACCOUNT, short
from comity.api.snapshots import Snapshots
from comity.api.times import Time, in_utc
from comity.api.watch import Watch
from comity.casework.plan import planned
from comity.casework.record import standing
from comity.flow.message import Proceedings
from comity.flow.reached import Reached, last_changes, reached, reached_lines
from comity.ledger.feed import FeedSnapshot
from comity.model.access import GateAck
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import Standing
from comity.model.measure import State as StandingState
from comity.model.plan import Span
from comity.ports import Clock, GateAcks

Account = Annotated[str, QueryParameter(min_length=1, max_length=LONGEST_ACCOUNT, description="The account's id.")]

After = Annotated[int, QueryParameter(ge=0, description="The last change that the gate has.")]
_SNAPSHOT: Final = ResponseSpec(FeedSnapshot, description="The snapshot.", generate_examples=False)


class StandingNow(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the account may communicate on the channel now; if it is restricted, how, why, and until when."""

    account: AccountId
    channel: Channel
    state: StandingState
    limit: str | None = None
    until: datetime | None = None
    reason: str | None = None
    statement: DecisionId | None = None
    link: str | None = None


class AtGate(msgspec.Struct, frozen=True, kw_only=True):
    """`milliseconds` from the record to this gate, by the centre's clock; null: it has come to `cursor` only."""

    gate: str
    cursor: int
    milliseconds: float | None


class AtGates(msgspec.Struct, frozen=True, kw_only=True):
    """At which gates the account's last changes have arrived; `said` in words, such as `cut off at 4 of 4 gates`."""

    account: AccountId
    said: str
    gates: tuple[AtGate, ...]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """All changes up to `cursor` were applied at `applied_at`."""

    cursor: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    applied_at: Time


class Applied(Point, frozen=True, kw_only=True):
    """How far a gate has come. `gate` tells several with one token apart; `earlier`: what it came past on the way."""

    gate: Annotated[str, msgspec.Meta(max_length=100)] = ""
    earlier: Annotated[tuple[Point, ...], msgspec.Meta(max_length=1_000)] = ()


def standing_routes(
    queue: Queue, watch: Watch, snapshots: Snapshots, acks: GateAcks, clock: Clock, link: Callable[[DecisionId], str]
) -> list[ControllerRouterHandler]:
    async def standing_now(account: AccountId, channel: Channel) -> StandingNow:
        return await queue.read(lambda proceedings: _standing(proceedings, account, channel, clock, link))

    @get("/v1/standing", middleware=[short(standing_now)])
    async def one(request: TokenRequest, account: Account, channel: FromQuery[str]) -> StandingNow:
        """One account's standing on one channel, now."""
        demand_channel(request.auth, Channel(channel))
        return await standing_now(AccountId(account), Channel(channel))

    return [one, _gates_route(queue, watch, acks, clock), *_feed_routes(watch, snapshots, acks)]


def _gates_route(queue: Queue, watch: Watch, acks: GateAcks, clock: Clock) -> ControllerRouterHandler:
    @get("/v1/standing/gates")
    async def at_gates(request: TokenRequest, account: Account) -> AtGates:
        """How far the account's last changes have come, on the channels that the token is for."""
        id_, may_use = AccountId(account), request.auth.may_use
        standings = await queue.read(lambda proceedings: _standings(proceedings, id_, clock.now()))
        standings = [each for each in standings if may_use(each.channel)]
        changes = await watch.ask(lambda store: last_changes(store, id_, [each.channel for each in standings]))
        return _at_gates(id_, reached(changes, acks), standings)

    return at_gates


def _feed_routes(watch: Watch, snapshots: Snapshots, acks: GateAcks) -> list[ControllerRouterHandler]:
    @get("/v1/standings/snapshot", media_type=MediaType.JSON, responses={200: _SNAPSHOT})
    async def snapshot(request: TokenRequest) -> Stream:
        """All who are restricted, as of one change of the feed, with a count and a digest to hold it against."""
        return Stream(await snapshots.pieces(request.auth.channels), media_type=MediaType.JSON)

    @get("/v1/standings", media_type=LINES)
    async def changes(request: TokenRequest, epoch: FromQuery[str], after: After) -> Stream:
        """Changes in their order from the one after `after` on, and a heartbeat every half second; it does not end.

        410: this feed does not go on from there; take a new snapshot.
        """
        return Stream(await watch.stream(epoch, after, request.auth.channels), media_type=LINES)

    @post("/v1/gates/ack", status_code=HTTPStatus.NO_CONTENT)
    async def ack(request: TokenRequest, data: JSONBody[Applied]) -> None:
        """Say up to which change a gate has come."""
        token = request.auth
        gate = f"{token.name}/{data.gate}" if data.gate else token.name
        points = (*data.earlier, data)
        acks.add(
            *(
                GateAck(gate=gate, channels=token.channels, cursor=each.cursor, applied_at=in_utc(each.applied_at))
                for each in points
            )
        )

    return [snapshot, changes, ack]


def _standings(proceedings: Proceedings, account: AccountId, now: datetime) -> list[Standing]:
    latest = proceedings.versions.latest()
    record = proceedings.record(account)
    return [standing(record, channel, now) for channel in (latest.agreement.channels if latest else ())]


def _at_gates(account: AccountId, gates: Sequence[Reached], standings: Sequence[Standing]) -> AtGates:
    return AtGates(
        account=account,
        said="; ".join(reached_lines(gates, standings)),
        gates=tuple(
            AtGate(
                gate=each.gate,
                cursor=each.cursor,
                milliseconds=None if each.took is None else each.took / timedelta(milliseconds=1),
            )
            for each in gates
        ),
    )


def _standing(
    proceedings: Proceedings, account: AccountId, channel: Channel, clock: Clock, link: Callable[[DecisionId], str]
) -> StandingNow:
    record, now = proceedings.record(account), clock.now()
    found = standing(record, channel, now)
    span = _span(proceedings, account, channel, now) if found.by is not None else None
    return StandingNow(
        account=account,
        channel=channel,
        state=found.state,
        limit=span.limit if span else None,
        until=span.until if span else None,
        reason=span.reason if span else None,
        statement=span.statement if span else None,
        link=link(span.statement) if span else None,
    )


def _span(proceedings: Proceedings, account: AccountId, channel: Channel, now: datetime) -> Span | None:
    plans = (one.plan for one in planned(proceedings.record(account), now) if one.channel == channel)
    return next((span for plan in plans for span in plan if span.covers(now)), None)
