"""A version's rules as one generated function: what judges every message.

The function reads a `Reading`, whose features are computed once and only when a rule asks, and answers with a bit for
each breached clause. Evidence is gathered afterwards, for breached clauses alone (see `evidence`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from comity.engine import clockface, functions
from comity.engine.compile import Compiler
from comity.engine.evidence import evidence
from comity.engine.reading import Reading, feature
from comity.engine.scan import Entries, Scan
from comity.engine.steps import Maker, Step
from comity.engine.windows import UNITS, Counted, Window, windows_of
from comity.model.agreement import Agreement
from comity.model.clause import Clause, Rule
from comity.model.finding import Finding
from comity.model.ids import ClauseId
from comity.model.message import Message

Counts = Mapping[Window, int | float]
"""What a plan's windows counted for one message."""

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


class Plan:
    """A version made ready for judging. Safe to share between threads; pickles by being made again."""

    __slots__ = ("_agreement", "_clauses", "_judge", "_maker", "_reading", "_steps", "needs", "rules", "source")

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self._clauses = [(clause, clause.rule) for clause in agreement.clauses if clause.rule]
        self.rules: tuple[ClauseId, ...] = tuple(clause.id for clause, _ in self._clauses)
        self.needs: tuple[Window, ...] = windows_of(agreement)
        compiler = _compiled(self._clauses)
        self.source: str = _source(self._clauses, compiler)
        namespace = _namespace(agreement)
        exec(compile(self.source, f"<plan {agreement.digest}>", "exec"), namespace)  # noqa: S102 (own source)
        self._judge, self._reading = _entries(namespace)
        self._maker = Maker(compiler=compiler, namespace=namespace)
        self._steps: dict[ClauseId, Step] = {}

    def __reduce__(self) -> tuple[Callable[[Agreement], Plan], tuple[Agreement]]:
        return plan, (self._agreement,)

    def breached(self, message: Message, counts: Counts) -> frozenset[ClauseId]:
        """The clauses that the message breaches, without evidence."""
        return frozenset(clause.id for clause, _ in self._of(self._bits(self._reading(message, counts))))

    def judge(self, message: Message, counts: Counts, *, late: bool = False) -> tuple[Finding, ...]:
        """Every breached clause that applies on the message's channel, shadow ones too, with its evidence.

        `counts` answers `needs`; `late` is what `History.take` said of the message.
        """
        reading = self._reading(message, counts)
        return self._findings(self._bits(reading), reading, late=late)

    def judge_batch(
        self, messages: Sequence[Message], counts: Sequence[Counts] | None = None, late: Sequence[bool] | None = None
    ) -> list[tuple[Finding, ...]]:
        """What `judge` says of each message, quicker. `counts` and `late`: one for each, or none for all."""
        given = counts or [{}] * len(messages)
        lateness = late or [False] * len(messages)
        rows = zip(self.breached_batch(messages, counts), messages, given, lateness, strict=True)
        return [self.findings(bits, message, of, late=is_late) if bits else () for bits, message, of, is_late in rows]

    def breached_batch(self, messages: Sequence[Message], counts: Sequence[Counts] | None = None) -> list[int]:
        """What each message breaches, as bits: bit n stands for `rules[n]`."""
        rows = zip(messages, counts or [{}] * len(messages), strict=True)
        return [self._bits(self._reading(message, of)) for message, of in rows]

    def findings(self, bits: int, message: Message, counts: Counts, *, late: bool = False) -> tuple[Finding, ...]:
        """The findings, with evidence, for the bits that `breached_batch` gave for the message."""
        return self._findings(bits, self._reading(message, counts), late=late)

    def _findings(self, bits: int, reading: Reading, *, late: bool) -> tuple[Finding, ...]:
        return tuple(
            Finding(clause=clause.id, evidence=evidence(self._step(clause, rule), reading), late=late)
            for clause, rule in self._of(bits)
        )

    def _bits(self, reading: Reading) -> int:
        bits = self._judge(reading)
        assert isinstance(bits, int)
        return bits

    def _of(self, bits: int) -> Iterator[tuple[Clause, Rule]]:
        while bits:
            lowest = bits & -bits
            yield self._clauses[lowest.bit_length() - 1]
            bits -= lowest

    def read(self, message: Message, counts: Counts) -> Reading:
        """The message as this plan's rules read it: for `explain`."""
        return self._reading(message, counts)

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


def _compiled(clauses: list[tuple[Clause, Rule]]) -> Compiler:
    """A compiler that knows what is worth sharing, from a first pass over all rules."""
    first = Compiler()
    for clause, rule in clauses:
        first.code(rule.expression, clause.id)
    often = frozenset(plain for plain, count in first.seen.items() if count > 1)
    return Compiler(shared=often, constants=first.constants, groups=first.groups)


def _source(clauses: list[tuple[Clause, Rule]], compiler: Compiler) -> str:
    body: list[str] = []
    channels: frozenset[str] | None = None
    for number, (clause, rule) in enumerate(clauses):
        if clause.channels != channels:
            channels = clause.channels
            body.append(f"    if f.channel in {compiler.constant(f'frozenset({sorted(channels)!r})')}:")
        code = compiler.code(rule.expression, clause.id).text
        body += [f"        if {code}:", f"            breached |= {1 << number}  # {clause.id}"]
    constants = [f"{name} = {source}" for source, name in compiler.constants.items()]
    features = [
        f"    @feature\n    def said_in_{name}(f):\n        return scan_of_{name}.groups_in(f.folded_{name})\n"
        for name in compiler.groups
    ]
    features += [f"    @feature\n    def {name}(f):\n        return {code}\n" for name, code in compiler.parts.values()]
    scans = [f"scan_of_{name} = Scan([{', '.join(groups)}])" for name, groups in compiler.groups.items()]
    judging = ["", "", "class Judging(Reading):", "    lexicons = entries", "", *features]
    return "\n".join(
        [*constants, *scans, *judging, "", "def judge(f):", "    breached = 0", *body, "    return breached\n"]
    )


def _namespace(agreement: Agreement) -> dict[str, object]:
    return {
        **{function.__name__: function for function in _FUNCTIONS},
        **{unit.removesuffix("s").upper(): span for unit, span in UNITS.items()},
        "datetime": datetime,
        "lexicons": {name: lexicon.entries for name, lexicon in agreement.lexicons.items()},
        "entries": {name: Entries(lexicon.entries) for name, lexicon in agreement.lexicons.items()},
        "Counted": Counted,
        "Reading": Reading,
        "Scan": Scan,
        "Window": Window,
        "feature": feature,
    }


def _entries(namespace: Mapping[str, object]) -> tuple[Callable[[Reading], object], type[Reading]]:
    judge, judging = namespace["judge"], namespace["Judging"]
    assert callable(judge)
    assert isinstance(judging, type)
    assert issubclass(judging, Reading)
    return judge, judging
