"""The OpenAPI document is true: whatever it allows is answered as it says, by nobody with a fault of ours.

Schemathesis draws the requests, for each role in turn; `OPENAPI_SECONDS=600` gives it ten minutes a role,
`OPENAPI_SEED` other requests.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from environments import python_with

sys.path.append(str(Path(__file__).parents[1] / "faults"))

from serve_lives import Served, comity, message, token

SECONDS = int(os.environ.get("OPENAPI_SECONDS", "4"))
SEED = os.environ.get("OPENAPI_SEED", "1")
ROLES = ("source", "gate", "reviewer", "appeals reviewer", "operator", "auditor")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
RULES = """---
comity: 1
title: Rules
channels: [posts, mail]
---

# Rules

## Spam {#spam}

Do not advertise.

```rule
text.says("buy now")
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | suspend | posts | 2 days |
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Served]]:
    """A record with a statement in it."""
    folder = tmp_path_factory.mktemp("openapi")
    (folder / "agreement.md").write_text(RULES)
    comity(folder, "publish")
    one = Served(folder)
    httpx.post(f"{one.url}/v1/messages", json=message(1, "buy now"), headers=token(folder, "source"), timeout=60)
    yield folder, one
    assert one.end(signal.SIGTERM) == 0


def link(folder: Path) -> str:
    (statement,) = json.loads(comity(folder, "statement", "--json"))
    told = json.loads(comity(folder, "link", statement["id"], "--json"))
    return f"Link {told['statement'].rpartition('/')[2]}"


@pytest.mark.parametrize("role", [*ROLES, "account"])
def test_whatever_the_document_allows_is_answered_as_it_says(served: tuple[Path, Served], role: str) -> None:
    folder, one = served
    header = link(folder) if role == "account" else token(folder, role)["Authorization"]
    done = subprocess.run(
        [
            *(python_with("schema"), "-m", "schemathesis.cli", "run", f"{one.url}/openapi.json"),
            *("--header", f"Authorization: {header}", "--checks", ",".join(CHECKS), "--max-time", str(SECONDS)),
            *("--phases", "coverage,fuzzing", "--max-examples", "20" if SECONDS < 60 else "1000", "--seed", SEED),
            *("--exclude-path", "/v1/standings", "--generation-database", "none", "--no-color"),  # it does not end
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS * 3 + 120,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]


def test_every_error_is_a_problem_that_says_what_to_do(served: tuple[Path, Served]) -> None:
    folder, one = served
    source = token(folder, "source")
    with httpx.Client(base_url=one.url, timeout=60) as client:
        found = [
            (404, client.get("/nothing")),
            (405, client.delete("/v1/messages")),
            (401, client.get("/v1/cases")),
            (403, client.get("/v1/cases", headers=source)),
            (400, client.post("/v1/acceptances", content=b"{", headers=source)),
            (400, client.post("/v1/acceptances", json={"account": 1}, headers=source)),
            (413, client.post("/v1/acceptances", content=b" " * (2 << 20), headers=source)),
            (410, client.get("/v1/events?after=99999", headers=source)),
        ]
    for status, told in found:
        assert (told.status_code, told.headers["content-type"]) == (status, "application/problem+json"), told.text
        assert told.json()["status"] == status
        assert told.json()["detail"]
