"""The difference of two versions as lines for people: words first, colours only where a terminal has them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from itertools import islice
from typing import Final

from rich.text import Text

from comity.agreement.changes import Change, Effect
from comity.agreement.diff import ClauseDiff, LexiconDiff, Status
from comity.agreement.language import VARIABLES
from comity.app.messages import fields_of
from comity.casework.wording import counted, printable
from comity.engine.explain import Explained
from comity.engine.proof.compare import Answer, Compared, Open, Proved, Verdict, Witness
from comity.flow.diff import Difference

MOST_ENTRIES: Final = 20
"""Entries of a lexicon that are shown; `--json` has all."""

MOST_VALUES: Final = 12
_MOST_PROSE: Final = 40
_STYLES: Final = {"stricter": "red", "looser": "green", "both": "yellow", "unknown": "magenta", "same": "dim"}
_VERDICTS: Final = {
    Verdict.SAME: "the rule finds the same (proved)",
    Verdict.STRICTER: "the rule is stricter (proved)",
    Verdict.LOOSER: "the rule is looser (proved)",
    Verdict.BOTH: "the rule finds other messages, not just more or fewer (shown)",
    Verdict.UNKNOWN: "it is not known what became of the rule",
}

_SUMMED: Final = {Verdict.BOTH: "stricter here and looser there", Verdict.UNKNOWN: "not known"}
"""In the last line, where the verdict's own word would not be understood alone."""


def lines(found: Difference, old: str, new: str) -> Iterator[Text]:
    """All that differs. Empty parts are left out; a line in bold begins one."""
    yield Text(f"{printable(old)} -> {printable(new)}", style="bold")
    written = found.written
    changed = [clause for clause in written.clauses if _differs(clause, found.rules.get(clause.id))]
    if written.front_matter:
        yield from (Text(""), Text("front matter", style="bold"))
        yield from map(_change, written.front_matter)
    for clause in changed:
        yield from _clause(clause, found.rules.get(clause.id))
    for ladder in written.ladders:
        yield from (Text(""), Text(f"ladder of {ladder.owner}", style="bold"))
        yield from map(_change, ladder.changes)
    for lexicon in written.lexicons:
        yield from _lexicon(lexicon)
    yield Text("")
    yield Text(_summary(found, len(written.clauses) - len(changed)))


def _differs(clause: ClauseDiff, compared: Compared | None) -> bool:
    is_kept = clause.status is Status.KEPT and not clause.changes
    same_words = clause.prose[0] == clause.prose[1] and clause.sources[0] == clause.sources[1]
    return not (is_kept and same_words and (compared is None or compared.verdict is Verdict.SAME))


def _change(change: Change) -> Text:
    what = f"  {change.what}: {printable(change.old) or '-'} -> {printable(change.new) or '-'}"
    if change.what == "place":
        what = "  moved to another place"
    return Text.assemble(what, *_effect(change.effect))


def _effect(effect: Effect) -> Iterator[tuple[str, str]]:
    if effect is not Effect.NEITHER:
        yield f"  [{effect}]", _STYLES[effect]


def _clause(clause: ClauseDiff, compared: Compared | None) -> Iterator[Text]:
    yield Text("")
    status = "" if clause.status is Status.KEPT else f" ({clause.status})"
    yield Text(f"{clause.id}: {printable(clause.title)}{status}", style="bold")
    yield from map(_change, clause.changes)
    yield from _prose(*clause.prose)
    yield from _rule(clause, compared)


def _prose(old: str, new: str) -> Iterator[Text]:
    if old and new:
        lines = unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
        shown = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        yield from _cut([_marked(line[0], line[1:]) for line in shown], _MOST_PROSE)


def _rule(clause: ClauseDiff, compared: Compared | None) -> Iterator[Text]:
    old, new = clause.sources
    if old != new:
        yield from (_marked("-", line) for line in (old or "").splitlines())
        yield from (_marked("+", line) for line in (new or "").splitlines())
    if compared is not None and not (compared.verdict is Verdict.SAME and old == new):
        yield Text(f"  {_VERDICTS[compared.verdict]}", style=_STYLES[compared.verdict])
        yield from _answer("old", compared.only_old, compared.verdict)
        yield from _answer("new", compared.only_new, compared.verdict)


def _marked(sign: str, line: str) -> Text:
    return Text(f"  {sign} {printable(line)}", style="red" if sign == "-" else "green")


def _answer(which: str, answer: Answer, verdict: Verdict) -> Iterator[Text]:
    match answer:
        case Proved():
            if verdict is not Verdict.SAME:
                other = "new" if which == "old" else "old"
                yield Text(f"    proved: whatever breaches the {which} rule breaches the {other} one")
        case Open():
            yield Text(
                f"    open: is there a message that only the {which} rule finds? {answer[0].upper()}{answer[1:]}."
            )
        case Witness():
            yield Text(f"    only the {which} rule finds this message:")
            yield from (Text(f"      {line}") for line in fields_of(answer.message))
            yield from _judged(answer)


def _judged(witness: Witness) -> Iterator[Text]:
    """What either rule said of the witness, and the values that it rests on."""
    for which, explained in (("old", witness.old), ("new", witness.new)):
        is_breached = explained is not None and explained.value == "true"
        yield Text(f"      {which}: {'breached' if is_breached else 'not breached'}")
    values: dict[str, list[str]] = {}
    for tree in filter(None, (witness.old, witness.new)):
        for words, value in dict(_values(tree)).items():
            values.setdefault(words, []).append(value)
    for words, said in islice(values.items(), MOST_VALUES):
        shown = said[0] if len(set(said)) == 1 else f"{said[0]} (old), {said[1]} (new)"
        yield Text(f"        {words} = {shown}", style="dim")


def _values(part: Explained) -> Iterator[tuple[str, str]]:
    """The parts that say most: numbers, and truths that are made of no others. Variables are shown with the message."""
    tested = [below for below in part.below if below.words not in VARIABLES]
    if part.words not in VARIABLES and (not tested or part.value not in ("true", "false")):
        yield printable(" ".join(part.words.split())), printable(part.value)
    for below in tested:
        yield from _values(below)


def _lexicon(lexicon: LexiconDiff) -> Iterator[Text]:
    yield Text("")
    came, went = counted(len(lexicon.added), "entry", "entries"), counted(len(lexicon.removed), "entry", "entries")
    yield Text(f"lexicon {lexicon.name}: {came} added, {went} removed", style="bold")
    yield from map(_change, lexicon.kind)
    yield from _cut([_marked("-", entry) for entry in lexicon.removed], MOST_ENTRIES)
    yield from _cut([_marked("+", entry) for entry in lexicon.added], MOST_ENTRIES)


def _cut(lines: list[Text], most: int) -> Iterator[Text]:
    yield from lines[:most]
    if len(lines) > most:
        yield Text(f"  ... and {len(lines) - most} more", style="dim")


def _summary(found: Difference, unchanged: int) -> str:
    verdicts = [compared.verdict for compared in found.rules.values()]
    said = [
        f"{verdicts.count(verdict)} {_SUMMED.get(verdict, verdict)}"
        for verdict in Verdict
        if verdict in verdicts and verdict is not Verdict.SAME
    ]
    statuses = [clause.status for clause in found.written.clauses]
    said += [
        f"{statuses.count(status)} {status}" for status in Status if status in statuses and status is not Status.KEPT
    ]
    return f"{counted(unchanged, 'clause')} as before" + (f"; {', '.join(said)}." if said else ".")
