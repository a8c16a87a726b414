"""Bytes put aside in a file without a name, which is gone when it is closed, whatever happens to the process."""

from __future__ import annotations

from tempfile import TemporaryFile
from types import TracebackType
from typing import Self


class FileScratch:
    """A `Scratch` of any size. Raises `OSError` where there is no room for it (`TMPDIR` names another place)."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed by `__exit__`
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, content: bytes) -> int:
        at = self._length
        self._file.seek(at)
        self._file.write(content)
        self._length += len(content)
        return at

    def read(self, at: int, length: int) -> bytes:
        self._file.seek(at)
        return self._file.read(length)
