"""`comity gate http`: runs a gate beside a web server, until it is told to end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Final, TextIO

import httpx

from comity.app.clock import SystemClock
from comity.app.errors import Exit, StopError
from comity.app.gate_trust import Kept, trusting
from comity.app.policy import read_policy
from comity.gates.answers import WhenStale
from comity.gates.disk import Disk, DiskError
from comity.gates.following import Centre, Follower
from comity.gates.held import write_whole
from comity.gates.http import HttpGate, Trust
from comity.gates.replica import Manner, Replica
from comity.gates.sessions import Sessions
from comity.ledger.log import VKEY_PATH
from comity.ledger.note import NoteError, VerifierKey
from comity.ledger.policy import Policy

VKEY: Final = "vkey"
"""In a gate's folder: the keys that it trusts, one a line."""
FROM_ENVIRONMENT: Final = "COMITY_GATE_TOKEN"
_LONGEST_TOKEN: Final = 1000
_BETWEEN_ALARMS: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What all gates are told. `key`, `policy`: whose proofs count; neither: those of the key that was met first.

    `max_stale` and `grace` in seconds.
    """

    centre: str
    name: str
    folder: Path
    token_file: Path | None
    key: str | None
    policy: Path | None
    ca: Path | None
    stale: str
    max_stale: float
    grace: float


def http_gate(wanted: Wanted, *, listen: str, trust: Sequence[str], header: str) -> Exit:
    """Answers at once from what it knew before, if it did."""
    with following(wanted) as (replica, follower):
        believed = Trust(header=header.lower().encode("ascii", "replace"), addresses=frozenset(trust))
        sessions = Sessions(replica, SystemClock())
        gate = HttpGate(replica, follower, SystemClock(), believed, sessions)

        async def serve() -> None:
            async with await listening(gate, listen) as server:
                say(sys.stdout, f"gate {wanted.name} on {places(server)}, follows {wanted.centre}")
                await until_told(_work(follower, sessions))

        asyncio.run(serve())
    return Exit.FINE


async def _work(follower: Follower, sessions: Sessions) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.run())
        tasks.create_task(sessions.run())


@contextmanager
def following(wanted: Wanted) -> Iterator[tuple[Replica, Follower]]:
    """A replica that knows what is in the gate's folder, and what keeps it up to date."""
    try:
        disk = Disk(wanted.folder)
    except (DiskError, OSError) as error:
        raise StopError(str(error), help="Name a folder with --folder.") from error
    with closing(disk):
        token, verify = read_token(wanted.token_file), authority(wanted.ca)
        centre = Centre(url=wanted.centre.rstrip("/"), token=token, gate=wanted.name, verify=verify)
        replica = Replica(_manner(wanted), _Alarms())
        disk.load(replica)
        follower = Follower(replica, disk, centre, SystemClock())
        if wanted.key is None and wanted.policy is None:
            follower.trusted = Kept(wanted.folder / VKEY).policy
        yield replica, follower


def authority(ca: Path | None) -> SSLContext | bool:
    """Whose certificate is believed to be the centre's. Raises `StopError`."""
    try:
        return create_default_context(cafile=ca) if ca else True
    except OSError as error:
        help_ = "Give a file with certificates (PEM) after --ca."
        raise StopError(f"{ca} cannot be used: {error}", help=help_, code=Exit.USAGE) from error


class _Alarms:
    """Alarms as lines of the error stream; of each sort at most one in a while."""

    def __init__(self) -> None:
        self._said: dict[str, datetime] = {}

    def __call__(self, kind: str, text: str) -> None:
        now = SystemClock().now()
        if kind not in self._said or now - self._said[kind] >= _BETWEEN_ALARMS:
            self._said[kind] = now
            say(sys.stderr, f"{now:%Y-%m-%d %H:%M:%S} {text}")


def say(where: TextIO, text: str) -> None:
    """One line, whatever a name in it holds."""
    where.write("".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text) + "\n")
    where.flush()


def _manner(wanted: Wanted) -> Manner:
    try:
        when_stale = WhenStale(wanted.stale)
    except ValueError as error:
        raise StopError(f"--stale is {wanted.stale!r}", help="Write open or closed.", code=Exit.USAGE) from error
    return Manner(
        policy=_policy(wanted),
        when_stale=when_stale,
        max_stale=timedelta(seconds=wanted.max_stale),
        grace=timedelta(seconds=wanted.grace),
    )


def _policy(wanted: Wanted) -> Policy:
    if wanted.policy is not None:
        return read_policy(wanted.policy)
    kept = wanted.folder / VKEY
    try:
        return trusting(wanted.key or (kept.read_text(encoding="utf-8") if kept.exists() else _met(wanted, kept)))
    except (NoteError, UnicodeDecodeError) as error:
        where = f" in {kept}" if wanted.key is None else ""
        help_ = "Give the operator's key with --key, as its log shows it under /v1/log/vkey."
        what = f"there is no key to check proofs with{where}: {error}"
        raise StopError(what, help=help_, code=Exit.USAGE) from error


def _met(wanted: Wanted, kept: Path) -> str:
    """The key that the centre shows at the first start; from then on no other counts."""
    try:
        url = f"{wanted.centre.rstrip('/')}/v1/log/{VKEY_PATH}"
        answer = httpx.get(url, timeout=5, trust_env=False, verify=authority(wanted.ca))
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"the key of {wanted.centre} cannot be fetched: {error or type(error).__name__}"
        raise StopError(message, help="Start `comity serve` there, or give the key with --key.") from error
    text = answer.content[:_LONGEST_TOKEN].decode("utf-8", "replace")
    VerifierKey.parse(text.strip())
    write_whole(kept, text.encode())
    return text


def read_token(path: Path | None, variable: str = FROM_ENVIRONMENT) -> str:
    """From the file, or else from the environment."""
    try:
        content = path.read_text(encoding="ascii") if path else os.environ.get(variable, "")
    except (OSError, UnicodeDecodeError) as error:
        raise StopError(
            f"{path} cannot be read: {error}", help="It holds the gate's token.", code=Exit.USAGE
        ) from error
    token = content.strip()
    if not token or not token.isprintable() or len(token) > _LONGEST_TOKEN:
        role = "gate" if variable == FROM_ENVIRONMENT else "source"
        help_ = f"Make one with `comity token new NAME --role {role}`, and give it in a file or in {variable}."
        raise StopError(f"the gate has no token of the role {role}", help=help_, code=Exit.USAGE)
    return token


async def listening(make: Callable[[], asyncio.Protocol], listen: str) -> asyncio.Server:
    """Raises `StopError` if nothing can listen there."""
    loop = asyncio.get_running_loop()
    try:
        if listen.startswith("unix:"):
            return await loop.create_unix_server(make, listen.removeprefix("unix:"))
        host, _, port = listen.rpartition(":")
        return await loop.create_server(make, host.strip("[]"), int(port), reuse_port=True, backlog=1000)
    except (OSError, ValueError, OverflowError) as error:
        help_ = "Write an address and a port, such as 127.0.0.1:8646, or unix:/run/comity/gate.sock."
        raise StopError(f"nothing can listen on {listen}: {error}", help=help_, code=Exit.USAGE) from error


def places(server: asyncio.Server) -> str:
    """Where it listens, in words."""
    names = [each.getsockname() for each in server.sockets]
    return ", ".join(f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name) for name in names)


async def until_told(work: Awaitable[None]) -> None:
    """Work until SIGTERM or SIGINT."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return
