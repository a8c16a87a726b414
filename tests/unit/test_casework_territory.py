"""A person may limit what happens to a message to some countries, and everybody is told which."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from test_casework_decide import START, days
from test_casework_dsa import record, the_export
from test_casework_people import MARA, Record

from comity.agreement.ladders import ChoiceError, read_choice
from comity.casework import amend
from comity.casework.dsa import exported
from comity.casework.languages import LANGUAGES
from comity.casework.recorded import recorded
from comity.casework.refused import RefusedError
from comity.casework.spoken import measure_in_words
from comity.casework.wording import sections

ROW = "remove, suspend | posts | 3 days"
UTC = ZoneInfo("UTC")


def chosen(instead: str, row: str = ROW) -> Record:
    ann = record(row)
    case, breach = ann.reported(sent=START)
    ann.confirm(case, breach, at=START + days(1), instead=instead)
    return ann


def told(ann: Record) -> str:
    shown = sections(ann.last, zone=UTC, appeal_window=None)
    return "\n".join(paragraph for section in shown for paragraph in section.paragraphs)


def test_a_removal_in_some_countries_is_milder_than_one_everywhere() -> None:
    (removal,) = chosen("remove in DE AT").last.foreseen
    assert removal.territory == ("AT", "DE")


def test_a_removal_in_some_countries_is_harsher_than_none() -> None:
    with pytest.raises(RefusedError, match="harsher"):
        chosen("remove in AT", row="suspend | posts | 3 days")


def test_a_removal_may_later_be_limited_to_fewer_countries_and_not_to_others() -> None:
    ann = chosen("remove in DE AT")
    with pytest.raises(RefusedError, match="harsher"):
        correct(ann, "remove in FR")
    correct(ann, "remove in AT")
    assert [each.territory for each in ann.last.foreseen] == [("AT",)]


def correct(ann: Record, instead: str) -> None:
    rows = read_choice(instead, ann.rules)
    at = START + days(2)
    ann.keep(amend.correct(ann.record, ann.last.id, MARA, "Less.", at, rows=rows, version_of=ann.version_of))


@pytest.mark.parametrize("text", ["remove in XX", "remove in Austria", "remove in", "suspend in AT | posts | 3 days"])
def test_what_is_no_country_or_not_on_a_message_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ChoiceError):
        chosen(text)


def test_the_statement_names_the_countries_and_says_that_the_rest_holds_everywhere() -> None:
    said = told(chosen("remove in DE AT, suspend | posts | 2 days"))
    assert "This holds for readers in these countries only: Austria and Germany." in said
    assert "What else was decided holds everywhere" in said


def test_a_statement_about_countries_alone_does_not_say_everywhere() -> None:
    said = told(chosen("remove in JP"))
    assert "in one country only: JP." in said
    assert "everywhere" not in said


@pytest.mark.parametrize(("code", "name"), [("en", "Slovakia"), ("de", "die Slowakei"), ("fr", "la Slovaquie")])
def test_countries_are_named_in_the_readers_language(code: str, name: str) -> None:
    (removal,) = chosen("remove in SK").last.foreseen
    assert f" {name}." in measure_in_words(removal, UTC, LANGUAGES[code])


def test_the_export_names_the_countries_of_the_eea_and_no_others() -> None:
    assert the_export(chosen("remove in AT JP"))["territorial_scope"] == ["AT"]
    assert "territorial_scope" not in the_export(chosen("remove in AT, suspend | posts | 2 days"))


def test_what_holds_outside_of_the_eea_alone_is_not_exported() -> None:
    ann = chosen("remove in JP")
    assert exported(recorded(ann.last.decided), ann.rules.channels) is None
