"""Opens an archive as bytes, decompressed, in bounded pieces and in bounded lines.

Compression is told by the first bytes, never by the name: gzip, bzip2, xz (at most 256 MiB of its own memory) and
Zstandard. What a stream gave before it turned out to be broken has been passed on.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import pyarrow as pa

from comity.intake.problems import ArchiveError

CHUNK: Final = 1 << 20
RECORD_LIMIT: Final = 16 << 20
"""Bytes of one line, or of one record of several lines."""

BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_BZIP2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\x00"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_XZ_PADDING: Final = b"\x00"
_XZ_MEMORY: Final = 256 << 20
_ZSTANDARD_PIECE: Final = 1 << 16
_DAMAGE: Final = (EOFError, OSError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An archive to be read from its start. `raw` tells how far reading has come, in stored bytes."""

    name: str
    path: str
    raw: io.BufferedReader
    is_live: bool = False  # standard input: pass on what has come, at once

    def lines(self) -> Iterator[list[bytes]]:
        """Blocks of whole lines without their `\\n`; a longer one is cut to `RECORD_LIMIT + 1` bytes.

        The last block may be empty; a missing final line end is fine. Raises `ArchiveError` where the bytes end too
        early, after all whole lines before that.
        """
        head = bytearray()
        mark = BOM
        for chunk in self.chunks():
            *whole, tail = chunk.split(b"\n")
            if whole:
                head += whole[0][: RECORD_LIMIT + 1 - len(head)]
                yield [bytes(head).removeprefix(mark), *whole[1:]]
                head.clear()
                mark = b""
            head += tail[: RECORD_LIMIT + 1 - len(head)]
        yield [bytes(head).removeprefix(mark)] if head else []

    def chunks(self) -> Iterator[bytes]:
        """The decompressed bytes, about `CHUNK` at a time (at once if live); `ArchiveError` if they end too early."""
        gathered: list[bytes] = []
        size = 0
        try:
            for piece in _pieces(self.raw):
                gathered.append(piece)
                size += len(piece)
                if size >= CHUNK or self.is_live:
                    yield b"".join(gathered)
                    gathered, size = [], 0
        except _DAMAGE as damage:
            yield b"".join(gathered)
            raise _cut_short(self.name, damage) from damage
        yield b"".join(gathered)


def _cut_short(archive: str, damage: BaseException) -> ArchiveError:
    mend = "what came before it is read; fetch the file again"
    return ArchiveError(archive, f"the file is damaged or cut short: {damage}", mend)


def _pieces(raw: io.BufferedReader) -> Iterator[bytes]:
    """The decompressed bytes as they come, so that nothing is lost that was there before the damage."""
    start = raw.peek(len(_XZ))
    if start.startswith(_GZIP):
        return iter(partial(gzip.GzipFile(fileobj=raw).read1, CHUNK), b"")
    if start.startswith(_BZIP2):
        return iter(partial(bz2.BZ2File(raw).read1, CHUNK), b"")
    if start.startswith(_ZSTANDARD):
        return _zstandard(raw)
    if start.startswith(_XZ):
        return _xz(raw)
    return iter(partial(raw.read1, CHUNK), b"")


def is_compressed(start: bytes) -> bool:
    return start.startswith((_GZIP, _BZIP2, _XZ, _ZSTANDARD))


def _zstandard(raw: io.BufferedReader) -> Iterator[bytes]:
    stream = pa.CompressedInputStream(pa.PythonFile(_Lent(raw), mode="r"), "zstd")
    return iter(partial(stream.read, _ZSTANDARD_PIECE), b"")


class _Lent(io.RawIOBase):
    """A stream that its borrower may close: `pyarrow` does when it comes to the end."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._raw = raw

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(size)


def _xz(raw: io.BufferedReader) -> Iterator[bytes]:
    """Like `lzma.LZMAFile`, which however lets a file ask for gigabytes of memory."""
    stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    fed = raw.read1(CHUNK)
    while fed:
        if piece := stream.decompress(fed, CHUNK):
            yield piece
        while not stream.eof and not stream.needs_input:
            yield stream.decompress(b"", CHUNK)
        fed = stream.unused_data.lstrip(_XZ_PADDING) or raw.read1(CHUNK)
        if stream.eof and fed:
            stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    if not stream.eof:
        raise EOFError("the xz stream has no end")
