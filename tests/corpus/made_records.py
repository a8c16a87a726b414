"""Entries as values: what a record may say together, and what it must not, for every verifier."""

from __future__ import annotations

from datetime import timedelta

from comity.ledger import entry as ledger
from comity.ledger.entry import Entry
from comity.ledger.tree import ids_root
from tests.corpus.made_logs import (
    AT,
    FIRST,
    GENESIS,
    NEVER,
    OTHER,
    SECOND,
    VERSION,
    WEEK,
    correction,
    replace_end,
    statement,
)

APPEAL = ledger.AppealEntry(id=f"{3:032x}", at=AT, prev=f"{2:032x}")
LIFT = ledger.LiftEntry(id=f"{3:032x}", at=AT, by="person", prev=f"{2:032x}")
OUTCOME = ledger.OutcomeEntry(id=f"{4:032x}", at=AT, outcome="upheld", prev=f"{3:032x}")
ERASURE = ledger.ErasureEntry(id=f"{3:032x}", at=AT, prev=f"{2:032x}")
LATER = ledger.AgreementEntry(
    id=f"{3:032x}", at=AT + timedelta(hours=1), agreement=SECOND, effective=AT + timedelta(days=1), prev=VERSION.id
)
BACKWARDS = ledger.AgreementEntry(id=f"{3:032x}", at=AT, agreement=SECOND, effective=AT, prev=None)
CENSUS = ledger.CensusEntry(id=f"{3:032x}", at=AT, count=1, root=ids_root([f"{2:032x}"]))

DELAYED = statement(2, measures=(replace_end(WEEK, None),))
"""A measure that starts some time after its delivery, so that its end is not known yet."""


def settled(number: int, days: int) -> Entry:
    """What a delivery says of the end."""
    return correction(number, 2, replace_end(WEEK, AT + timedelta(days=days)), by="rule", cause="delivery")


def told(number: int, days: int) -> Entry:
    """What an outcome, or a person, says of the end."""
    return correction(number, 2, replace_end(WEEK, AT + timedelta(days=days)))


def appeal(number: int) -> Entry:
    return ledger.AppealEntry(id=f"{number:032x}", at=AT, prev=f"{2:032x}")


HONEST: tuple[tuple[Entry, ...], ...] = (
    (statement(2), correction(3, 2, WEEK), correction(4, 2), correction(5, 2)),
    (statement(2), correction(3, 2, ledger.measure("warn"))),
    (statement(2), correction(3, 2, ledger.measure("limit to 3 a day", frozenset({"posts"}), AT))),
    (statement(2), APPEAL, OUTCOME),
    (statement(2), LIFT),
    (statement(2), ERASURE),
    (LATER, statement(25, agreement=SECOND), statement(26, agreement=FIRST)),
    (ledger.KeyEntry(id=f"{3:032x}", at=AT, key=str(OTHER.verifier)),),
    (ledger.AcceptancesEntry(id=f"{3:032x}", at=AT, agreement=FIRST, count=2, root="a" * 64),),
    (statement(2, by="person", auto=ledger.Automation(found=0, decided=0), measures=(ledger.measure("terminate"),)),),
    (statement(2), CENSUS),
    (DELAYED, settled(3, 9), appeal(4), told(5, 20)),
    (DELAYED, settled(3, 9), told(4, 9), appeal(5), told(6, 20), told(7, 12)),
    (DELAYED, settled(3, 9), appeal(4), correction(5, 2, replace_end(WEEK, None)), told(6, 20)),
    (DELAYED, appeal(3), settled(4, 9)),
)

