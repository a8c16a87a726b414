"""The commands for the ledger's keys."""

from __future__ import annotations

from typing import Annotated

import typer

from comity.app.options import Config, Json, Store, Yes, end, settings_of

commands = typer.Typer(help="The keys that sign the ledger.", no_args_is_help=True, rich_markup_mode=None)


@commands.command()
def show(json: Json = False, store: Store = None, config: Config = None) -> None:
    """Which keys sign the ledger, and where each is kept."""
    from comity.app.keys import show as work

    end(work(settings_of(config, store), as_json=json))


@commands.command()
def rotate(store: Store = None, config: Config = None) -> None:
    """Enter a new key in the ledger; from then on both sign."""
    from comity.app.keys import rotate as work

    end(work(settings_of(config, store)))


@commands.command()
def retire(yes: Yes = False, store: Store = None, config: Config = None) -> None:
    """Delete the old key; the new one signs alone."""
    from comity.app.acting import demand_sure
    from comity.app.keys import retire as work

    demand_sure("Delete the ledger's old key for good?", is_sure=yes)
    end(work(settings_of(config, store)))


@commands.command(epilog="Example: `comity keys new-log`")
def new_log(
    origin: Annotated[str | None, typer.Option(help="The new log's name, such as `log.example.org/rules/2`.")] = None,
    yes: Yes = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Go on in a new log that cites the old one's last checkpoint: its key, or its newest entries, are lost."""
    from comity.app.acting import demand_sure
    from comity.app.new_log import new_log as work

    demand_sure("End this log and begin a new one with a new key?", is_sure=yes)
    end(work(settings_of(config, store), origin=origin))
