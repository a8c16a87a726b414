"""A damaged file that may be lost, `gates.db` or `counts.db`, keeps nobody from starting: it is put aside, and kept."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from serve_lives import Served, comity
from test_run_killed import RULES

from comity.app.settings import Settings, settings
from comity.app.wiring import counts, gate_acks, put_aside
from comity.model.access import GateAck

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    """What gates acknowledged and what was counted, of several pages each."""
    made = settings({"store.folder": str(tmp_path / "record")})
    with closing(gate_acks(made)) as acks, closing(counts(made)) as counted:
        for number in range(200):
            acks.add(GateAck(gate="mail", channels=None, cursor=number, applied_at=NOW))
            counted.keep(f"{number}", bytes(100))
    return made


def cut_off(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def overwritten(whole: bytes) -> bytes:
    return b"?" * len(whole)


def with_a_torn_page(whole: bytes) -> bytes:
    """It opens, and fails where that page is read."""
    return whole[:-4096] + bytes(4096)


@pytest.mark.parametrize("damaged", [cut_off, overwritten, with_a_torn_page])
def test_what_is_damaged_is_kept_under_another_name_and_begun_anew(
    damaged: Callable[[bytes], bytes], chosen: Settings
) -> None:
    paths = [chosen.folder / name for name in ("counts.db", "gates.db")]
    bodies = {path: damaged(path.read_bytes()) for path in paths}
    for path, body in bodies.items():
        path.write_bytes(body)
    asides = put_aside(chosen)
    assert {each.name: each.read_bytes() for each in asides} == {f"{p.name}.damaged": b for p, b in bodies.items()}
    with closing(gate_acks(chosen)) as acks, closing(counts(chosen)) as counted:
        assert (acks.every(), counted.read("1")) == ([], b"")


def test_what_is_whole_stays_also_while_another_program_writes_it(chosen: Settings) -> None:
    with closing(gate_acks(chosen)) as acks:
        acks.add(GateAck(gate="web", channels=None, cursor=1, applied_at=NOW))
        assert put_aside(chosen) == ()
        assert [each.gate for each in acks.every()] == ["mail", "web"]


def test_what_sqlite_left_beside_a_damaged_file_is_not_read_into_the_next(chosen: Settings) -> None:
    path = chosen.folder / "gates.db"
    with closing(gate_acks(chosen)) as acks:
        acks.add(GateAck(gate="web", channels=None, cursor=1, applied_at=NOW))
        left = path.with_name("gates.db-wal").read_bytes()
    assert len(left) > 4096
    path.with_name("gates.db-wal").write_bytes(left)
    path.write_bytes(overwritten(path.read_bytes()))
    put_aside(chosen)
    with closing(gate_acks(chosen)) as acks:
        assert acks.every() == []


def test_the_service_starts_and_says_what_it_put_aside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "agreement.md").write_text(RULES)
    comity(tmp_path, "publish")
    for name in ("counts.db", "gates.db"):
        (tmp_path / ".comity" / name).write_bytes(b"no database" * 1_000)
    served = Served(tmp_path)
    assert httpx.get(f"{served.url}/healthz", timeout=30).is_success
    assert served.end(signal.SIGTERM) == 0
    said = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [Path(each["kept"]).name for each in said] == ["counts.db.damaged", "gates.db.damaged"]
    assert all(each["level"] == "warning" for each in said)
