"""`comity handle`, `contact`, `hold`, `export`, `erase`, `forget`, `put-off`: what concerns an account, no decision."""

from __future__ import annotations

from comity.app.acting import acting, demand_sure, parse_person, told
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out, parse_account, parse_name, parse_time
from comity.app.wiring import SystemClock, reading
from comity.casework.facts import AppealsPutOff, ContactGiven, HandleGiven, HoldEnded, HoldSet, Party
from comity.casework.refused import Mend, RefusedError
from comity.casework.wording import counted, printable
from comity.flow import accounts, amend, retention
from comity.flow import appeal as flow_appeal
from comity.model.duration import LATEST
from comity.model.ids import Channel


def handle(
    account: str,
    channel: str,
    name: str,
    settings: Settings,
    *,
    since: str | None,
    until: str | None,
    as_json: bool,
) -> Exit:
    now = SystemClock().now()
    fact = HandleGiven(
        account=parse_account(account),
        at=now,
        channel=Channel(channel),
        handle=parse_name(name, "the handle"),
        since=parse_time(since, now),
        until=parse_time(until, LATEST) if until else None,
    )
    with acting(settings) as proceedings:
        accounts.give_handle(proceedings, fact)
    return told([fact], as_json=as_json, said=f"On {channel} the account is {fact.handle}.")


def contact(account: str, address: str, settings: Settings, *, as_json: bool) -> Exit:
    fact = ContactGiven(account=parse_account(account), at=SystemClock().now(), address=address)
    with acting(settings) as proceedings:
        accounts.give_contact(proceedings, fact)
    said = f"Statements go to {address}." if address else "It is written to no more."
    return told([fact], as_json=as_json, said=said)


def hold(account: str, settings: Settings, *, by: str, why: str, ends: bool, at: str | None, as_json: bool) -> Exit:
    whose, person = parse_account(account), parse_person(by)
    when = parse_time(at, SystemClock().now())
    with acting(settings) as proceedings:
        if not why.strip():
            raise RefusedError("a reason is missing", Mend.SAY_WHY)
        if ends == (proceedings.record(whose).hold is None):
            raise RefusedError("the account has no legal hold" if ends else "the account has a legal hold already")
        fact: HoldSet | HoldEnded = (
            HoldEnded(account=whose, at=when, by=person, why=why)
            if ends
            else HoldSet(account=whose, at=when, by=person, why=why)
        )
        proceedings.note(fact)
    return told([fact], as_json=as_json, said="The legal hold has ended." if ends else "Nothing of it may be erased.")


def erase(account: str, settings: Settings, *, keep_hash: bool, is_sure: bool, as_json: bool) -> Exit:
    """Refused under a legal hold, and while a measure, a case or an appeal still needs the data."""
    whose, now = parse_account(account), SystemClock().now()
    with acting(settings) as proceedings:
        amend.demand_erasable(proceedings.record(whose), now)
        demand_sure(f"Erase everything about {printable(whose)} for good?", is_sure=is_sure)
        was_known = amend.erase(proceedings, whose, now, keep_hash=keep_hash)
    if as_json:
        print_json({"erased": whose, "was_known": was_known})
    elif not was_known:
        out.print(f"Nothing was kept about {printable(whose)}: is that the account's id?", markup=False)
    else:
        out.print("Erased. The ledger's proofs still verify; its first entry of another day will say so.", markup=False)
    return Exit.FINE


def export(account: str, settings: Settings) -> Exit:
    """Everything that the record holds of the account and may tell it, as JSON."""
    whose = parse_account(account)
    with reading(settings) as store:
        found = retention.export(store, whose, SystemClock().now(), kept_for=settings.kept_for)
        if not store.facts_of(whose) and not found.messages:
            help_ = f"Texts of messages in which nothing was found are kept for {settings['retention.messages']}."
            raise StopError(f"the record has nothing to tell about {printable(whose)}", help=help_, code=Exit.PROBLEMS)
        print_json(found)
    return Exit.FINE


def put_off(
    account: str, settings: Settings, *, until: str, party: str, by: str, why: str, at: str | None, as_json: bool
) -> Exit:
    """Appeals of the party about this account wait; they can be filed all the same, and the window grows."""
    if party not in tuple(Party):
        raise StopError(f"{party!r} files no appeals", help=f"One of: {', '.join(Party)}.", code=Exit.USAGE)
    person, when = parse_person(by), parse_time(at, SystemClock().now())
    fact = AppealsPutOff(
        account=parse_account(account), at=when, party=Party(party), until=parse_time(until, when), by=person, why=why
    )
    with acting(settings) as proceedings:
        flow_appeal.put_off(proceedings, fact)
    said = (
        f"Until {fact.until:%d %B %Y} they wait. They can be filed as before, and the time for it is longer by as much."
    )
    return told([fact], as_json=as_json, said=said)


def forget(settings: Settings, *, as_json: bool) -> Exit:
    """Texts of messages that nobody needs any more are deleted, and what was erased is told in the ledger."""
    with acting(settings) as proceedings:
        if proceedings.mode == "replay":
            raise StopError("the record replays an archive; delete its folder instead", code=Exit.USAGE)
        done = retention.daily(proceedings, SystemClock().now())
    if as_json:
        print_json(done)
        return Exit.FINE
    out.print(f"Deleted the text of {counted(done.forgotten, 'message')}.", markup=False)
    if done.closed:
        out.print(f"Closed {counted(done.closed, 'case')} that had nothing to ask any more.", markup=False)
    if done.opened:
        out.print(f"Opened {counted(done.opened, 'case')} about a condition that nobody has met.", markup=False)
    if done.told:
        statements = counted(done.told, "statement was", "statements were")
        out.print(f"The ledger now says that {statements} erased.", markup=False)
    return Exit.FINE
