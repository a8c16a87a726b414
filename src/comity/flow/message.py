"""The way of a message, from intake to answer; everything that happens to it happens in this order, in this file.

    taken in before? -> bound version -> history -> standing -> engine.judge -> casework.decide
      -> one transaction -> publish -> answers

`Proceedings` is the running state of one store. It is rebuilt from the store at any time, so that a program killed
between two transactions goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import reduce

import msgspec

from comity.casework.decide import Judged, decide, wait
from comity.casework.facts import Decided, Fact, Joined
from comity.casework.plan import moves, planned
from comity.casework.record import Record, after, fold, restricts, standing, unended
from comity.casework.recorded import Recorded
from comity.casework.retention import is_kept
from comity.casework.settled import with_closings
from comity.casework.step import Circumstances
from comity.casework.timely import demand_timely
from comity.engine.history import History
from comity.engine.snapshots import SnapshotError
from comity.engine.trace import Trace, Tracer
from comity.flow.agreement import InForce, Versions
from comity.flow.answers import ToldAnswer, again, first, held, told, unanswered
from comity.flow.publish import Mode, Recorder
from comity.flow.seen import Counts, Seen, seen
from comity.flow.terms import Terms
from comity.model.clause import Kind
from comity.model.duration import EARLIEST
from comity.model.ids import AccountId, CaseId, DecisionId, MessageId
from comity.model.measure import State
from comity.model.message import Message
from comity.model.plan import Planned
from comity.model.statement import Breach, Origin
from comity.ports import Answer, Attachment, Clock, Entropy, Outcome, Running, Store, Taken, Version

_AT_ONCE = 256
"""Messages that are judged before anything is decided about them."""
_ID_BYTES = 16
_REMEMBERED = (Decided, Joined)
"""The facts that windows count."""


class Proceedings:
    """Takes messages in, in order. One a store: it holds the store's windows and records.

    Of several that share a recorder only the newest write; what the others decide is refused with `OvertakenError`.
    """

    def __init__(self, store: Store, recorder: Recorder, clock: Clock, entropy: Entropy, terms: Terms) -> None:
        self._store, self._recorder, self._clock, self._entropy, self._terms = store, recorder, clock, entropy, terms
        self._versions = Versions(store.versions())
        self._tracer = Tracer(self._versions.windows, key=terms.history_key)
        self._history = History(self._versions.windows, lateness=self._versions.lateness)
        self._records: dict[AccountId, Record] = {}
        self._are_ahead = False  # the records, of what the store has
        self._restricted: dict[AccountId, None] = {}
        self._newly: dict[AccountId, None] = {}  # restricted since the last write
        self._released: dict[AccountId, None] = {}
        self._since_snapshot = 0
        self._erasures, self._reader = store.erasures, recorder.relieve()
        self.is_spent = False
        """What they know is no longer so: new ones take their place."""
        self._restore()

    def take(self, messages: Sequence[Message]) -> tuple[Answer, ...]:
        """Judge the messages in order and keep all that follows in one transaction; then it is published.

        A message taken in before gets the answer it got then; if it waited, what became of it since. Raises
        `StoreError` if nothing could be kept; these proceedings then know of what the store does not, and new ones take
        their place.
        """
        now = self._clock.now()
        answers = self.answers(messages) if self._terms.mode == "replay" else self._answers_by(now, messages)
        taken: list[Taken] = []
        facts: list[Fact] = []
        new = unanswered(messages, answers)
        self._meet(message.author for message in new)
        for judged in self._judged(new, now):
            one, follows = self._one(judged, now)
            taken.append(one)
            facts.extend(follows)
            answers[one.message.source, one.message.id] = one.answer
        if taken:
            self._keep(taken, facts)
        return tuple(answers[message.source, message.id] for message in messages)

    def told(self, answer: Answer, message: Message, facts: Iterable[Fact] = ()) -> ToldAnswer:
        """The answer as the message's source is told it. `facts`: what would follow, and is not kept."""
        record, now = reduce(after, facts, self.record(message.author)), self._clock.now()
        return told(answer, record, message, self._versions, now)

    def answers(self, messages: Sequence[Message]) -> dict[tuple[str, MessageId], Answer]:
        """What the messages that were taken in before were answered, each under its source and id."""
        by_source: dict[str, list[MessageId]] = {}
        for message in messages:
            by_source.setdefault(message.source, []).append(message.id)
        return {
            (source, message): answer
            for source, ids in by_source.items()
            for message, answer in self._store.answers(source, ids).items()
        }

    def _answers_by(self, at: datetime, messages: Sequence[Message]) -> dict[tuple[str, MessageId], Answer]:
        authors = {(message.source, message.id): message.author for message in messages}
        return {
            key: again(answer, self.record(authors[key]), key, at) if answer.outcome is Outcome.HELD else answer
            for key, answer in self.answers(messages).items()
        }

    def note(self, fact: Fact) -> None:
        """Keep a fact that somebody reports, such as an acceptance."""
        self.act([fact.account], lambda _: (fact,))

    def act(
        self,
        accounts: Sequence[AccountId],
        follows: Callable[[Record], Iterable[Fact]],
        *,
        attachments: Sequence[Attachment] = (),
    ) -> tuple[Fact, ...]:
        """Keep what a person's act does to the records of these accounts, all of it in one transaction.

        What `follows` raises is raised before anything was changed. Raises `RefusedError` for what has not happened
        yet, or was decided at another time than now; a replay tells its own times.
        """
        decided = [(account, tuple(with_closings(self.record(account), follows))) for account in accounts]
        if self._terms.mode == "live":
            demand_timely((fact for _, facts in decided for fact in facts), self._clock.now())
        for account, facts in decided:
            self._follow(account, facts)
        every = tuple(fact for _, facts in decided for fact in facts)
        if every:
            self._keep((), every, attachments)
        return every

    def erase(self, account: AccountId, *, keep_hash: bool) -> bool:
        """Erase the account's data, if there are any. New proceedings take the place of these.

        Raises `OvertakenError` if anything was recorded since it was found that nobody needs them.
        """
        was_known = self._recorder.erase(account, keep_hash=keep_hash, reader=self._reader)
        self.is_spent = True
        return was_known

    def publish(self, version: Version, at: datetime) -> None:
        """Put a version in force. New proceedings take the place of these."""
        self._recorder.publish_version(version, at)
        self.is_spent = True

    def tell_erasures(self, at: datetime) -> None:
        """Say in the ledger what was erased on an earlier day, if its first entry of this day has not done so."""
        self._recorder.publish_erasures(at)

    def together(self) -> AbstractContextManager[None]:
        """What is kept inside is kept in one transaction at its end; `publish_kept` afterwards."""
        return self._recorder.together()

    def publish_kept(self) -> None:
        """Raises `OSError` if the published log cannot be written; what is kept is published the next time."""
        self._recorder.publish()

    def is_of(self, trace: bytes, message: Message) -> bool | None:
        """Whether what windows keep is of a message with this text; None if they keep nothing of a text."""
        return self._tracer.is_of(trace, message)

    @property
    def mark(self) -> str:
        """How far what is durable has come: another whenever something was kept."""
        return self._recorder.mark

    @property
    def mode(self) -> Mode:
        return self._terms.mode

    @property
    def kept_for(self) -> timedelta:
        """How long texts are kept in which nothing was found."""
        return self._terms.kept_for if self._terms.mode == "live" else timedelta()

    @property
    def store(self) -> Store:
        return self._store

    @property
    def versions(self) -> Versions:
        return self._versions

    def bound(self, record: Record, sent: datetime) -> InForce | None:
        """The version that the account was bound by at `sent`."""
        return self._versions.bound(record, sent, reaches_back=self._terms.mode == "replay")

    def now(self) -> datetime:
        return self._clock.now()

    def fresh(self) -> str:
        """An id that nobody can guess."""
        return self._entropy.token(_ID_BYTES).hex()

    def _keep(self, taken: Sequence[Taken], facts: Sequence[Fact], attachments: Sequence[Attachment] = ()) -> None:
        self._recorder.record(
            taken,
            facts,
            planned=self._planned(facts),
            attachments=attachments,
            erasures=self._erasures,
            reader=self._reader,
            recorded=self._recorded,
            active=self._active,
            running=self._running,
        )
        self._are_ahead = False

    def _planned(self, facts: Sequence[Fact]) -> tuple[Planned, ...]:
        """What gates are to know after these facts."""
        moved = {fact.account: fact.at for fact in facts if moves(self.record(fact.account), fact)}
        return tuple(each for account, at in moved.items() for each in planned(self.record(account), at))

    def try_out(self, message: Message) -> ToldAnswer:
        """What the message would be answered if it came now; nothing is kept, and no window counts it."""
        now, trace = self._clock.now(), self._tracer.trace(message)
        answer, facts = self._decided(self._seen(message, trace, self._history.would_take(trace), now))
        said = self.told(answer, message, facts)
        is_new = any(isinstance(fact, Decided) and fact.decision == answer.statement for fact in facts)
        return msgspec.structs.replace(said, statement=None) if is_new else said

    def _judged(self, messages: Sequence[Message], now: datetime) -> Iterator[Seen]:
        """All are judged first, which takes less time, unless a rule counts what is decided about the others."""
        at_once = 1 if self._versions.count_breaches else _AT_ONCE
        for start in range(0, len(messages), at_once):
            group = messages[start : start + at_once]
            traced = zip(group, map(self._tracer.trace, group), strict=True)
            with self._terms.spans.span("judge", len(group)):
                judged = [self._seen(message, trace, self._history.take(trace), now) for message, trace in traced]
            self._since_snapshot += len(group)
            yield from judged

    def _seen(self, message: Message, trace: Trace, counts: Counts, now: datetime) -> Seen:
        record = self.record(message.author)
        bound = self.bound(record, message.sent)
        at = message.sent if self._terms.mode == "replay" else now
        return seen(message, trace, counts, bound=bound, record=record, at=at)

    def _one(self, judged: Seen, now: datetime) -> tuple[Taken, tuple[Fact, ...]]:
        message, trace = judged.message, self._tracer.encode(judged.trace)
        answer, facts = self._decided(judged)
        self._follow(message.author, facts)
        passed = answer.outcome is Outcome.ALLOWED and is_kept(message.sent, self.kept_for, now)
        keep_text = bool(facts) or answer.outcome is Outcome.HELD or passed
        return Taken(message=message, trace=trace, answer=answer, keep_text=keep_text), facts

    def _decided(self, judged: Seen) -> tuple[Answer, tuple[Fact, ...]]:
        message, at, record = judged.message, judged.at, self.record(judged.message.author)
        # what was decided about its author since may restrict them
        found = judged.standing if record is judged.record else standing(record, message.channel, at)
        facts: tuple[Fact, ...] = ()
        if judged.bound is None:
            answer = Answer(message=message.id, outcome=Outcome.UNBOUND)
        elif found.state is State.CUT and found.by is not None:
            answer = Answer(message=message.id, outcome=Outcome.REFUSED, statement=found.by.decision)
        else:
            if judged.findings:
                found_in = Judged(message=message, findings=judged.findings, agreement=judged.bound.agreement)
                with self._terms.spans.span("decide"):
                    facts = decide(record, found_in, self.given(at))
            answer = first(message, facts, record)
            if found.by is not None and found.by.kind is Kind.HOLD and answer.outcome is Outcome.ALLOWED:
                facts += wait(record, message, self.given(at))
                answer = held(answer, found.by.decision)
        return answer, facts

    def given(self, at: datetime) -> Circumstances:
        """What a decision at `at` needs from outside."""
        terms, begin = self._terms, self._recorder.beginning
        decision, case = ((begin + self._entropy.token(_ID_BYTES - len(begin))).hex() for _ in range(2))
        delivery = terms.delivery if terms.mode == "replay" else None
        return Circumstances(
            at=at, decision=DecisionId(decision), case=CaseId(case), delivery=delivery, patience=terms.patience
        )

    def _restore(self) -> None:
        """The windows, and whom a measure may restrict, as they were after the last write."""
        snapshot = self._store.snapshot
        if snapshot is not None and self._goes_on_from(snapshot.content):
            for trace in self._store.traces(after=snapshot.messages):
                self._history.take(self._tracer.decode(trace))
                self._since_snapshot += 1
            self._recall(self._store.facts(_REMEMBERED, after=snapshot.position))
        else:
            self._rebuild()
        self._restricted = dict.fromkeys(self._store.restricted())
        self._newly.clear()

    def _goes_on_from(self, snapshot: bytes) -> bool:
        """False: it is of other versions' windows, or damaged."""
        try:
            self._history.restore(snapshot)
        except SnapshotError:
            return False
        return True

    def _rebuild(self) -> None:
        """From the traces and breaches that windows still reach."""
        reached, horizon = self._store.reached, self._history.horizon
        since = reached - horizon if reached and reached - EARLIEST > horizon else None
        traces = map(self._tracer.decode, self._store.traces(since=since))
        if reached is None:
            for trace in traces:
                self._history.take(trace)
        else:
            self._history.refill(traces, reached)
        self._since_snapshot = len(self._history)  # a large one is due for a snapshot with the next write
        self._recall(self._store.facts(_REMEMBERED, since=since))

    def _recall(self, facts: Iterable[Fact]) -> None:
        if self._versions.count_breaches:
            for fact in facts:
                self._remember(fact)

    def _running(self) -> Running:
        """What the next start needs of this state. Asked for with each write, and forgotten by it."""
        since = self._since_snapshot
        is_due = since >= max(self._terms.snapshot_every, self._history.groups) and since >= len(self._history)
        running = Running(
            restricted=tuple(self._newly),
            released=tuple(self._released),
            reached=self._history.reached,
            snapshot=self._history.snapshot() if is_due else None,
        )
        self._since_snapshot = 0 if is_due else since
        self._newly.clear()
        self._released.clear()
        return running

    def _follow(self, account: AccountId, facts: Iterable[Fact]) -> None:
        """Bring the record and the windows up to date with new facts."""
        record = self.record(account)
        for fact in facts:
            record, self._are_ahead = after(record, fact), True
            self._remember(fact)
        self._records[account] = record

    def _remember(self, fact: Fact) -> None:
        match fact:
            case Decided():
                if restricts(fact):
                    self._restricted[fact.account] = self._newly[fact.account] = None
                self._count(fact, *fact.breaches)
            case Joined():
                self._count(fact, fact.breach)
            case _:
                return

    def _count(self, fact: Decided | Joined, *breaches: Breach) -> None:
        """For windows: a breach, and if somebody reported it, a notice that was upheld."""
        for breach in breaches if self._versions.count_breaches else ():
            self._history.breach(fact.account, breach.clause, fact.at)
            if breach.origin is not Origin.RULE:
                self._history.notice(fact.account, breach.clause, fact.at)

    def record(self, account: AccountId) -> Record:
        """The account's record as it is now."""
        known = self._records.get(account)
        if known is None:
            self._make_room()
            known = self._records[account] = fold(account, self._store.facts_of(account))
        return known

    def _meet(self, accounts: Iterable[AccountId]) -> None:
        """Look up the records of those together whose are not at hand."""
        self._make_room()
        fresh = dict.fromkeys(account for account in accounts if account not in self._records)
        for account, facts in self._store.facts_of_each(fresh).items():
            self._records[account] = fold(account, facts)

    def _make_room(self) -> None:
        if len(self._records) >= self._terms.most_records and not self._are_ahead:
            self._records.clear()

    def _active(self, at: datetime) -> list[DecisionId]:
        """The decisions of which a measure on channels holds at `at`."""
        running: list[DecisionId] = []
        for account in tuple(self._restricted):
            lasting = [each for each in unended(self.record(account), at) if not each.is_over(at)]
            running += (each.decision for each in lasting if each.is_active(at))
            if not lasting:
                del self._restricted[account]  # until it is restricted anew; censuses go forward in time
                self._released[account] = None
        return list(dict.fromkeys(running))

    def _recorded(self, account: AccountId, decision: DecisionId) -> Recorded | None:
        return self.record(account).decision(decision)
