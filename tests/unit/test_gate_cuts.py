"""What the `network` gate writes into the kernel: for whom, until when, and that nothing else ever gets there."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_flow_record import DAY, NOW

from comity.app.errors import StopError
from comity.app.gate_network import Open
from comity.gates.addresses import Address, Sort, address_of, sites_of
from comity.gates.answers import Deny
from comity.gates.captive import page
from comity.gates.cuts import FOREVER, Cut, Cuts
from comity.gates.kept import Kept
from comity.gates.nft import Opening, Rules, is_there
from comity.gates.records import Records
from comity.gates.replica import Known, Manner, Replica
from comity.ledger.feed import FeedEntry, ProvenSpan
from comity.ledger.policy import Policy
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import State
from comity.model.plan import Called, Planned
from comity.stores.world import FixedClock

SECOND = timedelta(seconds=1)
INTERNET = Channel("internet")
RULES = Rules(table="comity", page_port=8649, openings=frozenset({Opening(network=ip_network("192.0.2.7"), port=443)}))


class Router:
    """A replica, who watches it, and what stands in the kernel after each transaction."""

    def __init__(self) -> None:
        self.alarms: list[str] = []
        self.clock = FixedClock(NOW)
        self.replica = Replica(Manner(policy=None), lambda _, text: self.alarms.append(text))
        self.cuts = Cuts(self.replica, "internet", self.clock)
        self.swap("one")
        self.stands = {cut.address.text: cut.until for cut in self.cuts.every(NOW)}

    def swap(self, epoch: str, kept: Kept | None = None) -> None:
        self.replica.swap(Known(epoch=epoch, cursor=0, digest=0, records=Records()), kept or Kept())

    def tell(self, row: int, *handles: str | Called, cut: tuple = (), channel: Channel = INTERNET, **more) -> None:
        """Each pair of days of `cut` is one span."""
        called = tuple(Called(handle=one, start=NOW - DAY) if isinstance(one, str) else one for one in handles)
        plan = tuple(span(start, end) for start, end in cut)
        account = AccountId(more.get("account", f"a{row}"))
        assert self.replica.known is not None
        entry = FeedEntry(
            seq=self.replica.known.cursor + 1, row=row, account=account, channel=channel, handles=called, plan=plan
        )
        self.replica.put(entry, more.get("believed"))

    def follow(self, days: float = 0) -> dict[str, float | None]:
        """What stands in the kernel some days on: until which day each."""
        self.clock.at = at = NOW + days * DAY
        anew = self.cuts.must_begin
        for cut in self.cuts.every(at) if anew else self.cuts.changed(at):
            if not cut.was:
                assert anew or self.stands.get(cut.address.text, at) <= at, "it is there, and would keep its old end"
            self.stands.pop(cut.address.text, None)
            if cut.until is not None:
                self.stands[cut.address.text] = cut.until
        return {text: None if end == FOREVER else (end - NOW) / DAY for text, end in self.stands.items() if end > at}


def test_who_has_no_address_is_said_once_whatever_becomes_of_the_proof() -> None:
    router = Router()
    router.replica.manner = Manner(policy=Policy(), grace=DAY)
    router.replica.change(FeedEntry(seq=1, row=1, account=AccountId("ann"), channel=INTERNET, plan=(span(0, 3),)), NOW)
    assert len([alarm for alarm in router.alarms if "without an address" in alarm]) == 1


def test_what_turns_out_to_have_no_proof_ends_in_the_kernel_when_it_is_no_longer_believed() -> None:
    router = Router()
    router.replica.manner = Manner(policy=Policy(), grace=DAY)
    entry = FeedEntry(seq=1, row=1, account=AccountId("192.0.2.9"), channel=INTERNET, plan=(span(0, 3),))
    applied = router.replica.apply(entry, NOW)
    assert applied is not None
    assert router.follow() == {"192.0.2.9": 3}
    router.replica.prove(applied)
    assert router.follow() == {"192.0.2.9": 1}


def span(start: float, end: float | None, state: State = State.CUT) -> ProvenSpan:
    return ProvenSpan(
        state=state,
        start=NOW + start * DAY,
        until=None if end is None else NOW + end * DAY,
        statement=DecisionId("5" * 32),
        reason="“Spam”",
        link="https://example.org/r/5",
    )


def test_an_address_is_cut_until_the_end_of_its_plan_and_opened_when_that_is_lifted() -> None:
    router = Router()
    router.tell(1, "192.0.2.1", "2001:db8::1", cut=((0, 2), (2, 3)))
    router.tell(2, "AA-BB-CC-DD-EE-00", cut=((-1, None),))
    router.tell(3, "192.0.2.3", cut=((0, 9),), channel=Channel("posts"))
    assert router.follow() == {"192.0.2.1": 3, "2001:db8::1": 3, "aa:bb:cc:dd:ee:00": None}
    router.tell(1, "192.0.2.1", "2001:db8::1")
    assert router.follow() == {"aa:bb:cc:dd:ee:00": None}


def test_who_is_not_called_anything_is_called_by_the_accounts_id() -> None:
    router = Router()
    router.tell(1, account="192.0.2.1", cut=((0, 2),))
    router.tell(2, account="ann", cut=((0, 2),))
    assert router.follow() == {"192.0.2.1": 2}
    assert "1 restricted on internet without an address" in router.alarms[0]


def test_two_accounts_at_one_address_share_the_stricter() -> None:
    router = Router()
    router.tell(1, "2001:db8::1", cut=((0, 2),))
    router.tell(2, "2001:DB8:0::1", cut=((0, 9),))
    router.tell(3, "2001:db8::1")
    assert router.follow() == {"2001:db8::1": 9}
    router.tell(2, "2001:DB8:0::1")
    assert router.follow() == {"2001:db8::1": 2}
    assert list(router.cuts.spellings(Address(Sort.IPV6, "2001:db8::1"))) == ["2001:db8::1"]
    router.tell(1, "2001:db8::1")
    assert router.follow() == {}


def test_an_address_that_was_given_to_somebody_else_is_not_cut_any_more() -> None:
    router = Router()
    mine = Called(handle="192.0.2.1", start=NOW - DAY, until=NOW + DAY)
    router.tell(1, mine, Called(handle="192.0.2.2", start=NOW + DAY), cut=((0, 9),))
    assert router.follow() == {"192.0.2.1": 1}
    assert router.cuts.next_start == NOW + DAY
    assert router.follow(1) == {"192.0.2.2": 9}


def test_what_begins_later_begins_by_itself_and_what_ended_a_moment_ago_is_written_whole() -> None:
    router = Router()
    router.tell(1, "192.0.2.1", cut=((1, 2), (4, 5)))
    assert router.follow() == {}
    assert router.cuts.next_start == NOW + DAY
    assert router.follow(1) == {"192.0.2.1": 2}
    assert router.cuts.next_start == NOW + 4 * DAY
    router.clock.at = NOW + 2 * DAY + SECOND
    router.tell(1, "192.0.2.1", cut=((2, 3),))
    (cut,) = router.cuts.changed(router.clock.at)
    assert (cut.was, cut.until) == (True, NOW + 3 * DAY)


def test_a_limit_cuts_nobody() -> None:
    router = Router()
    router.tell(1, "192.0.2.1")
    known = router.replica.known
    assert known is not None
    limited = Planned(
        account=AccountId("ann"), channel=INTERNET, plan=(span(0, 9, State.LIMITED),), handles=(_at("192.0.2.1"),)
    )
    known.records.put(1, limited)
    router.cuts.begin()
    assert router.follow() == {}


def test_what_a_new_life_of_the_feed_forgot_stays_cut_until_it_is_told_of() -> None:
    router = Router()
    kept = Kept()
    for number in (1, 2):
        kept.put(
            Planned(
                account=AccountId(f"a{number}"),
                channel=INTERNET,
                plan=(span(0, 9),),
                handles=(_at(f"192.0.2.{number}"),),
            )
        )
    router.swap("two", kept)
    assert router.follow() == {"192.0.2.1": 9, "192.0.2.2": 9}
    router.tell(7, "192.0.2.1", account="a1")
    assert router.follow() == {"192.0.2.2": 9}


def test_a_cut_that_lacks_proof_ends_when_it_is_not_believed_any_more() -> None:
    router = Router()
    router.tell(1, "192.0.2.1", cut=((0, 9),), believed=NOW + DAY)
    assert router.follow() == {"192.0.2.1": 1}


def test_ends_are_by_the_centres_clock() -> None:
    router = Router()
    router.replica.offset = DAY
    router.tell(1, "192.0.2.1", cut=((0, 3),))
    (cut,) = router.cuts.changed(router.cuts.now)
    assert "add element inet comity cut4 { 192.0.2.1 timeout 2d0s0ms }" in RULES.written([cut], router.cuts.now)


def _at(handle: str) -> Called:
    return Called(handle=handle, start=NOW - DAY)


@pytest.mark.parametrize(
    ("handle", "text"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001:db8:0:1::/64", "2001:db8:0:1::"),
        ("AA:bb-cc:DD:ee:00", "aa:bb:cc:dd:ee:00"),
        *((none, None) for none in ("", "ann", "0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.1", "255.255.255.255")),
        *((none, None) for none in ("192.0.2.0/24", "2001:db8::/32", "2001:db8::1/64", "::/64", "fe80::1", "1.2.3")),
        *((none, None) for none in ("01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "1.2.3.04")),
        *((none, None) for none in ("192.0.2.1\n", " 192.0.2.1", "192.0.2.1 }", "١٩٢.0.2.1", "fe80::1%eth0", "1")),
        *((none, None) for none in ("2001:db8::1%}; flush ruleset", "1.2.3.4; flush ruleset", "a" * 1024)),
    ],
)
def test_only_one_device_or_household_is_an_address(handle: str, text: str | None) -> None:
    found = address_of(handle)
    assert (found.text if found else None) == text


def test_a_device_belongs_to_its_household() -> None:
    assert [one.text for one in sites_of(Address(Sort.IPV6, "2001:db8::1"))] == ["2001:db8::1", "2001:db8::"]
    assert sites_of(Address(Sort.IPV4, "192.0.2.1")) == (Address(Sort.IPV4, "192.0.2.1"),)


ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.from_regex(r"[0-9a-fA-F:.\-/%]{1,40}", fullmatch=True),
    st.from_regex(r"([0-9a-f]{2}[:-]){5}[0-9a-f]{2}", fullmatch=True),
    st.text(max_size=1024),
)
ELEMENT = r"[0-9a-f:.]+(?: timeout [0-9]{1,5}d[0-9]{1,5}s[0-9]{1,3}ms)?"
LINES = re.compile(rf"(?:add|delete) element inet comity cut(?:4|6|64|mac) \{{ {ELEMENT}(?:, {ELEMENT})* \}}")


@given(st.lists(st.tuples(ADDRESSES, st.text(max_size=1024)), max_size=4), st.booleans())
def test_no_name_of_an_account_and_no_handle_says_anything_to_the_kernel(
    names: list[tuple[str, str]], is_new: bool
) -> None:
    router = Router()
    for row, (handle, account) in enumerate(names, 1):
        router.tell(row, *([handle] if row % 2 else []), account=account or "a", cut=((0, 2),))
    cuts = [Cut(address=one.address, until=one.until, was=not is_new) for one in router.cuts.changed(NOW)]
    for line in RULES.written(cuts, NOW).splitlines():
        assert LINES.fullmatch(line)


def test_an_end_is_rounded_up_and_what_never_ends_has_none() -> None:
    one = Address(Sort.IPV4, "192.0.2.1")
    for left, said in (
        (timedelta(microseconds=1), "192.0.2.1 timeout 0d0s1ms"),
        (timedelta(milliseconds=1500, microseconds=1), "192.0.2.1 timeout 0d1s501ms"),
        (99 * 365 * DAY, "192.0.2.1 timeout 36135d0s0ms"),
        (101 * 365 * DAY, "192.0.2.1"),
        (FOREVER - NOW, "192.0.2.1"),
    ):
        text = RULES.written([Cut(address=one, until=NOW + left, was=False)], NOW)
        assert text == f"add element inet comity cut4 {{ {said} }}\n"


def test_places_that_stay_open_do_not_overlap_in_the_kernel() -> None:
    openings = [("192.0.2.0/24", 443), ("192.0.2.7", 443), ("192.0.2.7", 53), ("2001:db8::/64", 443)]
    rules = Rules(
        table="t",
        page_port=1,
        openings=frozenset(Opening(network=ip_network(one), port=port) for one, port in openings),
    )
    text = rules.whole([], NOW)
    assert "elements = { 192.0.2.7/32 . 53, 192.0.2.0/24 . 443 }" in text
    assert "elements = { 2001:db8::/64 . 443 }" in text


def test_rules_that_somebody_took_away_are_missed() -> None:
    assert not is_there(b'{"nftables": [{"table": {"family": "inet", "name": "comity"}}]}', "comity")
    assert not is_there(b"nonsense", "comity")


@pytest.mark.parametrize("wrong", ["", "rules.example.org", "example.org:0", "example.org:x", "a b:1", "1.2.3.4/33:5"])
def test_what_stays_open_is_named_with_its_port(wrong: str) -> None:
    with pytest.raises(StopError, match="--allow"):
        Open([wrong])


def test_the_page_says_why_and_is_taken_for_nothing_else() -> None:
    deny = Deny(statement=DecisionId("5" * 32), reason="<b>“Spam”", until=NOW, link="https://example.org/r/5")
    led = page(deny, wants_page=True, at="http://10.0.0.1:8649/comity").decode()
    assert led.startswith("HTTP/1.1 302 Found\r\n")
    assert "\r\nLocation: http://10.0.0.1:8649/comity\r\n" in led
    own = page(deny, wants_page=True).decode()
    assert own.startswith("HTTP/1.1 511 ")
    assert 'href="https://example.org/r/5"' in own
    assert "&lt;b&gt;“Spam”" in own
    assert '\r\nLink: <https://example.org/r/5>; rel="describedby"\r\n' in own
    assert page(None, wants_page=False).startswith(b"HTTP/1.1 200 ")
