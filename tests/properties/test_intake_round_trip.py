"""What is written to an archive is read from it, whatever the format: all formats give the same messages."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.intake.archives import read_archives
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message

Record = Mapping[str, object]
Write = Callable[[Path, Sequence[Record]], Path]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
words = st.lists(text, max_size=3).map(tuple)
lower_words = st.lists(st.from_regex(r"[a-zà-ÿ]{1,8}", fullmatch=True), max_size=3).map(tuple)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
messages = st.builds(
    Message,
    id=name.map(MessageId),
    author=name.map(AccountId),
    channel=st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True).map(Channel),
    text=text,
    sent=moments,
    source=st.just("forum"),
    subject=text,
    language=st.text("abcdeXYZ-", min_size=1, max_size=9),
    links=st.none() | words,
    mentions=st.none() | lower_words,
    hashtags=st.none() | lower_words,
    attachments=st.lists(st.sampled_from(["image/png", "text/plain"]), max_size=2).map(tuple),
    hashes=words,
    to=words,
    is_reply=st.booleans(),
    edit_of=text,
    reach=st.integers(0, 1 << 31),
    meta=st.dictionaries(name, text, max_size=3),
    label=text,
    author_created=st.none() | moments,
    author_roles=words,
    author_labels=words,
)
LISTS = ("links", "mentions", "hashtags", "attachments", "hashes", "to", "author_roles", "author_labels")
NO_COLUMN = ("source", "unquoted", "domains")


def record(message: Message) -> dict[str, object]:
    """The message as a record; an `edit_of` of nothing is left out, as every source would."""
    values = {field: getattr(message, field) for field in message.__struct_fields__ if field not in NO_COLUMN}
    return values | {"edit_of": message.edit_of or None, "meta": dict(message.meta)}


def write_json(file: Path, records: Sequence[Record]) -> Path:
    file = file.with_suffix(".jsonl")
    file.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in records))
    return file


def write_json_gzip(file: Path, records: Sequence[Record]) -> Path:
    packed = file.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(write_json(file, records).read_bytes(), 1))
    return packed


def cell(value: object) -> object:
    match value:
        case tuple() | dict():
            return json.dumps(value)
        case datetime():
            return value.isoformat()
        case _:
            return value


def write_csv(file: Path, records: Sequence[Record]) -> Path:
    file = file.with_suffix(".csv")
    written = io.StringIO(newline="")
    rows = csv.DictWriter(written, list(records[0]))
    rows.writeheader()
    rows.writerows({field: cell(value) for field, value in one.items()} for one in records)
    file.write_bytes(written.getvalue().encode())
    return file


def write_parquet(file: Path, records: Sequence[Record]) -> Path:
    file = file.with_suffix(".parquet")
    types = {"sent": pa.timestamp("us", tz="UTC"), "author_created": pa.timestamp("us", tz="UTC")}
    types |= {field: pa.list_(pa.string()) for field in records[0] if field in LISTS}
    types |= {"meta": pa.map_(pa.string(), pa.string()), "reach": pa.int64(), "is_reply": pa.bool_()}
    columns = {
        field: pa.array([arrow(one[field]) for one in records], types.get(field, pa.string())) for field in records[0]
    }
    pq.write_table(pa.table(columns), file)
    return file


def arrow(value: object) -> object:
    return list(value.items()) if isinstance(value, dict) else value


WRITERS = {"JSON Lines": write_json, "gzip": write_json_gzip, "CSV": write_csv, "Parquet": write_parquet}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
@given(st.lists(messages, min_size=1, max_size=5))
def test_what_is_written_is_read(
    write: Write, tmp_path_factory: pytest.TempPathFactory, given_messages: list[Message]
) -> None:
    file = write(tmp_path_factory.getbasetemp() / "archive", [record(message) for message in given_messages])
    batches = list(read_archives([str(file)], source="forum"))
    assert [reject for batch in batches for reject in batch.rejects] == []
    assert [batch.problem for batch in batches if batch.problem] == []
    assert [message for batch in batches for message in batch.messages] == given_messages
