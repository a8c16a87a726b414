"""How soon a decision is felt at each gate, all attached, through the real servers: nginx, a router, Postfix, Synapse.

One account is cut off and restored again and again, and tries to communicate: at one gate at a time, every 5 ms or as
soon as the last attempt was answered (in Synapse it publishes a room, which asks the gate as a message does and costs
it a quarter as much). What counts is the time from the commit to the beginning of the first attempt that is refused.
The commit is taken to be when the record, looked at every millisecond, did not have the change for the last time.
Beside it stand the times from when the change's row was written, in a transaction that others share, and from the
decision, and from there to the source's answer. Attempts that began after the commit and passed have slipped through.

It is measured at rest, with a million cuts known to every gate, and while other accounts change (each has an address
that the router cuts off too). In each of the three: what a gate adds to a request, alternating with the same server
that asks no gate.

Needs root, and what the end-to-end tests need. Everything runs on this machine, in network namespaces.
python benchmarks/gates.py [FLIPS [CUTS [ACCOUNTS-A-SECOND]]]
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "unit")]

import gate_kinds  # noqa: E402
import httpx  # noqa: E402
import real_postfix  # noqa: E402
import test_gate_web_servers as web_servers  # noqa: E402
from gate_kinds import CHANNELS, KINDS, Attached, Place, centre, client, prepared  # noqa: E402
from msgspec.structs import replace  # noqa: E402
from namespaces import Network, network, run  # noqa: E402
from test_gate_serve import free_port  # noqa: E402

from comity.gates.disk import Disk  # noqa: E402
from comity.gates.kept import Kept  # noqa: E402
from comity.gates.records import Records  # noqa: E402
from comity.gates.replica import Known, Manner, Replica  # noqa: E402
from comity.model.ids import AccountId, Channel  # noqa: E402
from comity.model.plan import Planned  # noqa: E402
from comity.ports import Store  # noqa: E402
from comity.stores.sqlite import SqliteStore  # noqa: E402
from common import expect, part, report  # noqa: E402
from gate_replica import name, span  # noqa: E402

_GIVEN = [int(one) for one in sys.argv[1:]]
FLIPS, CUTS, RATE = *_GIVEN, *(100, 1_000_000, 1_000)[len(_GIVEN) :]
LENGTH = timedelta(days=30)
BATCH = max(1, RATE // 20)
"""Accounts that change together, twenty times a second, as a busy source sends its messages."""
IN_FLIGHT = 4
"""Such batches, at most, that wait for their answer."""
LONGEST = 240.0
"""Seconds after which no further flip is begun, however many are still to come."""
PATIENCE = 60.0
"""Seconds that a decision may take to be felt."""
COMPARED = 300
BETWEEN = 0.005
"""Seconds between the beginnings of two attempts, at least."""
BETWEEN_LOOKS = 0.001
NDJSON = {"Content-Type": "application/x-ndjson"}
FIRST_ROW = 1_000_001
"""Beyond what the centre gives out here."""


@dataclass
class Felt:
    """What one gate let through and refused. Times in ms: from the commit, the row and the decision; of the answer."""

    took: list[float] = field(default_factory=list)
    since_row: list[float] = field(default_factory=list)
    since_decision: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    slipped: int = 0


async def watched(each: Attached) -> list[tuple[datetime, bool]]:
    """Tries until it is refused: when each attempt began, and whether it passed."""
    seen, loop = [], asyncio.get_running_loop()
    while True:
        began, again = datetime.now(UTC), loop.time() + BETWEEN
        passed = await each.probes()
        seen.append((began, passed))
        if not passed:
            return seen
        await asyncio.sleep(again - loop.time())


async def flip(place: Place, store: Store, number: int, kind: str, each: Attached, felt: Felt) -> str:
    """One decision; the statement."""
    trying = asyncio.create_task(watched(each))
    looking = asyncio.create_task(asyncio.to_thread(committed, store, Channel(CHANNELS[kind])))
    await asyncio.sleep(0.03)  # it is at it
    said = {"id": f"flip-{number}", "author": "ann", "channel": "posts", "text": "spam"}
    answer = await place.source.post("/v1/messages", json={**said, "sent": datetime.now(UTC).isoformat()})
    answered = datetime.now(UTC)
    expect(answer.is_success and answer.json()["statement"] is not None, answer.text)
    standing = await place.source.get("/v1/standing", params={"account": "ann", "channel": "posts"})
    expect(standing.json()["until"] is not None, f"{answer.text} {standing.text}")
    await asyncio.wait([trying], timeout=PATIENCE)
    expect(trying.done(), f"{kind} feels a decision within {PATIENCE:.0f} s")
    seen, (commit, written) = await trying, await looking
    decided = datetime.fromisoformat(standing.json()["until"]) - LENGTH
    for times, since in ((felt.took, commit), (felt.since_row, written), (felt.since_decision, decided)):
        times.append(max(0, (seen[-1][0] - since) / timedelta(milliseconds=1)))
    felt.answered.append((answered - decided) / timedelta(milliseconds=1))
    felt.slipped += sum(passed and began > commit for began, passed in seen)
    return str(answer.json()["statement"])


def committed(store: Store, channel: Channel) -> tuple[datetime, datetime]:
    """When ann's next change was not in the record for the last time, and when it was written."""
    account, deadline = AccountId("ann"), time.monotonic() + PATIENCE
    absent, before = datetime.now(UTC), store.last_change(account, channel)
    while time.monotonic() < deadline:
        looked, change = datetime.now(UTC), store.last_change(account, channel)
        if change and change != before:
            return absent, change[1]
        absent = looked
        time.sleep(BETWEEN_LOOKS)
    raise TimeoutError(f"no change of ann's on {channel} within {PATIENCE:.0f} s")


