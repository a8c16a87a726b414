"""The commands for what people do with cases, decisions and appeals: names, options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.options import (
    At,
    By,
    Config,
    Instead,
    Json,
    Store,
    Why,
    Yes,
    end,
    settings_of,
)

commands = typer.Typer()

StatementId = Annotated[str, typer.Argument(metavar="STATEMENT", help="The statement's id.")]


@commands.command(epilog="Example: `comity link 5f0c`")
def link(
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="The statement's id, or its first digits.")],
    new: Annotated[bool, typer.Option("--new", help="End the old link: somebody else has it.")] = False,
    by: By = "",
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Show the link by which an account reads its statement and appeals; give it to nobody else."""
    from comity.app.links import link as work

    end(work(statement, settings_of(config, store), is_new=new, by=by, as_json=json))


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
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Decide an appeal. Whoever took part in the decision is refused."""
    from comity.app.appeals import outcome as work

    is_sure = yes or json
    settings = settings_of(config, store)
    end(work(appeal, result, settings, by=by, why=why, instead=instead, at=at, is_sure=is_sure, as_json=json))


@commands.command(epilog="Example: `comity correct 5f0c... --by mara --note 'The message was sent on the 3rd.'`")
def correct(
    statement: StatementId,
    by: By = "",
    note: Annotated[str, typer.Option(help="What the statement should have said.")] = "",
    instead: Instead = None,
    at: At = None,
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Append a new version to a statement; the old text stays. Never anything harsher."""
    from comity.app.amend import correct as work

    is_sure = yes or json
    settings = settings_of(config, store)
    end(work(statement, settings, by=by, note=note, instead=instead, at=at, is_sure=is_sure, as_json=json))


@commands.command(epilog="Example: `comity lift 5f0c... --by mara --why 'Served its purpose.'`")
def lift(
    statement: StatementId,
    by: By = "",
    why: Why = "",
    at: At = None,
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """End a statement's measures on channels before their time."""
    from comity.app.amend import lift as work

    is_sure = yes or json
    end(work(statement, settings_of(config, store), by=by, why=why, at=at, is_sure=is_sure, as_json=json))


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
