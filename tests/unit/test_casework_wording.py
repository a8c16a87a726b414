"""What a person reads: plain sentences that say all that a statement of reasons must."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from test_casework_decide import START, Case, agreement, clause, days

from comity.casework.facts import Accepted, AcceptedBy, ConditionMet, Decided, Delivered, How
from comity.casework.printing import as_html, as_text
from comity.casework.timeline import timeline
from comity.casework.wording import Section, sections
from comity.model.ids import AccountId, DecisionId

HEAD = "\n| points | measure | channels | for |\n|---|---|---|---|\n"
ANN = AccountId("ann")


def read(case: Case) -> str:
    """The last statement as text, on one line."""
    told = sections(case.record.decisions[-1], zone=ZoneInfo("UTC"), appeal_window=None)
    assert "<h2>" in as_html("Statement", told, language="en")
    return " ".join(as_text("Statement", told).split())


def after_one(row: str, attributes: str = "", front: str = "", more: str = "") -> Case:
    case = Case(agreement(clause("spam", attributes) + more, ladder=f"{HEAD}{row}\n", front=front))
    case.breach("spam")
    return case


def test_a_warning_alone_says_that_one_may_go_on() -> None:
    assert "You are warned. You may go on as before." in read(after_one("| 1 | warn | | |"))
    text = read(after_one("| 1 | warn, suspend | posts | 2 days |"))
    assert "You are warned. You may not send anything on posts, until 3 January 2026, 12:00 (UTC)." in text


def test_without_a_point_and_a_measure_nothing_is_put_on_the_record() -> None:
    text = read(after_one("| 1 | warn | | |", "points=0"))
    assert "No measure is taken." in text
    assert "record" not in text


@pytest.mark.parametrize("row", ["remove | |", "suspend | all | 1 day"])
def test_17_the_territorial_scope_is_stated(row: str) -> None:
    assert "This holds everywhere, in whichever country you are." in read(after_one(f"| 1 | {row} |"))


@pytest.mark.parametrize(("limit", "said"), [("5 an hour", "5 messages an hour"), ("1 a day", "1 message a day")])
def test_a_limit_says_what_is_limited(limit: str, said: str) -> None:
    text = read(after_one(f"| 1 | limit to {limit} | all | 1 day |"))
    assert f"You may send at most {said} on posts and mail, until" in text


def test_until_reviewed_says_when_it_ends_at_the_latest() -> None:
    text = read(after_one("| 1 | suspend | all | until reviewed |", front="review_within: 5 days\n"))
    assert "until the condition “reviewed” is met." in text
    assert "A person reviews the decision within 5 days. Without a new decision the measure ends then." in text


def test_a_condition_that_is_met_settles_the_end() -> None:
    case = after_one("| 1 | suspend | all | until acknowledged, at least 2 days |")
    assert "until the condition “acknowledged” is met, and for at least 2 days" in read(case)
    met = ConditionMet(
        account=ANN, at=START + days(1), decision=DecisionId(f"{1:032x}"), condition="acknowledged", by="ann"
    )
    case.facts.append(met)
    assert "The suspension on posts and mail ends on 3 January 2026, 12:00 (UTC)." in read(case)


def test_a_delayed_measure_states_its_times_once_the_statement_is_delivered() -> None:
    ladder = f"{HEAD}| 1 | suspend | posts | after 3 days: 2 days |\n"
    case = Case(agreement(clause("spam"), ladder=ladder), delivery=None)
    case.breach("spam")
    assert "starting 3 days after you get this statement, for 2 days" in read(case)
    assert "starts on" not in read(case)
    case.facts.append(Delivered(account=ANN, at=START, decision=DecisionId(f"{1:032x}"), how=How.SOURCE))
    expected = "on posts starts on 4 January 2026, 12:00 (UTC) and ends on 6 January 2026, 12:00 (UTC)."
    assert expected in read(case)


def test_points_that_outlast_their_expiry_with_the_measure_say_so() -> None:
    assert "Points are forgotten after 90 days." in read(after_one("| 1 | warn | | |"))
    text = read(after_one("| 1 | suspend | all | 1 day |", front="points_expire: 3 months clean\n"))
    assert "forgotten after 3 months without a breach, but not before the measures above have ended." in text


def test_what_joined_names_the_clause_by_its_title_and_says_how_the_message_is_treated() -> None:
    case = after_one("| 1 | mark, warn | | |")
    case.breach("spam", after=timedelta(seconds=1))
    assert "breaches the clause “spam” as well and is shown with a notice. It adds no point" in read(case)


def test_who_went_on_after_being_told_is_not_said_to_have_accepted() -> None:
    rules = agreement(clause("spam"))
    case = Case(rules)
    since = START - timedelta(hours=1)
    told = Accepted(
        account=ANN,
        at=START - timedelta(days=9),
        agreement=rules.digest,
        language="en",
        by=AcceptedBy.NOTICE,
        since=since,
    )
    case.facts.append(told)
    case.breach("spam")
    assert "in the version that you were told of, and then went on" in read(case)
    assert timeline(case.record)[-1].said.startswith("was told of the agreement")


def test_only_an_acceptance_from_before_the_message_is_said_to_bind() -> None:
    rules = agreement(clause("spam"))
    for hours, said in ((-1, "you accepted"), (1, "in force when you sent it")):
        case = Case(rules)
        at = START + timedelta(hours=hours)
        case.facts.append(Accepted(account=ANN, at=at, agreement=rules.digest, language="en"))
        case.breach("spam")
        assert said in read(case)


def test_several_clauses_are_several() -> None:
    case = Case(agreement(clause("spam") + clause("threats")))
    case.breach("spam")
    assert "The clause that was breached" in read(case)
    case = Case(agreement(clause("spam") + clause("threats")))
    case.breach("spam", "threats")
    assert "The clauses that were breached" in read(case)


def test_prose_reads_as_it_is_laid_out() -> None:
    prose = "First\nline.\n\n1. one\n2. two\n   more\n10 more things\n\n#### Deep\n\n+ plus\n"
    rules = agreement(clause("spam").replace("Do not spam.\n", prose))
    case = Case(rules)
    (decided, *_) = case.breach("spam")
    assert isinstance(decided, Decided)
    (_, _, clauses, *_) = sections(case.record.decisions[0], zone=ZoneInfo("UTC"), appeal_window=None)
    expected = "> spam\n\nFirst line.\n\n1. one\n2. two more 10 more things\n\nDeep\n\n+ plus"
    assert clauses.paragraphs[1] == expected


@pytest.mark.parametrize("width", [40, 60, 88])
def test_a_statement_fits_the_width_that_it_is_printed_for(width: int) -> None:
    one = after_one("| 1 | warn, suspend | posts | 2 days |").record.decisions[-1]
    told = sections(one, zone=ZoneInfo("UTC"), appeal_window=None)
    lines = as_text("Statement", told, width=width).splitlines()
    assert max(map(len, (line for line in lines if "sha256" not in line))) <= width
    assert max(map(len, lines)) > width - 12


@pytest.mark.parametrize("width", range(30, 60))
def test_no_line_ends_between_a_mark_and_what_it_belongs_to(width: int) -> None:
    said = "La condition « réexamen » : 1 200 messages ; est-ce vrai ? Oui, à 75 % ! Fin le 20. März 2026."
    lines = as_text("Exposé", [Section(title="Points", paragraphs=(said,))], width=width).splitlines()
    assert not [line for line in lines if line.endswith(("«", " 1", "20.", "75"))]
    assert not [line for line in lines if line.startswith(("»", ":", ";", "?", "!", "%"))]
    assert said in " ".join(lines)
    page = as_html("Exposé", [Section(title="Points", paragraphs=(said,))], language="fr")
    assert "«\N{NO-BREAK SPACE}réexamen\N{NO-BREAK SPACE}»\N{NO-BREAK SPACE}:" in page
