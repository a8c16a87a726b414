"""What labels say: which messages somebody judged to be breaches, and of which clause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from comity.app.rates import Rate
from comity.model.ids import ClauseId

FINE: Final = frozenset(
    {"0", "0.0", "false", "no", "none", "fine", "ok", "okay", "ham", "clean", "legit", "normal", "good"}
)
"""Labels that say that a message is no breach, in any case. A message without a label says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """How the labels of one archive are read. `clauses`: labels name clauses, so each clause has its own."""

    all: Mapping[str, int]
    clauses: frozenset[ClauseId]

    @property
    def reading(self) -> str:
        """In words."""
        if self.clauses:
            return "A label names the clauses that a message breaches."
        bad = [f"“{label}”" for label in sorted(self.all) if label and self.says(label, None)][:5]
        return (
            f"Breaches are the messages labelled {', '.join(bad)}."
            if bad
            else "No label says that a message is a breach."
        )

    def says(self, label: str, clause: ClauseId | None) -> bool:
        """Whether the label says that the message is a breach, of the clause if labels name clauses."""
        words = frozenset(label.replace(",", " ").split())
        if self.clauses and clause is not None:
            return clause in words
        if self.clauses:
            return bool(words & self.clauses)
        return label.strip().casefold() not in FINE

    def rates(self, found: Counter[str], clause: ClauseId | None) -> tuple[Rate, Rate]:
        """Precision and recall of what was found, by label; unlabelled messages left out."""
        hits = sum(count for label, count in found.items() if label and self.says(label, clause))
        flagged = sum(count for label, count in found.items() if label)
        breaches = sum(count for label, count in self.all.items() if label and self.says(label, clause))
        return Rate(hits=hits, of=flagged), Rate(hits=hits, of=breaches)


def labels_of(all_: Mapping[str, int], clauses: Iterable[ClauseId]) -> Labels:
    """The reading that fits: if any label has a clause's id among its words, labels name clauses."""
    words = {word for label in all_ for word in label.replace(",", " ").split()}
    return Labels(all=all_, clauses=frozenset(clauses) if words & set(clauses) else frozenset())
