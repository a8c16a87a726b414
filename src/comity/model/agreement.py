"""A checked version of an agreement: what every evaluator and every decision works from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from comity.model.clause import Clause, Expiry, Ladder
from comity.model.duration import Duration
from comity.model.ids import Channel, ClauseId, Digest

UNDETERMINED: Final = "und"
"""The tag (BCP 47) of a version that does not say which language it is written in."""


class LexiconKind(StrEnum):
    PHRASES = "phrases"
    DOMAINS = "domains"
    EXACT = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Entries in file order, comments and blank lines left out, otherwise as written."""

    name: str
    kind: LexiconKind
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedClause:
    title: str
    prose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """One language's wording. The main language binds; statements quote the reader's."""

    language: str
    title: str
    clauses: Mapping[ClauseId, TranslatedClause]
    conditions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that the digest covers. `path` is relative to the agreement's folder; "" is the agreement."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agreement:
    """A version: everything that people accept and everything that runs, already checked.

    Made by `comity.agreement.load`, never by hand. `files` are the exact bytes that `digest` covers. Versions are told
    apart by their digests and never compared whole: two readings of one are not equal.
    """

    digest: Digest
    title: str
    language: str
    channels: tuple[Channel, ...]
    contact: str
    appeal_window: Duration | None  # None: 6 months or 184 days, whichever is later
    decide_within: Duration
    review_within: Duration
    points_expire: Expiry
    lateness: Duration
    accepted_by_going_on: Duration | None  # how long after it was told of a new version; None: never
    clauses: tuple[Clause, ...]
    ladders: Mapping[ClauseId, Ladder]
    lexicons: Mapping[str, Lexicon]
    conditions: Mapping[str, str]  # declared ones, name -> text
    translations: Mapping[str, Translation]
    files: tuple[SourceFile, ...]

    def clause(self, clause_id: ClauseId) -> Clause:
        """The clause of that id; `KeyError` if the version has none."""
        for clause in self.clauses:
            if clause.id == clause_id:
                return clause
        raise KeyError(clause_id)
