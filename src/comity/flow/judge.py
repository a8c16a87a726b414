"""Judging without a record: findings for a stream of messages, with the windows that their order gives.

Breaches of `decide=auto` clauses count for rules that count breaches; notices there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from comity.engine.batch import Batch
from comity.engine.explain import Explained, explain
from comity.engine.history import History
from comity.engine.plan import Plan, plan
from comity.engine.trace import Tracer
from comity.engine.windows import Counted
from comity.model.agreement import Agreement
from comity.model.clause import Clause, Decide
from comity.model.finding import Finding
from comity.model.ids import ClauseId
from comity.model.message import Message


class Judging:
    """A version and the history of the messages that it has judged so far."""

    def __init__(self, agreement: Agreement, made: Plan | None = None) -> None:
        """`made`: the version's plan, where it is at hand."""
        self._agreement = agreement
        self._plan = plan(agreement) if made is None else made
        self._automatic = {clause.id for clause in agreement.clauses if clause.decide is Decide.AUTO}
        self._tracer = Tracer(self._plan.needs, key=None)
        self._counts_breaches = any(window.counted is Counted.BREACHES for window in self._plan.needs)
        lateness = timedelta(seconds=agreement.lateness.nominal_seconds)
        self._history = History(self._plan.needs, lateness=lateness)

    def judge(self, message: Message) -> tuple[Finding, ...]:
        """The findings of one message, which then is part of the history of the next."""
        counts, late = self._history.take(self._tracer.trace(message))
        findings = self._plan.judge(message, counts, late=late)
        for finding in findings:
            if finding.clause in self._automatic:
                self._history.breach(message.author, finding.clause, message.sent)
        return findings

    def judge_batch(self, messages: Sequence[Message]) -> list[tuple[Finding, ...]]:
        """What `judge` says of each in turn, quicker, unless a rule counts what the others of them breach."""
        if self._counts_breaches:
            return [self.judge(message) for message in messages]
        batch = Batch(messages)
        return self._plan.judge_batch(batch, *self._history.take_all(self._tracer.traces(batch)))

    def breached_batch(self, messages: Sequence[Message]) -> list[tuple[ClauseId, ...]]:
        """The clauses that `judge_batch` would find, without the evidence, which takes most of its time."""
        if self._counts_breaches:
            return [tuple(finding.clause for finding in self.judge(message)) for message in messages]
        batch = Batch(messages)
        counts, _ = self._history.take_all(self._tracer.traces(batch))
        rules = self._plan.rules
        return [
            tuple(rule for bit, rule in enumerate(rules) if bits >> bit & 1)
            for bits in self._plan.breached_batch(batch, counts)
        ]

    def explain(self, message: Message) -> tuple[tuple[Clause, Explained], ...]:
        """Each rule that applies to the message, as a tree of values; the message becomes part of the history."""
        counts, _ = self._history.take(self._tracer.trace(message))
        applying = (clause for clause in self._agreement.clauses if message.channel in clause.channels)
        explained = ((clause, explain(self._plan, clause.id, message, counts)) for clause in applying)
        return tuple((clause, tree) for clause, tree in explained if tree is not None)
