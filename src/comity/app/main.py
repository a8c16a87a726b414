"""The command line: names, options and help. Each command's work is a module of its own, loaded when called."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import Annotated

import typer

from comity.app.casework_commands import commands as casework_commands
from comity.app.command_list import Sections
from comity.app.errors import Exit, StopError
from comity.app.gate_commands import gate as gate_commands
from comity.app.keys_commands import commands as keys_commands
from comity.app.ledger_commands import commands as ledger_commands
from comity.app.options import AgreementFile, Archives, Config, Json, Mapping, Source, Store, end, settings_of
from comity.app.record_commands import commands as record_commands
from comity.app.serving_commands import commands as serving_commands
from comity.app.user_commands import commands as user_commands

app = typer.Typer(
    name="comity",
    cls=Sections,
    help="Written agreements for communication that run: judge messages, take measures, state reasons, prove it all.",
    no_args_is_help=True,
    rich_markup_mode=None,  # `--help` in a third of the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: `comity init rules --from forum`")
def init(
    folder: Annotated[Path, typer.Argument(help="Where to put it.")] = Path(),
    from_: Annotated[
        str, typer.Option("--from", help="forum, mail, campus, chat, social, strikes or guest.")
    ] = "forum",
    origin: Annotated[
        str | None, typer.Option(help="The ledger's name for good, such as `log.example.org/rules`.")
    ] = None,
) -> None:
    """Begin with a starter agreement, its lexicons and a `comity.toml`."""
    from comity.app.init import init as work

    end(work(folder, from_, origin))


@app.command(epilog="Example: `comity check agreement.md`")
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Agreements; from `comity.toml` when left out.")] = None,
    format_: Annotated[str, typer.Option("--format", help="text, json or github.")] = "text",
    watch: Annotated[bool, typer.Option("--watch", help="Check again whenever a file changes.")] = False,
    config: Config = None,
) -> None:
    """Read agreements, prove their rules total and run their examples; report all problems at once."""
    from comity.app.check import check as work

    end(work(files or [settings_of(config).agreement], format_, watch=watch))


@app.command(epilog="Example: `comity judge agreement.md messages.parquet --out findings.jsonl`")
def judge(
    agreement: Annotated[Path, typer.Argument(help="The agreement.")],
    archives: Archives,
    mapping: Mapping = None,
    source: Source = None,
    out: Annotated[Path | None, typer.Option(help="Keep every finding: .jsonl or .parquet.")] = None,
    rejects: Annotated[Path, typer.Option(help="Where bad records go.")] = Path("rejects.jsonl"),
    json: Json = False,
) -> None:
    """Find breaches in archives; nothing is recorded."""
    from comity.app.judge import judge as work

    end(work(agreement, archives, mapping or [], source=source, out=out, rejects=rejects, as_json=json))


@app.command(epilog="Example: `comity backtest draft.md 'archive/*.parquet' --html report.html`")
def backtest(
    draft: Annotated[Path, typer.Argument(help="The agreement to try out.")],
    archives: Archives,
    against: Annotated[
        str | None,
        typer.Option(
            help="A file, or the digest of a published version; the one in force when left out; `none` for no other."
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Keep every finding: .jsonl or .parquet.")] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Which column says what is a breach: precision and recall.")
    ] = None,
    mapping: Mapping = None,
    source: Source = None,
    rejects: Annotated[Path, typer.Option(help="Where bad records go.")] = Path("rejects.jsonl"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores when left out.")] = None,
    store: Store = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show what a draft would have done to past messages, and to whom, beside the version in force."""
    from comity.app.backtest import Wanted
    from comity.app.backtest import backtest as work

    wanted = Wanted(
        draft=draft,
        archives=archives,
        mapping=mapping or [],
        source=source,
        against=against,
        html=html,
        out=out,
        label=label,
        rejects=rejects,
        jobs=jobs,
        as_json=json,
    )
    end(work(wanted, settings_of(config, store)))


