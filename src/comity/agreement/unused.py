"""A lint: lexicons, conditions and ladders that are declared and then never used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from comity.agreement.clauses import ReadClause
from comity.agreement.front_matter import FrontMatter
from comity.agreement.language import LEXICON_KINDS, ROLES
from comity.agreement.outline import Outline
from comity.agreement.problems import Problems
from comity.model.clause import MEASURES_ID, Ladder, Until
from comity.model.expression import Call, Comprehension, Expression, ListOf, Literal, Variable
from comity.model.ids import ClauseId


def check_unused(
    front: FrontMatter,
    outline: Outline,
    ladders: Mapping[ClauseId, Ladder],
    clauses: Iterable[ReadClause],
    problems: Problems,
) -> None:
    """Warns of what the agreement could do without. Only for an agreement without errors."""
    rules = [one.clause.rule for one in clauses if one.clause.rule]
    read = {name for rule in rules for name in _lexicons(rule.expression)}
    for lexicon in front.lexicons:
        if lexicon.name not in read:
            message = f"no rule reads the lexicon `{lexicon.name}`"
            problems.warning("C058", lexicon.at, message, help="delete the line, or use it in a rule")
    awaited = {name for ladder in ladders.values() for name in _conditions(ladder)}
    for name in front.condition_names:
        if name.value not in awaited:
            message = f"no ladder waits for the condition `{name.value}`"
            problems.warning("C058", name.at, message, help="delete the line, or use it in a ladder")
    counted = {owner for one in clauses for owner in one.clause.ladders}
    for section in outline.sections:
        if section.id in ladders and section.id not in counted:
            help = "delete it, or let a clause count on it"
            problems.warning("C093", section.at, f"the ladder of `{section.id}` governs no clause", help=help)
        elif section.id == MEASURES_ID and section.id not in ladders:
            help = "add a table with the header `| points | measure | channels | for |`"
            problems.warning("C093", section.at, "the section `measures` holds no ladder", help=help)


def _conditions(ladder: Ladder) -> Iterator[str]:
    for row in ladder.rows:
        if isinstance(row.term.length, Until):
            yield from row.term.length.conditions


def _lexicons(expression: Expression) -> Iterator[str]:
    """The names of the lexicons that a rule reads."""
    parts: tuple[Expression, ...] = ()
    match expression:
        case Call():
            for argument, role in zip(expression.args, ROLES.get(expression.overload, ()), strict=False):
                if role in LEXICON_KINDS and isinstance(argument, Literal):
                    yield str(argument.value)
            parts = expression.args
        case ListOf():
            parts = expression.items
        case Comprehension():
            where = (expression.where,) if expression.where else ()
            parts = (expression.over, expression.body, *where)
        case Literal() | Variable():
            pass
    for part in parts:
        yield from _lexicons(part)
