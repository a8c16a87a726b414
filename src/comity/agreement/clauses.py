"""Sections to clauses: their rules, examples and attributes, and the ladders that govern them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from comity.agreement.attributes import Attributes, read_attributes
from comity.agreement.decoding import check_visible
from comity.agreement.document import Fence
from comity.agreement.examples import read_examples
from comity.agreement.front_matter import FrontMatter
from comity.agreement.outline import Outline, Section
from comity.agreement.problems import Problems
from comity.agreement.rules import CheckedRule, Names, check_rule
from comity.agreement.source import Excerpt
from comity.model.agreement import LexiconKind
from comity.model.clause import MEASURES_ID, Clause, Counts, Decide, Example, Ladder, Rule
from comity.model.duration import Duration, Unit
from comity.model.expression import Span
from comity.model.ids import ClauseId

_ONCE: Final = Duration(count=1, unit=Unit.DAY)
_ALMOST: Final = {"rules": "rule", "example": "examples", "rule": "rule", "examples": "examples"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A rule's source with the places of its lines in the file."""

    fence: Fence

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.fence.lines)

    def at(self, span: Span) -> Excerpt:
        """A span of the source as a place in the file."""
        start = self._offset(span.start)
        return Excerpt(source=self.fence.at.source, start=start, end=max(start, self._offset(span.end)))

    def _offset(self, offset: int) -> int:
        for line in self.fence.lines:
            length = len(line.text)
            if offset <= length:
                return line.start + offset
            offset -= length + 1
        return self.fence.lines[-1].end if self.fence.lines else self.fence.at.end


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadClause:
    """A clause as far as it could be read, with what other checks need of it."""

    clause: Clause
    section: Section
    rule_text: RuleText | None
    checked: CheckedRule | None


class ClauseReader:
    """Reads the sections of one agreement; what they may name is given once."""

    def __init__(
        self, front: FrontMatter, outline: Outline, ladders: Mapping[ClauseId, Ladder], problems: Problems
    ) -> None:
        self._front = front
        self._ladders = ladders
        self._problems = problems
        self._lexicons: dict[str, LexiconKind] = {lexicon.name: lexicon.kind for lexicon in front.lexicons}
        self._ids = frozenset(section.id for section in outline.sections if section.id != MEASURES_ID)

    def read(self, section: Section) -> ReadClause:
        fence = _only_rule(section, self._problems)
        attributes = read_attributes(fence.attributes, self._front.channels, self._problems) if fence else Attributes()
        rule_text = RuleText(fence=fence) if fence and any(line.text.strip() for line in fence.lines) else None
        checked = self._checked(section, rule_text) if rule_text else None
        examples = self._examples(section, rule_text)
        self._check_prose(section, fence)
        return ReadClause(
            clause=self._clause(section, attributes, _rule(rule_text, checked), examples, has_rule=checked is not None),
            section=section,
            rule_text=rule_text,
            checked=checked,
        )

    def _clause(
        self,
        section: Section,
        attributes: Attributes,
        rule: Rule | None,
        examples: tuple[Example, ...],
        *,
        has_rule: bool,
    ) -> Clause:
        front = self._front
        once = _ONCE if attributes.once is None and rule and rule.reads_history else attributes.once
        return Clause(
            id=section.id,
            title=section.title,
            prose=section.prose,
            line=section.line,
            parent=section.parent,
            rule=rule,
            decide=self._decide(attributes, has_rule=has_rule),
            points=attributes.points,
            expires=front.points_expire if attributes.expires is None else attributes.expires,
            once=once if once and once.count else None,
            ladders=self._ladders_of(section, attributes),
            category=attributes.category,
            channels=frozenset(front.channels) if attributes.channels is None else attributes.channels,
            examples=examples,
        )

    def _checked(self, section: Section, rule: RuleText) -> CheckedRule:
        for line in rule.fence.lines:
            check_visible(line, self._problems)
        names = Names(lexicons=self._lexicons, clauses=self._ids, own=section.id)
        checked = check_rule(rule.text, names)
        for problem in checked.problems:
            at = rule.at(problem.span)
            self._problems.error(problem.code, at, problem.message, label=problem.label, help=problem.help)
        return checked

    def _examples(self, section: Section, rule: RuleText | None) -> tuple[Example, ...]:
        fences = [fence for fence in section.fences if fence.word == "examples"]
        if rule is None:
            for fence in fences:
                help = "write the rule's expression, or delete the examples"
                self._problems.error("C076", fence.at, "these examples have no rule to test", help=help)
            return ()
        read = [read_examples(fence, rule.text, self._problems) for fence in fences]
        examples = tuple(example for some in read for example in some)
        missing = [word for word, breaches in _EXPECTED if not any(one.breaches is breaches for one in examples)]
        if missing:
            message = f"the rule has no example that {' and none that '.join(missing)}"
            help = "add an `examples` fence with `breach: TEXT` and `fine: TEXT`"
            self._problems.warning("C072", rule.fence.at, message, help=help)
        return examples

    def _check_prose(self, section: Section, fence: Fence | None) -> None:
        if fence is not None and not section.has_words:
            help = "say in words what the rule asks: statements quote it"
            self._problems.error("C062", section.at, f"the clause `{section.id}` has a rule and no prose", help=help)

    def _decide(self, attributes: Attributes, *, has_rule: bool) -> Decide:
        if has_rule:
            return attributes.decide or Decide.AUTO
        if attributes.decide not in (None, Decide.REVIEW):
            message = f"`decide={attributes.decide}` needs a rule that finds something"
            help = "write an expression, or leave `decide` out: a reviewer decides"
            self._problems.error("C070", attributes.places["decide"], message, help=help)
        return Decide.REVIEW

    def _ladders_of(self, section: Section, attributes: Attributes) -> tuple[ClauseId, ...]:
        own = next((one for one in (section.id, *section.around) if one in self._ladders and one != MEASURES_ID), None)
        main = MEASURES_ID if MEASURES_ID in self._ladders else None
        wanted = attributes.counts or (Counts.OWN if own else Counts.MAIN)
        found = [one for one, counts in ((own, Counts.OWN), (main, Counts.MAIN)) if wanted in (counts, Counts.BOTH)]
        if None not in found:
            return tuple(one for one in found if one is not None)
        if attributes.counts is None:
            help = "add a section `{#measures}` with a ladder, or a ladder to this clause"
            self._problems.error("C063", section.at, f"no ladder governs the clause `{section.id}`", help=help)
        else:
            lacking = "ladder of its own" if own is None and wanted is not Counts.MAIN else "main ladder"
            help = "leave `counts` out, or add the ladder"
            message = f"`counts={wanted}` needs a {lacking}"
            self._problems.error("C070", attributes.places["counts"], message, help=help)
        return ()


