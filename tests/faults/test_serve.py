"""`comity serve` as a process: others act beside it, it ends when it is told to, and loses nothing when killed."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from serve_lives import Load, Served, comity, lives, lost, message, token
from serve_soak import GROWTH, Log, grown, slope, soak
from serve_soak import lost as told_and_lost
from test_run_killed import RULES

from comity.flow.anchor import unwatched
from comity.ledger.feed import FeedEntry, decode_line
from comity.model.measure import State


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agreement.md").write_text(RULES)
    comity(tmp_path, "publish")
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    one = Served(folder)
    yield one
    if one.process.poll() is None:
        one.end(signal.SIGKILL)


def test_what_another_program_decides_reaches_a_gate_that_follows(folder: Path, served: Served) -> None:
    source, gate = token(folder, "source"), token(folder, "gate")
    with httpx.Client(base_url=served.url, timeout=30) as client:
        assert client.post("/v1/messages", json=message(1, "hello"), headers=source).json()["answer"] == "allow"
        epoch = client.get("/v1/standings/snapshot", headers=gate).json()["epoch"]
        with client.stream("GET", f"/v1/standings?epoch={epoch}&after=0", headers=gate) as stream:
            lines = stream.iter_lines()
            decode_line(next(lines).encode())
            (folder / "1.json").write_text(json.dumps({**message(1, "hello"), "source": "the source"}))
            comity(folder, "notice", "1.json", "--why", "A threat", "--clause", "flood", "--good-faith")
            (case,) = json.loads(comity(folder, "cases", "--json"))
            why = ("--confirm", "--by", "mara", "--why", "It is one.", "--yes")
            comity(folder, "case", case["id"], *why)
            statement = comity(folder, "statement", "--json")
            comity(folder, "delivered", json.loads(statement)[0]["id"])
            later = client.post("/v1/messages", json=message(2, "buy now"), headers=source).json()
            assert later["clauses"] == ["spam"]
            cut = next(line for _, line in zip(range(100), map(str.encode, lines), strict=False) if b'"seq"' in line)
    entry = decode_line(cut)
    assert isinstance(entry, FeedEntry)
    assert (entry.account, entry.plan[0].state, entry.plan[0].statement) == ("ann", State.CUT, later["statement"])
    assert served.end(signal.SIGTERM) == 0


def test_it_warns_that_nothing_would_notice_an_older_folder_in_the_words_of_verify(served: Served) -> None:
    warnings = httpx.get(f"{served.url}/readyz", timeout=30).json()["warnings"]
    assert tuple(warnings) == unwatched(has_anchor=False, has_witnesses=False) != ()


def test_told_to_end_it_answers_what_it_has_taken_and_streams_end_with_a_whole_line(
    folder: Path, served: Served
) -> None:
    source, gate, load = token(folder, "source"), token(folder, "gate"), Load(served.url)
    load.headers |= source
    with httpx.Client(base_url=served.url, timeout=30) as client:
        epoch = client.get("/v1/standings/snapshot", headers=gate).json()["epoch"]
        with client.stream("GET", f"/v1/standings?epoch={epoch}&after=0", headers=gate) as stream:
            lines = stream.iter_lines()
            decode_line(next(lines).encode())
            load.begin()
            assert load.is_under_way.wait(timeout=60)
            served.process.send_signal(signal.SIGTERM)
            for line in lines:  # to its end, which is no error
                decode_line(line.encode())
    assert served.end(signal.SIGTERM) == 0
    load.end()
    assert set(load.answered) == {200}
    assert lost(folder, load) == []


def test_each_line_is_answered_while_the_next_has_not_been_sent_and_none_is_waited_for_at_the_end(
    folder: Path, served: Served
) -> None:
    (name, bearer), address = token(folder, "source").popitem(), urlsplit(served.url)
    head = ("POST /v1/messages HTTP/1.1", "Host: x", f"{name}: {bearer}", "Content-Type: application/x-ndjson")
    with (
        socket.create_connection((address.hostname, address.port), timeout=30) as connection,
        connection.makefile("rb") as heard,
    ):
        connection.sendall("\r\n".join([*head, "Transfer-Encoding: chunked", "", ""]).encode())
        for number in range(1, 4):
            line = json.dumps(message(number, "hello", f"a{number}")).encode() + b"\n"
            connection.sendall(b"%x\r\n%b\r\n" % (len(line), line))
            told = json.loads(next(each for each in heard if each.startswith(b"{")))
            assert (told["id"], told["answer"]) == (str(number), "allow")
        assert served.end(signal.SIGTERM) == 0


def test_killed_under_load_it_has_what_it_acknowledged_and_what_comes_again_has_no_effect_twice(folder: Path) -> None:
    told = lives(folder, 1, seed=7)
    assert told["violations"] == []
    assert told["acknowledged"] > 300


def test_a_backup_made_at_load_has_what_was_acknowledged_before_and_goes_on_elsewhere(
    folder: Path, served: Served
) -> None:
    load = Load(served.url)
    load.headers |= token(folder, "source")
    load.begin()
    assert load.is_under_way.wait(timeout=60)
    acknowledged = dict(load.acknowledged)
    comity(folder, "backup", "backups")
    assert served.end(signal.SIGTERM) == 0
    load.end()
    (elsewhere := folder / "elsewhere").mkdir()
    comity(elsewhere, "restore", "../backups", "--nothing-lost")
    comity(elsewhere, "verify")
    load.acknowledged = acknowledged
    assert lost(elsewhere, load) == []
    restored = Served(elsewhere)
    known = next(iter(acknowledged))
    told = httpx.post(f"{restored.url}/v1/messages", json=load.sent[known], headers=load.headers, timeout=30)
    assert restored.end(signal.SIGTERM) == 0
    assert told.json()["outcome"] == acknowledged[known]["outcome"]


def test_at_load_nothing_that_was_told_is_lost(tmp_path: Path) -> None:
    """A share of `make long`, whose memory is too short to be compared."""
    told = soak(tmp_path, 4, most=2)
    assert told["violations"] == []
    assert 0 < told["acknowledged"] <= told["messages sent"]
    assert told["acknowledged"] <= told["in the record"] <= told["messages sent"]


def test_memory_that_grows_is_seen_and_what_caches_take_at_first_is_not() -> None:
    warm = [50_000 + 3_000 * second for second in range(20)] + [110_000 + second % 7 for second in range(80)]
    assert grown(warm) < GROWTH
    assert abs(slope(warm)) < 1
    leaking = [each + 500 * second for second, each in enumerate(warm)]
    assert grown(leaking) > GROWTH
    assert 1_740 < slope(leaking) < 1_770  # 500 KiB a second


def test_what_a_record_does_not_have_as_it_was_told_is_lost(folder: Path) -> None:
    file, log = folder / "messages.jsonl", Log(folder / "told.jsonl")
    file.write_text("\n".join(json.dumps(each) for each in (message(1, "hello"), message(2, "buy now"))))
    comity(folder, "run", "--source", "the source", str(file))
    log.write([{"id": "1", "outcome": "allowed", "statement": None}])
    assert list(told_and_lost(folder, log)) == []
    log.write([{"id": each, "outcome": "allowed", "statement": None} for each in ("2", "3")])
    assert [each.split(":")[0] for each in told_and_lost(folder, log)] == ["message 2", "message 3"]


def test_a_web_server_in_front_says_who_asks_and_nobody_else_does(
    folder: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def codes(url: str, *senders: str) -> list[int]:
        notice = {"why": "It is a fraud.", "good_faith": True, "id": "1"}
        return [
            httpx.post(f"{url}/v1/notices", json=notice, headers={"X-Forwarded-For": each}, timeout=30).status_code
            for each in senders
        ]

    many, other = ["192.0.2.1"] * 10, "192.0.2.2"
    assert codes(served.url, *many, other) == [201] * 10 + [429], "what it says is not believed"
    served.end(signal.SIGKILL)
    monkeypatch.setenv("COMITY_SERVE_PROXIES", "127.0.0.1")
    behind = Served(folder)
    try:
        assert codes(behind.url, *many, "192.0.2.1", other) == [201] * 10 + [429, 201]
        assert codes(behind.url, "192.0.2.3, 192.0.2.1") == [429], "only the last is the web server's own word"
    finally:
        behind.end(signal.SIGKILL)


def test_told_to_end_it_gives_up_a_mail_server_that_never_comes_to_its_point(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        monkeypatch.setenv("COMITY_MAIL_SERVER", f"smtp://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("COMITY_MAIL_FROM", "rules@example.org")
        comity(folder, "contact", "ann", "ann@example.org")
        served = Served(folder)
        try:
            source = token(folder, "source")
            told = httpx.post(f"{served.url}/v1/messages", json=message(1, "buy now"), headers=source, timeout=30)
            assert told.json()["statement"]
            connection, _ = listener.accept()
            with connection, dripping(connection):
                assert served.end(signal.SIGTERM) == 0  # within 30 seconds; the mail alone may take 60
        finally:
            if served.process.poll() is None:
                served.end(signal.SIGKILL)


@contextmanager
def dripping(connection: socket.socket) -> Iterator[None]:
    """A greeting that has always another line to come, so that no single wait of the client is long."""
    is_over = threading.Event()

    def drip() -> None:
        with suppress(OSError):
            while not is_over.wait(3):
                connection.sendall(b"220-wait\r\n")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
