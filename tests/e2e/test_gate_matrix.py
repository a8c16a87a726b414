"""The `matrix` gate in a real Synapse, with a real `comity serve`: what is judged, who is cut off, and what is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "unit")]

from homeserver import HOST, Homeserver, User, free_port, lines_of_the_page, running

COMITY = str(Path(sys.executable).with_name("comity"))
PATIENCE = 60.0
BREACH = "I know where you live."
RULES = """---
comity: 1
title: Chat rules
channels: [chat, posts]
---

# Chat rules

## Threats {#threats}

Do not threaten.

```rule
text.says("I know where you live")
```

```examples
breach: I know where you live.
fine: Hello
```

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove | | |

## Offers {#offers}

Offers are looked at first.

```rule decide=hold
text.says("for sale")
```

```examples
breach: A bicycle, for sale
fine: Hello
```

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove | | |

## Quarrels {#quarrels}

Do not quarrel.

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | suspend | all | 2 days |
"""


@dataclass
class Record:
    """A folder with a record, and its centre while it runs."""

    folder: Path
    port: int
    centre: subprocess.Popen[str] | None = None

    def comity(self, *words: str) -> str:
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        done = subprocess.run([COMITY, *words], cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def serve(self) -> None:
        words = [COMITY, "serve", "--port", str(self.port)]
        self.centre = subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        assert self.centre.stdout is not None
        assert str(self.port) in self.centre.stdout.readline()

    def kill(self) -> None:
        if self.centre is not None:
            self.centre.send_signal(signal.SIGKILL)
            self.centre.communicate()
        self.centre = None

    def token(self, role: str) -> Path:
        made = json.loads(self.comity("token", "new", f"synapse {role}", "--role", role, "--channel", "chat", "--json"))
        (self.folder / f"{role}.token").write_text(made["token"])
        return self.folder / f"{role}.token"

    def cut_off(self, account: str) -> str:
        """One decision, by a person, on the command line; the statement."""
        now = datetime.now(UTC).isoformat()
        message = {"id": now, "author": account, "channel": "posts", "text": "You again.", "sent": now}
        (self.folder / "message.json").write_text(json.dumps(message))
        reported = (
            "--where",
            "here",
            "--why",
            "A quarrel",
            "--good-faith",
            "--name",
            "bob",
            "--contact",
            "b@example.org",
        )
        (case,) = re.findall(r"in case ([0-9a-f]{32})", self.comity("notice", "message.json", *reported))
        decision = ("--confirm", "--clause", "quarrels", "--by", "mara", "--why", "It is one.", "--yes")
        (statement,) = re.findall(r"statement is ([0-9a-f]{32})", self.comity("case", case, *decision))
        return statement

    def reached(self, account: str, state: str) -> str:
        """Wait until the gate has reported so."""
        until = datetime.now(UTC).timestamp() + PATIENCE
        while datetime.now(UTC).timestamp() < until:
            if f"{state} at 1 of 1 gate" in (said := self.comity("standing", account, "--gates")):
                return said
        raise AssertionError(said)


@dataclass(frozen=True)
class Chat:
    record: Record
    homeserver: Homeserver
    ann: User
    bob: User
    room: str


@contextmanager
def chatting(folder: Path) -> Iterator[Chat]:
    record = Record(folder, free_port())
    (folder / "agreement.md").write_text(RULES)
    record.comity("publish", "agreement.md")
    record.serve()
    key = httpx.get(f"http://127.0.0.1:{record.port}/v1/log/vkey", trust_env=False).text.strip()
    places = {
        "http://127.0.0.1:8645": f"http://127.0.0.1:{record.port}",
        "example.org/log+12345678+AbCd": key,
        "/var/lib/comity-gate": folder / "gate",
        "/etc/comity/gate.token": record.token("gate"),
        "/etc/comity/source.token": record.token("source"),
    }
    try:
        patient = lines_of_the_page(places) + "      patience: 30\n"  # the machine may be busy
        with running(folder / "synapse", free_port(), patient) as homeserver:
            ann, bob = homeserver.user("ann"), homeserver.user("bob")
            room = bob.first_room()
            assert ann.member(room, "join").status_code == 200
            yield Chat(record, homeserver, ann, bob, room)
    finally:
        record.kill()


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    with chatting(tmp_path_factory.mktemp("chat")) as one:
        yield one


def created(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.json()["room_id"]


def denied(answer: httpx.Response, code: str = "M_FORBIDDEN") -> dict[str, object]:
    """What a client was told of something that it may not do."""
    told = answer.json()
    assert (answer.status_code, told.get("errcode")) == (403, code), answer.text
    return told


def test_a_breach_is_not_sent_and_its_sender_gets_the_clause_and_the_link(chat: Chat) -> None:
    told = denied(chat.ann.say(chat.room, BREACH))
    assert "“threats”" in told["error"]
    link = told["comity"]["link"]
    assert link in told["error"]
    page = httpx.get(link, trust_env=False)
    assert (page.status_code, "threats" in page.text.lower()) == (200, True)
    assert chat.ann.say(chat.room, "Hello").status_code == 200
    assert "Hello" in said_in(chat.bob, chat.room)
    assert BREACH not in said_in(chat.bob, chat.room)


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("m.room.message", {"msgtype": "m.text", "body": "Hello", "format": "org.matrix.custom.html",
                            "formatted_body": "I know <b>wh</b>ere you live"}),
        ("m.room.message", {"msgtype": "m.file", "body": "a.txt", "filename": BREACH, "url": "mxc://example.org/a"}),
        ("m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$first", "key": BREACH}}),
        ("org.example.poll", {"question": {"answers": [{"deep": ["one", BREACH]}]}}),
    ],
)  # fmt: skip
def test_words_are_found_wherever_an_event_has_them(chat: Chat, type_: str, content: dict[str, object]) -> None:
    (first, *_) = [event["event_id"] for event in chat.ann.messages(chat.room) if event["type"] == "m.room.create"]
    sent = json.loads(json.dumps(content).replace("$first", first))
    assert "threats" in denied(chat.ann.send(chat.room, sent, type_))["error"]


def test_an_edit_is_judged_by_what_it_puts_in_its_place(chat: Chat) -> None:
    event = chat.ann.say(chat.room, "Hello, all").json()["event_id"]
    edit = {
        "msgtype": "m.text",
        "body": "* Hello, all of you",
        "m.new_content": {"msgtype": "m.text", "body": BREACH},
        "m.relates_to": {"rel_type": "m.replace", "event_id": event},
    }
    denied(chat.ann.send(chat.room, edit))
    edit["m.new_content"]["body"] = "Hello, all of you"
    assert chat.ann.send(chat.room, edit).status_code == 200


def test_names_topics_aliases_and_reasons_are_words_too(chat: Chat) -> None:
    bob, ann = chat.bob, chat.ann
    assert bob.state(chat.room, "m.room.topic", {"topic": "Fine"}).status_code == 200
    denied(bob.state(chat.room, "m.room.topic", {"topic": BREACH}))
    denied(bob.state(chat.room, "m.room.name", {"name": BREACH}))
    denied(ann.room(name=BREACH))
    denied(ann.room(initial_state=[{"type": "m.room.topic", "content": {"topic": BREACH}}]))
    named = {name: {"membership": "join", "displayname": name} for name in (BREACH, "Ann")}
    denied(ann.state(chat.room, "m.room.member", named[BREACH], ann.id))
    denied(bob.member(chat.room, "kick", user_id=ann.id, reason=BREACH))
    assert (
        ann.state(chat.room, "m.room.member", {"membership": "join", "displayname": "Ann"}, ann.id).status_code == 200
    )
    event = ann.say(chat.room, "Hello").json()["event_id"]
    denied(ann.redact(chat.room, event, reason=BREACH))
    assert ann.redact(chat.room, event, reason="A slip").status_code == 200


def test_what_a_person_has_to_look_at_first_is_kept_and_sent_or_not_as_they_decide(chat: Chat) -> None:
    dan, offers = chat.homeserver.user("dan"), {chat.ann.id: "A bicycle, for sale"}
    offers[dan.id] = "A lamp, for sale"
    assert dan.member(chat.room, "join").status_code == 200
    for user in (chat.ann, dan, chat.ann, dan):
        told = denied(user.say(chat.room, offers[user.id]))
        assert "waits for a person" in told["error"]
        assert told["comity"]["waits"]
    assert not set(offers.values()) & set(said_in(chat.bob, chat.room))
    cases = {each["account"]: each["id"] for each in json.loads(chat.record.comity("cases", "--json"))}
    chat.record.comity("case", cases[dan.id], "--confirm", "--by", "mara", "--why", "It is one.", "--yes")
    chat.record.comity("case", cases[chat.ann.id], "--dismiss", "--by", "mara", "--why", "It is none.", "--yes")
    until = time.monotonic() + PATIENCE
    while offers[chat.ann.id] not in said_in(chat.bob, chat.room):
        assert time.monotonic() < until
    assert said_in(chat.bob, chat.room).count(offers[chat.ann.id]) == 1
    assert offers[dan.id] not in said_in(chat.bob, chat.room)
    assert not list((chat.record.folder / "gate" / "main" / "held").glob("*.event"))


def said_in(reader: User, room: str) -> list[str]:
    return [str(event["content"].get("body")) for event in reader.messages(room)]


def test_hostile_ids_and_fields_change_nothing_for_anybody_else(chat: Chat) -> None:
    eve = chat.homeserver.user("eve" + "e" * 239)
    assert eve.member(chat.room, "join").status_code == 200
    forged = {"author": chat.bob.id, "channel": "posts", "id": "x", "sent": "1970-01-01T00:00:00Z", "answer": "allow"}
    content = {"msgtype": "m.text", "body": f'"}},"author":"{chat.bob.id}","text":"\0\u202e{BREACH}', **forged}
    denied(eve.send(chat.room, content))
    assert chat.bob.say(chat.room, "Hello").status_code == 200
    deep: object = BREACH
    for _ in range(10):
        deep = [{"x": deep}]
    denied(eve.send(chat.room, {"msgtype": "m.text", "body": "Hello", "deep": deep}))
    denied(eve.room(topic=f"\ud83d {BREACH}", name=[7]))
    mentions = {"user_ids": ["@\u202e", 7, None, "x" * 300, chat.bob.id], "room": {}}
    reply = {"m.in_reply_to": {"event_id": "$" + "x" * 2_000}, "rel_type": "m.replace", "event_id": 7}
    odd = {"msgtype": "m.text", "body": "Hello", "m.mentions": mentions, "m.relates_to": reply}
    assert eve.send(chat.room, odd).status_code in (200, 400)


def test_a_decision_cuts_off_what_somebody_says_and_leaves_reading_leaving_and_deleting(chat: Chat) -> None:
    record, bob, room = chat.record, chat.bob, chat.room
    eve, other = chat.homeserver.user("mallory"), created(bob.room())
    for each in (room, other):
        assert eve.member(each, "join").status_code == 200
    mine, theirs = eve.say(room, "Hello").json()["event_id"], bob.say(room, "Hello").json()["event_id"]
    own = created(eve.room())
    assert bob.member(own, "join").status_code == 200
    position = eve.sync()["next_batch"]
    with ThreadPoolExecutor() as pool:
        live = pool.submit(eve.sync, position, timeout=60_000)
        statement = record.cut_off(eve.id)
        record.reached(eve.id, "cut off")
        told = denied(eve.say(room, "Hello?"), "M_USER_SUSPENDED")
        assert (told["comity"]["statement"], "quarrels" in told["error"].lower()) == (statement, True), told
        assert httpx.get(told["comity"]["link"], trust_env=False).status_code == 200
        assert bob.say(room, "Is anybody there?").status_code == 200
        assert "Is anybody there?" in json.dumps(live.result())
    knocked = {"type": "m.room.join_rules", "content": {"join_rule": "knock"}}
    closed = created(bob.room(preset="private_chat", initial_state=[knocked]))
    for refused in (
        eve.send(room, {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AAAA"}, "m.room.encrypted"),
        eve.send(room, {"m.relates_to": {"rel_type": "m.annotation", "event_id": theirs, "key": "x"}}, "m.reaction"),
        eve.state(own, "m.room.topic", {"topic": "Hello"}),
        eve.member(created(bob.room()), "join"),
        eve.member(own, "invite", user_id=chat.ann.id),
        eve.ask("POST", f"knock/{closed}", {"reason": "Let me in"}),
        eve.room(),
        eve.ask("PUT", f"directory/room/%23eve:{HOST}", {"room_id": own}),
        eve.ask("PUT", f"directory/list/room/{own}", {"visibility": "public"}),
        eve.state(room, "m.room.member", {"membership": "join", "displayname": "See me"}, eve.id),
        eve.redact(room, theirs),
        eve.redact(room, mine, reason="Hello?"),
        eve.member(room, "leave", reason="Hello?"),
        eve.member(own, "kick", user_id=bob.id),
    ):
        denied(refused, "M_USER_SUSPENDED")
    assert eve.redact(room, mine).status_code == 200
    assert [event["content"] for event in eve.messages(room) if event["event_id"] == mine] == [{}]
    assert eve.member(other, "leave").status_code == 200
    assert other not in eve.ask("GET", "joined_rooms").json()["joined_rooms"]
    record.comity("lift", statement, "--by", "mara", "--why", "A mistake.")
    record.reached(eve.id, "open")
    assert eve.say(room, "Thank you").status_code == 200


def test_nobody_is_freed_or_cut_while_the_centre_is_away_and_synapse_starts_anew(chat: Chat) -> None:
    record, homeserver, room = chat.record, chat.homeserver, chat.room
    denied(chat.bob.say(room, "A boat, for sale"))
    statement = record.cut_off(chat.ann.id)
    assert "slowest" in record.reached(chat.ann.id, "cut off")
    record.kill()
    denied(chat.ann.say(room, "Hello"), "M_USER_SUSPENDED")
    assert chat.bob.say(room, BREACH).status_code == 200, "nobody judges, and `stale` is open"
    assert homeserver.end() == 0
    homeserver.start()
    assert denied(chat.ann.say(room, "Hello"), "M_USER_SUSPENDED")["comity"]["statement"] == statement
    assert chat.bob.say(room, "Hello").status_code == 200
    homeserver.end(kill=True)
    record.comity("lift", statement, "--by", "mara", "--why", "A mistake.")
    homeserver.start()
    denied(chat.ann.say(room, "Hello"), "M_USER_SUSPENDED")
    record.serve()
    record.reached(chat.ann.id, "open")
    assert chat.ann.say(room, "Hello").status_code == 200
    denied(chat.ann.say(room, BREACH))
    (case,) = (each["id"] for each in json.loads(record.comity("cases", "--json")) if each["account"] == chat.bob.id)
    record.comity("case", case, "--dismiss", "--by", "mara", "--why", "It is none.", "--yes")
    until = time.monotonic() + PATIENCE
    while "A boat, for sale" not in said_in(chat.ann, room):
        assert time.monotonic() < until
