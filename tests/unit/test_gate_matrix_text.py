"""What people read in a Matrix event: all of it, each text once, and nothing that only programs use."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.gates.matrix_text import plain, said, said_by_member, said_of_room

HTML = {"format": "org.matrix.custom.html"}


def text(content: dict[str, object], type_: str = "m.room.message") -> str | None:
    found = said(type_, content)
    return found.text if found else None


def test_what_html_shows_is_read_where_it_is_another_text() -> None:
    assert text({"msgtype": "m.text", "body": "Hello **you**"}) == "Hello **you**"
    assert text({"body": "Hello **you**", **HTML, "formatted_body": "Hello <b>you</b>"}) == "Hello you"
    assert text({"body": "Hello", **HTML, "formatted_body": "b<i></i>uy now"}) == "Hello\nbuy now"
    assert text({"body": "buynow", **HTML, "formatted_body": "buy now"}) == "buynow\nbuy now"
    link = {"body": "evil example", **HTML, "formatted_body": '<a href="https://evil.example/">evil</a> example'}
    assert text(link) == "evil example\nevil example\nhttps://evil.example/"
    assert text({"m.text": [{"mimetype": "text/html", "body": "b<i></i>uy"}, {"body": "sell"}]}) == "buy\nsell"


def test_an_edit_is_one_text_if_it_is_one_and_names_what_it_replaces() -> None:
    replaces = {"rel_type": "m.replace", "event_id": "$1"}
    edit = {"body": "* Hello", "m.new_content": {"body": "Hello"}, "m.relates_to": replaces}
    found = said("m.room.message", edit)
    assert found is not None
    assert (found.text, found.edit_of, found.is_reply) == ("* Hello", "$1", False)
    other = said(
        "m.room.message", {**edit, "m.new_content": {"body": "Goodbye"}, "m.relates_to": {**replaces, "event_id": 7}}
    )
    assert other is not None
    assert (other.text, other.edit_of) == ("* Hello\nGoodbye", "")


def test_replies_and_mentions_are_told_and_hostile_ones_left_out() -> None:
    mentions = {"user_ids": ["@bob:example.org", 7, "x" * 256, "@\u202e", *["@c:example.org"] * 200]}
    reply = {"body": "Hello", "m.mentions": mentions, "m.relates_to": {"m.in_reply_to": {"event_id": "$1"}}}
    found = said("m.room.message", reply)
    assert found is not None
    assert (found.is_reply, found.mentions[0], len(found.mentions)) == (True, "@bob:example.org", 97)
    for odd in ([], 7, None, {"user_ids": "@bob:example.org"}):
        found = said("m.room.message", {"body": "Hello", "m.mentions": odd, "m.relates_to": odd})
        assert found is not None
        assert (found.mentions, found.is_reply, found.edit_of) == ((), False, "")


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AAAA", "extra": "x"}),
        ("m.room.power_levels", {"users": {"@ann:example.org": 100}, "ban": 50}),
        ("m.room.join_rules", {"join_rule": "restricted", "allow": [{"type": "x", "room_id": "!1"}]}),
        ("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}),
        ("m.room.server_acl", {"allow": ["*"], "deny": ["evil.example"]}),
        ("m.room.avatar", {"url": "mxc://example.org/a", "info": {"mimetype": "image/png"}}),
        ("m.room.redaction", {"redacts": "$1"}),
        ("m.call.invite", {"offer": {"sdp": "v=0"}}),
        ("m.room.message", {"body": " ", "msgtype": "m.text"}),
    ],
)
def test_what_only_programs_use_is_no_message(type_: str, content: dict[str, object]) -> None:
    assert said(type_, content) is None


def test_a_type_that_looks_like_a_quiet_one_is_read() -> None:
    assert text({"body": "Hello"}, "m.room.encrypted.not") == "Hello"
    assert text({"url": "https://evil.example"}, "im.vector.modular.widgets") == "https://evil.example"


def test_a_member_says_a_reason_and_a_new_name_of_their_own() -> None:
    before, now = {"displayname": "Ann"}, {"displayname": "Ann the Great", "reason": "Bye"}
    assert said_by_member(now, before, is_own=True) == plain("Bye", "Ann the Great")
    assert said_by_member(now, now, is_own=True) == said_by_member(now, before, is_own=False) == plain("Bye")
    assert said_by_member({"membership": "leave", "displayname": "Ann"}, before, is_own=True) is None


def test_a_room_says_its_name_its_topic_its_alias_and_its_first_events() -> None:
    first = [{"type": "m.room.topic", "content": {"topic": "T"}}, {"type": "m.call.x", "content": {"a": "b"}}, 7, {}]
    wanted = {"name": "N", "topic": ["O"], "room_alias_name": "A", "initial_state": first, "preset": "public_chat"}
    assert said_of_room(wanted) == plain("N", "O", "A", "T")
    assert said_of_room({"initial_state": "x", "preset": "private_chat"}) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_whatever_an_event_holds_it_is_read_as_text_that_can_be_sent_on(value: object) -> None:
    found = said("m.room.message", {"content": value})
    assert found is None or found.text.encode().decode() == found.text


def test_an_event_is_read_however_deep_it_is_and_with_lone_surrogates() -> None:
    deep: object = "Hello"
    for _ in range(100_000):
        deep = [deep]
    assert text({"deep": deep}) == "Hello"
    assert text(json.loads('{"body": "\\ud83d Hello"}')) == "? Hello"
