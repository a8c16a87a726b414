"""`comity gate http` as it is run: a process that is killed, started without its centre, and told to end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from gate_centre import COMITY, PATIENCE, TOKEN, Centre, serving
from test_flow_feed import Watched
from test_flow_record import KEY, NOW
from test_gate_http import exchange, request, statuses

from comity.flow import amend
from comity.model.ids import ReviewerId


class Process:
    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def ask(self, account: bytes) -> int:
        asked = request(account, header=b"X-Comity-Account")
        (status,) = statuses(await exchange(self.port, asked))
        return status

    async def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


def command(folder: Path, url: str, *more: str, kind: str = "http") -> tuple[str, ...]:
    (folder / "token").write_text(f"{TOKEN}\n")
    listen = ("--listen", "127.0.0.1:0", "--folder", str(folder / "gate"), "--token-file", str(folder / "token"))
    return (str(COMITY), "gate", kind, "--centre", url, *listen, *more)


@asynccontextmanager
async def running(folder: Path, url: str, *more: str, kind: str = "http") -> AsyncIterator[Process]:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command(folder, url, *more, kind=kind), env=environment, stdout=pipe, stderr=pipe
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        found = re.search(r"on 127\.0\.0\.1:([0-9]+)", line)
        assert found, line + (await process.communicate())[1].decode()
        yield Process(process, int(found[1]))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def test_it_refuses_and_opens_as_the_record_says_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    async def told(centre: Centre) -> None:
        async with running(tmp_path, centre.url) as gate:
            await centre.acked(0)
            assert await gate.ask(b"ann") == 200
            statement = centre.world.say("spam").statement
            assert statement is not None
            centre.tell()
            await centre.acked(2)
            assert await gate.ask(b"ann") == 403
            assert await centre.heard() == statement
            amend.lift(centre.world.proceedings, statement, ReviewerId("mara"), "A mistake.", NOW)
            centre.tell()
            await centre.acked(4)
            assert await gate.ask(b"ann") == 200
            assert await gate.end(signal.SIGTERM) == 0

    asyncio.run(with_centre(told))


def test_killed_and_started_without_its_centre_it_refuses_whom_it_knew(tmp_path: Path) -> None:
    async def told(centre: Centre) -> None:
        centre.world.say("spam")
        async with running(tmp_path, centre.url) as gate:
            await centre.acked(2)
            centre.world.say("spam", author="bob")
            centre.tell()
            await centre.acked(4)
            await gate.end(signal.SIGKILL)
        async with running(tmp_path, "http://127.0.0.1:9", "--stale", "closed") as gate:
            assert [await gate.ask(who) for who in (b"ann", b"bob", b"eve")] == [403, 403, 503]

    asyncio.run(with_centre(told))


async def with_centre(told) -> None:
    """The statements are of last summer, so their world's clock is this machine's."""
    world = Watched("| 1 | suspend | all | 90 years |")
    world.log.files["vkey"] = f"{KEY.verifier}\n".encode()
    async with serving(world, lambda: NOW + timedelta(minutes=1)) as centre:
        await told(centre)


def test_what_it_cannot_run_with_is_said(tmp_path: Path) -> None:
    async def ends(*arguments: str) -> tuple[int, str]:
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "COMITY_GATE_TOKEN": ""}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*arguments, env=environment, stdout=pipe, stderr=pipe)
        async with asyncio.timeout(PATIENCE):
            _, said = await process.communicate()
        return process.returncode or 0, said.decode()

    async def told() -> None:
        base = command(tmp_path, "http://127.0.0.1:9", "--key", str(KEY.verifier))
        mail = command(tmp_path, "http://127.0.0.1:9", "--key", str(KEY.verifier), kind="postfix")
        for arguments, code, about in (
            ((*base, "--stale", "maybe"), 2, "open or closed"),
            ((*base, "--max-stale", "soon"), 2, "valid number"),
            ((*base, "--key", "nonsense"), 2, "no key to check proofs with"),
            ((*base, "--token-file", str(tmp_path / "none")), 2, "cannot be read"),
            ((*base, "--listen", "127.0.0.1"), 2, "nothing can listen"),
            ((*mail, "--milter", "127.0.0.1:0"), 2, "Write unix:PATH"),
            (base[:-2], 3, "the key of http://127.0.0.1:9 cannot be fetched"),
        ):
            returned, said = await ends(*arguments)
            assert (returned, about in said) == (code, True), said
            assert "Traceback" not in said

    asyncio.run(told())
