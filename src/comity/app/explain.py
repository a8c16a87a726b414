"""`comity explain`: why a message breaches a clause or does not, value by value."""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC
from pathlib import Path

from comity.app.check import checked_agreement
from comity.app.errors import Exit, StopError
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import SystemClock
from comity.casework.wording import printable
from comity.engine.plan import plan
from comity.flow.judge import Judging
from comity.intake.archives import read_archives
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
    try:
        given = json.loads(sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        help_ = 'It holds one JSON object, such as {"text": "hello", "author": "ann"}.'
        raise StopError(f"{name} cannot be read: {error}", help=help_, code=Exit.USAGE) from error
    if not isinstance(given, dict):
        raise StopError(f"{name} holds no JSON object", help='Write {"text": "hello"}.', code=Exit.USAGE)
    now = SystemClock().now().astimezone(UTC).isoformat()
    filled = {"id": "message", "author": "somebody", "channel": agreement.channels[0], "text": "", "sent": now} | given
    with tempfile.TemporaryDirectory() as folder:
        line = Path(folder) / "message.jsonl"
        line.write_text(json.dumps(filled))
        (batch,) = read_archives([str(line)])
    for refused in batch.rejects:
        raise StopError(f"{name}: {refused.reason}", help=refused.mend, code=Exit.USAGE)
    return batch.messages[0]
