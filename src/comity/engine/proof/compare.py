"""Whether a clause's rule became stricter: proved over all messages, or shown by one that the engine has judged.

Two questions, each answered on its own: is there a message that only the old rule finds, and one that only the new
one finds? *No* is proved by the solver over an encoding that leaves out nothing that may happen. *Yes* is a message
with its counts that both plans have judged. Anything else stays open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import z3

from comity.engine.examples import example_counts, example_message
from comity.engine.explain import Explained, explain
from comity.engine.plan import Plan, plan
from comity.engine.proof.candidates import Candidate, at_other_times, natural, tried, with_all
from comity.engine.proof.encode import Encoder, closed
from comity.engine.proof.lists import Listed
from comity.engine.proof.settle import Effort, Solver
from comity.engine.proof.symbols import Symbols
from comity.engine.proof.traits import equality
from comity.engine.proof.values import Version
from comity.engine.windows import Window
from comity.model.agreement import Agreement
from comity.model.clause import Clause
from comity.model.ids import Channel, ClauseId
from comity.model.message import Message

MOST_ROUNDS: Final = 24
"""Choices of the solver that are tried for one question."""

EFFORT: Final = 60_000_000
"""What one comparison of two agreements may spend, over all clauses: a minute or two at most."""

EFFORT_OF_ONE_CLAUSE: Final = 8_000_000


class Open(StrEnum):
    """Why a question stays open."""

    SPENT = "the effort for this comparison is spent"
    SOLVER = "the solver did not settle it within its effort"
    UNCONFIRMED = "no message was found that shows it, and no proof that there is none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A message that one version finds and the other does not, as the engine has judged it."""

    message: Message
    counts: Mapping[Window, int | float]
    old: Explained | None  # the rule's tree with the values; None without a rule that applies
    new: Explained | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """No message is found by the one version and not by the other."""


Answer = Proved | Witness | Open


