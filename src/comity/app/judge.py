"""`comity judge`: findings for every message of archives; no record is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from comity.app.archives import demand_apart, each_batch, on_other_channels
from comity.app.check import checked_agreement
from comity.app.errors import Exit, StopError
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out as terminal
from comity.casework.wording import counted
from comity.flow.judge import Judging
from comity.model.finding import Finding
from comity.model.message import Message

_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("message", pa.string()),
        ("author", pa.string()),
        ("sent", pa.timestamp("us", tz="UTC")),
        ("clause", pa.string()),
        ("evidence", pa.string()),
    ]
)

Row = dict[str, object]
Keep = Callable[[list[Row]], None]


def judge(
    path: Path,
    archives: Sequence[str],
    mapping: Sequence[str],
    *,
    source: str | None,
    out: Path | None,
    rejects: Path,
    as_json: bool,
) -> Exit:
    """Exit code 1 if records were rejected; breaches are no problem of the command's."""
    agreement = checked_agreement(path)
    judging = Judging(agreement)
    clauses: Counter[str] = Counter()
    breaching = elsewhere = 0
    with ExitStack() as stack:
        if out is not None:
            demand_apart(out, archives)
        keep = keeper(out, stack)

        def work(messages: Sequence[Message]) -> str:
            nonlocal breaching, elsewhere
            found = list(zip(messages, judging.judge_batch(messages), strict=True))
            elsewhere += sum(message.channel not in agreement.channels for message in messages)
            breaching += sum(bool(findings) for _, findings in found)
            clauses.update(finding.clause for _, findings in found for finding in findings)
            keep([row for message, findings in found for row in rows_of(message, findings)])
            return f"{breaching:,} breaching"

        read = each_batch("judging", archives, mapping, source, rejects, work)
    if as_json:
        found = {"messages": read.messages, "elsewhere": elsewhere, "breaching": breaching, "clauses": dict(clauses)}
        print_json({**found, "rejects": read.rejects})
        return read.exit_code
    verb = "breaches" if breaching == 1 else "breach"
    terminal.print(f"{counted(read.messages, 'message')}, {breaching:,} of which {verb} the agreement.")
    if elsewhere:
        told = on_other_channels(elsewhere, read.messages, agreement.channels, named_by="the agreement")
        terminal.print(told, markup=False)
    for clause in agreement.clauses:
        terminal.print(f"  {clause.id}: {clauses[clause.id]:,}", markup=False)
    return read.exit_code


def keeper(out: Path | None, stack: ExitStack) -> Keep:
    """Writes rows to `out`, as its suffix says, until the stack is left. Raises `StopError` for another suffix."""
    if out is None:
        return lambda rows: None
    if out.suffix == ".parquet":
        writer = stack.enter_context(pq.ParquetWriter(out, _SCHEMA))
        return lambda rows: writer.write_table(pa.Table.from_pylist(rows, _SCHEMA)) if rows else None
    if out.suffix in (".jsonl", ".ndjson"):
        file = stack.enter_context(out.open("wb"))
        encoder = msgspec.json.Encoder()
        return lambda rows: file.writelines(encoder.encode(row) + b"\n" for row in rows)
    raise StopError(f"findings cannot be written to {out}", help="Use a name in .jsonl or .parquet.", code=Exit.USAGE)


def rows_of(message: Message, findings: tuple[Finding, ...]) -> Iterator[Row]:
    """A row for each finding of the message."""
    for finding in findings:
        yield {
            "source": message.source,
            "message": message.id,
            "author": message.author,
            "sent": message.sent,
            "clause": finding.clause,
            "evidence": msgspec.json.encode(finding.evidence).decode(),
        }
