"""The commands that serve a record to other programs: names, options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from comity.app.options import Config, Json, Store, end, settings_of

commands = typer.Typer()
token = typer.Typer(help="What machines bring to `comity serve`: make, list and revoke tokens.", no_args_is_help=True)
commands.add_typer(token, name="token")
webhook = typer.Typer(help="Where `comity serve` sends what happened: addresses of yours.", no_args_is_help=True)
commands.add_typer(webhook, name="webhook")
mail = typer.Typer(help="Statements by e-mail: what waits, what was given up.", no_args_is_help=True)
commands.add_typer(mail, name="mail")
Hook = Annotated[str, typer.Argument(metavar="ID", help="As `comity webhook list` shows it.")]


@commands.command(epilog="Example: `comity serve --port 8645`")
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; this machine alone if left out.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="8645 if left out; 0: a free one.")] = None,
    store: Store = None,
    config: Config = None,
) -> None:
    """Serve the record over HTTP: messages, standings, the gates' feed, cases, the public ledger."""
    from comity.app.serve import serve as work

    end(work(settings_of(config, store), host=host, port=port))


@token.command(epilog="Example: `comity token new web --role gate --channel posts --days 90`")
def new(
    name: Annotated[str, typer.Argument(help="Who brings it, such as the gate's or the source's name.")],
    role: Annotated[str, typer.Option(help="source, gate, reviewer, appeals reviewer, operator or auditor.")],
    channel: Annotated[list[str] | None, typer.Option(help="Only for these channels; all if left out.")] = None,
    days: Annotated[int, typer.Option(help="How long it lasts.")] = 365,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Make a token. It is shown once; what is kept of it cannot be used."""
    from comity.app.tokens import new as work

    end(work(name, role, settings_of(config, store), channels=channel or [], days=days, as_json=json))


@token.command("list", epilog="Example: `comity token list`")
def list_(json: Json = False, store: Store = None, config: Config = None) -> None:
    """List tokens: names, roles, channels, ends; never their secrets."""
    from comity.app.tokens import every

    end(every(settings_of(config, store), as_json=json))


@token.command(epilog="Example: `comity token revoke 5f0c12ab`")
def revoke(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `comity token list` shows it.")],
    store: Store = None,
    config: Config = None,
) -> None:
    """Refuse a token from now on."""
    from comity.app.tokens import revoke as work

    end(work(id_, settings_of(config, store)))


@webhook.command(epilog="Example: `comity webhook add https://forum.example/comity --source forum`")
def add(
    url: Annotated[str, typer.Argument(help="An address that begins with https://; http:// on this machine.")],
    source: Annotated[
        str | None, typer.Option(help="What became of this source's messages, with their accounts; else all, public.")
    ] = None,
    private: Annotated[bool, typer.Option(help="It may be an address that is not reached from outside.")] = False,
    from_start: Annotated[bool, typer.Option(help="Also what happened before.")] = False,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Send events there. The secret that signs them is shown once."""
    from comity.app.webhooks import add as work

    settings = settings_of(config, store)
    end(work(url, settings, source=source, private=private, from_start=from_start, as_json=json))


@webhook.command("list", epilog="Example: `comity webhook list`")
def hooks(json: Json = False, store: Store = None, config: Config = None) -> None:
    """List webhooks: addresses, what waits, what was given up; never their secrets."""
    from comity.app.webhooks import every

    end(every(settings_of(config, store), as_json=json))


@webhook.command(epilog="Example: `comity webhook retire 5f0c12ab`")
def retire(id_: Hook, store: Store = None, config: Config = None) -> None:
    """Send nothing there from now on."""
    from comity.app.webhooks import retire as work

    end(work(id_, settings_of(config, store)))


@webhook.command(epilog="Example: `comity webhook dead`")
def dead(json: Json = False, store: Store = None, config: Config = None) -> None:
    """List the events that could not be delivered in three days, and why."""
    from comity.app.webhooks import dead as work

    end(work(settings_of(config, store), as_json=json))


@webhook.command(epilog="Example: `comity webhook again 5f0c12ab`")
def again(id_: Hook, store: Store = None, config: Config = None) -> None:
    """Send what was given up anew."""
    from comity.app.webhooks import again as work

    end(work(id_, settings_of(config, store)))


@mail.command("list", epilog="Example: `comity mail list`")
def mails(json: Json = False, store: Store = None, config: Config = None) -> None:
    """How many mails wait, which were given up, and why; nobody's address."""
    from comity.app.mail import waiting

    end(waiting(settings_of(config, store), as_json=json))


@mail.command("again", epilog="Example: `comity mail again`")
def mail_again(store: Store = None, config: Config = None) -> None:
    """Send what was given up anew."""
    from comity.app.mail import again as work

    end(work(settings_of(config, store)))
