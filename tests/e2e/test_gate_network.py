"""The `network` gate on a real router, in network namespaces: `comity serve`, `comity gate network`, nftables, TCP.

It is started as docs/gate-network.md says. `nftables` and `conntrack` come from Debian, and the test must be root.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from namespaces import LAN, LAN6, PATIENCE, WORLD, WORLD6, Network, Place, echo, echoes, missing, network, run
from test_gate_serve import ROOT, Process, Record, free_port

from comity.gates import kernel, transactions
from comity.gates.addresses import address_of
from comity.gates.cuts import FOREVER, Cut
from comity.gates.kernel import KernelError
from comity.gates.nft import Rules

PAGE = (ROOT / "docs" / "gate-network.md").read_text()
AGREEMENT = """---
comity: 1
title: Rules of the house
channels: [posts, internet]
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
| 1 | suspend | internet | 6 seconds |

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | suspend | all | 30 days |
"""
WEB, OPEN, OTHER = 80, 8443, 443
FOREIGN = """
table inet comity_other {
  set cut4 { type ipv4_addr; flags timeout; elements = { 203.0.113.9 } }
  chain c { type filter hook forward priority 0; policy accept; ip saddr @cut4 drop; }
}
"""


def said(table: str = "comity") -> str:
    return run("nft", "list", "table", "inet", table)


def told_by_the_page(record: Record, where: Path, token: Path) -> list[str]:
    """What the page tells the reader to type, with the places of the test."""
    (fence,) = re.findall(r"^```sh\n(comity gate network .*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    places = {
        "https://rules.example.org": record.url,
        "network.token": str(token),
        "/var/lib/comity-network": str(where),
        "rules.example.org:443": f"{WORLD}2:{OPEN}",
        "192.0.2.53:53": f"[{WORLD6}2]:{OPEN}",
    }
    words = shlex.split(fence.replace("\\\n", ""))
    assert set(places) < set(words)
    return [places.get(word, word) for word in words[1:]]


@dataclass(frozen=True)
class Router:
    """A record with its centre on the router, and the clients of that."""

    record: Record
    net: Network

    source: httpx.AsyncClient

    @asynccontextmanager
    async def gate(self) -> AsyncIterator[Process]:
        command = told_by_the_page(self.record, self.record.folder / "gate", self.record.folder / "gate.token")
        async with self.record.running(*command) as process:
            yield process

    async def called(self, account: str, *handles: str) -> None:
        for each in handles:
            given = {"account": account, "channel": "internet", "handle": each}
            assert (await self.source.put("/v1/handles", json=given)).status_code == 204

    async def says(self, account: str, text: str) -> str:
        """What a rule decides at once; the statement."""
        message = {"id": f"{account}-{text}", "author": account, "channel": "posts", "text": text}
        answer = await self.source.post("/v1/messages", json={**message, "sent": datetime.now(UTC).isoformat()})
        return answer.json()["statement"]

    async def cut_off(self, account: str) -> str:
        """One decision, by a person, on the command line."""
        message = {"id": account, "author": account, "channel": "posts", "text": "I know where you live."}
        message["sent"] = datetime.now(UTC).isoformat()
        (self.record.folder / "message.json").write_text(json.dumps(message))
        reported = (
            "--where",
            "here",
            "--why",
            "A threat",
            "--good-faith",
            "--name",
            "bob",
            "--contact",
            "b@example.org",
        )
        said = await self.record.comity("notice", "message.json", *reported)
        (case,) = re.findall(r"in case ([0-9a-f]{32})", said)
        decision = ("--confirm", "--clause", "threats", "--by", "mara", "--why", "It threatens.", "--yes")
        said = await self.record.comity("case", case, *decision)
        (statement,) = re.findall(r"statement is ([0-9a-f]{32})", said)
        return statement


async def until(claim: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again."""
    async with asyncio.timeout(PATIENCE):
        while not await claim():
            await asyncio.sleep(0.02)


async def refused(place: Place, host: str = f"{WORLD}2") -> None:
    async def is_refused() -> bool:
        return not await place.reaches(host, OTHER)

    await until(is_refused)


async def opened(place: Place, host: str = f"{WORLD}2") -> None:
    await until(lambda: place.reaches(host, OTHER))


