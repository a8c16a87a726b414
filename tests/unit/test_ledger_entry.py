"""Entries: one canonical form, no room for anything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
import rfc8785

from comity.ledger import entry as ledger
from comity.ledger.entry import EntryError, canonical, parse_entry
from comity.ledger.hours import hour_after, hour_of
from comity.model.clause import Act, Kind, Rate
from comity.model.duration import LATEST, Duration, Unit

AT = datetime(2026, 7, 30, 14, tzinfo=UTC)
DIGEST = "sha256:" + "b" * 64
SUSPENDED = ledger.measure("suspend", frozenset({"posts", "mail"}), datetime(2026, 8, 6, 14, 3, tzinfo=UTC))


def statement(**changed: object) -> ledger.StatementEntry:
    whole: dict[str, object] = {
        "entry_id": "a" * 32,
        "at": AT + timedelta(minutes=59),
        "agreement": DIGEST,
        "clauses": ("spam",),
        "points": 2,
        "measures": (SUSPENDED, ledger.measure("remove")),
        "by": "rule",
        "auto": ledger.Automation(found=1, decided=1),
        "commitments": {"account": "c" * 64},
    }
    return ledger.statement(**{**whole, **changed})  # type: ignore[arg-type]


EVERY_TYPE: tuple[ledger.Entry, ...] = (
    ledger.GenesisEntry(id="0" * 32, at=AT, operator='Café "Ütö" \u2028', origin="o", key="k", retention=7),
    ledger.AgreementEntry(id="1" * 32, at=AT, agreement=DIGEST, effective=AT),
    ledger.AcceptancesEntry(id="2" * 32, at=AT, agreement=DIGEST, count=3, root="d" * 64),
    statement(),
    ledger.correction(
        entry_id="4" * 32,
        at=AT,
        corrects="a" * 32,
        agreement=DIGEST,
        clauses=("spam",),
        points=0,
        measures=(),
        by="person",
    ),
    ledger.LiftEntry(id="5" * 32, at=AT, by="person", prev="a" * 32),
    ledger.AppealEntry(id="6" * 32, at=AT, prev="a" * 32),
    ledger.OutcomeEntry(id="7" * 32, at=AT, outcome="reversed", prev="6" * 32),
    ledger.ErasureEntry(id="8" * 32, at=AT, prev="a" * 32),
    ledger.KeyEntry(id="9" * 32, at=AT, key="k"),
    ledger.CensusEntry(id="e" * 32, at=AT, count=0, root="d" * 64),
)


@pytest.mark.parametrize("commitments", [{}, {"id": "d" * 64}, {"account": "c" * 64, "c": "e" * 64}])
def test_clauses_ladders_and_fields_may_be_called_as_keys_of_an_entry_are(commitments: dict[str, str]) -> None:
    met = ledger.measure("suspend", ("c", "id"), None, ("id", "c"))
    entry = statement(clauses=("id", "c"), live={"c": 1, "id": 2}, measures=(met, met), commitments=commitments)
    assert parse_entry(canonical(entry)) == entry


@pytest.mark.parametrize("entry", EVERY_TYPE, ids=lambda entry: type(entry).__name__)
def test_the_canonical_form_is_that_of_rfc_8785_and_reads_back_as_the_same_entry(entry: ledger.Entry) -> None:
    content = canonical(entry)
    assert content == rfc8785.dumps(json.loads(content))
    assert parse_entry(content) == entry


def test_there_is_an_entry_of_each_type_that_the_ledger_knows() -> None:
    types = {json.loads(canonical(entry))["t"] for entry in EVERY_TYPE}
    known = "genesis agreement acceptances statement correction lift appeal outcome erasure key census"
    assert " ".join(sorted(types)) == " ".join(sorted(known.split(" ")))


def test_control_characters_that_json_escapes_are_escaped_as_rfc_8785_wants() -> None:
    for code in (0x22, 0x5C, 0x80, 0x7E, 0x2028, 0x1F600):
        entry = ledger.GenesisEntry(id="0" * 32, at=AT, operator=chr(code), origin="o", key="k", retention=7)
        assert canonical(entry) == rfc8785.dumps(json.loads(canonical(entry)))


@pytest.mark.parametrize("kind", Kind)
def test_every_act_that_a_ladder_can_name_can_stand_in_an_entry(kind: Kind) -> None:
    units = (Unit.MINUTE, Unit.HOUR, Unit.DAY, Unit.WEEK) if kind is Kind.LIMIT else (None,)
    for unit in units:
        rate = Rate(count=3, per=Duration(count=1, unit=unit)) if unit else None
        entry = statement(measures=(ledger.measure(str(Act(kind=kind, rate=rate))),))
        assert parse_entry(canonical(entry)) == entry


def test_a_statement_shows_its_measures_in_order() -> None:
    assert statement().measures == (SUSPENDED, ledger.measure("remove"))
    assert statement(measures=()).measures == ()


def test_times_are_shown_to_the_hour_and_ends_never_earlier_than_they_are() -> None:
    assert statement().at == AT
    assert SUSPENDED.until == datetime(2026, 8, 6, 15, tzinfo=UTC)
    assert hour_after(AT) == AT
    assert hour_after(LATEST) == LATEST.replace(minute=0, second=0)
    india = timezone(timedelta(hours=5, minutes=30))
    assert hour_of(datetime(2026, 7, 30, 19, 40, tzinfo=india)) == AT


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "A" * 32},
        {"id": "a" * 31},
        {"id": "a" * 30},
        {"c": {"message": "b" * 62, "a" * 64: "c" * 64}},
        {"c": {"message": "g" * 64}},
        {"c": {"message": "a" * 32}},
        {"c": {"0" * 64: "a" * 64}},
        {"clauses": ("0" * 64,)},
        {"agreement": "a" * 64},
    ],
)
def test_an_entry_is_checked_however_much_it_is_like_one_that_was_written_before(changes: dict[str, object]) -> None:
    like = statement(commitments={"message": "b" * 64, "a" * 64: "c" * 64}, clauses=("a" * 64,))
    assert parse_entry(canonical(like)) == like
    with pytest.raises(EntryError):
        canonical(msgspec.structs.replace(like, **changes))


def test_a_time_that_is_no_whole_hour_of_utc_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`at` is .* not a whole hour of UTC"):
        ledger.AppealEntry(id="6" * 32, at=AT + timedelta(minutes=1), prev="a" * 32)
    with pytest.raises(ValueError, match="not a whole hour of UTC"):
        ledger.AppealEntry(id="6" * 32, at=AT.astimezone(timezone(timedelta(hours=1))), prev="a" * 32)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"entry_id": "A" * 32}, "lowercase hexadecimal"),
        ({"entry_id": "a" * 31}, "lowercase hexadecimal"),
        ({"entry_id": "a" * 32 + "\n"}, "lowercase hexadecimal"),
        ({"agreement": "sha256:" + "B" * 64}, r"\$\.agreement"),
        ({"clauses": ()}, r"\$\.clauses"),
        ({"clauses": ("Spam",)}, "clauses, channels and fields"),
        ({"points": -1}, r"\$\.points"),
        ({"points": 2**53}, r"\$\.points"),
        ({"by": "robot"}, r"\$\.by"),
        ({"measures": (ledger.PublicMeasure(act="banish"),)}, r"\$\.act"),
        ({"measures": (ledger.PublicMeasure(act="limit to 0 a day"),)}, r"\$\.act"),
        ({"measures": (SUSPENDED, ledger.PublicMeasure(act="limit"))}, r"\$\.also\[0\]\.act"),
        ({"commitments": {"account": "c" * 63}}, "lowercase hexadecimal"),
        ({"commitments": {"account": " " * 64}}, "lowercase hexadecimal"),
        ({"commitments": {"account": "c" * 63 + "\n"}}, "lowercase hexadecimal"),
        ({"commitments": {"Account": "c" * 64}}, "clauses, channels and fields"),
        ({"clauses": ("spam ads",)}, "clauses, channels and fields"),
        ({"clauses": ("",)}, "clauses, channels and fields"),
        ({"clauses": ("a" * 101,)}, "clauses, channels and fields"),
        ({"clauses": tuple(f"clause-{n}" for n in range(400))}, "more than the 4096"),
    ],
)
def test_a_field_that_no_reader_would_take_is_never_written(changed: dict[str, object], named: str) -> None:
    with pytest.raises(EntryError, match=named):
        canonical(statement(**changed))


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(EntryError, match="surrogate"):
        canonical(ledger.GenesisEntry(id="0" * 32, at=AT, operator="\ud800", origin="o", key="k", retention=7))


GOOD = canonical(statement())


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "truncated"),
        (b"null", "Expected `object`"),
        (GOOD + b"\n", "canonical|trailing"),
        (GOOD.replace(b'"v":1', b'"v":2'), r"\$\.v"),
        (GOOD.replace(b'"v":1', b'"v":1.0'), r"\$\.v"),
        (GOOD.replace(b'"v":1', b'"v": 1'), "canonical form .* byte"),
        (GOOD.replace(b'"v":1', b'"v":1,"w":1'), "unknown field `w`"),
        (GOOD.replace(b'"v":1', b'"v":1,"v":1'), "canonical form"),
        (GOOD.replace(b'"by":"rule",', b""), "missing required field `by`"),
        (
            GOOD.replace(b'"points":2,', b"").replace(b'{"act":"susp', b'{"points":2,"act":"susp'),
            "canonical form .* byte 2 ",
        ),
        (GOOD.replace(b'"prev":null,', b""), "canonical form"),
        (GOOD.replace(b'"statement"', b'"verdict"'), r"\$\.t"),
        (GOOD.replace(b"14:00:00Z", b"14:00:01Z"), "not a whole hour"),
        (GOOD.replace(b"14:00:00Z", b"14:00:00+00:00"), "canonical form"),
        (GOOD.replace(b"14:00:00Z", b"14:00:00+01:00"), "not a whole hour of UTC"),
        (GOOD.replace(b"2026-07-30T", b"2026-02-30T"), r"\$\.at"),
        (GOOD.replace(b"spam", b"sp\xffm"), "utf-8"),
        (GOOD.replace(b'"spam"', b'"\\u0073pam"'), "canonical form"),
        (b"[" * 4096, "Expected `object`"),
        (b'{"x":' + b"[" * 4000, "unknown|recursion"),
        (b" " * 4097, "4097 bytes, more than the 4096"),
    ],
)
def test_bytes_that_are_no_entry_are_refused_with_the_place(content: bytes, named: str) -> None:
    assert content != GOOD
    with pytest.raises(EntryError, match=named):
        parse_entry(content)
