"""An agreement's Markdown as people read it: no HTML of its own, rules and examples folded in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from comity.casework.visible import visible

_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\n.*?\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_ID: Final = re.compile(r"[ \t]*\{#([a-z][a-z0-9-]*)\}[ \t]*\Z")
_LONG: Final = 10_000
_MOST_KEPT: Final = (512, 8)
"""Short texts such as clauses, and versions, whose pages are kept: a long one takes a while."""
_FOLDED: Final = {"rule": "The rule that a program applies", "examples": "Examples"}


def rendered(text: str) -> Markup:
    """All but its front matter and its title, which a page has already. Clauses can be linked to as `#clause-ID`."""
    return _kept_long(text) if len(text) > _LONG else _kept(text)


@lru_cache(maxsize=_MOST_KEPT[0])
def _kept(text: str) -> Markup:
    return _rendered(text)


@lru_cache(maxsize=_MOST_KEPT[1])
def _kept_long(text: str) -> Markup:
    return _rendered(text)


def _rendered(text: str) -> Markup:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(visible(_FRONT_MATTER.sub("", text)))
    parts = (_part(parser, group) for group in _groups(_lowered(_without_title(tokens))))
    return Markup("".join(parts))  # noqa: S704 - the parser escapes, and so do the folds


def _without_title(tokens: Sequence[Token]) -> list[Token]:
    is_title = len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1"
    return list(tokens[3:] if is_title else tokens)


def _lowered(tokens: list[Token]) -> list[Token]:
    """The page's title is the only one of its level."""
    for place, token in enumerate(tokens):
        if token.type in ("heading_open", "heading_close") and token.tag == "h1":
            token.tag = "h2"
        if token.type == "heading_open":
            _name(token, tokens[place + 1])
        if token.type == "table_open":
            token.attrSet("class", "plain")
    return tokens


def _name(heading: Token, inline: Token) -> None:
    """`## No spam {#spam}` can be linked to by its id."""
    found, parts = _ID.search(inline.content), inline.children or []
    if found is not None and parts:
        heading.attrSet("id", f"clause-{found[1]}")
        parts[-1].content = _ID.sub("", parts[-1].content)


def _groups(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Fences apart, what is between them together."""
    group: list[Token] = []
    for token in tokens:
        if token.type == "fence" and token.level == 0:
            yield from ([group] if group else [])
            yield [token]
            group = []
        else:
            group.append(token)
    yield from ([group] if group else [])


def _part(parser: MarkdownIt, tokens: list[Token]) -> str:
    fold = _fold(tokens[0])
    if fold is None:
        return str(parser.renderer.render(tokens, parser.options, {}))
    if not tokens[0].content.strip():  # a clause that people apply has a severity and no rule
        return ""
    return (
        f"<details><summary>{escape(fold)}</summary>"
        f'<pre tabindex="0"><code>{escape(tokens[0].content)}</code></pre></details>\n'
    )


def _fold(token: Token) -> str | None:
    return _FOLDED.get(token.info.split(" ")[0]) if token.type == "fence" else None