async def forgotten(address: str) -> bool:
    """Whether the kernel knows of no connection that the address has to where it may not go."""
    return re.search(rf"ESTABLISHED src={address} .* dport={OTHER} ", run("conntrack", "-L")) is None


def flow(source: str, to: str) -> None:
    run("conntrack", "-I", "-s", source, "-d", to, "-t", "600", "-p", "udp", "--sport", "4000", "--dport", "4001")


async def token(record: Record, role: str) -> None:
    made = json.loads(await record.comity("token", "new", role, "--role", role, "--json"))
    (record.folder / f"{role}.token").write_text(made["token"])


Story = Callable[[Router], Awaitable[None]]


def tell(folder: Path, story: Story) -> None:
    if why := missing():
        pytest.skip(why)

    async def told(net: Network) -> None:
        record = Record(folder, free_port(), host=f"{LAN}1")
        (folder / "agreement.md").write_text(AGREEMENT)
        await record.comity("publish", "agreement.md")
        for role in ("gate", "source"):
            await token(record, role)
        async with AsyncExitStack() as held:
            for host in (f"{WORLD}2", f"{WORLD6}2"):
                for port in (WEB, OPEN, OTHER):
                    listening = net.world.listening(host, port)
                    await held.enter_async_context(await asyncio.start_server(echo, sock=listening))
            headers = {"Authorization": f"Bearer {(folder / 'source.token').read_text()}"}
            source = httpx.AsyncClient(base_url=record.url, headers=headers, trust_env=False, timeout=PATIENCE)
            await story(Router(record, net, await held.enter_async_context(source)))

    with network() as net:
        asyncio.run(told(net))


def test_who_is_cut_off_is_refused_with_reason_and_link_and_nobody_else_notices(tmp_path: Path) -> None:
    async def story(router: Router) -> None:
        ann, bob = router.net.ann, router.net.bob
        run("nft", FOREIGN)
        foreign = said("comity_other")
        async with router.record.serving(), router.gate():
            await router.called("ann", f"{LAN}2", f"{LAN6}2")
            with (
                datagrams(ann) as near,
                datagrams(router.net.world) as far,
                await ann.connect(f"{WORLD}2", OTHER) as of_ann,
                await ann.connect(f"{WORLD6}2", OTHER) as of_ann6,
                await ann.connect(f"{WORLD}2", OPEN) as reading,
                await bob.connect(f"{WORLD}2", OTHER) as of_bob,
            ):
                assert [await echoes(one) for one in (of_ann, of_ann6, reading, of_bob)] == [True] * 4
                await stream(near, far)
                statement = await router.cut_off("ann")
                await refused(ann)
                await refused(ann, f"{WORLD6}2")
                assert [await echoes(one) for one in (of_ann, of_ann6, reading, of_bob)] == [False, False, True, True]
                with pytest.raises(OSError, match="No route to host"):
                    await stream(near, far)
                assert await bob.reaches(f"{WORLD}2", OTHER)
                assert await ann.reaches(f"{WORLD}2", OPEN)
                assert await ann.reaches(f"{WORLD6}2", OPEN)
                await until(lambda: forgotten(f"{LAN}2"))  # a page that is asked for meanwhile may be forgotten with it
                await explains(ann, router, statement)
            await router.record.comity("lift", statement, "--by", "mara", "--why", "A mistake.")
            await opened(ann)
            await opened(ann, f"{WORLD6}2")
            assert said("comity_other") == foreign
            assert "open at 1 of 1 gate" in await router.record.comity("standing", "ann", "--gates")

    tell(tmp_path, story)


@contextmanager
def datagrams(place: Place) -> Iterator[socket.socket]:
    """An end of a stream of datagrams between ann and the world."""
    own, other = (f"{LAN}2", f"{WORLD}2") if place.name.endswith("ann") else (f"{WORLD}2", f"{LAN}2")
    with place.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((own, OTHER))
        one.connect((other, OTHER))
        yield one


