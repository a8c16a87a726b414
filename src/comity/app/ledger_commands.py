"""The commands that keep the ledger honest: witnesses, asked and asking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.options import Config, Json, Store, end, settings_of

commands = typer.Typer()


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
