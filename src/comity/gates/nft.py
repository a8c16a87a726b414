"""The rules of the `network` gate: one table of its own, and what is written into its sets. Text in, text out.

Each transaction is text for `nft -f -`, which takes all of it or nothing. Only what `Address` and `Opening` hold gets
in. An element that is in a set already keeps its old end when it is added, so it is taken out first; what is not there
cannot be taken out, so it is added before that. Nothing of this is seen from outside before the last step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Final

import msgspec

from comity.gates.addresses import Address, Sort
from comity.gates.cuts import FOREVER, Cut

TABLE: Final = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)
"""What a table may be called."""
_MILLISECOND: Final = timedelta(milliseconds=1)
_LONGEST: Final = timedelta(days=36_500)
"""The kernel's own limit lies beyond. What lasts longer has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A place that stays reachable for those who are cut off."""

    network: IPv4Network | IPv6Network
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the gate's table says. `page_port`: where this machine explains itself to whoever asks for a web page."""

    table: str
    page_port: int
    openings: frozenset[Opening]

    def whole(self, cuts: Iterable[Cut], at: datetime) -> str:
        """The table anew, with these cuts: at no moment is there another one than the old or the new."""
        table = f"add table inet {self.table}\ndelete table inet {self.table}\n"
        return table + self._definition() + "".join(self._added(cuts, at))

    def written(self, cuts: Sequence[Cut], at: datetime) -> str:
        """Only what has changed."""
        known = [cut for cut in cuts if cut.was]
        bare = [(cut.address, "") for cut in known]
        lines = [*self._elements("add", bare), *self._elements("delete", bare), *self._added(cuts, at)]
        return "".join(lines)

    def _added(self, cuts: Iterable[Cut], at: datetime) -> Iterator[str]:
        cut = ((each.address, _timeout(each.until, at)) for each in cuts if each.until is not None)
        return self._elements("add", cut)

    def _elements(self, act: str, elements: Iterable[tuple[Address, str]]) -> Iterator[str]:
        of = dict[Sort, list[str]]()
        for address, timeout in elements:
            of.setdefault(address.sort, []).append(address.text + timeout)
        for sort, texts in of.items():
            yield f"{act} element inet {self.table} {sort} {{ {', '.join(texts)} }}\n"

    def _definition(self) -> str:
        return _DEFINITION % {
            "table": self.table,
            "port": self.page_port,
            "open4": _open(one for one in self.openings if isinstance(one.network, IPv4Network)),
            "open6": _open(one for one in self.openings if isinstance(one.network, IPv6Network)),
        }


def _open(openings: Iterable[Opening]) -> str:
    """No network within another one: the kernel takes no set whose elements overlap."""
    of = dict[int, list[IPv4Network | IPv6Network]]()
    for one in openings:
        of.setdefault(one.port, []).append(one.network)
    texts = [f"{network} . {port}" for port in sorted(of) for network in _apart(of[port])]
    return f"elements = {{ {', '.join(texts)} }}" if texts else ""


def _apart(networks: Sequence[IPv4Network | IPv6Network]) -> Iterator[IPv4Network | IPv6Network]:
    yield from collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    yield from collapse_addresses(one for one in networks if isinstance(one, IPv6Network))


def _timeout(until: datetime | None, at: datetime) -> str:
    """Rounded up, so that nothing ends early. Days and seconds apart: `nft` reads no number of nine digits."""
    if until is None or until == FOREVER or until - at > _LONGEST:
        return ""
    left = max(1, -((at - until) // _MILLISECOND))
    seconds, milliseconds = divmod(left, 1000)
    days, seconds = divmod(seconds, 86_400)
    return f" timeout {days}d{seconds}s{milliseconds}ms"


def is_there(listed: bytes, table: str) -> bool:
    """Whether what `nft -j -t list ruleset` said still has all of the table: its sets, its chains and as many rules."""
    try:
        said = _LISTED.decode(listed).nftables
    except msgspec.MsgspecError:
        return False
    own = [part for each in said for part in (each.set, each.chain, each.rule) if part and part.table == table]
    return len(own) == _PARTS


class _Part(msgspec.Struct):
    table: str = ""


class _Said(msgspec.Struct):
    set: _Part | None = None
    chain: _Part | None = None
    rule: _Part | None = None


class _Ruleset(msgspec.Struct):
    nftables: list[_Said]


_LISTED: Final = msgspec.json.Decoder(_Ruleset)

_DEFINITION: Final = """\
table inet %(table)s {
  set cut4 { type ipv4_addr; flags timeout; }
  set cut6 { type ipv6_addr; flags timeout; }
  set cut64 { type ipv6_addr; flags timeout; }
  set cutmac { type ether_addr; flags timeout; }
  set open4 { type ipv4_addr . inet_service; flags interval; %(open4)s }
  set open6 { type ipv6_addr . inet_service; flags interval; %(open6)s }
  chain passage {
    type filter hook forward priority filter - 10; policy accept;
    ip saddr @cut4 goto outward
    ip6 saddr @cut6 goto outward
    ip6 saddr & ffff:ffff:ffff:ffff:: @cut64 goto outward
    ether saddr @cutmac goto outward
    ip daddr @cut4 goto inward
    ip6 daddr @cut6 goto inward
    ip6 daddr & ffff:ffff:ffff:ffff:: @cut64 goto inward
  }
  chain outward {
    meta l4proto { tcp, udp } ip daddr . th dport @open4 accept
    meta l4proto { tcp, udp } ip6 daddr . th dport @open6 accept
    goto refusal
  }
  chain inward {
    meta l4proto { tcp, udp } ip saddr . th sport @open4 accept
    meta l4proto { tcp, udp } ip6 saddr . th sport @open6 accept
    meta l4proto { icmp, ipv6-icmp } ct state related accept
    goto refusal
  }
  chain refusal {
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain explanation {
    type nat hook prerouting priority dstnat - 10; policy accept;
    tcp dport 80 ip saddr @cut4 goto page
    tcp dport 80 ip6 saddr @cut6 goto page
    tcp dport 80 ip6 saddr & ffff:ffff:ffff:ffff:: @cut64 goto page
    tcp dport 80 ether saddr @cutmac goto page
  }
  chain page {
    fib daddr type local accept
    ip daddr . tcp dport @open4 accept
    ip6 daddr . tcp dport @open6 accept
    meta l4proto tcp redirect to :%(port)d
  }
}
"""
_PARTS: Final = len(re.findall(r"^  set |^  chain |^    (?!type )", _DEFINITION, re.MULTILINE))
