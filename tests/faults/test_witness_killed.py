"""A witness that is killed at any moment has kept whatever it vouched for; and it ends in order when it is told to."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.request import urlopen

import pytest

from comity.ledger.cosignature import CosignerKey
from comity.ledger.log import Log, append, publication, signed_head
from comity.ledger.note import SigningKey
from comity.ledger.policy import KnownLog, KnownWitness, Policy
from comity.ledger.tiles import hashes_from_tiles
from comity.ledger.tree import consistency_proof
from comity.ledger.witness import LARGEST_REQUEST, SIZE_TYPE, AddCheckpoint, parse_size
from comity.stores.world import MemoryLog

LOG = SigningKey(name="example.com/log", seed=bytes(range(32)))
PLACE = f"/{sha256(LOG.name.encode()).hexdigest()}/checkpoint"
KILLED = """
import os, signal, sys
from comity.stores.database import Database
from comity.stores.witness_state import WitnessState

def dying(real, when):
    def advance(self, origin, step):
        if when == "before":
            return real(self, origin, lambda latest: (step(latest), os.kill(os.getpid(), signal.SIGKILL)))
        real(self, origin, step)
        os.kill(os.getpid(), signal.SIGKILL)
    return advance

WitnessState.advance = dying(WitnessState.advance, sys.argv.pop(1))
from comity.app.main import main
main()
"""


class Server:
    """A running `comity witness`, and what it printed when it began."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.vkey = process.stdout.readline().removeprefix("witness ").strip()
        self.port = int(process.stdout.readline().rpartition(":")[2])

    def ask(self, body: bytes) -> tuple[int, str | None, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request("POST", "/add-checkpoint", body)
            with connection.getresponse() as response:
                return response.status, response.getheader("content-type"), response.read()

    @property
    def policy(self) -> Policy:
        witness = KnownWitness(name="W", key=CosignerKey.parse(self.vkey))
        return Policy(logs=(KnownLog(key=LOG.verifier),), witnesses=(witness,), quorum="W")


def grown(size: int) -> tuple[list[bytes], MemoryLog]:
    log, published, notes = Log(), MemoryLog(), [signed_head(Log(), LOG.name, [LOG])]
    for n in range(size):
        appended = append(log, [b"entry %d" % n])
        log = appended.log
        notes.append(signed_head(log, LOG.name, [LOG]))
        published.publish(publication(appended, notes[-1]), notes[-1])
    return notes, published


def request(old: int, new: int) -> bytes:
    proof = consistency_proof(old, new, hashes_from_tiles(PUBLISHED.read, new)) if 0 < old < new else ()
    return bytes(AddCheckpoint(old=old, proof=proof, checkpoint=NOTES[new]))


LIVES = int(os.environ.get("WITNESS_LIVES", "4"))  # `make long` asks for more
NOTES, PUBLISHED = grown(60 + 15 * LIVES)


@contextmanager
def running(folder: Path, *prefix: str) -> Iterator[Server]:
    logs = folder / "logs.txt"
    logs.write_text(f"logs/v0\nvkey {LOG.verifier}\nqpd 1000\ncontact nobody\n")
    program = prefix or ("-m", "comity.app")
    command = [sys.executable, *program, "witness", "--logs", str(logs), "--port", "0", "--store", str(folder / "c")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield Server(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize(("when", "kept"), [("before", 3), ("after", 9)])
def test_a_witness_killed_before_its_answer_has_kept_all_or_nothing(tmp_path: Path, when: str, kept: int) -> None:
    with running(tmp_path) as server:
        assert server.ask(request(0, 3))[0] == 200
    with running(tmp_path, "-c", KILLED, when) as server:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            server.ask(request(3, 9))
        assert server.process.wait(20) == -signal.SIGKILL
    with running(tmp_path) as server:
        status, kind, body = server.ask(request(20, 30))
        assert (status, kind, body) == (409, SIZE_TYPE, b"%d\n" % kept)
        status, _, line = server.ask(request(kept, 30))
        assert status == 200
        assert server.policy.open(NOTES[30] + line).cosigned


def test_whatever_was_vouched_for_is_kept_when_the_witness_is_killed_at_any_moment(tmp_path: Path) -> None:
    """Cosigns as fast as it can until it is killed; the size that it remembers is never behind what it signed."""
    size, most = 0, len(NOTES) - 1
    for n in range(LIVES):
        with running(tmp_path) as server:
            (_, _, body) = server.ask(request(0, 1)) if size == 0 else server.ask(request(most - 1, most))
            known = parse_size(body) or 1
            assert known >= size, f"it signed {size} entries and remembers {known}"
            size = known
            killer = threading.Timer(0.03 * (n % 4), server.process.kill)
            killer.start()
            try:
                while size < most - 2:
                    status, _, line = server.ask(request(size, size + 1))
                    assert status == 200
                    size += 1
                    assert server.policy.open(NOTES[size] + line).cosigned
            except (OSError, http.client.HTTPException):
                pass  # it was killed; what it answered before counts
            killer.join()
    print(f"{LIVES} deaths of a witness that cosigned {size} checkpoints")


def test_a_witness_ends_in_order_when_told_to_and_has_kept_its_key_to_itself(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with running(tmp_path) as server:
            assert server.ask(request(0, 1))[0] in (200, 409)
            server.process.send_signal(number)
            assert server.process.wait(20) == 0
            assert server.process.stdout is not None
            assert server.process.stdout.read() == ""
    assert {one.name: one.stat().st_mode & 0o077 for one in (tmp_path / "c" / "witness").glob("witness.[dk]*")} == {
        "witness.db": 0,
        "witness.key": 0,
    }


def test_a_witness_whose_state_was_lost_does_not_start_with_its_old_key(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.ask(request(0, 1))[0] == 200
    (tmp_path / "c" / "witness" / "witness.db").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "comity.app", "witness", "--logs", tmp_path / "logs.txt", "--store", tmp_path / "c"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "witness.db is missing" in done.stderr
    assert "begin a new witness" in done.stderr


def test_other_paths_methods_and_bodies_are_answered_as_http_wants_it(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        for method, path, status in (
            ("GET", "/add-checkpoint", 405),
            ("PUT", "/add-checkpoint", 405),
            ("POST", "/", 404),
            ("POST", "/add-checkpoint/", 404),
            ("POST", PLACE, 405),
            ("GET", PLACE, 404),
            ("GET", PLACE.upper(), 404),
            ("GET", "/" + "0" * 64 + "/checkpoint", 404),
            ("POST", "/../add-checkpoint", 404),
        ):
            connection.request(method, path, b"x")
            response = connection.getresponse()
            assert (response.status, response.read() != b"") == (status, True)
        connection.close()
        assert server.ask(b"x" * (LARGEST_REQUEST + 1))[0] == 413
        assert server.ask(b"")[0] == 400
        status, _, line = server.ask(request(0, 5))
        assert status == 200
        with urlopen(f"http://127.0.0.1:{server.port}{PLACE}", timeout=20) as response:
            assert response.read() == NOTES[5] + line


def test_connections_that_say_nothing_keep_nobody_out(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
        for one in silent:
            one.sendall(b"POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nold")
        assert server.ask(request(0, 5))[0] == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        for one in silent:
            assert one.recv(100).startswith(b"HTTP/1.1 408 ")
            one.close()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs.txt").write_text("logs/v0\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "comity.app", "witness", "--logs", "logs.txt", "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
        )
    assert done.returncode == 3
    assert f"nothing can listen on 127.0.0.1:{port}" in done.stderr
