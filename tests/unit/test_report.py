"""`comity report`: a period counted from facts; of what could not have happened there is no count."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace
from test_casework_decide import START, agreement, clause, days
from test_casework_dsa import SCHEMA
from test_casework_people import MARA, Record
from typer.testing import CliRunner

from comity.agreement.ladders import read_choice
from comity.app.main import app
from comity.casework import amend, review
from comity.casework.case_facts import CaseKind
from comity.casework.facts import AppealOutcome
from comity.casework.transparency import COUNTED, Period
from comity.casework.transparency_tables import Cell, tables

LADDER = (
    "\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | warn | | |\n| 2 | suspend | posts | 3 days |\n"
)
HEAD = "---\ncomity: 1\ntitle: Rules\nchannels: [posts]\n---\n\n# Rules\n\n"
RULES = f"{HEAD}{clause('spam')}\n## M {{#measures}}\n{LADDER.replace('warn', 'remove')}"
NONE = {"decisions": 0, "reversed on appeal": 0, "reversed without one": 0, "made milder by a person": 0}
MILD = "suspend | all |"
HOURS = "half took at most so many hours"


@pytest.fixture
def ann() -> Record:
    rules = clause("spam", "category=SCAMS_AND_FRAUD") + clause("threats", "points=2 decide=review category=VIOLENCE")
    return Record(agreement(rules, ladder=LADDER))


def told(ann: Record, first: float, last: float) -> dict[str, list[dict[str, Cell]]]:
    period = Period(start=START + days(first), end=START + days(last))
    made = tables(
        [fact for fact in ann.facts if isinstance(fact, COUNTED) and fact.at < period.end], period, [ann.rules]
    )
    return {each.name: [dict(zip(each.head, row, strict=True)) for row in each.rows] for each in made}


def row(rows: list[dict[str, Cell]], *key: str) -> dict[str, Cell]:
    return next(each for each in rows if tuple(each.values())[: len(key)] == key)


def test_what_rules_found_and_what_people_reported_are_counted_apart_by_category(ann: Record) -> None:
    ann.breach("spam")
    case, breach = ann.reported(sent=START + days(1))
    ann.confirm(case, breach, at=START + days(2))
    other, _ = ann.reported(sent=START + days(5))
    ann.keep(review.dismiss(ann.record, ann.deciding(other), ann.given(START + days(5.25)), ann.version_of))
    found = told(ann, 0, 30)
    own = row(found["measures"], "own initiative", "SCAMS_AND_FRAUD")
    assert (own["decisions"], own["decided by a rule"], own["warn"], own["suspend"]) == (1, 1, 1, 0)
    asked = row(found["measures"], "notices", "SCAMS_AND_FRAUD")
    assert (asked["decisions"], asked["decided by a rule"], asked["warn"], asked["suspend"]) == (1, None, 0, 1)
    notices = row(found["notices"], "not named")
    assert (notices["notices"], notices["confirmed"], notices["dismissed"], notices[HOURS]) == (2, 1, 1, 6)


def test_what_could_not_have_happened_has_no_count_and_what_did_not_happen_has_none_as_a_number(ann: Record) -> None:
    found = told(ann, 0, 30)
    fraud, violence = (row(found["measures"], "own initiative", each) for each in ("SCAMS_AND_FRAUD", "VIOLENCE"))
    assert (fraud["suspend"], fraud["terminate"], fraud["found by a rule"], fraud["decided by a rule"]) == (
        0,
        None,
        0,
        0,
    )
    assert (violence["found by a rule"], violence["decided by a rule"]) == (0, None)
    assert row(found["appeals"], "account")["decided by a rule"] is None
    assert found["rules"] == [NONE | {"clause": "spam"}]


def test_the_end_of_something_older_counts_in_the_period_in_which_it_ended(ann: Record) -> None:
    ann.breach("spam")
    appeal = ann.appealed(ann.last.id, START + days(1))
    ann.outcome(appeal, AppealOutcome.REVERSED, at=START + days(4))
    before, after = told(ann, 0, 2), told(ann, 2, 30)
    first, then = (row(each["appeals"], "account") for each in (before, after))
    assert (first["appeals"], first["reversed"], first[HOURS]) == (1, 0, None)
    assert (then["appeals"], then["reversed"], then[HOURS]) == (0, 1, 72)
    assert [each["rules"][0]["reversed on appeal"] for each in (before, after)] == [0, 1]
    assert [row(each["measures"], "own initiative", "SCAMS_AND_FRAUD")["decisions"] for each in (before, after)] == [
        1,
        0,
    ]


@pytest.mark.parametrize("how", ["review", "correction", "appeal", "appeal, then correction"])
def test_what_a_person_made_milder_of_a_rules_decision_is_counted_once(how: str) -> None:
    lasts = "until reviewed" if how == "review" else "30 days"
    bob = Record(
        agreement(clause("spam"), ladder=LADDER.replace("| 1 | warn | | |", f"| 1 | suspend | all | {lasts} |"))
    )
    bob.breach("spam")
    ruled = bob.last.decided
    if how == "review":
        case, reported = bob.record.open_case(CaseKind.UNTIL_REVIEWED), bob.reported(sent=START)[1]
        assert case is not None
        bob.confirm(case.id, replace(reported, breach=ruled.breaches[0]), at=START + days(1), instead=f"{MILD} 2 hours")
    if "appeal" in how:
        appeal = bob.appealed(ruled.decision, START + days(1))
        bob.outcome(appeal, AppealOutcome.VARIED, at=START + days(2), instead=f"{MILD} 2 hours")
    if "correction" in how:
        rows, at = read_choice(f"{MILD} 1 hour", bob.rules), START + days(3)
        corrected = amend.correct(
            bob.record, ruled.decision, MARA, "A day late.", at, rows=rows, version_of=bob.version_of
        )
        bob.keep(corrected)
    made = told(bob, 0, 30)["rules"][0]
    assert made == NONE | {"clause": "spam", "decisions": 1, "made milder by a person": 1}


def test_a_correction_of_words_makes_nothing_milder(ann: Record) -> None:
    ann.breach("spam")
    ann.keep(amend.correct(ann.record, ann.last.id, MARA, "A word.", START, rows=None, version_of=ann.version_of))
    assert told(ann, 0, 30)["rules"] == [NONE | {"clause": "spam", "decisions": 1}]


def ran(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["report", *words], standalone_mode=True)
    return done.exit_code, f"{done.output}{done.exception or ''}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "agreement.md").write_text(RULES)
    message = {"id": "1", "author": "canary", "channel": "posts", "text": "x", "sent": "2026-03-01T12:00:00Z"}
    (tmp_path / "one.jsonl").write_text(json.dumps(message) + "\n")
    monkeypatch.chdir(tmp_path)
    for words in (["publish", "--replay"], ["run", "one.jsonl", "--as-sent"]):
        assert CliRunner().invoke(app, words).exit_code == 0
    return tmp_path


def test_it_writes_tables_and_statements_as_the_database_takes_them_and_nobodys_name(folder: Path) -> None:
    assert ran("--from", "2026-03-01", "--to", "2026-03-01", "--out", "march")[0] == 0
    files = {each.name: each.read_text() for each in (folder / "march").iterdir()}
    assert sorted(files) == [
        "appeals.csv",
        "measures.csv",
        "notices.csv",
        "report.csv",
        "rules.csv",
        "statements-0001.json",
    ]
    (statement,) = json.loads(files["statements-0001.json"])["statements"]
    jsonschema.Draft202012Validator(SCHEMA).validate(statement)
    head, *rows = csv.reader(files["measures.csv"].splitlines())
    assert sum(int(each[head.index("decisions")]) for each in rows) == 1
    assert "canary" not in "".join(files.values())
    assert ran("--from", "2026-03-02", "--to", "2026-12-31", "--out", "later")[0] == 0
    assert not (folder / "later" / "statements-0001.json").exists()


@pytest.mark.parametrize(
    ("first", "last", "out", "said"),
    [
        ("2026-03-01", "2026-02-01", "x", "--to 2026-02-01 is before --from 2026-03-01"),
        ("March", "2026-12-31", "x", "--from 'March' is no day"),
        ("2026-03-01", "9999-12-31", "x", "--to '9999-12-31' is no day"),
        ("2026-03-01", "2026-12-31", "one.jsonl", "one.jsonl is there already"),
        ("2026-03-01", "2026-12-31", ".comity", ".comity is there already"),
    ],
)
def test_what_cannot_be_reported_is_refused_in_words(folder: Path, first: str, last: str, out: str, said: str) -> None:
    code, output = ran("--from", first, "--to", last, "--out", out)
    assert code != 0
    assert said in output
