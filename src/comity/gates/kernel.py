"""The programs through which the `network` gate reaches the kernel: `nft`, `conntrack`, `ip`. Text in, text out."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Iterable
from typing import Final

import msgspec

from comity.gates.addresses import Address, Sort, address_of

_PATH: Final = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"}
_SHOWN: Final = 300


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


async def forget_flows(addresses: Iterable[Address]) -> None:
    """Flows from and to these addresses are not known any more: nothing is passed on because of them, not even by a
    flow table, and what was led to another place is not led there again. Raises `KernelError`.
    """
    places = [place for each in addresses for place in await _places(each)]
    text = "".join(f"-D -f {family} -s {place}\n-D -f {family} {_to(place)} {place}\n" for family, place in places)
    if text:
        await _run("conntrack", "-R", "-", said=text)


def _to(place: str) -> str:
    """Flows to an address, also by another one that leads there; `conntrack` knows the latter for single ones only."""
    return "-d" if "/" in place else "-r"


async def device_of(address: Address) -> Address | None:
    """Which device of this network has the address. Raises `KernelError`."""
    found = await _neighbours("to", address.text)
    return next((device for each in found if (device := address_of(each.lladdr)) is not None), None)


async def _places(address: Address) -> list[tuple[str, str]]:
    match address.sort:
        case Sort.IPV4:
            return [("ipv4", address.text)]
        case Sort.IPV6:
            return [("ipv6", address.text)]
        case Sort.SITE:
            return [("ipv6", f"{address.text}/64")]
        case Sort.MAC:
            return await _addresses_of(address)


async def _addresses_of(device: Address) -> list[tuple[str, str]]:
    """Which addresses the device has used of late."""
    found = [address_of(each.dst) for each in await _neighbours() if address_of(each.lladdr) == device]
    return [place for each in found if each is not None for place in await _places(each)]


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
        text = " ".join(errors.decode("utf-8", "replace").split())
        raise KernelError(f"{program} failed: {text[:_SHOWN] or process.returncode}")
    return output
