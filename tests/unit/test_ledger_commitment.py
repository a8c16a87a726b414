"""Commitments: an opening fits one field of one entry, and nothing else."""

from __future__ import annotations

import hashlib
import hmac

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from comity.ledger.canonical import CanonicalError, Json, canonical_json
from comity.ledger.commitment import CommitmentError, Opening, commit

SALT = bytes(range(32))
OPENING = Opening(entry_id="a" * 32, field="account", salt=SALT, value="u123")

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_canonical_json_is_that_of_rfc_8785(value: Json) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


def test_keys_are_sorted_by_utf_16_units() -> None:
    assert canonical_json({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"a": [1, 2.5]}, r"\$\.a\[1\]: a float"),
        ({"a": 2**53}, r"\$\.a: 9007199254740992"),
        ({"a": "\ud800"}, "surrogate"),
        ({1: "a"}, "key 1 is not a string"),
        (b"bytes", "bytes cannot be committed to"),
    ],
)
def test_a_value_without_a_canonical_form_is_refused_with_its_place(value: object, named: str) -> None:
    with pytest.raises(CanonicalError, match=named):
        canonical_json(value)  # type: ignore[arg-type]


def test_a_value_that_is_nested_without_end_is_refused() -> None:
    value: Json = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(CanonicalError, match="nested deeper"):
        canonical_json(value)


def test_a_commitment_is_the_hmac_that_the_design_writes_down() -> None:
    expected = hmac.new(SALT, b"comity/v1/" + b"a" * 32 + b'/account\0"u123"', hashlib.sha256).hexdigest()
    assert OPENING.commitment == expected
    assert OPENING.fits(expected)


@pytest.mark.parametrize(
    "other",
    [
        {"entry_id": "b" * 32},
        {"field": "message"},
        {"salt": bytes(32)},
        {"value": "u124"},
        {"value": ["u123"]},
        {"salt": SALT + b"\0"},
        {"salt": SALT[:31]},
        {"value": 1.5},
        {"field": "account\0"},
        {"field": ""},
    ],
)
def test_an_opening_with_anything_changed_does_not_fit(other: dict[str, object]) -> None:
    whole = {"entry_id": "a" * 32, "field": "account", "salt": SALT, "value": "u123"}
    assert not Opening(**{**whole, **other}).fits(OPENING.commitment)  # type: ignore[arg-type]


@pytest.mark.parametrize("commitment", ["", "é" * 64, OPENING.commitment.upper(), OPENING.commitment[:-1]])
def test_an_opening_does_not_fit_what_is_no_commitment(commitment: str) -> None:
    assert not OPENING.fits(commitment)


def test_a_salt_that_hmac_would_pad_or_hash_is_refused() -> None:
    for length in (0, 31, 33, 64, 65):
        with pytest.raises(CommitmentError, match=f"{length} bytes, not 32"):
            commit(bytes(length), "a" * 32, "account", "u123")
