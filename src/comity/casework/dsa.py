"""Statements as the EU's DSA Transparency Database takes them (Digital Services Act, Article 24(5)).

A pure function of facts. Nothing of a message, an account or a notifier goes in: what is told are the clauses' own
words, dates, and how it was found and decided. Source: the database's API documentation, vocabulary of July 2025.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from comity.casework.recorded import Recorded
from comity.model.clause import Kind
from comity.model.country import EUROPEAN_ECONOMIC_AREA
from comity.model.ids import Channel
from comity.model.measure import Measure
from comity.model.statement import Origin, Statement

MOST_IN_A_BATCH: Final = 100

Export = dict[str, object]
"""One statement of reasons, a key each for what the database asks."""

_VISIBILITY: Final = {
    Kind.REMOVE: "DECISION_VISIBILITY_CONTENT_REMOVED",
    Kind.MARK: "DECISION_VISIBILITY_CONTENT_LABELLED",
    Kind.LIMIT_REACH: "DECISION_VISIBILITY_CONTENT_DEMOTED",
    Kind.HOLD: "DECISION_VISIBILITY_OTHER",
}
_HELD: Final = "Each message of the account waits for a reviewer before it is shown."
_SOURCES: Final = {
    Origin.AUTHORITY: "SOURCE_TYPE_OTHER_NOTIFICATION",
    Origin.TRUSTED_FLAGGER: "SOURCE_TRUSTED_FLAGGER",
    Origin.USER: "SOURCE_ARTICLE_16",
}
_LONGEST_GROUND: Final = 500
_LONGEST_EXPLANATION: Final = 2_000


def exported(one: Recorded, channels: Sequence[Channel]) -> Export | None:
    """The statement as it was issued; None if it takes no measure within the EEA but a warning.

    `channels`: all of the agreement's.
    """
    statement = one.decided.statement
    measures = [each for each in statement.measures if _reaches_europe(each)]
    decided = _decisions(measures, channels)
    if not decided:
        return None
    return {
        "puid": statement.id,
        **decided,
        **_territory(measures),
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": "; ".join(clause.title for clause in statement.clauses)[:_LONGEST_GROUND],
        "incompatible_content_explanation": "\n\n".join(clause.prose for clause in statement.clauses)[
            :_LONGEST_EXPLANATION
        ],
        "incompatible_content_illegal": None,
        **_categories(statement),
        "content_type": ["CONTENT_TYPE_TEXT"],
        "content_date": _date(min(message.sent for message in statement.messages)),
        "application_date": _date(statement.at),
        "decision_facts": _facts(statement),
        "source_type": _source(statement),
        "automated_detection": "Yes" if statement.found_automatically else "No",
        "automated_decision": _automation(statement),
    }


def _reaches_europe(measure: Measure) -> bool:
    return not measure.territory or not set(EUROPEAN_ECONOMIC_AREA).isdisjoint(measure.territory)


def _territory(measures: Iterable[Measure]) -> Export:
    """The countries of the EEA in which the measures hold, if that is not everywhere."""
    reached = [measure.territory for measure in measures if measure.kind is not Kind.WARN]
    if not all(reached):
        return {}
    named = {code for each in reached for code in each}
    return {"territorial_scope": [code for code in EUROPEAN_ECONOMIC_AREA if code in named]}


def batches(exports: Iterable[Export]) -> Iterator[dict[str, list[Export]]]:
    """Bodies to post, each with at most 100 statements."""
    batch: list[Export] = []
    for each in exports:
        batch.append(each)
        if len(batch) == MOST_IN_A_BATCH:
            yield {"statements": batch}
            batch = []
    if batch:
        yield {"statements": batch}


def _decisions(measures: Iterable[Measure], channels: Sequence[Channel]) -> Export:
    found: Export = {}
    visibility: list[str] = []
    for each in measures:
        if each.kind in _VISIBILITY:
            visibility.append(_VISIBILITY[each.kind])
        if each.kind is Kind.HOLD:
            found["decision_visibility_other"] = _HELD
        if each.kind in (Kind.HOLD, Kind.LIMIT_REACH) and each.end:
            found["end_date_visibility_restriction"] = _date(each.end)
        found |= _on_account(each, is_everywhere=set(each.channels) >= set(channels))
    return found | ({"decision_visibility": list(dict.fromkeys(visibility))} if visibility else {})


def _on_account(measure: Measure, *, is_everywhere: bool) -> Export:
    """What a measure does to the service, or to the whole account if it holds on all channels."""
    end = _date(measure.end) if measure.end else None
    match measure.kind:
        case Kind.TERMINATE if is_everywhere:
            return {"decision_account": "DECISION_ACCOUNT_TERMINATED"}
        case Kind.TERMINATE:
            return {"decision_provision": "DECISION_PROVISION_PARTIAL_TERMINATION"}
        case Kind.SUSPEND if is_everywhere:
            return {"decision_account": "DECISION_ACCOUNT_SUSPENDED", "end_date_account_restriction": end}
        case Kind.SUSPEND | Kind.LIMIT:
            return {
                "decision_provision": "DECISION_PROVISION_PARTIAL_SUSPENSION",
                "end_date_service_restriction": end,
            }
        case _:
            return {}


def _categories(statement: Statement) -> Export:
    """The first clause's category, and those of the others."""
    named = [clause.category for clause in statement.clauses if clause.category]
    first, *others = [f"STATEMENT_CATEGORY_{each}" for each in dict.fromkeys(named)] or [
        "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
    ]
    return {"category": first, "category_addition": others or None}


def _facts(statement: Statement) -> str:
    count = len(statement.messages)
    messages = "A message breaches" if count == 1 else f"{count} messages breach"
    found = "A rule of the agreement found it" if statement.found_automatically else "It was brought up by a notice"
    by = "a person decided" if statement.decided_by_person else "the measure is the one that the agreement foresees"
    return f"{messages} the published agreement {statement.agreement}. {found}, and {by}."


def _source(statement: Statement) -> str:
    origins = {breach.origin for breach in statement.breaches}
    return next((said for origin, said in _SOURCES.items() if origin in origins), "SOURCE_VOLUNTARY")


def _automation(statement: Statement) -> str:
    if statement.decided_automatically:
        return "AUTOMATED_DECISION_FULLY"
    return "AUTOMATED_DECISION_PARTIALLY" if statement.found_automatically else "AUTOMATED_DECISION_NOT_AUTOMATED"


def _date(at: datetime) -> str:
    return f"{at:%Y}".zfill(4) + f"{at:-%m-%d}"
