"""Facts as the ledger's entries: what is public of them, and the openings of what is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from comity.casework.facts import (
    Accepted,
    Appealed,
    Change,
    Decided,
    Delivered,
    Joined,
    Lifted,
    OutcomeGiven,
    Recomputed,
)
from comity.casework.recorded import Recorded, as_decided
from comity.ledger import entry as ledger
from comity.ledger.commitment import SALT_LENGTH, Opening, commit
from comity.ledger.hours import hour_of
from comity.ledger.sealed import seal_entry
from comity.ledger.tree import ids_root
from comity.model.clause import Kind
from comity.model.ids import AccountId, Digest
from comity.model.measure import Measure
from comity.model.statement import Statement
from comity.ports import Entropy, Owned

_SORTED: Final = msgspec.json.Encoder(order="sorted")


class Sealed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry and the openings of the private fields that it commits to, each with whose it is."""

    entry: ledger.Entry
    openings: tuple[Owned, ...] = ()


def sealed_entry(one: Sealed, entropy: Entropy) -> Sealed:
    """The same in the sealed profile. All of its openings are of one account."""
    entry, opening = seal_entry(one.entry, entropy.token(SALT_LENGTH))
    return Sealed(entry=entry, openings=(Owned(account=one.openings[0].account, opening=opening), *one.openings))


def statement_entry(decided: Decided, entropy: Entropy) -> Sealed:
    """The public part of a statement: no account, no message, no text, but a commitment to each."""
    statement = decided.statement
    private = {"account": decided.account, "message": _message(statement), "statement": _json(statement)}
    commitments, openings = _committed(decided.account, decided.decision, private, entropy)
    entry = ledger.statement(
        entry_id=decided.decision,
        at=decided.at,
        agreement=statement.agreement,
        clauses=tuple([clause.id for clause in statement.clauses]),
        points=sum([points.count for points in decided.points]),
        measures=tuple(map(_public, as_decided(decided))),
        by="rule" if statement.decided_automatically else "person",
        auto=ledger.Automation(
            found=1 if statement.found_automatically else 0, decided=1 if statement.decided_automatically else 0
        ),
        live={**dict.fromkeys(decided.ladders, 0), **dict(statement.live)},
        commitments=commitments,
    )
    return Sealed(entry=entry, openings=openings)


def correction_entry(cause: Change, corrected: Recorded, entropy: Entropy) -> Sealed:
    """The statement's next version: what it says from now on, and why, which is private."""
    entry_id, decided = entropy.token(16).hex(), corrected.decided
    field = {Joined: "breach", Delivered: "delivery"}.get(type(cause), "cause")
    commitments, openings = _committed(cause.account, entry_id, {field: _json(cause)}, entropy)
    measures = corrected.measures
    by_rule = isinstance(cause, Delivered | Recomputed) or (isinstance(cause, Joined) and cause.by is None)
    tells_termination = any(each.kind is Kind.TERMINATE for each in measures)  # a person's, whoever tells it again
    entry = ledger.correction(
        entry_id=entry_id,
        at=cause.at,
        corrects=decided.decision,
        agreement=decided.statement.agreement,
        clauses=corrected.clauses,
        points=sum(points.count for points in decided.points) if corrected.is_live else 0,
        measures=tuple(map(_public, measures)),
        by="rule" if by_rule and not tells_termination else "person",
        commitments=commitments,
    )
    return Sealed(entry=entry, openings=openings)


def lift_entry(fact: Lifted, entropy: Entropy) -> Sealed:
    """The measures of a statement ended before their time."""
    entry_id = entropy.token(16).hex()
    commitments, openings = _committed(fact.account, entry_id, {"cause": _json(fact)}, entropy)
    entry = ledger.LiftEntry(id=entry_id, at=hour_of(fact.at), by="person", prev=fact.decision, c=commitments)
    return Sealed(entry=entry, openings=openings)


def appeal_entry(fact: Appealed, entropy: Entropy) -> Sealed:
    """A statement was appealed; who did and why is private."""
    commitments, openings = _committed(fact.account, fact.appeal, {"appeal": _json(fact)}, entropy)
    entry = ledger.AppealEntry(id=fact.appeal, at=hour_of(fact.at), prev=fact.decision, c=commitments)
    return Sealed(entry=entry, openings=openings)


def outcome_entry(fact: OutcomeGiven, entropy: Entropy) -> Sealed:
    """An appeal was decided."""
    entry_id = entropy.token(16).hex()
    commitments, openings = _committed(fact.account, entry_id, {"outcome": _json(fact)}, entropy)
    entry = ledger.OutcomeEntry(
        id=entry_id,
        at=hour_of(fact.at),
        outcome=fact.outcome.value,
        prev=fact.appeal,
        c=commitments,
    )
    return Sealed(entry=entry, openings=openings)


def acceptances_entries(accepted: Iterable[Accepted], entropy: Entropy) -> tuple[Sealed, ...]:
    """One entry a version: how many accepted it, and a root under which each can show that they did."""
    by_version: dict[Digest, list[Accepted]] = {}
    for each in accepted:
        by_version.setdefault(each.agreement, []).append(each)
    return tuple(_acceptances(version, each, entropy) for version, each in by_version.items())


def _acceptances(version: Digest, accepted: list[Accepted], entropy: Entropy) -> Sealed:
    entry_id = entropy.token(16).hex()
    fields = {f"acceptance-{number}": _json(each) for number, each in enumerate(accepted)}
    commitments, openings = _committed(accepted[0].account, entry_id, fields, entropy)
    entry = ledger.AcceptancesEntry(
        id=entry_id,
        at=hour_of(max(each.at for each in accepted)),
        agreement=version,
        count=len(accepted),
        root=ids_root(commitments.values()),
    )
    pairs = zip(accepted, openings, strict=True)
    return Sealed(entry=entry, openings=tuple(Owned(account=one.account, opening=each.opening) for one, each in pairs))


def _public(measure: Measure) -> ledger.PublicMeasure:
    act = f"limit to {measure.rate}" if measure.rate else measure.kind.value
    return ledger.measure(act, measure.channels, measure.end, measure.until)


def _committed(
    account: AccountId, entry_id: str, fields: Mapping[str, str], entropy: Entropy
) -> tuple[dict[str, str], tuple[Owned, ...]]:
    """What the entry's `c` has, and the openings of it, which are the account's."""
    salts = entropy.token(SALT_LENGTH * len(fields))
    commitments: dict[str, str] = {}
    owned: list[Owned] = []
    for number, (field, value) in enumerate(fields.items()):
        salt = salts[number * SALT_LENGTH : (number + 1) * SALT_LENGTH]
        commitments[field] = commit(salt, entry_id, field, value)
        owned.append(Owned(account=account, opening=Opening(entry_id=entry_id, field=field, salt=salt, value=value)))
    return commitments, tuple(owned)


def _message(statement: Statement) -> str:
    return "\n".join([f"{message.source}/{message.id}" for message in statement.messages])


def _json(value: msgspec.Struct) -> str:
    return _SORTED.encode(value).decode()
