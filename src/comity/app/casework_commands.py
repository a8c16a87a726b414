"""The commands for what people do with cases, decisions and appeals: names, options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.options import (
    Archives,
    At,
    By,
    Config,
    Instead,
    Json,
    Mapping,
    Source,
    Store,
    Why,
    Yes,
    end,
    settings_of,
)

commands = typer.Typer()

StatementId = Annotated[str, typer.Argument(metavar="STATEMENT", help="The statement's id.")]


@commands.command(epilog="Example: `comity cases`")
def cases(json: Json = False, store: Store = None, config: Config = None) -> None:
    """List what waits for a person, cases and appeals: the gravest first, then by reach, age and confidence."""
    from comity.app.cases import list_waiting

    end(list_waiting(settings_of(config, store), as_json=json))


@commands.command(
    epilog="Example: `comity case 5f0c... --confirm --clause threats --by mara --why 'It names a street.'`"
)
def case(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The case's id.")],
    claim: Annotated[bool, typer.Option("--claim", help="Work on it for half an hour; again to extend.")] = False,
    release: Annotated[bool, typer.Option("--release", help="Let somebody else work on it.")] = False,
    hand_to: Annotated[str | None, typer.Option(metavar="NAME", help="Hand it over.")] = None,
    escalate: Annotated[bool, typer.Option("--escalate", help="Put it before somebody with more say.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Decide that it is a breach.")] = False,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="Decide that it is none.")] = False,
    assess: Annotated[
        bool, typer.Option("--assess", help="In a second review or a sample: what you would say.")
    ] = False,
    clause: Annotated[list[str] | None, typer.Option(help="Which is breached; what was found if left out.")] = None,
    instead: Instead = None,
    version: Annotated[
        int | None, typer.Option(help="The version that you have read; refused if the case has changed since.")
    ] = None,
    by: By = "",
    why: Why = "",
    at: At = None,
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Show a case, claim it, or decide it: the statement is shown before anything is done."""
    from comity.app.cases import Wanted
    from comity.app.cases import case as work

    chosen = {
        "claim": claim,
        "release": release,
        "hand over": hand_to is not None,
        "escalate": escalate,
        "confirm": confirm,
        "dismiss": dismiss,
        "assess": assess,
    }
    wanted = Wanted(
        case=id_,
        acts=tuple(name for name, is_wanted in chosen.items() if is_wanted),
        clauses=clause or [],
        instead=instead,
        version=version,
        to=hand_to or "",
        by=by,
        why=why,
        at=at,
        is_sure=yes,
        as_json=json,
    )
    end(work(wanted, settings_of(config, store)))