class Verdict(StrEnum):
    SAME = "same"
    STRICTER = "stricter"
    LOOSER = "looser"
    BOTH = "both"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`only_old`: is there a message that only the old rule finds? `only_new`: one that only the new one finds?"""

    only_old: Answer
    only_new: Answer

    @property
    def verdict(self) -> Verdict:
        if isinstance(self.only_old, Open) or isinstance(self.only_new, Open):
            return Verdict.UNKNOWN
        match isinstance(self.only_old, Witness), isinstance(self.only_new, Witness):
            case False, False:
                return Verdict.SAME
            case False, True:
                return Verdict.STRICTER
            case True, False:
                return Verdict.LOOSER
            case _:
                return Verdict.BOTH


class Judge:
    """A version with its plan, which is made when first asked for: most proofs need none."""

    def __init__(self, agreement: Agreement) -> None:
        self.agreement: Final = agreement

    @cached_property
    def plan(self) -> Plan:
        return plan(self.agreement)


def compare(old: Judge, new: Judge, clause: ClauseId, effort: Effort, *, was: ClauseId | None = None) -> Compared:
    """What became of the rule of a clause that both versions have, in the old one as `was`.

    A clause without a rule finds nothing.
    """
    given = min(effort.left, EFFORT_OF_ONE_CLAUSE)
    own = Effort(left=given)
    symbols, lists = Symbols(), dict[str, Listed]()
    versions = (old, old.agreement.clause(was or clause)), (new, new.agreement.clause(clause))
    encoders = [_encoder(symbols, lists, *version) for version in versions]
    if _name(encoders[0], versions[0][1]) == _name(encoders[1], versions[1][1]):
        return Compared(only_old=Proved(), only_new=Proved())
    channels = tuple(dict.fromkeys((*old.agreement.channels, *new.agreement.channels)))
    sides = [_side(symbols, channels, encoder, *version) for encoder, version in zip(encoders, versions, strict=True)]
    symbols.facts.append(_is_on(symbols, channels))
    closed(symbols, lists)
    proof = _Proof(symbols=symbols, lists=lists, channels=channels, old=sides[0], new=sides[1], effort=own)
    found = Compared(only_old=proof.answer(proof.old, proof.new), only_new=proof.answer(proof.new, proof.old))
    effort.spend(given - own.left)
    return found


def _encoder(symbols: Symbols, lists: dict[str, Listed], judge: Judge, clause: Clause) -> Encoder:
    lexicons = {name: lexicon.entries for name, lexicon in judge.agreement.lexicons.items()}
    return Encoder(symbols, lists, Version(own=clause.id, lexicons=lexicons))


def _name(encoder: Encoder, clause: Clause) -> str:
    """What the clause finds, named: equal names find the same."""
    return f"{sorted(clause.channels)} {encoder.name(clause.rule.expression, {})}" if clause.rule else "nothing"


def _side(symbols: Symbols, channels: tuple[Channel, ...], encoder: Encoder, judge: Judge, clause: Clause) -> _Side:
    truth = symbols.true(False)
    if clause.rule is not None:
        on = tuple(channel for channel in channels if channel in clause.channels)
        truth = z3.And(_is_on(symbols, on), encoder.truth(clause.rule.expression, {}))
    return _Side(judge=judge, clause=clause, truth=truth)


def _is_on(symbols: Symbols, channels: tuple[Channel, ...]) -> z3.BoolRef:
    subject = symbols.subject("channel")
    return symbols.any(symbols.trait(subject, equality(channel)) for channel in channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One version of the clause."""

    judge: Judge
    clause: Clause
    truth: z3.BoolRef

    def breaches(self, candidate: Candidate) -> bool:
        counts = with_all(self.judge.plan.needs, candidate.counts)
        return self.clause.id in self.judge.plan.breached(candidate.message, counts)

    def explained(self, candidate: Candidate) -> Explained | None:
        if candidate.message.channel not in self.clause.channels:
            return None
        return explain(
            self.judge.plan, self.clause.id, candidate.message, with_all(self.judge.plan.needs, candidate.counts)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """One clause in two versions, over the same unknowns."""

    symbols: Symbols
    lists: dict[str, Listed]
    channels: tuple[Channel, ...]
    old: _Side
    new: _Side
    effort: Effort

    def answer(self, finds: _Side, misses: _Side) -> Answer:
        """Whether there is a message that the one finds and the other does not."""
        solver = Solver(self.symbols, self.effort)
        solver.add(finds.truth, z3.Not(misses.truth))
        is_complete = True
        for number in range(MOST_ROUNDS):
            possible = solver.ask()
            if possible is False:
                return Proved() if is_complete else Open.UNCONFIRMED
            if possible and number == 0 and (shown := self._among_examples(solver, finds, misses)):
                return shown
            model = solver.settled() if possible else None
            if model is None:
                return Open.SPENT if self.effort.is_spent else Open.SOLVER
            found = self._tried(model, finds, misses)
            if isinstance(found, Witness):
                return found
            is_complete = is_complete and bool(found)
            solver.add(*(found or (self._other_than(model),)))
        return Open.UNCONFIRMED

    def _among_examples(self, solver: Solver, finds: _Side, misses: _Side) -> Witness | None:
        """An example of either version that tells them apart, if its counts can be."""
        for side in (self.new, self.old):
            for example in side.clause.examples:
                message = example_message(side.judge.agreement, side.clause, example)
                counts: dict[Window, int | float] = {}
                for each in (misses, finds, side):
                    if each.clause.rule is not None:
                        counts |= example_counts(each.clause, each.clause.rule, example, message)
                candidate = Candidate(message=message, counts=counts)
                if self._tells_apart(candidate, finds, misses) and self._may_count(solver, counts):
                    return self._shown(candidate)
        return None

    def _may_count(self, solver: Solver, counts: Mapping[Window, int | float]) -> bool:
        known = [(term, counts[window]) for window, term in self.symbols.windows.items() if window in counts]
        return bool(
            solver.ask(*(term == (int(n) if z3.is_int(term) else self.symbols.constant(n).value) for term, n in known))
        )

    def _tried(self, model: z3.ModelRef, finds: _Side, misses: _Side) -> Witness | tuple[z3.BoolRef, ...]:
        """A witness from the solver's choice, or lemmas; no lemmas if it came to nothing."""
        channel = next(channel for channel in self.channels if channel in finds.clause.channels)
        made = tried(self.symbols, self.lists, model, channel)
        self.effort.spend(made.work)
        if made.candidate is None:
            return made.lemmas
        for message in self._messages(made.candidate.message):
            candidate = Candidate(message=message, counts=made.candidate.counts)
            if self._tells_apart(candidate, finds, misses):
                return self._shown(candidate)
        return ()

    def _messages(self, message: Message) -> Iterator[Message]:
        yield from natural(message)
        if any("get" in name for name in self.symbols.numbers):
            yield from at_other_times(message)

    def _tells_apart(self, candidate: Candidate, finds: _Side, misses: _Side) -> bool:
        return finds.breaches(candidate) and not misses.breaches(candidate)

    def _shown(self, candidate: Candidate) -> Witness:
        return Witness(
            message=candidate.message,
            counts=candidate.counts,
            old=self.old.explained(candidate),
            new=self.new.explained(candidate),
        )

    def _other_than(self, model: z3.ModelRef) -> z3.BoolRef:
        """Anything but what came to nothing: a guess, after which the end of choices proves nothing."""
        truths = [truth == model.eval(truth, model_completion=True) for truth in self.symbols.truths.values()]
        return z3.Not(self.symbols.all(truths))
