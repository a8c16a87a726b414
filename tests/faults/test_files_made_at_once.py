"""Files beside the record, which several programs may be the first to need: each finds them whole."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from comity.stores.database import Database
from comity.stores.gate_acks import GateAckFile
from comity.stores.mails import MailFile
from comity.stores.replies import ReplyFile
from comity.stores.webhooks import WebhookFile

AT_ONCE = 6


@pytest.mark.parametrize("made", [GateAckFile, MailFile, ReplyFile, WebhookFile])
def test_whoever_comes_at_the_same_time_finds_the_tables(made: Callable[[Path], object], tmp_path: Path) -> None:
    start = Barrier(AT_ONCE)

    def make(path: Path) -> object:
        start.wait()
        return made(path)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for number in range(10):
            path = tmp_path / f"{number}.db"
            Database(path, creates=True).close()  # the file is there, and has no tables yet
            list(threads.map(make, [path] * AT_ONCE))