@commands.command(
    epilog="Example: `comity notice message.json --where https://example.org/p/7 --why 'A threat' --good-faith`"
)
def notice(
    message: Annotated[str, typer.Argument(help="A file with the message as JSON, `-`, or SOURCE/ID.")],
    where: Annotated[str, typer.Option(help="Where it can be seen.")] = "",
    why: Annotated[str, typer.Option(help="Why it breaches the agreement or the law.")] = "",
    clause: Annotated[str | None, typer.Option(help="Which clause, if known.")] = None,
    name: Annotated[str, typer.Option(help="Who reports it; never shown to the account.")] = "",
    contact: Annotated[str, typer.Option(help="Where they get an answer.")] = "",
    origin: Annotated[str, typer.Option("--from", help="user, trusted flagger or authority.")] = "user",
    good_faith: Annotated[bool, typer.Option("--good-faith", help="They say that what they report is true.")] = False,
    at: At = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Put a message before a reviewer because somebody reported it."""
    from comity.app.notices import Reported
    from comity.app.notices import notice as work

    reported = Reported(
        message=message,
        where=where,
        why=why,
        clause=clause,
        name=name,
        contact=contact,
        origin=origin,
        good_faith=good_faith,
    )
    end(work(reported, settings_of(config, store), at=at, as_json=json))


@commands.command(epilog="Example: `comity appeal 5f0c... --text 'It was a quotation.'`")
def appeal(
    statement: StatementId,
    text: Annotated[str, typer.Option(help="Why it is wrong; `-` reads standard input.")] = "-",
    by: Annotated[str, typer.Option(metavar="NAME", help="Who files it in the account's name, if somebody does.")] = "",
    notice: Annotated[str | None, typer.Option(help="A notifier's appeal: the notice's id.")] = None,
    file: Annotated[list[Path] | None, typer.Option(help="Attach a file; at most 5 of 10 MB.")] = None,
    at: At = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Appeal against a decision; somebody who took no part in it decides."""
    from comity.app.appeals import appeal as work

    chosen = settings_of(config, store)
    end(work(statement, text, chosen, by=by, notice=notice, files=file or [], at=at, as_json=json))


@commands.command(epilog="Example: `comity outcome 77ab... reversed --by noor --why 'It was a quotation.'`")
def outcome(
    appeal: Annotated[str, typer.Argument(help="The appeal's id.")],
    result: Annotated[str, typer.Argument(metavar="OUTCOME", help="upheld, varied, reversed or omitted.")],
    by: By = "",
    why: Why = "",
    instead: Instead = None,
    at: At = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Decide an appeal. Whoever took part in the decision is refused."""
    from comity.app.appeals import outcome as work

    end(work(appeal, result, settings_of(config, store), by=by, why=why, instead=instead, at=at, as_json=json))


@commands.command(epilog="Example: `comity correct 5f0c... --by mara --note 'The message was sent on the 3rd.'`")
def correct(
    statement: StatementId,
    by: By = "",
    note: Annotated[str, typer.Option(help="What the statement should have said.")] = "",
    instead: Instead = None,
    at: At = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Append a new version to a statement; the old text stays. Never anything harsher."""
    from comity.app.amend import correct as work

    end(work(statement, settings_of(config, store), by=by, note=note, instead=instead, at=at, as_json=json))


@commands.command(epilog="Example: `comity lift 5f0c... --by mara --why 'Served its purpose.'`")
def lift(
    statement: StatementId,
    by: By = "",
    why: Why = "",
    at: At = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """End a statement's measures on channels before their time."""
    from comity.app.amend import lift as work

    end(work(statement, settings_of(config, store), by=by, why=why, at=at, as_json=json))


@commands.command(
    epilog="Example: `comity undo spam --version sha256:... --since 2026-11-01 --by ana --why 'Matched names.'`"
)
def undo(
    clause: Annotated[str, typer.Argument(help="The clause whose rule was wrong.")],
    version: Annotated[str | None, typer.Option(help="The version's digest; the newest when left out.")] = None,
    since: Annotated[str | None, typer.Option(help="From this time on; always when left out.")] = None,
    by: By = "",
    why: Why = "",
    at: At = None,
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Reverse every automatic decision that a bad rule caused, after showing them."""
    from comity.app.amend import undo as work

    chosen = settings_of(config, store)
    end(work(clause, chosen, version=version, since=since, by=by, why=why, at=at, is_sure=yes, as_json=json))


@commands.command(epilog="Example: `comity attest 5f0c... acknowledged --by account`")
def attest(
    statement: StatementId,
    condition: Annotated[str, typer.Argument(help="The condition that is met.")],
    by: By = "",
    at: At = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Record that a condition is met on which a measure ends."""
    from comity.app.amend import attest as work

    end(work(statement, condition, settings_of(config, store), by=by, at=at, as_json=json))


@commands.command(epilog="Example: `comity delivered 5f0c...`")
def delivered(
    statement: StatementId,
    how: Annotated[str, typer.Option(help="source, link, gate or operator.")] = "operator",
    at: At = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Record that a statement reached its account."""
    from comity.app.amend import delivered as work

    end(work(statement, settings_of(config, store), how=how, at=at, as_json=json))


@commands.command(epilog="Example: `comity handle alice chat @alice:example.org`")
def handle(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    channel: Annotated[str, typer.Argument(help="The channel.")],
    name: Annotated[str, typer.Argument(metavar="HANDLE", help="What the channel calls the account.")],
    until: Annotated[str | None, typer.Option(help="Until when; for good when left out.")] = None,
    at: Annotated[str | None, typer.Option("--since", help="From when on; now when left out.")] = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Record what a channel calls an account."""
    from comity.app.accounts import handle as work

    end(work(account, channel, name, settings_of(config, store), since=at, until=until, as_json=json))


@commands.command(epilog="Example: `comity hold alice --by ana --why 'Court order 12/26'`")
def hold(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    by: By = "",
    why: Why = "",
    end_: Annotated[bool, typer.Option("--end", help="End the hold.")] = False,
    at: At = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Set a legal hold: nothing of the account may be erased until it ends."""
    from comity.app.accounts import hold as work

    end(work(account, settings_of(config, store), by=by, why=why, ends=end_, at=at, as_json=json))


@commands.command(epilog="Example: `comity erase alice`")
def erase(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    keep_hash: Annotated[
        bool, typer.Option("--keep-hash", help="Still know that a closed account was closed.")
    ] = False,
    yes: Yes = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Erase an account's data for good; the ledger's proofs still verify."""
    from comity.app.accounts import erase as work

    end(work(account, settings_of(config, store), keep_hash=keep_hash, is_sure=yes))


@commands.command(epilog="Example: `comity export alice > alice.json`")
def export(
    account: Annotated[str, typer.Argument(help="The account's id.")], store: Store = None, config: Config = None
) -> None:
    """Write what the record holds of an account and may tell it, for the person, as JSON."""
    from comity.app.accounts import export as work

    end(work(account, settings_of(config, store)))


@commands.command(epilog="Example: `comity removals --source forum --json`, and when it is done, with an id and --done")
def removals(
    message: Annotated[str | None, typer.Argument(metavar="ID", help="The message that was seen to.")] = None,
    source: Annotated[str | None, typer.Option(help="Whose messages.")] = None,
    done: Annotated[str, typer.Option(metavar="WHAT", help="withheld or restored: what the source has done.")] = "",
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """List the messages that a source has still to take down or put back, or acknowledge one."""
    from comity.app.removals import acknowledge
    from comity.app.removals import removals as work

    chosen = settings_of(config, store)
    if message is None:
        end(work(chosen, source=source, as_json=json))
    else:
        end(acknowledge(chosen, message=message, source=source, done=done, as_json=json))


@commands.command(epilog="Example: `comity forget`, once a day")
def forget(json: Json = False, store: Store = None, config: Config = None) -> None:
    """What is due each day: delete the texts that nobody needs any more, and say in the ledger what was erased."""
    from comity.app.accounts import forget as work

    end(work(settings_of(config, store), as_json=json))


@commands.command(epilog="Example: `comity put-off alice --until 2026-12-24 --by ana --why '40 appeals in a week'`")
def put_off(
    account: Annotated[str, typer.Argument(help="The account that the appeals are about.")],
    until: Annotated[str, typer.Option(help="Until when they wait.")],
    party: Annotated[str, typer.Option(help="Whose appeals wait: account or notifier.")] = "account",
    by: By = "",
    why: Why = "",
    at: At = None,
    store: Store = None,
    config: Config = None,
) -> None:
    """Let appeals wait for a time, when there are too many; they can be filed all the same."""
    from comity.app.accounts import put_off as work

    end(work(account, settings_of(config, store), until=until, party=party, by=by, why=why, at=at))


@commands.command(epilog="Example: `comity quality --draw 20`")
def quality(
    draw: Annotated[
        int, typer.Option(min=0, max=10_000, help="Put so many decisions before a second reviewer, at random.")
    ] = 0,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Show whether reviewers agree, and whether people confirm what rules find."""
    from comity.app.quality import quality as work

    end(work(settings_of(config, store), draw=draw, as_json=json))


@commands.command(epilog="Example: `comity sample messages.jsonl --count 50`")
def sample(
    archives: Archives,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many messages to draw, at random.")] = 20,
    mapping: Mapping = None,
    source: Source = None,
    rejects: Annotated[Path, typer.Option(help="Where bad records go.")] = Path("rejects.jsonl"),
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Ask people to read messages in which nothing was found: what do the rules miss?"""
    from comity.app.quality import sample as work

    found = settings_of(config, store)
    end(work(found, archives, mapping or [], count=count, source=source, rejects=rejects, as_json=json))
