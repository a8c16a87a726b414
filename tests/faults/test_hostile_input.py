"""Whatever it is given, the installed program ends in bounded time and memory, and says what is wrong and what to do.

Every call here goes through `comity()`, which holds for all of them: no traceback, no "fault in Comity", and nothing
printed that a terminal would obey.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MEMORY = 2 << 30
"""Address space of one call, libraries included."""

PATIENCE = 25
"""Seconds for one call."""

PROGRAM = (sys.executable, "-m", "comity.app")
SERVER = """
import contextlib, gc, io, json, os, resource, signal, sys
import comity.app.check, comity.app.explain, comity.app.init, comity.app.judge, comity.app.publish, comity.app.run
import comity.app.accept, comity.app.config, comity.app.show, comity.app.verify
from comity.app.main import app, main

sys.dont_write_bytecode = True  # where files may not grow, Python would leave half of it, for all who come after
with contextlib.redirect_stdout(io.StringIO()):
    app(["config"], standalone_mode=False)  # loads what is loaded by a first call
gc.freeze()
memory, patience = map(int, sys.argv[1:])
for asked in map(json.loads, sys.stdin):
    child = os.fork()
    if not child:
        os.chdir(asked["cwd"])
        for number, name, flags in ((0, "in", 0), (1, "out", 577), (2, "err", 577)):
            os.dup2(os.open("streams/" + name, flags), number)
        sys.stdin = open(0, closefd=False)
        os.environ.update(asked["env"])
        sys.argv = ["comity", *asked["argv"]]
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if asked["largest_file"] >= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest_file"],) * 2)
        signal.alarm(patience)
        try:
            main()
        except SystemExit as end:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code or 0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs the program as often as it is asked to, each time in a process of its own."""

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""What a terminal acts on, or what turns the order of a line around."""

