"""One record lived through many deaths: `python ledger_lives.py FOLDER --lives N [--as HOW] [--plant FAULT]`.

Each life is a process of its own that opens the record, takes messages in and acknowledges them, until its disk kills
it, loses its power or fails at a step drawn by chance. What outlives it is held against what readers and senders saw:

- a published file never changes, and every checkpoint that anybody could have read is of one history;
- what was acknowledged stands at its place, and is answered as it was then;
- acts that are kept together are all kept, or none;
- every proof ever given verifies.

Prints one JSON object: how many died where, and each violation, of which there must be none. `--plant` makes a fault
that must be found.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import apsw
from faulty_disk import FaultyDisk
from test_run_killed import KEY, messages, proceedings

from comity.flow.head import stored_entries
from comity.flow.message import Proceedings
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.log import ForkError
from comity.ledger.tree import Tree, check_inclusion, grow, inclusion_proof, leaf_hash, node_hash
from comity.ledger.verify import verify
from comity.model.message import Message
from comity.ports import Answer, StoreError, Write
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore

AT_ONCE, MOST_WRITES, LIVES_OF_ONE = 12, 25, 25
SENT = messages(60_000)


class PublishFirst:
    """A store that commits only when the log was published: the wrong order."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.waiting = store, list[Write]()

    def append(self, write: Write) -> None:
        self.waiting.append(write)

    def commit(self) -> None:
        while self.waiting:
            self.store.append(self.waiting.pop(0))

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


class PublishThenCommit:
    def __init__(self, log: LogFolder, store: PublishFirst) -> None:
        self.log, self.store = log, store

    def publish(self, files: Iterable[tuple[str, bytes]], checkpoint: bytes) -> None:
        self.log.publish(files, checkpoint)
        self.store.commit()

    def read(self, path: str) -> bytes | None:
        return self.log.read(path)


