"""The commands that keep the ledger honest: proofs for people, witnesses, asked and asking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.options import Config, Json, Store, end, settings_of

commands = typer.Typer()


@commands.command(epilog="Example: `comity prove 5f0c --whole --out mine.json`")
def prove(
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="The statement's id, or its first digits.")],
    whole: Annotated[
        bool, typer.Option("--whole", help="One file for the person: the statement, what followed, openings, proofs.")
    ] = False,
    to: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it there.")] = None,
    store: Store = None,
    config: Config = None,
) -> None:
    """Prove that a statement is in the ledger: a C2SP tlog-proof of its entry."""
    from comity.app.prove import prove as work

    end(work(statement, settings_of(config, store), whole=whole, to=to))


@commands.command(epilog="Example: `comity verify-statement mine.json`")
def verify_statement(
    file: Annotated[Path, typer.Argument(help="What `comity prove --whole` wrote.")],
    key: Annotated[
        str | None, typer.Option(help="The operator's verifier key, if you do not trust the file's.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The logs and witnesses that you trust (C2SP tlog-policy).")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Check a statement that somebody shows, offline: its words, its place in the ledger, and what that proves."""
    from comity.app.prove import verify_statement as work

    end(work(file, settings_of(config), key=key, policy=policy, as_json=json))


@commands.command(epilog="Example: `comity backup /mnt/backups`, once a day")
def backup(
    folder: Annotated[Path, typer.Argument(help="The folder of backups; each gets a folder of its own.")],
    keys: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the keys go; FOLDER/keys when left out.")
    ] = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Copy the record while it is used, with secrets and tokens; the keys to people's data apart, for 30 days."""
    from comity.app.backup import backup as work

    end(work(folder, settings_of(config, store), keys=keys, as_json=json))


@commands.command(epilog="Example: `comity restore /mnt/backups --log /srv/www/log`")
def restore(
    folder: Annotated[Path, typer.Argument(help="A folder of backups, of which the newest is taken, or one of them.")],
    keys: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the backups of keys are.")] = None,
    log: Annotated[Path | None, typer.Option(metavar="FOLDER", help="A copy of the newest published log.")] = None,
    nothing_lost: Annotated[
        bool, typer.Option("--nothing-lost", help="Nothing was recorded after the backup: you know that.")
    ] = False,
    begin_new_log: Annotated[
        bool, typer.Option("--new-log", help="Go on in a new log, which cites the last checkpoint.")
    ] = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Make a record from a backup. What was erased since is erased again; a store that is too old does not sign."""
    from comity.app.restore import Wanted
    from comity.app.restore import restore as work

    wanted = Wanted(folder=folder, keys=keys, log=log, nothing_lost=nothing_lost, begin_new_log=begin_new_log)
    end(work(wanted, settings_of(config, store)))


@commands.command(epilog="Example: `comity cosign --policy witnesses.policy`")
def cosign(
    policy: Annotated[
        Path | None, typer.Option(help="Witnesses and quorum (C2SP tlog-policy); from `comity.toml` when left out.")
    ] = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Ask the witnesses to vouch for the published ledger, and publish their cosignatures with its checkpoint."""
    from comity.app.cosign import cosign as work

    end(work(settings_of(config, store), policy=policy, as_json=json))


@commands.command(epilog="Example: `comity witness --logs logs.txt --port 7380`")
def witness(
    logs: Annotated[Path, typer.Option(help="The logs to vouch for, and their keys (C2SP tlog-list).")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 for any free port.")] = 7380,
    host: Annotated[str, typer.Option(help="On which address; others than this machine cannot reach the default.")] = (
        "127.0.0.1"
    ),
    name: Annotated[
        str | None, typer.Option(help="The witness's name for good, such as `witness.example.org/w1`.")
    ] = None,
    store: Store = None,
    config: Config = None,
) -> None:
    """Vouch for other people's ledgers: a witness (C2SP tlog-witness) cosigns what only ever grows."""
    from comity.app.witness import witness as work

    end(work(logs, settings_of(config, store).folder / "witness", name=name, host=host, port=port))
