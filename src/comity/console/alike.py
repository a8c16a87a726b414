"""Similar cases of others, as a part of a case's page: looked for beside it, so that it waits for them no longer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from comity.console.asking import Reader
from comity.console.queue import since
from comity.flow.alike import Found, Known, words
from comity.flow.dossier import CaseDossier
from comity.model.ids import AccountId, ClauseId

_PATIENCE: Final = 0.05
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One of them. `statement` or `case`: where it is read."""

    account: AccountId
    ago: str
    what: str
    said: str
    by: str
    is_same: bool
    case: str
    statement: str
    outcome: str


class Likeness:
    """`reader` may be busy for long: whoever asks meanwhile is told so."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._known = reader, Known()

    async def like(self, found: CaseDossier, now: datetime) -> tuple[Line, ...] | None:
        """None: they are still being looked for."""
        account, clauses = found.whose.record.account, frozenset[ClauseId](each.id for each in found.clauses)
        same = words((each.message.subject, each.message.text) for each in found.shown)
        looking = asyncio.ensure_future(
            self._reader.look(lambda store: self._known.like(store, account, clauses, same, now))
        )
        done, _ = await asyncio.wait({looking}, timeout=_PATIENCE)
        return tuple(_line(each, now) for each in looking.result()) if done else None


def _line(found: Found, now: datetime) -> Line:
    one = found.one
    return Line(
        account=one.account,
        ago=since(one.at, now),
        what="a breach" if one.is_breach else "no breach",
        said=one.said,
        by=one.by or "a rule",
        is_same=found.is_same,
        case=one.case or "",
        statement=one.decision if one.is_breach else "",
        outcome=found.outcome or "",
    )
