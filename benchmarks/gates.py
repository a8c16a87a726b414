"""How soon a decision is felt at every gate at once, through the real servers: nginx, a router, Postfix, Synapse.

One account is cut off and restored again and again while it tries to communicate everywhere, a hundred times a second
where the server keeps up. What counts is the time from the decision (its transaction is yet to come then) to the
beginning of the first attempt that is refused; beside it stands the time until the source has its answer, when the
decision is durable and published. Attempts that began after the decision and passed have slipped through.

It is measured at rest, while other accounts change as fast as the centre decides (each has an address that the router
cuts off too), and with a million cuts known to every gate. Then: what a gate adds to a request, alternating with the
same server that asks no gate.

Needs root, and what the end-to-end tests need. Everything runs on this machine, in network namespaces.
python benchmarks/gates.py [FLIPS [CUTS [ACCOUNTS-A-SECOND]]]
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "unit")]

import gate_kinds  # noqa: E402
import real_postfix  # noqa: E402
import test_gate_web_servers as web_servers  # noqa: E402
from gate_kinds import CHANNELS, KINDS, Attached, Place, centre, client, prepared  # noqa: E402
from namespaces import Network, network, run  # noqa: E402
from test_gate_serve import free_port  # noqa: E402

from comity.gates.disk import Disk  # noqa: E402
from comity.gates.kept import Kept  # noqa: E402
from comity.gates.records import Records  # noqa: E402
from comity.gates.replica import Known, Manner, Replica  # noqa: E402
from comity.model.ids import AccountId, Channel  # noqa: E402
from comity.model.plan import Planned  # noqa: E402
from common import expect, part, report  # noqa: E402
from gate_replica import name, span  # noqa: E402

_GIVEN = [int(one) for one in sys.argv[1:]]
FLIPS, CUTS, RATE = *_GIVEN, *(100, 1_000_000, 1_000)[len(_GIVEN) :]
LENGTH = timedelta(days=30)
BATCH = max(1, RATE // 20)
"""Accounts that change together, twenty times a second."""
COMPARED = 300
PAUSE = 0.01
ANSWER = "the source's answer"
FIRST_ROW = 1_000_001
"""Beyond what the centre gives out here."""


@dataclass
class Felt:
    """What one gate let through and refused. Times in ms after the decision."""

    took: list[float] = field(default_factory=list)
    slipped: int = 0


async def watched(each: Attached) -> list[tuple[datetime, bool]]:
    """Tries until it is refused: when each attempt began, and whether it passed."""
    seen = []
    while True:
        began = datetime.now(UTC)
        passed = await each.passes()
        seen.append((began, passed))
        if not passed:
            break
        await asyncio.sleep(PAUSE)
    return seen


async def flip(place: Place, number: int, attached: Mapping[str, Attached], felt: Mapping[str, Felt]) -> str:
    """One decision; the statement."""
    tries = {kind: asyncio.create_task(watched(each)) for kind, each in attached.items()}
    await asyncio.sleep(5 * PAUSE)  # all are at it
    said = {"id": f"flip-{number}", "author": "ann", "channel": "posts", "text": "spam"}
    answer = await place.source.post("/v1/messages", json={**said, "sent": datetime.now(UTC).isoformat()})
    answered = datetime.now(UTC)
    expect(answer.is_success and answer.json()["statement"] is not None, answer.text)
    standing = await place.source.get("/v1/standing", params={"account": "ann", "channel": "posts"})
    expect(standing.json()["until"] is not None, f"{answer.text} {standing.text}")
    decided = datetime.fromisoformat(standing.json()["until"]) - LENGTH
    felt[ANSWER].took.append((answered - decided) / timedelta(milliseconds=1))
    async with asyncio.timeout(60):
        for kind, task in tries.items():
            seen = await task
            felt[kind].took.append(max(0, (seen[-1][0] - decided) / timedelta(milliseconds=1)))
            felt[kind].slipped += sum(passed and began > decided for began, passed in seen)
    return str(answer.json()["statement"])


async def flips(place: Place, attached: Mapping[str, Attached], when: str, first: int) -> Mapping[str, Felt]:
    felt = {kind: Felt() for kind in (ANSWER, *attached)}
    async with client(place.record, "mara") as reviewer:
        for number in range(first, first + FLIPS):
            statement = await flip(place, number, attached, felt)
            lifting = {"by": "mara", "why": "It was a trial."}
            lifted = await reviewer.post(f"/v1/statements/{statement}/lift", json=lifting)
            expect(lifted.is_success, lifted.text)
            for each in attached.values():
                while not await each.passes():
                    pass
    for kind, one in felt.items():
        p50, p95 = statistics.median(one.took), statistics.quantiles(one.took, n=20)[18]
        text = f"{kind}, {when}: p50 {p50:.1f}, max {max(one.took):.1f}, slipped through {one.slipped}; p95"
        part(text, p95, "ms", target="<= 50 ms")
    return felt


@asynccontextmanager
async def changing(place: Place) -> AsyncIterator[Callable[[], float]]:
    """Other accounts change meanwhile, each with an address of its own; asked at the end, how many a second."""
    count, start, stop = 0, time.monotonic(), asyncio.Event()

    async def go() -> None:
        nonlocal count
        async with client(place.record, "source") as source:
            while not stop.is_set():
                at = datetime.now(UTC).isoformat()
                lines = [
                    {"id": f"c{number}", "author": address(number), "channel": "posts", "text": "spam", "sent": at}
                    for number in range(count, count + BATCH)
                ]
                content = "".join(json.dumps(line) + "\n" for line in lines)
                headers = {"Content-Type": "application/x-ndjson"}
                answer = await source.post("/v1/messages", content=content, headers=headers)
                expect(answer.is_success, answer.text)
                count += BATCH
                await asyncio.sleep(max(0.0, start + count / RATE - time.monotonic()))

    task = asyncio.create_task(go())
    try:
        yield lambda: count / (time.monotonic() - start)
    finally:
        stop.set()
        await task


def address(number: int) -> str:
    return str(ip_address((11 << 24) + number))


async def know(place: Place, kind: str, folder: Path) -> None:
    """Let a gate that has not begun yet know a million cuts, as if its centre had told it."""
    async with client(place.record, kind) as gate:
        head = (await gate.get("/v1/standings/snapshot")).json()
    records = Records()
    for number in range(CUTS):
        account = address((1 << 22) + number) if kind == "network" else name(number)
        planned = Planned(account=AccountId(account), channel=Channel(CHANNELS[kind]), plan=(span(number),))
        records.put(FIRST_ROW + number, planned)
    replica = Replica(Manner(policy=None), print)
    known = Known(epoch=head["epoch"], cursor=head["cursor"], digest=int(head["digest"], 16), records=records)
    replica.swap(known, Kept())
    with Disk(folder) as disk:
        disk.write(replica)


async def attach(place: Place, held: AsyncExitStack, suffix: str, *, knowing: bool) -> Mapping[str, Attached]:
    attached = {}
    for kind, one in KINDS.items():
        folder = place.folder / f"gate-{kind}-{suffix}"
        if knowing:
            await know(place, kind, folder)
        attached[kind] = await held.enter_async_context(one(place, folder))
        while not await attached[kind].passes():
            pass
    return attached


async def added(kind: str, with_gate: Attached, without: Callable[[], Awaitable[bool]]) -> None:
    """What the gate adds to a request, one with it and one without in turn."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(COMPARED):
        for asks, attempt in ((True, with_gate.passes), (False, without)):
            start = time.perf_counter()
            expect(await attempt(), f"{kind} passes")
            took[asks].append((time.perf_counter() - start) * 1e3)
    more = statistics.median(took[True]) - statistics.median(took[False])
    part(f"{kind}: added to a request of {statistics.median(took[False]):.2f} ms", more, "ms")


