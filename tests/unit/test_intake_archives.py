"""Archives as a command line names them: files, globs, folders, standard input; their order, source and progress."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from intake_reading import RECORD, line, read, stored

from comity.intake.archives import JUNK_LIMIT, read_archives
from comity.intake.columns import parse_mapping
from comity.intake.problems import ArchiveError

MAIL = b"From: ada@a.example\nDate: Sat, 31 Jan 2026 12:00:00 +0000\n\nhello"


def refusal(*paths: str, mapping: dict[str, str] | None = None) -> ArchiveError:
    with pytest.raises(ArchiveError) as caught:
        read_archives(paths, mapping=mapping or {})
    return caught.value


def test_archives_are_read_in_the_order_given(tmp_path: Path) -> None:
    one = stored(tmp_path / "1.jsonl", line(text="one"))
    two = stored(tmp_path / "2.jsonl", line(text="two"))
    assert read(two, one).texts == ["two", "one"]


def test_a_glob_names_files_in_order_of_name_and_each_once(tmp_path: Path) -> None:
    (tmp_path / "2025").mkdir()
    for name in ("b.jsonl", "a.jsonl", "2025/c.jsonl"):
        stored(tmp_path / name, line(text=name))
    assert read(tmp_path / "*.jsonl").texts == ["a.jsonl", "b.jsonl"]
    assert read(tmp_path / "**" / "*.jsonl", tmp_path / "a.jsonl").texts == ["2025/c.jsonl", "a.jsonl", "b.jsonl"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tmp_path: Path) -> None:
    assert read(stored(tmp_path / "[a]*.jsonl", line())).texts == ["hello"]


def test_paths_that_name_nothing_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    there = str(stored(tmp_path / "a.jsonl", line()))
    assert "no such file" in refusal(there, str(tmp_path / "b.jsonl")).what
    assert "no such file" in refusal(there, str(tmp_path / "*.csv")).what
    assert "no archive" in refusal().what
    assert "standard input" in refusal("-").what
    assert "neither a file nor a folder" in refusal(os.devnull).what


def test_standard_input_is_json_lines() -> None:
    given = read("-", stdin=line() + line(id="2"))
    assert [message.source for message in given.messages] == ["stdin", "stdin"]


def test_standard_input_is_passed_on_as_it_comes() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as stdin, open(writing, "wb", buffering=0) as pipe:
        batches = read_archives(["-"], stdin=stdin)
        pipe.write(line(text="first"))
        assert [message.text for message in next(batches).messages] == ["first"]
        pipe.write(line(text="second"))
        assert [message.text for message in next(batches).messages] == ["second"]


def test_the_source_is_the_name_of_the_file_unless_it_is_given(tmp_path: Path) -> None:
    file = stored(tmp_path / "a.jsonl", line())
    assert read(file).messages[0].source == "a.jsonl"
    assert read(file, source="forum").messages[0].source == "forum"
    assert read(file, source="").messages[0].source == ""


def test_a_format_is_told_by_the_suffix_or_else_by_the_beginning(tmp_path: Path) -> None:
    assert read(stored(tmp_path / "a.JSON", line())).texts == ["hello"]
    assert read(stored(tmp_path / "b", b"\n " + line())).texts == ["hello"]
    assert read(stored(tmp_path / "c", MAIL)).texts == ["hello"]
    assert read(stored(tmp_path / "d", b"From ada@a.example Sat Jan 31 12:00:00 2026\n" + MAIL)).texts == ["hello"]
    assert read(stored(tmp_path / "e", gzip.compress(line()))).texts == ["hello"]
    [problem] = read(stored(tmp_path / "f", b"\0\1\2\3")).problems
    assert "format is unknown" in problem.what
    assert ".parquet" in problem.mend


def test_a_folder_is_one_archive_of_mails(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    for name in ("cur", "new", "tmp", ".Trash"):
        (folder / name).mkdir(parents=True)
        stored(folder / name / f"1.{name}:2,S", MAIL + name.encode())
    stored(folder / "new" / "2.bad", b"nothing")
    given = read(folder)
    assert given.texts == ["hellocur", "hellonew"]
    assert {message.source for message in given.messages} == {"inbox"}
    assert [reject.place.archive for reject in given.rejects] == [str(folder / "new" / "2.bad")]


def test_a_folder_of_other_archives_is_not_taken_for_mails(tmp_path: Path) -> None:
    stored(tmp_path / "a.csv", b"id")
    assert "glob" in refusal(str(tmp_path)).mend
    (tmp_path / "empty").mkdir()
    assert "empty" in refusal(str(tmp_path / "empty")).what


def test_a_broken_archive_does_not_stop_the_next(tmp_path: Path) -> None:
    bad = stored(tmp_path / "bad.parquet", b"PAR1 and no more")
    given = read(bad, stored(tmp_path / "good.jsonl", line()))
    assert given.texts == ["hello"]
    assert [problem.archive for problem in given.problems] == [str(bad)]


def test_an_unreadable_file_is_a_problem_of_that_archive(tmp_path: Path) -> None:
    file = stored(tmp_path / "a.jsonl", line())
    batches = read_archives([str(file)])
    file.unlink()
    [batch] = batches
    assert batch.problem is not None
    assert "cannot be read" in batch.problem.what


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    files = [stored(tmp_path / f"{n}.jsonl", line() * 30_000) for n in range(3)]
    done = [(batch.done, batch.total) for batch in read_archives([str(file) for file in files])]
    total = sum(file.stat().st_size for file in files)
    assert done == sorted(done)
    assert done[-1] == (total, total)
    assert len(done) > 6


def test_an_archive_of_junk_is_given_up(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", b"junk\n" * 1_000_000, line()))
    assert not given.messages
    assert JUNK_LIMIT <= len(given.rejects) < 300_000
    assert "not one of the first" in given.problems[0].what
    assert "line" in given.problems[0].mend


def test_junk_after_a_good_record_is_only_rejected(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", line(), b"junk\n" * (JUNK_LIMIT * 2), line(id="2")))
    assert len(given.messages) == 2
    assert len(given.rejects) == JUNK_LIMIT * 2
    assert not given.problems


def test_a_mapping_names_columns_constants_and_numbers(tmp_path: Path) -> None:
    file = stored(tmp_path / "a.jsonl", b'{"user": "ada", "body": "hello", "at": 0, "score": 0.5}\n')
    mapping = parse_mapping(["id=#", "author=user", "text=body", "sent=at", "channel==posts", "meta.score=score"])
    [message] = read(file, mapping=mapping).messages
    assert (message.id, message.author, message.text, message.channel) == ("a.jsonl#1", "ada", "hello", "posts")
    assert message.meta == {"score": "0.5"}


def test_a_mapped_field_is_not_read_from_the_column_of_its_name(tmp_path: Path) -> None:
    file = stored(tmp_path / "a.jsonl", line(body="from body"))
    assert read(file, mapping={"text": "body"}).texts == ["from body"]


def test_one_column_may_serve_two_fields(tmp_path: Path) -> None:
    [message] = read(stored(tmp_path / "a.jsonl", line()), mapping={"label": "channel"}).messages
    assert message.label == message.channel == "posts"


@pytest.mark.parametrize("option", ["text", "=body", "text=", ""])
def test_a_mapping_without_both_sides_is_refused(option: str) -> None:
    with pytest.raises(ArchiveError, match="no mapping"):
        parse_mapping([option])


def test_a_field_is_mapped_once() -> None:
    with pytest.raises(ArchiveError, match="mapped twice"):
        parse_mapping(["text=a", "text=b"])


def test_mappings_that_mean_nothing_are_refused_at_once(tmp_path: Path) -> None:
    file = str(stored(tmp_path / "a.jsonl", line()))
    assert refusal(file, mapping={"txt": "body"}).mend == "did you mean `text`?"
    assert "the fields are" in refusal(file, mapping={"zzz": "body"}).mend
    assert "is no field" in refusal(file, mapping={"meta.": "body"}).what
    assert "is no channel name" in refusal(file, mapping={"channel": "=Posts!"}).what


def test_numbered_ids_of_archives_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        stored(tmp_path / folder / "x.jsonl", line())
    assert "same ids" in refusal(str(tmp_path / "*" / "x.jsonl"), mapping={"id": "#"}).what


def test_a_file_name_that_is_not_utf_8_gives_a_source_that_is(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.jsonl"
    try:
        with open(path, "wb") as file:
            file.write(line())
    except OSError:
        pytest.skip("this file system refuses such names")
    [message] = read(os.fsdecode(path)).messages
    assert message.source == "\N{REPLACEMENT CHARACTER}.jsonl"


def test_every_field_of_a_record_is_read(tmp_path: Path) -> None:
    more = {
        "subject": "s", "language": "en", "links": ["http://a.example"], "mentions": ["@Bob"], "hashtags": ["#X"],
        "attachments": ["image/PNG"], "hashes": ["ab"], "to": ["eve"], "is_reply": True, "edit_of": "0", "reach": 7,
        "meta": {"k": "v"}, "label": "spam", "author_created": 0, "author_roles": ["staff"], "author_labels": ["l"],
    }  # fmt: skip
    [message] = read(stored(tmp_path / "a.jsonl", line(**more))).messages
    for name, value in (RECORD | more).items():
        held = getattr(message, name)
        assert held is not None
        assert (list(held) if isinstance(held, tuple) else held) == {
            "mentions": ["bob"], "hashtags": ["x"], "attachments": ["image/png"],
            "sent": message.sent, "author_created": message.author_created,
        }.get(name, value), name  # fmt: skip
