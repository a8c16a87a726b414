"""`comity backtest`: what it finds is what judging finds, whatever the format, however often it is asked."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from comity.app import backtest_run, scan
from comity.app.backtest import Wanted, backtest
from comity.app.errors import Exit, StopError
from comity.app.judge import judge
from comity.app.publish import publish
from comity.app.settings import Settings, settings

START = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 400
SPAM = "Buy cheap pills\n\x1b[2J<script>alert(1)</script>"
AGREEMENT = """---
comity: 1
title: House <b>rules</b>
channels: [posts]
---

# House rules

## No pills {#pills}

Do not sell pills.

```rule points=2
text.says("cheap pills") && text.size() > 30
```

## Not so fast {#fast}

Take your time.

```rule
author.messages(hours(1)) > 4
```

## Not again {#again}

Do not do it again.

```rule decide=review
author.breaches("pills", days(2)) >= 2
```

## Odd {#odd}

Nobody writes such a rule.

```rule decide=shadow
author.messages(hours(1)) in [2, text.size() % 7]
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 3 | remove | | |
| 5 | remove, suspend | all | 2 days |
"""


def records() -> Iterator[dict[str, object]]:
    for number in range(COUNT):
        is_spam = number % 9 == 0
        yield {
            "id": f"m{number}",
            "author": f"a{number % 27 if is_spam else number % 50}",
            "channel": "posts",
            "text": SPAM if is_spam else f"A letter about bread, number {number}",
            "sent": START + timedelta(minutes=7 * number),
            "kind": "spam" if number % 18 == 0 else "ham",
        }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("draft.md").write_text(AGREEMENT, encoding="utf-8")
    every = list(records())
    pq.write_table(pa.Table.from_pylist(every), "messages.parquet", row_group_size=64)
    with Path("messages.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(each, default=str) + "\n" for each in every)
    monkeypatch.setattr("comity.intake.parts.PART_ROWS", 64)
    monkeypatch.setattr(scan, "PART_ROWS", 100)
    return tmp_path


def chosen() -> Settings:
    return settings({"store.folder": str(Path(".comity").absolute())})


def report_of(
    *archives: str, draft: str = "draft.md", capsys: pytest.CaptureFixture[str], **options: object
) -> dict[str, object]:
    """The report, as programs read it."""
    capsys.readouterr()
    wanted = {
        "mapping": (),
        "source": "s",
        "against": None,
        "html": None,
        "out": None,
        "label": None,
        "jobs": 1,
        "rejects": Path("rejects.jsonl"),
        "as_json": True,
        "exit": Exit.FINE,
    } | options
    expected = wanted.pop("exit")
    assert backtest(Wanted(draft=Path(draft), archives=archives, **wanted), chosen()) == expected  # type: ignore[arg-type]
    report = json.loads(capsys.readouterr().out)
    assert isinstance(report, dict)
    return report


def judged(archive: str) -> bytes:
    judge(Path("draft.md"), [archive], (), source="s", out=Path("judged.jsonl"), rejects=Path("r.jsonl"), as_json=True)
    return Path("judged.jsonl").read_bytes()


def per_clause(report: dict[str, object], key: str = "messages") -> dict[str, object]:
    clauses = report["clauses"]
    assert isinstance(clauses, list)
    return {clause["id"]: clause[key] for clause in clauses}


@pytest.mark.parametrize("archive", ["messages.parquet", "messages.jsonl"])
def test_every_finding_is_what_judging_finds(folder: Path, archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected = judged(archive)
    assert len(expected.splitlines()) > 50
    for _ in range(2):  # the second time from what is kept
        report_of(archive, capsys=capsys, out=Path("found.jsonl"))
        assert Path("found.jsonl").read_bytes() == expected


@pytest.mark.parametrize("archive", ["messages.parquet", "messages.jsonl"])
def test_what_is_kept_answers_for_another_number(
    folder: Path, archive: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report_of(archive, capsys=capsys)
    Path("draft.md").write_text(AGREEMENT.replace("> 4", "> 3").replace("> 30", "> 40"), encoding="utf-8")
    expected = judged(archive)

    def refuse(job: scan.Job) -> scan.About:
        raise AssertionError(f"part {job.number} is scanned again")

    monkeypatch.setattr(scan, "scan", refuse)
    report_of(archive, capsys=capsys, out=Path("found.jsonl"))
    assert Path("found.jsonl").read_bytes() == expected


def test_a_changed_archive_is_another_archive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = report_of("messages.parquet", capsys=capsys)
    pq.write_table(pa.Table.from_pylist(list(records())[:100]), "messages.parquet")
    assert (before["messages"], report_of("messages.parquet", capsys=capsys)["messages"]) == (COUNT, 100)


def test_damaged_columns_are_made_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = report_of("messages.parquet", capsys=capsys)
    kept = [file for file in Path(".comity/features").rglob("*") if file.is_file() and file.parent.name.isdigit()]
    assert len(kept) > 20
    for number, file in enumerate(sorted(kept)):
        file.write_bytes((b"", b"nonsense", file.read_bytes()[:-1])[number % 3])
    assert report_of("messages.parquet", capsys=capsys) == before


def test_the_draft_is_held_against_another_version(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("stricter.md").write_text(AGREEMENT.replace("> 30", "> 3").replace("> 4", "> 9"), encoding="utf-8")
    Path("looser.md").write_text(AGREEMENT.replace("> 30", "> 300"), encoding="utf-8")
    alone = per_clause(report_of("messages.parquet", capsys=capsys))
    report = report_of("messages.parquet", capsys=capsys, against="looser.md")
    assert per_clause(report) == alone
    assert per_clause(report, "newly_caught")["pills"] == alone["pills"] == 45
    assert {(s["clause"], s["change"]) for s in report["samples"]} >= {("pills", "newly caught")}  # type: ignore[attr-defined]
    report = report_of("messages.parquet", draft="looser.md", capsys=capsys, against="draft.md")
    assert per_clause(report, "newly_let_go")["pills"] == alone["pills"]
    assert all(sample["evidence"] for sample in report["samples"])  # type: ignore[attr-defined]


def test_each_version_has_its_own_courses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where both decide alike an account's course is followed once, if it breaches the same under both."""
    for name, least in (("draft.md", 3), ("changed.md", 9)):
        rules = AGREEMENT.replace("text.size() > 30", f"author.messages(days(2)) > {least}")
        Path(name).write_text(rules, encoding="utf-8")
    compared = report_of("messages.parquet", draft="changed.md", capsys=capsys, against="draft.md")
    assert compared["ladder"] == report_of("messages.parquet", draft="changed.md", capsys=capsys)["ladder"]
    assert compared["ladder_against"] == report_of("messages.parquet", capsys=capsys)["ladder"]
    assert compared["ladder"] != compared["ladder_against"]


def test_the_version_in_force_is_the_one_it_is_held_against(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(Path("draft.md"), chosen(), effective="2026-01-01", replay=True)
    assert report_of("messages.parquet", capsys=capsys)["against"] is None, "a draft is not held against itself"
    Path("other.md").write_text(AGREEMENT.replace("> 30", "> 31"), encoding="utf-8")
    in_force = report_of("messages.parquet", draft="other.md", capsys=capsys)["against"]
    assert isinstance(in_force, dict)
    named = report_of("messages.parquet", draft="other.md", capsys=capsys, against=in_force["digest"][:20])["against"]
    assert named == in_force
    assert report_of("messages.parquet", draft="other.md", capsys=capsys, against="none")["against"] is None
    with pytest.raises(StopError, match="begins with sha256:ffff"):
        report_of("messages.parquet", capsys=capsys, against="sha256:ffff")


def test_samples_are_the_same_each_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = (report_of("messages.parquet", capsys=capsys)["samples"] for _ in range(2))
    assert one == other
    assert isinstance(one, list)
    assert 2 <= len([sample for sample in one if sample["clause"] == "pills"]) <= 8


def test_bad_records_are_left_out_each_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("messages.jsonl").open("a", encoding="utf-8") as lines:
        lines.write('{"id": "x"}\n')
    for _ in range(2):
        assert report_of("messages.jsonl", capsys=capsys, exit=Exit.PROBLEMS)["rejects"] == 1
        assert b"messages.jsonl" in Path("rejects.jsonl").read_bytes()


def test_a_broken_archive_stops_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("cut.parquet").write_bytes(Path("messages.parquet").read_bytes()[:-100])
    report = report_of("cut.parquet", "messages.jsonl", capsys=capsys, exit=Exit.PROBLEMS)
    assert report["messages"] == COUNT
    assert "cut.parquet" in str(report["problems"])


def test_a_stopped_backtest_says_what_it_has(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = backtest_run.scanned

    def stopped(*arguments: object) -> Iterator[scan.Scanned]:
        yield next(whole(*arguments))  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(backtest_run, "scanned", stopped)
    report = report_of("messages.parquet", capsys=capsys, exit=Exit.STOPPED)
    assert (report["is_stopped"], report["messages"]) == (True, 64)
    assert "STOPPED" in printed("messages.parquet", capsys)
    monkeypatch.setattr(backtest_run, "scanned", whole)
    report_of("messages.parquet", capsys=capsys, out=Path("found.jsonl"))
    assert Path("found.jsonl").read_bytes() == judged("messages.parquet"), "what was stopped goes on where it was"


def printed(archive: str, capsys: pytest.CaptureFixture[str], label: str | None = None) -> str:
    capsys.readouterr()
    backtest(
        Wanted(
            draft=Path("draft.md"),
            archives=[archive],
            mapping=(),
            source=None,
            against=None,
            html=Path("page.html"),
            out=None,
            label=label,
            rejects=Path("rejects.jsonl"),
            jobs=1,
            as_json=False,
        ),
        chosen(),
    )
    return capsys.readouterr().out


def test_labels_give_precision_and_recall(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of("messages.parquet", capsys=capsys, label="kind")
    precision, recall = (per_clause(report, name)["pills"] for name in ("precision", "recall"))
    assert isinstance(precision, dict)
    assert isinstance(recall, dict)
    assert (precision["hits"], precision["of"]) == (23, 45)
    assert (recall["hits"], recall["of"], recall["value"]) == (23, 23, 1.0)
    assert precision["low"] < precision["value"] < precision["high"]
    assert "Breaches are the messages labelled “spam”." in printed("messages.parquet", capsys, label="kind")


def test_the_page_needs_nothing_else_and_runs_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed("messages.parquet", capsys)
    page = Path("page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "House &lt;b&gt;rules" in page
    assert "<mark>cheap pills</mark>\n\\x1b[2J&lt;script&gt;" in page
    assert not re.search(r"\b(src|href|action)=|@import|url\(", page)
    assert "The ladder, followed for" in said


def test_archives_that_name_nothing_are_told_before_anything_is_read(folder: Path) -> None:
    options: Sequence[tuple[str, dict[str, object]]] = (
        ("no such file", {}),
        ("is one of", {"out": Path("messages.jsonl")}),
        ("is one of", {"html": Path("draft.md")}),
        ("no folder nowhere", {"html": Path("nowhere/page.html")}),
        ("no folder nowhere", {"rejects": Path("nowhere/rejects.jsonl")}),
    )
    for message, changes in options:
        wanted: dict[str, object] = {
            "draft": Path("draft.md"),
            "archives": ["absent.csv" if not changes else "messages.jsonl"],
            "mapping": (),
            "source": None,
            "against": None,
            "html": None,
            "out": None,
            "label": None,
            "jobs": 1,
            "rejects": Path("rejects.jsonl"),
            "as_json": True,
        }
        with pytest.raises(StopError, match=message):
            backtest(Wanted(**(wanted | changes)), chosen())  # type: ignore[arg-type]


def test_several_processes_find_what_one_finds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report_of("messages.parquet", capsys=capsys, jobs=2) == report_of("messages.jsonl", capsys=capsys) | {
        "archives": ["messages.parquet"]
    }


def test_messages_on_channels_that_the_draft_does_not_name_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for count, said in ((COUNT, "None of them is on a channel"), (5, "5 of them are not on a channel")):
        every = [each | {"channel": "chat"} if number < count else each for number, each in enumerate(records())]
        pq.write_table(pa.Table.from_pylist(every), "chat.parquet")
        assert f"{said} that the draft names (posts); `--map channel==NAME`" in printed("chat.parquet", capsys)
        assert "that the draft names (posts)" in Path("page.html").read_text(encoding="utf-8")
    assert "the draft names" not in printed("messages.parquet", capsys)


def test_what_was_left_out_is_told_at_the_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.jsonl").write_text('{"id": "x"}\n' * 7, encoding="utf-8")
    with pytest.raises(AssertionError):
        report_of("bad.jsonl", capsys=capsys)
    assert "Left out: 7 bad records; see rejects.jsonl." in capsys.readouterr().err


def test_ctrl_c_while_the_ladder_is_followed_says_how_to_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backtest_run, "_courses", stopped)
    with pytest.raises(StopError, match="stopped") as stop:
        report_of("messages.parquet", capsys=capsys)
    assert (stop.value.code, "goes on from there" in stop.value.help) == (Exit.STOPPED, True)


def test_ctrl_c_while_processes_begin_is_heard_when_they_have() -> None:
    class Beginning(ThreadPoolExecutor):
        begun = 0

        def submit(self, *_: object) -> Future[object]:  # type: ignore[override]
            signal.raise_signal(signal.SIGINT)
            Beginning.begun += 1
            return Future()

    with Beginning() as executor, pytest.raises(KeyboardInterrupt):
        scan._start(executor, 2)
    assert Beginning.begun == 2
