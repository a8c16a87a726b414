"""What the audit leaves out to be quick must change nothing: statements read once for all alike, ids put aside."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.ledger import entry as ledger
from comity.ledger import mentions as kept_aside
from comity.ledger.audit import Audit
from comity.ledger.entry import EntryError, canonical
from comity.ledger.mentions import Held, Mention, Mentions, Role, Scratch
from comity.stores.scratch import FileScratch

AT = datetime(2026, 7, 30, 14, tzinfo=UTC)
DIGEST = f"sha256:{'a' * 64}"
BEFORE = (
    ledger.GenesisEntry(id=f"{0:032x}", at=AT, operator="Us", origin="a.example", key="none", retention=7),
    ledger.AgreementEntry(id=f"{1:032x}", at=AT, agreement=DIGEST, effective=AT),
)


def statement(number: int) -> bytes:
    one = ledger.statement(
        entry_id=f"{number:032x}",
        at=AT,
        agreement=DIGEST,
        clauses=("spam",),
        points=1,
        measures=(ledger.measure("warn"),),
        by="rule",
        auto=ledger.Automation(found=1, decided=1),
        commitments={"account": f"{number:064x}", "id": f"{number + 1:064x}"},
    )
    return canonical(one)


def said(*contents: bytes) -> str:
    """What the audit says of the last entry."""
    audit, wrong = Audit(), ""
    for index, content in enumerate([*map(canonical, BEFORE), *contents]):
        try:
            wrong = " ".join(audit.take(index, content))
        except EntryError as error:
            wrong = str(error)
    return wrong


@pytest.mark.parametrize("change", [b"0", b"g", b"A", b'"', b":", b" ", b"\0", b""])
def test_a_statement_like_one_before_it_is_still_looked_at_byte_by_byte(change: bytes) -> None:
    model, other = statement(2), statement(0xABCDEF)
    assert said(model, other) == ""
    for at in range(len(other)):
        changed = other[:at] + change + other[at + 1 :]
        assert said(model, changed) == said(changed), (at, changed)


@pytest.mark.parametrize("number", [0xABC, 0xABD])  # the hash of `account`, and of a field that is called `id` too
def test_a_hash_and_the_id_that_change_places_are_not_taken_for_each_other(number: int) -> None:
    """The bytes are as many, and apart from the digits the same."""
    whole, entry_id = statement(0xABC), b'"id":"%032x","met"' % 0xABC
    swapped = whole.replace(b'"%064x"' % number, b'"%032x"' % 1).replace(entry_id, b'"id":"%064x","met"' % 1)
    assert len(swapped) == len(whole)
    assert said(statement(2), swapped) == said(swapped) != ""


def of_one_length(entry_id: int, *, ladders: tuple[str, ...], field: str | None, digits: int) -> bytes:
    one = ledger.statement(
        entry_id=f"{entry_id:032x}",
        at=AT,
        agreement=DIGEST,
        clauses=("spam",),
        points=1,
        measures=(),
        by="rule",
        auto=ledger.Automation(found=1, decided=1),
        live=dict.fromkeys(ladders, 1),
        commitments={} if field is None else {field: f"{digits:064x}"},
    )
    return canonical(one)


def test_an_id_is_not_looked_for_inside_the_hash_of_a_statement_that_is_as_long() -> None:
    """Where the first has its id, the others have digits of a hash; they share an id."""
    first = of_one_length(7, ladders=("y" * 60, "z" * 55), field=None, digits=0)
    others = [of_one_length(8, ladders=("y",), field="f" * 50, digits=16**30 * each) for each in (1, 2)]
    at = first.index(b'"id":"') + 6
    assert {len(one) for one in others} == {len(first)}
    assert all(one[at : at + 32].isalnum() for one in others)
    audit = Audit()
    for index, content in enumerate([*map(canonical, BEFORE), first, *others]):
        audit.take(index, content)
    assert [index for index, wrong in audit.cited() if "already has" in wrong] == [4]


ACTS = st.sampled_from(["warn", "mark", "remove", "hold", "suspend"])
NAMES = st.sampled_from(["a", "id", "c", "account", "x" * 31, "deadbeef"])
STATEMENTS = st.builds(
    lambda number, acts, clauses, fields, live: canonical(
        ledger.statement(
            entry_id=f"{number:032x}",
            at=AT,
            agreement=DIGEST,
            clauses=tuple(clauses),
            points=1,
            measures=tuple(map(ledger.measure, acts)),
            by="rule",
            auto=ledger.Automation(found=1, decided=1),
            live=dict.fromkeys(live, number),
            commitments=dict.fromkeys(fields, f"{number:064x}"),
        )
    ),
    st.integers(0, 4),
    st.lists(ACTS, max_size=2),
    st.lists(NAMES, min_size=1, max_size=2),
    st.sets(NAMES, max_size=2),
    st.sets(NAMES, max_size=1),
)


@given(st.lists(st.tuples(STATEMENTS, st.none() | st.tuples(st.integers(0, 700), st.binary(min_size=1, max_size=1)))))
def test_whatever_statements_came_before_each_is_judged_as_if_it_were_the_first(
    drawn: list[tuple[bytes, tuple[int, bytes] | None]],
) -> None:
    contents = [one if at is None else one[: at[0]] + at[1] + one[at[0] + 1 :] for one, at in drawn]
    audit = Audit()
    for index, content in enumerate([*map(canonical, BEFORE), *contents]):
        try:
            wrong = " ".join(audit.take(index, content))
        except EntryError as error:
            wrong = str(error)
        assert index < len(BEFORE) or wrong == said(content)


IDS = st.sampled_from([bytes(16), bytes(15) + b"\1", b"\1" + bytes(15), b"\xff" * 16, b"\1" * 16, b"\0\1" * 8])


@given(st.lists(st.tuples(IDS, st.sampled_from(Role), st.integers(0, 2**55)), max_size=40), st.integers(1, 5))
def test_all_that_mention_an_id_come_back_together_however_they_were_put_aside(
    mentioned: list[tuple[bytes, Role, int]], at_once: int
) -> None:
    with FileScratch() as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_aside, "_AT_ONCE", at_once)
        for scratch in (Held(), file):
            assert together(mentioned, scratch) == expected(mentioned)


def together(mentioned: list[tuple[bytes, Role, int]], scratch: Scratch) -> list[tuple[bytes, list[Mention]]]:
    mentions = Mentions(scratch=scratch)
    for entry, (entry_id, role, noted) in enumerate(mentioned):
        mentions.add(entry_id, entry, role, noted)
    return list(mentions.together())


def expected(mentioned: list[tuple[bytes, Role, int]]) -> list[tuple[bytes, list[Mention]]]:
    rows = sorted((entry_id, Mention(entry, role, noted)) for entry, (entry_id, role, noted) in enumerate(mentioned))
    groups = [(entry_id, [one for _, one in group]) for entry_id, group in groupby(rows, key=lambda row: row[0])]
    return [(entry_id, group) for entry_id, group in groups if len(group) > 1 or group[0].role >= Role.CORRECTS]
