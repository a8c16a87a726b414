"""Keyed hashes of texts: one text has one hash wherever it stands, and two texts have two."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from comity.flow.hashes import Hasher

KEY = b"0123456789abcdef"
HASHER = Hasher(KEY)
texts = st.lists(st.one_of(st.binary(max_size=40), st.binary(max_size=3).map(lambda some: some * 9000)), max_size=6)


@given(texts, st.binary(max_size=9))
def test_a_text_has_one_hash_wherever_it_stands(every: list[bytes], before: bytes) -> None:
    ends = np.cumsum([len(before), *map(len, every)])
    together = HASHER.of(before + b"".join(every), ends[:-1], ends[1:])
    assert together.tolist() == [HASHER.of_each([one])[0] for one in every]


@given(texts)
def test_two_texts_have_two(every: list[bytes]) -> None:
    different = list(dict.fromkeys(every))
    assert len(set(HASHER.of_each(different).tolist()) - {0}) == len(different)


def test_zeros_at_the_end_and_each_of_many_places_count() -> None:
    of_zeros = [bytes(size) for size in range(64)]
    of_places = [bytes(place) + b"a" + bytes(63 - place) for place in range(64)]
    assert len(set(HASHER.of_each([*of_zeros, *of_places]).tolist())) == 128


def test_another_key_gives_others() -> None:
    assert Hasher(b"fedcba9876543210").of_each([b"a", b""]).tolist() != HASHER.of_each([b"a", b""]).tolist()
