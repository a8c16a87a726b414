"""What a handle must look like to be an address of the network: whatever else it is never reaches a firewall.

Handles come from outside and may be anything of up to 1 KB. An `Address` is made here alone, and its text is written by
this machine, never copied: digits, letters from a to f, and colons or dots.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network
from typing import Final

_WRITTEN: Final = re.compile(r"[0-9a-f:./-]{1,64}", re.ASCII | re.IGNORECASE)
"""No `%`: Python keeps whatever follows it as the scope of an IPv6 address, and writes it out again."""
_MAC: Final = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}", re.ASCII | re.IGNORECASE)
_SITE: Final = 64
"""Bits of an IPv6 address that are a household's; in the rest its devices name themselves."""
_EVERYBODY: Final = IPv4Address("255.255.255.255")


class Sort(StrEnum):
    """Of an address; its value is the name of the gate's set for it."""

    IPV4 = "cut4"
    IPV6 = "cut6"
    SITE = "cut64"
    MAC = "cutmac"


@dataclass(frozen=True, slots=True)
class Address:
    """One device, or one household (`SITE`). `text`: as the kernel writes it."""

    sort: Sort
    text: str


def address_of(handle: str) -> Address | None:
    """The address that the handle is; None if it is none of a single device or household.

    >>> address_of("2001:DB8::1/64")
    >>> address_of("2001:DB8:0::/64")
    Address(sort=<Sort.SITE: 'cut64'>, text='2001:db8::')
    >>> address_of("AA-BB-CC-00-11-22")
    Address(sort=<Sort.MAC: 'cutmac'>, text='aa:bb:cc:00:11:22')
    """
    if not _WRITTEN.fullmatch(handle):
        return None
    if _MAC.fullmatch(handle):
        return _device(handle.lower().replace("-", ":"))
    try:
        if handle.endswith(f"/{_SITE}"):
            return _site(IPv6Network(handle))
        return _of(IPv6Address(handle)) if ":" in handle else _of(IPv4Address(handle))
    except (AddressValueError, ValueError):
        return None


def sites_of(address: Address) -> tuple[Address, ...]:
    """The address, and the household that it belongs to if there is one."""
    if address.sort is not Sort.IPV6:
        return (address,)
    return address, Address(Sort.SITE, str(IPv6Network((address.text, _SITE), strict=False).network_address))


def _of(ip: IPv4Address | IPv6Address) -> Address | None:
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return _of(ip.ipv4_mapped)
    if ip.is_unspecified or ip.is_loopback or ip.is_multicast or ip.is_link_local or ip == _EVERYBODY:
        return None
    return Address(Sort.IPV4 if isinstance(ip, IPv4Address) else Sort.IPV6, str(ip))


def _site(network: IPv6Network) -> Address | None:
    ip = network.network_address
    if ip.is_unspecified or ip.is_multicast or ip.is_link_local:
        return None
    return Address(Sort.SITE, str(ip))


def _device(mac: str) -> Address | None:
    """Groups (the lowest bit of the first byte) and nothing at all are no device."""
    first = int(mac[:2], 16)
    return None if first & 1 or mac == "00:00:00:00:00:00" else Address(Sort.MAC, mac)
