"""`comity gate network`: runs a gate on a router, until it is told to end."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from comity.app.clock import SystemClock
from comity.app.errors import Exit, StopError
from comity.app.gate import Wanted, following, listening, places, say, until_told
from comity.gates import kernel
from comity.gates.captive import explaining
from comity.gates.http import HttpGate, Trust
from comity.gates.kernel import KernelError
from comity.gates.network import NetworkGate
from comity.gates.nft import TABLE, Opening, Rules

_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9.-]{1,253}", re.ASCII)
_BETWEEN_NAMES: Final = 60.0
"""Seconds for which the addresses of a name are believed."""
_LIMITS: Final = "this gate can only cut off: an account that is limited on {channel} passes as if it were free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where the rules go. `allow`: the places that stay reachable, each as HOST:PORT."""

    channel: str
    table: str
    page_port: int
    listen: str
    allow: Sequence[str]


def network_gate(wanted: Wanted, way: Way) -> Exit:
    """What it knew before is in force before it asks for anything."""
    if not TABLE.fullmatch(way.table):
        raise StopError(f"--table is {way.table!r}", help="Write up to 31 small letters, digits or _.", code=Exit.USAGE)
    if not way.allow:
        help_ = "Name the pages of statements and appeals, and the resolver of names: --allow rules.example.org:443"
        raise StopError("nobody who is cut off could read why", help=help_, code=Exit.USAGE)
    kept_open = Open(way.allow)
    with following(wanted) as (replica, follower):
        clock = SystemClock()

        async def serve() -> None:
            rules = Rules(table=way.table, page_port=way.page_port, openings=await _begin(kept_open))
            gate = NetworkGate(replica, follower, clock, channel=way.channel, rules=rules, resolve=kept_open.now)
            figures = HttpGate(replica, follower, clock, Trust(header=b"", addresses=frozenset(("127.0.0.1", "::1"))))
            async with await _explaining(gate, way.page_port), await listening(figures, way.listen) as server:
                say(sys.stdout, f"gate {wanted.name} on {places(server)}, follows {wanted.centre}")
                say(sys.stdout, _LIMITS.format(channel=way.channel))
                await until_told(gate.run())

        asyncio.run(serve())
    return Exit.FINE


async def _begin(kept_open: Open) -> frozenset[Opening]:
    """Raises `StopError` if the kernel cannot be reached, or a name has no address."""
    try:
        await kernel.ruleset()
    except KernelError as error:
        help_ = "Install nftables, and run this as root or with CAP_NET_ADMIN."
        raise StopError(str(error), help=help_) from error
    found = await kept_open.now()
    if not found:
        raise StopError("no name after --allow has an address now", help="Write its address instead.")
    return found


async def _explaining(gate: NetworkGate, port: int) -> asyncio.Server:
    try:
        return await explaining(gate.refused, port)
    except OSError as error:
        raise StopError(
            f"nothing can listen on port {port}: {error}", help="Choose another --page-port.", code=Exit.USAGE
        ) from error


class Open:
    """Places that stay reachable, by name or by address."""

    def __init__(self, allow: Sequence[str]) -> None:
        """Raises `StopError` naming what is none."""
        self._places = tuple(map(_place, allow))
        self._found, self._again_at = frozenset[Opening](), 0.0

    async def now(self) -> frozenset[Opening]:
        """What was found last is kept while a name cannot be looked up."""
        now = asyncio.get_running_loop().time()
        if now >= self._again_at:
            self._again_at = now + _BETWEEN_NAMES
            found = await asyncio.gather(*(_openings(host, port) for host, port in self._places))
            if all(found) or not self._found:
                self._found = frozenset().union(*found)
        return self._found


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if port.isascii() and port.isdecimal() and 0 < int(port) < 65_536 and (_is_network(host) or _NAME.fullmatch(host)):
        return host, int(port)
    help_ = "Write HOST:PORT, such as rules.example.org:443, 192.0.2.7:53 or [2001:db8::/64]:443."
    raise StopError(f"--allow is {text!r}", help=help_, code=Exit.USAGE)


def _is_network(host: str) -> bool:
    try:
        ip_network(host)
    except ValueError:
        return False
    return True


async def _openings(host: str, port: int) -> frozenset[Opening]:
    if _is_network(host):
        return frozenset((Opening(network=ip_network(host), port=port),))
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    names = {str(address[0]).partition("%")[0] for *_, address in found}
    return frozenset(Opening(network=ip_network(ip_address(each)), port=port) for each in names)
