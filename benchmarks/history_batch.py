"""Windows counted in batch, by sort and search, against one message at a time: the same counts, how many times faster.

Half a million messages of 20,000 accounts, in parts of 65,536; three windows; a tenth of the texts come again.
What both sides share (making traces, which archives' columns spare) is not counted.
"""

from __future__ import annotations

import random
from datetime import timedelta

from comity.engine.batch_history import BatchHistory
from comity.engine.history import History
from comity.engine.trace import Tracer
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from common import START, WORDS, expect, report, seconds

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
    online = seconds(lambda: alone.extend(one_by_one.take(trace)[0] for trace in traces))
    batch = seconds(lambda: tallied.extend(in_parts.take(part) for part in columns))
    expect(alone == [row for part in tallied for row in part.rows()], "batch and online counts differ")
    print(f"one by one {COUNT / online:,.0f} messages/s, in batch {COUNT / batch:,.0f} messages/s, three windows")
    report(online / batch, "x", target="the same counts, and > 150,000 messages/s for windows alone")


main()
