"""`comity statement` and `comity standing`: what was decided, shown as its account sees it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from shutil import get_terminal_size

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out, parse_account, parse_time, table
from comity.app.wiring import SystemClock, gate_acks, reading
from comity.casework.facts import Decided
from comity.casework.languages import language_of
from comity.casework.points import live_points
from comity.casework.printing import WIDTH, as_text
from comity.casework.printing import as_html as html_page
from comity.casework.record import Record, fold, standing
from comity.casework.recorded import Recorded
from comity.casework.telling import told_of
from comity.casework.wording import counted, dated, measure_in_words, printable, sections
from comity.flow.agreement import InForce, Versions
from comity.flow.reached import Reached, last_changes, reached, reached_lines
from comity.model.duration import Duration
from comity.model.ids import AccountId, DecisionId
from comity.ports import Store

_NEWEST = 20
_NARROWEST = 30


def list_statements(settings: Settings, *, as_json: bool) -> Exit:
    """The newest statements, a line each."""
    with reading(settings) as store:
        decided = [fact for fact in store.facts() if isinstance(fact, Decided)]
    newest = decided[-_NEWEST:][::-1]
    if as_json:
        print_json([fact.statement for fact in newest])
        return Exit.FINE
    table(("id", "date", "account", "clause and measures"), map(_cells, newest))
    out.print(f"{counted(len(decided), 'statement')}; `comity statement ID` shows one.", markup=False)
    return Exit.FINE


def _cells(fact: Decided) -> tuple[str, ...]:
    kinds = ", ".join(measure.kind.value for measure in fact.measures) or "no measure"
    return fact.decision, f"{fact.at:%Y-%m-%d}", printable(fact.account), f"{fact.breaches[0].clause}: {kinds}"


def show_statement(prefix: str, settings: Settings, *, as_json: bool, as_html: bool) -> Exit:
    """One statement, with what has happened since it was issued."""
    with reading(settings) as store:
        one = decision_of(store, prefix)
        bound = Versions(store.versions()).of(one.decided.statement.agreement)
    if as_json:
        print_json(told_of(one))
        return Exit.FINE
    sys.stdout.write(printed(one, settings, bound.agreement.appeal_window if bound else None, as_html=as_html))
    if settings["serve.url"] and not as_html:
        out.print(f"\nIts account reads it by a link: `comity link {one.id[:8]}`", markup=False)
    return Exit.FINE


def printed(one: Recorded, settings: Settings, appeal_window: Duration | None, *, as_html: bool = False) -> str:
    """A statement as text or as a page, in the reader's zone."""
    statement = one.decided.statement
    say = language_of(statement.language)
    told = sections(one, zone=settings.zone, appeal_window=appeal_window)
    if as_html:
        return html_page(say.title.format(id="").strip(), told, language=say.code, name=statement.id)
    return as_text(say.title.format(id=statement.id), told, width=_width())


def _width() -> int:
    """Of a narrow terminal all of it, so that no line breaks twice; never less than a sentence needs."""
    is_seen = sys.stdout.isatty()
    return max(_NARROWEST, min(WIDTH, get_terminal_size().columns)) if is_seen else WIDTH


def show_standing(account: str, settings: Settings, *, at: str | None, with_gates: bool, as_json: bool) -> Exit:
    """What the account may do at a time, channel by channel, and at which gates that has arrived."""
    when, whose = parse_time(at, SystemClock().now()), parse_account(account)
    with reading(settings) as store:
        record = fold(whose, store.facts_of(whose))
        bound = Versions(store.versions()).bound(record, when, reaches_back=True)
        if bound is None:
            raise StopError("no version is in force", help="Publish one with `comity publish`.")
        gates = _gates(store, settings, whose, bound) if with_gates else ()
    standings = [standing(record, channel, when) for channel in bound.agreement.channels]
    points = {ladder: live_points(record, ladder, when) for ladder in bound.agreement.ladders}
    if as_json:
        ids = [one.decided.decision for one in record.decisions]
        told = {"account": account, "at": when, "standings": standings, "points": points, "statements": ids}
        print_json({**told, "gates": gates} if with_gates else told)
        return Exit.FINE
    for line in _standing_lines(record, bound, when, settings):
        out.print(line, markup=False)
    for line in reached_lines(gates, standings) if with_gates else ():
        out.print(f"  {line}", markup=False)
    return Exit.FINE


def _gates(store: Store, settings: Settings, account: AccountId, bound: InForce) -> tuple[Reached, ...]:
    with closing(gate_acks(settings)) as acks:
        return reached(last_changes(store, account, bound.agreement.channels), acks)


def _standing_lines(record: Record, bound: InForce, when: datetime, settings: Settings) -> Iterator[str]:
    yield f"{printable(record.account)} on {dated(when, settings.zone)}"
    for channel in bound.agreement.channels:
        one = standing(record, channel, when)
        why = f"  {measure_in_words(one.by, settings.zone)} Statement {one.by.decision}" if one.by else ""
        yield f"  {channel}: {one.state}{why}"
    for ladder in bound.agreement.ladders:
        yield f"  points on the ladder “{ladder}”: {live_points(record, ladder, when)}"
    for decided in record.decisions:
        yield f"  statement {decided.decided.decision} of {dated(decided.decided.at, settings.zone)}"


def decision_of(store: Store, prefix: str) -> Recorded:
    """The one decision whose id begins with `prefix`."""
    exact = store.account_of(DecisionId(prefix)) if prefix.isascii() else None
    found = [(exact, prefix)] if exact else [one for one in _decisions(store) if one[1].startswith(prefix)]
    if not found and prefix.isascii() and store.is_erased(prefix):
        raise StopError(f"statement {prefix} was erased with its account's data", code=Exit.PROBLEMS)
    if len(found) != 1:
        what = f"{len(found) or 'no'} statements have an id that begins with {prefix!r}"
        raise StopError(what, help="List them with `comity statement`.", code=Exit.USAGE)
    ((account, decision),) = found
    record = fold(account, store.facts_of(account))
    return next(one for one in record.decisions if one.decided.decision == decision)


def _decisions(store: Store) -> Iterator[tuple[AccountId, str]]:
    return ((fact.account, fact.decision) for fact in store.facts() if isinstance(fact, Decided))
