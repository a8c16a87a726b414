"""Statements to their accounts by e-mail: gathered from the record, sent, and sent again until the server takes them.

Off the path of decisions, as webhooks are. A statement counts as delivered when the server has taken the mail. A death
in between sends it a second time, under the same Message-ID: at least once, and as a rule once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from typing import Final

from msgspec.structs import replace

from comity.casework.facts import (
    ContactGiven,
    Corrected,
    Decided,
    Fact,
    Joined,
    Lifted,
    LinkReplaced,
    OutcomeGiven,
    Party,
    Recomputed,
    Undone,
)
from comity.casework.record import Record, fold
from comity.casework.recorded import Recorded
from comity.flow.webhooks import next_try
from comity.model.ids import AccountId, DecisionId
from comity.model.mail import Mail, Pause
from comity.ports import Clock, Entropy, MailLink, Mails, MailSession, Store, UnreachableError

Write = Callable[[str, Recorded, int], bytes]
"""The mail to an address about a statement as it stands, for the fact at that position."""
_TELLING: Final = (
    Decided, Joined, Corrected, Lifted, Undone, Recomputed, OutcomeGiven, LinkReplaced, ContactGiven
)  # fmt: skip
_NO_ANSWER: Final = "the mail server broke off, or the service did"
_MOST_WAITING: Final = 1_000
_LOOKED_AT: Final = 1_000
_AT_ONCE: Final = 100
_MOST_FAILURES: Final = 3
"""After so many failures in a row the server is tried again every half hour."""


class Postman:
    """Sends one record's statements. One thread asks."""

    def __init__(
        self, store: Store, mails: Mails, link: MailLink, clock: Clock, entropy: Entropy, write: Write
    ) -> None:
        """`store` is only read, and by nobody else."""
        self._store, self._mails, self._link = store, mails, link
        self._clock, self._entropy, self._write = clock, entropy, write

    def round(self, accepted: Callable[[DecisionId], None], ends: Callable[[], bool] = lambda: False) -> bool:
        """Send what is due. `accepted` records that a statement is delivered. True: there may be more."""
        self._gather()
        now, pause = self._clock.now(), self._mails.pause
        due = () if pause is not None and now < pause.until else self._mails.due(now, _AT_ONCE)
        try:
            self._send(due, accepted, ends)
        except UnreachableError as error:
            failures = pause.failures + 1 if pause else 1
            until = next_try(min(failures, _MOST_FAILURES), now, self._chance()) or now
            self._mails.put_off(Pause(failures=failures, until=until, error=str(error)))
            return False
        if pause is not None and due:
            self._mails.put_off(None)
        return bool(due)

    def _send(self, due: Sequence[Mail], accepted: Callable[[DecisionId], None], ends: Callable[[], bool]) -> None:
        session: MailSession | None = None
        with ExitStack() as held:
            for mail in due:
                told = self._told(mail)
                if ends():
                    return
                if told is None:
                    self._mails.drop(mail)
                    continue
                session = session or held.enter_context(self._link.connected())
                self._mails.keep(self._failed(mail, _NO_ANSWER))  # so that no death can send it again and again
                answered = session.send(*told)
                if answered.is_accepted:
                    accepted(mail.statement)
                    self._mails.drop(mail)
                else:
                    self._mails.keep(self._failed(mail, f"it answered {answered}", is_final=answered.is_final))

    def _told(self, mail: Mail) -> tuple[str, bytes] | None:
        """Where it goes and what it says; None: the account was erased since, or is written to no more."""
        account = self._store.account_of(mail.statement)
        record = None if account is None else self._record(account)
        one = record.decision(mail.statement) if record else None
        if record is None or one is None or not record.contact:
            return None
        return record.contact, self._write(record.contact, one, mail.event)

    def _failed(self, mail: Mail, error: str, *, is_final: bool = False) -> Mail:
        attempts = mail.attempts + 1
        due = None if is_final else next_try(attempts, self._clock.now(), self._chance())
        return replace(mail, attempts=attempts, due=due, error=error)

    def _gather(self) -> None:
        """What happened since; while many wait, the record keeps the rest."""
        self._store.was_changed()
        position = self._mails.position
        if position is None:
            position = self._begin(self._clock.now())
        while self._mails.waiting() < _MOST_WAITING:
            last = self._store.position
            facts = list(islice(self._store.numbered(_TELLING, after=min(position, last)), _LOOKED_AT))
            is_last = len(facts) < _LOOKED_AT
            reached = last if is_last else facts[-1][0]
            if reached != position:
                self._mails.put(self._about(facts), reached, self._clock.now())
                position = reached
            if is_last:
                return

    def _begin(self, at: datetime) -> int:
        """Of what was before only statements are sent that were never delivered."""
        last = self._store.position
        self._mails.put(self._about(list(self._store.numbered([ContactGiven], after=0))), last, at)
        return last

    def _about(self, facts: list[tuple[int, Fact]]) -> dict[DecisionId, int]:
        """The statements that their accounts are to be told of, each with its last event."""
        known: dict[AccountId, Record] = {}
        found: dict[DecisionId, int] = {}
        for position, fact in facts:
            record = known.get(fact.account) or known.setdefault(fact.account, self._record(fact.account))
            if record.contact:
                found |= dict.fromkeys(_of(fact, record), position)
        return found

    def _record(self, account: AccountId) -> Record:
        return fold(account, self._store.facts_of(account))

    def _chance(self) -> float:
        return int.from_bytes(self._entropy.token(4)) / 2**32


def _of(fact: Fact, record: Record) -> list[DecisionId]:
    """A replay of an archive is told to nobody; a notifier's appeal ends in facts of their own."""
    match fact:
        case ContactGiven():
            about = [one for one in record.decisions if one.delivered is None]
        case OutcomeGiven(appeal=appeal):
            filed = record.appeal(appeal)
            is_own = filed is not None and filed.filed.party is Party.ACCOUNT
            about = [one for one in record.decisions if is_own and one.id == fact.decision]
        case Decided() | Joined() | Corrected() | Lifted() | Undone() | Recomputed() | LinkReplaced():
            about = [one for one in record.decisions if one.id == fact.decision]
        case _:
            about = []
    return [one.id for one in about if not one.decided.statement.is_replay]
