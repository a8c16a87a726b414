"""Two programs that open a new file at the same moment: the slower one finds the tables of the faster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from comity.stores.database import Database
from comity.stores.gate_acks import GateAckFile
from comity.stores.tokens import TokenFile


@pytest.mark.parametrize("opened", [TokenFile, GateAckFile])
def test_who_is_overtaken_while_making_the_tables_uses_those_that_are_there(
    opened: Callable[[Path], TokenFile | GateAckFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Database.format.fget
    assert real is not None
    reads = 0

    def overtaken(db: Database) -> int:
        nonlocal reads
        reads += 1
        found = real(db)
        if reads == 2:
            opened(tmp_path / "file").close()
        return found

    monkeypatch.setattr(Database, "format", property(overtaken))
    opened(tmp_path / "file").close()
    assert reads > 3
