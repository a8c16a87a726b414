"""The sealed profile: the ledger of a small community tells that something was entered, and on which day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from test_backup import RULES, said, verified
from test_flow_record import DAY, KEY, NOW, World, agreement

from comity.app.backup import backup
from comity.app.errors import Exit, StopError
from comity.app.new_log import new_log
from comity.app.publish import publish
from comity.app.settings import settings
from comity.casework.facts import Accepted, Appealed, AppealOutcome
from comity.casework.reread import reread
from comity.flow import appeal
from comity.flow.feed import FeedSource
from comity.flow.message import Proceedings
from comity.flow.prove import ProveError, keep, prove
from comity.flow.publish import Recorder, profile_of
from comity.flow.terms import Terms
from comity.ledger import entry as ledger
from comity.ledger.audit import Audit
from comity.ledger.entry import EntryError, SealedEntry, canonical, parse_entry
from comity.ledger.feed import Unproven, demand_proven
from comity.ledger.kept import check_kept, write_kept
from comity.ledger.policy import Policy
from comity.ledger.sealed import seal_entry, unsealed
from comity.ledger.tlog_proof import parse_proof, verify_proof
from comity.ledger.verify import verify
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, ReviewerId
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog

ANN = AccountId("ann")
TRUSTED = Policy().trusting(KEY.verifier)


class SealedWorld(World):
    """The same, with a ledger that tells nothing."""

    def __init__(self) -> None:
        self.store, self.log, self.clock = MemoryStore(), MemoryLog(), FixedClock(NOW)
        self.log.files["vkey"] = f"{KEY.verifier}\n".encode()
        self._entropy = CountedEntropy()
        self.recorder = Recorder(self.store, self.log, KEY, self._entropy)
        self.recorder.begin(mode="live", operator="tests", at=NOW, profile="sealed")
        self.publish(agreement("| 1 | suspend | posts | 2 days |"), NOW - timedelta(hours=3))
        self._terms = Terms(mode="live", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
        self.proceedings: Proceedings = self.again()
        self._count = 0


@pytest.fixture(scope="module")
def world() -> SealedWorld:
    """Ann accepts, is cut off, appeals, and is heard; so does bob the first two."""
    made = SealedWorld()
    for who in ("ann", "bob"):
        version = made.proceedings.versions.latest()
        assert version is not None
        digest = version.agreement.digest
        made.proceedings.note(Accepted(account=AccountId(who), at=NOW, agreement=digest, language="en"))
        made.say("spam", author=who)
    made.clock.at = NOW + DAY
    (one,) = made.proceedings.record(ANN).decisions
    filed = appeal.file(made.proceedings, appeal.Complaint(decision=one.id, text="I quoted it."), NOW + DAY)
    assert isinstance(filed, Appealed)
    person = ReviewerId("noor")
    appeal.give_outcome(made.proceedings, filed.appeal, AppealOutcome.REVERSED, person, "It was.", NOW + DAY)
    return made


def public(world: SealedWorld) -> list[bytes]:
    return list(world.store.entries(0, world.store.size))


def test_every_entry_about_a_person_is_one_commitment_a_day_and_of_one_size(world: SealedWorld) -> None:
    sealed = [each for each in public(world) if isinstance(parse_entry(each), SealedEntry)]
    assert len(sealed) == 7  # two acceptances, two statements, appeal, outcome, correction
    assert {len(each) for each in sealed} == {len(sealed[0])}
    assert {frozenset(msgspec.json.decode(each)) for each in sealed} == {frozenset({"v", "t", "id", "at", "c"})}
    kinds = [type(parse_entry(each)) for each in public(world)]
    assert set(kinds) == {ledger.GenesisEntry, ledger.AgreementEntry, SealedEntry}
    assert all(parse_entry(each).at.hour == 0 for each in public(world))


def test_nothing_that_was_done_stands_in_any_byte_of_the_log(world: SealedWorld) -> None:
    content = b"".join(each for path, each in world.log.files.items() if path.startswith("tile/"))
    assert content
    for told in (b"spam", b"suspend", b"reversed", b"posts", b"12:00", b"statement", b"appeal", b"ann", b"bob"):
        assert told not in content, told


def test_it_verifies_and_says_what_it_cannot_show(world: SealedWorld) -> None:
    report = verify(world.log.read, str(KEY.verifier))
    assert report.problems == ()
    assert any("7 sealed entries" in each for each in report.unproved)


def test_a_person_can_show_what_was_decided_as_in_the_open_profile(world: SealedWorld) -> None:
    (one,) = world.proceedings.record(ANN).decisions
    proof = parse_proof(prove(world.store, world.log.read, one.id))
    (entry,) = world.store.entries(proof.index, proof.index + 1)
    assert verify_proof(proof, entry, TRUSTED)
    kept = keep(world.store, world.log.read, one.id)
    verdict = check_kept(write_kept(kept), TRUSTED)
    assert verdict.problems == ()
    assert len(kept.parts) == 4
    assert any("sealed entries that are shown" in each for each in verdict.proved)
    told = reread(kept.statement, (value for _, value in verdict.followed))
    assert not told.is_live
    bare = tuple(msgspec.structs.replace(part, openings=part.openings[1:]) for part in kept.parts)
    assert "is not shown" in check_kept(write_kept(msgspec.structs.replace(kept, parts=bare)), TRUSTED).problems[0]


def test_what_is_no_statement_is_not_kept_as_one(world: SealedWorld) -> None:
    last = parse_entry(public(world)[-1])
    with pytest.raises(ProveError, match="not that of a statement"):
        keep(world.store, world.log.read, last.id)


def test_a_gate_believes_a_cut_that_is_shown_inside_and_no_other(world: SealedWorld) -> None:
    snapshot = FeedSource(world.store, world.log, lambda one: f"/statement/{one}").snapshot()
    (cut,) = [each for each in snapshot.entries if each.plan and each.account == "bob"]
    (span,) = cut.plan
    entry = public(world)[span.index or 0]
    demand_proven(AccountId("bob"), Channel("posts"), span, entry)
    with pytest.raises(Unproven):
        demand_proven(ANN, Channel("posts"), span, entry)
    with pytest.raises(Unproven):
        demand_proven(AccountId("bob"), Channel("mail"), span, entry)
    with pytest.raises(Unproven, match="not that of its statement"):
        demand_proven(AccountId("bob"), Channel("posts"), msgspec.structs.replace(span, inside=None), entry)
    assert span.inside is not None
    lie = msgspec.structs.replace(span.inside, value=span.inside.value.replace("suspend", "terminate"))
    with pytest.raises(Unproven, match="cannot be read"):
        demand_proven(AccountId("bob"), Channel("posts"), msgspec.structs.replace(span, inside=lie), entry)


def test_what_is_inside_is_of_the_same_id_and_day_and_no_sealed_entry() -> None:
    inner = ledger.AppealEntry(id="a" * 32, at=NOW.replace(minute=0), prev="b" * 32)
    sealed, opening = seal_entry(inner, b"s" * 32)
    assert unsealed(sealed, opening.salt, str(opening.value)) == inner
    for wrong in (
        seal_entry(sealed, b"s" * 32),
        (sealed, msgspec.structs.replace(opening, salt=b"t" * 32)),
        (msgspec.structs.replace(sealed, at=sealed.at + DAY), opening),
    ):
        with pytest.raises(EntryError):
            unsealed(wrong[0], wrong[1].salt, str(wrong[1].value))
    with pytest.raises(ValueError, match="not a whole day"):
        SealedEntry(id="a" * 32, at=NOW.replace(minute=0), c="0" * 64)


def test_an_auditor_objects_to_entries_that_the_profile_has_no_place_for(world: SealedWorld) -> None:
    entries = [parse_entry(each) for each in public(world)]
    genesis = entries[0]
    assert isinstance(genesis, ledger.GenesisEntry)
    opened = Audit()
    opened.take(0, canonical(msgspec.structs.replace(genesis, profile="open")))
    assert "hidden" in " ".join(opened.take(1, canonical(next(one for one in entries if isinstance(one, SealedEntry)))))
    sealed = Audit()
    sealed.take(0, canonical(genesis))
    appealed = ledger.AppealEntry(id="a" * 32, at=NOW.replace(minute=0), prev="b" * 32)
    said = " ".join(sealed.take(1, canonical(appealed)))
    assert "keeps private" in said
    assert "a time of the day" in said


def test_a_profile_is_chosen_at_the_start_and_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rules = tmp_path / "rules.md"
    rules.write_text(RULES, encoding="utf-8")
    flags = {"store.folder": str(tmp_path / "record")}
    chosen = settings({**flags, "ledger.profile": "sealed"})
    publish(rules, chosen, effective="2026-01-01", replay=True)
    said(chosen, "ann")
    rules.write_text(RULES.replace("title: Rules", "title: Two"), encoding="utf-8")
    with pytest.raises(StopError, match="began with the profile sealed"):
        publish(rules, settings({**flags, "ledger.profile": "open"}), effective=None, replay=False)
    publish(rules, settings(flags), effective=None, replay=False)  # nothing is asked for, so it stays as it is
    said(settings(flags), "bob")
    assert "statement" not in verified(chosen).counts
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    assert new_log(chosen, origin=None) == Exit.FINE
    assert verified(chosen).counts["sealed"] == 2
    with pytest.raises(StopError, match="is no profile"):
        settings({**flags, "ledger.profile": "closed"})


def test_an_old_genesis_reads_as_it_was_written() -> None:
    old = (
        b'{"at":"2026-06-01T12:00:00Z","id":"00000000000000000000000000000000","key":"k","mode":"live","operator":"us",'
        b'"origin":"o","profile":"open","retention":7,"t":"genesis","v":1}'
    )
    entry = parse_entry(old)
    assert canonical(entry) == old
    assert isinstance(entry, ledger.GenesisEntry)
    assert not entry.after


def test_a_store_without_a_ledger_is_open() -> None:
    assert profile_of(MemoryStore()) == "open"
