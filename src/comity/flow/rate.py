"""How often somebody may ask who brings no token: so many at once, then one each so many seconds, by address."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

_MOST_KNOWN: Final = 100_000


class Rate:
    """`most` at once, and one more each `every`. Addresses that have been quiet are forgotten, the others bounded."""

    def __init__(self, most: int, every: timedelta) -> None:
        self._most, self._every = most, every
        self._free_at: dict[str, datetime] = {}  # when all of an address's allowance is there again

    def wait(self, address: str, at: datetime) -> int | None:
        """Takes one; or says after how many seconds there is one."""
        address = _network(address)
        free_at = max(self._free_at.pop(address, at), at) + self._every
        over = free_at - at - self._most * self._every
        if over > timedelta():
            self._free_at[address] = free_at - self._every
            return -(-over // timedelta(seconds=1))
        self._free_at[address] = free_at
        self._forget(at)
        return None

    def _forget(self, at: datetime) -> None:
        """INVARIANT: no more than `_MOST_KNOWN` addresses are known; those seen longest ago go first."""
        while self._free_at:
            oldest = next(iter(self._free_at))
            if len(self._free_at) <= _MOST_KNOWN and self._free_at[oldest] > at:
                return
            del self._free_at[oldest]


def _network(address: str) -> str:
    """Of IPv6 the network of 64 bits: whoever has one address of it has all of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))
