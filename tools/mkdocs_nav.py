"""In the nav of mkdocs.yml, `TITLE: FOLDER/` stands for all pages of that folder, its index or README first."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig

_FIRST = ("index.md", "README.md")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by mkdocs before it reads the nav."""
    config.nav = _expanded(config.nav or [], Path(config.docs_dir))
    return config


def _expanded(entry: object, docs: Path) -> object:
    match entry:
        case list():
            return [_expanded(part, docs) for part in entry]
        case dict():
            return {title: _expanded(part, docs) for title, part in entry.items()}
        case str() if entry.endswith("/"):
            return [f"{entry}{page.name}" for page in sorted((docs / entry).glob("*.md"), key=_order)]
        case _:
            return entry


def _order(page: Path) -> tuple[bool, str]:
    return page.name not in _FIRST, page.name
