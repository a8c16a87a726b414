"""Every kind of gate beside its real server, in one form: attach it, and let ann try to communicate there.

Another kind is another entry of `KINDS`. All of them run on the router of `namespaces.py`, where the test is too.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
from homeserver import HOST, Homeserver, lines_of_the_page
from homeserver import python as synapse
from namespaces import LAN, WORLD, Network, echo, missing
from real_postfix import POSTFIX, Mailbox, Session, postfix, snippets
from test_gate_serve import Record, free_port
from test_gate_web_servers import absent, web

WEB, OTHER = 80, 443
TIRELESS = """
smtpd_junk_command_limit = 1000000
smtpd_soft_error_limit = 1000000
smtpd_hard_error_limit = 1000001
smtpd_error_sleep_time = 0
"""
"""For a client that begins anew again and again."""
AGREEMENT = """---
comity: 1
title: Rules of the house
channels: [posts, mail, internet, chat]
review_within: 5 days
---

# Rules of the house

## Threats {#threats}

Do not threaten.

```rule decide=review
text.says('I know where you live')
```

## Spam {#spam}

No advertising.

```rule
text.says('spam')
```

## Noise {#noise}

Be quiet.

```rule
text.says('noise')
```

| points | measure | channels | for |
|---|---|---|---|
| 1 | suspend | all | 10 seconds |

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | suspend | all | 30 days |
"""


@dataclass(frozen=True)
class Place:
    """Where gates are attached: a record whose centre runs, and the network."""

    record: Record
    net: Network
    source: httpx.AsyncClient

    @property
    def folder(self) -> Path:
        return self.record.folder

    async def called(self, account: str, channel: str, handle: str) -> None:
        given = {"account": account, "channel": channel, "handle": handle}
        assert (await self.source.put("/v1/handles", json=given)).status_code == 204

    def gate(self, kind: str, folder: Path, *more: str) -> tuple[str, ...]:
        """The command that runs a gate."""
        where = ("--centre", self.record.url, "--token-file", str(self.folder / f"{kind}.token"))
        return ("gate", kind, *where, "--folder", str(folder), *more)


@dataclass(frozen=True)
class Attached:
    """`passes`: ann tries once; whether that went through. `shown`: what she reads when it did not.

    `probes`: as `passes`, by what costs the server least.
    """

    passes: Callable[[], Awaitable[bool]]
    shown: Callable[[], Awaitable[str]]
    probes: Callable[[], Awaitable[bool]]


Attach = Callable[[Place, Path], AbstractAsyncContextManager[Attached]]
"""The folder is the gate's own; it may know things already."""


@asynccontextmanager
async def http(place: Place, folder: Path) -> AsyncIterator[Attached]:
    """Posting through nginx."""
    command = place.gate("http", folder, "--listen", "127.0.0.1:0")
    async with (
        place.record.running(*command) as gate,
        web("nginx", place.folder / f"nginx-{folder.name}", gate) as front,
    ):

        async def passes() -> bool:
            return (await front.post("ann")).status_code == 201

        async def shown() -> str:
            return (await front.post("ann")).text

        yield Attached(passes, shown, passes)


@asynccontextmanager
async def network(place: Place, folder: Path) -> AsyncIterator[Attached]:
    """A new connection through the router."""
    await place.called("ann", "internet", f"{LAN}2")
    command = place.gate("network", folder, "--allow", f"{WORLD}2:8443")
    ann = place.net.ann
    listening = [place.net.world.listening(f"{WORLD}2", port) for port in (WEB, OTHER)]
    async with (
        await asyncio.start_server(echo, sock=listening[0]),
        await asyncio.start_server(echo, sock=listening[1]),
        place.record.running(*command),
    ):

        async def passes() -> bool:
            try:
                (await ann.connect(f"{WORLD}2", OTHER)).close()
            except (ConnectionRefusedError, ConnectionResetError):  # or cut off in this very moment
                return False
            return True

        async def shown() -> str:
            led = await ann.get(f"http://{WORLD}2:{WEB}/")
            (page,) = re.findall(r"\r\nLocation: (\S+)\r\n", led)
            return await ann.get(page)

        yield Attached(passes, shown, passes)


