"""Archives in parts: together they give what reading the whole gives, and quick reading what careful reading gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from comity.flow.rows import Rows, rows_of
from comity.intake import parquet
from comity.intake import parts as module
from comity.intake.archives import read_archives
from comity.intake.parts import messages_at, parts_of, read_part, rows_in

START = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 40


def columns() -> dict[str, list[object]]:
    return {
        "id": [f"m{number}" for number in range(COUNT)],
        "author": [f"a{number % 7}" for number in range(COUNT)],
        "channel": ["posts" if number % 3 else "mail" for number in range(COUNT)],
        "text": [("Grüße " if number % 5 else "") + f"http://{number}.example" for number in range(COUNT)],
        "sent": [START + timedelta(minutes=number) for number in range(COUNT)],
        "author_created": [None if number % 4 else START - timedelta(days=number) for number in range(COUNT)],
        "label": [None if number % 6 else "spam" for number in range(COUNT)],
        "subject": [None if number % 2 else f"S{number}" for number in range(COUNT)],
    }


def written(folder: Path, changes: Mapping[str, Sequence[object]], *, row_group_size: int = 8) -> str:
    file = folder / "messages.parquet"
    pq.write_table(pa.table(columns() | changes), file, row_group_size=row_group_size)
    return str(file)


def test_what_stands_before_damage_is_read_quickly_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_ROWS", 8)
    file, table = tmp_path / "messages.parquet", pa.table(columns() | {"text": [f"letter {n}" for n in range(COUNT)]})
    pq.write_table(
        table,
        file,
        use_dictionary=False,
        compression="none",
        data_page_size=1,
        write_batch_size=4,
        write_statistics=False,
    )
    raw = file.read_bytes()
    at = raw.index(b"letter 28")
    file.write_bytes(raw[: at - 30] + bytes([255] * 26) + raw[at - 4 :])
    (part,) = parts_of([str(file)])
    careful = [(shown(rows_of(taken.messages)), problem is None) for taken, problem in read_part(part)]
    quick = [(shown(rows), problem is None) for rows, _, problem in rows_in(part, with_times=False)]
    assert quick == careful
    assert len(careful) == 4


def test_the_bytes_of_texts_are_known_where_they_are_read_quickly(tmp_path: Path) -> None:
    (part,) = parts_of([written(tmp_path, {"text": ["Grüße"] * COUNT})])
    assert [rows.bytes for rows, _, _ in rows_in(part, with_times=False)] == [8 * len("Grüße".encode())] * 5
    (part,) = parts_of([written(tmp_path, CHANGES["lists beside"])])
    assert {rows.bytes for rows, _, _ in rows_in(part, with_times=False)} == {None}


def shown(rows: Rows) -> list[tuple[object, ...]]:
    """What a scan sees of each message."""

    def names(of: str) -> list[str]:
        named = getattr(rows, of)
        return [named.names[code] for code in named.codes.tolist()]

    pieces = [piece.text(place) for piece in rows.texts.pieces() for place in range(len(piece))]
    codes = range(len(rows)) if rows.texts.codes is None else rows.texts.codes.tolist()
    texts = [(message.text, message.subject, message.channel) for message in rows.messages()]
    assert [text for text, _, _ in texts] == [pieces[code] for code in codes]
    numbers = zip(rows.sent.tolist(), rows.created.tolist(), strict=True)
    return list(zip(texts, numbers, names("authors"), names("channels"), names("labels"), strict=True))


@pytest.mark.parametrize("rows", [8, 16, 1000])
def test_parts_together_are_the_archive(tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_ROWS", rows)
    archive = written(tmp_path, {})
    parts = parts_of([archive])
    assert len(parts) == -(-COUNT // rows)
    whole = [message for batch in read_archives([archive]) for message in batch.messages]
    assert [message for part in parts for taken, _ in read_part(part) for message in taken.messages] == whole


CHANGES: dict[str, dict[str, Sequence[object]]] = {
    "nothing odd": {},
    "times without a zone": {"sent": pa.array([START.replace(tzinfo=None)] * COUNT, pa.timestamp("s"))},
    "nanoseconds": {"sent": pa.array([-1_500_000_001] * COUNT, pa.timestamp("ns", "UTC"))},
    "numbers for ids": {"id": list(range(COUNT)), "author": [number % 5 for number in range(COUNT)]},
    "an empty id": {"id": ["" if number == 9 else f"m{number}" for number in range(COUNT)]},
    "a missing text": {"text": [None if number == 9 else "hello" for number in range(COUNT)]},
    "an impossible channel": {"channel": ["No Channel" if number == 9 else "posts" for number in range(COUNT)]},
    "a text too long": {"text": ["ü" * 600_000 if number == 9 else "hello" for number in range(COUNT)]},
    "bytes that are no text": {"author": pa.array([b"\xff"] * COUNT, pa.binary()).view(pa.string())},
    "times as text": {"sent": ["2026-01-01T00:00:00Z"] * COUNT},
    "a time after all times": {"sent": pa.array([10**15] * COUNT, pa.timestamp("s", "UTC"))},
    "lists beside": {"links": [["http://a.example"]] * COUNT},
    "labels that are numbers": {"label": [1] * COUNT},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("with_times", [True, False])
def test_quick_reading_gives_what_careful_reading_gives(
    tmp_path: Path, changes: Mapping[str, Sequence[object]], *, with_times: bool
) -> None:
    (part,) = parts_of([written(tmp_path, changes)])
    quick = [(shown(rows), taken.rejects) for rows, taken, _ in rows_in(part, with_times=with_times)]
    careful = [(shown(rows_of(taken.messages)), taken.rejects) for taken, _ in read_part(part)]
    assert quick == careful


def test_only_a_plain_batch_is_read_quickly(tmp_path: Path) -> None:
    quickly = {}
    for name, changes in CHANGES.items():
        (part,) = parts_of([written(tmp_path, changes)])
        quickly[name] = all(rows.are_stubs for rows, _, _ in rows_in(part, with_times=False))
    fine = {"nothing odd", "times without a zone", "nanoseconds", "numbers for ids", "labels that are numbers"}
    assert {name for name, is_quick in quickly.items() if is_quick} == fine


@pytest.mark.parametrize("changes", [{}, CHANGES["an empty id"]], ids=["all fine", "one rejected"])
@pytest.mark.parametrize("rows", [[], [0], [7, 8, 9], [3, 20, 38], list(range(39))])
def test_messages_are_found_by_their_places(
    tmp_path: Path, changes: Mapping[str, Sequence[object]], rows: list[int]
) -> None:
    (part,) = parts_of([written(tmp_path, changes)])
    every = [message for taken, _ in read_part(part) for message in taken.messages]
    for size in (None, 100, 1 << 40):  # texts together: not known, few, too many to be read without a dictionary
        found = list(messages_at(part, rows, is_whole=not changes, size=size))
        assert found == [(row, every[row]) for row in rows]
