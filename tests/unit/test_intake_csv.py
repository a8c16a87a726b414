"""CSV: a header, then records; what is not given is missing, what is broken is rejected with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from intake_reading import All, read, stored

from comity.intake.streams import RECORD_LIMIT

HEADER = b"id,author,channel,sent,text\n"


def row(id: str = "1", text: str = "hello") -> bytes:
    return f"{id},ada,posts,2026-01-31T12:00:00Z,{text}\n".encode()


def given(tmp_path: Path, *lines: bytes) -> All:
    return read(stored(tmp_path / "a.csv", *lines))


def test_quoted_cells_may_hold_anything(tmp_path: Path) -> None:
    assert given(tmp_path, HEADER, row(text='"a ""b"", c\nd\0"'), row("2", "é")).texts == ['a "b", c\nd\0', "é"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_the_delimiter_is_what_the_header_has_most_of(delimiter: str, tmp_path: Path) -> None:
    content = (HEADER + row()).replace(b",", delimiter.encode())
    assert read(stored(tmp_path / "a.tsv", content)).texts == ["hello"]


def test_a_mark_windows_line_ends_empty_lines_and_no_last_line_end_are_fine(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + HEADER + b"\n" + row() + b"\n" + row("2").strip()
    read_ = given(tmp_path, content.replace(b"\n", b"\r\n"))
    assert [message.id for message in read_.messages] == ["1", "2"]
    assert not read_.rejects


def test_an_empty_cell_is_missing_but_an_empty_text_is_a_text(tmp_path: Path) -> None:
    read_ = given(
        tmp_path, HEADER.replace(b"\n", b",subject,reach,links\n"), b"1,ada,posts,0,,,,\n", b"2,,posts,0,x,,,\n"
    )
    [message] = read_.messages
    assert (message.text, message.subject, message.reach, message.links) == ("", "", 0, None)
    assert read_.reasons == ["`author` is missing"]


def test_lists_maps_and_numbers_are_read_from_cells(tmp_path: Path) -> None:
    header = HEADER.replace(b"\n", b",to,meta,meta.score,is_reply,reach,label\n")
    line = row().replace(b"\n", b',"[""a b""]","{""k"": ""v""}",0.5,true,12,spam\n')
    [message] = given(tmp_path, header, line).messages
    assert message.to == ("a b",)
    assert message.meta == {"k": "v", "score": "0.5"}
    assert (message.is_reply, message.reach, message.label) == (True, 12, "spam")


BAD = {
    "too few cells": (b"1,ada\n", "has 2 cells, the header 5"),
    "too many cells": (b"1,ada,posts,0,a,b\n", "has 6 cells, the header 5"),
    "text after a quote": (b'1,ada,posts,0,"a"b\n', "is broken"),
    "not UTF-8": (b"1,ada,posts,0,\xff\n", "a byte that is not UTF-8"),
    "a surrogate": (b"1,ada,posts,0,\xed\xa0\x80\n", "a byte that is not UTF-8"),
    "a bare carriage return": (b"1,ada,posts,0,a\rb\n", "is broken"),
    "no time": (b"1,ada,posts,noon,a\n", "`sent` is no time"),
    "a long line": (b"1,ada,posts,0," + b"x" * RECORD_LIMIT + b"\n", "longer than 16,777,216 bytes"),
    "10 MB of text in lines": (b'1,ada,posts,0,"' + b"x\n" * 5_000_000 + b'"\n', "`text` is 10,000,000 bytes long"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_record_is_rejected_with_its_line_and_stops_nothing(bad: bytes, reason: str, tmp_path: Path) -> None:
    read_ = given(tmp_path, HEADER, row("before"), b"\n", bad, row("after"))
    assert [message.id for message in read_.messages] == ["before", "after"]
    assert reason in read_.rejects[0].reason
    assert read_.rejects[0].place.number == 4
    assert read_.rejects[0].raw.startswith(bad[:10])
    assert read_.rejects[0].mend


def test_lines_are_counted_within_records(tmp_path: Path) -> None:
    read_ = given(tmp_path, HEADER, row(text='"a\nb\nc"'), b"bad\n")
    assert read_.rejects[0].place.number == 5


def test_a_quote_that_is_not_closed_is_rejected_where_it_opens(tmp_path: Path) -> None:
    read_ = given(tmp_path, HEADER, row("1"), row("2", '"open'), row("3"))
    assert [message.id for message in read_.messages] == ["1"]
    [reject] = read_.rejects
    assert reject.place.number == 3
    assert "lines 3 to 4" in reject.reason


def test_a_quote_that_is_not_closed_takes_16_mib_at_most(tmp_path: Path) -> None:
    rows = [row(str(number), "x" * 1000) for number in range(RECORD_LIMIT // 1000)]
    read_ = given(tmp_path, HEADER, row("open", '"'), *rows, row("after"))
    assert [message.id for message in read_.messages][-1] == "after"
    [reject] = read_.rejects
    assert reject.place.number == 2
    assert "longer than" in reject.reason
    assert len(reject.raw) == 8192


def test_a_record_of_endless_quoted_cells_is_bounded(tmp_path: Path) -> None:
    cells = b'"' + b"x" * 1000 + b'\n",'
    read_ = given(tmp_path, HEADER, row("1"), cells * (2 * RECORD_LIMIT // len(cells)))
    assert [message.id for message in read_.messages] == ["1"]
    assert "longer than" in read_.rejects[0].reason


def test_columns_are_checked_before_any_record(tmp_path: Path) -> None:
    read_ = given(tmp_path, b"id,user,channel,ts,body\n", b"1,a,posts,0,x\n")
    assert not read_.rejects
    [problem] = read_.problems
    assert problem.what == "no column `author`, `text`, `sent`"
    assert problem.mend == "say --map author=user --map text=body --map sent=ts"


def test_ids_and_channels_that_are_not_there_can_be_made_up(tmp_path: Path) -> None:
    content = b"author,sent,text\nada,0,a\nbob,0,b\n"
    [problem] = read(stored(tmp_path / "a.csv", content)).problems
    assert problem.mend == "say --map 'id=#' --map channel==NAME; NAME is the channel that all came over"
    read_ = read(tmp_path / "a.csv", mapping={"id": "#", "channel": "=posts"})
    assert [message.id for message in read_.messages] == ["a.csv#2", "a.csv#3"]


def test_a_mapped_column_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    [problem] = read(stored(tmp_path / "a.csv", HEADER, row()), mapping={"meta.x": "y", "reach": "z"}).problems
    assert problem.what == "no column `z`, `y`"
    assert problem.mend.startswith("say --map reach=COLUMN --map meta.x=COLUMN; COLUMN is one of id, author")


def test_a_mistyped_mapping_names_the_nearest_column(tmp_path: Path) -> None:
    [problem] = read(
        stored(tmp_path / "a.csv", b"id,author,channel,my time,text\n"), mapping={"sent": "mytime"}
    ).problems
    assert problem.mend == "say --map 'sent=my time'"


def test_a_column_given_twice_is_a_problem_only_where_it_is_used(tmp_path: Path) -> None:
    [problem] = given(tmp_path, b"id,author,channel,sent,text,text\n").problems
    assert problem.what == "column `text` is there twice"
    assert given(tmp_path, HEADER.replace(b"\n", b",x,x\n"), row().replace(b"\n", b",1,2\n")).texts == ["hello"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", "id,text\n".encode("utf-16"), b"\0\0\0\0", b"\xff,\xfe\n", b'"id', b"x" * (RECORD_LIMIT + 2)],
)
def test_what_has_no_header_is_a_problem_with_a_mend(content: bytes, tmp_path: Path) -> None:
    [problem] = given(tmp_path, content).problems
    assert problem.mend
