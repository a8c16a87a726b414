"""What waits until the centre says what becomes of it, or has said nothing for too long: mail, or a Matrix event.

Each has a file, written before it is held. What is released goes on its way; what is refused goes back to its sender,
or is let go. It waits until that was done: nothing is both delivered and refused, nor lost.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from ssl import SSLContext
from typing import Final

import httpx
import msgspec

from comity.gates.following import Clock

_NAME: Final = re.compile(r"[0-9A-Za-z]{5,50}", re.ASCII)
_WAIT: Final = 20
"""Seconds for which the centre is asked to wait for news."""
_PAUSE: Final = 2.0
_UNTIL_QUEUED: Final = timedelta(minutes=10)
"""For so long Postfix may not have put a mail into its queue yet; what is not there then was never taken."""
_MOST_DECIDED: Final = 10_000
_POSITION: Final = "next"


class Become(StrEnum):
    RELEASED = "message.released"
    REFUSED = "message.refused"


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """`name`: what the gate calls it, Postfix's queue id for a mail. `message`: its id, as the centre knows it."""

    name: str
    message: str
    since: datetime


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    message: str | None = None


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    events: tuple[_Event, ...]
    next: int


Settle = Callable[[Become, str], Awaitable[bool]]
"""`settle(become, name)`: have it done; whether it was there."""


@dataclass(slots=True, kw_only=True)
class Held:
    """`patience`: how long anything waits at most; then it is released. `warn` is told what somebody should look at."""

    folder: Path
    url: str
    token: str = field(repr=False)
    settle: Settle
    clock: Clock
    warn: Callable[[str, str], None]
    patience: timedelta = timedelta(hours=24)
    verify: SSLContext | bool = True
    _waiting: dict[str, Waits] = field(default_factory=dict)
    _decided: OrderedDict[str, Become] = field(default_factory=OrderedDict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _next: int = 0

    def load(self) -> None:
        """What waited when this gate ended. Raises `OSError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in self.folder.glob("*.json"):
            try:
                one = msgspec.json.decode(file.read_bytes(), type=Waits)
            except msgspec.MsgspecError as error:
                self.warn("held", f"{file} cannot be read, so what it is about waits for you: {error}")
                continue
            self._waiting[one.name] = one
        position = self.folder / _POSITION
        self._next = int(position.read_text()) if position.exists() else 0

    async def keep(self, one: Waits) -> None:
        """Postfix is about to hold this one. Raises `OSError` if that cannot be kept, `ValueError` without its id."""
        if not _NAME.fullmatch(one.name):
            raise ValueError(f"{one.name!r} is not how Postfix calls a mail: see milter_end_of_data_macros")
        await asyncio.to_thread(self._write, f"{one.name}.json", msgspec.json.encode(one))
        self._waiting[one.name] = one
        self._news.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=2 * _WAIT, trust_env=False, verify=self.verify
        ) as client:
            while True:
                if not self._waiting:
                    self._news.clear()
                    await self._news.wait()
                is_told = await self._is_told(client)
                is_done = await self._is_all_settled()
                if is_done and is_told:
                    await self._note_position()
                else:
                    await asyncio.sleep(_PAUSE)

    async def _is_told(self, client: httpx.AsyncClient) -> bool:
        """Take the centre's next news; whether it could be asked."""
        wait = 0 if any(one.message in self._decided for one in self._waiting.values()) else _WAIT
        try:
            answer = await client.get("/v1/events", params={"after": self._next, "wait": wait})
            if answer.status_code == httpx.codes.GONE:
                self._next = 0  # a backup was restored: it tells all anew
                return False
            answer.raise_for_status()
            page = msgspec.json.decode(answer.content, type=_Page)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            self.warn("held", f"{self.url} cannot say what becomes of what waits: {str(error) or type(error).__name__}")
            return False
        self._take(page)
        return True

    def _take(self, page: _Page) -> None:
        for event in page.events:
            if event.message is not None and event.type in tuple(Become):
                self._decided[event.message] = Become(event.type)
                if len(self._decided) > _MOST_DECIDED:
                    self._decided.popitem(last=False)
        self._next = page.next

    async def _note_position(self) -> None:
        """Nothing that was told so far is left to do."""
        try:
            await asyncio.to_thread(self._write, _POSITION, str(self._next).encode())
        except OSError as error:
            self.warn("disk", f"how far this gate has read could not be written to disk: {error}")

    async def _is_all_settled(self) -> bool:
        """Have done what is decided or due; whether all of it was."""
        now, is_done = self.clock.now(), True
        for one in tuple(self._waiting.values()):
            become = self._decided.get(one.message)
            if become is None and now - one.since >= self.patience:
                become = Become.RELEASED
            if become is not None:
                is_done = await self._is_settled(one, become, now) and is_done
        return is_done

    async def _is_settled(self, one: Waits, become: Become, now: datetime) -> bool:
        try:
            was_there = await self.settle(become, one.name)
            if not was_there and now - one.since < _UNTIL_QUEUED:
                return False
            (self.folder / f"{one.name}.json").unlink(missing_ok=True)
        except OSError as error:
            self.warn("held", f"{one.name} waits for you, {become.value}: {error}")
            return False
        del self._waiting[one.name]
        return True

    def _write(self, name: str, content: bytes) -> None:
        """Whole, and for good."""
        new = self.folder / f"{name}.new"
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / name)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
