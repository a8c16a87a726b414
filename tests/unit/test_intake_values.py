"""Single values of a record: what each field takes, and the limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from comity.intake import values
from comity.intake.problems import RecordError

HUGE = 10**4000


def refusal(read: Callable[[object], object], value: object) -> str:
    with pytest.raises(RecordError) as caught:
        read(value)
    assert caught.value.mend, "a refusal says how to mend it"
    return caught.value.reason


def test_ids_are_any_text_of_1_to_1024_bytes() -> None:
    for hostile in ("'; DROP TABLE", "\0", "../../etc", "<script>", "\u202e", "a" * 1024, "é" * 512, " "):
        assert values.name(hostile) == hostile
    assert "is empty" in refusal(values.name, "")
    assert "limit is 1,024" in refusal(values.name, "a" * 1025)
    assert "limit is 1,024" in refusal(values.name, "é" * 513)


def test_a_whole_number_is_an_id_by_its_digits() -> None:
    assert values.name(12) == "12"
    assert values.name(-3) == "-3"
    for other in (1.0, True, HUGE, ["1"], b"1"):
        refusal(values.name, other)


def test_a_text_is_at_most_one_mebibyte_of_utf_8() -> None:
    assert values.text("é" * (1 << 19)) == "é" * (1 << 19)
    assert "the limit is 1,048,576" in refusal(values.text, "é" * (1 << 19) + "a")
    assert values.text("") == ""
    assert values.text("\0") == "\0"


def test_lone_surrogates_are_refused_wherever_text_stands() -> None:
    for read in (values.text, values.name, values.line, values.tag, values.strings, values.label, values.meta):
        refusal(read, "a\ud800")
    assert "lone surrogate" in refusal(values.strings, ["a", "\udcff"])
    assert "lone surrogate" in refusal(values.meta, {"a": "\udcff"})
    assert "lone surrogate" in refusal(values.meta, {"\udcff": "a"})


@pytest.mark.parametrize("name", ["posts", "mail-in", "a", "x9"])
def test_a_channel_is_named_as_agreements_name_it(name: str) -> None:
    assert values.channel(name) == name


@pytest.mark.parametrize("name", ["", "Posts", "9x", "a b", "posts\n", "-a", "é", "a" * 65, 1, None])
def test_what_no_agreement_can_name_is_no_channel(name: object) -> None:
    refusal(values.channel, name)


def test_a_list_is_a_list_or_a_json_array_or_words() -> None:
    assert values.strings(["a b", "c"]) == ["a b", "c"]
    assert values.strings('["a b", "c"]') == ["a b", "c"]
    assert values.strings("a b  c") == ["a", "b", "c"]
    assert values.strings("") == []


@pytest.mark.parametrize("value", [3, {"a": 1}, [1], [None], [["a"]], '["a"', "[" * 10_000, "[1]", ["a" * 8193]])
def test_other_things_are_no_list_of_strings(value: object) -> None:
    refusal(values.strings, value)


def test_lists_are_bounded_in_items_and_in_all() -> None:
    assert "limit is 10,000" in refusal(values.strings, ["a"] * 10_001)
    assert "characters long" in refusal(values.strings, ["a" * 8000] * 200)


def test_mentions_hashtags_and_media_types_come_in_their_usual_form() -> None:
    assert values.words("@")(["@Ada", "bob"]) == ["ada", "bob"]
    assert values.words("#")("#News cats") == ["news", "cats"]
    assert values.media_types(["Text/HTML; charset=x"]) == ["text/html"]


@pytest.mark.parametrize(
    ("value", "is_true"),
    [(True, True), ("true", True), ("YES", True), (1, True), (False, False), ("0", False), (0, False)],
)
def test_a_claim_is_written_in_the_usual_ways(value: object, is_true: bool) -> None:
    assert values.claim(value) is is_true


@pytest.mark.parametrize("value", ["", "maybe", 2, 1.0, HUGE, None, []])
def test_other_things_claim_nothing(value: object) -> None:
    refusal(values.claim, value)


@pytest.mark.parametrize(("value", "number"), [(0, 0), (1 << 31, 1 << 31), (3.0, 3), ("12", 12)])
def test_reach_is_a_whole_number_to_two_to_the_31(value: object, number: int) -> None:
    assert values.reach(value) == number
    assert type(values.reach(value)) is int


@pytest.mark.parametrize(
    "value", [-1, (1 << 31) + 1, 1.5, float("nan"), float("inf"), HUGE, True, "1.5", "٣", "9" * 5000, "", []]
)
def test_other_numbers_are_no_reach(value: object) -> None:
    refusal(values.reach, value)


def test_a_label_may_be_text_words_or_a_number() -> None:
    assert values.label("spam") == "spam"
    assert values.label(["spam", "sure"]) == "spam sure"
    assert values.label(1) == "1"
    assert values.label(True) == "true"
    refusal(values.label, {"a": 1})


def test_meta_is_a_map_of_strings_and_what_can_be_written_as_one() -> None:
    assert values.meta({"a": "x", "b": 1, "c": 0.5, "d": True, "e": None}) == {
        "a": "x",
        "b": "1",
        "c": "0.5",
        "d": "true",
    }
    assert values.meta('{"a": "x"}') == {"a": "x"}
    assert values.meta([("a", "x")]) == {"a": "x"}


@pytest.mark.parametrize(
    "value",
    [
        [1],
        "x",
        "{",
        "[1]",
        3,
        {"a": {"b": 1}},
        {"a": []},
        {"a": float("nan")},
        {"a": HUGE},
        {"a": "x" * 8193},
        {"k" * 1025: "x"},
        {str(n): "x" for n in range(257)},
        {1: "x"},
    ],
)
def test_other_things_are_no_meta(value: object) -> None:
    refusal(values.meta, value)