BIDI, ANSI = "\u202egnp.exe", "\x1b[2J\x1b]0;owned\x07"
HOSTILE_IDS = (
    "x" * 1000,
    "two\nlines\r\n",
    ANSI,
    "\x9b31m",
    "../../etc/passwd",
    "'; drop table facts; --",
    BIDI,
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[bold red]markup[/bold red][link=http://x.example]",
    "nul\x00inside",
    "-rf",
    "%s%n{0}",
)
RULES = """---
comity: 1
title: Rules
channels: [posts]
---

# Rules

## Spam {#spam}

Do not advertise.

```rule
text.says("buy now") || author.copies(hours(1)) >= 3 || author.messages(days(400)) > 100000
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove, suspend | same | 10 years |
| 2 | remove, suspend | same | 100 years |
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


def comity(
    folder: Path,
    *arguments: str | bytes,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    largest_file: int = -1,
) -> Ended:
    """One call of the program, forked from a Python that has it loaded already: starting it anew takes a second."""
    place = folder / "streams"
    place.mkdir(exist_ok=True)
    (place / "in").write_bytes(stdin)
    names = [os.fsdecode(each) for each in arguments]
    asked = {"argv": names, "cwd": str(folder), "env": dict(env or {}), "largest_file": largest_file}
    server = _loaded()
    assert server.stdin
    assert server.stdout
    server.stdin.write(json.dumps(asked).encode() + b"\n")
    server.stdin.flush()
    code = int(server.stdout.readline())
    return checked(code, (place / "out").read_bytes(), (place / "err").read_bytes())


def started(folder: Path, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """A call as a person makes it, still running."""
    return subprocess.Popen(
        [*PROGRAM, *arguments], cwd=folder, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE
    )


@cache
def _loaded() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SERVER, str(MEMORY), str(PATIENCE)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture(scope="module", autouse=True)
def _unload() -> Iterator[None]:
    yield
    server = _loaded()
    assert server.stdin
    assert server.stdout
    server.stdin.close()
    server.wait(PATIENCE)
    server.stdout.close()


def finished(running: subprocess.Popen[bytes]) -> Ended:
    out, err = running.communicate(timeout=PATIENCE)
    return checked(running.returncode, out, err)


def checked(code: int, out: bytes, err: bytes) -> Ended:
    ended = Ended(code=code, out=out.decode(), err=err.decode())
    found = re.search(f"Traceback|fault in Comity|{OBEYED.pattern}", ended.said)
    if found:
        pytest.fail(f"it said {ended.said[max(0, found.start() - 500) : found.start() + 1500]!r}")
    return ended


def refused(ended: Ended, code: int, *says: str) -> None:
    """It ended with this exit code, in so few words, and named the place and the mend."""
    assert ended.code == code, ended
    assert len(ended.said) < 20_000
    missing = [each for each in says if each not in ended.said]
    assert not missing, (missing, ended.said)


def row(number: int, **changes: object) -> dict[str, object]:
    sent = f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z"
    return {"id": str(number), "author": "ann", "channel": "posts", "text": "buy now", "sent": sent} | changes


def archive(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agreement.md").write_text(RULES)
    archive(tmp_path / "a.jsonl", [row(1), row(2, author="bob", text="hello")])
    return tmp_path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a record, to be copied and broken."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "agreement.md").write_text(RULES)
    archive(folder / "a.jsonl", [row(1), row(2, author="bob", text="hello")])
    archive(folder / "b.jsonl", [row(3, author="eve"), row(4, author="joe")])
    assert comity(folder, "run", "a.jsonl", "--as-sent").code == 0
    return folder


@pytest.fixture
def record(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "copy"))


# Agreements


def test_an_agreement_of_100_megabytes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large.md").open("wb") as file:
        for _ in range(2):  # the rest is a hole, which costs no disk
            file.write(b"## A {#a}\n" * (1 << 20))
        file.truncate(100 << 20)
    refused(comity(tmp_path, "check", "large.md"), 1, "C001", "large.md")
    (tmp_path / "sparse.md").touch()
    os.truncate(tmp_path / "sparse.md", 1 << 40)
    refused(comity(tmp_path, "check", "sparse.md"), 1, "C001", "sparse.md")


def test_hostile_agreements_are_refused_each_with_its_place(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    head, rest = RULES.split("---\n\n", 1)
    written = {
        "deep": head + "lexicons: " + "[" * 2_000 + "]" * 2_000 + "\n---\n\n" + rest,
        "block": head + "lexicons: " + "- " * 2_000 + "x\n---\n\n" + rest,
        "bomb": head + bomb + "---\n\n" + rest,
        "tag": head + "contact: !!python/object/apply:os.system [id]\n---\n\n" + rest,
        "nul": RULES.replace("Do not", "Do\x00 not"),
        "bidi": RULES.replace('"buy now"', f'"buy {BIDI} now"'),
        "escape": RULES.replace('"buy now"', f'"buy {ANSI} now"'),
        "quotes": RULES.replace("Do not", ">" * 100_000 + " Do not"),
        "lists": RULES.replace("Do not", "- " * 100_000 + " Do not"),
        "brackets": RULES.replace('text.says("buy now")', "(" * 50_000 + "true" + ")" * 50_000),
        "nots": RULES.replace('text.says("buy now")', "!" * 50_000 + "true"),
        "huge": RULES.replace("100000", "9" * 5_000),
        "title": RULES.replace("title: Rules", f'title: "{"x" * 500_000}'),
    }
    for name, text in written.items():
        (tmp_path / f"{name}.md").write_text(text)
    surrogate = RULES.encode().replace(b"Do not", b"Do \xed\xa0\x80 not")
    (tmp_path / "surrogate.md").write_bytes(surrogate)
    (tmp_path / "empty.md").write_bytes(b"")
    (tmp_path / "zeros.md").write_bytes(bytes(1 << 20))
    names = [*written, "surrogate", "empty", "zeros"]
    ended = comity(tmp_path, "check", "--format", "json", *(f"{name}.md" for name in names))
    assert ended.code == 1
    found = json.loads(ended.out)
    accused = {one["uri"] for one in found if one["severity"] == 1}
    assert accused == {f"{name}.md" for name in names}
    codes = {one["uri"]: one["code"] for one in reversed(found) if one["severity"] == 1}
    wanted = {"bomb.md": "C042", "tag.md": "C042", "deep.md": "C008", "surrogate.md": "C002", "bidi.md": "C006"}
    assert {name: codes[name] for name in wanted} == wanted
    drawn = comity(tmp_path, "check", *(f"{name}.md" for name in names))
    assert drawn.code == 1
    assert len(drawn.said) < 200_000
    assert comity(tmp_path, "check", "--format", "github", *(f"{name}.md" for name in names)).code == 1


def test_a_lexicon_with_a_million_lines_works_or_its_limit_is_stated(tmp_path: Path) -> None:
    head, rest = RULES.split("---\n\n", 1)
    for name, kind, rule in (("d", "domains", 'domains.under("names")'), ("p", "phrases", 'text.saysAny("names")')):
        lexicon = f"lexicons:\n  names: {{file: names.txt, kind: {kind}}}\n---\n\n"
        (tmp_path / f"{name}.md").write_text(head + lexicon + rest.replace('text.says("buy now")', rule))
    (tmp_path / "names.txt").write_text("".join(f"n{number}.example\n" for number in range(1_000_000)))
    (tmp_path / "message.json").write_text('{"text": "see https://a.n999999.example/"}')
    explained = comity(tmp_path, "explain", "d.md", "message.json")
    assert "spam: breached" in explained.out, explained
    refused(comity(tmp_path, "check", "p.md"), 1, "C054", "at most 200,000 entries", "p.md:6")


@pytest.mark.parametrize("kind", ["symlink", "fifo", "device", "folder"])
def test_a_lexicon_that_is_no_plain_file_is_never_opened(kind: str, tmp_path: Path) -> None:
    head, rest = RULES.split("---\n\n", 1)
    (tmp_path / "agreement.md").write_text(head + "lexicons:\n  words: words.txt\n---\n\n" + rest)
    place = tmp_path / "words.txt"
    match kind:
        case "symlink":
            place.symlink_to("/etc/passwd")
        case "device":
            place.symlink_to("/dev/zero")
        case "fifo":
            os.mkfifo(place)
        case _:
            place.mkdir()
    ended = comity(tmp_path, "check")
    refused(ended, 1, "C053", "words.txt")
    assert "root:" not in ended.said


def test_an_agreement_path_that_is_no_plain_file_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe.md")
    (folder / "empty").mkdir()
    (folder / "loop.md").symlink_to("loop.md")
    for name in ("pipe.md", "empty", "loop.md", "missing.md", "/dev/zero", "a.jsonl/agreement.md", "x" * 5000):
        refused(comity(folder, "check", name), 2, "there is no agreement", "help:")
    (folder / "link.md").symlink_to("agreement.md")
    assert comity(folder, "check", "link.md").code == 0


# Archives


def test_hostile_archives_are_refused_and_the_good_one_is_judged(folder: Path) -> None:
    table = {name: [str(row(1)[name])] * 5000 for name in row(1)}
    table["id"] = [str(number) for number in range(5000)]
    pq.write_table(pa.table(table), folder / "whole.parquet")
    whole = (folder / "whole.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "middle.parquet").write_bytes(whole[:200] + bytes(len(whole) - 400) + whole[-200:])
    pq.write_table(pa.table(table | {"text": [{"a": 1}] * 5000}), folder / "types.parquet")
    squeezed = gzip.compress("".join(json.dumps(row(n)) + "\n" for n in range(500)).encode())
    (folder / "cut.jsonl.gz").write_bytes(squeezed[: len(squeezed) // 2])
    (folder / "bomb.jsonl.gz").write_bytes(gzip.compress(bytes(64 << 20)) * 2)
    archive(folder / "large.jsonl", [row(1, text="x" * 10_000_000), row(2)])
    (folder / "noise.jsonl").write_bytes(b"\xff\xfe\x00{" * 1000)
    (folder / "deep.jsonl").write_text("[" * 100_000 + "\n" + '{"a":' * 100_000 + "\n")
    names = ["cut.parquet", "middle.parquet", "types.parquet", "cut.jsonl.gz", "bomb.jsonl.gz", "large.jsonl"]
    names += ["noise.jsonl", "deep.jsonl", "a.jsonl"]
    ended = comity(folder, "judge", "agreement.md", *names, "--json")
    assert ended.code == 1
    for name in names[:5]:
        assert name in ended.err, ended.err
    assert "10,000,000 bytes long; the limit is 1,048,576" in (folder / "rejects.jsonl").read_text()
    assert json.loads(ended.out)["messages"] >= 3


def test_what_is_in_archives_of_wrong_types_and_characters_is_rejected_record_by_record(folder: Path) -> None:
    bad: list[Mapping[str, object]] = [
        row(10, text=5),
        row(11, text=[]),
        row(12, author=None),
        row(13, author=""),
        row(14, author={"a": 1}),
        row(15, sent="tomorrow"),
        row(16, sent=True),
        row(17, sent=1e300),
        row(18, sent="10000-01-01T00:00:00Z"),
        row(19, sent="9999-12-31T23:59:59-14:00"),
        row(20, sent="0001-01-01T00:00:00+14:00"),
        row(21, channel="../posts"),
        row(22, author="\ud800"),
        row(23, text="\udfff"),
        row(24, id="x" * 2000),
        row(25, channel=ANSI),
        row(26, sent=ANSI + BIDI),
    ]
    archive(folder / "bad.jsonl", bad)
    archive(folder / f"{BIDI}{ANSI.replace('/', '')}.jsonl", [row(1, sent=ANSI)])
    ended = comity(folder, "run", "bad.jsonl", f"{BIDI}{ANSI}.jsonl", "--as-sent", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["rejects"] == len(bad) + 1
    assert json.loads(ended.out)["messages"] == 0
    rejects = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    assert all(one["reason"] and one["mend"] for one in rejects)


def test_messages_at_both_ends_of_time_are_judged_and_their_measures_end(folder: Path) -> None:
    last, first = "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"
    rows = [
        row(1, sent=last),
        row(2, author="bob", sent=first),
        row(3, author="cid", sent=first, author_created=last),
        row(4, author="dan", sent=last, author_created=first),
        row(5, author="dan", sent="9999-12-31T23:59:58Z", text="hello"),
        row(6, author="bob", sent="0001-01-01T00:00:00.000001Z", text="hello"),
        row(7, author="eve", sent="9990-01-01T00:00:00Z"),
        row(8, author="eve", sent="9990-01-01T00:00:01Z"),
    ]
    archive(folder / "ends.jsonl", rows)
    for store, delivery in (("at-once", "1 minute"), ("late", "100 years")):
        done = comity(folder, "run", "ends.jsonl", "--as-sent", "--delivery", delivery, "--store", store, "--json")
        assert done.code == 0, done
        assert json.loads(done.out)["messages"] == len(rows)
        again = comity(folder, "run", "ends.jsonl", "--as-sent", "--delivery", delivery, "--store", store, "--json")
        assert json.loads(again.out) == json.loads(done.out)
    assert comity(folder, "verify", "at-once/log").code == 0
    for zone in ("Pacific/Kiritimati", "Pacific/Honolulu"):
        env = {"COMITY_READER_ZONE": zone, "COMITY_STORE_FOLDER": "at-once"}
        for each in statements(folder, env):
            assert comity(folder, "statement", each, env=env).code == 0
    for at in (last, first, "9999-12-31"):
        assert comity(folder, "standing", "ann", "--at", at, "--store", "at-once").code == 0
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "now", "", ANSI):
        refused(comity(folder, "standing", "ann", "--at", at, "--store", "at-once"), 2, "is no time", "help:")


def statements(folder: Path, env: Mapping[str, str] | None = None) -> list[str]:
    listed = json.loads(comity(folder, "statement", "--json", env=env).out)
    return [one["id"] for one in listed]


def test_versions_in_force_at_the_ends_of_time_do_not_break_the_record(folder: Path) -> None:
    assert comity(folder, "publish", "--from", "0001-01-01").code == 0
    (folder / "agreement.md").write_text(RULES.replace("advertise", "advertise here"))
    assert comity(folder, "publish", "--from", "9999-12-31T23:59:59.999999Z").code == 0
    assert comity(folder, "run", "a.jsonl").code == 0
    assert comity(folder, "verify").code == 0
    refused(comity(folder, "publish", "--from", "10000-01-01"), 2, "is no time")


def test_hostile_ids_are_shown_as_text_wherever_they_go(folder: Path) -> None:
    rows = [
        row(number, author=name, id=f"{number}{name}"[:1000], text=f"buy now {name}", subject=name)
        for number, name in enumerate(HOSTILE_IDS)
    ]
    bad = [row(100 + number, author=name, sent=name) for number, name in enumerate(HOSTILE_IDS)]
    archive(folder / "ids.jsonl", rows)
    archive(folder / "bad.jsonl", bad)
    assert comity(folder, "run", "ids.jsonl", "--as-sent", "--source", f"{ANSI}{BIDI}<b>").code == 0
    ended = comity(folder, "run", "bad.jsonl", "--as-sent")
    assert ended.code == 1
    assert "left out" in ended.err
    ids = statements(folder)
    assert len(ids) == len(HOSTILE_IDS)
    for each in ids[::4]:
        assert comity(folder, "statement", each).code == 0
    pages = [comity(folder, "statement", each, "--html") for each in ids if each]
    for page in pages:
        assert page.code == 0
        assert "<script" not in page.out
        assert "<img" not in page.out
        assert "<b>" not in page.out
    for name in HOSTILE_IDS:
        if "\x00" not in name:
            shown = comity(folder, "standing", "--", name)
            assert shown.code == 0
            assert "statement " in shown.out, shown
    assert comity(folder, "verify").code == 0
    assert not (folder.parent.parent / "etc").exists()


def test_names_on_the_command_line_that_no_account_can_have_are_refused(record: Path) -> None:
    for command in ("standing", "accept", "statement"):
        for name in (b"\xff\xfe", b"\xed\xa0\x80", b""):
            ended = comity(record, command, "--", name)
            assert ended.code in (0, 1, 2), ended
            assert ended.code == 2 or (command == "statement" and not name), ended
    refused(comity(record, "statement", ANSI), 2, "no statements", "help:")
    refused(comity(record, "accept", "x" * 5000), 2, "help:")
    refused(comity(record, "accept", "ann", "--language", ANSI * 500), 2, "help:")
    refused(comity(record, "accept", "ann", "--version", ANSI), 2, "no such version")
    assert comity(record, "accept", f"{ANSI}{BIDI}").code == 0


# Files and folders


def test_places_that_cannot_be_written_are_named(folder: Path) -> None:
    archive(folder / "bad.jsonl", [row(1, sent="never")])
    (folder / "there").mkdir()
    run = ("run", "bad.jsonl", "--as-sent", "--rejects")
    judge = ("judge", "agreement.md", "a.jsonl", "--out")
    refused(comity(folder, *run, "there"), 3, "there", "help:")
    refused(comity(folder, *run, "missing/rejects.jsonl"), 3, "missing/rejects.jsonl", "help:")
    refused(comity(folder, *judge, "missing/out.jsonl"), 3, "missing/out.jsonl", "help:")
    refused(comity(folder, *judge, "missing/out.parquet"), 3, "missing/out.parquet", "help:")
    refused(comity(folder, *judge, "out.xlsx"), 2, "out.xlsx", "help:")
    (folder / "there.jsonl").mkdir()
    refused(comity(folder, *judge, "there.jsonl"), 3, "there.jsonl", "help:")


def test_store_folders_that_are_none_are_named(folder: Path) -> None:
    (folder / "file").write_text("not a folder")
    for place in ("file", "file/below", "/proc/comity", "x" * 300):
        refused(comity(folder, "run", "a.jsonl", "--as-sent", "--store", place), 3, place, "help:")
        refused(comity(folder, "statement", "--store", place), 3, place, "help:")
        assert comity(folder, "verify", "--store", place).code in (2, 3)


def test_a_damaged_store_is_named_and_nothing_is_written(record: Path) -> None:
    store = record / ".comity" / "comity.db"
    whole = store.read_bytes()
    for broken in (b"not a database" * 1000, whole[:5000], whole[:100], whole[:4096] + bytes(len(whole) - 4096)):
        store.write_bytes(broken)
        for command in (("run", "b.jsonl", "--as-sent"), ("statement",), ("standing", "ann")):
            refused(comity(record, *command), 3, "comity.db", "backup")
    store.unlink()
    store.mkdir()
    refused(comity(record, "run", "b.jsonl", "--as-sent"), 3, "comity.db", "help:")
    refused(comity(record, "statement"), 3, "comity.db", "help:")


def test_a_store_whose_rows_are_not_what_comity_wrote_is_named(record: Path) -> None:
    import apsw

    store = record / ".comity" / "comity.db"
    whole = store.read_bytes()
    run = ("run", "b.jsonl", "--as-sent")
    for damage, reading in (
        ("update facts set body = x'7b7d'", ("statement",)),  # a start reads no facts that it does not need
        ("update facts set body = x'ff00'", ("statement",)),
        ("update messages set private = x'ff'", run),
        ("update versions set files = x'5b5d'", run),
        ("update entries set body = x'7b7d'", run),
        ("drop table facts", run),
        ("pragma user_version = 99", run),
    ):
        store.write_bytes(whole)
        database = apsw.Connection(str(store))
        database.execute(damage)
        database.close()
        ended = comity(record, *reading)
        refused(ended, 3, "error:")
        assert "comity.db" in ended.err or "published" in ended.err, ended


def test_a_truncated_ledger_key_is_named(record: Path) -> None:
    key = record / ".comity" / "ledger.key"
    whole = key.read_bytes()
    for broken in (b"", whole[:20], whole[: len(whole) // 2], b"\xff" * 50, bytes(50)):
        key.write_bytes(broken)
        ended = comity(record, "run", "b.jsonl", "--as-sent")
        refused(ended, 3, "ledger.key", "help:")
        assert whole[-30:-1].decode() not in ended.said
    key.unlink()
    refused(comity(record, "run", "b.jsonl", "--as-sent"), 3, "key")
    key.write_bytes(whole)
    key.chmod(0o600)
    assert comity(record, "run", "b.jsonl", "--as-sent").code == 0


def test_a_missing_log_is_published_again(record: Path) -> None:
    log = record / ".comity" / "log"
    before = {each.relative_to(log): each.read_bytes() for each in log.rglob("*") if each.is_file()}
    shutil.rmtree(log)
    assert comity(record, "run", "a.jsonl", "--as-sent").code == 0
    after = {each.relative_to(log): each.read_bytes() for each in log.rglob("*") if each.is_file()}
    assert after.items() <= before.items()  # what was outgrown before stays away
    assert after[Path("checkpoint")] == before[Path("checkpoint")]
    assert comity(record, "verify").code == 0


def test_a_store_rolled_back_to_a_backup_refuses_to_fork(record: Path) -> None:
    store = record / ".comity" / "comity.db"
    backup = store.read_bytes()
    assert comity(record, "run", "b.jsonl", "--as-sent").code == 0
    published = (record / ".comity" / "log" / "checkpoint").read_bytes()
    store.write_bytes(backup)
    for side in ("-wal", "-shm"):
        Path(f"{store}{side}").unlink(missing_ok=True)
    refused(comity(record, "run", "b.jsonl", "--as-sent"), 3, "older backup", "Restore the newest backup")
    assert (record / ".comity" / "log" / "checkpoint").read_bytes() == published


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_space(folder: Path) -> None:
    archive(folder / "many.jsonl", [row(n, author=f"a{n}") for n in range(2500)])
    run = ("run", "many.jsonl", "--as-sent", "--json")
    refused(comity(folder, *run, largest_file=96 << 10), 3, ".comity", "space")
    done = comity(folder, *run)
    assert done.code == 0
    assert json.loads(done.out)["messages"] == 2500
    assert comity(folder, "verify").code == 0
    refused(
        comity(folder, "judge", "agreement.md", "many.jsonl", "--out", "f.jsonl", largest_file=96 << 10), 3, "space"
    )


def test_a_backtest_without_space_for_what_it_keeps_names_the_place_and_goes_on_when_there_is_some(
    folder: Path,
) -> None:
    archive(folder / "many.jsonl", [row(n, author=f"a{n}") for n in range(2500)])
    backtest = ("backtest", "agreement.md", "many.jsonl", "--json")
    refused(comity(folder, *backtest, largest_file=2 << 10), 3, ".comity/features", "space")
    assert not list((folder / ".comity").rglob("*.tmp"))
    done = comity(folder, *backtest)
    assert (done.code, json.loads(done.out)["messages"]) == (0, 2500)


def test_a_backtest_of_broken_and_empty_archives_says_what_is_wrong_with_each(folder: Path) -> None:
    whole = pa.table({name: ["x"] * 50 for name in ("id", "author", "channel", "text")})
    pq.write_table(whole, folder / "wrong.parquet")
    cut = (folder / "wrong.parquet").read_bytes()[:-20]
    (folder / "cut.parquet").write_bytes(cut)
    (folder / "zero.parquet").touch()
    (folder / "empty.csv").touch()
    (folder / "empty.jsonl").touch()
    wrong = (("wrong.parquet", "no column `sent`"), ("cut.parquet", "cut short"), ("zero.parquet", "0 bytes"))
    for name, said in (*wrong, ("empty.csv", "it is empty; it must begin with")):
        done = comity(folder, "backtest", "agreement.md", name)
        assert (done.code, said in done.err) == (1, True), done
        assert f"Not all could be read: {name}" in done.out
    done = comity(folder, "backtest", "agreement.md", "empty.jsonl")
    assert (done.code, done.out.splitlines()[-1]) == (0, "0 messages of 0 accounts.")


def test_of_two_runs_at_once_the_second_says_that_it_cannot(folder: Path) -> None:
    first = started(folder, "run", "-", "--as-sent", "--json")
    _feed(first, range(100))
    _wait_for(folder / ".comity" / "log" / "tile")
    refused(comity(folder, "run", "a.jsonl", "--as-sent"), 3, "in use by another program")
    assert comity(folder, "statement").code == 0  # looking is always possible
    assert finished(first).code == 0
    both = [started(folder, "run", "a.jsonl", "--as-sent", "--json") for _ in range(2)]
    ended = [finished(each) for each in both]
    assert any(each.code == 0 for each in ended), ended
    for each in ended:
        assert each.code == 0 or "in use by another program" in each.err, each
    assert comity(folder, "verify").code == 0


def test_ctrl_c_ends_a_run_cleanly_and_it_can_be_resumed(folder: Path) -> None:
    running = started(folder, "run", "-", "--as-sent", "--source", "s", "--json")
    _feed(running, range(3000))
    _wait_for(folder / ".comity" / "log" / "tile")
    running.send_signal(signal.SIGINT)
    refused(finished(running), 130, "stopped", "again")
    archive(folder / "many.jsonl", [row(n, author=f"a{n}") for n in range(3000)])
    done = comity(folder, "run", "many.jsonl", "--as-sent", "--source", "s", "--json")
    assert json.loads(done.out)["messages"] == 3000
    assert comity(folder, "verify").code == 0


def _feed(running: subprocess.Popen[bytes], numbers: Iterable[int]) -> None:
    """Messages on standard input, which stays open."""
    assert running.stdin
    running.stdin.write("".join(json.dumps(row(n, author=f"a{n}")) + "\n" for n in numbers).encode())
    running.stdin.flush()


def _wait_for(place: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not place.exists():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_an_archive_is_never_written_over(folder: Path) -> None:
    before = (folder / "a.jsonl").read_bytes()
    (folder / "link.jsonl").symlink_to("a.jsonl")
    judge = ("judge", "agreement.md", "a.js*l")
    for option in ("--out", "--rejects"):
        refused(comity(folder, *judge, option, "link.jsonl"), 2, "would be overwritten", "help:")
    refused(comity(folder, "run", "a.jsonl", "--as-sent", "--rejects", "a.jsonl"), 2, "would be overwritten")
    assert (folder / "a.jsonl").read_bytes() == before


def test_a_terminal_without_the_characters_gets_what_it_has(kept: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*PROGRAM, "standing", "ann"], cwd=kept, env=env, capture_output=True, check=True)
    assert b"\\u201cmeasures\\u201d" in done.stdout


def test_a_reader_that_goes_away_is_no_fault(kept: Path) -> None:
    for command in (("statement",), ("statement", "--json"), ("check",)):
        read, write = os.pipe()
        os.close(read)
        running = started(kept, *command, stdout=write)
        os.close(write)
        _, err = running.communicate(timeout=PATIENCE)
        assert err == b"", command
        assert running.returncode in (0, 1, 141), command


# Options, settings, starters


def test_nonsense_on_the_command_line_is_told_from_sense(folder: Path) -> None:
    judge = ("judge", "agreement.md", "a.jsonl")
    refused(comity(folder, *judge, "--map", "nonsense"), 2, "--map", "help:")
    refused(comity(folder, *judge, "--map", f"{ANSI}=x"), 2, "help:")
    refused(comity(folder, *judge, "--map", "=x"), 2, "help:")
    assert comity(folder, *judge, "--map", "author=nowhere").code == 1
    refused(comity(folder, "judge", "agreement.md", "missing.jsonl"), 2, "missing.jsonl", "help:")
    refused(comity(folder, "check", "--format", ANSI), 2, "help:")
    refused(comity(folder, "run", "a.jsonl", "--as-sent", "--delivery", ANSI), 2, "run.delivery", "help:")
    refused(comity(folder, "run", "a.jsonl", "--as-sent", "--delivery", "9" * 5000 + " years"), 2, "help:")
    refused(comity(folder, "run", "a.jsonl", "--as-sent", "--source", b"\xff"), 2, "source", "help:")
    refused(comity(folder, "init", "x", "--from", "../../etc"), 2, "starter", "help:")
    refused(comity(folder, "init"), 2, "agreement.md", "is there already")
    refused(comity(folder, "init", "a.jsonl/x"), 3, "a.jsonl/x", "help:")
    for message in (b"[", b"5", b"[" * 100_000, b"\xff", b'{"text": 5}', b'{"sent": "x"}', b'{"text": "\\ud800"}'):
        refused(comity(folder, "explain", "agreement.md", "-", stdin=message), 2, "help:")


def test_configuration_that_is_nonsense_is_named(folder: Path) -> None:
    config = folder / "comity.toml"
    for text in (
        b"\xff\xfe",
        b"[[[",
        b"agreement = 5",
        b"[agreement]\nfile = 5",
        b"[agreement]\nfiel = 'x'",
        b"[reader]\nzone = '../../../etc/passwd'",
        b"[reader]\nzone = ''",
        b"[reader]\nzone = '/etc/localtime'",
        b"[run]\ndelivery = 'soon'",
        b"[a.b.c.d]\nx = 1",
        b"a = " + b"[" * 50_000,
        f"[agreement]\n'{BIDI}' = 'x'".encode(),
    ):
        config.write_bytes(text)
        refused(comity(folder, "config"), 2, "comity.toml", "help:")
    config.unlink()
    config.mkdir()
    refused(comity(folder, "config"), 2, "comity.toml", "help:")
    refused(comity(folder, "config", "--config", "missing.toml"), 2, "missing.toml", "help:")


def test_environment_that_is_nonsense_is_named(folder: Path) -> None:
    for name, value in (
        ("COMITY_READER_ZONE", ANSI),
        ("COMITY_READER_ZONE", "x" * 5000),
        ("COMITY_READER_ZONE", "America"),
        ("COMITY_RUN_DELIVERY", "-1 day"),
        ("COMITY_LEDGER_OPERATOR", "\udcff"),
        ("COMITY_AGREEMENT_FILE", "\udcff"),
    ):
        refused(comity(folder, "run", "a.jsonl", "--as-sent", env={name: value}), 2, "help:")
    for origin in ("two words", "a+b", ANSI, "x" * 5000, "\udcff"):
        ended = comity(folder, "run", "a.jsonl", "--as-sent", env={"COMITY_LEDGER_ORIGIN": origin})
        assert ended.code in (2, 3), ended
    assert comity(folder, "run", "a.jsonl", "--as-sent").code == 0
