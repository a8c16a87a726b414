"""Second reviews and samples, drawn at random: from what people decided, from what nothing was found in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import nsmallest

from comity.casework import quality
from comity.casework.case_facts import CaseKind, CaseOpened
from comity.casework.facts import Decided, Dismissed
from comity.casework.quality import Quality
from comity.casework.record import fold
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, CaseId, DecisionId
from comity.model.message import Message
from comity.ports import Outcome, Store


def draw(proceedings: Proceedings, count: int, at: datetime) -> tuple[CaseId, ...]:
    """Put `count` decisions of people before a second reviewer, or all that are left; none twice."""
    left = sorted(_unreviewed(proceedings.store), key=lambda _: proceedings.fresh())[:count]
    opened = tuple(CaseId(proceedings.fresh()) for _ in left)
    for (account, decision), case in zip(left, opened, strict=True):
        proceedings.note(quality.second_review(proceedings.record(account), decision, case, at))
    return opened


def measured(store: Store) -> Quality:
    """What the whole record shows."""
    accounts = dict.fromkeys(fact.account for fact in store.facts([CaseOpened, Decided, Dismissed]))
    return quality.quality(fold(account, store.facts_of(account)) for account in accounts)


class Sampling:
    """Draws, of the messages that it is shown, `count` in which nothing was found, each as likely as any other."""

    def __init__(self, proceedings: Proceedings, count: int) -> None:
        self._proceedings, self._count = proceedings, count
        self._seen = {_key(message) for message in _sampled(proceedings.store)}
        self._drawn: list[tuple[str, Message]] = []

    def show(self, messages: Sequence[Message]) -> int:
        """How many of them could be drawn: those that the record took in and let pass, none twice."""
        fresh = [(self._proceedings.fresh(), message) for message in messages if self._is_passed(message)]
        self._seen.update(_key(message) for _, message in fresh)
        self._drawn = nsmallest(self._count, (*self._drawn, *fresh), key=lambda each: each[0])
        return len(fresh)

    def ask(self, at: datetime) -> tuple[CaseId, ...]:
        """Put what was drawn before a person."""
        opened = tuple(CaseId(self._proceedings.fresh()) for _ in self._drawn)
        for (_, message), case in zip(self._drawn, opened, strict=True):
            self._proceedings.note(quality.sample(message, case, at))
        return opened

    def _is_passed(self, message: Message) -> bool:
        """Whether nothing was found in it, and it was not drawn yet."""
        if _key(message) in self._seen:
            return False
        answer = self._proceedings.store.answers(message.source, [message.id]).get(message.id)
        return answer is not None and answer.outcome is Outcome.ALLOWED and not answer.clauses


def _key(message: Message) -> tuple[str, str]:
    return message.source, message.id


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
