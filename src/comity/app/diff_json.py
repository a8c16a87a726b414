"""The difference of two versions for programs: what people see, and all of it."""

from __future__ import annotations

import msgspec

from comity.agreement.changes import Change
from comity.agreement.diff import ClauseDiff
from comity.engine.explain import Explained
from comity.engine.proof.compare import Answer, Compared, Open, Proved, Witness
from comity.flow.diff import Difference

Built = dict[str, object]


def as_built(found: Difference, old: str, new: str) -> Built:
    """Dictionaries and lists, as `docs/diff.md` describes them."""
    written = found.written
    return {
        "old": {"name": old, "digest": found.old.digest},
        "new": {"name": new, "digest": found.new.digest},
        "front_matter": [_change(change) for change in written.front_matter],
        "clauses": [_clause(clause, found.rules.get(clause.id)) for clause in written.clauses],
        "ladders": [
            {"owner": ladder.owner, "changes": [_change(change) for change in ladder.changes]}
            for ladder in written.ladders
        ],
        "lexicons": [
            {
                "name": lexicon.name,
                "added": lexicon.added,
                "removed": lexicon.removed,
                "changes": [_change(change) for change in lexicon.kind],
            }
            for lexicon in written.lexicons
        ],
    }


def _change(change: Change) -> Built:
    return {"what": change.what, "old": change.old, "new": change.new, "effect": change.effect.value or None}


def _clause(clause: ClauseDiff, compared: Compared | None) -> Built:
    built: Built = {
        "id": clause.id,
        "title": clause.title,
        "status": clause.status.value,
        "changes": [_change(change) for change in clause.changes],
        "prose": None if clause.prose[0] == clause.prose[1] else {"old": clause.prose[0], "new": clause.prose[1]},
        "rule": {"old": clause.sources[0], "new": clause.sources[1]},
        "verdict": None,
    }
    if compared is None:
        return built
    answers = {"only_old": _answer(compared.only_old), "only_new": _answer(compared.only_new)}
    return {**built, "verdict": compared.verdict.value, **answers}


def _answer(answer: Answer) -> Built:
    match answer:
        case Proved():
            return {"answer": "none", "proved": True}
        case Open():
            return {"answer": "unknown", "why": answer.value}
        case Witness():
            return {
                "answer": "witness",
                "message": msgspec.to_builtins(answer.message),
                "counts": [
                    {
                        "counted": window.counted.value,
                        "within_seconds": window.within.total_seconds(),
                        "key": window.key,
                        "count": count,
                    }
                    for window, count in answer.counts.items()
                ],
                "old": _explained(answer.old),
                "new": _explained(answer.new),
            }


def _explained(explained: Explained | None) -> Built | None:
    if explained is None:
        return None
    return {
        "expression": explained.words,
        "value": explained.value,
        "parts": [_explained(part) for part in explained.below],
    }
