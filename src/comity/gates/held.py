"""What waits until the centre says what becomes of it, or has said nothing for too long: mail, or a Matrix event.

Each has a file, written before it is held, and again before anything is done with it. What is released goes on its way;
what is refused goes back to its sender, or is let go. It waits until that was done, whoever is killed meanwhile:
nothing is both delivered and refused, nor lost.
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
from msgspec.structs import replace

from comity.gates.envelope import Envelope
from comity.gates.following import Clock

_NAME: Final = re.compile(r"[0-9A-Za-z]{5,50}", re.ASCII)
_WAIT: Final = 20
"""Seconds for which the centre is asked to wait for news."""
_PAUSE: Final = 2.0
_UNTIL_QUEUED: Final = timedelta(minutes=10)
"""For so long Postfix may not have put a mail into its queue yet; what is not there then was never taken."""
_MOST_DECIDED: Final = 10_000
_MOST_NAMED: Final = 10
_POSITION: Final = "next"
_NUMBER: Final = re.compile(rb"[0-9]{1,15}")


class Become(StrEnum):
    RELEASED = "message.released"
    REFUSED = "message.refused"


class Fate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What becomes of it, and since when that is known. `clauses`, `link`: why, if it was refused."""

    become: Become
    at: datetime
    clauses: tuple[str, ...] = ()
    link: str = ""


class Waits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`name`: what the gate calls it, Postfix's queue id for a mail. `message`: its id, as the centre knows it.

    `mail`: what is kept of one. `fate`: is done, from when it is written down on, whatever the centre says later.
    """

    name: str
    message: str
    since: datetime
    mail: Envelope | None = None
    fate: Fate | None = None
    until: datetime | None = None


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    """`refusal`: the link that anybody may see."""

    type: str
    message: str | None = None
    clauses: tuple[str, ...] = ()
    refusal: str = ""


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    events: tuple[_Event, ...]
    next: int


Settle = Callable[[Waits, Fate], Awaitable[bool]]
"""`settle(one, fate)`: have it done; whether it was there. Raises `OSError` if it has to be tried again."""


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
    _decided: OrderedDict[str, Fate] = field(default_factory=OrderedDict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _next: int = 0

    def load(self) -> None:
        """What waited when this gate ended. Raises `OSError`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in self.folder.glob("*.json"):
            try:
                one = msgspec.json.decode(file.read_bytes(), type=Waits)
            except msgspec.MsgspecError as error:
                self.warn("held", f"{file} cannot be read, so what it is about waits for you: {error}")
                continue
            self._waiting[one.name] = one
        self._next = self._position()

    def _position(self) -> int:
        """How far the centre's news were read; from their beginning where nobody knows."""
        file = self.folder / _POSITION
        if not file.exists():
            return 0
        written = file.read_bytes()
        if _NUMBER.fullmatch(written):
            return int(written)
        self.warn("held", f"{file} cannot be read: all that the centre ever said is read again")
        return 0

    async def keep(self, one: Waits) -> None:
        """Postfix is about to hold this one. Raises `OSError` if that cannot be kept, `ValueError` without its id."""
        if not _NAME.fullmatch(one.name):
            raise ValueError(f"{one.name!r} is not how Postfix calls a mail: see milter_end_of_data_macros")
        await self._note(one)
        self._news.set()

    async def _note(self, one: Waits) -> None:
        await asyncio.to_thread(write_whole, self.folder / f"{one.name}.json", msgspec.json.encode(one))
        self._waiting[one.name] = one

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
        wait = 0 if any(one.fate or one.message in self._decided for one in self._waiting.values()) else _WAIT
        try:
            answer = await client.get("/v1/events", params={"after": self._next, "wait": wait})
            if answer.status_code == httpx.codes.GONE:
                self._next = 0  # a backup was restored: it tells all anew
                return False
            answer.raise_for_status()
            page = msgspec.json.decode(answer.content, type=_Page)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            self.warn("news", f"{self.url} cannot say what becomes of what waits: {str(error) or type(error).__name__}")
            return False
        self._take(page)
        return True

    def _take(self, page: _Page) -> None:
        for event in page.events:
            if event.message is not None and event.type in tuple(Become):
                self._decided[event.message] = Fate(
                    become=Become(event.type), at=self.clock.now(), clauses=event.clauses, link=event.refusal
                )
                if len(self._decided) > _MOST_DECIDED:
                    self._decided.popitem(last=False)
        self._next = page.next

    async def _note_position(self) -> None:
        """Nothing that was told so far is left to do."""
        try:
            await asyncio.to_thread(write_whole, self.folder / _POSITION, str(self._next).encode())
        except OSError as error:
            self.warn("disk", f"how far this gate has read could not be written to disk: {error}")

    async def _is_all_settled(self) -> bool:
        """Have done what is decided or due; whether all of it was."""
        waiting = tuple(self._waiting.values())
        due = [(one, one.fate or self._decided.get(one.message) or self._when_due(one)) for one in waiting]
        is_done, wrong = True, list[str]()
        for one, fate in due:
            try:
                is_done = (fate is None or await self._is_settled(one, fate)) and is_done
            except OSError as error:
                wrong.append(f"{one.name} waits for you: {error}")
        if wrong:
            more = f"; and {len(wrong) - _MOST_NAMED:,} more" if len(wrong) > _MOST_NAMED else ""
            self.warn("held", "; ".join(wrong[:_MOST_NAMED]) + more)
        return is_done and not wrong

    def _when_due(self, one: Waits) -> Fate | None:
        """The centre says until when, but nothing waits for longer than the gate's own patience."""
        now, last = self.clock.now(), one.since + self.patience
        is_due = now >= (min(one.until, last) if one.until else last)
        return Fate(become=Become.RELEASED, at=now) if is_due else None

    async def _is_settled(self, one: Waits, fate: Fate) -> bool:
        """Raises `OSError` if it has to be tried again."""
        if one.fate is None:
            await self._note(replace(one, fate=fate))
        was_there = await self.settle(one, fate)
        if not was_there and self.clock.now() - one.since < _UNTIL_QUEUED:
            return False
        (self.folder / f"{one.name}.json").unlink(missing_ok=True)
        del self._waiting[one.name]
        return True


def write_whole(path: Path, content: bytes) -> None:
    """The file is there with all of it, or as it was before; and stays so. Raises `OSError`."""
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """What is renamed in it is renamed for good. Raises `OSError`."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
