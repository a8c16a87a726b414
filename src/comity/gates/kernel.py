"""The programs through which the `network` gate reaches the kernel: `nft`, `conntrack`, `ip`. Text in, text out."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import PIPE
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Final

import msgspec

from comity.gates.addresses import Address, Sort, address_of, sites_of

_PATH: Final = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"}
FLOWS: Final = Path("/proc/net/nf_conntrack")
_SHOWN: Final = 300
_MOST_UNSEEN: Final = 4
"""Places whose flows are forgotten without a look whether there are any: each costs two searches of all flows."""
_ENDS: Final = re.compile(rb"\b(?:src|dst)=(\S+)")


class KernelError(Exception):
    """A program is not there, or failed; the message says which and what it said."""


class _Neighbour(msgspec.Struct):
    dst: str
    lladdr: str = ""


_NEIGHBOURS: Final = msgspec.json.Decoder(list[_Neighbour])


async def transact(text: str) -> None:
    """All of it or nothing. Raises `KernelError`."""
    await _run("nft", "-f", "-", said=text)


async def ruleset() -> bytes:
    """All tables, without the elements of their sets, as JSON. Raises `KernelError`."""
    return await _run("nft", "-j", "-t", "list", "ruleset")


async def forget_flows(addresses: Sequence[Address]) -> None:
    """Flows from and to these addresses are not known any more: nothing is passed on because of them, not even by a
    flow table, and what was led to another place is not led there again. Raises `KernelError`.
    """
    places = [place for each in addresses for place in _places(each)]
    if devices := {each for each in addresses if each.sort is Sort.MAC}:
        places += await _of_devices(devices)
    if len(places) > _MOST_UNSEEN:
        seen = await _in_flows()
        places = [(family, place) for family, place in places if place in seen]
    text = "".join(f"-D -f {family} -s {place}\n-D -f {family} {_to(place)} {place}\n" for family, place in places)
    if text:
        await _run("conntrack", "-R", "-", said=text)


async def _in_flows() -> set[str]:
    """Every address that a flow is from or to, and their households: few, where very many are cut off at once."""
    texts = {text.decode("ascii", "replace") for text in _ENDS.findall(await _all_flows())}
    found = [address for text in texts if (address := address_of(text)) is not None]
    return {place for each in found for of in sites_of(each) for _, place in _places(of)}


async def _all_flows() -> bytes:
    """A line of each. The file is there in most kernels, for root, and takes a tenth of what the program does twice."""
    try:
        return await asyncio.to_thread(FLOWS.read_bytes)
    except OSError:
        return b"".join([await _run("conntrack", "-L", "-f", family) for family in ("ipv4", "ipv6")])


def _to(place: str) -> str:
    """Flows to an address, also by another one that leads there; `conntrack` knows the latter for single ones only."""
    return "-d" if "/" in place else "-r"


async def device_of(address: Address) -> Address | None:
    """Which device of this network has the address. Raises `KernelError`."""
    found = await _neighbours("to", address.text)
    return next((device for each in found if (device := address_of(each.lladdr)) is not None), None)


def _places(address: Address) -> list[tuple[str, str]]:
    """Its family and text, for `conntrack`; none for a device, which is found by its addresses."""
    match address.sort:
        case Sort.IPV4:
            return [("ipv4", address.text)]
        case Sort.IPV6:
            return [("ipv6", address.text)]
        case Sort.SITE:
            return [("ipv6", f"{address.text}/64")]
        case Sort.MAC:
            return []


async def _of_devices(devices: Set[Address]) -> list[tuple[str, str]]:
    """The addresses that these devices have used of late."""
    found = [address_of(each.dst) for each in await _neighbours() if address_of(each.lladdr) in devices]
    return [place for each in found if each is not None for place in _places(each)]


async def _neighbours(*of: str) -> list[_Neighbour]:
    return _NEIGHBOURS.decode(await _run("ip", "-j", "neigh", "show", *of) or b"[]")


async def _run(program: str, *arguments: str, said: str = "") -> bytes:
    """What it says. Raises `KernelError`."""
    try:
        process = await asyncio.create_subprocess_exec(
            program, *arguments, env=_PATH, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        output, errors = await process.communicate(said.encode("ascii"))
    except OSError as error:
        raise KernelError(f"{program} cannot be run: {error}") from error
    if process.returncode:
        raise KernelError(of_program(program, errors or str(process.returncode).encode()))
    return output


def of_program(program: str, said: bytes) -> str:
    """That it failed, in a line."""
    text = " ".join(said.decode("utf-8", "replace").split())
    return f"{program} failed: {text[:_SHOWN]}"
