"""`comity cases` and `comity case`: what waits for a person, and what the person does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from comity.app.acting import acting, demand_sure, parse_person, told
from comity.app.case_lines import Texts, appeal_lines, case_lines, how_to_answer, how_to_decide
from comity.app.errors import Exit, StopError
from comity.app.foretold import show_then
from comity.app.settings import Settings
from comity.app.show import printed
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out, parse_time, table
from comity.app.wiring import SystemClock, reading
from comity.casework.cases import Case
from comity.casework.facts import Appealed, Decided, Delivered, Fact
from comity.casework.record import Record, fold
from comity.casework.recorded import recorded
from comity.casework.review import Deciding
from comity.casework.wording import counted, printable, unsent
from comity.flow import review
from comity.flow.case_texts import texts_of
from comity.flow.message import Proceedings
from comity.flow.queue import Waiting, waiting_in
from comity.model.ids import AppealId, CaseId, ClauseId, DecisionId, ReviewerId
from comity.ports import Store

_SUMMARY: Final = 60
_DAYS_FROM: Final = 72
"""From so many hours on, whole days are said."""
_DONE: Final = {
    "claim": "It is yours for half an hour.",
    "release": "Released.",
    "hand over": "Handed over.",
    "escalate": "Escalated.",
    "assess": "Noted; nothing follows for the account.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The command's arguments."""

    case: str
    acts: Sequence[str]
    clauses: Sequence[str]
    instead: str | None
    version: int | None
    to: str
    by: str
    why: str
    at: str | None
    is_sure: bool
    as_json: bool


def list_waiting(settings: Settings, *, as_json: bool) -> Exit:
    """Cases and appeals, the most urgent first."""
    now = SystemClock().now()
    with reading(settings) as store:
        lines = waiting_in(store, now)
    if as_json:
        print_json([_row(each) for each in lines])
        return Exit.FINE
    table(("id", "kind", "account", "gravity", "seen by", "waits", "why"), [_cells(each, now) for each in lines])
    shown = "; `comity case ID` shows one, and how to decide it." if lines else "."
    out.print(f"{counted(len(lines), 'case or appeal waits', 'cases and appeals wait')}{shown}", markup=False)
    return Exit.FINE


def _row(one: Waiting) -> dict[str, object]:
    row: dict[str, object] = {
        "id": one.id,
        "account": one.account,
        "since": one.urgency.since,
        "severity": one.urgency.severity,
        "reach": one.urgency.reach,
        "confidence": round(one.urgency.confidence, 2),
    }
    if isinstance(one.what, Appealed):
        return row | {"kind": "appeal", "against": one.what.decision, "party": one.what.party}
    found = [*(each.clause for each in one.what.breaches), *(each.clause for each in one.what.notices if each.clause)]
    return row | {
        "kind": one.what.opened.kind,
        "why": one.what.opened.why,
        "clauses": list(dict.fromkeys(found)),
        "notices": len(one.what.notices),
        "version": one.what.version,
        "escalated": one.what.escalated is not None,
    }


