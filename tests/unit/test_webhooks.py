"""Events that leave for webhooks: signed, in order, again until they are taken, and to no address inside."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from api_parts import LINKS, as_, serving
from hypothesis import given
from hypothesis import strategies as st
from test_flow_record import NOW, World, agreement, agreement_text

from comity.api.app import addresses
from comity.api.outbox import Outbox
from comity.api.watch import Watch
from comity.app.webhook_link import HttpsLink, is_open, usable
from comity.flow.feed import FeedSource
from comity.flow.webhooks import Courier, next_try, signed
from comity.model.access import Role
from comity.model.ids import AccountId
from comity.model.webhook import Webhook, WebhookId
from comity.ports import UnreachableError
from comity.stores.webhooks import WebhookFile
from comity.stores.world import CountedEntropy

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
HOOK = Webhook(
    id=WebhookId("0123abcd"),
    url="https://example.org/hook",
    secret=SECRET,
    source=None,
    may_be_private=False,
    created=NOW,
    position=1,  # the agreement was published
)


class Receiver:
    """Remembers what it was sent; answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict]] = []
        self.status: list[int] = []

    def post(self, hook, headers, body) -> int:
        status = self.status.pop(0) if self.status else 204
        if status == 0:
            raise UnreachableError("nobody is there")
        if status < 300:
            self.got.append((headers["webhook-id"], json.loads(body)))
        return status


class Sending:
    """A record with one webhook."""

    def __init__(self, folder: Path, source: str | None = None) -> None:
        self.world = World(agreement("| 1 | suspend | posts | 2 days |"), "live")
        self.hooks, self.receiver = WebhookFile(folder / "webhooks.db"), Receiver()
        self.hooks.add(Webhook(**{**{name: getattr(HOOK, name) for name in HOOK.__struct_fields__}, "source": source}))
        pages = addresses(LINKS, "https://example.org")
        clock, entropy = self.world.clock, CountedEntropy()
        self.parts = self.world.store, self.hooks, self.receiver, clock, entropy, pages
        self.courier = Courier(*self.parts)

    def say(self, *authors: str) -> None:
        for author in authors:
            self.world.say("spam", author=author)

    def send(self, after: timedelta = timedelta()) -> list[str]:
        """What arrives in a round that begins that much later."""
        self.world.clock.at += after
        before = len(self.receiver.got)
        while self.courier.send(HOOK.id):
            pass
        return [id_ for id_, _ in self.receiver.got[before:]]


@pytest.fixture
def sending(tmp_path: Path) -> Sending:
    return Sending(tmp_path)


def test_events_are_sent_once_and_in_order(sending: Sending) -> None:
    sending.say("a", "b", "c")
    first = sending.send()
    assert first == sorted(first, key=lambda id_: float(id_.removeprefix("evt_")))
    assert len(first) == 3
    assert sending.send(timedelta(days=1)) == []
    sending.say("d")
    assert len(sending.send()) == 1


def test_what_is_not_taken_is_sent_again_under_the_same_id_before_what_follows(sending: Sending) -> None:
    sending.say("a", "b")
    sending.receiver.status = [500]
    assert sending.send() == []
    sending.receiver.status = [0]
    assert sending.send(timedelta(seconds=3)) == []  # it waits at least four
    assert sending.receiver.status == [0]
    assert sending.send(timedelta(seconds=4)) == []
    arrived = sending.send(timedelta(minutes=7))
    assert len(arrived) == 2
    assert arrived == sorted(arrived, key=lambda id_: float(id_.removeprefix("evt_")))


def test_what_is_never_taken_is_given_up_listed_and_sent_again_when_somebody_says_so(sending: Sending) -> None:
    sending.say("a")
    sending.receiver.status = [500] * 10
    for _ in range(10):
        assert sending.send(timedelta(days=2)) == []
    (letter,) = sending.hooks.dead(HOOK.id)
    assert (letter.attempts, letter.error) == (10, "it answered 500")
    sending.say("b")
    assert len(sending.send(timedelta(days=9))) == 1  # one that is given up holds up no other
    assert sending.hooks.again(HOOK.id, sending.world.clock.at) == 1
    assert sending.send() == [f"evt_{letter.event}"]
    assert sending.hooks.dead(HOOK.id) == ()


