"""The commands that run gates: names, options and help."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from comity.app.options import end

gate = typer.Typer(
    help="Run a gate beside a server: it follows `comity serve` and answers by itself.", no_args_is_help=True
)

Centre = Annotated[str, typer.Option(metavar="URL", help="Where `comity serve` is.")]
TokenFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Holds the gate's token; else COMITY_GATE_TOKEN does.")
]
Folder = Annotated[Path, typer.Option(help="Where the gate keeps what it knows; its own alone.")]
Name = Annotated[str, typer.Option(help="What the centre calls this gate.")]
Listen = Annotated[str, typer.Option(metavar="PLACE", help="ADDRESS:PORT, or unix:PATH.")]
Stale = Annotated[str, typer.Option(help="While the centre is away for too long: open or closed.")]
MaxStale = Annotated[float, typer.Option(metavar="SECONDS", min=1, max=86_400, help="What is too long.")]
Grace = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, max=86_400, help="How long a cut holds that came without a proof.")
]
Key = Annotated[str | None, typer.Option(help="The operator's verifier key; else the one that was met first.")]
Policy = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The logs and witnesses that you trust (C2SP tlog-policy).")
]
Ca = Annotated[
    Path | None, typer.Option("--ca", metavar="FILE", help="Certificates (PEM) that the centre's is held against.")
]
FOLDER = Path(".comity-gate")
THIS_MACHINE = ["127.0.0.1", "::1"]


@gate.command(epilog="Example: `comity gate http --centre http://127.0.0.1:8645 --token-file gate.token`")
def http(
    centre: Centre,
    token_file: TokenFile = None,
    folder: Folder = FOLDER,
    name: Name = "http",
    listen: Listen = "127.0.0.1:8646",
    trust: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Whose account header is believed; this machine's.")
    ] = None,
    header: Annotated[str, typer.Option(help="The header that names the account.")] = "X-Comity-Account",
    stale: Stale = "open",
    max_stale: MaxStale = 30,
    grace: Grace = 600,
    key: Key = None,
    policy: Policy = None,
    ca: Ca = None,
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
        ca=ca,
        stale=stale,
        max_stale=max_stale,
        grace=grace,
    )
    end(http_gate(wanted, listen=listen, trust=trust or THIS_MACHINE, header=header))


@gate.command(epilog="Example: `comity gate postfix --centre http://127.0.0.1:8645 --token-file gate.token`")
def postfix(
    centre: Centre,
    token_file: TokenFile = None,
    folder: Folder = FOLDER,
    name: Name = "postfix",
    listen: Listen = "127.0.0.1:8647",
    trust: Annotated[list[str] | None, typer.Option(metavar="ADDRESS", help="Who may ask; this machine.")] = None,
    trust_sender: Annotated[
        bool, typer.Option("--trust-sender", help="Who has not signed in is who the envelope says.")
    ] = False,
    channel: Annotated[str, typer.Option(help="What the agreement calls mail.")] = "mail",
    figures: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Where /healthz and /metrics are; nowhere when left out.")
    ] = None,
    milter: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Where Postfix shows mail to be judged: unix:PATH.")
    ] = None,
    source_token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Holds a source's token, to ask about mail; else COMITY_SOURCE_TOKEN."),
    ] = None,
    unjudged: Annotated[str, typer.Option(help="Mail that the centre cannot be asked about: defer or pass.")] = "defer",
    patience: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, max=250, help="How long it may take.")] = 10,
    hold: Annotated[
        float, typer.Option(metavar="HOURS", min=0, max=96, help="How long mail waits at most for a decision.")
    ] = 24,
    postqueue: Annotated[
        str, typer.Option(metavar="COMMAND", help="Postfix's own: what waits.")
    ] = "/usr/sbin/postqueue",
    postsuper: Annotated[
        str, typer.Option(metavar="COMMAND", help="Postfix's own: releases and removes.")
    ] = "/usr/sbin/postsuper",
    sendmail: Annotated[
        str, typer.Option(metavar="COMMAND", help="Postfix's own: takes a report to a sender.")
    ] = "/usr/sbin/sendmail",
    stale: Stale = "open",
    max_stale: MaxStale = 30,
    grace: Grace = 600,
    key: Key = None,
    policy: Policy = None,
    ca: Ca = None,
) -> None:
    """Answer Postfix: may this account send (check_policy_service), and may this mail be sent (smtpd_milters)?"""
    from comity.app.gate import Wanted
    from comity.app.gate_postfix import Asking, Showing, postfix_gate

    wanted = Wanted(
        centre=centre,
        name=name,
        folder=folder,
        token_file=token_file,
        key=key,
        policy=policy,
        ca=ca,
        stale=stale,
        max_stale=max_stale,
        grace=grace,
    )
    asking = Asking(
        listen=listen,
        addresses=frozenset(trust or THIS_MACHINE),
        channel=channel,
        trusts_sender=trust_sender,
        figures=figures,
    )
    showing = None
    if milter is not None:
        from comity.app.gate_mail import Judging, milter_gate  # loads what reads mail

        judging = Judging(
            wanted=wanted,
            token_file=source_token_file,
            channel=channel,
            trusts_sender=trust_sender,
            unjudged=unjudged,
            patience=patience,
            hold=hold,
            postqueue=postqueue,
            postsuper=postsuper,
            sendmail=sendmail,
        )
        showing = Showing(listen=milter, make=partial(milter_gate, judging))
    end(postfix_gate(wanted, asking, showing))


@gate.command(
    epilog="Example: `comity gate network --centre http://127.0.0.1:8645 --token-file gate.token "
    "--allow rules.example.org:443`"
)
def network(
    centre: Centre,
    token_file: TokenFile = None,
    folder: Folder = FOLDER,
    name: Name = "network",
    channel: Annotated[str, typer.Option(help="What the agreement calls the network.")] = "internet",
    allow: Annotated[
        list[str] | None, typer.Option(metavar="HOST:PORT", help="What stays reachable for those who are cut off.")
    ] = None,
    page_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Where this machine explains itself to those who are cut off.")
    ] = 8649,
    table: Annotated[str, typer.Option(help="The table of nftables that is this gate's own.")] = "comity",
    listen: Listen = "127.0.0.1:8648",
    max_stale: MaxStale = 30,
    grace: Grace = 600,
    key: Key = None,
    policy: Policy = None,
    ca: Ca = None,
) -> None:
    """Cut addresses off from the network that this machine routes, with nftables."""
    from comity.app.gate import Wanted
    from comity.app.gate_network import Way, network_gate

    wanted = Wanted(
        centre=centre,
        name=name,
        folder=folder,
        token_file=token_file,
        key=key,
        policy=policy,
        ca=ca,
        stale="open",
        max_stale=max_stale,
        grace=grace,
    )
    way = Way(channel=channel, table=table, page_port=page_port, listen=listen, allow=allow or ())
    end(network_gate(wanted, way))


@gate.command(
    epilog="Example: `comity gate trust example.org/log-2+c74f20a3+ARpc2QcU... --folder /var/lib/comity-gate`"
)
def trust(
    key: Annotated[str, typer.Argument(help="The operator's verifier key, as its log shows it under /v1/log/vkey.")],
    folder: Folder = FOLDER,
) -> None:
    """Let a gate believe one more key: after the operator began a new log. A gate that runs notices."""
    from comity.app.gate import VKEY
    from comity.app.gate_trust import trust as work

    end(work(folder, VKEY, key))


@gate.command(
    epilog="Example: `comity gate canary --centre http://127.0.0.1:8645 --source-token source.token --reviewer-token "
    "mara.token --account canary --channel posts --says 'Peep.' --every 600 -- curl -fsS -u canary:secret -d hello "
    "https://example.org/post`"
)
def canary(
    centre: Centre,
    source_token: Annotated[Path, typer.Option(metavar="FILE", help="A source's: what the canary says goes by it.")],
    reviewer_token: Annotated[Path, typer.Option(metavar="FILE", help="A reviewer's: the measure is lifted by it.")],
    channel: Annotated[str, typer.Option(help="Where it says that.")],
    says: Annotated[str, typer.Option(help="Words that breach a clause which was written for it.")],
    attempt: Annotated[list[str], typer.Argument(help="A command that tries to communicate as the canary.")],
    account: Annotated[str, typer.Option(help="The canary.")] = "canary",
    every: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How often; once if left out.")] = 0,
    within: Annotated[float, typer.Option(metavar="SECONDS", min=0.001, help="What takes longer is an alarm.")] = 1,
    patience: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How long it waits at all.")] = 30,
    ca: Ca = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Cut one account off and restore it, through the real server, to see that gates do their work."""
    from comity.app.canary import Canary
    from comity.app.canary import canary as work

    bird = Canary(
        centre=centre.rstrip("/"),
        ca=ca,
        source=source_token,
        reviewer=reviewer_token,
        account=account,
        channel=channel,
        says=says,
        attempt=tuple(attempt),
        within=within,
        patience=patience,
    )
    end(work(bird, every=every, as_json=json))