async def stream(near: socket.socket, far: socket.socket) -> None:
    """Something out, something in. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE):
        for one, other in ((near, far), (far, near)):
            await loop.sock_sendall(one, b"hello")
            await asyncio.wait(
                (ends := [asyncio.ensure_future(loop.sock_recv(each, 9)) for each in (one, other)]),
                return_when="FIRST_COMPLETED",
            )
            for each in ends:
                each.cancel()
            await asyncio.gather(*(each for each in ends if each.done() and not each.cancelled()))


async def explains(ann: Place, router: Router, statement: str) -> None:
    """The page that somebody who is cut off gets, by both kinds of address, and what its link leads to."""
    for host, own in ((f"{WORLD}2", f"{LAN}1"), (f"[{WORLD6}2]", f"[{LAN6}1]")):
        led = await ann.get(f"http://{host}:{WEB}/news")
        assert led.startswith("HTTP/1.1 302 ")
        assert f"\r\nLocation: http://{own}:8649/comity\r\n" in led
        page = await ann.get(f"http://{own}:8649/comity")
        assert page.startswith("HTTP/1.1 511 ")
        assert "Clause: “Threats”" in page
        (link,) = re.findall(r'href="(http://[^"]+)"', page)
        assert (await ann.get(link)).startswith("HTTP/1.1 200 ")
    assert (await router.net.bob.get(f"http://{LAN}1:8649/comity")).startswith("HTTP/1.1 200 ")

    async def is_delivered() -> bool:
        return "delivered" in await router.record.comity("statement", statement, "--json")

    await until(is_delivered)


def test_a_measure_ends_on_time_with_centre_and_gate_dead(tmp_path: Path) -> None:
    async def story(router: Router) -> None:
        ann, bob = router.net.ann, router.net.bob
        async with router.record.serving() as centre, router.gate() as gate:
            await router.called("ann", f"{LAN}2")
            await router.called("bob", f"{LAN}3")
            await router.says("bob", "spam")
            statement = await router.says("ann", "noise")
            await refused(ann)
            await centre.end(signal.SIGKILL)
            await gate.end(signal.SIGKILL)
            assert not await ann.reaches(f"{WORLD}2", OTHER)
            await opened(ann)
            now = datetime.now(UTC)
            shown = json.loads(await router.record.comity("statement", statement, "--json"))
            ended = datetime.fromisoformat(re.findall(r'"end": ?"([^"]+)"', json.dumps(shown))[0])
            assert abs((now - ended).total_seconds()) < 5
            assert not await bob.reaches(f"{WORLD}2", OTHER)

    tell(tmp_path, story)


def test_killed_and_started_without_the_centre_it_makes_the_rules_what_it_knew(tmp_path: Path) -> None:
    async def story(router: Router) -> None:
        ann, bob = router.net.ann, router.net.bob
        async with router.record.serving() as centre, router.gate() as gate:
            await router.called("ann", f"{LAN}2")
            await router.says("ann", "spam")
            await refused(ann)
            await centre.end(signal.SIGKILL)
            assert not await ann.reaches(f"{WORLD}2", OTHER)
            await gate.end(signal.SIGKILL)
        run("nft", f"add element inet comity cut4 {{ {LAN}3 }}; delete element inet comity cut4 {{ {LAN}2 }}")
        assert not await bob.reaches(f"{WORLD}2", OTHER)
        async with router.gate() as gate:
            await refused(ann)
            await opened(bob)
            run("nft", "flush ruleset")
            await opened(ann)
            await refused(ann)
            assert await gate.end(signal.SIGTERM) == 0
            assert not await ann.reaches(f"{WORLD}2", OTHER)

    tell(tmp_path, story)


def test_a_device_is_cut_off_by_its_mac_and_a_household_by_its_network(tmp_path: Path) -> None:
    async def story(router: Router) -> None:
        ann, bob = router.net.ann, router.net.bob
        (device,) = re.findall(r"link/ether (\S+)", run("ip", "-n", ann.name, "link", "show", "uplink"))
        async with router.record.serving(), router.gate():
            await router.called("ann", device)
            await router.called("house", f"{LAN6}/64")
            with await ann.connect(f"{WORLD}2", OTHER) as one, await bob.connect(f"{WORLD6}2", OTHER) as other:
                await router.says("ann", "spam")
                await refused(ann)
                assert [await echoes(one), await echoes(other)] == [False, True]
                page = await ann.get(f"http://{LAN}1:8649/comity")
                assert "Clause: “Spam”" in page
                await router.says("house", "spam")
                await refused(bob, f"{WORLD6}2")
                assert not await echoes(other)
                assert await bob.reaches(f"{WORLD}2", OTHER)
                assert "Clause: “Spam”" in await bob.get(f"http://[{LAN6}1]:8649/comity")

    tell(tmp_path, story)


def test_hostile_names_change_nothing_in_the_kernel(tmp_path: Path) -> None:
    hostile = [
        f"{LAN}3 }}; flush ruleset; add element inet comity cut4 {{ {LAN}3",
        f"{LAN}3\ndelete table inet comity",
        f'{LAN}3"}}}},{{"flush":{{"ruleset":null}}}}',
        f"{LAN6}3%}} ; flush ruleset",
        "0.0.0.0",
        f"{LAN}0/24",
        "ff:ff:ff:ff:ff:ff",
        "9" * 1024,
    ]

    async def story(router: Router) -> None:
        ann, bob = router.net.ann, router.net.bob
        async with router.record.serving(), router.gate():
            await router.called("eve", *hostile)
            await router.called(hostile[0], f"{LAN}2")
            await opened(bob)
            await router.says("eve", "spam")
            await router.says(hostile[0], "spam")
            await refused(ann)
            assert await bob.reaches(f"{WORLD}2", OTHER)
            assert await bob.reaches(f"{WORLD6}2", OTHER)
            assert re.findall(r"elements = \{ (\S+) timeout", said()) == [f"{LAN}2"]

    tell(tmp_path, story)


@pytest.mark.parametrize("has_file", [True, False])
def test_of_very_many_addresses_only_those_with_flows_are_looked_for(
    *, has_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why := missing():
        pytest.skip(why)
    if not has_file:
        monkeypatch.setattr(kernel, "FLOWS", tmp_path / "none")
    many = [f"10.99.{third}.{last}" for third in range(8) for last in range(1, 255)]
    cut = [*many, f"{LAN}2", f"{WORLD}9", "2001:db8:77::/64"]
    with network():
        for source, to in ((f"{LAN}2", f"{WORLD}2"), (f"{WORLD}2", f"{WORLD}9"), (f"{LAN6}5", f"{WORLD6}2")):
            flow(source, to)
        flow(f"{LAN}3", f"{WORLD}2")
        flow(f"{WORLD6}3", f"{WORLD6}2")
        asyncio.run(kernel.forget_flows([address for each in cut if (address := address_of(each)) is not None]))
        left = {family: run("conntrack", "-L", "-f", family) for family in ("ipv4", "ipv6")}
    assert re.findall(r"src=(\S+)", left["ipv4"])[::2] == [f"{LAN}3"]
    assert re.findall(r"src=(\S+)", left["ipv6"])[::2] == [f"{WORLD6}3"]


@pytest.mark.parametrize("has_library", [True, False])
def test_the_kernel_takes_a_transaction_whole_or_not_at_all(
    *, has_library: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why := missing():
        pytest.skip(why)
    if not has_library:
        monkeypatch.setattr(transactions, "_LIBRARY", "libnothing.so.0")
    rules = Rules(table="comity", page_port=8649, openings=frozenset())
    now = datetime.now(UTC)

    def cuts(count: int) -> list[Cut]:
        found = (address_of(f"10.{number >> 8}.{number & 255}.9") for number in range(count))
        return [Cut(address=each, until=FOREVER, was=False) for each in found if each is not None]

    async def told() -> None:
        into_kernel = transactions.Transactions()
        await into_kernel.take(rules.whole(cuts(1), now))
        with pytest.raises(KernelError, match=r"nft failed: .*No such file"):
            await into_kernel.take(rules.written(cuts(2), now) + "add element inet nothing cut4 { 10.0.0.1 }\n")
        assert re.findall(r"elements = \{ (.*) \}", said()) == ["10.0.0.9"]
        await into_kernel.take(rules.written(cuts(10_000), now))
        await into_kernel.take(
            rules.written([Cut(address=each.address, until=None, was=True) for each in cuts(9_999)], now)
        )
        assert re.findall(r"elements = \{ (.*) \}", said()) == ["10.39.15.9"]

    with network():
        asyncio.run(told())
