"""Windows counted in batch, by sort and search, against one message at a time: the same counts, how many times faster.

Half a million messages of 20,000 accounts, in parts of 65,536; three windows; a tenth of the texts come again.
What both sides share (making traces, which archives' columns spare) is not counted.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta

from comity.engine.batch_history import BatchHistory
from comity.engine.history import History
from comity.engine.trace import Tracer
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from common import START, WORDS, expect, part, report

COUNT = 500_000
PART = 65_536
LATENESS = timedelta(hours=1)
WINDOWS = (
    Window(counted=Counted.MESSAGES, within=timedelta(hours=1)),
    Window(counted=Counted.COPIES, within=timedelta(minutes=10)),
    Window(counted=Counted.TEXT_COPIES, within=timedelta(days=1)),
)


def messages() -> list[Message]:
    chance = random.Random(7)
    return [
        Message(
            id=MessageId(str(number)),
            author=AccountId(f"account-{chance.randrange(20_000)}"),
            channel=Channel("posts"),
            text=" ".join(chance.choices(WORDS, k=9)) if number % 10 else f"spam {chance.randrange(50)}",
            sent=START + timedelta(milliseconds=500 * number - chance.choice((0, 0, 0, 700))),
        )
        for number in range(COUNT)
    ]


def main() -> None:
    tracer, made = Tracer(WINDOWS, key=b"a key for a benchmark"), messages()
    one_by_one, in_parts = History(WINDOWS, lateness=LATENESS), BatchHistory(WINDOWS, lateness=LATENESS)
    traces = [tracer.trace(message) for message in made]
    columns = [tracer.traces(made[start : start + PART]) for start in range(0, COUNT, PART)]
    alone, tallied = [], []
    online = worked(lambda: alone.extend(one_by_one.take(trace)[0] for trace in traces))
    batch = worked(lambda: tallied.extend(in_parts.take(some) for some in columns))
    expect(alone == [row for some in tallied for row in some.rows()], "batch and online counts differ")
    part("one by one", COUNT / online, "messages/s")
    part("in batch", COUNT / batch, "messages/s", target="> 150000 messages/s for windows alone")
    report(online / batch, "x", target="> 1 x, and the same counts")


def worked(work: Callable[[], object]) -> float:
    """Processor seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


main()
