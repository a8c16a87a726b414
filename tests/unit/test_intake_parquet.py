"""Parquet: columns of many types, and files that are damaged or made to hurt."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from intake_reading import All, read, stored

SENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROWS = 3


def table(**columns: object) -> pa.Table:
    """A table of three good records, with columns changed or, by `None`, left out."""
    every: dict[str, object] = {
        "id": ["1", "2", "3"],
        "author": ["ada"] * ROWS,
        "channel": ["posts"] * ROWS,
        "text": ["a", "b", "c"],
        "sent": pa.array([SENT] * ROWS, pa.timestamp("ms", tz="UTC")),
    }
    return pa.table({name: column for name, column in (every | columns).items() if column is not None})


def given(tmp_path: Path, content: pa.Table, **options: object) -> All:
    pq.write_table(content, tmp_path / "a.parquet", **options)
    return read(tmp_path / "a.parquet")


SENTS = {
    "timestamp[s]": pa.array([SENT] * ROWS, pa.timestamp("s", tz="UTC")),
    "timestamp[us]": pa.array([SENT] * ROWS, pa.timestamp("us", tz="Europe/Berlin")),
    "timestamp[ns]": pa.array([SENT] * ROWS, pa.timestamp("ns", tz="UTC")),
    "timestamp without a zone": pa.array([SENT.replace(tzinfo=None)] * ROWS, pa.timestamp("ms")),
    "text": ["2026-01-31T13:00:00+01:00"] * ROWS,
    "seconds": [1769860800] * ROWS,
    "fractional seconds": [1769860800.0] * ROWS,
}


@pytest.mark.parametrize("sent", SENTS.values(), ids=SENTS.keys())
def test_times_come_in_many_types(sent: object, tmp_path: Path) -> None:
    assert [message.sent for message in given(tmp_path, table(sent=sent)).messages] == [SENT] * ROWS


STRINGS = {
    "large": pa.array(["a", "b", "c"], pa.large_string()),
    "view": pa.array(["a", "b", "c"], pa.string_view()),
    "dictionary": pa.array(["a", "b", "c"]).dictionary_encode(),
}


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS.keys())
def test_strings_come_in_many_types(text: object, tmp_path: Path) -> None:
    assert given(tmp_path, table(text=text)).texts == ["a", "b", "c"]


LISTS = {
    "list": pa.array([["x", "y"], None, []]),
    "large list": pa.array([["x", "y"], None, []], pa.large_list(pa.large_string())),
    "words": ["x y", None, ""],
    "JSON": ['["x", "y"]', None, "[]"],
}


@pytest.mark.parametrize("links", LISTS.values(), ids=LISTS.keys())
def test_lists_come_in_many_types(links: object, tmp_path: Path) -> None:
    assert [message.links for message in given(tmp_path, table(links=links)).messages] == [("x", "y"), None, ()]


METAS = {
    "map": pa.array([[("k", "v")], None, [("k", None)]], pa.map_(pa.string(), pa.string())),
    "struct": pa.array(
        [{"k": "v", "n": None}, None, {"k": None, "n": None}], pa.struct({"k": pa.string(), "n": pa.int64()})
    ),
    "JSON": ['{"k": "v"}', None, "{}"],
}


@pytest.mark.parametrize("meta", METAS.values(), ids=METAS.keys())
def test_maps_come_in_many_types(meta: object, tmp_path: Path) -> None:
    assert [dict(message.meta) for message in given(tmp_path, table(meta=meta)).messages] == [{"k": "v"}, {}, {}]


def test_columns_of_single_meta_values_are_joined(tmp_path: Path) -> None:
    columns = {"meta": ['{"a": "x"}', None, None], "meta.score": [0.5, 1.0, None]}
    messages = given(tmp_path, table(**columns)).messages
    assert [dict(message.meta) for message in messages] == [{"a": "x", "score": "0.5"}, {"score": "1.0"}, {}]


def test_numbers_claims_and_labels_come_in_their_types(tmp_path: Path) -> None:
    columns = {
        "id": [1, 2, 3],
        "reach": pa.array([1.0, None, 3.0]),
        "is_reply": [True, False, None],
        "label": pa.array([["spam", "sure"], [], None]),
        "subject": pa.nulls(ROWS),
    }
    messages = given(tmp_path, table(**columns)).messages
    assert [(m.id, m.reach, m.is_reply, m.label) for m in messages] == [
        ("1", 1, True, "spam sure"),
        ("2", 0, False, ""),
        ("3", 3, False, ""),
    ]


WRONG = {
    "text": ([1, 2, 3], "`text` holds int64, but `text` must hold strings"),
    "id": ([1.5, 2.5, 3.5], "holds double"),
    "sent": (pa.array([SENT.date()] * ROWS), "holds date32[day]"),
    "links": (pa.array([[1], [2], [3]]), "holds list<element: int64>"),
    "channel": (pa.array([b"a", b"b", b"c"]), "holds binary"),
    "meta": (pa.array([[1], [2], [3]]), "must hold maps"),
    "reach": (pa.array([True, False, True]), "holds bool"),
}


@pytest.mark.parametrize("column", WRONG)
def test_a_column_of_the_wrong_type_is_named_before_anything_is_read(column: str, tmp_path: Path) -> None:
    values, reason = WRONG[column]
    read_ = given(tmp_path, table(**{column: values}))
    assert (read_.messages, read_.rejects) == ((), ())
    assert reason in read_.problems[0].what
    assert read_.problems[0].mend


def test_missing_columns_are_named_with_the_nearest(tmp_path: Path) -> None:
    read_ = given(tmp_path, table(text=None, body=["a", "b", "c"], sent=None, sendt=[0, 0, 0]))
    assert read_.problems[0].what == "no column `text`, `sent`"
    assert read_.problems[0].mend == "say --map text=body --map sent=sendt"


def test_a_bad_row_is_rejected_with_its_number_and_stops_nothing(tmp_path: Path) -> None:
    read_ = given(tmp_path, table(author=["ada", None, "eve"], reach=[1, -1, 2]))
    assert [message.id for message in read_.messages] == ["1", "3"]
    [reject] = read_.rejects
    assert str(reject.place) == f"{tmp_path / 'a.parquet'}, row 2"
    assert reject.reason == "`author` is missing; `reach` lies outside 0 to 2147483648"
    assert b'"reach": -1' in reject.raw


def test_rows_are_counted_through_batches_and_row_groups(tmp_path: Path) -> None:
    size = 20_000
    column = ["x"] * size
    column[15_000] = None
    every = {"id": [str(n) for n in range(size)], "author": column, "channel": ["posts"] * size, "text": ["t"] * size}
    read_ = given(tmp_path, pa.table(every | {"sent": [0] * size}), row_group_size=3000)
    assert [message.id for message in read_.messages] == [str(n) for n in range(size) if n != 15_000]
    assert read_.rejects[0].place.number == 15_001


def test_strings_that_are_not_utf_8_are_rejected_row_by_row(tmp_path: Path) -> None:
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 1, 3, 4)))
    bad = pa.Array.from_buffers(pa.string(), ROWS, [None, offsets, pa.py_buffer(b"a\xff\xfec")])
    for store in (True, False):
        read_ = given(tmp_path, table(text=bad), use_dictionary=store)
        assert read_.texts == ["a", "c"]
        assert "not UTF-8" in read_.reasons[0]


def test_times_that_no_calendar_holds_are_rejected_row_by_row(tmp_path: Path) -> None:
    sent = pa.array([0, 253402300800, -(10**14)], pa.timestamp("s", tz="UTC"))
    read_ = given(tmp_path, table(sent=sent))
    assert len(read_.messages) == 1
    assert ["years 1 to 9999" in reason for reason in read_.reasons] == [True, True]


def test_a_truncated_file_is_a_problem(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    for size in (0, 3, 4, 12, len(whole) // 2, len(whole) - 1):
        [problem] = read(stored(tmp_path / "b.parquet", whole[:size])).problems
        assert "damaged or cut short" in problem.what
        assert problem.mend


def test_rows_before_the_damage_are_given(tmp_path: Path) -> None:
    size = 50_000
    every = {"id": [str(n) for n in range(size)], "author": ["a"] * size, "channel": ["posts"] * size}
    every |= {"text": [f"{n:0100}" for n in range(size)], "sent": [0] * size}
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table(every), file, row_group_size=10_000, compression="none", use_dictionary=False)
    start = pq.read_metadata(file).row_group(3).column(0).data_page_offset
    with open(file, "r+b") as hole:
        hole.seek(start)
        hole.write(b"\xff" * 100)
    read_ = read(file)
    assert len(read_.messages) >= 16_384
    assert read_.messages[0].id == "0"
    assert f"after row {len(read_.messages):,}" in read_.problems[0].what


def test_one_long_text_in_many_rows_is_held_once(tmp_path: Path) -> None:
    size = 20_000
    long = pa.DictionaryArray.from_arrays(pa.array([0] * size, pa.int32()), pa.array(["x" * (1 << 20)]))
    every = {"id": [str(n) for n in range(size)], "author": ["a"] * size, "channel": ["posts"] * size}
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table(every | {"text": long, "sent": [0] * size}), file, store_schema=False)
    assert file.stat().st_size < 1 << 20
    before = pa.total_allocated_bytes()
    highest = 0
    messages = []
    for message in read(file).messages:
        messages.append(message)
        highest = max(highest, pa.total_allocated_bytes() - before)
    assert len({id(message.text) for message in messages}) <= size // 8192 + 1
    assert highest < 64 << 20


def test_a_dictionary_that_is_greater_than_a_batch_is_taken_in_parts(tmp_path: Path) -> None:
    size = 60_000
    words = [f"word {number}" for number in range(size)]
    every = {"id": words, "author": ["a"] * size, "channel": ["posts"] * size, "text": words, "sent": [0] * size}
    assert given(tmp_path, pa.table(every), dictionary_pagesize_limit=1 << 30).texts == words


def test_a_column_given_twice_is_a_problem(tmp_path: Path) -> None:
    columns = table()
    doubled = pa.table([*columns.columns, columns["text"]], names=[*columns.column_names, "text"])
    assert given(tmp_path, doubled).problems[0].what == "column `text` is there twice"


def test_an_empty_table_is_no_problem(tmp_path: Path) -> None:
    read_ = given(tmp_path, table().slice(0, 0))
    assert (read_.messages, read_.rejects, read_.problems) == ((), (), ())
