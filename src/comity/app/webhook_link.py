"""Webhooks over HTTPS: the very address that was named, checked each time, no redirection, no proxy, within seconds.

Whoever names an address must not reach by it what only this machine can reach. So a name is looked up once, every
address that it has must be one of the open network, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from typing import Final
from urllib.parse import SplitResult, urlsplit

from comity.app.attempts import Attempts
from comity.model.webhook import Webhook
from comity.ports import UnreachableError

DEADLINE: Final = 15.0
"""Seconds for all of one delivery."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class HttpsLink:
    """Posts to webhooks."""

    def __init__(self, deadline: float = DEADLINE, attempts: Attempts | None = None) -> None:
        self._deadline, self._attempts = deadline, attempts or Attempts()

    def post(self, hook: Webhook, headers: Mapping[str, str], body: bytes) -> int:
        """Waits no longer than the deadline, be it for a name, a handshake or bytes that drip."""
        return self._attempts.wait_for(lambda: _status(hook, headers, body, self._deadline), self._deadline)


def usable(url: str) -> SplitResult:
    """The address, if it is one that events may be sent to. Raises `UnreachableError` saying what it must be."""
    try:
        split = urlsplit(url)
        _ = split.port
    except ValueError as error:
        raise UnreachableError(f"{url!r} is no address: {error}") from error
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not is_plain or not split.hostname or split.username is not None or split.fragment:
        raise UnreachableError(f"{url!r} is no address like https://HOST[:PORT]/PATH")
    if split.scheme != "https" and not (split.scheme == "http" and is_loopback(split.hostname)):
        raise UnreachableError(f"{url!r} is not https; only this very machine may be reached without")
    return split


def is_open(address: Address) -> bool:
    """Whether it is of the open network, also where it is written as another kind of address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_open(inner)
    return address.is_global and not address.is_multicast


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _status(hook: Webhook, headers: Mapping[str, str], body: bytes, timeout: float) -> int:
    try:
        split = usable(hook.url)
        address = _checked(hook, split)
        path = (split.path or "/") + (f"?{split.query}" if split.query else "")
        with closing(_connection(split, address, timeout)) as connection:
            connection.request("POST", path, body, {**headers, "host": split.netloc})
            return connection.getresponse().status
    except TimeoutError:
        raise UnreachableError(f"no answer within {timeout:g} seconds") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(getattr(error, "strerror", None) or str(error) or type(error).__name__) from error


def _checked(hook: Webhook, split: SplitResult) -> str:
    """The address to connect to. Raises `UnreachableError` if any that the name has may not be reached."""
    host = split.hostname or ""
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, split.port, type=socket.SOCK_STREAM)]
    if not hook.may_be_private and not is_loopback(host):
        for each in found:
            if not is_open(ipaddress.ip_address(each.partition("%")[0])):
                raise UnreachableError(f"{host} is {each}, which is not reached from outside; see --private")
    return found[0]


def _connection(split: SplitResult, address: str, timeout: float) -> http.client.HTTPConnection:
    """Opened to the address that was checked; the certificate must be the name's."""
    port = split.port or (443 if split.scheme == "https" else 80)
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    connection.connect()
    if split.scheme == "https":
        context = ssl.create_default_context()
        connection.sock = context.wrap_socket(connection.sock, server_hostname=split.hostname)
    return connection
