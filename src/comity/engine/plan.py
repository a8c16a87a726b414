"""A version's rules as one generated function: what judges every message.

The function reads a `Reading`, whose features are computed once and only when a rule asks, and answers with a bit for
each breached clause. Evidence is gathered afterwards, for breached clauses alone (see `evidence`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from comity.engine import clockface, functions
from comity.engine import reading as readings
from comity.engine.batch import joined_texts
from comity.engine.evidence import evidence
from comity.engine.generate import UNSURE, generate
from comity.engine.joined import Joined, pieces
from comity.engine.reading import Reading, feature
from comity.engine.scan import Entries
from comity.engine.sieve import Sieve, Wanted
from comity.engine.steps import Maker, Step
from comity.engine.windows import UNITS, Counted, Window, known, windows_of
from comity.model.agreement import Agreement
from comity.model.clause import Clause, Rule
from comity.model.finding import Finding
from comity.model.ids import ClauseId
from comity.model.message import Message

Counts = Mapping[Window, int | float]
"""What a plan's windows counted for one message."""

Columns = Mapping[Window, Sequence[int | float]]
"""What they counted for many, window by window."""

_FUNCTIONS: Final = (
    functions.all_equal,
    functions.any_under,
    functions.capitals,
    functions.double_quotient,
    functions.int_quotient,
    functions.int_remainder,
    functions.number,
    functions.one_equals,
    functions.parent_domains,
    functions.phrases,
    functions.regex,
    functions.repeats,
    functions.says,
    functions.share,
    functions.speaks,
    clockface.part,
    clockface.span_part,
)