@asynccontextmanager
async def mail(place: Place, folder: Path) -> AsyncIterator[Attached]:
    """Naming a recipient, signed in; the session goes on."""
    with postfix(*snippets()[:1], TIRELESS) as server:
        command = place.gate("postfix", folder, "--listen", f"127.0.0.1:{server.gate}")
        box = await asyncio.start_server(Mailbox().take, "127.0.0.1", server.mailbox)
        async with box, place.record.running(*command), server.session() as session:

            async def passes() -> bool:
                return await recipient(session) == 250

            async def shown() -> str:
                await recipient(session)
                return session.last

            yield Attached(passes, shown, passes)


async def recipient(session: Session) -> int:
    """The code of the reply to a recipient's name."""
    await session.say(b"RSET")
    await session.say(b"MAIL FROM:<ann@example.org>")
    return await session.say(b"RCPT TO:<bob@example.com>")


@asynccontextmanager
async def matrix(place: Place, folder: Path) -> AsyncIterator[Attached]:
    """A message into a room, by Synapse; what it says is not judged here."""
    await place.called("ann", "chat", f"@ann:{HOST}")
    places = {
        "http://127.0.0.1:8645": place.record.url,
        "example.org/log+12345678+AbCd": (await place.source.get("/v1/log/vkey")).text.strip(),
        "/var/lib/comity-gate": folder,
        "/etc/comity/gate.token": place.folder / "matrix.token",
    }
    lines = re.sub(r"\n *judge_token_file: .*", "", lines_of_the_page(places))
    server = Homeserver(place.folder / f"synapse-{folder.name}", free_port(), lines)
    await asyncio.to_thread(server.start)
    try:
        ann = await asyncio.to_thread(server.user, "ann")
        room = await asyncio.to_thread(ann.first_room)
        number = itertools.count()
        headers = {"Authorization": ann.client.headers["Authorization"]}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False, timeout=30) as client:

            async def say() -> httpx.Response:
                path = f"/_matrix/client/v3/rooms/{quote(room)}/send/m.room.message/{next(number)}"
                return await client.put(path, json={"msgtype": "m.text", "body": "Hello"})

            async def passes() -> bool:
                return (await say()).status_code == 200

            async def shown() -> str:
                return (await say()).json()["error"]

            async def publishes() -> bool:
                path = f"/_matrix/client/v3/directory/list/room/{quote(room)}"
                return (await client.put(path, json={"visibility": "public"})).status_code == 200

            yield Attached(passes, shown, publishes)
    finally:
        await asyncio.to_thread(server.close)


CHANNELS: Mapping[str, str] = {"http": "posts", "network": "internet", "postfix": "mail", "matrix": "chat"}
KINDS: Mapping[str, Attach] = {"http": http, "network": network, "postfix": mail, "matrix": matrix}


def prepared() -> str | None:
    """Why the servers cannot run here; None: they can. What has to be fetched is, while there is a way to the world."""
    if why := missing() or absent("nginx"):
        return why
    if POSTFIX is None:
        return "Postfix is not there: apt install postfix"
    synapse()
    return None


@asynccontextmanager
async def centre(folder: Path, port: int, net: Network) -> AsyncIterator[Place]:
    """A record, with a token for each kind and one for the source; its centre is for whoever runs it."""
    record = Record(folder, port, host=f"{LAN}1")
    (folder / "agreement.md").write_text(AGREEMENT)
    await record.comity("publish", "agreement.md")
    gates = ((kind, "gate", "--channel", channel) for kind, channel in CHANNELS.items())
    for name, role, *more in (*gates, ("source", "source"), ("mara", "reviewer")):
        made = json.loads(await record.comity("token", "new", name, "--role", role, "--json", *more))
        (folder / f"{name}.token").write_text(made["token"])
    async with client(record, "source") as source:
        yield Place(record, net, source)


def client(record: Record, name: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {(record.folder / f'{name}.token').read_text()}"}
    return httpx.AsyncClient(base_url=record.url, headers=headers, trust_env=False, timeout=30)
