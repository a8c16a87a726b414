"""What was decided lately on others for the same words or under the same clause: so that alike cases end alike."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import Lock
from typing import Final

from comity.casework.facts import AppealOutcome, Decided, Dismissed, OutcomeGiven
from comity.casework.timeline import in_short
from comity.engine.folded import folded_bytes
from comity.model.duration import EARLIEST
from comity.model.ids import AccountId, CaseId, ClauseId, DecisionId
from comity.ports import Store

_LOOKED_BACK: Final = timedelta(days=90)
_MOST_KNOWN: Final = 20_000
"""Decisions, the newest."""
_MOST_TOLD: Final = 5
_LONGEST: Final = 1_000
"""Characters of a text that are compared."""

Words = frozenset[bytes]
"""Of texts, what they are compared by: kept in memory alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A decision on another account. `said`: what followed; of a dismissal the reasons. `by` empty: a rule."""

    decision: DecisionId
    account: AccountId
    at: datetime
    by: str
    clauses: frozenset[ClauseId]
    words: Words
    case: CaseId | None
    said: str
    is_breach: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`is_same`: the very words, as they are compared. `outcome`: of an appeal against it."""

    one: Alike
    is_same: bool
    outcome: AppealOutcome | None


def words(texts: Iterable[tuple[str, str]]) -> Words:
    """Of subjects and texts, those that say anything."""
    whole = (f"{subject}\n{text[:_LONGEST]}".strip() for subject, text in texts)
    return frozenset(blake2b(folded_bytes(each), digest_size=16).digest() for each in whole if each)


class Known:
    """The decisions of the last 90 days, kept at hand: a look costs what is new since the last."""

    def __init__(self) -> None:
        self._position, self._erasures, self._lock = 0, -1, Lock()
        self._every = deque[Alike](maxlen=_MOST_KNOWN)
        self._outcomes: dict[DecisionId, AppealOutcome] = {}

    def like(
        self, store: Store, account: AccountId, clauses: frozenset[ClauseId], same: Words, now: datetime
    ) -> tuple[Found, ...]:
        """Those of the same words first, then those by people under one of the clauses; each the newest first."""
        with self._lock:
            self._follow(store, now)
            others = [each for each in reversed(self._every) if each.account != account]
            told = [each for each in others if each.words & same]
            told += [each for each in others if each.by and each.clauses & clauses and not each.words & same]
            return tuple(
                Found(one=each, is_same=bool(each.words & same), outcome=self._outcomes.get(each.decision))
                for each in told[:_MOST_TOLD]
            )

    def _follow(self, store: Store, now: datetime) -> None:
        """Anew after an erasure: nothing of an erased account stays."""
        with store.at_once():
            if store.erasures != self._erasures or store.position < self._position:
                self._position, self._erasures = 0, store.erasures
                self._every.clear()
                self._outcomes.clear()
            since = max(now, EARLIEST + _LOOKED_BACK) - _LOOKED_BACK
            for fact in store.facts([Decided, Dismissed, OutcomeGiven], after=self._position, since=since):
                match fact:
                    case OutcomeGiven():
                        self._outcomes[fact.decision] = fact.outcome
                    case Decided():
                        self._every.append(_decided(fact))
                    case Dismissed():
                        self._every.append(_dismissed(fact, store))
            self._position = store.position


def _decided(fact: Decided) -> Alike:
    return Alike(
        decision=fact.decision,
        account=fact.account,
        at=fact.at,
        by=fact.by or "",
        clauses=frozenset(each.clause for each in fact.breaches),
        words=words((each.subject, each.text) for each in fact.statement.messages),
        case=fact.case,
        said=", ".join(map(in_short, fact.measures)) or "no measure",
        is_breach=True,
    )


def _dismissed(fact: Dismissed, store: Store) -> Alike:
    return Alike(
        decision=fact.decision,
        account=fact.account,
        at=fact.at,
        by=fact.by,
        clauses=frozenset(each.clause for each in fact.breaches),
        words=words(_texts(fact, store)),
        case=fact.case,
        said=fact.why,
        is_breach=False,
    )


def _texts(fact: Dismissed, store: Store) -> Iterator[tuple[str, str]]:
    """As far as they are kept."""
    for source, id_ in dict.fromkeys((each.source, each.message) for each in fact.breaches):
        message = store.message(source, id_)
        if message is not None:
            yield message.subject, message.text
