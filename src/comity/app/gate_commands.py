"""The commands that run gates: names, options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.options import end

gate = typer.Typer(
    help="Run a gate beside a server: it follows `comity serve` and answers by itself.", no_args_is_help=True
)


@gate.command(epilog="Example: `comity gate http --centre http://127.0.0.1:8645 --token-file gate.token`")
def http(
    centre: Annotated[str, typer.Option(metavar="URL", help="Where `comity serve` is.")],
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Holds the gate's token; else COMITY_GATE_TOKEN does.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the gate keeps what it knows; its own alone.")] = Path(
        ".comity-gate"
    ),
    name: Annotated[str, typer.Option(help="What the centre calls this gate.")] = "http",
    listen: Annotated[str, typer.Option(metavar="PLACE", help="ADDRESS:PORT, or unix:PATH.")] = "127.0.0.1:8646",
    trust: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Whose account header is believed; this machine's.")
    ] = None,
    header: Annotated[str, typer.Option(help="The header that names the account.")] = "X-Comity-Account",
    stale: Annotated[str, typer.Option(help="While the centre is away for too long: open or closed.")] = "open",
    max_stale: Annotated[float, typer.Option(metavar="SECONDS", min=1, max=86_400, help="What is too long.")] = 30,
    grace: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, max=86_400, help="How long a cut holds that came without a proof."),
    ] = 600,
    key: Annotated[
        str | None, typer.Option(help="The operator's verifier key; else the one that was met first.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The logs and witnesses that you trust (C2SP tlog-policy).")
    ] = None,
) -> None:
    """Answer nginx (auth_request), Caddy (forward_auth) or Envoy (ext_authz): may this account pass?"""
    from comity.app.gate import Wanted, http_gate

    wanted = Wanted(
        centre=centre,
        name=name,
        folder=folder,
        token_file=token_file,
        key=key,
        policy=policy,
        stale=stale,
        max_stale=max_stale,
        grace=grace,
    )
    end(http_gate(wanted, listen=listen, trust=trust or ["127.0.0.1", "::1"], header=header))
