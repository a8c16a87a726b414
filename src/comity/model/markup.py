"""What a reader sees of a text in HTML: its text and where its links lead. Takes time linear in the markup.

An own scanner, since `html.parser` took quadratic time on unclosed markup until Python 3.11.14: a mail of 1 MB could
stop an intake for hours. It follows the tokens of the HTML standard: what a tag or comment without an end swallows
there is swallowed here too. Styles are not evaluated, so hidden text is text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TAG: Final = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^=>]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+))*+)>""")
_TAG_START: Final = re.compile(r"</?[a-zA-Z]")
_ATTRIBUTE: Final = re.compile(r"""([^\s/=>]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]++)))?""")
_UNREAD: Final = {
    name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
_COMMENTS: Final = ("<!", "<?", "</")
_EMPTY_COMMENT: Final = re.compile(r"<!--(?:-?>)")
_COMMENT_END: Final = re.compile(r"--!?>")
_NOWHERE: Final = -1
_LONG_REFERENCE: Final = re.compile(r"&#[0-9]{8,};?")
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_BREAKS: Final = re.compile(r" *\n[ \n]*")
_BLOCK: Final = re.compile(
    "address|article|aside|blockquote|body|br|center|d[dlt]|div|fieldset|figure|footer|form|h[1-6r]|header|html|li|main"
    "|nav|[ou]l|option|p|pre|section|t(?:able|body|foot|head|r)"
)
_CELLS: Final = frozenset(("td", "th"))
_LINKING: Final = frozenset(("a", "area"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag with its attributes as written."""

    name: str
    attributes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Text with a new line where a block begins or ends, and the links' targets in order."""

    text: str
    links: tuple[str, ...]


def seen(markup: str) -> Seen:
    pieces: list[str] = []
    links: list[str] = []
    for token in _tokens(markup):
        if isinstance(token, str):
            pieces.append(_SPACE.sub(" ", _unescaped(token)))
            continue
        if _BLOCK.fullmatch(token.name):
            pieces.append("\n")
        elif token.name in _CELLS:
            pieces.append(" ")
        elif token.name in _LINKING and (target := _target(token)):
            links.append(target)
    return Seen(text=_BREAKS.sub("\n", "".join(pieces)).strip(), links=tuple(links))


def _unescaped(text: str) -> str:
    """`html.unescape`, which refuses numbers of more than 4,300 digits."""
    return html.unescape(_LONG_REFERENCE.sub("\N{REPLACEMENT CHARACTER}", text)) if "&" in text else text


def _target(tag: Tag) -> str | None:
    for name, *values in _ATTRIBUTE.findall(tag.attributes):
        if name.lower() == "href":
            return _unescaped("".join(values)).strip()
    return None


def _tokens(markup: str) -> Iterator[str | Tag]:
    """Text and tags; comments and what is never shown are left out. Ends where a token has no end."""
    at = 0
    while (start := markup.find("<", at)) >= 0:
        yield markup[at:start]
        if tag := _TAG.match(markup, start):
            yield Tag(name=tag[2].lower(), attributes=tag[3])
            at = _after_tag(markup, tag)
        elif _TAG_START.match(markup, start):
            return
        elif markup.startswith(_COMMENTS, start):
            at = _after_comment(markup, start)
        else:
            yield "<"
            at = start + 1
        if at == _NOWHERE:
            return
    yield markup[at:]


def _after_tag(markup: str, tag: re.Match[str]) -> int:
    """Behind the tag, or behind the content that the tag says not to show."""
    end = _UNREAD.get(tag[2].lower()) if not tag[1] else None
    if not end:
        return tag.end()
    found = end.search(markup, tag.end())
    return found.start() if found else _NOWHERE


def _after_comment(markup: str, start: int) -> int:
    if not markup.startswith("<!--", start):
        return markup.find(">", start) + 1 or _NOWHERE
    if short := _EMPTY_COMMENT.match(markup, start):
        return short.end()
    found = _COMMENT_END.search(markup, start + len("<!--"))
    return found.end() if found else _NOWHERE
