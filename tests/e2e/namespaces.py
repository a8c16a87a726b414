"""Two clients, a router and the world beyond it, each in a network namespace of its own, made and removed by a test.

The test's own thread is in the router's while they are there, and so is every program that it starts. A socket stays
in the namespace in which it was made, so the test has ends of connections everywhere.

    ann 10.77.0.2, 2001:db8:77::2 --\
                                      bridge [router 10.77.0.1 | 10.78.0.1] -- [world 10.78.0.2, 2001:db8:78::2]
    bob 10.77.0.3, 2001:db8:77::3 --/
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
NEEDED = ("ip", "nft", "conntrack")
LAN, WORLD = "10.77.0.", "10.78.0."
LAN6, WORLD6 = "2001:db8:77::", "2001:db8:78::"
PATIENCE = 20.0
SILENCE = 5.0
"""Seconds after which a connection that says nothing is none: whoever waits for an answer is not told of a cut."""


def missing() -> str | None:
    """Why there can be no such network here; None: there can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "network namespaces need root"
    absent = [each for each in NEEDED if shutil.which(each, path="/usr/sbin:/sbin:/usr/bin:/bin") is None]
    return f"{', '.join(absent)} is not there: apt install iproute2 nftables conntrack" if absent else None


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def enter(namespace: str) -> None:
    """This thread."""
    with open(namespace, "rb") as file:
        if LIBC.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"{namespace} cannot be entered")


@dataclass(frozen=True)
class Place:
    """A namespace."""

    name: str

    def socket(self, family: socket.AddressFamily, sort: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """One that is there."""

        def made() -> socket.socket:
            enter(f"/run/netns/{self.name}")
            return socket.socket(family, sort)

        with ThreadPoolExecutor(1) as thread:
            one = thread.submit(made).result()
        one.setblocking(False)
        return one

    def listening(self, host: str, port: int) -> socket.socket:
        one = self.socket(family(host))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
        one.listen()
        return one

    async def connect(self, host: str, port: int) -> socket.socket:
        """Raises `OSError`."""
        one = self.socket(family(host))
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().sock_connect(one, (host, port))
        except BaseException:
            one.close()
            raise
        return one

    async def reaches(self, host: str, port: int) -> bool:
        """Whether a new connection there comes about, and carries something both ways."""
        try:
            one = await self.connect(host, port)
        except ConnectionRefusedError:
            return False
        with one:
            return await echoes(one)

    async def get(self, url: str) -> str:
        """Everything that is answered to a request for a page."""
        host, _, path = url.removeprefix("http://").partition("/")
        name, _, port = host.rpartition(":")
        with await self.connect(name.strip("[]"), int(port)) as one:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(one, f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            said = b""
            async with asyncio.timeout(PATIENCE):
                while more := await loop.sock_recv(one, 65_536):
                    said += more
        return said.decode()


def family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


async def echoes(one: socket.socket) -> bool:
    """Whether the connection is still one."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(SILENCE):
            await loop.sock_sendall(one, b"x")
            return await loop.sock_recv(one, 1) == b"x"
    except (ConnectionResetError, BrokenPipeError, TimeoutError):
        return False


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that says what it hears, until it hears the end of the connection."""
    try:
        while heard := await reader.read(65_536):
            writer.write(heard)
            await writer.drain()
    except (ConnectionResetError, asyncio.CancelledError):
        pass  # the test is over, or the connection was ended as the test wants
    finally:
        writer.close()


@dataclass(frozen=True)
class Network:
    ann: Place
    bob: Place
    world: Place


@contextmanager
def network() -> Iterator[Network]:
    """This thread is in the router's namespace until the end."""
    base = f"comity-{os.getpid()}"
    names = {each: f"{base}-{each}" for each in ("router", "ann", "bob", "world")}
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        for name in names.values():
            run("ip", "netns", "add", name)
        enter(f"/run/netns/{names['router']}")
        _wire(names)
        yield Network(ann=Place(names["ann"]), bob=Place(names["bob"]), world=Place(names["world"]))
    finally:
        LIBC.setns(home, CLONE_NEWNET)
        os.close(home)
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _wire(names: dict[str, str]) -> None:
    """From the router's namespace."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "lan", "type", "bridge")
    _address("lan", f"{LAN}1/24", f"{LAN6}1/64")
    for number, who in ((2, "ann"), (3, "bob")):
        run("ip", "link", "add", who, "type", "veth", "peer", "name", "uplink", "netns", names[who])
        run("ip", "link", "set", who, "master", "lan", "up")
        _host(names[who], (f"{LAN}{number}/24", f"{LAN6}{number}/64"), f"{LAN}1", f"{LAN6}1")
    run("ip", "link", "add", "world", "type", "veth", "peer", "name", "uplink", "netns", names["world"])
    _address("world", f"{WORLD}1/24", f"{WORLD6}1/64")
    _host(names["world"], (f"{WORLD}2/24", f"{WORLD6}2/64"), f"{WORLD}1", f"{WORLD6}1")
    for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        with open(f"/proc/sys/net/{setting}", "w") as file:
            file.write("1")


def _address(link: str, *addresses: str) -> None:
    for each in addresses:
        run("ip", "addr", "add", each, "dev", link, *(["nodad"] if ":" in each else []))
    run("ip", "link", "set", link, "up")


def _host(namespace: str, addresses: tuple[str, str], *routers: str) -> None:
    inside = ("ip", "-n", namespace)
    run(*inside, "link", "set", "lo", "up")
    for each in addresses:
        run(*inside, "addr", "add", each, "dev", "uplink", *(["nodad"] if ":" in each else []))
    run(*inside, "link", "set", "uplink", "up")
    for each in routers:
        run(*inside, "route", "add", "default", "via", each)