class Life:
    """What one process does until it dies. Reports to `diary`, a file outside of the record."""

    def __init__(self, folder: Path, options: argparse.Namespace, seed: int) -> None:
        self.folder, self.options, self.seed = folder, options, seed
        self.chance = random.Random(seed)
        self.left = round(10 ** self.chance.uniform(0, 2.7))
        self.point, self.met = "", set[str]()
        self.diary = os.open(folder / "diary", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.failed = ""

    def say(self, **what: object) -> None:
        os.write(self.diary, json.dumps(what).encode() + b"\n")

    def aim(self, points: Sequence[str], times: int) -> None:
        """Die at one of the points that earlier lives came by, each as likely; or after some number of steps.

        At the latest the `times`-th time that it comes by.
        """
        if points and self.chance.random() < 0.8:
            self.point, self.left = self.chance.choice(points), self.chance.randrange(1, times + 1)

    def step(self, name: str) -> None:
        if name not in self.met:
            self.met.add(name)
            self.say(met=name)
        if name.startswith("delete") and self.options.how in ("fail", "full"):
            return  # done in tidying up, where SQLite forgives it, but apsw does not forgive the shim
        if not self.point or self.point == name or self.left <= 0:
            self.left -= 1
            if self.left == 0 or (self.left < 0 and self.options.how == "full" and not name.startswith("sync")):
                self.end(name)

    def end(self, name: str) -> None:
        if self.left == 0:
            self.say(died=name)
        if self.options.how in ("fail", "full"):
            self.failed = name
            self.disk.fail(name)
            raise failure(name, self.options.how, self.chance)
        self.disk.cut_power()
        os.kill(os.getpid(), signal.SIGKILL)

    def live(self, start: int) -> None:
        plant = self.options.plant
        lies = frozenset({"lying-store": ("store",), "lying-log": ("log",)}.get(plant, ()))
        self.disk = FaultyDisk(
            folder=self.folder,
            step=self.step,
            chance=self.chance,
            forgets=self.options.how in ("cut", "fail"),
            lies=lies,
            published=lambda checkpoint: self.say(seen=checkpoint.decode()),
        )
        self.disk.install()
        while True:
            try:
                self.work(start)
                return
            except (StoreError, OSError) as error:
                if not self.failed:
                    raise
                self.say(error=f"{type(error).__name__}: {error}"[:200])
                if self.options.how == "full":
                    return
                self.failed = ""

    def work(self, start: int) -> None:
        log = LogFolder(self.folder / "log")
        store = SqliteStore(self.folder / "comity.db")
        try:
            if self.options.plant == "publish-first":
                late = PublishFirst(store)
                running = proceedings(late, PublishThenCommit(log, late), f"{self.seed}/{start}/{self.left}")
            else:
                running = proceedings(store, log, f"{self.seed}/{start}/{self.left}")
            for place in range(start, start + AT_ONCE * MOST_WRITES, AT_ONCE):
                self.look(store, place)
                answers = self.take(running, SENT[place : place + AT_ONCE])
                outcomes = [one.outcome for one in answers]
                self.say(to=place, answers=outcomes, size=store.size, **proved(log, self.chance))
        finally:
            if not self.failed:
                closed(store)

    def look(self, store: SqliteStore, place: int) -> None:
        """What an earlier life died over is there as a whole, or not at all."""
        known = store.answers("s", [one.id for one in SENT[place : place + AT_ONCE]])
        if 0 < len(known) < AT_ONCE:
            self.say(torn=place)

    def take(self, running: Proceedings, sent: list[Message]) -> list[Answer]:
        """At once, or as several acts that are kept together."""
        if self.options.plant == "publish-first" or self.chance.random() < 0.5:
            return list(running.take(sent))
        with running.together():
            answers = [one for start in range(0, len(sent), 4) for one in running.take(sent[start : start + 4])]
        running.publish_kept()
        return answers


def closed(store: SqliteStore) -> None:
    """SQLite itself forgives a disk that fails while it tidies up; only the shim's exception comes through."""
    with suppress(apsw.Error):
        store.close()


def failure(name: str, how: str, chance: random.Random) -> Exception:
    if name.split()[1].startswith(("comity.db", "keys.db", "comity.lock")):
        return apsw.FullError(name) if how == "full" else chance.choice([apsw.FullError, apsw.IOError])(name)
    code = errno.ENOSPC if how == "full" else chance.choice([errno.ENOSPC, errno.EIO, errno.EROFS])
    return OSError(code, os.strerror(code), name)


def proved(log: LogFolder, chance: random.Random) -> dict[str, object]:
    """Where the log stands, and the proof that somebody was given of one of its entries."""
    checkpoint = unverified_checkpoint(log.read("checkpoint") or b"")
    leaves = log_leaves(log, checkpoint.size)
    index = chance.randrange(checkpoint.size)
    path = inclusion_proof(index, checkpoint.size, lambda height, n: subtree(leaves, height, n))
    return {
        "root": checkpoint.root.hex(),
        "index": index,
        "leaf": leaves[index].hex(),
        "proof": [one.hex() for one in path],
    }


LEAVES: list[bytes] = []


def log_leaves(log: LogFolder, size: int) -> list[bytes]:
    """The published leaf hashes; full tiles are read once."""
    while len(LEAVES) // 256 < size // 256:
        LEAVES.extend(split(log.read(tile_path(len(LEAVES) // 256)) or b""))
    rest = size % 256
    partial = split(log.read(f"{tile_path(size // 256)}.p/{rest}") or b"") if rest else []
    return [*LEAVES[: size - rest], *partial]


def tile_path(n: int) -> str:
    return f"tile/0/{n:03}" if n < 1000 else f"tile/0/x{n // 1000:03}/{n % 1000:03}"


def split(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + 32] for start in range(0, len(hashes), 32)]


def subtree(leaves: list[bytes], height: int, n: int) -> bytes:
    nodes = leaves[n << height : (n + 1) << height]
    while len(nodes) > 1:
        nodes = [node_hash(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
    return nodes[0]


class Witnessed:
    """What readers and senders have seen over all lives."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, LogFolder(folder / "log")
        self.files: dict[str, bytes] = {}
        self.violations: list[str] = []

    def look(self) -> None:
        """After each death: what was published before is still what it was."""
        for file in self.log.path.rglob("*"):
            path = str(file.relative_to(self.log.path))
            if not file.is_file() or path.startswith("checkpoint") or file.name.endswith(".new"):
                continue
            content = file.read_bytes()
            if self.files.setdefault(path, content) != content:
                self.violations.append(f"{path} was published, and then changed")

    def diary(self) -> list[dict[str, object]]:
        path = self.folder / "diary"
        return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    def reckon(self) -> None:
        """At the end: hold everything that was seen against the entries that there are."""
        store = SqliteStore(self.folder / "comity.db", writes=False)
        tree, roots, leaves = Tree(), [Tree().root.hex()], [leaf_hash(one) for one in stored_entries(store)]
        for leaf in leaves:
            tree, _ = grow(tree, [leaf])
            roots.append(tree.root.hex())
        for line in self.diary():
            self._hold(line, roots, store)
        store.close()
        report = verify(self.log.read)
        if not report.is_fine or report.size != len(leaves):
            self.violations.append(f"the ledger does not verify: {report.size} of {len(leaves)}, {report.problems[:2]}")

    def _hold(self, line: dict[str, object], roots: list[str], store: SqliteStore) -> None:
        if "seen" in line:
            checkpoint = unverified_checkpoint(str(line["seen"]).encode())
            if checkpoint.size >= len(roots) or roots[checkpoint.size] != checkpoint.root.hex():
                self.violations.append(f"a checkpoint of {checkpoint.size} entries is of another history")
        if "torn" in line:
            self.violations.append(f"of the messages from {line['torn']} on, kept together, some are there")
        if "to" in line:
            self._hold_acknowledged(line, roots, store)

    def _hold_acknowledged(self, line: dict, roots: list[str], store: SqliteStore) -> None:
        size = line["size"]
        if size >= len(roots) or roots[size] != line["root"]:
            self.violations.append(f"{size} entries were acknowledged, and are no longer those")
            return
        sent = SENT[line["to"] : line["to"] + AT_ONCE]
        known = store.answers("s", [one.id for one in sent])
        if [known[one.id].outcome if one.id in known else None for one in sent] != line["answers"]:
            self.violations.append(f"messages from {line['to']} on were acknowledged, and are answered otherwise now")
        path = [bytes.fromhex(one) for one in line["proof"]]
        check_inclusion(line["index"], size, bytes.fromhex(line["leaf"]), path, bytes.fromhex(roots[size]))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lives", type=int, required=True)
    parser.add_argument("--as", dest="how", choices=["kill", "cut", "fail", "full"], default="kill")
    parser.add_argument("--plant", choices=["publish-first", "lying-store", "lying-log"], default="")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    points, errors, violations = Counter[str](), Counter[str](), list[str]()
    acknowledged, begun = 0, set[str]()
    for record, start in enumerate(range(0, options.lives, LIVES_OF_ONE)):
        witnessed = whole_life(
            options.folder / str(record), options, min(LIVES_OF_ONE, options.lives - start), record, begun
        )
        diary = witnessed.diary()
        begun |= met_once(diary)
        points.update(dict.fromkeys(met(diary), 0))
        points.update(str(line["died"]) for line in diary if "died" in line)
        errors.update(str(line["error"]).split(":")[0] for line in diary if "error" in line)
        acknowledged += sum("to" in line for line in diary)
        violations += witnessed.violations
    print(json.dumps({"points": points, "errors": errors, "acknowledged": acknowledged, "violations": violations}))
    return 1 if violations else 0


def met_once(diary: Sequence[dict[str, object]]) -> set[str]:
    """The points that a record came by in one life alone, as when its version is published."""
    lives = Counter(str(line["met"]) for line in diary if "met" in line)
    return {name for name, count in lives.items() if count == 1}


def met(diary: Sequence[dict[str, object]]) -> set[str]:
    return {str(line["met"]) for line in diary if "met" in line}


def whole_life(folder: Path, options: argparse.Namespace, lives: int, record: int, begun: set[str]) -> Witnessed:
    """One record from its first moment, through `lives` deaths, to a last life in which nothing goes wrong.

    `begun`: points that earlier records came by in one life alone, mostly their first.
    """
    (folder / "log").mkdir(parents=True)
    LogFolder(folder / "log").write_vkey(KEY.verifier)
    witnessed = Witnessed(folder)
    for life in range(lives):
        if not lived(folder, options, options.seed * 1_000_000 + record * 1_000 + life, witnessed, begun):
            return witnessed
        witnessed.look()
    unharmed = argparse.Namespace(how="none", plant="")
    if lived(folder, unharmed, -1 - record, witnessed, begun):
        witnessed.look()
        witnessed.reckon()
    return witnessed


def lived(folder: Path, options: argparse.Namespace, seed: int, witnessed: Witnessed, begun: set[str]) -> bool:
    """One life, in a process of its own. False: it ended in a way that the record must not."""
    diary = witnessed.diary()
    last = max((int(str(line["to"])) for line in diary if "to" in line), default=0)
    points = sorted(met(diary) or begun)
    process = os.fork()
    if process == 0:
        try:
            life = Life(folder, options, seed)
            if options.how == "none":
                life.left = 1 << 62
            else:
                life.aim(points, times=3 if diary else 1)
            life.live(last)
        except ForkError as error:
            os.write(2, f"{error}\n".encode())
            os._exit(4)
        except BaseException as error:  # noqa: BLE001 - told to the parent, which goes on
            traceback.print_exception(error)
            os._exit(5)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        return True
    refused = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 4
    witnessed.violations.append("the next start refused: a fork" if refused else f"life {seed} ended with {status}")
    return False


if __name__ == "__main__":
    sys.exit(main())
