"""A disk that dies, forgets or fails at a step of our choosing, under SQLite and under the published log alike.

`FaultyDisk.install` changes the whole process for good, so only a process of its own does it (see `ledger_lives.py`).
Each step has a name, such as `write comity.db-wal` or `rename checkpoint`, and is announced before it is done.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

import apsw


@dataclass
class FaultyDisk:
    """What was written and not yet synced is `unsynced` (SQLite's) or in `unsafe` and `renames` (the log's).

    `forgets`: a cut of power loses it, each part by chance. `lies`: a sync says that it was done and does nothing.
    """

    folder: Path
    step: Callable[[str], None]
    chance: random.Random
    forgets: bool = False
    lies: frozenset[str] = frozenset()  # of "store", "log"
    published: Callable[[bytes], None] = lambda _: None
    unsynced: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    unsafe: set[Path] = field(default_factory=set)
    renames: list[tuple[Path, bytes | None]] = field(default_factory=list)
    one_at_a_time: RLock = field(default_factory=RLock)

    def install(self) -> None:
        Shim.disk = self
        self._vfs = Vfs()
        self._fsync, self._replace = os.fsync, os.replace
        os.fsync, os.replace = self.fsync, self.replace  # type: ignore[assignment]
        sys.addaudithook(self._opened)

    def cut_power(self) -> None:
        """Lose what was not synced; of several such parts each by chance."""
        if not self.forgets:
            return
        for path, content in reversed(self.renames):
            if self.chance.random() < 0.5:
                path.unlink(missing_ok=True) if content is None else path.write_bytes(content)
                self.unsafe.discard(path)
        for path in self.unsafe:
            if path.exists() and self.chance.random() < 0.5:
                with path.open("rb+") as file:
                    file.truncate(self.chance.randrange(path.stat().st_size + 1))
        for name, writes in self.unsynced.items():
            kept = [one for one in writes if self.chance.random() < 0.5]
            write_through(name, kept)

    def fail(self, name: str) -> None:
        """A sync that fails may have lost what it was to make safe, and nobody can tell."""
        action, _, what = name.partition(" ")
        if action == "sync" and self.chance.random() < 0.5:
            for path in self.unsynced:
                if Path(path).name == what:
                    self.unsynced[path].clear()

    def fsync(self, descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        with self.one_at_a_time:
            self.step(f"sync {named(path)}")
            self._fsync(descriptor)
            if "log" in self.lies:
                return
            self.unsafe.discard(path)
            self.renames = [one for one in self.renames if one[0].parent != path]

    def replace(self, source: Path, target: Path) -> None:
        with self.one_at_a_time:
            self._renamed(source, target)

    def _renamed(self, source: Path, target: Path) -> None:
        self.step(f"rename {named(Path(target))}")
        old = Path(target).read_bytes() if Path(target).exists() else None
        self.renames.append((Path(target), old))
        if Path(source) in self.unsafe:
            self.unsafe.discard(Path(source))
            self.unsafe.add(Path(target))
        self._replace(source, target)
        if Path(target).name == "checkpoint":
            self.published(Path(target).read_bytes())

    def _opened(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str | os.PathLike):
            return
        path, mode = Path(arguments[0]), arguments[1]
        if isinstance(mode, str) and "w" in mode and path.is_relative_to(self.folder):
            with self.one_at_a_time:
                self.step(f"open {named(path)}")
                self.unsafe.add(path)


def named(path: Path) -> str:
    """The kind of file, without its number: points are named by what is written, not by where in the log it is."""
    if "tile" in path.parts:
        kind = "bundle" if "entries" in path.parts else "tile"
        return f"{kind} folder" if path.is_dir() else kind
    if "agreement" in path.parts:
        return "version folder" if path.is_dir() else "version"
    return path.name.removeprefix(".").removesuffix(".new")


def write_through(name: str, writes: list[tuple[int, bytes]]) -> None:
    if writes and Path(name).exists():
        with open(name, "rb+") as file:
            for offset, content in writes:
                file.seek(offset)
                file.write(content)


class Vfs(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("faulty", base="unix", makedefault=True)

    def xOpen(self, name, flags):
        return Shim(name, flags)

    def xDelete(self, name, sync_folder):
        Shim.disk.step(f"delete {Path(name).name}")
        Shim.disk.unsynced.pop(name, None)
        return super().xDelete(name, sync_folder)


class Shim(apsw.VFSFile):
    """A file of SQLite's. On a disk that forgets, its writes are held back until they are synced."""

    disk: FaultyDisk

    def __init__(self, name, flags) -> None:
        self.name = name if isinstance(name, str) or name is None else name.filename()
        self.called = Path(self.name or "temporary").name
        super().__init__("unix", name, flags)

    @property
    def held(self) -> list[tuple[int, bytes]]:
        return self.disk.unsynced.setdefault(self.name or "", [])

    def xWrite(self, content: bytes, offset: int) -> None:
        self.disk.step(f"write {self.called}")
        if self.disk.forgets:
            self.held.append((offset, bytes(content)))
        else:
            super().xWrite(content, offset)

    def xRead(self, amount: int, offset: int) -> bytes:
        if not self.held:
            return super().xRead(amount, offset)
        content = bytearray(super().xRead(amount, offset).ljust(amount, b"\0"))
        for start, held in self.held:
            begin, end = max(start, offset), min(start + len(held), offset + amount)
            if begin < end:
                content[begin - offset : end - offset] = held[begin - start : end - start]
        return bytes(content[: max(0, min(amount, self.xFileSize() - offset))])

    def xFileSize(self) -> int:
        return max([super().xFileSize(), *(offset + len(content) for offset, content in self.held)])

    def xTruncate(self, size: int) -> None:
        self.disk.step(f"truncate {self.called}")
        self.flush()
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        self.disk.step(f"sync {self.called}")
        if "store" not in self.disk.lies:
            self.flush()
            super().xSync(flags)

    def flush(self) -> None:
        for offset, content in self.held:
            super().xWrite(content, offset)
        self.held.clear()