async def flips(place: Place, attached: Mapping[str, Attached], when: str, first: int) -> Mapping[str, Felt]:
    """So many at each gate, in turn."""
    felt, start = {kind: Felt() for kind in attached}, time.monotonic()
    path = place.folder / ".comity" / "comity.db"
    with closing(SqliteStore(path, writes=False)) as store:
        async with client(place.record, "mara") as reviewer:
            for number, kind in zip(range(first, first + len(KINDS) * FLIPS), itertools.cycle(attached), strict=False):
                if number >= first + 2 * len(KINDS) and time.monotonic() - start > LONGEST:
                    break
                await passes(attached[kind])
                statement = await flip(place, store, number, kind, attached[kind], felt[kind])
                told = {"at": datetime.now(UTC).isoformat()}  # else the next breach falls into the same decision
                heard = await place.source.post(f"/v1/statements/{statement}/delivered", json=told)
                expect(heard.is_success, heard.text)
                lifting = {"by": "mara", "why": "It was a trial."}
                lifted = await reviewer.post(f"/v1/statements/{statement}/lift", json=lifting)
                expect(lifted.is_success, lifted.text)
    for each in attached.values():
        await passes(each)
    for kind, one in felt.items():
        tell(kind, when, one)
    return felt


async def passes(each: Attached) -> None:
    """Wait until it does, in both ways."""
    async with asyncio.timeout(PATIENCE):
        while not (await each.passes() and await each.probes()):
            pass


def tell(kind: str, when: str, felt: Felt) -> None:
    text = (
        f"{kind}, {when}: {len(felt.took)} flips, p50 {statistics.median(felt.took):.1f}, max {max(felt.took):.1f},"
        f" slipped {felt.slipped}; from the row p95 {p95(felt.since_row):.1f}; from the decision p50"
        f" {statistics.median(felt.since_decision):.1f}, p95 {p95(felt.since_decision):.1f}, its answer p95"
        f" {p95(felt.answered):.1f}; from the commit p95"
    )
    part(text, p95(felt.took), "ms", target="<= 50 ms")


def p95(took: list[float]) -> float:
    return statistics.quantiles(took, n=20)[18]


@asynccontextmanager
async def changing(place: Place) -> AsyncIterator[Callable[[], float]]:
    """Other accounts change meanwhile, each with an address of its own; asked at the end, how many a second."""
    taken, start, stop, numbers = 0, time.monotonic(), asyncio.Event(), itertools.count()

    async def go(source: httpx.AsyncClient) -> None:
        nonlocal taken
        while not stop.is_set():
            number = next(numbers)
            await asyncio.sleep(max(0.0, start + number * BATCH / RATE - time.monotonic()))
            answer = await source.post("/v1/messages", content=batch(number), headers=NDJSON)
            expect(answer.is_success, answer.text)
            taken += BATCH

    async with client(place.record, "source") as source, asyncio.TaskGroup() as tasks:
        for _ in range(IN_FLIGHT):
            tasks.create_task(go(source))
        yield lambda: taken / (time.monotonic() - start)
        stop.set()


