"""The arguments and options that several commands share, and how each of them ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.errors import Exit

if TYPE_CHECKING:
    from comity.app.settings import Settings

AgreementFile = Annotated[Path | None, typer.Argument(help="The agreement; from `comity.toml` when left out.")]
Archives = Annotated[
    list[str], typer.Argument(help="Parquet, JSON Lines, CSV or mbox, compressed or not; globs; `-` is standard input.")
]
Mapping = Annotated[
    list[str] | None, typer.Option("--map", help="NAME=COLUMN: where the archive calls a column otherwise.")
]
Source = Annotated[str | None, typer.Option(help="Who vouches for the messages; the file's name when left out.")]
Store = Annotated[str | None, typer.Option("--store", help="The record's folder.", metavar="FOLDER")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Config = Annotated[Path | None, typer.Option(help="Another `comity.toml`.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who you are: the name that the record keeps.")]
Why = Annotated[str, typer.Option(help="The reason, in your own words; the person will read it.")]
At = Annotated[str | None, typer.Option(help="When it happened; now when left out.")]
Instead = Annotated[
    str | None,
    typer.Option(
        metavar="MEASURES",
        help="Milder measures than the ladder's: `suspend | posts | 3 days`, `remove in AT DE`.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def settings_of(config: Path | None, store: str | None = None, flags: dict[str, str | None] | None = None) -> Settings:
    from comity.app.settings import settings

    return settings({"store.folder": str(Path(store).absolute()) if store else None, **(flags or {})}, config=config)


def end(code: Exit) -> None:
    raise typer.Exit(code)
