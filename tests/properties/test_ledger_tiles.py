"""Tiles: the paths and widths of C2SP tlog-tiles, and that publishing step by step gives the same files as at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.ledger.log import Log, append, partial_files, republication, resume
from comity.ledger.tiles import (
    TileError,
    TilePlace,
    encode_bundle,
    fetch_hashes,
    hashes_from_tiles,
    parse_bundle,
    parse_path,
    tile_widths,
)
from comity.ledger.tree import (
    EMPTY,
    check_consistency,
    check_inclusion,
    consistency_proof,
    grow,
    inclusion_proof,
    leaf_hash,
)

EDGES = [0, 1, 2, 255, 256, 257, 511, 512, 513]
LARGE_EDGES = [65535, 65536, 65537, 65792]
ENTRIES = [b"entry %d" % n for n in range(LARGE_EDGES[-1])]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]

sizes = st.sampled_from(EDGES) | st.integers(0, 1200)


def files_at(size: int) -> dict[str, bytes]:
    return dict(republication(ENTRIES[:size], 0))


def test_the_specifications_example_of_70000_entries() -> None:
    assert tile_widths(70_000) == ((273, 112), (1, 17), (0, 1))
    assert tile_widths(256) == ((1, 0), (0, 1))
    assert tile_widths(65536) == ((256, 0), (1, 0), (0, 1))
    assert tile_widths(0) == ()


def test_paths_are_those_of_the_specification() -> None:
    assert TilePlace(level=0, n=1234067).path == "tile/0/x001/x234/067"
    assert TilePlace(level=63, n=0, width=1).path == "tile/63/000.p/1"
    assert TilePlace(level=None, n=1000, width=255).path == "tile/entries/x001/000.p/255"


@given(
    st.builds(
        TilePlace,
        level=st.none() | st.integers(0, 63),
        n=st.integers(0, 2**55),
        width=st.integers(1, 256),
    )
)
def test_every_place_reads_back_from_its_path(place: TilePlace) -> None:
    assert parse_path(place.path) == place


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/64/000",
        "tile/00/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/entries/000.p/999",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000\n",
        "tile/0/../../vkey",
        "/tile/0/000",
        "tile/entries/٠٠٠",
        "tile/data/000",
        "tile/0/" + "x001/" * 7 + "000",
    ],
)
def test_what_is_no_path_of_a_tile_is_refused(path: str) -> None:
    assert parse_path(path) is None


@given(st.lists(st.binary(max_size=70), max_size=9))
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    content = encode_bundle(entries)
    assert parse_bundle("p", content, len(entries)) == (tuple(entries), len(content))


def test_a_bundle_that_breaks_off_names_the_entry() -> None:
    content = encode_bundle([b"one", b"three"])
    assert parse_bundle("p", content, 1) == ((b"one",), 5)
    for length in range(5, len(content)):
        with pytest.raises(TileError, match=r"^p: it breaks off in entry 1 of 2$"):
            parse_bundle("p", content[:length], 2)
    with pytest.raises(ValueError, match="Entry 0 of the bundle has 65536 bytes"):
        encode_bundle([bytes(65536)])


def changed_tiles(old: int, new: int) -> tuple[TilePlace, ...]:
    """Every tile and bundle that a tree of `new` leaves has and one of `old` had not, or not so wide."""
    before = dict(enumerate(tile_widths(old)))
    places = []
    for level, (full, width) in enumerate(tile_widths(new)):
        first, had = before.get(level, (0, 0))
        for kind in (None, 0) if level == 0 else (level,):
            places += [TilePlace(level=kind, n=n) for n in range(first, full)]
            if width and (full, width) != (first, had):
                places.append(TilePlace(level=kind, n=full, width=width))
    return tuple(places)


@given(st.lists(sizes, min_size=2, max_size=5))
@settings(max_examples=30)
def test_files_published_step_by_step_are_those_published_at_once(steps: list[int]) -> None:
    published: dict[str, bytes] = {}
    log = Log()
    for size in sorted(steps):
        appended = append(log, ENTRIES[log.size : size])
        now = dict((*appended.files, *partial_files(appended.log, log.size)))
        assert now.keys() == {place.path for place in changed_tiles(log.size, size)}
        published |= now
        log = appended.log
        whole = files_at(size)
        assert whole == {path: published[path] for path in whole}
    assert log == resume(ENTRIES[: log.size], None)


@pytest.mark.parametrize("published", [0, 1, 255, 256, 257, 65535, 65536, 65537])
@pytest.mark.parametrize("size", LARGE_EDGES)
def test_what_is_published_after_a_crash_is_what_had_changed(published: int, size: int) -> None:
    if published > size:
        return
    files = dict(republication(iter(ENTRIES[:size]), published))
    assert files.keys() == {place.path for place in changed_tiles(published, size)}


@pytest.mark.parametrize("size", [1, 255, 256, 257, *LARGE_EDGES])
def test_proofs_read_from_tiles_lead_to_the_root(size: int) -> None:
    files = files_at(size)
    read = hashes_from_tiles(files.get, size)
    root = grow(EMPTY, LEAVES[:size])[0].root
    for index in {0, size // 2, 255 % size, 256 % size, size - 1}:
        check_inclusion(index, size, LEAVES[index], inclusion_proof(index, size, read), root)
    for old in {1, 255, 256, 257, 65536, size} & set(range(1, size + 1)):
        old_root = grow(EMPTY, LEAVES[:old])[0].root
        check_consistency(old, old_root, size, root, consistency_proof(old, size, read))


def test_a_full_tile_stands_in_for_the_partial_one_it_replaced() -> None:
    files = files_at(256)
    place = TilePlace(level=0, n=0, width=7)
    assert fetch_hashes(files.get, place) == b"".join(LEAVES[:7])
    with pytest.raises(TileError, match=r"tile/0/001\.p/3: there is no such file"):
        fetch_hashes(files.get, TilePlace(level=0, n=1, width=3))


@pytest.mark.parametrize("content", [b"", bytes(8191), bytes(8193)])
def test_a_tile_of_the_wrong_length_is_refused(content: bytes) -> None:
    with pytest.raises(TileError, match=rf"tile/0/000: it has {len(content)} bytes, not 8192"):
        fetch_hashes({"tile/0/000": content}.get, TilePlace(level=0, n=0))


def test_a_subtree_beyond_the_tree_is_refused() -> None:
    read = hashes_from_tiles(files_at(300).get, 300)
    for height, n in ((0, 300), (8, 1), (9, 0), (40, 0)):
        with pytest.raises(ValueError, match="no subtree"):
            read(height, n)
