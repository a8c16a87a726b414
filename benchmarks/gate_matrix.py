"""What the `matrix` gate adds to a message in a real Synapse, and how much of it each of its parts is.

Four homeservers run at once, alike but for the gate: none, refusing alone (`members: false`), memberships too, and
every message judged by a real `comity serve`. Messages are sent to each in turn, in a room of one and a larger one,
so that whatever else the machine does meets all of them. Beside the time that a client waits, the processor time that
Synapse itself spent on a message is told.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from common import COMITY, comity, expect, leave_out, part, report

sys.path.append(str(Path(__file__).parents[1] / "tests" / "e2e"))

from homeserver import Homeserver, User, free_port, lines_of_the_page, running

MESSAGES = 150
MEMBERS = 100
"""Of the larger room."""
TICK = os.sysconf("SC_CLK_TCK")
RULES = """---
comity: 1
title: Rules
channels: [chat]
---

# Rules

## Spam {#spam}

No advertising.

```rule
text.says("buy now")
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove | | |
"""
KINDS = ("no gate", "refusing", "and memberships", "and judging")


@dataclass
class Served:
    """One homeserver, somebody in two rooms, and how long messages took in each: small, large."""

    homeserver: Homeserver
    ann: User
    rooms: tuple[str, str]
    took: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    spent: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def send(self, which: int) -> None:
        before, start = self.processor_seconds(), time.perf_counter()
        answer = self.ann.say(self.rooms[which], "Hello, all of you")
        self.took[which].append(time.perf_counter() - start)
        self.spent[which] += self.processor_seconds() - before
        expect(answer.status_code == 200, answer.text)

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.homeserver.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def centre(folder: Path) -> Iterator[dict[str, object]]:
    """What homeserver.yaml is to say of it."""
    (folder / "agreement.md").write_text(RULES)
    comity("publish", "agreement.md", folder=folder)
    with subprocess.Popen([COMITY, "serve", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:[0-9]+", serving.stdout.readline())
            url = found[0] if found else ""
            expect(url != "", "the centre runs")
            key = httpx.get(f"{url}/v1/log/vkey", trust_env=False).text.strip()
            yield {"http://127.0.0.1:8645": url, "example.org/log+12345678+AbCd": key}
        finally:
            serving.terminate()


def modules(folder: Path, number: int, places: dict[str, object]) -> str:
    if number == 0:
        return ""
    here = {"/var/lib/comity-gate": folder / f"gate-{number}"}
    for name, role in (("gate", "gate"), ("source", "source")):
        made = comity("token", "new", f"{name}-{number}", "--role", role, "--json", folder=folder)
        (folder / f"{name}-{number}.token").write_text(json.loads(made)["token"])
        here[f"/etc/comity/{name}.token"] = folder / f"{name}-{number}.token"
    lines = lines_of_the_page({**places, **here}) + f"      members: {str(number > 1).lower()}\n"
    return lines if number == 3 else re.sub(r"\n *judge_token_file: .*", "", lines)


def served(homeserver: Homeserver) -> Served:
    ann = homeserver.user("ann")
    rooms = [ann.first_room() for _ in range(2)]
    for number in range(MEMBERS):
        expect(homeserver.user(f"a{number}").member(rooms[1], "join").status_code == 200, "they join")
    return Served(homeserver, ann, (rooms[0], rooms[1]))


def measure(all_of_them: list[Served]) -> None:
    for number in range(MESSAGES + 5):
        if number == 5:  # the first ones do not count
            for each in all_of_them:
                each.took, each.spent = ([], []), [0.0, 0.0]
        for which in range(2):
            for each in all_of_them:
                each.send(which)


def told(all_of_them: list[Served]) -> float:
    """The figures as parts; what the whole gate adds in a small room."""
    plain = all_of_them[0]
    for which, room in enumerate(("a room of one", f"one of {MEMBERS + 1}")):
        for kind, each in zip(KINDS, all_of_them, strict=True):
            p50 = statistics.median(each.took[which]) * 1e3
            part(f"{kind}, {room}: a client waits, p50", p50, "ms")
            part(f"{kind}, {room}: Synapse's processor time", each.spent[which] / MESSAGES * 1e3, "ms a message")
    return (statistics.median(all_of_them[-1].took[0]) - statistics.median(plain.took[0])) * 1e3


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        folder = Path(name)
        places = held.enter_context(centre(folder))
        homeservers = [
            held.enter_context(running(folder / f"synapse-{number}", free_port(), modules(folder, number, places)))
            for number in range(len(KINDS))
        ]
        all_of_them = [served(each) for each in homeservers]
        measure(all_of_them)
        added = told(all_of_them)
    report(added, "ms", target="what the whole gate adds to a message (p50): a fraction of what Synapse itself takes")


if __name__ == "__main__":
    if sys.platform != "linux":
        leave_out("the processor time of another process is only read on Linux")
    main()
