"""Messages a second that are read from archives of each format; the closing figure is for Parquet.

Beside them, on the same data: what `pyarrow` and `json` do without checking anything or making messages.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from comity.intake.archives import read_archives
from common import expect, messages, report, seconds, write_json_lines

COUNT = 200_000


def write_csv(file: Path, records: list[dict[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.DictWriter(lines, list(records[0]))
        rows.writeheader()
        rows.writerows(records)


def write_parquet(file: Path, records: list[dict[str, str]]) -> None:
    table = pa.Table.from_pylist(records)
    sent = table["sent"].cast(pa.timestamp("ms", tz="UTC"))
    pq.write_table(table.set_column(table.column_names.index("sent"), "sent", sent), file, compression="zstd")


def read(file: Path) -> None:
    count = 0
    for batch in read_archives([str(file)]):
        expect(not batch.rejects and not batch.problem, f"{file.name} is not read whole")
        count += len(batch.messages)
    expect(count == COUNT, f"{file.name} gives {count} messages")


def rate(work: Callable[[], object]) -> float:
    return COUNT / min(seconds(work) for _ in range(3))


with tempfile.TemporaryDirectory() as name:
    records = list(messages(COUNT, breach_every=100, breach="now"))
    files = {kind: Path(name) / f"messages.{kind}" for kind in ("jsonl", "csv", "parquet")}
    write_json_lines(files["jsonl"], iter(records))
    write_csv(files["csv"], records)
    write_parquet(files["parquet"], records)
    rates = {kind: rate(lambda file=file: read(file)) for kind, file in files.items()}
    alone = {
        "jsonl": rate(lambda: [json.loads(line) for line in files["jsonl"].open("rb")]),
        "csv": rate(lambda: list(csv.DictReader(files["csv"].open(encoding="utf-8", newline="")))),
        "parquet": rate(lambda: pq.read_table(files["parquet"]).to_pylist()),
    }
for kind, each in rates.items():
    print(f"{kind}: {each:,.0f} messages/s; parsed alone, unchecked, by the library: {alone[kind]:,.0f}/s")
report(rates["parquet"] / 1000, "k/s", target=">= 150 k/s")