def test_nothing_looks_for_events_while_the_service_ends(sending: Sending) -> None:
    looked = 0

    class Counted(Courier):
        def hooks(self) -> tuple[WebhookId, ...]:
            nonlocal looked
            looked += 1
            return super().hooks()

    async def end_slowly() -> None:
        world, loop = sending.world, asyncio.get_running_loop()
        watch = Watch(world.store, FeedSource(world.store, world.log, str), world.clock)
        outbox = Outbox(Counted(*sending.parts), watch)
        await outbox.start()
        watch.end()
        for _ in range(100):
            await loop.run_in_executor(None, looked.bit_count)  # as long as one look takes
        await outbox.stop()

    asyncio.run(end_slowly())
    assert looked < 5


def test_a_version_of_the_agreement_is_sent_in_its_place(sending: Sending) -> None:
    sending.say("a")
    one = agreement("| 1 | suspend | all | 2 days |")
    sending.world.publish(one, NOW + timedelta(days=30))
    sending.say("b")
    assert len(sending.send()) == 3
    _, told, _ = (body for _, body in sending.receiver.got)
    assert told["type"] == "agreement.published"
    assert (told["data"]["agreement"], told["data"]["effective"]) == (one.digest, "2026-07-01T12:00:00Z")


def test_of_an_erased_account_nothing_more_is_sent_and_nothing_is_kept(tmp_path: Path) -> None:
    sending = Sending(tmp_path, source="s")
    sending.say("canary-7f3a")
    sending.receiver.status = [500]
    sending.send()
    for path in tmp_path.iterdir():
        assert b"canary-7f3a" not in path.read_bytes()
    sending.world.store.erase(AccountId("canary-7f3a"))
    assert sending.send(timedelta(days=1)) == []
    assert (sending.hooks.waiting(HOOK.id), sending.receiver.got) == (0, [])


def test_a_sources_webhook_names_account_and_link_and_the_others_nobody(tmp_path: Path) -> None:
    for source, names in (("s", True), (None, False), ("other", False)):
        (tmp_path / str(source)).mkdir()
        sending = Sending(tmp_path / str(source), source=source)
        sending.say("canary-7f3a")
        sending.send()
        assert ("canary-7f3a" in str(sending.receiver.got)) == names
        assert ("/s/" in str(sending.receiver.got)) == names
        assert len(sending.receiver.got) == (0 if source == "other" else 1)


def test_a_receiver_that_is_away_for_long_makes_nobody_lose_anything(sending: Sending, tmp_path: Path) -> None:
    sending.say(*(f"a{number}" for number in range(30)))
    sending.receiver.status = [0] * 8
    for _ in range(8):
        sending.send(timedelta(minutes=10))
    arrived = set[str]()
    for _ in range(10):
        arrived |= set(sending.send(timedelta(days=1)))
    assert len(arrived) == 30


@given(st.integers(1, 30), st.floats(0, 1))
def test_when_it_is_tried_again_is_decided_by_the_clock_and_grows(attempts: int, chance: float) -> None:
    due = next_try(attempts, NOW, chance)
    assert (due is None) == (attempts > 9)
    if due is not None:
        assert timedelta(seconds=4) <= due - NOW <= timedelta(days=1.2)
        later = next_try(attempts + 1, NOW, chance)
        assert later is None or later > due


def test_the_signature_is_that_of_standard_webhooks() -> None:
    headers = signed(HOOK, "evt_1", NOW, b'{"a":1}')
    told = f"evt_1.{int(NOW.timestamp())}.".encode() + b'{"a":1}'
    tag = base64.b64encode(hmac.new(b"s" * 32, told, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{tag}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("evt_1", str(int(NOW.timestamp())))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org:99999/",
        "https://exam\nple.org/",
        "https://example.org/#there",
        "file:///etc/passwd",
        "http://127.0.0.1.example.org/",
        "http://0x7f000001.example/",
    ],
)
def test_only_https_or_this_very_machine_is_an_address(url: str) -> None:
    with pytest.raises(UnreachableError):
        usable(url)
    assert usable("http://127.0.0.1:9/").port == 9
    assert usable("https://example.org:8443/a?b=c").query == "b=c"


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.3.4",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::1",
        "64:ff9b::10.0.0.1",
        "::ffff:169.254.169.254",
    ],
)
def test_private_addresses_are_not_of_the_open_network_however_they_are_written(address: str) -> None:
    assert not is_open(ipaddress.ip_address(address))
    assert is_open(ipaddress.ip_address("93.184.215.14"))
    assert is_open(ipaddress.ip_address("2606:2800:21f:cb07:6820:80da:af6b:8b2c"))


