"""After an erasure nothing of the person is left in any file, whenever the program was killed on the way."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import apsw
import pytest
from test_run_killed import KEY, proceedings

from comity.casework.facts import Decided, Fact
from comity.flow.publish import Recorder
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.entry import ErasureEntry, parse_entry
from comity.ledger.verify import verify
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from comity.ports import Attachment, Running, StoreError, Write
from comity.stores.backup import back_up, delete_expired
from comity.stores.database import demand_safe
from comity.stores.keys import KeyFile
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from comity.stores.world import CountedEntropy
from comity.testing.store_values import accepted, case_opened, decided, owned, taken

PERSON = "person-under-test@mail.example"
ANN = AccountId(PERSON)
SAID, SHOWN, DRAWN = "the words that only this person wrote", "buy now, says the statement", "the picture they drew"
CANARIES = tuple(text.encode() for text in (PERSON, SAID, SHOWN, DRAWN))
BYSTANDERS = [f"bystander-{number}" for number in range(300)]
AT_ONCE = 7


def filled(folder: Path) -> SqliteStore:
    """A store with what a person can leave in it, among others' things, in many transactions."""
    store = SqliteStore(folder / "comity.db")
    everybody = [*BYSTANDERS[:150], PERSON, *BYSTANDERS[150:]]
    for start in range(0, len(everybody), AT_ONCE):
        some = dict(enumerate(everybody[start : start + AT_ONCE], start))
        store.append(
            Write(
                size=start,
                position=start * 3,
                messages=[taken(str(n), author=who, text=_of(who, SAID)) for n, who in some.items()],
                facts=[fact for n, who in some.items() for fact in _facts(n, who)],
                entries=[b"%d" % n for n in some],
                openings=[owned(who, f"{n:032x}", "account", who) for n, who in some.items()],
                attachments=[
                    Attachment(account=AccountId(who), content=_of(who, DRAWN).encode()) for who in some.values()
                ],
                running=Running(
                    restricted=[AccountId(who) for who in some.values()], snapshot=" ".join(some.values()).encode()
                ),
            )
        )
    return store


def _facts(number: int, who: str) -> tuple[Fact, ...]:
    shown = _of(who, SHOWN)
    return accepted(who), decided(who, f"{number:032x}", text=shown), case_opened(who, f"c{number}", why=shown)


def _of(who: str, text: str) -> str:
    return text if who == PERSON else ""


def key_of(folder: Path, account: AccountId, store: SqliteStore) -> tuple[bytes, bytes]:
    """The account's key, and the hash it is found by."""
    (before,) = [one for one in store.facts_of(account) if one.account == account][:1]
    assert before.account == account
    with_key = apsw.Connection(str(folder / "keys.db"))
    subject = subject_of(folder, store, account)
    ((hashed, key),) = with_key.execute("select account, key from subjects where subject = ?", (subject,))
    with_key.close()
    return bytes(key), bytes(hashed)


def subject_of(folder: Path, store: SqliteStore, account: AccountId) -> int:
    position = next(n for n, fact in store.numbered((), after=0) if fact.account == account)
    database = apsw.Connection(str(folder / "comity.db"))
    ((subject,),) = database.execute("select subject from facts where seq = ?", (position,))
    database.close()
    return subject


def demand_nothing_left(folder: Path, canaries: Iterable[bytes]) -> None:
    for file in folder.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        for canary in canaries:
            assert canary not in content, f"{canary!r} in {file.name}"


def test_nothing_of_a_person_lies_in_the_clear_at_any_time(tmp_path: Path) -> None:
    store = filled(tmp_path)
    demand_nothing_left(tmp_path, CANARIES)
    assert {file.name for file in tmp_path.iterdir()} >= {"comity.db", "comity.db-wal", "keys.db"}
    for file in tmp_path.glob("*.db*"):
        assert file.stat().st_mode & 0o077 == 0, file.name
    store.close()