@app.command(epilog="Example: `comity simulate agreement.md --accounts 10000 --out year.html`")
def simulate(
    agreement: Annotated[Path, typer.Argument(help="The agreement.")],
    then: Annotated[
        Path | None, typer.Option(help="A next version, published when half of the days are over.", metavar="AGREEMENT")
    ] = None,
    accounts: Annotated[int, typer.Option(help="How many people.")] = 1000,
    days: Annotated[int, typer.Option(help="How long.")] = 365,
    seed: Annotated[int, typer.Option(help="Another number, another community.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the picture as one page.", metavar="FILE")] = None,
    json: Json = False,
) -> None:
    """Play a whole community through the record: breaches, reviewers, appeals, reversals. Nothing is kept."""
    from comity.app.simulate import simulate as work

    end(work(agreement, then=then, accounts=accounts, days=days, seed=seed, as_json=json, page_at=out))


@app.command(epilog="Example: `comity publish agreement.md --from 2027-01-01`")
def publish(
    agreement: AgreementFile = None,
    from_: Annotated[str | None, typer.Option("--from", help="In force from this time on; now when left out.")] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Begin a record that replays an archive, binding nobody.")
    ] = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Make a version the one in force from a time on."""
    from comity.app.publish import publish as work

    chosen = settings_of(config, store)
    end(work(agreement or chosen.agreement, chosen, effective=from_, replay=replay))


@app.command(epilog="Example: `comity run messages.csv --as-sent --map author=user`")
def run(
    archives: Archives,
    as_sent: Annotated[
        bool, typer.Option("--as-sent", help="Replay: each message is judged as of when it was sent.")
    ] = False,
    delivery: Annotated[str | None, typer.Option(help="In a replay, how soon a statement arrives.")] = None,
    mapping: Mapping = None,
    source: Source = None,
    rejects: Annotated[Path, typer.Option(help="Where bad records go.")] = Path("rejects.jsonl"),
    store: Store = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """The whole job over an archive: findings, measures, statements, ledger. Run again after a stop, it goes on."""
    from comity.app.run import run as work

    chosen = settings_of(config, store, {"run.delivery": delivery})
    end(work(archives, chosen, mapping or [], source=source, as_sent=as_sent, rejects=rejects, as_json=json))


@app.command(epilog="Example: `comity statement 5f0c --html > statement.html`")
def statement(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The statement's id, or its first digits.")] = "",
    json: Json = False,
    html: Annotated[bool, typer.Option("--html", help="As a page.")] = False,
    dsa: Annotated[
        bool,
        typer.Option("--dsa", help="For the EU's DSA Transparency Database; without an id in batches."),
    ] = False,
    since: Annotated[str | None, typer.Option(help="With --dsa: issued from this time on.")] = None,
    until: Annotated[str | None, typer.Option(help="With --dsa: issued before this time.")] = None,
    store: Store = None,
    config: Config = None,
) -> None:
    """Show a statement of reasons as its account reads it; without an id, list the newest."""
    from comity.app.show import list_statements, show_statement

    chosen = settings_of(config, store)
    if dsa:
        from comity.app.dsa import export

        end(export(id_, chosen, since=since, until=until))
    end(show_statement(id_, chosen, as_json=json, as_html=html) if id_ else list_statements(chosen, as_json=json))


@app.command(epilog="Example: `comity standing alice --at 2026-12-01T00:00:00Z`")
def standing(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    at: Annotated[str | None, typer.Option(help="A time; now when left out.")] = None,
    gates: Annotated[bool, typer.Option("--gates", help="Also at which gates that has arrived, and how fast.")] = False,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """What an account may do, channel by channel, its points and its statements."""
    from comity.app.show import show_standing

    end(show_standing(account, settings_of(config, store), at=at, with_gates=gates, as_json=json))


@app.command(epilog="Example: `comity accept alice --language es`")
def accept(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    version: Annotated[str | None, typer.Option(help="The version's digest; the newest when left out.")] = None,
    language: Annotated[str | None, typer.Option(help="In which language it was shown.")] = None,
    by_notice: Annotated[
        bool, typer.Option("--by-notice", help="It was only told: going on counts, if its agreement says so.")
    ] = False,
    at: Annotated[str | None, typer.Option(help="When; now when left out.")] = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Record that an account accepted a version: it is bound by it from then on."""
    from comity.app.accept import accept as work

    known = settings_of(config, store)
    end(work(account, known, version=version, language=language, by_notice=by_notice, at=at, as_json=json))