def plain_nginx(folder: Path, port: int) -> tuple[str, ...]:
    """nginx that asks nobody."""
    command = web_servers.nginx(folder, port)
    file = folder / "nginx.conf"
    file.write_text(file.read_text().replace("auth_request ", "# auth_request "))
    return command


async def compare(place: Place, attached: Mapping[str, Attached]) -> None:
    web_servers.SERVERS["plain"] = plain_nginx
    gate = web_servers.Process(None, free_port())
    async with web_servers.web("plain", place.folder / "plain", gate) as front:

        async def posts() -> bool:
            return (await front.post("ann")).status_code == 201

        await added("http", attached["http"], posts)
    with real_postfix.postfix(gate_kinds.TIRELESS) as server:
        box = await asyncio.start_server(real_postfix.Mailbox().take, "127.0.0.1", server.mailbox)
        async with box, server.session() as session:

            async def names() -> bool:
                return await gate_kinds.recipient(session) == 250

            await added("postfix", attached["postfix"], names)


async def passing(attached: Attached) -> float:
    """The median of a new connection, in ms."""
    took = []
    for _ in range(COMPARED):
        start = time.perf_counter()
        expect(await attached.passes(), "the network passes")
        took.append((time.perf_counter() - start) * 1e3)
    return statistics.median(took)


async def measure(net: Network, folder: Path) -> float:
    async with centre(folder, free_port(), net) as place, place.record.serving():
        async with AsyncExitStack() as held:
            attached = await attach(place, held, "fresh", knowing=False)
            await flips(place, attached, "at rest", 0)
            await compare(place, attached)
            async with changing(place) as rate:
                felt = await flips(place, attached, "while others change", FLIPS)
                part("accounts that changed meanwhile, on four channels each", rate(), "/s", target=f"{RATE:,} /s")
        async with AsyncExitStack() as held:
            attached = await attach(place, held, "knowing", knowing=True)
            await flips(place, attached, f"with {CUTS:,} cuts", 2 * FLIPS)
            await compare(place, attached)
            with_rules = await passing(attached["network"])
            run("nft", "delete", "table", "inet", "comity")
            part("network: added to a connection", with_rules - await passing(attached["network"]), "ms")
    return max(statistics.quantiles(felt[kind].took, n=20)[18] for kind in KINDS)


def main() -> None:
    if why := prepared():
        sys.exit(why)
    with tempfile.TemporaryDirectory() as folder, network() as net:
        os.chmod(folder, 0o755)
        slowest = asyncio.run(measure(net, Path(folder)))
    target = f"<= 50 ms at the slowest gate (p95), while {RATE:,} accounts change a second"
    report(slowest, "ms", target=target)


if __name__ == "__main__":
    main()
