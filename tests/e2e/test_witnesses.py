"""Witnesses as they run: two records vouch for each other, and other people's witness and reader agree with ours.

Servers listen on loopback, on ports that were free. Other people's tools get an environment of their own.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.policy import parse_policy
from comity.ledger.tiles import hashes_from_tiles
from comity.ledger.tree import consistency_proof, inclusion_proof
from comity.stores.log_folder import LogFolder

AICS_WITNESS, TLOG_SCALES = "aics-witness==0.1.0", "tlog-scales==0.0.3"
RULES = """---
comity: 1
title: Rules
channels: [posts]
---

# Rules

## Spam {#spam}

Do not advertise.

```rule
text.says("buy now")
```

```examples
breach: Buy now
fine: Hello
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
"""


class Deployment:
    """A record, its published log, its policy and its witness."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.log = folder, name, LogFolder(folder / ".comity" / "log")
        folder.mkdir()
        (folder / "agreement.md").write_text(RULES)
        (folder / "comity.toml").write_text(f'[ledger]\norigin = "{name}/log"\n')
        self.run("publish", "--replay", "--from", "2026-01-01")
        self.vkey = (self.log.read("vkey") or b"").decode().strip()

    def run(self, *arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "comity.app", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{arguments}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def grow(self, first: int, count: int) -> None:
        """One breach each, so one entry each and more."""
        lines = (
            {"id": f"m{n}", "author": f"a{n}", "channel": "posts", "text": "Buy now", "sent": "2026-03-01T12:00:00Z"}
            for n in range(first, first + count)
        )
        (self.folder / "sent.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.run("run", "sent.jsonl", "--as-sent")

    def trust(self, *witnesses: tuple[str, str], quorum: str) -> None:
        lines = [f"witness W{n} {vkey} {url}" for n, (vkey, url) in enumerate(witnesses)]
        names = " ".join(f"W{n}" for n in range(len(witnesses)))
        policy = "\n".join(
            [f"log {self.vkey}", *lines, f"group all-of-them {quorum} {names}", "quorum all-of-them", ""]
        )
        (self.folder / "trust.policy").write_text(policy)
        (self.folder / "comity.toml").write_text(f'[ledger]\norigin = "{self.name}/log"\npolicy = "trust.policy"\n')

    def cosigned_size(self) -> int:
        """The size that its policy finds well witnessed."""
        policy = parse_policy((self.folder / "trust.policy").read_bytes())
        return policy.open(self.log.read("cosigned") or b"").checkpoint.size


@contextmanager
def witnessing(folder: Path, *vkeys: str) -> Iterator[tuple[str, str]]:
    """A running `comity witness` for these logs: its key and its address."""
    entries = "".join(f"vkey {vkey}\nqpd 86400\ncontact nobody\n" for vkey in vkeys)
    (folder / "logs.txt").write_text(f"logs/v0\n{entries}")
    command = [sys.executable, "-m", "comity.app", "witness", "--logs", "logs.txt", "--port", "0"]
    with serving(command, folder, r"witness (\S+)\n.* on (\S+)\n") as found:
        yield found


@contextmanager
def serving(command: list[str], folder: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """A running server; what it says of itself when it begins."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        try:
            said = ""
            while (match := re.search(pattern, said)) is None:
                line = output.readline()
                assert line, f"{command} ended:\n{said}"
                said += line
            yield match[1], match[2]
        finally:
            process.terminate()
            process.wait(20)


def test_two_records_vouch_for_each_other_and_neither_can_forget_what_the_other_saw(tmp_path: Path) -> None:
    here, there = Deployment(tmp_path / "here", "here.example"), Deployment(tmp_path / "there", "there.example")
    with ExitStack() as running:
        ours = running.enter_context(witnessing(here.folder, there.vkey))
        theirs = running.enter_context(witnessing(there.folder, here.vkey))
        here.trust(theirs, quorum="all")
        there.trust(ours, quorum="all")
        for round_ in range(2):
            for one in (here, there):
                one.grow(round_ * 150, 150)
                assert "W0 cosigned" in one.run("cosign")
                assert one.log.read("cosigned") == one.log.read("checkpoint")
                assert one.cosigned_size() > round_ * 150
                assert "verified" in one.run("verify")
            if round_ == 0:
                shutil.copytree(here.folder / ".comity", tmp_path / "backup", ignore=shutil.ignore_patterns("witness"))
        whole = here.cosigned_size()
        shutil.rmtree(here.folder / ".comity" / "log")
        for file in (here.folder / ".comity").glob("*.db*"):
            file.unlink()
        shutil.copytree(tmp_path / "backup", here.folder / ".comity", dirs_exist_ok=True)
        before = here.log.read("checkpoint")
        said = here.run("accept", "somebody", code=3)
        assert f"W0 has cosigned {whole} entries" in said
        assert "restored from an older backup" in said
        assert here.log.read("checkpoint") == before, "nothing was signed"
    assert "guest" in here.run("accept", "guest"), "what no witness that can be reached objects to goes on"
    assert "W0 cannot be reached" in here.run("cosign", code=1)


def python_from(*least: int) -> str:
    """An interpreter that runs, of at least this version. Skips the test where there is none."""
    for name in ("python3.14", "python3.13", "python3.12", "python3"):
        for place in (shutil.which(name), *map(str, sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}")))):
            check = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {least})"
            if place and subprocess.run([place, "-c", check], capture_output=True, check=False).returncode == 0:
                return place
    pytest.skip(f"needs Python {'.'.join(map(str, least))} or later, which is not here")


def installed(folder: Path, python: str, *packages: str) -> Path:
    """The programs of a new environment with these packages."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *packages], check=True)
    return folder / "bin"


ASKER = """
import json, sys
from aics_witness import WitnessClient

url, vkey, steps = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
client = WitnessClient(url, vkey)
for note, proof in steps:
    line = client.submit(note, lambda old, new: [bytes.fromhex(one) for one in proof])
    assert line.startswith("\u2014 "), line
"""


def step(log: LogFolder, old: int) -> tuple[str, list[str]]:
    """The published checkpoint, and the proof to it from the size `old`."""
    note = log.read("checkpoint") or b""
    size = unverified_checkpoint(note).size
    proof = consistency_proof(old, size, hashes_from_tiles(log.read, size)) if old else ()
    return note.decode(), [one.hex() for one in proof]


def test_a_witness_that_others_wrote_vouches_for_our_log_and_refuses_its_fork(tmp_path: Path) -> None:
    programs = installed(tmp_path / "others", python_from(3, 12), AICS_WITNESS)
    one = Deployment(tmp_path / "one", "one.example")
    aics = [str(programs / "aics-witness")]
    made = [*aics, "init", "--config", "w.json", "--name", "witness.example/aics", "--listen", "127.0.0.1:0"]
    subprocess.run(made, cwd=tmp_path, check=True)
    added = [*aics, "add-log", "--config", "w.json", "--origin", "one.example/log", "--vkey", one.vkey]
    subprocess.run(added, cwd=tmp_path, check=True)
    with ExitStack() as running:
        pattern = r"witness vkey (\S+) [\s\S]*add-checkpoint at (\S+)/add-checkpoint"
        theirs = running.enter_context(serving([*aics, "serve", "--config", "w.json"], tmp_path, pattern))
        ours = running.enter_context(witnessing(one.folder, one.vkey))
        one.trust(theirs, ours, quorum="all")
        steps: list[tuple[str, list[str]]] = []
        for round_ in range(2):
            one.grow(round_ * 130, 130)
            assert one.run("cosign").startswith("W0 cosigned\nW1 cosigned\n")
            assert one.cosigned_size() > round_ * 130
            steps.append(step(one.log, unverified_checkpoint(steps[-1][0].encode()).size if steps else 0))
        (tmp_path / "fresh").mkdir()
        vkey, url = running.enter_context(witnessing(tmp_path / "fresh", one.vkey))
        subprocess.run([programs / "python", "-c", ASKER, url, vkey, json.dumps(steps)], check=True)
        (one.folder / "comity.toml").write_text('[ledger]\norigin = "one.example/log"\n')
        for file in (one.folder / ".comity").iterdir():
            if file.name not in ("ledger.key", "history.key", "witness"):
                shutil.rmtree(file) if file.is_dir() else file.unlink()
        one.run("publish", "--replay", "--from", "2026-01-01")
        one.trust(theirs, quorum="all")
        assert "W0 has cosigned" in one.run("accept", "somebody", code=3)


READER = """
import json, sys
from pathlib import Path
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

folder = Path(sys.argv[1])
reader = TilesReader(LocalBackend(folder))
checkpoint = reader.get_checkpoint()
checkpoint.verify(Vkey.from_string((folder / "vkey").read_text().strip()))
assert reader.calculate_root_hash() == checkpoint.root_hash
size = checkpoint.size
pairs = json.loads(sys.argv[2])
print(json.dumps({
    "size": size,
    "inclusion": [[h.hex() for h in reader.get_inclusion_proof(i, n).node_hashes] for i, n in pairs],
    "consistency": [[h.hex() for h in reader.get_consistency_proof(i, n).node_hashes] for i, n in pairs],
}))
"""


def test_a_reader_that_others_wrote_makes_the_very_same_proofs(tmp_path: Path) -> None:
    programs = installed(tmp_path / "others", python_from(3, 11), TLOG_SCALES)
    one = Deployment(tmp_path / "one", "one.example")
    one.grow(0, 700)
    size = int((one.log.read("checkpoint") or b"").split(b"\n")[1])
    pairs = [
        (i, n) for n in (2, 3, 255, 256, 257, 511, 512, 600, size) for i in {1, n // 3, n // 2, n - 1} if 0 < i < n
    ]
    command = [programs / "python", "-c", READER, one.log.path, json.dumps(pairs)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found["size"] == size
    for (index, width), inclusion, consistency in zip(pairs, found["inclusion"], found["consistency"], strict=True):
        read = hashes_from_tiles(one.log.read, size)
        assert [h.hex() for h in inclusion_proof(index, width, read)] == inclusion
        assert [h.hex() for h in consistency_proof(index, width, read)] == consistency
