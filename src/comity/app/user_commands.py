"""The commands for people who sign in: names, options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from comity.app.options import Config, Json, Store, end, settings_of

commands = typer.Typer(help="People who sign in to the console, and their roles.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What they sign in with, and what the record keeps of their acts.")]
Roles = Annotated[list[str], typer.Option("--role", help="operator, reviewer, appeals reviewer, auditor; repeatable.")]
Hours = Annotated[int, typer.Option(help="How long the link can be used.")]


@commands.command(epilog="Example: `comity user add mara --role reviewer --role operator`")
def add(
    name: Name,
    role: Roles,
    password: Annotated[bool, typer.Option("--password", help="Type a password here instead of a link.")] = False,
    hours: Hours = 24,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Let somebody in: prints a link that signs them in once, to choose a password."""
    from comity.app.users import add as work

    end(work(name, role, settings_of(config, store), asks=password, hours=hours, as_json=json))


@commands.command("list", epilog="Example: `comity user list`")
def list_(json: Json = False, store: Store = None, config: Config = None) -> None:
    """List people and their roles."""
    from comity.app.users import every

    end(every(settings_of(config, store), as_json=json))


@commands.command(epilog="Example: `comity user role mara --role reviewer`")
def role(name: Name, role: Roles, store: Store = None, config: Config = None) -> None:
    """Give somebody these roles and no others."""
    from comity.app.users import role as work

    end(work(name, role, settings_of(config, store)))


@commands.command(epilog="Example: `comity user remove mara`")
def remove(name: Name, store: Store = None, config: Config = None) -> None:
    """Let somebody in no more, and sign them out everywhere."""
    from comity.app.users import remove as work

    end(work(name, settings_of(config, store)))


@commands.command(epilog="Example: `comity user unlock mara`")
def unlock(name: Name, store: Store = None, config: Config = None) -> None:
    """Let somebody try again at once after too many wrong passwords."""
    from comity.app.users import unlock as work

    end(work(name, settings_of(config, store)))


@commands.command(epilog="Example: `comity user link mara`")
def link(name: Name, hours: Hours = 24, json: Json = False, store: Store = None, config: Config = None) -> None:
    """Print a new link that signs somebody in once: a password was forgotten, or tries are locked."""
    from comity.app.users import link as work

    end(work(name, settings_of(config, store), hours=hours, as_json=json))