def _cells(one: Waiting, now: datetime) -> tuple[str, ...]:
    hours = max(0, int((now - one.urgency.since).total_seconds() // 3600))
    if isinstance(one.what, Appealed):
        what, why = "appeal", one.what.text
    else:
        what, why = one.what.opened.kind, one.what.opened.why
        holder = one.what.holder(now)
        why += f" ({holder} works on it)" if holder else ""
    severity = counted(one.urgency.severity, "point")
    reached = counted(one.urgency.reach, "reader") if one.urgency.reach else ""
    waited = f"{hours} h" if hours < _DAYS_FROM else f"{hours // 24} days"
    return one.id, what, printable(one.account), severity, reached, waited, printable(why)[:_SUMMARY]


def case(wanted: Wanted, settings: Settings) -> Exit:
    """Shows the case, or does one thing with it."""
    if len(wanted.acts) > 1:
        raise StopError(f"one at a time: {' or '.join(wanted.acts)}", code=Exit.USAGE)
    if not wanted.acts:
        return _show(wanted, settings)
    by, at = parse_person(wanted.by), parse_time(wanted.at, SystemClock().now())
    with acting(settings) as proceedings:
        facts = _act(wanted, proceedings, by, at, settings)
    decision = next((fact.decision for fact in reversed(facts) if isinstance(fact, Decided)), None)
    otherwise = _DONE.get(wanted.acts[0], "Decided; the case is closed.")
    said = f"Decided. {_sent(decision, facts)}" if decision else otherwise
    return told(facts, as_json=wanted.as_json, said=said)


def _sent(decision: DecisionId, facts: Iterable[Fact]) -> str:
    """What is left to do: the time to appeal begins when the account has the statement."""
    said = f"The statement is {decision}."
    if any(isinstance(fact, Delivered) for fact in facts):
        return said
    return (
        f"{said} `comity link {decision}` shows its account's link; `comity delivered {decision}` says that it has it."
    )


def _act(
    wanted: Wanted, proceedings: Proceedings, by: ReviewerId, at: datetime, settings: Settings
) -> tuple[Fact, ...]:
    id_ = CaseId(wanted.case)
    match wanted.acts[0]:
        case "claim":
            return review.claim(proceedings, id_, by, at)
        case "release":
            return review.release(proceedings, id_, by, at)
        case "hand over":
            return review.hand_over(proceedings, id_, by, parse_person(wanted.to), at)
        case "escalate":
            return review.escalate(proceedings, id_, by, wanted.why, at)
        case "assess":
            deciding, said = _deciding(wanted, proceedings, by), [ClauseId(each) for each in wanted.clauses]
            return review.assess(proceedings, deciding, said, at)
        case "dismiss":
            deciding = _deciding(wanted, proceedings, by)
            if not wanted.is_sure:
                _foretell(wanted, proceedings, deciding, at, settings)
            return review.dismiss(proceedings, deciding, at)
        case _:
            return _confirm(wanted, proceedings, by, at, settings)


def _confirm(
    wanted: Wanted, proceedings: Proceedings, by: ReviewerId, at: datetime, settings: Settings
) -> tuple[Fact, ...]:
    """The statement is shown first; what is then recorded is the same but for its id."""
    deciding, clauses = _deciding(wanted, proceedings, by), [ClauseId(each) for each in wanted.clauses]
    if not wanted.is_sure:
        for fact in review.preview(proceedings, deciding, at, clauses=clauses, instead=wanted.instead):
            if isinstance(fact, Decided):
                version = proceedings.versions.agreement(fact.statement.agreement)
                shown = printed(unsent(recorded(fact)), settings, version.appeal_window if version else None)
                out.print(shown, markup=False)
        demand_sure("Send this statement?", is_sure=False)
    return review.confirm(proceedings, deciding, at, clauses=clauses, instead=wanted.instead)


def _foretell(wanted: Wanted, proceedings: Proceedings, deciding: Deciding, at: datetime, settings: Settings) -> None:
    """What the case is about, and what becomes of a decision that it reverses."""
    record = proceedings.record(review.account_of(proceedings, deciding.case))
    facts = review.dismissed(proceedings, record, deciding, at)
    found = record.case(deciding.case)
    if found is not None:
        _print(case_lines(record, found, _texts(proceedings.store, record, found), settings.zone, at))
    show_then(proceedings, record, facts, settings)
    demand_sure("Dismiss the case?", is_sure=False)


def _deciding(wanted: Wanted, proceedings: Proceedings, by: ReviewerId) -> Deciding:
    """Without a version, on the case as it is now."""
    id_ = CaseId(wanted.case)
    known = proceedings.record(review.account_of(proceedings, id_)).case(id_)
    version = wanted.version if wanted.version is not None else known.version if known else 0
    return Deciding(case=id_, version=version, by=by, why=wanted.why)


def _show(wanted: Wanted, settings: Settings) -> Exit:
    """The case; or the appeal, if it is one."""
    with reading(settings) as store:
        account = store.account_of(wanted.case)
        record = fold(account, store.facts_of(account)) if account else None
        found = record.case(CaseId(wanted.case)) if record else None
        shown = _texts(store, record, found) if record and found else {}
    appeal = record.appeal(AppealId(wanted.case)) if record else None
    if record is None or (found is None and appeal is None):
        help_ = "List them with `comity cases`."
        raise StopError(f"there is no case or appeal {wanted.case!r}", help=help_, code=Exit.USAGE)
    if wanted.as_json:
        print_json({"appeal": appeal} if found is None else _as_json(found))
        return Exit.FINE
    if found is not None:
        _print(case_lines(record, found, shown, settings.zone, SystemClock().now()), how_to_decide(found))
    elif appeal is not None:
        _print(appeal_lines(record, appeal, settings.zone), how_to_answer(appeal))
    return Exit.FINE


def _print(lines: Iterable[str], next_: str = "") -> None:
    for line in (*lines, next_) if next_ else lines:
        out.print(line, markup=False)


def _as_json(found: Case) -> dict[str, object]:
    return {"case": found.opened, "version": found.version, "found": found.found, "notices": found.notices}


def _texts(store: Store, record: Record, case: Case) -> Texts:
    """What the case's messages say, as far as it is kept."""
    return {(each.source, each.id): each.text for each in texts_of(store, record, case)}
