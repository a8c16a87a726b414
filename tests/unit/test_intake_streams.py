"""Compressed archives: told by their first bytes, read in bounded memory, given up to where they are damaged."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from intake_reading import line, read, stored

from comity.intake.streams import CHUNK, RECORD_LIMIT, Opened

Pack = Callable[[bytes], bytes]


def zstandard(content: bytes) -> bytes:
    packed = pa.compress(content, codec="zstd", asbytes=True)
    assert isinstance(packed, bytes)
    return packed


PACKS: dict[str, Pack] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstandard}


def lines_of(content: bytes) -> list[bytes]:
    opened = Opened(name="a", path="a", raw=io.BufferedReader(io.BytesIO(content)))
    return [one for block in opened.lines() for one in block]


@pytest.mark.parametrize("suffix", PACKS)
def test_compression_is_told_by_the_first_bytes(suffix: str, tmp_path: Path) -> None:
    packed = PACKS[suffix](line())
    assert read(stored(tmp_path / f"a.jsonl.{suffix}", packed)).texts == ["hello"]
    assert read(stored(tmp_path / "misnamed.jsonl", packed)).texts == ["hello"]
    assert read("-", stdin=packed).texts == ["hello"]


@pytest.mark.parametrize("suffix", PACKS)
def test_streams_one_after_the_other_are_one(suffix: str, tmp_path: Path) -> None:
    packed = PACKS[suffix](line(id="1")) + PACKS[suffix](line(id="2"))
    assert len(read(stored(tmp_path / f"a.jsonl.{suffix}", packed)).messages) == 2


def test_padding_after_an_xz_stream_is_skipped() -> None:
    packed = lzma.compress(b"a\n")
    assert lines_of(packed + bytes(8) + packed) == [b"a", b"a"]


@pytest.mark.parametrize("suffix", PACKS)
def test_records_before_the_damage_are_given(suffix: str, tmp_path: Path) -> None:
    chance = random.Random(1)
    content = [line(id=str(number), text=str(chance.random()) * 4) for number in range(20_000)]
    packed = PACKS[suffix](b"".join(content))
    given = read(stored(tmp_path / f"a.jsonl.{suffix}", packed[: len(packed) * 3 // 4]))
    assert len(given.messages) > 9_000
    assert [message.id for message in given.messages] == [str(number) for number in range(len(given.messages))]
    assert "damaged or cut short" in given.problems[0].what
    assert not given.rejects


@pytest.mark.parametrize("suffix", PACKS)
def test_every_cut_and_every_flipped_byte_ends_in_a_problem_or_in_records(suffix: str, tmp_path: Path) -> None:
    packed = PACKS[suffix](line() * 20)
    for at in range(0, len(packed), 3):
        read(stored(tmp_path / f"cut.jsonl.{suffix}", packed[:at]))
        flipped = bytearray(packed)
        flipped[at] ^= 0xFF
        read(stored(tmp_path / f"flipped.jsonl.{suffix}", bytes(flipped)))


def test_a_stream_that_asks_for_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    greedy = {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC3}
    packer = lzma.LZMACompressor(filters=[greedy])
    [problem] = read(stored(tmp_path / "a.jsonl.xz", packer.compress(line()), packer.flush())).problems
    assert "emory" in problem.what


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_a_bomb_of_one_line_is_one_reject_in_bounded_memory(suffix: str, tmp_path: Path) -> None:
    bomb = stored(tmp_path / f"a.jsonl.{suffix}", PACKS[suffix](b"0" * (48 << 20)))
    assert bomb.stat().st_size < 1 << 20
    tracemalloc.start()
    given = read(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "longer than" in given.reasons[0]
    assert peak < 40 << 20


def test_lines_are_whole_whatever_the_chunks() -> None:
    chance = random.Random(2)
    content = [b"x" * chance.choice((0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1)) for _ in range(40)]
    assert lines_of(b"\n".join(content) + b"\n") == content


def test_a_line_is_cut_just_above_its_limit() -> None:
    assert [len(one) for one in lines_of(b"x" * (RECORD_LIMIT + CHUNK) + b"\nyy")] == [RECORD_LIMIT + 1, 2]
    assert [len(one) for one in lines_of(b"x" * RECORD_LIMIT + b"\n")] == [RECORD_LIMIT]
