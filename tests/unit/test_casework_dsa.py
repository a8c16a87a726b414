"""Statements for the EU's DSA Transparency Database: they fit its schema and hold nobody's data."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace
from test_casework_decide import START, agreement, clause, days
from test_casework_people import Record

from comity.casework import review
from comity.casework.dsa import batches, exported
from comity.casework.recorded import recorded
from comity.model.ids import MessageId, ReviewerId

SCHEMA = json.loads((Path(__file__).parents[1] / "golden" / "dsa_statement.schema.json").read_text(encoding="utf-8"))
FITS = jsonschema.Draft202012Validator(SCHEMA)
CHANNELS = ("posts", "mail")


def record(row: str, attributes: str = "") -> Record:
    ladder = f"\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | {row} |\n"
    return Record(agreement(clause("spam", attributes), ladder=ladder))


def the_export(ann: Record) -> dict[str, object]:
    found = exported(recorded(ann.last.decided), ann.rules.channels)
    assert found is not None
    FITS.validate(found)
    return found


@pytest.mark.parametrize(
    ("row", "key", "value"),
    [
        ("remove | | ", "decision_visibility", ["DECISION_VISIBILITY_CONTENT_REMOVED"]),
        ("mark | | ", "decision_visibility", ["DECISION_VISIBILITY_CONTENT_LABELLED"]),
        ("limit reach | all | 3 days", "end_date_visibility_restriction", "2026-01-04"),
        ("limit to 5 a day | posts | 3 days", "decision_provision", "DECISION_PROVISION_PARTIAL_SUSPENSION"),
        ("hold | posts | 3 days", "decision_visibility", ["DECISION_VISIBILITY_OTHER"]),
        ("suspend | posts | 3 days", "end_date_service_restriction", "2026-01-04"),
        ("suspend | all | 3 days", "decision_account", "DECISION_ACCOUNT_SUSPENDED"),
        ("suspend | all | until reviewed", "end_date_account_restriction", None),
    ],
)
def test_every_measure_fits_the_schema(row: str, key: str, value: object) -> None:
    ann = record(row)
    ann.breach("spam")
    assert the_export(ann)[key] == value


def test_a_warning_is_not_exported() -> None:
    ann = record("warn | | ")
    ann.breach("spam")
    assert exported(recorded(ann.last.decided), ann.rules.channels) is None


def test_9_flags_and_source_follow_from_the_facts() -> None:
    ann = record("remove | | ", "category=SCAMS_AND_FRAUD")
    ann.breach("spam")
    by_rule = the_export(ann)
    case, breach = ann.reported(sent=START + days(1))
    ann.confirm(case, breach, at=START + days(2))
    by_person = the_export(ann)
    asked = ("automated_detection", "automated_decision", "source_type", "category")
    fraud = "STATEMENT_CATEGORY_SCAMS_AND_FRAUD"
    assert [by_rule[key] for key in asked] == ["Yes", "AUTOMATED_DECISION_FULLY", "SOURCE_VOLUNTARY", fraud]
    assert [by_person[key] for key in asked] == ["No", "AUTOMATED_DECISION_NOT_AUTOMATED", "SOURCE_ARTICLE_16", fraud]


def test_22_an_exported_statement_holds_no_personal_data() -> None:
    ann = record("remove | | ")
    case, asked = ann.reported(sent=START)
    message = msgspec.structs.replace(
        asked.message, id=MessageId("canary-id"), text="canary-text", source="canary-source", subject="canary-subject"
    )
    breach = msgspec.structs.replace(asked.breach, message=message.id, source=message.source)
    deciding = replace(ann.deciding(case), by=ReviewerId("canary-reviewer"), why="canary-reason")
    confirmed = replace(asked, message=message, breach=breach)
    ann.keep(review.confirm(ann.record, deciding, [confirmed], ann.given(START), ann.version_of))
    written = json.dumps(the_export(ann))
    assert ann.last.decided.statement.messages[0].text == "canary-text"
    assert "canary" not in written
    assert '"ann"' not in written


def test_batches_have_at_most_100_statements() -> None:
    sizes = [len(each["statements"]) for each in batches({"puid": str(number)} for number in range(205))]
    assert sizes == [100, 100, 5]
