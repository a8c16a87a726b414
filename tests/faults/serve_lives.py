"""`comity serve` through many deaths: `python serve_lives.py FOLDER --lives N [--seed S]`.

Each life is a process that serves one record and is killed while sources send; a few of what they sent breach the
agreement. Whatever was acknowledged must be in the record when it lives again, be answered as it was, and have had its
effect once. Prints one JSON object; `violations` must be empty.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx

from comity.casework.facts import Decided
from comity.model.ids import MessageId
from comity.stores.sqlite import SqliteStore

COMITY = (sys.executable, "-m", "comity.app")
SOURCE = "the source"
AT_ONCE = 50


def comity(folder: Path, *words: str) -> str:
    done = subprocess.run([*COMITY, *words], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def token(folder: Path, role: str) -> dict[str, str]:
    made = json.loads(comity(folder, "token", "new", f"the {role}", "--role", role, "--json"))
    return {"Authorization": f"Bearer {made['token']}"}


def message(number: int, text: str, author: str = "ann") -> dict[str, str]:
    now = datetime.now(UTC).isoformat()
    return {"id": str(number), "author": author, "channel": "posts", "text": text, "sent": now}


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


class Load:
    """Two sources that send until nobody answers any more: one message at a time, and many at once."""

    def __init__(self, url: str, first: int = 0, enough: int = 300) -> None:
        self.url, self.first, self.enough, self.headers = url, first, enough, dict[str, str]()
        self.acknowledged: dict[str, dict[str, object]] = {}
        self.sent: dict[str, dict[str, str]] = {}
        self.answered: list[int] = []
        self.is_under_way = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(each,)) for each in (self._one, self._many)]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        for thread in self._threads:
            thread.join(timeout=60)

    def _send(self, work) -> None:
        with suppress(httpx.HTTPError), httpx.Client(base_url=self.url, timeout=30) as client:
            for start in range(self.first, self.first + 1_000_000, AT_ONCE):
                work(client, start)

    def _drawn(self, number: int) -> dict[str, str]:
        said = "buy now" if number % 97 == 0 else f"hello {number}"
        one = self.sent[str(number)] = message(number, said, f"a{number % 1_000}")
        return one

    def _one(self, client: httpx.Client, start: int) -> None:
        told = client.post("/v1/messages", json=self._drawn(start), headers=self.headers)
        self._heard(told, [told.json()])

    def _many(self, client: httpx.Client, start: int) -> None:
        lines = "\n".join(json.dumps(self._drawn(number)) for number in range(start + 1, start + AT_ONCE))
        headers = {**self.headers, "Content-Type": "application/x-ndjson"}
        told = client.post("/v1/messages", content=lines, headers=headers)
        self._heard(told, [json.loads(line) for line in told.text.splitlines()])

    def _heard(self, told: httpx.Response, answers: list[dict[str, object]]) -> None:
        self.answered.append(told.status_code)
        self.acknowledged |= {str(each["id"]): each for each in answers if "answer" in each}
        if len(self.acknowledged) > self.enough:
            self.is_under_way.set()


def lost(folder: Path, load: Load) -> list[str]:
    """What was acknowledged, and is not in the record as it was answered."""
    store = SqliteStore(folder / ".comity" / "comity.db", writes=False)
    known = store.answers(SOURCE, [MessageId(each) for each in load.acknowledged])
    store.close()
    answers = {str(id_): (str(one.outcome), one.statement) for id_, one in known.items()}
    told = {id_: (one["outcome"], one["statement"]) for id_, one in load.acknowledged.items()}
    return [
        f"message {id_}: told {told[id_]}, kept {answers.get(id_)}" for id_ in told if told[id_] != answers.get(id_)
    ]


def _again(url: str, load: Load) -> Iterator[str]:
    """All of it sent again: answered as it was; what was not acknowledged is taken now."""
    ids = sorted(load.sent, key=int)
    lines = "\n".join(json.dumps(load.sent[id_]) for id_ in ids)
    headers = {**load.headers, "Content-Type": "application/x-ndjson"}
    told = httpx.post(f"{url}/v1/messages", content=lines, headers=headers, timeout=120).text.splitlines()
    answers = {each.get("id"): each for each in map(json.loads, told)}
    for id_ in ids:
        if id_ not in answers:
            yield f"message {id_} is not answered when it is sent again"
        elif id_ in load.acknowledged and _said(answers[id_]) != _said(load.acknowledged[id_]):
            yield f"message {id_}: told {load.acknowledged[id_]}, then {answers[id_]}"


def _twice(folder: Path) -> list[str]:
    """The messages that were decided about more than once."""
    with closing(SqliteStore(folder / ".comity" / "comity.db", writes=False)) as store:
        about = Counter(
            message for fact in store.facts([Decided]) for message in {breach.message for breach in fact.breaches}
        )
    return [f"message {message}: decided {count} times" for message, count in about.items() if count > 1]


def _said(answer: dict[str, object]) -> dict[str, object]:
    """All of it but the link, which names the port."""
    return {name: value for name, value in answer.items() if name != "link"}


def lives(folder: Path, count: int, *, seed: int) -> dict[str, object]:
    """`folder` has a published agreement. What was seen, and each violation."""
    drawn, violations, acknowledged, first = random.Random(seed), list[str](), 0, 0
    source = token(folder, "source")
    for _ in range(count):
        served = Served(folder)
        load = Load(served.url, first, enough=drawn.randrange(300, 1_500))
        load.headers |= source
        load.begin()
        load.is_under_way.wait(timeout=120)
        served.end(signal.SIGKILL)
        load.end()
        violations += lost(folder, load)
        again = Served(folder)
        violations += _again(again.url, load)
        violations += _twice(folder)
        if again.end(signal.SIGTERM) != 0:
            violations.append("it did not end when it was told to")
        acknowledged += len(load.acknowledged)
        first += 2_000_000
    if "verified" not in comity(folder, "verify"):
        violations.append("the ledger does not verify")
    return {"lives": count, "acknowledged": acknowledged, "violations": violations}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lives", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    from test_run_killed import RULES

    wanted.folder.mkdir(parents=True, exist_ok=True)
    (wanted.folder / "agreement.md").write_text(RULES)
    comity(wanted.folder, "publish")
    told = lives(wanted.folder, wanted.lives, seed=wanted.seed)
    print(json.dumps(told))
    return 1 if told["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
