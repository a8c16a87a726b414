"""What verifying a log came to, in values for programs and sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from comity.ledger.audit import Audit
from comity.ledger.heads import Head, Remembered

MOST_PROBLEMS: Final = 100
"""More are counted, not listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as it must be. `place` is a path, with the entry's index where there is one."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What verifying came to. `proved` (empty unless all `is_fine`) and `unproved` are sentences for people."""

    origin: str
    size: int
    root: str
    counts: Mapping[str, int]
    proved: tuple[str, ...]
    unproved: tuple[str, ...]
    problems: tuple[Problem, ...]
    more_problems: int = 0
    checkpoint: bytes | None = None
    """The signed checkpoint that was found to be fine: keep it for the next time."""

    @property
    def is_fine(self) -> bool:
        return not self.problems


def proved(audit: Audit, head: Head, remembered: Sequence[Remembered], tiles: int) -> Iterator[str]:
    """What a log without a problem has shown."""
    statements, corrections = audit.counts.get("statement", 0), audit.counts.get("correction", 0)
    yield f"{head.checkpoint.origin} signed just these {head.checkpoint.size} entries, in this order."
    if audit.genesis and audit.genesis.after:
        cited = audit.genesis.after
        yield f"It goes on from the log {cited.origin}, which then had {cited.size} entries (root {cited.root})."
    yield f"All tiles ({tiles}) are what the entries give."
    for one in remembered:
        yield f"The first {one.checkpoint.size} entries are those of {one.place}, unchanged."
    if head.cosigned:
        yield f"Witnesses vouch that it is the only history: {', '.join(head.cosigned)}."
    yield (
        f"Each of the {statements} statements stands once, names a version published before it, and its clauses;"
        " no rule terminated an account."
    )
    if audit.looked_up:
        yield (
            f"Each measure of {audit.looked_up} statements is what the agreement's ladders foresee for the points"
            " stated, or milder and chosen by a person."
        )
    if corrections:
        yield f"None of the {corrections} corrections is harsher than what it corrects."


def unproved(audit: Audit, *, is_own_key: bool, has_remembered: bool, is_cosigned: bool) -> Iterator[str]:
    """What no log shows by itself, and what would show it."""
    if is_own_key:
        yield "Whose key signed: `vkey` came with the log. Get the operator's key from elsewhere and give that."
    if not has_remembered and not is_cosigned:
        yield "That this is the log others saw: keep this checkpoint and give it the next time (`--since`)."
    if audit.genesis and audit.genesis.after:
        yield "That all entries of the log that it goes on from are here again: compare them with that log's."
    if sealed := audit.counts.get("sealed", 0):
        yield f"What the {sealed} sealed entries say, and whether it is in order: each person can show their own."
    yield "That nobody was cut off without an entry: gates refuse a measure that has no proof."
    if left := audit.counts.get("statement", 0) - audit.looked_up:
        yield (
            f"That the measures of {left} statements are the ladder's: the version's text is not beside the log (in"
            " `agreement/`), or the entry does not say which rows apply."
        )
    yield "What the private parts say: they are shown by their openings, statement by statement."
    if audit.is_replay:
        yield "When it was decided: this log replays an archive, and its times are those of old messages."
    elif audit.dated_back:
        yield f"When it was decided: {audit.dated_back} entries are dated before an entry that stands before them."
    if audit.looked_up:
        yield "That points and channels are the account's own: its openings show it (`comity verify-statement`)."
    days = len(audit.census_days)
    yield (
        f"How many measures were active: {days} censuses say so. Their roots cannot be computed from the entries, which"
        " link nobody's measures and do not tell which conditions were met."
    )
