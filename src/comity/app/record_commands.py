"""The commands for the record as a whole and for one account: names, options and help."""

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


@commands.command(epilog="Example: `comity bulk spam --confirm --by mara --why 'The same advertisement, each time.'`")
def bulk(
    clause: Annotated[str, typer.Argument(help="The clause whose rule found them.")],
    confirm: Annotated[bool, typer.Option("--confirm", help="Decide that all are breaches.")] = False,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="Decide that none is.")] = False,
    lot: Annotated[str, typer.Option(help="In a script: the lot that drew the sample, from `--json`.")] = "",
    read: Annotated[list[str] | None, typer.Option(metavar="ID", help="With --lot: a case that was read.")] = None,
    instead: Instead = None,
    by: By = "",
    why: Why = "",
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Decide all that one rule put before a person, after a sample of it was read."""
    from comity.app.bulk import Asked
    from comity.app.bulk import bulk as work

    asked = Asked(
        clause=clause,
        acts=tuple(name for name, is_wanted in (("confirm", confirm), ("dismiss", dismiss)) if is_wanted),
        lot=lot,
        read=read or [],
        instead=instead,
        by=by,
        why=why,
        is_sure=yes,
        as_json=json,
    )
    end(work(asked, settings_of(config, store)))


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


@commands.command(epilog="Example: `comity contact alice alice@example.org`")
def contact(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    address: Annotated[str, typer.Argument(help="Its e-mail address; '' to write to it no more.")],
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Record where an account gets its statements by e-mail; erased with its data."""
    from comity.app.accounts import contact as work

    end(work(account, address, settings_of(config, store), as_json=json))


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
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Erase an account's data for good; the ledger's proofs still verify."""
    from comity.app.accounts import erase as work

    end(work(account, settings_of(config, store), keep_hash=keep_hash, is_sure=yes, as_json=json))


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
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Let appeals wait for a time, when there are too many; they can be filed all the same."""
    from comity.app.accounts import put_off as work

    end(work(account, settings_of(config, store), until=until, party=party, by=by, why=why, at=at, as_json=json))


@commands.command(epilog="Example: `comity report --from 2026-01-01 --to 2026-12-31 --out report-2026`")
def report(
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day.")],
    folder: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A new folder for the files.")],
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Count a period for those you report to (EU DSA): tables as CSV, statements for its database as JSON."""
    from comity.app.report import report as work

    end(work(settings_of(config, store), folder, first=first, last=last, as_json=json))


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