_OF_MESSAGES: Final = (
    readings.age_of,
    readings.most_domains,
    readings.most_hashtags,
    readings.most_links,
    readings.most_mentions,
    readings.reach_of,
    readings.unquoted_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    """What the generated source defines."""

    breached: Callable[[Message, Counts], int]
    breached_all: Callable[[Sequence[Message], Sequence[Counts]], list[int]]
    breached_columns: Callable[[Sequence[Message], Columns], list[int]]
    hits_of: Callable[[Message], int]
    at_once: Callable[[Message, Counts, int], int]
    judge: Callable[[Reading], int]
    reading: type[Reading]


class Plan:
    """A version made ready for judging. Safe to share between threads; pickles by being made again."""

    __slots__ = ("_agreement", "_clauses", "_maker", "_module", "_sieve", "_steps", "needs", "rules", "source")

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self._clauses = [(clause, clause.rule) for clause in agreement.clauses if clause.rule]
        self.rules: tuple[ClauseId, ...] = tuple(clause.id for clause, _ in self._clauses)
        self.needs: tuple[Window, ...] = windows_of(agreement)
        self.source, compiler = generate(self._clauses)
        namespace = _namespace(agreement)
        exec(compile(self.source, f"<plan {agreement.digest}>", "exec"), namespace)  # noqa: S102 (own source)
        self._module = _module(namespace)
        sieve = namespace.get("sieve_of_text")
        self._sieve = sieve if isinstance(sieve, Sieve) else None
        self._maker = Maker(compiler=compiler, namespace=namespace)
        self._steps: dict[ClauseId, Step] = {}

    def __reduce__(self) -> tuple[Callable[[Agreement], Plan], tuple[Agreement]]:
        return plan, (self._agreement,)

    def breached(self, message: Message, counts: Counts) -> frozenset[ClauseId]:
        """The clauses that the message breaches, without evidence."""
        return frozenset(clause.id for clause, _ in self._of(self._module.breached(message, counts)))

    def breached_bits(self, message: Message, counts: Counts) -> int:
        """The same as bits: bit n stands for `rules[n]`."""
        return self._module.breached(message, counts)

    def judge(self, message: Message, counts: Counts, *, late: bool = False) -> tuple[Finding, ...]:
        """Every breached clause that applies on the message's channel, shadow ones too, with its evidence.

        `counts` answers `needs`; `late` is what `History.take` said of the message.
        """
        module = self._module
        hits = module.hits_of(message)
        bits = module.at_once(message, counts, hits)
        if not bits:
            return ()
        reading = module.reading(message, counts, hits)
        return self._findings(module.judge(reading) if bits == UNSURE else bits, reading, late=late)

    def judge_batch(
        self,
        messages: Sequence[Message],
        counts: Sequence[Counts] | Columns | None = None,
        late: Sequence[bool] | None = None,
    ) -> list[tuple[Finding, ...]]:
        """What `judge` says of each message, quicker. `counts` (rows or columns), `late`: of each, or none for all."""
        counts = [{}] * len(messages) if counts is None else counts
        late = [False] * len(messages) if late is None else late
        rows = zip(self.breached_batch(messages, counts), messages, late, strict=True)
        return [
            self.findings(bits, message, _counts_at(counts, row), late=is_late) if bits else ()
            for row, (bits, message, is_late) in enumerate(rows)
        ]

    def breached_batch(
        self, messages: Sequence[Message], counts: Sequence[Counts] | Columns | None = None
    ) -> list[int]:
        """What each message breaches, as bits: bit n stands for `rules[n]`."""
        counts = [{}] * len(messages) if counts is None else counts
        sizes = set(map(len, counts.values())) if isinstance(counts, Mapping) else {len(counts)}
        if sizes - {len(messages)}:
            raise ValueError(f"{max(sizes)} counts for {len(messages)} messages")
        if isinstance(counts, Mapping):
            return self._module.breached_columns(messages, counts)
        return self._module.breached_all(messages, counts)

    def sift(self, texts: Joined) -> list[int]:
        """For each text 0 if no search of a rule finds anything there (see `generate.fields_needed`)."""
        return self._sieve.sift(texts) if self._sieve else [0] * len(texts)

    def findings(self, bits: int, message: Message, counts: Counts, *, late: bool = False) -> tuple[Finding, ...]:
        """The findings, with evidence, for the bits that `breached_batch` gave for the message."""
        return self._findings(bits, self._module.reading(message, counts), late=late)

    def _findings(self, bits: int, reading: Reading, *, late: bool) -> tuple[Finding, ...]:
        return tuple(
            [
                Finding(clause=clause.id, evidence=evidence(self._step(clause, rule), reading), late=late)
                for clause, rule in self._of(bits)
            ]
        )

    def _of(self, bits: int) -> Iterator[tuple[Clause, Rule]]:
        while bits:
            lowest = bits & -bits
            yield self._clauses[lowest.bit_length() - 1]
            bits -= lowest

    def read(self, message: Message, counts: Counts) -> Reading:
        """The message as this plan's rules read it: for `explain`."""
        return self._module.reading(message, counts)

    def step(self, clause_id: ClauseId) -> Step | None:
        """The clause's rule as a tree that can be evaluated node by node; None without a rule."""
        clause = self._agreement.clause(clause_id)
        return self._step(clause, clause.rule) if clause.rule else None

    def _step(self, clause: Clause, rule: Rule) -> Step:
        if clause.id not in self._steps:
            self._steps[clause.id] = self._maker.steps(rule, clause.id)
        return self._steps[clause.id]


def plan(agreement: Agreement) -> Plan:
    """The plan of a version; the caller keeps it by the version's digest."""
    return Plan(agreement)


def _counts_at(counts: Sequence[Counts] | Columns, row: int) -> Counts:
    if isinstance(counts, Mapping):
        return {window: column[row] for window, column in counts.items()}
    return counts[row]


def _namespace(agreement: Agreement) -> dict[str, object]:
    return {
        **{function.__name__: function for function in _FUNCTIONS},
        **{unit.removesuffix("s").upper(): span for unit, span in UNITS.items()},
        **{function.__name__: function for function in _OF_MESSAGES},
        "datetime": datetime,
        "lexicons": {name: lexicon.entries for name, lexicon in agreement.lexicons.items()},
        "entries": {name: Entries(lexicon.entries) for name, lexicon in agreement.lexicons.items()},
        "Counted": Counted,
        "Reading": Reading,
        "Sieve": Sieve,
        "Wanted": Wanted,
        "feature": feature,
        "joined_texts": joined_texts,
        "pieces": pieces,
        "window": known,
    }


def _module(namespace: Mapping[str, object]) -> _Module:
    names = ("breached", "breached_all", "breached_columns", "hits_of", "at_once", "judge", "Judging")
    breached, breached_all, breached_columns, hits_of, at_once, judge, reading = (namespace[name] for name in names)
    assert callable(breached)
    assert callable(breached_all)
    assert callable(breached_columns)
    assert callable(hits_of)
    assert callable(at_once)
    assert callable(judge)
    assert isinstance(reading, type)
    assert issubclass(reading, Reading)
    return _Module(
        breached=breached,
        breached_all=breached_all,
        breached_columns=breached_columns,
        hits_of=hits_of,
        at_once=at_once,
        judge=judge,
        reading=reading,
    )
