"""`comity serve` as a process: others act beside it, it ends when it is told to, and loses nothing when killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from test_run_killed import RULES

from comity.ledger.feed import FeedEntry, decode_line
from comity.model.measure import State
from comity.stores.sqlite import SqliteStore

COMITY = (sys.executable, "-m", "comity.app")


def comity(folder: Path, *words: str) -> str:
    done = subprocess.run([*COMITY, *words], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def token(folder: Path, role: str) -> dict[str, str]:
    made = json.loads(comity(folder, "token", "new", f"the {role}", "--role", role, "--json"))
    return {"Authorization": f"Bearer {made['token']}"}


class Served:
    """One record, served on a free port."""

    def __init__(self, folder: Path) -> None:
        words = [*COMITY, "serve", "--port", "0"]
        self.process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        self.process.communicate(timeout=30)
        return self.process.returncode


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


def message(number: int, text: str, author: str = "ann") -> dict[str, str]:
    now = datetime.now(UTC).isoformat()
    return {"id": str(number), "author": author, "channel": "posts", "text": text, "sent": now}


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


def test_killed_under_load_it_has_every_message_that_it_acknowledged(folder: Path, served: Served) -> None:
    source, acknowledged = token(folder, "source"), list[str]()

    def send() -> None:
        with httpx.Client(base_url=served.url, timeout=30) as client:
            for start in range(0, 100_000, 50):
                lines = "\n".join(json.dumps(message(n, f"hello {n}", f"a{n % 7}")) for n in range(start, start + 50))
                headers = {**source, "Content-Type": "application/x-ndjson"}
                told = client.post("/v1/messages", content=lines, headers=headers).text.splitlines()
                acknowledged.extend(json.loads(line)["id"] for line in told)
                if len(acknowledged) > 500:
                    enough.set()

    def send_until_it_is_gone() -> None:
        with pytest.raises(httpx.HTTPError):
            send()

    enough, sending = threading.Event(), threading.Thread(target=send_until_it_is_gone)
    sending.start()
    assert enough.wait(timeout=60)
    served.end(signal.SIGKILL)
    sending.join(timeout=60)
    store = SqliteStore(folder / ".comity" / "comity.db")
    known = store.answers("the source", acknowledged)
    store.close()
    assert len(known) == len(acknowledged) > 500
    again = Served(folder)
    told = httpx.post(f"{again.url}/v1/messages", json=message(1, "hello 1", "a1"), headers=source, timeout=30).json()
    assert told["outcome"] == "allowed"
    assert again.end(signal.SIGTERM) == 0
    assert "verified" in comity(folder, "verify")
