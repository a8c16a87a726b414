"""`comity appeal` and `comity outcome`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from comity.app.acting import acting, parse_person, told
from comity.app.case_lines import appeal_lines
from comity.app.errors import Exit, StopError
from comity.app.foretold import demand_agreed
from comity.app.settings import Settings
from comity.app.terminal import parse_time
from comity.app.wiring import SystemClock
from comity.casework.appeal import LARGEST_ATTACHMENT, LONGEST_TEXT
from comity.casework.facts import AppealOutcome, Recomputed
from comity.casework.wording import counted
from comity.flow import appeal as flow
from comity.flow.review import account_of
from comity.model.ids import AppealId, DecisionId, NoticeId


def appeal(
    statement: str,
    text: str,
    settings: Settings,
    *,
    by: str,
    notice: str | None,
    files: Sequence[Path],
    at: str | None,
    as_json: bool,
) -> Exit:
    """Exit code 1, with the reason, if it is refused."""
    said = sys.stdin.read(LONGEST_TEXT + 1) if text == "-" else text
    given = flow.Complaint(
        decision=DecisionId(statement),
        text=said,
        by=by,
        notice=NoticeId(notice) if notice else None,
        files=[(path.name, _content(path)) for path in files],
    )
    with acting(settings) as proceedings:
        fact = flow.file(proceedings, given, parse_time(at, SystemClock().now()))
    return told([fact], as_json=as_json, said=f"Filed as appeal {fact.appeal}. Somebody who took no part decides it.")


def outcome(
    appeal_id: str,
    result: str,
    settings: Settings,
    *,
    by: str,
    why: str,
    instead: str | None,
    at: str | None,
    is_sure: bool,
    as_json: bool,
) -> Exit:
    """Exit code 1, with the reason, if the reviewer took part or the measures are harsher."""
    if result not in tuple(AppealOutcome):
        help_ = f"One of: {', '.join(AppealOutcome)}."
        raise StopError(f"{result!r} is no outcome", help=help_, code=Exit.USAGE)
    person, when = parse_person(by), parse_time(at, SystemClock().now())
    given = flow.Given(appeal=AppealId(appeal_id), outcome=AppealOutcome(result), by=person, why=why, instead=instead)
    with acting(settings) as proceedings:
        if not is_sure:
            record = proceedings.record(account_of(proceedings, appeal_id))
            facts = flow.followed(proceedings, record, given, when)
            filed = record.appeal(given.appeal)
            above = appeal_lines(record, filed, settings.zone) if filed else ()
            demand_agreed("Decide the appeal so?", proceedings, record, facts, settings, above=above)
        facts = flow.give_outcome(proceedings, given.appeal, given.outcome, person, why, when, instead=instead)
    again = sum(isinstance(fact, Recomputed) for fact in facts)
    also = f" {counted(again, 'later decision')} became milder." if again else ""
    return told(facts, as_json=as_json, said=f"The appeal is decided: {result}.{also}")


def _content(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_ATTACHMENT:
        raise StopError(f"{path} is larger than 10 MB", help="Attach a smaller file.", code=Exit.USAGE)
    return path.read_bytes()
