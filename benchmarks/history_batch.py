"""Windows counted in batch, by sort and search, against one message at a time: the same counts, how many times faster.

Half a million messages of 20,000 accounts, in parts of 65,536; three windows; a tenth of the texts come again.
What both sides share (making traces, which archives' columns spare) is not counted.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta

import numpy as np

from comity.engine.batch_history import BatchHistory
from comity.engine.hashed import Hashed
from comity.engine.history import History
from comity.engine.lateness import EPOCH, microseconds
from comity.engine.trace import Trace
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId
from common import START, expect, part, report

COUNT = 500_000
PART = 65_536
LATENESS = timedelta(hours=1)
WINDOWS = (
    Window(counted=Counted.MESSAGES, within=timedelta(hours=1)),
    Window(counted=Counted.COPIES, within=timedelta(minutes=10)),
    Window(counted=Counted.TEXT_COPIES, within=timedelta(days=1)),
)


def messages() -> Hashed:
    chance = random.Random(7)
    return Hashed(
        authors=np.array([chance.randrange(20_000) for _ in range(COUNT)]),
        texts=np.array([number if number % 10 else -1 - chance.randrange(50) for number in range(1, COUNT + 1)]),
        sent=microseconds(START - EPOCH)
        + np.array([500_000 * number - chance.choice((0, 0, 0, 700_000)) for number in range(COUNT)]),
    )


def cut(made: Hashed, start: int) -> Hashed:
    part = slice(start, start + PART)
    return Hashed(authors=made.authors[part], texts=made.texts[part], sent=made.sent[part])


def main() -> None:
    made = messages()
    one_by_one, in_parts = History(WINDOWS, lateness=LATENESS), BatchHistory(WINDOWS, lateness=LATENESS)
    traces = [
        Trace(AccountId(str(author)), EPOCH + timedelta(microseconds=sent), text.to_bytes(8, signed=True))
        for author, sent, text in zip(made.authors.tolist(), made.sent.tolist(), made.texts.tolist(), strict=True)
    ]
    columns = [cut(made, start) for start in range(0, COUNT, PART)]
    alone, tallied = [], []
    online = worked(lambda: alone.extend(one_by_one.take(trace)[0] for trace in traces))
    batch = worked(lambda: tallied.extend(in_parts.take(some).counts for some in columns))
    for window in WINDOWS:
        counted = np.concatenate([of[window] for of in tallied]).tolist()
        expect([counts[window] for counts in alone] == counted, f"batch and online counts differ: {window}")
    part("one by one", COUNT / online, "messages/s")
    part("in batch", COUNT / batch, "messages/s", target="> 150000 messages/s for windows alone")
    report(online / batch, "x", target="> 1 x, and the same counts")


def worked(work: Callable[[], object]) -> float:
    """Processor seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


main()
