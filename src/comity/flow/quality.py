"""Second reviews and samples, drawn at random: from what people decided, from what nothing was found in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from heapq import nsmallest
from typing import Final, NamedTuple

import msgspec

from comity.casework import quality
from comity.casework.case_facts import CaseKind, CaseOpened
from comity.casework.facts import Decided, Dismissed, Fact
from comity.casework.quality import Quality, Sign, Signs
from comity.casework.record import fold
from comity.flow.counts import unless_over
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, CaseId, ClauseId, DecisionId, MessageId
from comity.model.message import Message
from comity.ports import Answer, Outcome, Store

_MOSTLY_NEW: Final = 1.5
"""So many times as many facts as before: reading each account twice would take longer than reading all once."""


def draw(proceedings: Proceedings, count: int, at: datetime) -> tuple[CaseId, ...]:
    """Put `count` decisions of people before a second reviewer, or all that are left; none twice."""
    left = sorted(_unreviewed(proceedings.store), key=lambda _: proceedings.fresh())[:count]
    opened = tuple(CaseId(proceedings.fresh()) for _ in left)
    for (account, decision), case in zip(left, opened, strict=True):
        proceedings.note(quality.second_review(proceedings.record(account), decision, case, at))
    return opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the record showed when it had so many facts and erasures."""

    shown: Signs = field(default_factory=Counter)
    position: int = 0
    erasures: int = 0

    @property
    def quality(self) -> Quality:
        return quality.quality(self.shown)


UNMEASURED: Final = Measured()


class KeptMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """The same, as it can be written down."""

    shown: tuple[tuple[Sign, ClauseId, int], ...]
    position: int
    erasures: int


def as_kept(one: Measured) -> KeptMeasured:
    shown = tuple((sign, clause, count) for (sign, clause), count in one.shown.items())
    return KeptMeasured(shown=shown, position=one.position, erasures=one.erasures)


def as_measured(kept: KeptMeasured) -> Measured:
    shown = Counter({(sign, clause): count for sign, clause, count in kept.shown})
    return Measured(shown=shown, position=kept.position, erasures=kept.erasures)


def measured(store: Store, before: Measured = UNMEASURED, is_over: Callable[[], bool] = lambda: False) -> Measured:
    """What the whole record shows. Only accounts with new facts since `before` are looked at.

    After an erasure all are, since what the erased one showed cannot be looked up any more; and where most of the
    record is new, since that is quicker. Raises `EndedError`.
    """
    position = store.position
    is_mostly_new = position > _MOSTLY_NEW * before.position
    if is_mostly_new or store.erasures != before.erasures:
        return _measured_anew(store, is_over)
    shown, new = before.shown.copy(), store.facts(quality.SHOWING, after=before.position)
    accounts = dict.fromkeys(fact.account for fact in unless_over(is_over, new))
    for account in unless_over(is_over, accounts):
        shown.update(_signs(account, store.facts_of(account, until=position)))
        shown.subtract(_signs(account, store.facts_of(account, until=before.position)))
    return Measured(shown=shown, position=position, erasures=before.erasures)


def _measured_anew(store: Store, is_over: Callable[[], bool]) -> Measured:
    shown: Signs = Counter()
    with store.at_once():
        for facts in unless_over(is_over, store.histories(quality.SHOWING, quality.TELLING)):
            shown.update(_signs(facts[0].account, facts))
        return Measured(shown=shown, position=store.position, erasures=store.erasures)


def _signs(account: AccountId, facts: Sequence[Fact]) -> Signs:
    return quality.signs(fold(account, facts))


class Sampling:
    """Draws, of the messages that it is shown, `count` in which nothing was found, each as likely as any other.

    `unlike`: how many it was shown that the record has from somebody else, or from another time. `altered`: how many
    have another text than the one that was judged. Texts can be compared where a rule counts copies of them.
    """

    def __init__(self, proceedings: Proceedings, count: int) -> None:
        self._proceedings, self._count = proceedings, count
        self._key = proceedings.fresh().encode()
        self._read = set(map(self._lot, _sampled(proceedings.store)))
        self._drawn: dict[bytes, _Shown] = {}
        self.unlike = self.altered = 0

    def show(self, messages: Sequence[Message]) -> int:
        """How many of them could be drawn: those that the record took in and let pass, and nobody was asked about."""
        passed = {self._lot(each.message): each for each in self._passed(messages)}
        possible = {lot: each for lot, each in passed.items() if lot not in self._read}
        both = self._drawn | possible
        self._drawn = {lot: both[lot] for lot in nsmallest(self._count, both)}
        return len(possible)

    def ask(self, at: datetime) -> tuple[CaseId, ...]:
        """Put what was drawn before a person."""
        opened = tuple(CaseId(self._proceedings.fresh()) for _ in self._drawn)
        for each, case in zip(self._drawn.values(), opened, strict=True):
            self._proceedings.note(quality.sample(each.message, case, at, is_as_judged=each.is_as_judged))
        return opened

    @property
    def believed(self) -> int:
        """How many of those drawn have a text that could not be compared."""
        return sum(not each.is_as_judged for each in self._drawn.values())

    def _passed(self, messages: Sequence[Message]) -> Iterator[_Shown]:
        """Those in which nothing was found, as far as they are the ones that were judged."""
        answers = self._proceedings.answers(messages)
        passed = [each for each in messages if _is_passed(answers.get((each.source, each.id)))]
        by_source: dict[str, list[MessageId]] = {}
        for message in passed:
            by_source.setdefault(message.source, []).append(message.id)
        known = {source: self._proceedings.store.senders(source, ids) for source, ids in by_source.items()}
        for message in passed:
            sender = known[message.source].get(message.id)
            if sender is None or (sender.account, sender.sent) != (message.author, message.sent):
                self.unlike += 1
                continue
            is_same = self._proceedings.is_of(sender.trace, message)
            if is_same is False:
                self.altered += 1
                continue
            yield _Shown(message=message, is_as_judged=is_same is True)

    def _lot(self, message: Message) -> bytes:
        """A number that nobody can foresee; the same one for the same message, however often it is shown."""
        return blake2b(f"{message.source}\0{message.id}".encode(), key=self._key, digest_size=16).digest()


class _Shown(NamedTuple):
    """A message of the archive. `is_as_judged`: its text is the one that was judged; else it could not be compared."""

    message: Message
    is_as_judged: bool


def _is_passed(answer: Answer | None) -> bool:
    return answer is not None and answer.outcome is Outcome.ALLOWED and not answer.clauses


def _sampled(store: Store) -> Iterator[Message]:
    for fact in store.facts([CaseOpened]):
        if isinstance(fact, CaseOpened) and fact.kind is CaseKind.SAMPLE and fact.message is not None:
            yield fact.message


def _unreviewed(store: Store) -> list[tuple[AccountId, DecisionId]]:
    reviewed = {
        fact.about
        for fact in store.facts([CaseOpened])
        if isinstance(fact, CaseOpened) and fact.kind is CaseKind.SECOND_REVIEW
    }
    return [
        (fact.account, fact.decision)
        for fact in store.facts([Decided, Dismissed])
        if isinstance(fact, Decided | Dismissed) and fact.by is not None and fact.decision not in reviewed
    ]