@app.command(epilog="Example: `comity explain agreement.md message.json`")
def explain(
    agreement: Annotated[Path, typer.Argument(help="The agreement.")],
    message: Annotated[
        str | None, typer.Argument(help="A file with one message as JSON; `-` is standard input.")
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Show the generated function instead.")] = False,
    json: Json = False,
) -> None:
    """Why a message breaches a clause or does not, value by value."""
    from comity.app.explain import explain as work

    end(work(agreement, message, code=code, as_json=json))


@app.command(epilog="Example: `comity diff agreement.md draft.md`")
def diff(
    old: Annotated[str, typer.Argument(help="An agreement, or the digest of a published version (`sha256:...`).")],
    new: Annotated[str, typer.Argument(help="The same, for the version to compare with.")],
    json: Json = False,
    html: Annotated[Path | None, typer.Option(help="Write it as a page, too.", metavar="FILE")] = None,
    store: Store = None,
    config: Config = None,
) -> None:
    """What changed between two versions, and whether each rule became stricter: proved, or shown by a message."""
    from comity.app.diff import diff as work

    end(work(old, new, settings_of(config, store), as_json=json, html=html))


@app.command(epilog="Example: `comity verify https://example.org/log --since my.checkpoint`")
def verify(
    place: Annotated[
        str | None, typer.Argument(metavar="[URL|FOLDER]", help="The published log; your own when left out.")
    ] = None,
    since: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Keeps the checkpoint for the next time: is the log still its continuation?"),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="VKEY", help="The verifier key, if you do not trust the log's.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The logs and witnesses that you trust (C2SP tlog-policy).")
    ] = None,
    json: Json = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Recompute the whole ledger from its entries and say what that proves, and what not."""
    from comity.app.verify import verify as work
    from comity.app.verify import verify_own

    if place is None:
        end(verify_own(settings_of(config, store), since=since or (), key=key, policy=policy, as_json=json))
    else:
        end(work(place, since=since or (), key=key, policy=policy, as_json=json))


@app.command("config")
def config_(json: Json = False, store: Store = None, config: Config = None) -> None:
    """Every setting, its value and where that comes from."""
    from comity.app.config import show_settings

    end(show_settings(settings_of(config, store), as_json=json))


@app.command()
def demo(
    cache: Annotated[Path, typer.Option(help="Where the fetched mails are kept.")] = Path(".cache"),
    generated: Annotated[bool, typer.Option("--generated", help="Use generated mails instead of real ones.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Then open it for a browser, with cases that wait.")] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="With --serve; 0: a free one.")] = None,
) -> None:
    """The main job on 6,046 real mails: judge, measure, state reasons, log, verify."""
    from comity.app.demo import demo as work

    end(work(cache, generated=generated, serves=serve, port=port))


app.add_typer(casework_commands)
app.add_typer(serving_commands)
app.add_typer(record_commands)
app.add_typer(ledger_commands)
app.add_typer(keys_commands, name="keys")
app.add_typer(gate_commands, name="gate")
app.add_typer(user_commands, name="user")


def main() -> None:
    """The `comity` program. Errors end in what to do next, never in a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # where the terminal's encoding lacks a character
    try:
        app()
    except StopError as stop:
        _say(f"error: {stop}", f"  = help: {stop.help}" if stop.help else "")
        sys.exit(stop.code)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        help_ = "Check the place, who may write there, and the space that is left on the disk."
        _say(f"error: {place}{error.strerror or error}", f"  = help: {help_}")
        sys.exit(Exit.COULD_NOT_RUN)
    except Exception as fault:
        if "COMITY_DEBUG" in os.environ:
            raise
        _say(
            f"error: a fault in Comity: {type(fault).__name__}: {fault}",
            "  = help: please report it; COMITY_DEBUG=1 shows where",
        )
        sys.exit(Exit.COULD_NOT_RUN)


def _say(*paragraphs: str) -> None:
    """Messages quote what was given, so nothing in them reaches the terminal as a command."""
    from comity.casework.wording import printable

    lines = [printable(line) for paragraph in paragraphs for line in paragraph.split("\n") if line]
    if sys.stderr.isatty():
        width = max(40, get_terminal_size().columns)
        lines = [part for line in lines for part in wrap(line, width, subsequent_indent="    ", break_on_hyphens=False)]
    sys.stderr.writelines(f"{line}\n" for line in lines)
