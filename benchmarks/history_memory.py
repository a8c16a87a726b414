"""Memory of history: a million accounts with two messages each, in three windows that all still hold them.

Judged one by one as `comity run` does, with texts that are all different and two recipients a message. What is counted
is what the process takes beyond its start, so the generator's own memory is in the figure.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from datetime import timedelta

from comity.engine.history import History
from comity.engine.trace import Tracer
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from common import START, expect, report

ACCOUNTS = 1_000_000
EACH = 2
WINDOWS = (
    Window(counted=Counted.MESSAGES, within=timedelta(hours=1)),
    Window(counted=Counted.COPIES, within=timedelta(days=1)),
    Window(counted=Counted.RECIPIENTS, within=timedelta(days=7)),
)


def messages() -> Iterator[Message]:
    for number in range(ACCOUNTS * EACH):
        yield Message(
            id=MessageId(str(number)),
            author=AccountId(f"account-{number % ACCOUNTS}"),
            channel=Channel("mail"),
            text=f"text number {number}",
            sent=START + timedelta(milliseconds=10 * number),
            to=(f"a{number}@example.org", f"b{number}@example.org"),
        )


def peak() -> float:
    """In bytes. Linux counts in KiB, macOS in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def main() -> None:
    before = peak()
    tracer, history = Tracer(WINDOWS, key=b"a key for a benchmark"), History(WINDOWS, lateness=timedelta(hours=1))
    for message in messages():
        counts, late = history.take(tracer.trace(message))
    expect(not late, "the last message came too late")
    expect(counts == {WINDOWS[0]: 1, WINDOWS[1]: 1, WINDOWS[2]: 2 * EACH}, f"the last counts are {counts}")
    expect(len(history) == ACCOUNTS * EACH * 4, f"{len(history)} entries are kept")
    taken = peak() - before
    print(f"start {before / 1e6:.0f} MB, end {peak() / 1e6:.0f} MB, {taken / ACCOUNTS:.0f} bytes an account")
    report(peak() / 1e6, "MB", target="< 1000 MB with 1,000,000 accounts and three windows")


main()
