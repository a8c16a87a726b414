"""Second reviews and samples, drawn at random: from what people decided, from what nothing was found in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from heapq import nsmallest

from comity.casework import quality
from comity.casework.case_facts import CaseKind, CaseOpened
from comity.casework.facts import Decided, Dismissed
from comity.casework.quality import Quality
from comity.casework.record import fold
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, CaseId, DecisionId, MessageId
from comity.model.message import Message
from comity.ports import Answer, Outcome, Store


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
    """Draws, of the messages that it is shown, `count` in which nothing was found, each as likely as any other.

    `unlike`: how many it was shown that the record has from somebody else, or from another time. Their texts, which the
    record does not keep, cannot be compared.
    """

    def __init__(self, proceedings: Proceedings, count: int) -> None:
        self._proceedings, self._count = proceedings, count
        self._key = proceedings.fresh().encode()
        self._read = set(map(self._lot, _sampled(proceedings.store)))
        self._drawn: dict[bytes, Message] = {}
        self.unlike = 0

    def show(self, messages: Sequence[Message]) -> int:
        """How many of them could be drawn: those that the record took in and let pass, and nobody was asked about."""
        passed = {self._lot(message): message for message in self._passed(messages)}
        possible = {lot: message for lot, message in passed.items() if lot not in self._read}
        both = self._drawn | possible
        self._drawn = {lot: both[lot] for lot in nsmallest(self._count, both)}
        return len(possible)

    def ask(self, at: datetime) -> tuple[CaseId, ...]:
        """Put what was drawn before a person."""
        opened = tuple(CaseId(self._proceedings.fresh()) for _ in self._drawn)
        for message, case in zip(self._drawn.values(), opened, strict=True):
            self._proceedings.note(quality.sample(message, case, at))
        return opened

    def _passed(self, messages: Sequence[Message]) -> Iterator[Message]:
        """Those in which nothing was found."""
        answers = self._proceedings.answers(messages)
        passed = [each for each in messages if _is_passed(answers.get((each.source, each.id)))]
        by_source: dict[str, list[MessageId]] = {}
        for message in passed:
            by_source.setdefault(message.source, []).append(message.id)
        known = {source: self._proceedings.store.senders(source, ids) for source, ids in by_source.items()}
        for message in passed:
            if known[message.source].get(message.id) == (message.author, message.sent):
                yield message
            else:
                self.unlike += 1

    def _lot(self, message: Message) -> bytes:
        """A number that nobody can foresee; the same one for the same message, however often it is shown."""
        return blake2b(f"{message.source}\0{message.id}".encode(), key=self._key, digest_size=16).digest()


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
