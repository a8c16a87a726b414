"""A store of the first format, which kept everything in the clear, is read on, and nothing stays in the clear."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import apsw
import msgspec
import pytest

from comity.casework.facts import decode
from comity.ledger.commitment import Opening
from comity.ledger.log import resume
from comity.model.ids import AccountId, MessageId
from comity.ports import Answer, StoreError, Write
from comity.stores.sqlite import SqliteStore
from comity.testing.store_values import accepted, taken

OLD = Path(__file__).with_name("store_format_1.sql").read_text(encoding="utf-8")
"""Written by Comity 0.1: of six messages two breached, and an account accepted the version."""
ANN, BOB, EVE = map(AccountId, ("ann@example.org", "bob", "eve"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "comity.db"
    database = apsw.Connection(str(path))
    database.execute(OLD)
    database.close()
    return path


@pytest.fixture
def old() -> apsw.Connection:
    database = apsw.Connection(":memory:")
    database.execute(OLD)
    return database


@pytest.mark.parametrize("writes", [True, False])
def test_everything_in_it_is_there(path: Path, old: apsw.Connection, *, writes: bool) -> None:
    store = SqliteStore(path, writes=writes)
    facts = [decode(body) for (body,) in old.execute("select body from facts order by seq")]
    assert list(store.facts()) == facts
    assert store.position == len(facts) == 5
    assert [fact.account for fact in facts] == [ANN] * 4 + [BOB]
    assert len(store.facts_of(ANN)) == 4
    statements = [id_ for (id_,) in old.execute("select decision from facts where decision is not null")]
    assert [store.account_of(each) for each in statements] == [ANN, ANN]
    assert resume(store.entries(0, 99), None).size == store.size == 6
    places = [store.entry_index(each) for each in statements]
    found = [store.entries(place, place + 1)[0] for place in places if place is not None]
    assert [f'"id":"{each}"'.encode() in entry for each, entry in zip(statements, found, strict=True)] == [True, True]
    assert store.checkpoint == next(iter(old.execute("select body from checkpoint")))[0]
    assert list(store.restricted()) == [ANN]
    assert [version.name for version in store.versions()] == ["agreement.md"]
    store.close()


def test_messages_answers_and_traces_are_there(path: Path, old: apsw.Connection) -> None:
    store = SqliteStore(path)
    rows = list(old.execute("select id, answer, trace, body is not null from messages order by seq"))
    answers = store.answers("a.jsonl", [MessageId(row[0]) for row in rows])
    assert [answers[row[0]] for row in rows] == [msgspec.json.decode(row[1], type=Answer) for row in rows]
    assert list(store.traces()) == [row[2] for row in rows]
    assert list(store.traces(since=datetime(2026, 1, 1, 0, 30, tzinfo=UTC))) == [row[2] for row in rows[4:]]
    kept = [row[0] for row in rows if row[3]]
    assert [each.id for each in store.kept_messages()] == kept == ["m0", "m2"]
    message = store.message("a.jsonl", MessageId("m2"))
    assert message is not None
    assert (message.author, message.text) == (ANN, "buy now, again")
    store.close()


def test_openings_are_there_and_whose_they_are_is_found_in_them(path: Path, old: apsw.Connection) -> None:
    store = SqliteStore(path)
    openings: dict[str, list[Opening]] = {}
    for entry, field, salt, value in old.execute("select entry, field, salt, value from openings order by rowid"):
        opening = Opening(entry_id=entry, field=field, salt=salt, value=msgspec.json.decode(value))
        openings.setdefault(entry, []).append(opening)
    assert {entry: list(store.openings(entry)) for entry in openings} == openings
    store.erase(BOB)
    assert [bool(store.openings(entry)) for entry in openings] == [True, True, False]
    store.close()


def test_it_goes_on_where_it_was(path: Path) -> None:
    store = SqliteStore(path)
    store.append(Write(size=6, position=5, messages=[taken("m9", source="a.jsonl")], facts=[accepted("eve")]))
    store.close()
    store = SqliteStore(path)
    assert store.position == 6
    assert list(store.facts_of(EVE)) == [accepted("eve")]
    store.close()


@pytest.mark.parametrize("writes", [True, False])
def test_what_lay_in_the_clear_is_in_no_file_any_more(path: Path, *, writes: bool) -> None:
    assert b"ann@example.org" in path.read_bytes()
    SqliteStore(path, writes=writes).close()
    SqliteStore(path).close()
    for file in path.parent.iterdir():
        for canary in (b"ann@example.org", b"a third time", b"buy now, again"):
            assert canary not in file.read_bytes(), file.name


def test_a_reader_of_an_old_store_waits_for_its_writer(path: Path) -> None:
    lock = apsw.Connection(str(path.with_suffix(".lock")))
    lock.execute("begin exclusive")
    with pytest.raises(StoreError, match="in use by another program"):
        SqliteStore(path, writes=False)
    lock.close()
