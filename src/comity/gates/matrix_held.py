"""Matrix events that wait for a person: kept whole in a file each, and sent in their sender's name when released.

What waits was never in its room, and is called by what it says: sent again while it waits, it is the same.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from comity.gates.held import Become, Fate, Held, Waits

MOST: Final = 10_000
"""Events that wait at once; what comes then is refused."""
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class HeldEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be sent if it is released."""

    sender: str
    room_id: str
    type: str
    content: dict[str, object]
    state_key: str | None = None

    @property
    def name(self) -> str:
        return sha256(_ENCODER.encode(self)).hexdigest()[:50]


@dataclass(slots=True)
class HeldEvents:
    """`send` is told, in the gate's thread, what to send; its future says when that was done."""

    folder: Path
    send: Callable[[HeldEvent], Future[None]]
    names: set[str] = field(default_factory=set)

    def load(self) -> None:
        self.names.update(file.stem for file in self.folder.glob("*.event"))

    async def keep(
        self, held: Held, event: HeldEvent, message: str, at: datetime, until: datetime | None = None
    ) -> None:
        """Raises `OSError`."""
        await asyncio.to_thread(self._write, event)
        await held.keep(Waits(name=event.name, message=message, since=at, until=until))
        self.names.add(event.name)

    async def settle(self, one: Waits, fate: Fate) -> bool:
        """Send it, or let it go. Raises `OSError` if it has to be tried again."""
        file = self.folder / f"{one.name}.event"
        if file.exists():
            if fate.become is Become.RELEASED:
                await asyncio.wrap_future(self.send(msgspec.json.decode(file.read_bytes(), type=HeldEvent)))
            file.unlink()
        self.names.discard(one.name)
        return True

    def _write(self, event: HeldEvent) -> None:
        with (self.folder / f"{event.name}.event").open("wb") as file:
            file.write(_ENCODER.encode(event))
            file.flush()
            os.fsync(file.fileno())
