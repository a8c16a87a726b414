"""`comity explain`: why a message breaches a clause or does not, value by value."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from comity.app.check import checked_agreement
from comity.app.errors import Exit, StopError
from comity.app.one_message import read_message
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import SystemClock
from comity.casework.wording import printable
from comity.engine.plan import plan
from comity.flow.judge import Judging
from comity.model.agreement import Agreement
from comity.model.message import Message


def explain(path: Path, message: str | None, *, code: bool, as_json: bool) -> Exit:
    """The trees of all rules that apply; with `code`, the generated function that judges."""
    agreement = checked_agreement(path)
    if code:
        out.print(plan(agreement).source, markup=False)
        return Exit.FINE
    if message is None:
        raise StopError("no message to explain", help="Name a file with one message as JSON.", code=Exit.USAGE)
    trees = Judging(agreement).explain(_message(message, agreement))
    if as_json:
        print_json({clause.id: tree for clause, tree in trees})
        return Exit.FINE
    for clause, tree in trees:
        out.print(f"{clause.id}: {'breached' if tree.value == 'true' else 'not breached'}", markup=False)
        out.print("".join(f"    {printable(line)}\n" for line in tree.drawn().splitlines()), markup=False, end="")
    if not trees:
        out.print("No clause with a rule applies to messages of that channel.")
    return Exit.FINE


def _message(name: str, agreement: Agreement) -> Message:
    """The message in a file or on standard input; what it leaves out that archives require is filled in."""
    now = SystemClock().now().astimezone(UTC).isoformat()
    given = {"id": "message", "author": "somebody", "channel": agreement.channels[0], "text": "", "sent": now}
    return read_message(name, given)
