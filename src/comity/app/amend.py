"""`comity correct`, `lift`, `undo`, `attest` and `delivered`: what is done to a decision after it was taken."""

from __future__ import annotations

from comity.app.acting import acting, demand_sure, parse_person, told
from comity.app.errors import Exit, StopError
from comity.app.foretold import demand_agreed
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out, parse_name, parse_time
from comity.app.wiring import SystemClock
from comity.casework import amend as casework
from comity.casework.facts import How, Recomputed
from comity.casework.wording import counted, printable
from comity.flow import amend as flow
from comity.flow.review import account_of
from comity.model.duration import EARLIEST
from comity.model.ids import ClauseId, DecisionId, Digest


def correct(
    statement: str,
    settings: Settings,
    *,
    by: str,
    note: str,
    instead: str | None,
    at: str | None,
    is_sure: bool,
    as_json: bool,
) -> Exit:
    person, when, decision = parse_person(by), parse_time(at, SystemClock().now()), DecisionId(statement)
    with acting(settings) as proceedings:
        if not is_sure:
            record = proceedings.record(account_of(proceedings, decision))
            facts = flow.corrected(proceedings, record, decision, person, note, when, instead=instead)
            demand_agreed("Correct the statement?", proceedings, record, facts, settings)
        facts = flow.correct(proceedings, decision, person, note, when, instead=instead)
    return told(facts, as_json=as_json, said="Corrected; the old text stays readable.")


def lift(
    statement: str, settings: Settings, *, by: str, why: str, at: str | None, is_sure: bool, as_json: bool
) -> Exit:
    person, when, decision = parse_person(by), parse_time(at, SystemClock().now()), DecisionId(statement)
    with acting(settings) as proceedings:
        if not is_sure:
            record = proceedings.record(account_of(proceedings, decision))
            facts = casework.lift(record, decision, person, why, when)
            demand_agreed("End the measures now?", proceedings, record, facts, settings)
        facts = flow.lift(proceedings, decision, person, why, when)
    return told(facts, as_json=as_json, said="Lifted; the breach and its points stand.")


def undo(
    clause: str,
    settings: Settings,
    *,
    version: str | None,
    since: str | None,
    by: str,
    why: str,
    at: str | None,
    is_sure: bool,
    as_json: bool,
) -> Exit:
    """Shows what would be reversed, and asks."""
    person, when = parse_person(by), parse_time(at, SystemClock().now())
    with acting(settings) as proceedings:
        latest = proceedings.versions.latest()
        digest = Digest(version) if version else latest.version.digest if latest else Digest("")
        found = flow.caused(proceedings, ClauseId(clause), digest, parse_time(since, EARLIEST))
        if not found.alone:
            help_ = "Look at the clause, --version and --since; `comity statement` lists what was decided."
            raise StopError(f"no decision that stands was caused by “{clause}” alone", help=help_, code=Exit.PROBLEMS)
        if not is_sure:
            for account, decision in found.alone:
                out.print(f"  {decision}  {printable(account)}", markup=False)
        accounts = len({account for account, _ in found.alone})
        question = f"Reverse {counted(len(found.alone), 'decision')} about {counted(accounts, 'account')}?"
        demand_sure(question, is_sure=is_sure)
        facts = flow.undo(proceedings, found, person, why, when)
    again = sum(isinstance(fact, Recomputed) for fact in facts)
    if as_json:
        print_json({"reversed": found.alone, "recomputed": again, "left": found.mixed})
        return Exit.FINE
    out.print(f"Reversed {counted(len(found.alone), 'decision')}; {again} became milder.", markup=False)
    if found.mixed:
        left = counted(len(found.mixed), "decision rests", "decisions rest")
        out.print(f"{left} on other clauses too and stand; correct them one by one.", markup=False)
    return Exit.FINE


def attest(statement: str, condition: str, settings: Settings, *, by: str, at: str | None, as_json: bool) -> Exit:
    person, when = parse_person(by), parse_time(at, SystemClock().now())
    with acting(settings) as proceedings:
        facts = flow.attest(proceedings, DecisionId(statement), parse_name(condition, "the condition"), person, when)
    return told(facts, as_json=as_json, said=f"The condition “{condition}” is met.")


def delivered(statement: str, settings: Settings, *, how: str, at: str | None, as_json: bool) -> Exit:
    if how not in tuple(How):
        raise StopError(f"{how!r} is no way of delivery", help=f"One of: {', '.join(How)}.", code=Exit.USAGE)
    with acting(settings) as proceedings:
        facts = flow.deliver(proceedings, DecisionId(statement), How(how), parse_time(at, SystemClock().now()))
    return told(facts, as_json=as_json, said="Delivered." if facts else "It was delivered before.")
