"""What commands print fits the terminal, however narrow it is: nothing is cut, and no word is broken."""

from __future__ import annotations

import pytest
from rich.text import Text

from comity.app.tables import Column, table
from comity.app.terminal import in_width

NAMES = Column(heading="clause", cells=("flooding", "campaigns-of-many-accounts"))
COLUMNS = (
    Column(heading="messages", cells=("1,234,567", "3"), is_number=True),
    Column(heading="caught", cells=("+12", ""), is_number=True),
    Column(heading="over time", cells=("▁▂▃▄▅▆▇█", "█"), can_be_spared=True),
)
SIDE_BY_SIDE = """\
clause                       messages  caught  over time
flooding                    1,234,567     +12  ▁▂▃▄▅▆▇█
campaigns-of-many-accounts          3          █"""
SPARED = """\
clause                       messages  caught
flooding                    1,234,567     +12
campaigns-of-many-accounts          3"""
BELOW = """\
   messages  caught  over time
flooding
  1,234,567     +12  ▁▂▃▄▅▆▇█
campaigns-of-many-accounts
          3          █"""
BELOW_AND_SPARED = """\
   messages  caught
flooding
  1,234,567     +12
campaigns-of-many-accounts
          3"""
ONE_BY_ONE = """\
flooding
  messages: 1,234,567
  caught: +12
campaigns-of-many-accounts
  messages: 3"""


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (200, SIDE_BY_SIDE),
        (56, SIDE_BY_SIDE),
        (55, SPARED),
        (45, SPARED),
        (44, BELOW),
        (30, BELOW),
        (29, BELOW_AND_SPARED),
        (19, BELOW_AND_SPARED),
        (18, ONE_BY_ONE),
        (1, ONE_BY_ONE),
    ],
)
def test_a_table_takes_the_form_that_fits(width: int, expected: str) -> None:
    assert "\n".join(table(NAMES, COLUMNS, width=width)) == expected


def test_wide_characters_are_counted_as_wide_as_they_are_shown() -> None:
    names = Column(heading="account", cells=("愛愛愛", "ab"))
    assert list(table(names, COLUMNS[:1], width=18)) == [
        "account   messages",
        "愛愛愛   1,234,567",
        "ab               3",
    ]


def test_a_long_line_is_broken_between_words_and_set_in() -> None:
    line = Text("    a line that has to be broken somewhere, and a_word_that_no_narrow_terminal_has_room_for")
    pieces = list(in_width(line, 40))
    assert [piece.plain for piece in pieces] == [
        "    a line that has to be broken",
        "      somewhere, and",
        "      a_word_that_no_narrow_terminal_has",
        "      _room_for",
    ]


def test_a_broken_line_keeps_its_colours() -> None:
    line = Text.assemble("a few words to begin with, ", ("then red ones", "red"), " and others")
    pieces = list(in_width(line, 38))
    assert [piece.plain for piece in pieces] == ["a few words to begin with, then red", "  ones and others"]
    assert [_red(piece) for piece in pieces] == ["then red", "ones"]


def _red(piece: Text) -> str:
    return "".join(piece.plain[span.start : span.end] for span in piece.spans if span.style == "red")


def test_a_line_that_fits_stays_as_it_is() -> None:
    line = Text("  as it is ")
    assert list(in_width(line, 11)) == [line]
