"""Front matter: what an agreement says about itself before its prose begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from typing import Final

from comity.agreement.decoding import check_visible
from comity.agreement.entries import Entries
from comity.agreement.names import (
    channel_trouble,
    condition_trouble,
    language_trouble,
    lexicon_trouble,
    path_trouble,
)
from comity.agreement.problems import Problems, nearest, quoted
from comity.agreement.source import Excerpt, Source
from comity.agreement.yaml_nodes import Mapping, Node, Scalar, read_yaml
from comity.model.agreement import UNDETERMINED, LexiconKind
from comity.model.clause import Expiry
from comity.model.duration import Duration, Unit
from comity.model.ids import Channel

KEYS: Final = (
    "comity",
    "title",
    "channels",
    "language",
    "contact",
    "appeal_window",
    "decide_within",
    "review_within",
    "points_expire",
    "lexicons",
    "conditions",
    "translations",
    "lateness",
    "accepted_by_going_on",
)
TRANSLATION_KEYS: Final = ("comity", "title", "language", "contact", "conditions")
LONGEST: Final = 64 * 1024
"""Code points of front matter."""

_OPENING: Final = re.compile(r"---[ \t]*(?=\n|\Z)")
_CLOSING: Final = re.compile(r"\n---[ \t]*(?=\n|\Z)")
_A_MONTH: Final = Duration(count=30, unit=Unit.DAY)
_TWO_WEEKS: Final = Duration(count=14, unit=Unit.DAY)
_A_QUARTER: Final = Duration(count=90, unit=Unit.DAY)
_AN_HOUR: Final = Duration(count=1, unit=Unit.HOUR)
_SIX_MONTHS: Final = Duration(count=6, unit=Unit.MONTH)
_SEVEN_MONTHS: Final = Duration(count=7, unit=Unit.MONTH)
_HALF_A_YEAR: Final = Duration(count=184, unit=Unit.DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconFile:
    """A lexicon as declared; `path` is "" if it was refused, `at` is where it stands."""

    name: str
    path: str
    kind: LexiconKind
    at: Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationFile:
    language: str
    path: str
    at: Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """The declared values with their defaults; where one could not be read, the default stands in."""

    title: str = ""
    language: str = UNDETERMINED
    language_at: Excerpt | None = None
    channels: tuple[Channel, ...] = ()
    contact: str = ""
    appeal_window: Duration | None = None
    decide_within: Duration = _A_MONTH
    review_within: Duration = _TWO_WEEKS
    points_expire: Expiry = _A_QUARTER
    lateness: Duration = _AN_HOUR
    accepted_by_going_on: Duration | None = None
    lexicons: tuple[LexiconFile, ...] = ()
    conditions: MappingOf[str, str] = field(default_factory=dict)
    condition_names: tuple[Scalar, ...] = ()
    translations: tuple[TranslationFile, ...] = ()


def front_matter_end(source: Source) -> int | None:
    """The offset after the closing `---` line, or None without front matter."""
    opening = _OPENING.match(source.clean, 1 if source.text.startswith("\ufeff") else 0)
    closing = _CLOSING.search(source.clean, opening.end()) if opening else None
    return closing.end() if closing else None


def read_front_matter(source: Source, problems: Problems) -> FrontMatter:
    """What the main file declares."""
    entries = _entries(source, KEYS, problems)
    if entries is None:
        return FrontMatter()
    entries.require(("comity", "title", "channels"), entries.at.first_line())
    _check_version(entries, problems)
    language = _language(entries, problems)
    conditions = _conditions(entries, problems)
    plain = FrontMatter()
    return FrontMatter(
        title=entries.text("title"),
        language=language.value if language else plain.language,
        channels=_channels(entries, problems),
        contact=entries.text("contact"),
        appeal_window=_appeal_window(entries, problems),
        decide_within=entries.duration("decide_within", plain.decide_within),
        review_within=entries.duration("review_within", plain.review_within),
        points_expire=entries.expiry("points_expire", plain.points_expire),
        lateness=entries.duration("lateness", plain.lateness),
        accepted_by_going_on=entries.duration_or_none("accepted_by_going_on"),
        lexicons=tuple(_lexicons(entries, problems)),
        conditions={name.value: text for name, text in conditions},
        condition_names=tuple(name for name, _ in conditions),
        translations=tuple(_translations(entries, problems)),
    )


def read_translated_front_matter(source: Source, problems: Problems) -> FrontMatter:
    """What a translation declares: its title, its language and the conditions in its words."""
    entries = _entries(source, TRANSLATION_KEYS, problems)
    if entries is None:
        return FrontMatter()
    entries.require(("comity", "title"), entries.at.first_line())
    _check_version(entries, problems)
    language = _language(entries, problems)
    conditions = _conditions(entries, problems)
    return FrontMatter(
        title=entries.text("title"),
        language=language.value if language else "",
        language_at=language.at if language else None,
        conditions={name.value: text for name, text in conditions},
        condition_names=tuple(name for name, _ in conditions),
    )


def _entries(source: Source, keys: tuple[str, ...], problems: Problems) -> Entries | None:
    end = front_matter_end(source)
    whole = source.all()
    if end is None:
        problems.error(
            "C040",
            whole.first_line(),
            "the file does not begin with front matter",
            help="begin with a line `---`, then `comity: 1`, `title:` and `channels:`, then a line `---`",
        )
        return None
    body = whole.part(whole.text.index("\n") + 1, source.clean.rindex("---", 0, end))
    check_visible(body, problems)
    if body.end - body.start > LONGEST:
        problems.error("C001", body.first_line(), f"the front matter is longer than {LONGEST:,} characters")
        return None
    before = problems.errors
    node = read_yaml(body, problems) or Mapping(items=(), at=whole.first_line())
    if isinstance(node, Mapping) and problems.errors == before:
        return Entries(node, keys, problems)
    if not isinstance(node, Mapping):
        problems.error("C046", node.at.first_line(), "front matter is a list of keys with values")
    return Entries(node, keys, problems) if isinstance(node, Mapping) and node.items else None


def _check_version(entries: Entries, problems: Problems) -> None:
    version = entries.scalar("comity")
    if version is not None and version.value != "1":
        problems.error(
            "C047", version.at, f"unknown format version {quoted(version.value)}", help="this Comity reads `comity: 1`"
        )


def _language(entries: Entries, problems: Problems) -> Scalar | None:
    language = entries.scalar("language")
    trouble = language_trouble(language.value) if language else None
    if language is None or trouble is None:
        return language
    problems.misread("C051", language.at, trouble)
    return None


def _channels(entries: Entries, problems: Problems) -> tuple[Channel, ...]:
    channels: list[Channel] = []
    items = entries.texts("channels")
    if items == ():
        problems.error("C046", entries.key("channels"), "the agreement names no channel", help="such as `[posts]`")
    for item in items or ():
        trouble = channel_trouble(item.value)
        if trouble is not None:
            problems.misread("C048", item.at, trouble)
        elif item.value in channels:
            problems.error("C048", item.at, f"the channel {quoted(item.value)} is named twice", help="delete one")
        else:
            channels.append(Channel(item.value))
    return tuple(channels)


def _appeal_window(entries: Entries, problems: Problems) -> Duration | None:
    """None is the minimum itself, which may also be written as one of its two halves."""
    window = entries.duration("appeal_window", _SIX_MONTHS)
    if window in (_SIX_MONTHS, _HALF_A_YEAR):
        return None
    is_calendar = window.unit in (Unit.MONTH, Unit.YEAR)
    if window.nominal_seconds >= (_SEVEN_MONTHS if is_calendar else _HALF_A_YEAR).nominal_seconds:
        return window
    problems.error(
        "C050",
        entries.key("appeal_window"),
        f"an appeal window of {window} is too short",
        label="at least 6 months or 184 days, whichever is later",
        help="leave `appeal_window` out to have the minimum",
    )
    return None


def _conditions(entries: Entries, problems: Problems) -> tuple[tuple[Scalar, str], ...]:
    read: list[tuple[Scalar, str]] = []
    for name, node in entries.pairs("conditions"):
        text = entries.text_of(node, f"the condition {quoted(name.value)}")
        trouble = condition_trouble(name.value)
        if trouble is not None:
            problems.misread("C057", name.at, trouble)
        elif text is not None:
            read.append((name, text.value.strip()))
    return tuple(read)


def _lexicons(entries: Entries, problems: Problems) -> Iterator[LexiconFile]:
    for name, node in entries.pairs("lexicons"):
        trouble = lexicon_trouble(name.value)
        if trouble is not None:
            problems.misread("C057", name.at, trouble)
        lexicon = _lexicon(name, node, entries, problems)
        if lexicon is not None:
            yield lexicon


def _lexicon(name: Scalar, node: Node, entries: Entries, problems: Problems) -> LexiconFile | None:
    kind = LexiconKind.PHRASES
    if isinstance(node, Mapping):
        inner = Entries(node, ("file", "kind"), problems)
        inner.require(("file",), name.at)
        path = inner.scalar("file")
        kind = _kind(inner, problems)
    else:
        path = entries.text_of(node, f"the lexicon {quoted(name.value)}")
    if path is None:
        return None
    return LexiconFile(name=name.value, path=_safe(path, problems), kind=kind, at=path.at)


def _kind(inner: Entries, problems: Problems) -> LexiconKind:
    kind = inner.scalar("kind")
    if kind is None:
        return LexiconKind.PHRASES
    if kind.value in tuple(LexiconKind):
        return LexiconKind(kind.value)
    problems.error(
        "C046", kind.at, f"unknown kind of lexicon {quoted(kind.value)}", help=nearest(kind.value, tuple(LexiconKind))
    )
    return LexiconKind.PHRASES


def _translations(entries: Entries, problems: Problems) -> Iterator[TranslationFile]:
    for language, node in entries.pairs("translations"):
        trouble = language_trouble(language.value)
        if trouble is not None:
            problems.misread("C051", language.at, trouble)
        path = entries.text_of(node, f"the translation {quoted(language.value)}")
        if path is not None:
            yield TranslationFile(language=language.value, path=_safe(path, problems), at=path.at)


def _safe(path: Scalar, problems: Problems) -> str:
    """The path, or "" if it is refused (reported)."""
    trouble = path_trouble(path.value)
    if trouble is None:
        return path.value
    problems.misread("C052", path.at, trouble)
    return ""
