"""The record's desk, asked from many requests at once: one thread acts, and what waits is kept together.

Acts and messages that come while a group is being kept make up the next one: each is checked and refused on its own,
and one transaction and one publication keep them all. Nothing is answered before it is durable. When too many messages
wait, the next is refused with a time to come back. Looks that wait are taken together too, since going over to the
thread and back costs more than most of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby, islice
from typing import Final, TypeVar

from comity.api.problems import ProblemError
from comity.flow.accounts import by_account
from comity.flow.answers import ToldAnswer
from comity.flow.desk import Desk, Group
from comity.flow.message import Proceedings
from comity.flow.retention import daily
from comity.ledger.note import NoteError
from comity.model.message import Message
from comity.ports import StoreError

ResultT = TypeVar("ResultT")
_LONGEST: Final = 0.005
"""Seconds after which a group takes no other act."""
_AT_ONCE: Final = 100
_JUDGED_AT_ONCE: Final = 50
"""Messages: gates hear of none of them before all are decided, and decisions take so long that these are a group."""
_MOST_WAITING: Final = 20_000
_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What an act came to. `kept` is called in the desk's thread once it is durable, then `tell` in the loop's."""

    kept: Callable[[], None]
    tell: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """Something that waits to be done. `undone`: it was begun, and nothing of it was kept; `is_alone`: in no group."""

    do: Callable[[Proceedings], _Done]
    fail: Callable[[BaseException], None]
    undone: Callable[[], None]
    is_alone: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    messages: Sequence[Message]
    answers: asyncio.Future[Sequence[ToldAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Something that is to be looked up. `see` is called in the desk's thread, then what it returns in the loop's."""

    see: Callable[[Proceedings], Callable[[], None]]
    fail: Callable[[BaseException], None]


class Queue:
    """Begin it with `start` in the running event loop; `stop` waits until all that was taken is answered."""

    def __init__(
        self,
        desk: Desk,
        told: Callable[[], None],
        *,
        heard: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`told` is called in the desk's thread after anything was recorded; `heard` before more is, and may wait.

        `monotonic`: seconds, to end groups by.
        """
        self._desk, self._told, self._heard, self._monotonic = desk, told, heard, monotonic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._queue: asyncio.Queue[_Act | _Waiting | None] = asyncio.Queue()
        self._waiting = 0
        self._worker: asyncio.Task[None] | None = None
        self._upkeep: asyncio.Task[None] | None = None
        self._looks: list[_Look] = []
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._worker = asyncio.get_running_loop().create_task(self._work())
        self._upkeep = asyncio.get_running_loop().create_task(self._keep_up())

    async def stop(self) -> None:
        if self._upkeep is not None:
            self._upkeep.cancel()
        await self._queue.put(None)
        if self._worker is not None:
            await self._worker
        if self._looking is not None:
            await self._looking
        self._thread.shutdown()

    async def act(
        self,
        work: Callable[[Proceedings], ResultT],
        *,
        kept: Callable[[ResultT], None] = lambda _: None,
        undone: Callable[[], None] = lambda: None,
        is_alone: bool = False,
    ) -> ResultT:
        """Do what `work` does, and keep it together with what else waits; what takes long, or erases, `is_alone`.

        Raises what `work` raises. It may be called again if it is undone, so it may do nothing outside the record that
        `undone` does not take back. `kept` is called when it is durable.
        """
        result: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()

        def do(running: Proceedings) -> _Done:
            done = work(running)
            return _Done(kept=lambda: kept(done), tell=lambda: _set(result, done))

        self._queue.put_nowait(_Act(do=do, fail=lambda error: _fail(result, error), undone=undone, is_alone=is_alone))
        return await result

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return self._waiting

    async def read(self, work: Callable[[Proceedings], ResultT]) -> ResultT:
        """Look at the record as it is now. Raises what `work` raises; it may be called again, so it only looks."""
        result: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()

        def see(running: Proceedings) -> Callable[[], None]:
            seen = work(running)
            return lambda: _set(result, seen)

        self._looks.append(_Look(see=see, fail=lambda error: _fail(result, error)))
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())
        return await result

    async def take(self, messages: Sequence[Message]) -> Sequence[ToldAnswer]:
        """Raises `ProblemError` when too many wait, or what the store raises when it kept nothing."""
        if self._waiting + len(messages) > _MOST_WAITING:
            detail = f"More than {_MOST_WAITING} messages wait to be judged. Send these again in a second."
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after=1)
        self._waiting += len(messages)
        waiting = _Waiting(messages, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await waiting.answers

    async def try_out(self, messages: Sequence[Message]) -> Sequence[ToldAnswer]:
        """What each would be answered if it came next; nothing is kept."""
        return await self.read(lambda running: [running.try_out(one) for one in by_account(running, messages)])

    async def _look(self) -> None:
        while self._looks:
            looks, self._looks = self._looks[:_AT_ONCE], self._looks[_AT_ONCE:]
            await self._see(looks)
        self._looking = None

    async def _see(self, looks: Sequence[_Look]) -> None:
        """Together. Where one fails, each is looked up alone."""
        seeing = asyncio.get_running_loop().run_in_executor(self._thread, self._desk.read, _together(looks))
        await asyncio.wait([seeing])
        error = seeing.exception()
        if error is None:
            for tell in seeing.result():
                tell()
        elif len(looks) == 1:
            looks[0].fail(error)
        else:
            for one in looks:
                await self._see([one])

    async def _keep_up(self) -> None:
        """What nobody's message or act brings about, such as texts that are no longer needed; done again each hour."""
        while True:
            with suppress(StoreError, NoteError, OSError):  # the next hour does it
                await self.act(_upkeep, is_alone=True)
            await asyncio.sleep(_HOUR)

    async def _work(self) -> None:
        while (first := await self._queue.get()) is not None:
            together, ends = self._gathered(first)
            self._waiting -= sum(len(one.messages) for one in together if isinstance(one, _Waiting))
            await self._do(list(_acts(together)))
            if ends:
                return

    def _gathered(self, first: _Act | _Waiting) -> tuple[list[_Act | _Waiting], bool]:
        """What waits now, as far as a group goes; and whether the end was among it."""
        together, size = [first], _size(first)
        while not self._queue.empty() and size < _AT_ONCE:
            following = self._queue.get_nowait()
            if following is None:
                return together, True
            together.append(following)
            size += _size(following)
        return together, False

    async def _do(self, acts: Sequence[_Act]) -> None:
        """In groups. Where one was not kept, since an act failed that nobody foresaw, each is done alone."""
        most = len(acts)
        while acts:
            group = Group(works=[act.do for act in _group(acts[:most])])
            doing = asyncio.get_running_loop().run_in_executor(self._thread, self._keep, acts, group)
            await asyncio.wait([doing])
            error = doing.exception()
            if error is not None and not group.is_kept and len(group.works) > 1:
                most = 1
                continue
            outcomes = group.outcomes if error is None else [error] * max(1, len(group.outcomes))
            for act, outcome in zip(acts, outcomes, strict=False):
                outcome.tell() if isinstance(outcome, _Done) else act.fail(outcome)
            acts = acts[len(outcomes) :]

    def _keep(self, acts: Sequence[_Act], group: Group[_Done]) -> None:
        self._heard()
        until = self._monotonic() + _LONGEST
        try:
            if acts[0].is_alone:
                group.outcomes.append(self._desk.act(acts[0].do))
                group.is_kept = True
            else:
                self._desk.act_together(group, lambda: self._monotonic() >= until)
        finally:
            self._told()  # first, since gates wait for it
            self._desk.tidy()
            for n, outcome in enumerate(group.outcomes):
                if not group.is_kept:
                    acts[n].undone()
                elif isinstance(outcome, _Done):
                    group.outcomes[n] = _kept(outcome)


def _together(looks: Sequence[_Look]) -> Callable[[Proceedings], list[Callable[[], None]]]:
    return lambda running: [one.see(running) for one in looks]


def _group(acts: Sequence[_Act]) -> Sequence[_Act]:
    """The first of them, and what may be kept with it."""
    alone = next((n for n, act in enumerate(acts) if act.is_alone), len(acts))
    return acts[: alone or 1]


def _size(one: _Act | _Waiting) -> int:
    return len(one.messages) if isinstance(one, _Waiting) else 1


def _acts(together: Sequence[_Act | _Waiting]) -> Iterator[_Act]:
    """In their order; messages that follow each other are judged at once, which is quicker."""
    for is_act, some in groupby(together, lambda one: isinstance(one, _Act)):
        if is_act:
            yield from (one for one in some if isinstance(one, _Act))
        else:
            yield from map(_taking, _portions(one for one in some if isinstance(one, _Waiting)))


def _portions(every: Iterable[_Waiting]) -> Iterator[Sequence[_Waiting]]:
    """What is judged at once."""
    portion: list[_Waiting] = []
    for one in every:
        portion.append(one)
        if sum(map(_size, portion)) >= _JUDGED_AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion


def _taking(every: Sequence[_Waiting]) -> _Act:
    messages = [message for one in every for message in one.messages]

    def do(running: Proceedings) -> _Done:
        under = by_account(running, messages)
        told = (running.told(answer, one) for answer, one in zip(running.take(under), under, strict=True))
        answers = iter(list(told))
        shares = [list(islice(answers, len(one.messages))) for one in every]
        return _Done(kept=_nothing, tell=lambda: _tell(every, shares))

    def fail(error: BaseException) -> None:
        for one in every:
            _fail(one.answers, error)

    return _Act(do=do, fail=fail, undone=_nothing)


def _tell(every: Sequence[_Waiting], shares: Sequence[Sequence[ToldAnswer]]) -> None:
    for one, answers in zip(every, shares, strict=True):
        _set(one.answers, answers)


def _kept(outcome: _Done) -> _Done | Exception:
    try:
        outcome.kept()
    except StoreError as error:
        return error
    return outcome


def _set(future: asyncio.Future[ResultT], result: ResultT) -> None:
    if not future.cancelled():  # whoever asked is gone; it is in the record
        future.set_result(result)


def _fail(future: asyncio.Future[ResultT], error: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(error)


def _nothing() -> None: ...


def _upkeep(running: Proceedings) -> None:
    if running.mode == "live":
        daily(running, running.now())