def test_after_an_erasure_neither_key_nor_words_are_in_any_file(tmp_path: Path) -> None:
    store = filled(tmp_path)
    secrets = key_of(tmp_path, ANN, store)
    assert any(secrets[0] in file.read_bytes() for file in tmp_path.iterdir())
    store.erase(ANN)
    demand_nothing_left(tmp_path, (*CANARIES, *secrets))  # while the store is open, its log too
    store.close()
    demand_nothing_left(tmp_path, (*CANARIES, *secrets))


def test_of_many_keys_deleted_among_others_no_copy_stays_behind(tmp_path: Path) -> None:
    keys, chance = KeyFile(tmp_path / "keys.db", creates=True), random.Random(1)
    living: set[int] = set()
    dead: set[int] = set()
    known: dict[int, tuple[bytes, bytes]] = {}
    for number in range(60):
        new = keys.enrol([AccountId(f"{number}/{each}") for each in range(chance.choice([1, 5, 60]))])
        living |= set(new.values())
        database = apsw.Connection(str(tmp_path / "keys.db"))
        known |= {row[0]: row[1:] for row in database.execute("select subject, account, key from subjects")}
        database.close()
        gone = chance.sample(sorted(living), min(len(living) // 2, chance.choice([1, 3, 40])))
        keys.forget(gone, erasures=number)
        living.difference_update(gone)
        dead.update(gone)
    assert keys.clean()
    keys.close()
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [each for each in dead if any(part in content for part in known[each])] == []
    assert all(part in content for each in living for part in known[each])


def test_numbers_of_accounts_lie_close_together_none_comes_twice_and_no_gap_tells_of_an_erasure(tmp_path: Path) -> None:
    with closing(KeyFile(tmp_path / "keys.db", creates=True)) as keys:
        numbers: list[int] = []
        for some in range(40):
            numbers += keys.enrol([AccountId(f"{some}/{each}") for each in range(50)]).values()
            keys.forget(numbers[some::40], erasures=some)
    assert len(set(numbers)) == 2_000
    assert max(numbers) - min(numbers) < 2_400 << 32
    places = sorted(number >> 32 for number in numbers)
    assert max(after - before for before, after in pairwise(places)) > 4, "where nobody ever stood"
    assert sorted(numbers[:50]) != numbers[:50]


def test_a_reader_does_not_keep_what_was_erased(tmp_path: Path) -> None:
    store = filled(tmp_path)
    reader = SqliteStore(tmp_path / "comity.db", writes=False)
    assert reader.facts_of(ANN)
    store.erase(ANN)
    assert list(reader.facts_of(ANN)) == []
    assert reader.account_of(f"{150:032x}") is None
    reader.close()
    store.close()


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[bytes, bytes]]:
    folder = tmp_path_factory.mktemp("before")
    store = filled(folder)
    secrets = key_of(folder, ANN, store)
    store.close()
    return folder, secrets


def killed_after(statements: int, folder: Path) -> bool:
    """Erase in a process that is killed when it asks SQLite for one statement more. Whether it was."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = iter(range(statements))

    def trace(_cursor: apsw.Cursor, _statement: str, _bindings: object) -> bool:
        if next(left, None) is None:
            os._exit(9)
        return True

    store = SqliteStore(folder / "comity.db")
    apsw.connection_hooks.append(lambda connection: setattr(connection, "exec_trace", trace))
    for database in (store._db, store._keys._db):
        database._connection.exec_trace = trace
    store.erase(ANN)
    os._exit(0)


def copies(source: Path, to: Path) -> Iterator[Path]:
    number = 0
    while True:
        folder = to / str(number)
        shutil.copytree(source, folder)
        yield folder
        number += 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_killed_at_any_statement_the_erasure_is_whole_at_the_next_start_or_was_never_begun(
    before: tuple[Path, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    origin, secrets = before
    whole = erased = 0
    for statements, folder in enumerate(copies(origin, tmp_path)):
        if not killed_after(statements, folder):
            break
        store = SqliteStore(folder / "comity.db")
        assert (store.size, store.position) == (301, 903)
        if store.facts_of(ANN):
            assert len(store.facts_of(ANN)) == 3
            assert list(store.pending_erasures()) == []
            whole += 1
        else:
            assert list(store.pending_erasures()) == [f"{150:032x}"]
            assert len(list(store.facts())) == 900
            demand_nothing_left(folder, (*CANARIES, *secrets))
            erased += 1
        store.close()
        shutil.rmtree(folder)
    assert whole > 5
    assert erased > 5


def test_a_store_restored_from_before_an_erasure_forgets_again(
    before: tuple[Path, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    origin, _ = before
    now = tmp_path / "now"
    shutil.copytree(origin, now)
    store = SqliteStore(now / "comity.db")
    store.erase(ANN)
    store.close()
    shutil.copy(origin / "comity.db", now / "comity.db")
    store = SqliteStore(now / "comity.db")
    assert list(store.facts_of(ANN)) == []
    assert len(list(store.facts())) == 900
    assert store.snapshot is None
    assert store.account_of(f"{150:032x}") is None
    store.close()


def test_keys_restored_from_before_an_erasure_lose_the_key_again(
    before: tuple[Path, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    origin, secrets = before
    now = tmp_path / "now"
    shutil.copytree(origin, now)
    store = SqliteStore(now / "comity.db")
    store.erase(ANN)
    store.close()
    shutil.copy(origin / "keys.db", now / "keys.db")
    store = SqliteStore(now / "comity.db")
    assert len(list(store.facts())) == 900
    store.close()
    demand_nothing_left(now, secrets)


def test_a_store_without_its_keys_or_with_older_ones_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    path, keys = tmp_path / "comity.db", tmp_path / "keys.db"
    store = SqliteStore(path)
    store.append(Write(size=0, position=0, facts=[accepted("bob")]))
    store.close()
    shutil.copy(keys, tmp_path / "old")
    store = SqliteStore(path)
    store.append(Write(size=0, position=1, facts=[accepted(PERSON)]))
    store.close()
    for writes in (True, False):
        shutil.copy(tmp_path / "old", keys)
        with pytest.raises(StoreError, match=r"older than it is.*Restore the newest backup"):
            SqliteStore(path, writes=writes)
        keys.unlink()
        with pytest.raises(StoreError, match=r"is missing.*Restore the newest backup"):
            SqliteStore(path, writes=writes)
    (tmp_path / "other").mkdir()
    SqliteStore(tmp_path / "other" / "comity.db").close()
    shutil.copy(tmp_path / "other" / "keys.db", keys)
    with pytest.raises(StoreError, match="another store's"):
        SqliteStore(path)


def test_a_row_that_was_altered_or_moved_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "comity.db"
    store = SqliteStore(path)
    store.append(Write(size=0, position=0, facts=[accepted(PERSON), accepted(PERSON, language="es")]))
    store.close()
    database = apsw.Connection(str(path))
    database.execute("update facts set body = (select body from facts where seq = 2) where seq = 1")
    database.close()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="fact/1 was altered"):
        store.facts_of(ANN)
    store.close()


def test_through_the_whole_way_of_a_message_nothing_is_left_and_the_ledger_verifies(tmp_path: Path) -> None:
    log = LogFolder(tmp_path / "log")
    log.path.mkdir()
    log.write_vkey(KEY.verifier)
    store = SqliteStore(tmp_path / "comity.db")
    running = proceedings(store, log, "a")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number, who in enumerate((PERSON, "bob", PERSON)):
        message = Message(
            id=MessageId(f"{number}-from-{who}"),
            source="s",
            author=AccountId(who),
            channel=Channel("posts"),
            text=f"buy now: {SAID}" if who == PERSON else "buy now",
            sent=start + timedelta(hours=number),
        )
        running.take([message])
    statements = [fact for fact in store.facts() if fact.account == PERSON]
    assert statements
    demand_nothing_left(tmp_path, CANARIES)
    secrets = key_of(tmp_path, ANN, store)
    last = unverified_checkpoint(store.checkpoint)
    store.erase(ANN)
    demand_nothing_left(tmp_path, (*CANARIES, *secrets))
    report = verify(log.read)
    assert report.is_fine
    assert report.size == last.size == store.size
    store.close()


def test_the_ledger_says_once_of_each_statement_that_it_was_erased_and_still_verifies(tmp_path: Path) -> None:
    log = LogFolder(tmp_path / "log")
    log.path.mkdir()
    log.write_vkey(KEY.verifier)
    store = SqliteStore(tmp_path / "comity.db")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    proceedings(store, log, "a")
    for number in range(8):
        message = Message(
            id=MessageId(str(number)),
            source="s",
            author=AccountId(PERSON if number % 2 else f"other-{number}"),
            channel=Channel("posts"),
            text="buy now",
            sent=start + timedelta(days=number),
        )
        proceedings(store, log, str(number)).take([message])
    statements = [fact.decision for fact in store.facts_of(ANN) if isinstance(fact, Decided)]
    store.erase(ANN)
    recorder = Recorder(store, log, KEY, CountedEntropy("erasing"))
    recorder.publish_erasures(start + timedelta(days=7, hours=23))  # the day has an entry already
    assert sorted(store.pending_erasures()) == sorted(statements)
    recorder.publish_erasures(start + timedelta(days=9))
    recorder.publish_erasures(start + timedelta(days=10))
    entries = map(parse_entry, store.entries(0, store.size))
    erased = [entry.prev for entry in entries if isinstance(entry, ErasureEntry)]
    assert len(statements) == 4
    assert erased == sorted(statements)
    assert list(store.pending_erasures()) == []
    assert verify(log.read).is_fine
    store.close()


def test_30_days_after_an_erasure_neither_key_nor_words_are_in_any_backup(tmp_path: Path) -> None:
    record, kept, apart = tmp_path / "record", tmp_path / "backups", tmp_path / "apart"
    record.mkdir()
    store, day = filled(record), datetime(2026, 1, 1, tzinfo=UTC)
    secrets = key_of(record, ANN, store)
    for path in (kept, apart):
        path.mkdir()

    def backed_up(days: int) -> None:
        at = day + timedelta(days=days)
        back_up(record / "comity.db", kept, apart, at, secrets=(), logs=())
        delete_expired(apart, at)

    backed_up(0)
    backed_up(1)
    store.erase(ANN)
    demand_nothing_left(record, (*CANARIES, *secrets))
    backed_up(2)
    demand_nothing_left(kept, (*CANARIES, *secrets))
    assert sum(secrets[0] in path.read_bytes() for path in apart.iterdir()) == 2
    backed_up(31)
    assert sum(secrets[0] in path.read_bytes() for path in apart.iterdir()) == 1
    backed_up(32)
    demand_nothing_left(tmp_path, (*CANARIES, *secrets))
    assert len(list(apart.iterdir())) == 3
    store.close()


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.0", "3.9.99"])
def test_an_sqlite_that_can_lose_what_was_committed_is_refused(version: str) -> None:
    with pytest.raises(StoreError, match=r"needs 3\.51\.3 or newer"):
        demand_safe(version)
    for good in ("3.51.3", "3.52.0", "4.0.0", apsw.sqlite_lib_version()):
        demand_safe(good)


def test_a_number_that_is_drawn_twice_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([1 << 32, 0, 7])  # of the second account the first draw falls on the first one's number
    monkeypatch.setattr("comity.stores.keys.secrets.randbits", lambda _: next(drawn))
    with closing(KeyFile(tmp_path / "keys.db", creates=True)) as keys:
        first = keys.enrol([AccountId("a")])
        assert keys.enrol([AccountId("b")]) == {"b": (2 << 32) + 7}
        assert keys.enrol([AccountId("a")]) == first == {"a": 2 << 32}
