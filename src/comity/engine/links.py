"""What a text points at: links, their domains, mentions and hashtags. Each takes time linear in the text.

A link is `http://`, `https://`, `ftp://` or `www.` and what follows up to white space, a quote or an angle bracket,
without closing punctuation. A domain is a link's host: no user, no port, no final dot, in lower case, `xn--` labels
decoded (IDNA's further mappings are left out). Mentions and hashtags come without their sign, in lower case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from comity.model.expression import Span

MOST_FOUND: Final = 1_000
"""Links, mentions or hashtags that a text has for rules: loops over them stay quick, whatever the text."""

WWW: Final = "www."
"""What begins a link without a scheme, in any case."""

_LINK: Final = re.compile(r"""(?<![^\W_])(?:(?:https?|ftp)://|www\.)[^\s<>"“”«»`]+""", re.IGNORECASE)
_MENTION: Final = re.compile(r"@(?<![\w@./]@)(\w[\w.-]*(?:@\w[\w.-]*)?)")
_HASHTAG: Final = re.compile(r"[#＃](?<![\w#&/].)(\w*[^\W\d]\w*)")
_END_OF_AUTHORITY: Final = re.compile(r"[/?#\\]")
_PUNCTUATION: Final = ".,;:!?'’*_~…"
_BRACKETS: Final = {")": "(", "]": "[", "}": "{"}
_LONGEST_SCHEME: Final = len("https")
_LONGEST_LABEL: Final = 63
_LONGEST_DOMAIN: Final = 253


def links(text: str) -> tuple[str, ...]:
    return tuple(found[0][: _without_closing(found[0])] for found in islice(_found(text), MOST_FOUND))


def link_spans(text: str) -> tuple[Span, ...]:
    """Where the links stand, in order."""
    return tuple(
        Span(start=found.start(), end=found.start() + _without_closing(found.group()))
        for found in islice(_found(text), MOST_FOUND)
    )


def has_www(text: str) -> bool:
    return ("w." in text or "W." in text) and WWW in text.lower()


def _found(text: str) -> Iterator[re.Match[str]]:
    """Links with the punctuation after them."""
    return _LINK.finditer(text) if has_www(text) else _with_schemes(text)


def _with_schemes(text: str) -> Iterator[re.Match[str]]:
    """The same where no link begins otherwise: looked for only where a scheme ends."""
    done, end_of_scheme = 0, text.find("://")
    while end_of_scheme >= 0:
        for start in range(max(end_of_scheme - _LONGEST_SCHEME, done), end_of_scheme - 2):
            if found := _LINK.match(text, start):
                yield found
                done = found.end()
                break
        end_of_scheme = text.find("://", max(done, end_of_scheme + 1))


def _without_closing(link: str) -> int:
    """The length of a link without the punctuation and the unopened brackets that end its sentence."""
    end = len(link)
    if link[-1] not in _PUNCTUATION and link[-1] not in _BRACKETS:
        return end
    surplus = {closing: link.count(closing) - link.count(opening) for closing, opening in _BRACKETS.items()}
    while link[end - 1] in _PUNCTUATION or surplus.get(link[end - 1], 0) > 0:
        if link[end - 1] in surplus:
            surplus[link[end - 1]] -= 1
        end -= 1
    return end


def domains(of_links: Iterable[str]) -> tuple[str, ...]:
    """The distinct domains of links, in order of appearance."""
    authorities = dict.fromkeys(map(_authority, of_links))
    return tuple(dict.fromkeys(host for authority in authorities if (host := domain(authority))))


def _authority(link: str) -> str:
    rest = link.partition("://")[2] if "://" in link else link
    found = _END_OF_AUTHORITY.search(rest)
    return (rest[: found.start()] if found else rest).rpartition("@")[2]


def domain(written: str) -> str:
    """A host in the form in which domains are compared; "" if it is too long to be one."""
    host = written.strip() if written.isascii() else unicodedata.normalize("NFKC", written.strip()).replace("。", ".")
    host = host.lower()
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0].strip(".")
    if len(host) > _LONGEST_DOMAIN:
        return ""
    return ".".join(map(_label, host.split("."))) if "xn--" in host else host


def _label(label: str) -> str:
    if not label.startswith("xn--") or len(label) > _LONGEST_LABEL:
        return label
    try:
        return label[4:].encode().decode("punycode").lower()
    except (UnicodeError, ValueError):
        return label


def is_under(host: str, parents: frozenset[str]) -> bool:
    """Whether a domain, in compared form, is one of `parents` or a subdomain of one."""
    while host:
        if host in parents:
            return True
        host = host.partition(".")[2]
    return False


def mentions(text: str) -> tuple[str, ...]:
    if "@" not in text:
        return ()
    return tuple(name.rstrip(".-").lower() for name in _MENTION.findall(text)[:MOST_FOUND])


def hashtags(text: str) -> tuple[str, ...]:
    if "#" not in text and "＃" not in text:
        return ()
    return tuple(tag.lower() for tag in _HASHTAG.findall(text)[:MOST_FOUND])
