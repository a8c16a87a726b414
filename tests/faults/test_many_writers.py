"""Many writers at once on one file: their facts keep one total order, without holes or doubles, and nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Barrier

import pytest
from test_run_killed import KEY, proceedings

from comity.casework.facts import Accepted
from comity.ledger.verify import verify
from comity.model.ids import AccountId, Digest
from comity.ports import OvertakenError, StoreError, Write
from comity.stores import sqlite
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from comity.testing.store_values import AT, VERSION

WRITERS, WRITES, AT_ONCE = 6, 5, 3


def all_at_once(write_all) -> None:
    """One thread a writer; none begins before all are there."""
    barrier = Barrier(WRITERS)

    def run(who: int) -> None:
        barrier.wait()
        write_all(who)

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(run, range(WRITERS)))


def facts_of(who: int, number: int, version: Digest = VERSION) -> list[Accepted]:
    return [
        Accepted(account=AccountId(f"account {who % 2}"), at=AT, agreement=version, language=f"{who}/{number}/{each}")
        for each in range(AT_ONCE)
    ]


def demand_one_order(store: SqliteStore) -> None:
    facts = [fact.language for fact in store.facts() if isinstance(fact, Accepted)]
    assert len(facts) == WRITERS * WRITES * AT_ONCE
    assert store.position == len(facts) + len(list(store.publications(after=0)))
    writes = [facts[start : start + AT_ONCE] for start in range(0, len(facts), AT_ONCE)]
    assert all(one == [f"{one[0][:-1]}{each}" for each in range(AT_ONCE)] for one in writes)  # each is whole
    for who in range(WRITERS):
        own = [one[0] for one in writes if one[0].startswith(f"{who}/")]
        assert own == [f"{who}/{number}/0" for number in range(WRITES)]
    for account in range(2):
        own = [fact.language for fact in store.facts_of(AccountId(f"account {account}"))]
        assert own == [each for each in facts if int(each.split("/")[0]) % 2 == account]


def test_programs_that_open_one_record_at_once_write_one_after_another_and_the_ledger_verifies(tmp_path: Path) -> None:
    log = LogFolder(tmp_path / "log")
    log.path.mkdir()
    log.write_vkey(KEY.verifier)
    with closing(SqliteStore(tmp_path / "comity.db")) as store:
        proceedings(store, log, "first")
        version = store.versions()[0].digest

    def write_all(who: int) -> None:
        number = 0
        while number < WRITES:
            try:
                store = SqliteStore(tmp_path / "comity.db")
            except StoreError as error:
                assert "in use by another program" in str(error)  # noqa: PT017
                continue
            with closing(store):
                running = proceedings(store, log, f"{who}/{number}")
                running.act([AccountId(f"account {who % 2}")], lambda _, n=number: facts_of(who, n, version))
            number += 1

    all_at_once(write_all)
    with closing(SqliteStore(tmp_path / "comity.db", writes=False)) as store:
        demand_one_order(store)
        report = verify(log.read)
        assert report.is_fine
        assert report.size == store.size > WRITERS


def test_without_the_lock_whoever_is_overtaken_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock keeps programs apart; a store on which it fails still refuses what was decided on less."""
    SqliteStore(tmp_path / "comity.db").close()
    monkeypatch.setattr(sqlite, "locked", lambda _: nullcontext())

    def write_all(who: int) -> None:
        with closing(SqliteStore(tmp_path / "comity.db")) as store:
            number = 0
            while number < WRITES:
                entry = f"{who}/{number}".encode()
                write = Write(size=store.size, position=store.position, facts=facts_of(who, number), entries=[entry])
                try:
                    store.append(write)
                except OvertakenError:
                    continue
                number += 1

    all_at_once(write_all)
    with closing(SqliteStore(tmp_path / "comity.db")) as store:
        demand_one_order(store)
        entries = [content.decode() for content in store.entries(0, store.size)]
        assert entries == [fact.language[:-2] for fact in store.facts() if fact.language.endswith("/0")]
