"""`comity gate canary` through a real nginx: how long a cut took to be felt, and an alarm when it never was."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from test_gate_serve import ROOT, Record, free_port
from test_gate_web_servers import demand, web

ATTEMPT = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], data=b"hello", headers={"Authorization": "Basic YW5uOnB3"})
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
except urllib.error.HTTPError as error:
    sys.exit(error.code != 201)
"""
"""As ann, whom the test's nginx knows."""


def clause() -> str:
    """What the page tells the reader to write."""
    page = (ROOT / "docs" / "gates.md").read_text()
    (text,) = re.findall(r"^````markdown\n(## The canary.*?)^````", page, re.DOTALL | re.MULTILINE)
    return text


async def flown(record: Record, *more: str, attempt: tuple[str, ...]) -> tuple[int, dict[str, object]]:
    """How the command ended, and what it said."""
    tokens = ("--source-token", "source.token", "--reviewer-token", "reviewer.token")
    said = ("--account", "ann", "--channel", "posts", "--says", "peep peep 7f3a", "--within", "20", "--json")
    process = await record.started("gate", "canary", "--centre", record.url, *tokens, *said, *more, "--", *attempt)
    output, errors = await process.communicate()
    assert output, errors.decode()
    return process.returncode or 0, json.loads(output)


def test_a_canary_is_refused_and_passes_again_or_somebody_is_told(tmp_path: Path) -> None:
    demand("nginx")

    async def told() -> None:
        record = Record(tmp_path, free_port())
        head = "---\ncomity: 1\ntitle: Rules\nchannels: [posts]\n---\n\n# Rules\n\n"
        (tmp_path / "agreement.md").write_text(head + clause())
        await record.comity("publish", "agreement.md")
        for role in ("source", "reviewer"):
            made = json.loads(await record.comity("token", "new", role, "--role", role, "--json"))
            (tmp_path / f"{role}.token").write_text(made["token"])
        async with record.serving(), record.gate("one") as gate, web("nginx", tmp_path / "nginx", gate) as front:
            (tmp_path / "attempt.py").write_text(ATTEMPT)
            code, said = await flown(record, attempt=(sys.executable, "attempt.py", f"{front.url}/post"))
            assert (code, said["is_well"]) == (0, True)
            assert said["refused_after"] > 0
            assert said["passed_after"] > 0
            code, said = await flown(record, "--patience", "1", attempt=("true",))  # a server that asks no gate
            assert (code, said["is_well"], said["refused_after"]) == (1, False, None)
            assert "open" in await record.comity("standing", "ann")

    asyncio.run(told())
