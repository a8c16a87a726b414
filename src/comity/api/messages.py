"""Messages: `POST /v1/messages`, one object or one a line, each answered with what its source is to do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Final
from weakref import WeakSet

import msgspec
from litestar import Response, post
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest, demand_channel
from comity.api.desk import Queue
from comity.api.ending import Ending
from comity.api.lines import LINES, BothWays, Incoming, TooLongError
from comity.api.problems import Problem, ProblemError, problem
from comity.api.room import lease_of
from comity.flow.answers import ToldAnswer
from comity.ledger.note import NoteError
from comity.model.access import Token
from comity.model.clause import Kind
from comity.model.ids import DecisionId, Digest, MessageId
from comity.model.message import Message
from comity.model.reading import Read, Unread
from comity.ports import Outcome, StoreError

LARGEST_BODY: Final = 16 << 20
_AT_ONCE: Final = 1_000

Parse = Callable[[Sequence[bytes], str], Read]
"""`parse(lines, source)`."""
Answered = Callable[[Sequence[Message]], Awaitable[Sequence[ToldAnswer]]]
DryRun = Annotated[bool, QueryParameter(name="dry_run", description="1: say what would come of it, and keep nothing.")]


class Do(StrEnum):
    """ALLOW: pass it on. HOLD: keep it until it is decided. DENY: do not deliver it."""

    ALLOW = "allow"
    HOLD = "hold"
    DENY = "deny"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a message. `clauses`: those that were found breached. `statement`: why, where there is one.

    `measures`: what the decision behind it does. `acceptance_due`: the version in force, where the author accepted
    another one before and has yet to accept this. `until`: of one to hold, when to pass it on if nothing was decided.
    `hint`: what its source may have got wrong, such as a channel that the agreement does not name.
    """

    id: MessageId
    answer: Do
    outcome: Outcome
    clauses: tuple[str, ...] = ()
    measures: tuple[Kind, ...] = ()
    statement: DecisionId | None = None
    link: str | None = None
    acceptance_due: Digest | None = None
    until: datetime | None = None
    hint: str | None = None


_DOES: Final = {
    Outcome.ALLOWED: Do.ALLOW,
    Outcome.UNBOUND: Do.ALLOW,
    Outcome.HELD: Do.HOLD,
    Outcome.REMOVED: Do.DENY,
    Outcome.REFUSED: Do.DENY,
    Outcome.ERASED: Do.DENY,
}
_ENCODER: Final = msgspec.json.Encoder()


def message_routes(
    queue: Queue,
    parse: Parse,
    link: Callable[[DecisionId], str],
    count: Callable[[Iterable[Outcome]], None],
    ending: Ending,
) -> list[ControllerRouterHandler]:
    coming_in = WeakSet[Incoming]()

    def end() -> None:
        for incoming in coming_in:
            incoming.end()

    ending.tell(end)

    @post("/v1/messages", status_code=HTTPStatus.OK, raises=[], request_max_body_size=LARGEST_BODY)
    async def take(request: TokenRequest, *, dry_run: DryRun = False) -> Response[Judged | bytes] | BothWays:
        """Judge messages and keep what follows; the answer comes when it is durable.

        One JSON object, or with `Content-Type: application/x-ndjson` one a line, answered line by line while more
        come, without end if need be: who sends more than 16 MiB reads the answers meanwhile. A message that was sent
        before, by source and id, is answered as it was then; if it waited, as was decided since. With `dry_run=1` each
        is judged as if it came next, and nothing is kept.
        """
        token = request.auth
        answered = queue.try_out if dry_run else _counting(queue.take, count)
        if request.content_type[0] == LINES:
            incoming = Incoming(LARGEST_BODY, lease_of(request.scope))
            coming_in.add(incoming)
            await incoming.begin(request.receive)
            return BothWays(_lines(answered, parse, link, token, incoming.batches(_AT_ONCE)))
        read = parse([await request.body()], token.name)
        if read.unread or not read.messages:
            raise ProblemError(HTTPStatus.BAD_REQUEST, _why(read.unread))
        demand_channel(token, read.messages[0].channel)
        (answer,) = await answered(read.messages)
        return Response(judged(answer, link))

    return [take]


def _counting(take: Answered, count: Callable[[Iterable[Outcome]], None]) -> Answered:
    async def counted(messages: Sequence[Message]) -> Sequence[ToldAnswer]:
        answers = await take(messages)
        count(answer.outcome for answer in answers)
        return answers

    return counted


async def _lines(
    answered: Answered,
    parse: Parse,
    link: Callable[[DecisionId], str],
    token: Token,
    coming: AsyncIterator[list[bytes]],
) -> AsyncIterator[bytes]:
    """A line for each line: an answer, or a problem that names it. Nothing is lost when some cannot be read."""
    start = 0
    try:
        async for lines in coming:
            read = parse(lines, token.name)
            mine = [message for message in read.messages if token.may_use(message.channel)]
            answers = await _answers(answered, mine)
            yield b"".join(
                _ENCODER.encode(told) + b"\n" for told in _in_order(lines, start, read, answers, token, link)
            )
            start += len(lines)
    except ProblemError as error:  # there was no room for more of it
        yield _ENCODER.encode(problem(error.status, f"Line {start + 1}: {error.detail}")) + b"\n"
    except TooLongError:
        detail = f"Line {start + 1}: it is longer than {LARGEST_BODY:,} bytes; none behind it was read."
        yield _ENCODER.encode(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)) + b"\n"


async def _answers(answered: Answered, messages: Sequence[Message]) -> dict[MessageId, ToldAnswer] | Problem:
    """The answers; or why there is none, and none of the messages was taken."""
    if not messages:
        return {}
    try:
        return {answer.message: answer for answer in await answered(messages)}
    except ProblemError as error:
        return problem(error.status, error.detail)
    except (StoreError, NoteError, OSError) as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"Nothing was recorded: {error}. Send it again in a moment.")


def _in_order(
    lines: Sequence[bytes],
    start: int,
    read: Read,
    answers: dict[MessageId, ToldAnswer] | Problem,
    token: Token,
    link: Callable[[DecisionId], str],
) -> Iterator[Judged | Problem]:
    unread, messages = {each.line: each for each in read.unread}, iter(read.messages)
    for number, line in enumerate(lines, 1):
        place = f"Line {start + number}: "
        if number in unread:
            yield problem(HTTPStatus.BAD_REQUEST, place + _why([unread[number]]))
        elif line and not line.isspace():
            message = next(messages)
            if not token.may_use(message.channel):
                detail = f"{place}the token is not for the channel {message.channel!r}."
                yield problem(HTTPStatus.FORBIDDEN, detail)
            elif isinstance(answers, Problem):
                yield problem(answers.status, place + answers.detail)
            else:
                yield judged(answers[message.id], link)


def judged(answer: ToldAnswer, link: Callable[[DecisionId], str]) -> Judged:
    return Judged(
        id=answer.message,
        answer=_DOES[answer.outcome],
        outcome=answer.outcome,
        clauses=answer.clauses,
        measures=answer.measures,
        statement=answer.statement,
        link=link(answer.statement) if answer.statement else None,
        acceptance_due=answer.acceptance_due,
        until=answer.until,
        hint=answer.hint,
    )


def _why(unread: Sequence[Unread]) -> str:
    return f"{unread[0].reason}; {unread[0].mend}" if unread else "The body is empty: send one JSON object."
