"""One message as JSON, from a file or from standard input."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from comity.app.errors import Exit, StopError
from comity.app.terminal import parse_name
from comity.intake.archives import read_archives
from comity.intake.paths import shown
from comity.model.message import Message


def read_message(name: str, given: Mapping[str, str]) -> Message:
    """The message in the file `name` (`-`: standard input); what it leaves out is as `given`. Raises `StopError`.

    Its source is the one that it names itself, or else the name of the file, as in an archive.
    """
    try:
        said = json.loads(sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        help_ = 'It holds one JSON object, such as {"text": "hello", "author": "ann"}.'
        raise StopError(f"{name} cannot be read: {error}", help=help_, code=Exit.USAGE) from error
    if not isinstance(said, dict):
        raise StopError(f"{name} holds no JSON object", help='Write {"text": "hello"}.', code=Exit.USAGE)
    source = _source(name, said.get("source"))
    with tempfile.TemporaryDirectory() as folder:
        line = Path(folder) / "message.jsonl"
        line.write_text(json.dumps({**given, **said}))
        (batch,) = read_archives([str(line)], source=source)
    for refused in batch.rejects:
        raise StopError(f"{name}: {refused.reason}", help=refused.mend, code=Exit.USAGE)
    return batch.messages[0]


def _source(name: str, said: object) -> str:
    if said is None:
        return "stdin" if name == "-" else shown(Path(name).resolve().name)
    if not isinstance(said, str):
        raise StopError(f"{name}: the source is no text", help='Write {"source": "forum"}.', code=Exit.USAGE)
    return parse_name(said, f"{name}: the source")
