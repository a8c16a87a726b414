"""Sendmail's milter protocol, version 6, as far as a gate speaks it: packets in, replies out.

A packet is its length (4 octets), a command (1 octet) and what belongs to it. Strings end with a zero octet. Not
documented by its makers; as Postfix speaks it (`src/milter/milter8.c`) and `libmilter` does.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LONGEST_PACKET: Final = 1 << 20
VERSION: Final = 6
MAY_QUARANTINE: Final = 0x20
"""The one thing that a gate may do to a mail."""
HEADERS_AS_THEY_ARE: Final = 0x100000
"""A header's value comes with the space before it."""

NO_REPLY: Final[Mapping[bytes, int]] = {b"L": 0x80, b"R": 0x8000, b"B": 0x80000}
"""The steps (a header, a recipient, a piece of the body) to which a gate need not reply, and the flags that say so."""
_LEFT_OUT: Final = 0x02 | 0x40 | 0x100 | 0x200  # helo, end of headers, unknown, data; a connection names the server
_WANTED: Final = _LEFT_OUT | HEADERS_AS_THEY_ARE | sum(NO_REPLY.values())

CONTINUE: Final = b"\0\0\0\1c"
ACCEPT: Final = b"\0\0\0\1a"


class PacketError(Exception):
    """No mail server speaks like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    command: bytes
    content: bytes


async def read_packet(reader: asyncio.StreamReader) -> Packet | None:
    """The next packet; None: the connection has ended. Raises `PacketError`."""
    try:
        length = int.from_bytes(await reader.readexactly(4))
        if not 1 <= length <= LONGEST_PACKET:
            raise PacketError(f"a packet has {length:,} bytes; the limit is {LONGEST_PACKET:,}")
        packet = await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None
    return Packet(command=packet[:1], content=packet[1:])


def agreed(content: bytes) -> tuple[int, bytes]:
    """What the server offers of the steps that a gate can do without, and the reply that takes it.

    Raises `PacketError` if it cannot quarantine.
    """
    try:
        version, actions, steps = struct.unpack(">III", content[:12])
    except struct.error:
        raise PacketError("the offer is too short") from None
    if version < 2 or not actions & MAY_QUARANTINE:
        raise PacketError(f"a server with version {version} and actions {actions:#x} cannot quarantine")
    taken = steps & _WANTED
    return taken, packed(b"O", struct.pack(">III", min(version, VERSION), MAY_QUARANTINE, taken))


def strings(content: bytes) -> list[bytes]:
    """The strings that a packet holds. Raises `PacketError` if the last has no end."""
    *found, rest = content.split(b"\0")
    if rest:
        raise PacketError("a string has no end")
    return found


def addressed(content: bytes) -> list[bytes]:
    """An address, and the parameters that came with it. Raises `PacketError`."""
    found = strings(content)
    if not found:
        raise PacketError("an address is missing")
    return found


def macros(content: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The command that the values are about, and the values. Raises `PacketError`."""
    found = strings(content[1:])
    if len(found) % 2:
        raise PacketError("a name has no value")
    return content[:1], dict(zip(found[::2], found[1::2], strict=True))


def packed(command: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 1 + len(content)) + command + content


def refused(line: str) -> bytes:
    """The reply that has the server say this line to its client. A percent sign counts as half of one."""
    return packed(b"y", line.replace("%", "%%").encode("ascii") + b"\0")


def quarantined(reason: str) -> bytes:
    """Keep the mail in the hold queue; then go on."""
    return packed(b"q", reason.encode("ascii") + b"\0") + CONTINUE
