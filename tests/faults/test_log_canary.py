"""Nothing of anybody stands in what `comity serve` writes, whatever is sent to whichever route, and whatever breaks."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from serve_lives import comity, message
from test_run_killed import RULES

from comity.model.access import GIVEN, Role, Token, TokenId
from comity.model.routes import MACHINES, TABLE
from comity.stores.tokens import TokenFile

CANARY = "canary-7f3a"
HOSTILE = f'{CANARY}@example.org\r\n"\x1b[31m'
PLANTED = f"""
import asyncio, logging, sys, threading, warnings
from comity.api import standings
from comity.api.outbox import Outbox
from comity.app import serve as service
from comity.app.main import main

def breaks(*_, **__):
    raise KeyError({HOSTILE!r})

async def breaks_later(*_):
    asyncio.get_running_loop().create_task(breaks_at_once())
    await asyncio.sleep(60)

async def breaks_at_once():
    breaks()

class Lost:
    __del__ = breaks

def planted(config, listener, ending):
    thread = threading.Thread(target=breaks)
    thread.start()
    thread.join()
    Lost()
    logging.getLogger("library").warning("said: %s", {HOSTILE!r})
    try:
        breaks()
    except KeyError:
        logging.getLogger("library").exception({HOSTILE!r})
    warnings.warn({HOSTILE!r}, stacklevel=1)
    run(config, listener, ending)
    breaks()

run, service.run = service.run, planted
standings._standing = breaks
Outbox._look = breaks_later
sys.argv = ["comity", "serve", "--port", "0"]
main()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("record")
    (made / "agreement.md").write_text(RULES)
    comity(made, "publish")
    return made


def asked(folder: Path, *command: str) -> tuple[int, list[str], list[int]]:
    """Everything is asked of the service, with canaries in all of it: its exit code, its lines, what it answered."""
    bearers = _bearers(folder)
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, stderr=said, text=True
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        with (
            httpx.Client(base_url=first.split()[-1], timeout=60) as client,
            ThreadPoolExecutor(4) as threads,
        ):
            answers = list(threads.map(lambda each: _status(client, each), _requests(bearers)))
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
        said.seek(0)
        return process.returncode, [first, *rest.splitlines(), *said.read().splitlines()], answers


def _bearers(folder: Path) -> dict[Role, dict[str, str]]:
    """New ones."""
    found, now = {}, datetime.now(UTC)
    with closing(TokenFile(folder / ".comity" / "access.db")) as file:
        for role in GIVEN:
            end = now + timedelta(days=1)
            secret = f"{role}-{now.timestamp()}"
            one = Token(id=TokenId(secret), name=f"a {role}", role=role, channels=None, created=now, expires=end)
            file.add(one, sha256(secret.encode()).digest())
            found[role] = {"Authorization": f"Bearer {secret}"}
    return found


def _requests(bearers: dict[Role, dict[str, str]]) -> Iterator[httpx.Request]:
    source = bearers[Role.SOURCE]
    for number in range(100):  # some of which breach
        one = message(number, f"buy now {CANARY}" if number % 9 == 0 else CANARY, f"{CANARY}{number % 5}")
        yield _request("POST", "/v1/messages", source, {**one, "id": f"{CANARY}{number}"})
    for route in TABLE:
        method, path = route.split()
        if path == "/v1/standings":
            continue  # it has no end
        where = re.sub(r"\{\w+\}", quote(CANARY), path)
        may = [bearers[role] for role in TABLE[route] if role in bearers and route in MACHINES]
        for bearer in (*may, {"Authorization": f"{'Link' if 'statements' in path else 'Bearer'} {CANARY}"}):
            yield _request(
                method, where, bearer, {"account": CANARY, "address": HOSTILE, "handle": CANARY, "why": CANARY}
            )
    yield _request("PUT", "/v1/contacts", source, {"account": CANARY, "address": f"{CANARY}@example.org"})
    yield _request("PUT", "/v1/handles", source, {"account": CANARY, "channel": "posts", "handles": [CANARY]})
    yield _request(CANARY.upper(), f"/{CANARY}", {}, {})


def _request(method: str, path: str, bearer: dict[str, str], body: dict[str, object]) -> httpx.Request:
    headers = {**bearer, "X-Forwarded-For": CANARY, "User-Agent": CANARY, "Cookie": f"comity={CANARY}", CANARY: CANARY}
    asks = {"account": CANARY, "channel": "posts", "after": CANARY, "token": CANARY}
    return httpx.Request(method, f"http://127.0.0.1{path}", headers=headers, params=asks, json=body)


def _status(client: httpx.Client, one: httpx.Request) -> int:
    url = client.base_url.join(one.url.raw_path.decode())
    return client.request(one.method, url, headers=one.headers, content=one.content).status_code


def _fields(lines: list[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_whoever_sends_whatever_to_each_route_nothing_of_it_is_written(folder: Path) -> None:
    code, lines, answers = asked(folder, "-m", "comity.app", "serve", "--port", "0")
    assert code == 0
    assert {200, 204, 401, 403, 404} <= set(answers)
    assert not [each for each in answers if each >= 500]
    assert [line for line in lines if CANARY in line.lower()] == []
    assert {each["logger"] for each in _fields(lines)} == {"uvicorn.error"}, "what is no HTTP is told"


def test_whatever_breaks_is_told_by_its_place_and_never_in_its_words(folder: Path) -> None:
    code, lines, answers = asked(folder, "-c", PLANTED)
    assert code == 3
    assert 500 in answers
    assert [line for line in lines if CANARY in line.lower()] == []
    assert [line[:9] for line in lines if "Traceback" in line] == []
    told = _fields(lines)
    assert len(told) == len(lines) - 3, "but for where it listens and how it ended each line is JSON"
    assert {"an error that nobody foresaw", "a thread ended by a fault", "the service ended by a fault"} <= {
        each["what"] for each in told
    }
    loggers = {each.get("logger") for each in told}
    assert {"library", "py.warnings", "asyncio"} <= loggers
    assert all(isinstance(each["at"], str) and each["where"] for each in told)
