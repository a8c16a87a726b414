"""How long until a record of a million facts takes messages again, beside a plain read of all its facts.

A start opens the store and its keys, goes on from the ledger's right edge, compares it with what was published, fills
the windows, and answers a message. The record is that of `million.py`.
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from comity.ports import Outcome
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from common import START, expect, report, seconds
from million import DECISIONS, FACTS, KEY, fill, proceedings, spam


def start(folder: Path) -> None:
    """Everything until one more message is answered."""
    store = SqliteStore(folder / "comity.db")
    (answer,) = proceedings(store, folder).take([spam(DECISIONS + store.position, START + timedelta(days=366))])
    expect(answer.outcome is Outcome.REMOVED, f"the message was {answer.outcome}")
    store.close()


def read_all(folder: Path) -> None:
    store = SqliteStore(folder / "comity.db", writes=False)
    found = sum(1 for _ in store.facts())
    expect(found >= FACTS, f"{found} facts")
    store.close()


with tempfile.TemporaryDirectory() as name:
    place = Path(name)
    (place / "log").mkdir()
    LogFolder(place / "log").write_vkey(KEY.verifier)
    filled = SqliteStore(place / "comity.db")
    print(f"filled in {seconds(lambda: fill(filled, place)):.0f} s", flush=True)
    facts = filled.position
    filled.close()
    starts = [seconds(lambda: start(place)) for _ in range(3)]
    plain = seconds(lambda: read_all(place))

per_million = sorted(starts)[1] / (facts / 1_000_000)
print(f"starts: {', '.join(f'{each:.2f}' for each in starts)} s; reading all {facts} facts: {plain:.1f} s")
report(per_million, "s-per-million-facts", target="< 5 s-per-million-facts")
