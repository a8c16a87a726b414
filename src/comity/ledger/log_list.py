"""C2SP tlog-list: the logs that a witness knows, one after the other, each with its key.

logs/v0
vkey VKEY
[origin ORIGIN]
qpd REQUESTS-A-DAY
contact TEXT
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from comity.ledger.note import NoteError, VerifierKey

LARGEST_LIST: Final = 10_000_000
MOST_LOGS: Final = 10_000
_HEADER: Final = "logs/v0"
_QPD: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


class LogListError(ValueError):
    """A list of logs cannot be read; the message names the line and the mend."""


def parse_log_list(content: bytes) -> Mapping[str, VerifierKey]:
    """The key of each log by its origin. Raises `LogListError` naming the line."""
    if len(content) > LARGEST_LIST:
        raise LogListError(f"The list has {len(content)} bytes, more than the {LARGEST_LIST} that are read.")
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise LogListError(f"The list is not UTF-8 from byte {error.start} on.") from error
    stripped = ((n, line.strip(" \t")) for n, line in enumerate(lines, start=1))
    said = [(n, line) for n, line in stripped if line and not line.startswith("#")]
    if not said or said[0][1] != _HEADER:
        raise LogListError(f"Line {said[0][0] if said else 1} is not `{_HEADER}`, with which a list of logs begins.")
    logs: dict[str, VerifierKey] = {}
    rest = said[1:]
    while rest:
        origin, key, taken = _log(rest)
        if origin in logs:
            raise LogListError(f"Line {rest[0][0]} begins a second log with the origin {origin[:80]!r}.")
        if len(logs) == MOST_LOGS:
            raise LogListError(f"Line {rest[0][0]} begins one log too many: at most {MOST_LOGS} are read.")
        logs[origin] = key
        rest = rest[taken:]
    return logs


def _log(lines: list[tuple[int, str]]) -> tuple[str, VerifierKey, int]:
    """Origin and key of the first log, and how many lines it has."""
    has_origin = len(lines) > 1 and lines[1][1].partition(" ")[0] == "origin"
    names = ("vkey", "origin", "qpd", "contact") if has_origin else ("vkey", "qpd", "contact")
    values = {}
    for at, name in enumerate(names):
        n, line = lines[at] if at < len(lines) else (lines[-1][0] + 1, "")
        word, _, value = line.partition(" ")
        if word != name or not value.strip(" \t"):
            raise LogListError(f"Line {n} is not `{name}` and its value; a log is {', '.join(names)}, in this order.")
        values[name] = n, value.strip(" \t")
    n, qpd = values["qpd"]
    if not _QPD.fullmatch(qpd) or int(qpd) >= 2**31:
        raise LogListError(f"Line {n}: {qpd[:40]!r} is no number of requests a day from 1 to {2**31 - 1}.")
    n, vkey = values["vkey"]
    try:
        key = VerifierKey.parse(vkey)
    except NoteError as error:
        raise LogListError(f"Line {n} has no key of a log: {error}") from error
    return values["origin"][1] if has_origin else key.name, key, len(names)
