"""`comity bulk`: a rule's findings, of which a sample is read before all of them are decided."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from comity.app.acting import acting, demand_sure, parse_person
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out, parse_name
from comity.app.wiring import SystemClock
from comity.casework.cases import Case
from comity.casework.facts import Decided, Dismissed, Joined
from comity.casework.wording import counted, printable
from comity.flow import bulk as flow
from comity.flow.bulk import Bulk, Decision
from comity.flow.message import Proceedings
from comity.model.ids import CaseId, ClauseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The command's arguments. `lot` and `read`: of the sample that was shown before; empty: it is shown now."""

    clause: str
    acts: Sequence[str]
    lot: str
    read: Sequence[str]
    instead: str | None
    by: str
    why: str
    is_sure: bool
    as_json: bool


def bulk(asked: Asked, settings: Settings) -> Exit:
    """Shows the sample; with an act, decides."""
    if len(asked.acts) > 1:
        raise StopError("one at a time: confirm or dismiss", code=Exit.USAGE)
    by, at = parse_person(asked.by), SystemClock().now()
    with acting(settings) as proceedings:
        lot = parse_name(asked.lot, "the lot") if asked.lot else proceedings.fresh()
        found = flow.found_by(proceedings.store, ClauseId(asked.clause), lot, by, at)
        if not asked.acts or not (asked.lot or asked.as_json):
            _show(found, proceedings, as_json=asked.as_json)
        if not asked.acts:
            return Exit.FINE
        read = [CaseId(each) for each in asked.read]
        if not asked.lot and found.cases:
            read = _read_now(found)
        said = Decision(by=by, why=asked.why, confirms=asked.acts[0] == "confirm", instead=asked.instead)
        if found.cases:
            demand_sure(f"{asked.acts[0].capitalize()} all {len(found.cases):,}?", is_sure=asked.is_sure)
        facts = flow.decide(proceedings, found, read, said, at)
    done = [fact for fact in facts if isinstance(fact, Decided | Dismissed | Joined)]
    if asked.as_json:
        print_json({"cases": len(found.cases), "decisions": [fact.decision for fact in done]})
    else:
        out.print(f"{counted(len(found.cases), 'case is', 'cases are')} decided.", markup=False)
    return Exit.FINE


def _read_now(found: Bulk) -> list[CaseId]:
    """The sample that was just shown. Raises `StopError` where nobody can have read it."""
    if not sys.stdin.isatty():
        help_ = "Show the sample with --json, then add --lot LOT, a --read ID for each of it, and --yes."
        raise StopError("nothing was done: nobody is there to read the sample", help=help_, code=Exit.USAGE)
    demand_sure("Have you read them, and are they alike?", is_sure=False)
    return [case.id for case in found.sample]


def _show(found: Bulk, proceedings: Proceedings, *, as_json: bool) -> None:
    if as_json:
        sample = [{"case": case.id, "texts": list(_texts(case, proceedings))} for case in found.sample]
        print_json({"clause": found.clause, "lot": found.lot, "cases": len(found.cases), "sample": sample})
        return
    waits = counted(len(found.cases), "case waits", "cases wait")
    out.print(f"{waits} in which only the rule of “{found.clause}” found something.", markup=False)
    for case in found.sample:
        out.print(f"  {case.id}  {printable(case.opened.account)}", markup=False)
        for text in _texts(case, proceedings):
            out.print(f"    {printable(text)}", markup=False)
    if found.sample:
        out.print("Decide whatever is unlike the others by itself first, with `comity case ID`.", markup=False)


def _texts(case: Case, proceedings: Proceedings) -> Iterator[str]:
    for breach in case.breaches:
        message = proceedings.store.message(breach.source, breach.message)
        yield message.text if message else "its text is not kept"