FRAUDS: tuple[tuple[tuple[Entry, ...], str], ...] = (
    ((statement(2), statement(2)), f"entry 3: its id is {2:032x}, which entry 2 already has"),
    ((statement(2, agreement=NEVER),), f"entry 2: it names version {NEVER}, which no earlier entry published"),
    ((statement(2, agreement=SECOND), LATER), "entry 2: it names version"),
    ((LATER, statement(4, agreement=SECOND)), "entry 3: a statement under .* not yet in force"),
    ((BACKWARDS,), "entry 2: a version that follows none"),
    ((LATER, LATER), "entry 3: version .* was published before"),
    (
        (
            ledger.AgreementEntry(
                id="f" * 32, at=AT, agreement=SECOND, effective=AT - timedelta(hours=1), prev=VERSION.id
            ),
        ),
        "entry 2: in force from .* earlier than the version before it",
    ),
    (
        (
            ledger.AgreementEntry(
                id="f" * 32, at=AT + timedelta(days=2), agreement=SECOND, effective=AT, prev=VERSION.id
            ),
        ),
        "entry 2: in force from .*, before it was published",
    ),
    ((statement(2, measures=(ledger.measure("terminate"),)),), "entry 2: a rule terminated an account"),
    ((statement(2, by="person"),), "entry 2: it says both that a rule decided"),
    ((statement(2, measures=(replace_end(WEEK, AT),)),), "entry 2: suspend until .* was over when"),
    ((correction(2, 9),), "entry 2: it corrects statement .* which no earlier entry is"),
    ((statement(2), correction(3, 2, by="rule"), correction(4, 3)), "entry 4: it corrects"),
    ((statement(2), correction(3, 2, replace_end(WEEK, AT + timedelta(days=8)))), "harsher: suspend"),
    ((statement(2), correction(3, 2, replace_end(WEEK, None))), "harsher: suspend"),
    ((statement(2), correction(3, 2, ledger.measure("suspend", frozenset({"chat"}), AT))), "harsher: suspend"),
    ((statement(2), correction(3, 2, ledger.measure("terminate"))), "harsher: terminate"),
    ((statement(2), correction(3, 2, ledger.measure("remove"))), "harsher: remove"),
    ((statement(2), correction(3, 2), correction(4, 2, WEEK)), "entry 4: a correction to something harsher"),
    (
        (
            statement(2, measures=(ledger.measure("limit to 3 a day"),)),
            correction(3, 2, ledger.measure("limit to 1 an hour")),
            correction(4, 2, ledger.measure("limit to 2 a day")),
        ),
        "entry 4: a correction to something harsher: limit to 2 a day",
    ),
    (
        (
            statement(2, measures=(ledger.measure("suspend", conditions=("reviewed",)),)),
            correction(3, 2, ledger.measure("suspend")),
        ),
        "harsher: suspend",
    ),
    ((DELAYED, settled(3, 9), told(4, 20)), "entry 4: a correction to something harsher: suspend"),
    ((DELAYED, told(3, 9), appeal(4), told(5, 20)), "entry 5: a correction to something harsher: suspend"),
    ((DELAYED, settled(3, 9), told(4, 8), appeal(5), told(6, 9)), "entry 6: a correction to something harsher"),
    ((DELAYED, settled(3, 9), appeal(4), told(5, 20), told(6, 21)), "entry 6: a correction to something harsher"),
    ((LIFT,), "entry 2: it lifts statement"),
    ((APPEAL,), "entry 2: it is an appeal against statement"),
    ((statement(2), OUTCOME), "entry 3: the outcome of appeal"),
    ((statement(2), APPEAL, OUTCOME, OUTCOME), "entry 5: a second outcome of appeal"),
    ((ERASURE,), "entry 2: it erases statement"),
    ((GENESIS,), "entry 2: a second genesis"),
    ((ledger.KeyEntry(id="f" * 32, at=AT, key="nonsense"),), "entry 2: its key is none"),
    ((CENSUS, CENSUS), "entry 3: a second census of 2026-07-30"),
    ((ledger.CensusEntry(id="f" * 32, at=AT, count=0, root="a" * 64),), "entry 2: a census of 0 measures"),
    ((ledger.AcceptancesEntry(id="f" * 32, at=AT, agreement=SECOND, count=2, root="a" * 64),), "it names version"),
)
"""What a record must not say, each with what Comity says of it; every problem is of the entries shown."""
