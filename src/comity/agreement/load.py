"""Bytes to a checked agreement, or to all of its problems at once.

Decides the order of reading. What each part means is decided by the module that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from comity.agreement.clauses import ClauseReader, ReadClause, check_fences
from comity.agreement.counting import check_circles
from comity.agreement.decoding import Limits, decode
from comity.agreement.diagnostics.diagnostic import Diagnostic
from comity.agreement.digest import digest
from comity.agreement.document import read_document
from comity.agreement.front_matter import FrontMatter, front_matter_end, read_front_matter
from comity.agreement.ladders import Ground, is_almost_ladder, is_ladder, read_ladder
from comity.agreement.lexicons import LARGEST, LONGEST_ENTRY, check_phrases, read_lexicon
from comity.agreement.outline import Outline, read_outline
from comity.agreement.periods import check_periods
from comity.agreement.problems import Problems
from comity.agreement.source import Excerpt, Source
from comity.agreement.terms import Terms
from comity.agreement.translations import read_translation
from comity.agreement.unused import check_unused
from comity.model.agreement import Agreement, Lexicon, SourceFile, Translation
from comity.model.clause import MEASURES_ID, Ladder
from comity.model.ids import ClauseId

Read = Callable[[str], bytes | None]
"""The bytes of a file by its path relative to the agreement, or None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`agreement` is None if and only if a diagnostic is an error. `sources` are texts by file, for drawing."""

    agreement: Agreement | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]


def load(name: str, content: bytes, read: Read) -> Checked:
    """Reads an agreement and every file that it names.

    `name` is what diagnostics call the file. `read` is asked only for safe paths (relative, inside the agreement's
    folder, without `..`); following no links and reading no more than 64 MiB is its caller's part. Never raises.
    """
    reader = _Reader(name, read)
    source = reader.decode(name, content, Limits())
    agreement = reader.agreement(source, content) if source else None
    return Checked(
        agreement=None if reader.problems.errors else agreement,
        diagnostics=reader.problems.diagnostics(),
        sources=reader.sources,
    )


class _Reader:
    """One reading: its problems, the texts it has seen and the files that the digest covers."""

    def __init__(self, name: str, read: Read) -> None:
        self.problems = Problems()
        self.sources: dict[str, str] = {}
        self._folder = name[: name.rfind("/") + 1]
        self._read = read
        self._files: dict[str, bytes] = {}

    def decode(self, file: str, content: bytes, limits: Limits) -> Source | None:
        source = decode(file, content, limits, self.problems)
        if source is not None:
            self.sources[file] = source.text
        elif len(content) <= limits.size:
            self.sources[file] = content.decode("utf-8", errors="replace")
        return source

    def agreement(self, source: Source, content: bytes) -> Agreement | None:
        self._files[""] = content
        front = read_front_matter(source, self.problems)
        document = read_document(source, front_matter_end(source) or 0, self.problems)
        outline = read_outline(document, self.problems)
        lexicons = self._lexicons(front)
        ladders = read_ladders(outline, front, self.problems)
        clauses = read_clauses(source, outline, front, ladders, self.problems)
        check_periods(source, outline, front, ladders, clauses, self.problems)
        translations = self._translations(front, outline, ladders, clauses)
        if self.problems.errors:
            return None
        check_unused(front, outline, ladders, clauses, self.problems)
        files = tuple(SourceFile(path=path, content=content) for path, content in sorted(self._files.items()))
        return Agreement(
            digest=digest(files),
            title=front.title,
            language=front.language,
            channels=front.channels,
            contact=front.contact,
            appeal_window=front.appeal_window,
            decide_within=front.decide_within,
            review_within=front.review_within,
            points_expire=front.points_expire,
            lateness=front.lateness,
            accepted_by_going_on=front.accepted_by_going_on,
            clauses=tuple(one.clause for one in clauses),
            ladders=ladders,
            lexicons=lexicons,
            conditions=front.conditions,
            translations=translations,
            files=files,
        )

    def _lexicons(self, front: FrontMatter) -> dict[str, Lexicon]:
        lexicons: dict[str, Lexicon] = {}
        left = LARGEST
        for declared in front.lexicons:
            is_new = declared.path not in self._files
            source = self._open(declared.path, declared.at, Limits(size=left, line=LONGEST_ENTRY, code="C054"))
            if source is not None:
                left -= len(self._files[declared.path]) if is_new else 0
                lexicons[declared.name] = read_lexicon(declared, source, self.problems)
        check_phrases(front.lexicons, lexicons, self.problems)
        return lexicons

    def _translations(
        self,
        front: FrontMatter,
        outline: Outline,
        ladders: Mapping[ClauseId, Ladder],
        clauses: tuple[ReadClause, ...],
    ) -> dict[str, Translation]:
        translations: dict[str, Translation] = {}
        for declared in front.translations:
            source = self._open(declared.path, declared.at, Limits())
            if source is not None:
                read = read_translation(declared, source, front, outline.sections, self.problems)
                check_periods(source, read.outline, front, ladders, clauses, self.problems)
                translations[declared.language] = read.translation
        return translations

    def _open(self, path: str, at: Excerpt, limits: Limits) -> Source | None:
        """A named file's text; None if its path is refused, it is missing or no text (all reported)."""
        content = self._read(path) if path else None
        if content is not None:
            self._files[path] = content
            return self.decode(self._folder + path, content, limits)
        if path:
            help = "paths are relative to the agreement's folder"
            self.problems.error("C053", at, f"there is no file `{path}`", help=help)
        return None


def read_ladders(outline: Outline, front: FrontMatter, problems: Problems) -> dict[ClauseId, Ladder]:
    """The ladders by the sections that hold them; tables that are almost ladders, or stand elsewhere, are reported."""
    terms = Terms(conditions=frozenset(front.conditions), review_within=front.review_within)
    ground = Ground(channels=front.channels, terms=terms)
    ladders: dict[ClauseId, Ladder] = {}
    for section in outline.sections:
        for table in section.tables:
            if is_almost_ladder(table):
                problems.error("C080", table.at, "this is almost a ladder", help=_HEADER)
            elif is_ladder(table) and table.is_nested:
                problems.error("C066", table.at, "a ladder stands inside a list or a quotation", help="move it out")
            elif is_ladder(table) and section.id in ladders:
                problems.error("C081", table.at, f"`{section.id}` has a second ladder", help="join the two tables")
            elif is_ladder(table):
                ladders[section.id] = read_ladder(table, section.id, ground, problems)
    for table in outline.loose_tables:
        if is_ladder(table):
            help = "give the heading above it an id: `{#measures}` for the main ladder"
            problems.error("C082", table.at, "the ladder belongs to no section", help=help)
    return ladders


_HEADER = "a ladder's header is exactly `| points | measure | channels | for |`"


def read_clauses(
    source: Source, outline: Outline, front: FrontMatter, ladders: Mapping[ClauseId, Ladder], problems: Problems
) -> tuple[ReadClause, ...]:
    """All clauses, each and together."""
    check_fences(outline, problems)
    reader = ClauseReader(front, outline, ladders, problems)
    clauses = tuple(reader.read(section) for section in outline.sections if section.id != MEASURES_ID)
    if not clauses:
        help = "give a heading an id, such as `## No spam {#no-spam}`"
        problems.warning("C077", source.all().first_line(), "the agreement has no clauses", help=help)
    check_circles(clauses, problems)
    return clauses