def batch(number: int) -> str:
    """Messages that breach, each of another account."""
    same = {"channel": "posts", "text": "spam", "sent": datetime.now(UTC).isoformat()}
    numbers = range(number * BATCH, (number + 1) * BATCH)
    return "".join(json.dumps({"id": f"c{each}", "author": address(each), **same}) + "\n" for each in numbers)


def address(number: int) -> str:
    return str(ip_address((11 << 24) + number))


def many(kind: str) -> Records:
    """A million cuts."""
    records = Records()
    for number in range(CUTS):
        account = AccountId(address((1 << 22) + number) if kind == "network" else name(number))
        records.put(FIRST_ROW + number, Planned(account=account, channel=Channel(CHANNELS[kind]), plan=(span(number),)))
    return records


async def know(place: Place, kind: str, records: Records, folder: Path) -> None:
    """Let a gate that has not begun yet know these cuts on its channel, as if its centre had told it."""
    async with client(place.record, kind) as gate:
        head = (await gate.get("/v1/standings/snapshot")).json()
    records.terms = [replace(each, channel=Channel(CHANNELS[kind])) for each in records.terms]
    replica = Replica(Manner(policy=None), print)
    known = Known(epoch=head["epoch"], cursor=head["cursor"], digest=int(head["digest"], 16), records=records)
    replica.swap(known, Kept())
    with Disk(folder) as disk:
        disk.write(replica)


async def attach(place: Place, held: AsyncExitStack, suffix: str, *, knowing: bool) -> Mapping[str, Attached]:
    folders = {kind: place.folder / f"gate-{kind}-{suffix}" for kind in KINDS}
    if knowing:
        for like in ("http", "network"):
            records = many(like)
            for kind in (kind for kind in KINDS if (kind == "network") == (like == "network")):
                await know(place, kind, records, folders[kind])
    attached, start = {}, time.monotonic()
    for kind, one in KINDS.items():
        attached[kind] = await held.enter_async_context(one(place, folders[kind]))
        await passes(attached[kind])
        if kind == "network":
            await is_in_force()
    print(f"all gates attached, {suffix}: {time.monotonic() - start:.0f} s", flush=True)
    return attached


async def is_in_force() -> None:
    """The router's gate has written all that it knows: one transaction makes its table with everything in it."""
    listing = ("nft", "-t", "list", "table", "inet", "comity")
    async with asyncio.timeout(5 * LONGEST):
        while subprocess.run(listing, capture_output=True, check=False).returncode:
            await asyncio.sleep(0.1)


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


async def compare(place: Place, attached: Mapping[str, Attached], folder: Path) -> None:
    web_servers.SERVERS["plain"] = plain_nginx
    gate = web_servers.Process(None, free_port())
    async with web_servers.web("plain", folder, gate) as front:

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
            await compare(place, attached, folder / "plain-fresh")
            run("nft", "delete", "table", "inet", "comity")
        async with AsyncExitStack() as held:
            attached = await attach(place, held, "knowing", knowing=True)
            await flips(place, attached, f"with {CUTS:,} cuts", len(KINDS) * FLIPS)
            await compare(place, attached, folder / "plain-knowing")
            with_rules = await passing(attached["network"])
            run("nft", "delete", "table", "inet", "comity")
            part("network: added to a connection", with_rules - await passing(attached["network"]), "ms")
        async with AsyncExitStack() as held:
            attached = await attach(place, held, "others", knowing=False)
            async with changing(place) as rate:
                felt = await flips(place, attached, "while others change", 2 * len(KINDS) * FLIPS)
                part("accounts that changed meanwhile, on four channels each", rate(), "/s", target=f"{RATE:,} /s")
                await compare(place, attached, folder / "plain-others")
    return max(p95(one.took) for one in felt.values())


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
