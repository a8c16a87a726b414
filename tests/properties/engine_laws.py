"""The law of all ways of judging, over drawn streams; and how a stream that breaks it is made small.

reference == single == batch == in turns == file == columns: the same clauses, and from the middle four the same
findings to the letter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from graphlib import CycleError
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from engine_grammar import agreement_of
from engine_streams import (
    Clauses,
    Findings,
    Stream,
    as_they_are,
    bare,
    batch,
    expected,
    from_arrow,
    in_turns,
    over_columns,
    single,
    stray,
    stream,
    through_file,
)
from test_intake_round_trip import record, write_json, write_parquet

from comity.engine import sieve
from comity.model.agreement import Agreement
from comity.model.expression import Call, Expression, Type
from comity.model.message import Message

Difference = str | None
Answers = Sequence[Clauses]
_WRITERS: Final = (write_json, write_parquet)
_MOST_TRIES: Final = 4000
_TEXTS: Final = sieve._TEXTS


@dataclass(frozen=True, slots=True)
class Law:
    """Judges streams in every way. `folder` is for archives; without one nothing is written."""

    folder: Path | None

    def difference(self, made: Stream, answers: Answers | None = None) -> Difference:
        """The first disagreement, in words; None if there is none. `answers`: the reference's, if at hand."""
        try:
            return self._difference(made, (expected(made) or ()) if answers is None else answers)
        except Exception as error:  # noqa: BLE001 (whatever is raised is a fault found)
            return f"raised {type(error).__name__}: {error}"

    def _difference(self, made: Stream, answers: Answers) -> Difference:
        # Every other stream is judged as if many texts had come before: then a text is searched at once for everything.
        sieve._TEXTS = _TEXTS if len(made.messages) % 2 else 0
        alone = single(made)
        for number, (clauses, findings) in enumerate(zip(answers, alone, strict=False)):
            judged = _clauses(findings)
            if judged != clauses:
                return f"message {number}: reference {sorted(clauses)}, single {sorted(judged)}"
        for way, found in self._others(made):
            for number, (findings, others) in enumerate(zip(alone, found, strict=True)):
                if findings != others:
                    return f"message {number}: single {findings}, {way} {others}"
        for way, judged, found in _over_columns(made, alone):
            for number, (clauses, others) in enumerate(zip(judged, found, strict=True)):
                if clauses != others:
                    return f"message {number}: single {sorted(clauses)}, {way} {sorted(others)}"
        strays = [number for number, pair in enumerate(zip(made.messages, alone, strict=True)) if stray(*pair)]
        return f"message {strays[0]}: evidence outside of it" if strays else None

    def _others(self, made: Stream) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
        yield "batch", list(batch(made))
        yield "in turns", list(in_turns(made))
        if self.folder is not None and made.messages and all(one.source == "f" for one in made.messages):
            write = _WRITERS[len(made.messages[0].text) % 2]
            yield "file", list(through_file(made, lambda file, some: write(file, list(map(record, some))), self.folder))


def _over_columns(made: Stream, alone: Sequence[Findings]) -> Iterator[tuple[str, list[Clauses], list[Clauses]]]:
    """What single judging says and what columns say: of the messages, and of what quick reading knows of them."""
    few = Stream(made.agreement, tuple(map(bare, made.messages)))
    with suppress(CycleError):  # the checker refuses such versions
        yield "columns", [_clauses(findings) for findings in alone], over_columns(made, as_they_are)
        yield "columns of Arrow", [_clauses(findings) for findings in single(few)], over_columns(few, from_arrow)


def _clauses(findings: Findings) -> Clauses:
    return frozenset(finding.clause for finding in findings)


def smallest(made: Stream, is_bad: Callable[[Stream], bool]) -> Stream:
    """A stream that is still bad, with nothing left to take out: messages, clauses, parts of rules, characters."""
    tries = 0
    while True:
        for smaller in _smaller(made):
            tries += 1
            if tries > _MOST_TRIES:
                return made
            if is_bad(smaller):
                made = smaller
                break
        else:
            return made


def _smaller(made: Stream) -> Iterator[Stream]:
    messages, clauses = made.messages, made.agreement.clauses
    for size in (len(messages) // 2, len(messages) // 4, 1):
        for start in range(0, len(messages) if size else 0, max(size, 1)):
            yield Stream(made.agreement, messages[:start] + messages[start + size :])
    for clause in clauses:
        kept = tuple(one for one in clauses if one is not clause)
        yield Stream(dataclasses.replace(made.agreement, clauses=kept), messages)
    for version in _simpler(made.agreement):
        yield Stream(version, messages)
    for number, one in enumerate(messages):
        for simpler in _plainer(one):
            yield Stream(made.agreement, (*messages[:number], simpler, *messages[number + 1 :]))


def _simpler(version: Agreement) -> Iterator[Agreement]:
    """With a part of one rule in place of the whole."""
    sources = {clause.id: clause.rule.source for clause in version.clauses if clause.rule}
    for clause in version.clauses:
        if clause.rule is None:
            continue
        for part in _parts(clause.rule.expression):
            shorter = clause.rule.source[part.at.start : part.at.end]
            if len(shorter) < len(clause.rule.source):
                made = agreement_of({**sources, clause.id: shorter}, version.lexicons)
                if len(made.clauses) == len(version.clauses):
                    yield made


def _parts(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, Call):
        for argument in expression.args:
            if argument.type is Type.BOOL:
                yield argument
            yield from _parts(argument)


def _plainer(one: Message) -> Iterator[Message]:
    bare = Message(id=one.id, author=one.author, channel=one.channel, text=one.text, sent=one.sent, source=one.source)
    for name in one.__struct_fields__:
        if getattr(one, name) != getattr(bare, name):
            yield msgspec.structs.replace(one, **{name: getattr(bare, name)})
    for name in ("text", "subject"):
        value: str = getattr(one, name)
        for size in dict.fromkeys((len(value) // 2, len(value) // 4, 1)):
            for start in range(0, len(value) if size else 0, max(size, 1)):
                yield msgspec.structs.replace(one, **{name: value[:start] + value[start + size :]})


def shown(made: Stream) -> str:
    """A reproduction for people: rules, lexicon, messages."""
    rules = [f"  {c.id} ({c.decide}): {c.rule.source}" for c in made.agreement.clauses if c.rule]
    lines = [f"  {msgspec.json.encode(one).decode()}" for one in made.messages]
    return "\n".join(["rules:", *rules, f"slurs: {made.agreement.lexicons['slurs'].entries}", "messages:", *lines])


def drawn(seed: int) -> Stream:
    return stream(Random(seed), has_alike=seed % 4 == 1)
