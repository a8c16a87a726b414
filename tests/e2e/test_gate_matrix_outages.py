"""The `matrix` gate in a real Synapse, `stale: closed`, while its centre does whatever a centre can do wrong.

And what another homeserver has to do with it.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "unit")]

from gate_centre import PATIENCE, TOKEN, Told, beside, damage
from homeserver import Homeserver, User, free_port, lines_of_the_page, running
from test_flow_feed import Watched, encode_snapshot
from test_flow_record import DAY, KEY, NOW, World, none
from test_gate_following import Elsewhere
from test_gate_outages import POLICY, can_mount, fill_up, small_disk

from comity.agreement import load
from comity.casework.facts import HandleGiven
from comity.flow.feed import FeedSource
from comity.model.ids import AccountId, Channel

RULES = "---\ncomity: 1\ntitle: Rules\nchannels: [posts]\n---\n\n# Rules\n\n" + "".join(
    f"## {name} {{#{name}}}\n\nDo not.\n\n```rule\ntext.says('{name}')\n```\n\n"
    f"| points | measure | channels | for |\n|---|---|---|---|\n| 1 | {measure} | all | 2 days |\n\n"
    for name, measure in (("much", "limit to 2 an hour"), ("doubtful", "hold"), ("spam", "suspend"))
)
ENCRYPTED = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AAAA"}


class Record(Watched):
    def __init__(self) -> None:
        rules = load("rules.md", RULES.encode(), none).agreement
        assert rules is not None
        World.__init__(self, rules)
        self.feed = FeedSource(self.store, self.log, lambda statement: f"https://example.org/r/{statement}")


@dataclass(frozen=True)
class Chat:
    """bob is free, mia is cut off since the beginning."""

    told: Told
    homeserver: Homeserver
    modules: str
    bob: User
    mia: User
    room: str

    def joined(self, name: str) -> User:
        user = self.homeserver.user(name)
        assert user.member(self.room, "join").status_code == 200
        return user

    def breaches(self, account: str, clause: str) -> None:
        """Returns when the gate has heard of what follows."""
        self.told.say(clause, account)
        self.told.acked(self.told.centre.world.store.feed.cursor)

    def becomes(self, said: Callable[[], object], wanted: object) -> None:
        """Wait until it is so."""
        until = time.monotonic() + PATIENCE
        while (last := said()) != wanted:
            assert time.monotonic() < until, last

    def alarmed(self, words: str) -> None:
        self.becomes(lambda: words in self.homeserver.errors(), wanted=True)


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    """Starts while the centre refuses everything."""
    folder = tmp_path_factory.mktemp("chat")
    (folder / "token").write_text(TOKEN)
    with small_disk(folder / "gate") if can_mount() else nullcontext(), beside(Record()) as told:
        places = {
            "http://127.0.0.1:8645": told.centre.url,
            "example.org/log+12345678+AbCd": KEY.verifier,
            "/var/lib/comity-gate": folder / "gate",
            "/etc/comity/gate.token": folder / "token",
            "/etc/comity/source.token": folder / "token",
        }
        more = "      channel: posts\n      stale: closed\n      max_stale: 4\n      patience: 3\n      grace: 4\n"
        modules = lines_of_the_page(places) + more
        told.centre.status = 503
        with running(folder / "synapse", free_port(), modules, federates=True) as homeserver:
            bob = homeserver.user("bob")
            refused = bob.room()
            assert (refused.status_code, refused.json()["retry_after_ms"]) == (503, 5_000), "it was told nothing yet"
            assert "rooms" in bob.sync() or bob.sync()["next_batch"], "reading works"
            told.do(lambda: setattr(told.centre, "status", 200))
            room = bob.first_room()
            one = Chat(told, homeserver, modules, bob, homeserver.user("mia"), room)
            assert one.mia.member(room, "join").status_code == 200
            one.breaches(one.mia.id, "spam")
            yield one


def test_a_limited_account_sends_as_much_as_it_may(chat: Chat) -> None:
    ann = chat.joined("ann")
    event = ann.say(chat.room, "Hello").json()["event_id"]
    chat.breaches(ann.id, "much")
    assert [ann.say(chat.room, f"Hello {n}").status_code for n in range(2)] == [200, 200]
    refused = ann.say(chat.room, "Hello again")
    assert (refused.status_code, refused.json()["errcode"]) == (429, "M_LIMIT_EXCEEDED")
    assert "no more than 2 an hour" in refused.json()["error"]
    assert ann.redact(chat.room, event).status_code == 200
    assert ann.member(chat.room, "leave").status_code == 200


def test_of_an_account_on_hold_nothing_passes_that_nobody_can_look_at(chat: Chat) -> None:
    eve = chat.joined("eve")
    chat.breaches(eve.id, "doubtful")
    for refused in (eve.say(chat.room, "Hello"), eve.send(chat.room, ENCRYPTED, "m.room.encrypted")):
        assert (refused.status_code, refused.json()["errcode"]) == (403, "M_FORBIDDEN")
        assert "a person" in refused.json()["error"]
    assert chat.bob.send(chat.room, ENCRYPTED, "m.room.encrypted").status_code == 200


def test_an_account_is_found_by_what_the_channel_calls_it_and_by_nothing_else(chat: Chat) -> None:
    gus, named = chat.joined("gus"), chat.joined("member-17")
    account = AccountId("member-17")
    given = HandleGiven(account=account, at=NOW, channel=Channel("posts"), handle=gus.id, since=NOW)
    chat.told.do(lambda: chat.told.centre.world.proceedings.note(given))
    chat.breaches(account, "spam")
    assert gus.say(chat.room, "Hello").json()["errcode"] == "M_USER_SUSPENDED"
    assert named.say(chat.room, "Hello").status_code == 200


def test_garbage_in_the_feed_frees_and_cuts_nobody_and_what_follows_is_heard(chat: Chat) -> None:
    kim = chat.joined("kim")
    chat.breaches(kim.id, "spam")
    for garbage in (b"garbage\n", b'{"seq":999999,"row":1,"account":"x"', b"\xff\xfe\n", b""):
        chat.told.do(lambda content=garbage: setattr(chat.told.centre, "spoil", lambda _: content))
        assert kim.say(chat.room, "Hello").json()["errcode"] == "M_USER_SUSPENDED"
    chat.told.do(lambda: setattr(chat.told.centre, "snapshot", lambda content: content[: len(content) // 2]))
    chat.told.do(lambda: setattr(chat.told.centre, "spoil", lambda line: line))
    lou = chat.homeserver.user("lou")
    lou.first_room()
    assert lou.member(chat.room, "join").status_code == 200
    chat.breaches(lou.id, "spam")
    chat.told.do(lambda: setattr(chat.told.centre, "snapshot", lambda content: content))
    assert lou.say(chat.room, "Hello").json()["errcode"] == "M_USER_SUSPENDED"
    assert chat.bob.say(chat.room, "Hello").status_code == 200


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ((400, b'{"detail":"what is this?"}'), 400, "M_BAD_JSON"),
        ((500, b"{}"), 503, "M_UNKNOWN"),
        ((200, b'{"answer":"allow","answer":["deny"]}'), 503, "M_UNKNOWN"),
        (None, 503, "M_UNKNOWN"),
    ],
)
def test_what_is_not_judged_is_not_sent(chat: Chat, answer: tuple[int, bytes] | None, status: int, code: str) -> None:
    chat.told.do(lambda: setattr(chat.told.centre, "judged", lambda _: answer))
    told = chat.bob.say(chat.room, "Hello")
    assert (told.status_code, told.json()["errcode"]) == (status, code)
    assert chat.bob.send(chat.room, ENCRYPTED, "m.room.encrypted").status_code == 200
    chat.told.do(lambda: setattr(chat.told.centre, "judged", lambda content: (200, content)))
    chat.becomes(lambda: chat.bob.say(chat.room, "Hello").status_code, 200)


def test_whoever_is_cut_off_reaches_no_other_homeserver_and_its_people_are_let_in(chat: Chat, tmp_path: Path) -> None:
    here, una = chat.homeserver.name, chat.joined("una")
    with running(tmp_path / "other", free_port(), "", federates=True) as other:
        vic = other.user("vic")
        known, closed, knocked = vic.first_room(), vic.room(preset="private_chat"), vic.room(preset="private_chat")
        rules = vic.state(knocked.json()["room_id"], "m.room.join_rules", {"join_rule": "knock"})
        assert (closed.status_code, rules.status_code) == (200, 200)
        assert una.join_at(known, other.name).status_code == 200
        assert vic.join_at(chat.room, here).status_code == 200
        chat.breaches(una.id, "spam")
        assert vic.member(closed.json()["room_id"], "invite", user_id=una.id).status_code == 200
        for refused in (
            una.send(known, ENCRYPTED, "m.room.encrypted"),
            una.join_at(vic.first_room(), other.name),
            una.join_at(closed.json()["room_id"], other.name),
            una.member(chat.room, "invite", user_id=vic.id),
        ):
            assert refused.json()["errcode"] == "M_USER_SUSPENDED", refused.text
        for room, words in ((chat.room, "Hello from elsewhere"), (known, "Hello here")):
            assert vic.say(room, words).status_code == 200
            chat.becomes(lambda room=room, words=words: heard(una, room, words), wanted=True)
        assert una.member(known, "leave").status_code == 200
        asked = una.ask("POST", f"knock/{knocked.json()['room_id']}?server_name={other.name}")
        assert asked.status_code == 200, "Synapse asks no module: say so on the page"


def heard(user: User, room: str, words: str) -> bool:
    return any(event["content"].get("body") == words for event in user.messages(room))


def code(user: User, room: str) -> str | None:
    """Of the error that somebody gets who sends what no centre can judge: the gate alone says whether it passes."""
    return user.send(room, ENCRYPTED, "m.room.encrypted").json().get("errcode")


def test_the_proof_of_another_account_is_believed_for_the_grace_alone(chat: Chat) -> None:
    centre, ned, oda = chat.told.centre, chat.joined("ned"), chat.joined("oda")
    chat.breaches(ned.id, "spam")
    of_ned = re.findall(rb'"opening":\{[^}]*\}', encode_snapshot(centre.world.feed.snapshot()))[-1]

    def with_wrong_proofs(text: bytes) -> bytes:
        return re.sub(rb'"opening":\{[^}]*\}', of_ned, text)

    chat.told.do(lambda: (setattr(centre, "spoil", with_wrong_proofs), setattr(centre, "snapshot", with_wrong_proofs)))
    chat.breaches(oda.id, "spam")
    assert code(oda, chat.room) == "M_USER_SUSPENDED"
    chat.alarmed("its entry is about another account")
    chat.becomes(lambda: code(oda, chat.room), None)
    chat.alarmed("hold no longer at this gate")
    assert code(ned, chat.room) == "M_USER_SUSPENDED"
    chat.told.do(lambda: (setattr(centre, "spoil", bytes), setattr(centre, "snapshot", bytes)))


def test_a_new_life_of_the_feed_or_another_centre_drops_no_cut(chat: Chat) -> None:
    centre, pia, rob = chat.told.centre, chat.joined("pia"), chat.joined("rob")
    chat.breaches(pia.id, "spam")
    own, other = centre.world, Record()
    other.say("spam", author=rob.id)
    for world, kept in ((Elsewhere(other), len(own.feed.snapshot().entries)), (own, 1)):
        chat.told.do(lambda: setattr(centre, "status", 503))
        chat.told.do(lambda world=world: (setattr(centre, "world", world), setattr(centre, "status", 200)))
        chat.becomes(lambda: kept_entries(chat.homeserver.metrics()), [f"{kept}.0"])
        assert [code(each, chat.room) for each in (pia, rob)] == ["M_USER_SUSPENDED"] * 2
    chat.alarmed("measures that nobody lifted: they hold")
    assert chat.bob.say(chat.room, "Hello").status_code == 200


def kept_entries(metrics: str) -> list[str]:
    return re.findall(r"^comity_gate_kept_entries\S* (\S+)", metrics, re.MULTILINE)


def test_a_full_disk_and_a_blocked_witness_free_nobody_whose_cut_was_proven(chat: Chat) -> None:
    """Synapse is started anew between, so this is told in one."""
    if not can_mount():
        pytest.skip("a small disk needs root")
    told, sam, tim = chat.told, chat.joined("sam"), chat.joined("tim")
    chat.breaches(sam.id, "spam")
    folder = Path(re.findall(r"folder: (.+)", chat.modules)[0])
    filler = fill_up(folder)
    told.do(lambda: [told.centre.world.say("spam", author=f"eve{number}" * 50) for number in range(60)])
    chat.breaches(tim.id, "spam")
    assert [code(each, chat.room) for each in (sam, tim)] == ["M_USER_SUSPENDED"] * 2
    chat.alarmed("could not be written to disk")
    told.do(lambda: setattr(told.centre, "status", 503))
    chat.homeserver.end(kill=True)
    (policy := folder.with_name("policy")).write_text(POLICY)
    chat.homeserver.configure(re.sub(r" key: .*", f" policy: {policy}", chat.modules))
    chat.homeserver.start()
    assert code(sam, chat.room) == "M_USER_SUSPENDED"
    filler.unlink()
    told.do(lambda: setattr(told.centre, "status", 200))
    chat.becomes(lambda: code(tim, chat.room), "M_USER_SUSPENDED")
    chat.alarmed("The quorum 'w1' is not met")
    chat.becomes(lambda: code(tim, chat.room), None)
    assert code(sam, chat.room) == "M_USER_SUSPENDED"


def test_a_damaged_folder_frees_nobody_and_another_key_in_the_configuration_proves_what_it_signed(chat: Chat) -> None:
    told, wim = chat.told, chat.joined("wim")
    chat.breaches(wim.id, "spam")
    folder = Path(re.findall(r"folder: (.+)", chat.modules)[0]) / "main"
    asyncio.run(damage(folder))
    told.do(lambda: setattr(told.centre, "status", 503))
    chat.homeserver.end(kill=True)
    chat.homeserver.configure(chat.modules)
    chat.homeserver.start()
    refused = chat.bob.send(chat.room, ENCRYPTED, "m.room.encrypted")
    assert (refused.status_code, code(wim, chat.room)) == (503, "M_UNKNOWN"), "it knows nothing, and says so"
    chat.alarmed("cannot be read; it is left out")
    told.do(lambda: setattr(told.centre, "status", 200))
    chat.becomes(lambda: code(chat.bob, chat.room), None)
    assert code(wim, chat.room) == "M_USER_SUSPENDED"
    assert 'comity_gate_unproven_entries{gate="matrix"} 0.0' in chat.homeserver.metrics()


def test_a_measure_ends_on_time_by_the_centres_clock_with_the_centre_gone(chat: Chat) -> None:
    """The last test here: it sets the centre's clock to some seconds before all measures end, and ends the centre."""
    centre, started = chat.told.centre, time.monotonic()
    end = timedelta(seconds=9)
    chat.told.do(
        lambda: setattr(centre, "now", lambda: NOW + 2 * DAY - end + timedelta(seconds=time.monotonic() - started))
    )
    until = time.monotonic() + PATIENCE
    while "clocks" not in chat.homeserver.errors():
        assert time.monotonic() < until
    chat.told.do(lambda: setattr(centre, "status", 503))
    refused = 0
    while (answer := chat.mia.say(chat.room, "Hello")).json().get("errcode") == "M_USER_SUSPENDED":
        refused += 1
        assert time.monotonic() < until
    took = time.monotonic() - started
    assert took >= end.total_seconds() - 0.5
    told = chat.homeserver.metrics()
    assert 'comity_gate_is_stale{gate="matrix"} 1.0' in told
    assert 'comity_gate_events_total{gate="matrix",kind="refused"}' in told
    assert (refused > 0, answer.status_code) == (True, 503), "free, and the centre is away for too long"
