"""What differs between two versions of an agreement, clause by clause, apart from what rules mean.

Whether a rule became stricter is proved elsewhere (`engine.proof`); here it is said that its wording or a lexicon
differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from comity.agreement.changes import Change, Effect, between_sets, changed, contrary, of_duration, of_expiry, rising
from comity.agreement.ladder_changes import ladder_changes
from comity.model.agreement import Agreement, Lexicon
from comity.model.clause import Clause, Decide
from comity.model.duration import Duration, Unit
from comity.model.ids import ClauseId

_LEAST_WINDOW: Final = Duration(count=6, unit=Unit.MONTH)


class Status(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseDiff:
    """One clause. `old` or `new` is None where a version has it not; a renamed one has both, of different ids."""

    status: Status
    old: Clause | None
    new: Clause | None
    changes: tuple[Change, ...]

    @property
    def id(self) -> ClauseId:
        return self._shown.id

    @property
    def title(self) -> str:
        return self._shown.title

    @property
    def prose(self) -> tuple[str, str]:
        return self.old.prose if self.old else "", self.new.prose if self.new else ""

    @property
    def sources(self) -> tuple[str | None, str | None]:
        """The rules as they are written; None without a rule."""
        old, new = (each.rule.source.strip() if each and each.rule else None for each in (self.old, self.new))
        return old, new

    @property
    def _shown(self) -> Clause:
        shown = self.new or self.old
        assert shown is not None
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderDiff:
    owner: ClauseId
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconDiff:
    """Entries that came and went, in file order."""

    name: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    kind: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """All that differs; `clauses` are those of both versions, unchanged ones too, in the order of the new one."""

    front_matter: tuple[Change, ...]
    clauses: tuple[ClauseDiff, ...]
    ladders: tuple[LadderDiff, ...]
    lexicons: tuple[LexiconDiff, ...]


def diff(old: Agreement, new: Agreement) -> Diff:
    """What differs between two checked versions."""
    owners = dict.fromkeys((*old.ladders, *new.ladders))
    channels = old.channels, new.channels
    ladders = (
        LadderDiff(owner=owner, changes=tuple(ladder_changes(old.ladders.get(owner), new.ladders.get(owner), channels)))
        for owner in owners
    )
    names = dict.fromkeys((*old.lexicons, *new.lexicons))
    lexicons = (_lexicon(name, old.lexicons.get(name), new.lexicons.get(name)) for name in names)
    return Diff(
        front_matter=tuple(_front_matter(old, new)),
        clauses=tuple(_clauses(old, new)),
        ladders=tuple(each for each in ladders if each.changes),
        lexicons=tuple(each for each in lexicons if each.added or each.removed or each.kind),
    )


def _front_matter(old: Agreement, new: Agreement) -> Iterator[Change]:
    yield from changed("title", old.title, new.title)
    yield from changed("language", old.language, new.language)
    came_and_went = between_sets(frozenset(old.channels), frozenset(new.channels))
    yield from changed("channels", ", ".join(old.channels), ", ".join(new.channels), came_and_went)
    yield from changed("contact", old.contact, new.contact)
    windows = old.appeal_window or _LEAST_WINDOW, new.appeal_window or _LEAST_WINDOW
    yield from changed("appeal_window", windows[0], windows[1], contrary(of_duration(*windows)))
    yield from changed("decide_within", old.decide_within, new.decide_within)
    review = of_duration(old.review_within, new.review_within)
    yield from changed("review_within", old.review_within, new.review_within, review)
    expiry = of_expiry(old.points_expire, new.points_expire)
    yield from changed("points_expire", old.points_expire, new.points_expire, expiry)
    yield from changed("lateness", old.lateness, new.lateness)
    yield from changed("accepted_by_going_on", old.accepted_by_going_on, new.accepted_by_going_on)
    yield from _mapped("condition", old.conditions, new.conditions)
    translations = [", ".join(sorted(each.translations)) for each in (old, new)]
    yield from changed("translations", translations[0], translations[1])


def _mapped(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        yield from changed(f"{what} {name}", old.get(name), new.get(name))


def _lexicon(name: str, old: Lexicon | None, new: Lexicon | None) -> LexiconDiff:
    before, after = (dict.fromkeys(each.entries if each else ()) for each in (old, new))
    kinds = [each.kind.value if each else None for each in (old, new)]
    return LexiconDiff(
        name=name,
        added=tuple(entry for entry in after if entry not in before),
        removed=tuple(entry for entry in before if entry not in after),
        kind=tuple(changed("kind", kinds[0], kinds[1])),
    )


def _clauses(old: Agreement, new: Agreement) -> Iterator[ClauseDiff]:
    renamed = _renamed(old, new)
    was = {clause.id: clause for clause in old.clauses}
    moved = _moved(old, new, renamed)
    for clause in new.clauses:
        before = was.pop(renamed.get(clause.id, clause.id), None)
        if before is None:
            yield ClauseDiff(status=Status.ADDED, old=None, new=clause, changes=())
            continue
        status = Status.KEPT if before.id == clause.id else Status.RENAMED
        changes = tuple(_clause_changes(before, clause, old, new, is_moved=clause.id in moved))
        yield ClauseDiff(status=status, old=before, new=clause, changes=changes)
    for gone in was.values():
        yield ClauseDiff(status=Status.REMOVED, old=gone, new=None, changes=())


def _renamed(old: Agreement, new: Agreement) -> dict[ClauseId, ClauseId]:
    """New id -> old id: the same prose and rule under another id, where there is but one such clause."""
    ids = {clause.id for clause in old.clauses} & {clause.id for clause in new.clauses}
    gone: dict[tuple[str, str], list[ClauseId]] = {}
    for clause in old.clauses:
        if clause.id not in ids:
            gone.setdefault(_content(clause), []).append(clause.id)
    came = [clause for clause in new.clauses if clause.id not in ids]
    contents = [_content(clause) for clause in came]
    return {
        clause.id: gone[content][0]
        for clause, content in zip(came, contents, strict=True)
        if len(gone.get(content, ())) == 1 and contents.count(content) == 1
    }


def _content(clause: Clause) -> tuple[str, str]:
    return clause.prose, clause.rule.source if clause.rule else ""


def _moved(old: Agreement, new: Agreement, renamed: Mapping[ClauseId, ClauseId]) -> set[ClauseId]:
    """Clauses that stand in another place among those that both versions have."""
    now = [clause.id for clause in new.clauses]
    known = {renamed.get(each, each) for each in now}
    before = [clause.id for clause in old.clauses if clause.id in known]
    known_before = set(before)
    after = [each for each in now if renamed.get(each, each) in known_before]
    matcher = SequenceMatcher(None, before, [renamed.get(each, each) for each in after], autojunk=False)
    kept = {place for block in matcher.get_matching_blocks() for place in range(block.b, block.b + block.size)}
    return {each for place, each in enumerate(after) if place not in kept}


_BY_GRAVITY: Final = (Decide.SHADOW, Decide.REVIEW, Decide.HOLD)


def _clause_changes(old: Clause, new: Clause, was: Agreement, now: Agreement, *, is_moved: bool) -> Iterator[Change]:
    yield from changed("id", old.id, new.id)
    yield from changed("title", old.title, new.title)
    yield from changed("place", "", "moved" if is_moved else "")
    yield from changed("under", old.parent, new.parent)
    yield from changed("decide", old.decide.value, new.decide.value, _of_decide(old.decide, new.decide))
    yield from changed("points", old.points, new.points, rising(old.points, new.points))
    if (old.expires, new.expires) != (was.points_expire, now.points_expire):
        yield from changed("expires", old.expires, new.expires, of_expiry(old.expires, new.expires))
    yield from changed("once", old.once or "never", new.once or "never", contrary(of_duration(old.once, new.once)))
    yield from changed("counts", ", ".join(old.ladders), ", ".join(new.ladders))
    yield from changed("category", old.category, new.category)
    governed = between_sets(frozenset(old.channels), frozenset(new.channels))
    yield from changed("on", ", ".join(sorted(old.channels)), ", ".join(sorted(new.channels)), governed)


def _of_decide(old: Decide, new: Decide) -> Effect:
    """`shadow` only counts, `review` asks a person, `hold` keeps the message back meanwhile, `auto` decides at once.

    To decide at once and to keep back are neither harsher than the other.
    """
    if {old, new} == {Decide.AUTO, Decide.HOLD}:
        return Effect.NEITHER
    ranks = [len(_BY_GRAVITY) if each is Decide.AUTO else _BY_GRAVITY.index(each) for each in (old, new)]
    return rising(ranks[0], ranks[1])
