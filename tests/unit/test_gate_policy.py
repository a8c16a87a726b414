"""What the `postfix` gate answers when Postfix asks who may send, whoever asks, and whatever an account is called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_flow_feed import EVE, Watched
from test_flow_record import DAY, NOW
from test_gate_replica import Gate

from comity.gates.answers import Allow, Answer, Deny, Limited, Unavailable
from comity.gates.delegation import Manner, RequestError, answered, read_request
from comity.gates.disk import Disk
from comity.gates.following import Centre, Follower
from comity.gates.postfix import PolicyGate
from comity.gates.rates import Rates
from comity.gates.smtp import LONGEST, refusal
from comity.model.ids import DecisionId
from comity.stores.world import FixedClock

STATEMENT = DecisionId("5f" * 16)
DENY = Deny(statement=STATEMENT, reason="“No spam”", until=NOW + DAY, link="https://example.org/r/abc_-1")
MANNER, TRUSTING = Manner(), Manner(trusts_sender=True)
WHY = "Why, and how to appeal: https://example.org/r/abc_-1"


def request(name: bytes = b"ann", **more: bytes) -> bytes:
    """As Postfix 3.7 asks, with less of what does not matter."""
    attributes = {
        b"request": b"smtpd_access_policy",
        b"protocol_state": b"RCPT",
        b"sender": b"ann@example.org",
        b"recipient": b"bob@example.com",
        b"queue_id": b"",
        b"instance": b"262b.6b08ebd0.8c9fa.0",
        b"sasl_method": b"PLAIN" if name else b"",
        b"sasl_username": name,
        **{key.encode(): value for key, value in more.items()},
    }
    return b"".join(b"%s=%s\n" % each for each in attributes.items()) + b"\n"


def said(check: Callable[[str], Answer], asked: bytes | None = None, manner: Manner = MANNER) -> str:
    attributes = read_request((asked or request())[:-2])
    return answered(attributes, check, manner, Rates(), NOW)[0]


def test_a_refusal_says_why_until_when_and_where_to_read_more() -> None:
    assert said(lambda name: DENY if name == "ann" else Allow()) == (
        f'550 5.7.1 This account is cut off until 2026-06-02 12:00 UTC. {WHY} (clause: "No spam")'
    )


def test_what_passes_and_what_cannot_be_said() -> None:
    assert said(lambda _: Allow()) == "DUNNO"
    assert said(lambda _: Allow(is_stale=True)).startswith("INFO comity: the centre has been away")
    assert said(lambda _: Unavailable(reason="nothing is known")).startswith("DEFER_IF_PERMIT 4.7.1 Try again")


def test_only_who_signed_in_is_believed_unless_told_otherwise() -> None:
    nobody = request(b"", sender=b"ann@example.org")
    assert said(lambda _: DENY, nobody) == "DUNNO"
    cut = {"ann@example.org": DENY}
    assert said(lambda name: cut.get(name, Allow()), nobody, TRUSTING).startswith("550 ")
    assert said(lambda name: cut.get(name, Allow()), request(b"bob"), TRUSTING) == "DUNNO"


def test_a_name_in_large_letters_is_no_way_around() -> None:
    known = {"ann": DENY, "Eve": DENY}
    for name in (b"ANN", b"Ann", b"ann", b"Eve"):
        assert said(lambda called: known.get(called, Allow()), request(name)).startswith("550 ")
    limited = Limited(limit="reach", statement=STATEMENT, reason="", until=None, link="")
    assert said(lambda called: DENY if called == "ann" else limited, request(b"Ann")).startswith("550 ")


def test_a_limited_account_sends_as_much_as_it_may_and_a_mail_counts_once() -> None:
    limited = Limited(limit="2 an hour", statement=STATEMENT, reason="“No spam”", until=None, link=DENY.link)
    rates = Rates()

    def sent(instance: str, minutes: int) -> str:
        asked = read_request(request(instance=instance.encode())[:-2])
        at = NOW + timedelta(minutes=minutes)
        return answered(asked, lambda _: limited, MANNER, rates, at)[0]

    assert [sent("a", 0), sent("a", 0), sent("b", 30), sent("a", 31)] == ["DUNNO"] * 4
    assert sent("c", 59) == f'450 4.7.1 This account may send 2 an hour: try again later. {WHY} (clause: "No spam")'
    assert [sent("c", 60), sent("d", 61)[:3]] == ["DUNNO", "450"]


def test_mail_of_an_account_on_hold_waits_in_the_queue_and_a_limit_on_reach_is_not_for_mail() -> None:
    limited = Limited(limit="hold", statement=STATEMENT, reason="", until=None, link="")
    assert said(lambda _: limited).startswith("HOLD ")
    assert said(lambda _: limited, manner=Manner(holds=False)) == "DUNNO"
    assert said(lambda _: Limited(limit="reach", statement=STATEMENT, reason="", until=None, link="")) == "DUNNO"


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"request=junk",
        b"sasl_username=ann",
        request()[:-2] + b"\nsasl_username=bob",
        request()[:-2] + b"\nno attribute",
        request()[:-2] + b"\n=x",
        b"\x16\x03\x01\x00",
    ],
)
def test_what_postfix_does_not_ask_is_no_request(asked: bytes) -> None:
    with pytest.raises(RequestError):
        read_request(asked)


def test_a_name_that_is_no_utf8_is_refused() -> None:
    assert said(lambda _: Allow(), request(b"\xff")) == "550 5.7.1 The name that signed in is not UTF-8."


@given(st.text(), st.text(), st.text(max_size=2000), st.integers(0, 1000))
def test_nothing_gets_into_a_reply(reason: str, link: str, address: str, length: int) -> None:
    answer = Deny(statement=STATEMENT, reason=reason, until=None, link=link)
    long = Deny(statement=STATEMENT, reason="x" * 2000, until=None, link=f"https://a/{'b' * length}")
    for each in (answer, long):
        attributes = {"sasl_username": address, "sender": address, "recipient": address}
        action, _ = answered(attributes, lambda _, one=each: one, MANNER, Rates(), NOW)
        assert action.isascii()
        assert action.isprintable()
        assert len(action) <= LONGEST
        assert address == "" or action.startswith("550 5.7.1 ")


def test_the_link_is_whole_however_long_the_reason_and_the_addresses_are() -> None:
    link = f"https://comity.example.org/r/{'t' * 44}"
    answer = Deny(statement=STATEMENT, reason="“A clause” " * 200, until=NOW, link=link)
    asked = request(sender=b"a" * 254, recipient=b"b" * 254)
    reply = f"550 5.7.1 <{'b' * 254}>: Recipient address rejected: {said(lambda _: answer, asked)[10:]}"
    assert link in reply
    assert len(reply) <= LONGEST


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://a/\r\n250 ok", "https://ü/", "https://a/ b", f"https://a/{'b' * 300}"]
)
def test_what_is_no_link_is_left_out(link: str) -> None:
    assert "appeal" not in refusal(Deny(statement=STATEMENT, reason="r", until=None, link=link))


def test_a_clause_that_smtp_has_no_letters_for_is_left_to_the_link() -> None:
    for reason, is_named in (("“Kein Spam für Köche”", True), ("“スパム”", False)):
        text = refusal(Deny(statement=STATEMENT, reason=reason, until=None, link=DENY.link))
        assert text.endswith('(clause: "Kein Spam fur Koche")' if is_named else WHY)


@asynccontextmanager
async def listening(
    tmp_path: Path, addresses: frozenset[str] = frozenset({"127.0.0.1"})
) -> AsyncIterator[tuple[Gate, int]]:
    """A gate that knows of ann and eve, on a free port."""
    told = Gate(Watched())
    for author in ("ann", EVE):
        told.watched.say("spam", author=author)
    told.load()
    told.follow()
    with Disk(tmp_path) as disk:
        clock = FixedClock(NOW)
        follower = Follower(told.replica, disk, Centre(url="http://127.0.0.1:9", token="t", gate="mail"), clock)
        gate = PolicyGate(replica=told.replica, follower=follower, clock=clock, addresses=addresses)
        server = await asyncio.get_running_loop().create_server(gate, "127.0.0.1", 0)
        async with server:
            yield told, server.sockets[0].getsockname()[1]


async def exchange(port: int, content: bytes, *, pieces: int = 1) -> list[str]:
    """The first words of all actions that come back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    size = -(-len(content) // pieces)
    for start in range(0, len(content), size):
        writer.write(content[start : start + size])
        await writer.drain()
    writer.write_eof()
    answer = (await reader.read()).decode("ascii")
    writer.close()
    actions = answer.split("\n\n")
    assert actions.pop() == ""
    assert all(each.startswith("action=") and "\n" not in each for each in actions)
    return [each.removeprefix("action=").split(" ")[0] for each in actions]


def test_requests_over_one_connection_are_answered_in_order_however_they_are_cut(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path) as (_, port):
            several = request(b"ann") + request(b"bob") + request(EVE.encode()) + request(b"")
            for pieces in (1, 7, len(several)):
                assert await exchange(port, several, pieces=pieces) == ["550", "DUNNO", "550", "DUNNO"]

    asyncio.run(told())


def test_what_is_no_request_is_put_off_and_ends_the_connection(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path) as (gate, port):
            for garbage in (b"\n\n", b"GET / HTTP/1.1\r\nHost: x\n\n", b"x" * 70_000, request()[:-1] + b"request=\n\n"):
                assert await exchange(port, request(b"ann") + garbage + request(b"bob")) == ["550", "451"]
            assert gate.replica.counts["alarm request"] == 4

    asyncio.run(told())


def test_it_answers_only_from_where_it_was_told_to(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path, frozenset({"127.0.0.2"})) as (gate, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()
            assert gate.replica.counts["alarm untrusted"] == 1

    asyncio.run(told())


def test_who_asks_much_and_reads_nothing_is_not_read_from(tmp_path: Path) -> None:
    async def told() -> None:
        async with listening(tmp_path) as (gate, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(b"ann") * 100_000)
            try:
                async with asyncio.timeout(20):
                    before = -1
                    while gate.replica.counts["refused"] != before:
                        before = gate.replica.counts["refused"]
                        assert await exchange(port, request(b"bob")) == ["DUNNO"]
            finally:
                writer.transport.abort()
            assert gate.replica.counts["refused"] < 100_000

    asyncio.run(told())