def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def inside(*_: object, **__: object) -> list:
        both = ("93.184.215.14", "169.254.169.254")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in both]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    with pytest.raises(UnreachableError, match="not reached from outside"):
        HttpsLink().post(HOOK, {}, b"")


class Answers(BaseHTTPRequestHandler):
    """Takes what is posted to /ok, sends away from /away, and is slow at /slow."""

    got: list[tuple[str, bytes]] = []  # noqa: RUF012
    hold = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append((self.path, body))
        if self.path == "/slow":
            self.hold.wait(10)
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def receiving() -> Iterator[str]:
    Answers.got.clear()
    Answers.hold.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            Answers.hold.set()
            server.shutdown()
            thread.join()


def test_over_the_wire_no_redirection_is_followed_and_nobody_is_waited_for_without_end() -> None:
    def hook(url: str) -> Webhook:
        return Webhook(**{**{name: getattr(HOOK, name) for name in HOOK.__struct_fields__}, "url": url})

    with receiving() as url:
        link = HttpsLink(deadline=0.5)
        assert link.post(hook(f"{url}/ok?x=1"), {"webhook-id": "1"}, b"body") == 200
        assert link.post(hook(f"{url}/away"), {}, b"") == 302
        with pytest.raises(UnreachableError, match="within"):
            link.post(hook(f"{url}/slow"), {}, b"")
    assert [path for path, _ in Answers.got] == ["/ok?x=1", "/away", "/slow"]
    with pytest.raises(UnreachableError):
        link.post(hook(f"{url}/gone"), {}, b"")


def test_the_service_delivers_while_it_runs_and_operators_see_and_resend_what_was_given_up(tmp_path: Path) -> None:
    world, receiver = World(agreement("| 1 | suspend | posts | 2 days |"), "live"), Receiver()
    file = WebhookFile(tmp_path / "webhooks.db")
    file.add(HOOK)
    taken = threading.Event()

    class Told(Receiver):
        def post(self, hook, headers, body) -> int:
            taken.set()
            return receiver.post(hook, headers, body)

    with serving(world, tmp_path, Told()) as client:
        sent = {"id": "1", "author": "ann", "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": "spam"}
        client.post("/v1/messages", json=sent, headers=as_(Role.SOURCE))
        assert taken.wait(timeout=20)
        operator = as_(Role.OPERATOR)
        (known,) = client.get("/v1/webhooks", headers=operator).json()
        assert (known["id"], known["dead"]) == (HOOK.id, [])
        assert "secret" not in known
        assert client.post(f"/v1/webhooks/{HOOK.id}/again", headers=operator).json() == {"events": 0}
        assert client.post("/v1/webhooks/00000000/again", headers=operator).status_code == 404
    assert receiver.got[0][1]["type"] == "statement.issued"


def test_webhooks_are_added_listed_and_retired_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "agreement.md").write_text(agreement_text("| 1 | warn | | |"))

    def comity(*words: str, code: int = 0) -> str:
        command = (sys.executable, "-m", "comity.app", *words)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    comity("publish")
    assert "not https" in comity("webhook", "add", "http://example.org/", code=2)
    made = json.loads(comity("webhook", "add", "https://example.org/hook", "--source", "forum", "--json"))
    listed = comity("webhook", "list")
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in listed
    assert "https://example.org/hook: of messages from forum; 0 waiting, 0 given up" in listed
    assert comity("webhook", "again", made["id"]) == "0 events are sent anew.\n"
    assert comity("webhook", "dead") == "0 events were given up.\n"
    comity("webhook", "retire", made["id"])
    assert "no webhook" in comity("webhook", "retire", made["id"], code=2)
    assert (tmp_path / ".comity" / "webhooks.db").stat().st_mode & 0o077 == 0
