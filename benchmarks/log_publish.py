"""What a publication of the log waits for, told in syncs of the same disk: files are made durable side by side.

The log grows by twenty entries at a time, as `serve` publishes groups of decisions; each publication writes a bundle,
a tile, now and then one of the level above, and the checkpoint. Between them one file of the same folder is written and
synced alone. By the clock, both in turn, since the disk's and other programs' time counts here.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

from comity.ledger.log import File, Log, append, partial_files, signed_head
from comity.ledger.note import SigningKey
from comity.stores.log_folder import LogFolder
from common import expect, part, report, seconds

KEY = SigningKey(name="example.org/log", seed=b"7" * 32)
GROUPS, TOGETHER, LENGTH = 100, 20, 700


def grown() -> list[tuple[tuple[File, ...], bytes]]:
    """What each group publishes: its files, and the checkpoint."""
    log, steps = Log(), []
    for _ in range(GROUPS):
        appended = append(log, [os.urandom(LENGTH) for _ in range(TOGETHER)])
        log = appended.log
        files = (*appended.files, *partial_files(log, appended.first))
        steps.append((files, signed_head(log, KEY.name, [KEY])))
    return steps


def sync_alone(file: Path) -> None:
    with file.open("wb") as opened:
        opened.write(os.urandom(LENGTH))
        opened.flush()
        os.fsync(opened.fileno())


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, alone, published = Path(name), list[float](), list[float]()
        log, steps = LogFolder(folder / "log"), grown()
        for files, checkpoint in steps:
            alone.append(seconds(lambda: sync_alone(folder / "alone")))
            published.append(seconds(lambda files=files, checkpoint=checkpoint: log.publish(files, checkpoint)))
        read = {path: log.read(path) for path, _ in steps[-1][0]}
        expect(read == dict(steps[-1][0]) and log.checkpoint() == steps[-1][1], "all of it can be read")
    part("one file, written and synced", median(alone) * 1e3, "ms")
    part("one publication", median(published) * 1e3, "ms")
    report(median(published) / median(alone), "syncs", target="<= 5 syncs of one file")


if __name__ == "__main__":
    main()