_EXPECTED: Final = (("breaches", True), ("is fine", False))


def _only_rule(section: Section, problems: Problems) -> Fence | None:
    rules = [fence for fence in section.fences if fence.word == "rule"]
    for fence in rules[1:]:
        help = "join them with `||`, or give this one a heading with an id of its own"
        message = f"the clause `{section.id}` has a second rule"
        problems.error("C064", fence.at, message, label=f"the first one is on line {rules[0].line + 1}", help=help)
    if rules:
        check_visible(rules[0].attributes, problems)
    return rules[0] if rules else None


def _rule(text: RuleText | None, checked: CheckedRule | None) -> Rule | None:
    if text is None or checked is None or checked.expression is None:
        return None
    return Rule(
        source=text.text,
        expression=checked.expression,
        line=text.fence.line + 2,
        reads_history=checked.reads_history,
        is_conduct=checked.is_conduct,
    )


def check_fences(outline: Outline, problems: Problems) -> None:
    """Reports fences of rules and examples that stand where no clause has them."""
    for fence in outline.loose_fences:
        _check_fence(fence, problems, "give the heading above it an id, such as `{#no-spam}`")
    for section in outline.sections:
        for fence in section.fences:
            _check_fence(fence, problems, "move it to a clause" if section.id == MEASURES_ID else "")


def _check_fence(fence: Fence, problems: Problems, mend: str) -> None:
    meant = _ALMOST.get(fence.word.lower())
    if meant is None:
        return
    if fence.word != meant:
        help = f"write `{meant}` if it shall run, or choose another word"
        problems.warning("C078", fence.at, f"a `{fence.word[:20]}` fence is only text", help=help)
    elif fence.is_nested:
        help = "move it to the start of a line of its own"
        problems.error("C066", fence.at, f"a `{meant}` fence stands inside a list or a quotation", help=help)
    elif mend:
        problems.error("C065", fence.at, f"the `{meant}` fence stands in no clause", help=mend)
    elif not fence.is_closed:
        help = "end it with a line of the same marks"
        problems.error("C067", fence.at, f"the `{meant}` fence is not closed", help=help)
