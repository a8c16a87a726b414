"""`comity cases` and `comity case`: what waits for a person, and what the person does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from comity.app.acting import acting, demand_sure, parse_person, told
from comity.app.errors import Exit, StopError
from comity.app.foretold import show_then
from comity.app.settings import Settings
from comity.app.show import printed
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out, parse_time
from comity.app.wiring import SystemClock, reading
from comity.casework.case_facts import CaseKind, Known
from comity.casework.cases import Case, waiting
from comity.casework.facts import Appealed, Decided, Fact
from comity.casework.languages import ENGLISH
from comity.casework.record import Record, fold
from comity.casework.recorded import recorded
from comity.casework.review import Deciding
from comity.casework.why import reasons
from comity.casework.wording import counted, dated, printable, unsent
from comity.flow import review
from comity.flow.case_texts import texts_of
from comity.flow.message import Proceedings
from comity.flow.queue import Waiting, waiting_in
from comity.model.ids import CaseId, ClauseId, MessageId, ReviewerId
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
    for each in lines:
        out.print(_line(each, now), markup=False)
    shown = "; `comity case ID` shows a case, `comity outcome ID` decides an appeal." if lines else "."
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


def _line(one: Waiting, now: datetime) -> str:
    hours = max(0, int((now - one.urgency.since).total_seconds() // 3600))
    if isinstance(one.what, Appealed):
        what, why = "appeal", one.what.text
    else:
        what, why = one.what.opened.kind, one.what.opened.why
        holder = one.what.holder(now)
        why += f" ({holder} works on it)" if holder else ""
    severity = counted(one.urgency.severity, "point")
    reached = f"  seen by {one.urgency.reach:,}" if one.urgency.reach else ""
    whose = printable(one.account)
    waited = f"{hours} h" if hours < _DAYS_FROM else f"{hours // 24} days"
    return f"{one.id}  {what}  {whose}  {severity}{reached}  {waited}  {printable(why)[:_SUMMARY]}"


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
    said = f"Decided. The statement is {decision}." if decision else otherwise
    return told(facts, as_json=wanted.as_json, said=said)


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
        for line in _lines(found, _texts(proceedings.store, record, found), settings, at):
            out.print(line, markup=False)
    show_then(proceedings, record, facts, settings)
    demand_sure("Dismiss the case?", is_sure=False)


def _deciding(wanted: Wanted, proceedings: Proceedings, by: ReviewerId) -> Deciding:
    """Without a version, on the case as it is now."""
    id_ = CaseId(wanted.case)
    known = proceedings.record(review.account_of(proceedings, id_)).case(id_)
    version = wanted.version if wanted.version is not None else known.version if known else 0
    return Deciding(case=id_, version=version, by=by, why=wanted.why)


def _show(wanted: Wanted, settings: Settings) -> Exit:
    with reading(settings) as store:
        account = store.account_of(wanted.case)
        record = fold(account, store.facts_of(account)) if account else None
        found = record.case(CaseId(wanted.case)) if record else None
        shown = _texts(store, record, found) if record and found else {}
    if found is None:
        raise StopError(f"there is no case {wanted.case!r}", help="List them with `comity cases`.", code=Exit.USAGE)
    if wanted.as_json:
        print_json({"case": found.opened, "version": found.version, "found": found.found, "notices": found.notices})
        return Exit.FINE
    for line in _lines(found, shown, settings, SystemClock().now()):
        out.print(line, markup=False)
    return Exit.FINE


def _texts(store: Store, record: Record, case: Case) -> dict[tuple[str, MessageId], str]:
    """What the case's messages say, as far as it is kept."""
    return {(each.source, each.id): each.text for each in texts_of(store, record, case)}


def _lines(found: Case, texts: Mapping[tuple[str, MessageId], str], settings: Settings, now: datetime) -> Iterator[str]:
    yield f"Case {found.id}, version {found.version}: {found.opened.why}"
    yield f"  account {printable(found.opened.account)}, since {dated(found.since, settings.zone)}"
    read = [(message, text) for (_, message), text in texts.items() if found.opened.kind is CaseKind.SECOND_REVIEW]
    if found.opened.message is not None:
        read.append((found.opened.message.id, found.opened.message.text))
    for message, text in read:
        yield f"  message {printable(message)}:"
        yield f"    {printable(text)}"
    for breach in found.breaches:
        yield f"  a rule found “{breach.clause}” in message {printable(breach.message)}:"
        found_in = texts.get((breach.source, breach.message))
        yield f"    {printable('its text is not kept' if found_in is None else found_in)}"
        for reason in reasons(breach.evidence, {"text": found_in or ""}, settings.zone, ENGLISH):
            yield f"    - {printable(reason)}"
    for each in waiting(found, now):
        until = dated(each.until, settings.zone)
        yield f"  message {printable(each.message)} waits for a decision; undecided, it is let through on {until}"
    for notice in found.notices:
        yield f"  reported by {'a ' if notice.origin != 'authority' else 'an '}{notice.origin}: {printable(notice.why)}"
        if notice.where:
            yield f"    where: {printable(notice.where)}"
        if notice.known is Known.TEXT:
            yield f"    {printable(notice.message.text)}"
        else:
            unknown = ", nor is it known who sent it" if notice.known is Known.NOTHING else ""
            yield f"    message {printable(notice.message.id)}: its text is not kept{unknown}"
            yield f"    as the report quotes it: {printable(notice.quote)}" if notice.quote else "    it is not quoted"
    if found.closed is not None:
        yield f"  closed by {printable(found.closed.by)} on {dated(found.closed.at, settings.zone)}"
    elif found.held_by is not None:
        yield f"  {printable(found.held_by)} works on it"
