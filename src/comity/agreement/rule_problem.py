"""What the rule checker is told about an agreement, and what it says is wrong with a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comity.model.agreement import LexiconKind
from comity.model.expression import Span
from comity.model.ids import ClauseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a rule may name: the agreement's lexicons and clauses. `own` is the rule's clause."""

    lexicons: Mapping[str, LexiconKind]
    clauses: frozenset[ClauseId]
    own: ClauseId


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProblem:
    """Why a rule is refused. `span` is half-open, in code points of the rule's source, and never past its end."""

    code: str
    span: Span
    message: str
    label: str
    help: str
