"""A person shows to anybody what was decided about them, also after the operator has erased it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec
import pytest
from test_flow_record import DAY, KEY, NOW, World, agreement

from comity.casework.case_facts import Notifier
from comity.casework.facts import Appealed, AppealOutcome
from comity.casework.reread import RereadError, reread
from comity.casework.review import Deciding
from comity.flow import appeal, review
from comity.flow.prove import ProveError, keep, prove
from comity.flow.review import Notice
from comity.ledger.checkpoint import sign_checkpoint, unverified_checkpoint
from comity.ledger.entry import parse_entry
from comity.ledger.kept import LARGEST_KEPT, MOST_PARTS, Kept, check_kept, write_kept
from comity.ledger.log import Log, append, signed_head
from comity.ledger.note import SigningKey
from comity.ledger.policy import Policy
from comity.ledger.tlog_proof import TlogProof, parse_proof, verify_proof
from comity.ledger.tree import ProofError
from comity.model.ids import AccountId, Channel, ClauseId, DecisionId, MessageId, ReviewerId
from comity.model.message import Message

ANN = AccountId("ann")
TRUSTED = Policy().trusting(KEY.verifier)
STRANGER = SigningKey(name=KEY.name, seed=b"s" * 32)


@pytest.fixture(scope="module")
def world() -> World:
    """Ann is limited for spam, spams again in the same step, appeals, and the decision is reversed."""
    made = World(agreement("| 1 | limit to 5 a day | posts | 2 days |"), "live")
    made.log.files["vkey"] = f"{KEY.verifier}\n".encode()
    for author in ("bob", "ann", "bob", "ann"):
        made.say("spam", author=author)
    made.clock.at = NOW + 2 * DAY
    filed = appeal.file(made.proceedings, appeal.Complaint(decision=decision(made), text="I quoted it."), NOW + DAY)
    assert isinstance(filed, Appealed)
    person, why = ReviewerId("noor"), "It was a quotation."
    appeal.give_outcome(made.proceedings, filed.appeal, AppealOutcome.REVERSED, person, why, NOW + 2 * DAY)
    return made


def decision(world: World) -> DecisionId:
    (one, *_) = world.proceedings.record(ANN).decisions
    return one.id


@pytest.fixture(scope="module")
def kept(world: World) -> Kept:
    return keep(world.store, world.log.read, decision(world))


def test_the_proof_shows_the_entry_of_the_statement_and_no_other(world: World) -> None:
    proof = parse_proof(prove(world.store, world.log.read, decision(world)[:12]))
    (entry,) = world.store.entries(proof.index, proof.index + 1)
    assert parse_entry(entry).id == decision(world)
    assert verify_proof(proof, entry, TRUSTED).checkpoint.size == world.store.size
    (other,) = world.store.entries(proof.index + 1, proof.index + 2)
    with pytest.raises(ProofError):
        verify_proof(proof, other, TRUSTED)


def test_the_file_tells_the_whole_course_and_each_step_is_proved(kept: Kept) -> None:
    verdict = check_kept(write_kept(kept), TRUSTED)
    assert verdict.problems == ()
    assert verdict.statement == kept.statement
    kinds = [msgspec.json.decode(part.entry)["t"] for part in kept.parts]
    assert kinds == ["statement", "correction", "appeal", "outcome", "correction"]
    assert any("4 later entries" in each for each in verdict.proved)
    told = reread(kept.statement, (value for _, value in verdict.followed))
    assert not told.is_live
    assert [each.filed.text for each in told.own_appeals] == ["I quoted it."]


def test_it_verifies_after_the_operator_has_erased_the_account(kept: Kept) -> None:
    erased = World(agreement("| 1 | warn | | |"), "live")
    erased.log.files["vkey"] = f"{KEY.verifier}\n".encode()
    erased.say("spam")
    one = decision(erased)
    file = write_kept(keep(erased.store, erased.log.read, one))
    erased.store.erase(ANN)
    assert check_kept(file, TRUSTED).is_fine
    with pytest.raises(ProveError, match=r"erased.*without --whole"):
        keep(erased.store, erased.log.read, one)
    assert parse_proof(prove(erased.store, erased.log.read, one)).checkpoint


def test_nobody_elses_entries_are_in_the_file(world: World, kept: Kept) -> None:
    assert b"bob" not in write_kept(kept)
    bobs = [one.id for one in world.proceedings.record(AccountId("bob")).decisions]
    assert bobs
    assert all(one.encode() not in write_kept(kept) for one in bobs)


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    match value:
        case dict():
            for name, each in value.items():
                yield from leaves(each, (*path, name))
        case list():
            for n, each in enumerate(value):
                yield from leaves(each, (*path, n))
        case str() | int():
            yield path


def changed(value: object, path: tuple[str | int, ...]) -> object:
    """`value` with another value at one place."""
    if isinstance(value, dict):
        return {name: changed(each, path[1:]) if name == path[0] else each for name, each in value.items()}
    if isinstance(value, list):
        return [changed(each, path[1:]) if n == path[0] else each for n, each in enumerate(value)]
    if isinstance(value, str):
        middle = len(value) // 2
        return f"{value[:middle]}{'A' if value[middle : middle + 1] != 'A' else 'B'}{value[middle + 1 :]}"
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else value


def test_whatever_is_altered_in_it_is_noticed(kept: Kept) -> None:
    whole = msgspec.json.decode(write_kept(kept))
    places = list(leaves(whole))
    assert len(places) > 60
    for path in places:
        verdict = check_kept(msgspec.json.encode(changed(whole, path)), TRUSTED)
        assert not verdict.is_fine or path == ("key",), path
        assert verdict.is_fine or verdict.proved == ()
    assert not check_kept(msgspec.json.encode(changed(whole, ("key",)))).is_fine


def test_a_file_that_somebody_else_signed_is_refused_when_the_key_is_known(kept: Kept) -> None:
    forged = []
    for part in kept.parts:
        proof = parse_proof(part.proof.encode())
        note = sign_checkpoint(unverified_checkpoint(proof.checkpoint), [STRANGER])
        again = TlogProof(index=proof.index, hashes=proof.hashes, checkpoint=note)
        forged.append(msgspec.structs.replace(part, proof=bytes(again).decode()))
    file = write_kept(msgspec.structs.replace(kept, parts=tuple(forged), key=str(STRANGER.verifier)))
    assert any("key" in each for each in check_kept(file).unproved)  # it believes the file's key, and says so
    assert check_kept(file).is_fine
    assert "part 1" in check_kept(file, TRUSTED).problems[0]


PARTS: dict[str, tuple[Callable[[Kept], Kept], str]] = {
    "in another order": (lambda one: _with(one, one.parts[0], *one.parts[:0:-1]), "follows entry"),
    "twice": (lambda one: _with(one, *one.parts, one.parts[-1]), "follows entry"),
    "without the statement": (lambda one: _with(one, *one.parts[1:]), "does not concern"),
    "without the appeal": (lambda one: _with(one, *one.parts[:2], *one.parts[3:]), "does not concern"),
}


def _with(kept: Kept, *parts: object) -> Kept:
    return msgspec.structs.replace(kept, parts=parts)


@pytest.mark.parametrize("how", PARTS)
def test_parts_in_wrong_places_are_refused(kept: Kept, how: str) -> None:
    made, problem = PARTS[how]
    assert problem in " ".join(check_kept(write_kept(made(kept)), TRUSTED).problems)


def test_what_is_left_out_is_said_to_be_unproved(kept: Kept) -> None:
    bare = tuple(msgspec.structs.replace(part, openings=()) for part in kept.parts[1:])
    verdict = check_kept(write_kept(_with(kept, kept.parts[0], *bare)), TRUSTED)
    assert verdict.is_fine
    assert sum("not shown" in each for each in verdict.unproved) == 4
    assert any("left out" in each for each in verdict.unproved)


def test_a_statement_of_another_account_does_not_fit_the_entry(kept: Kept) -> None:
    told = msgspec.structs.replace(kept.statement, account=AccountId("bob"))
    assert "statement:" in check_kept(write_kept(msgspec.structs.replace(kept, statement=told)), TRUSTED).problems[0]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no file that"),
        (b"[" * 100_000, "no file that"),
        (b"\xff\xfe", "no file that"),
        (b'{"format":"comity-statement-2"}', "no file that"),
        (b" " * (LARGEST_KEPT + 1), "more than the"),
    ],
)
def test_what_is_no_such_file_is_refused_with_a_reason(content: bytes, problem: str) -> None:
    assert problem in check_kept(content).problems[0]


def test_more_parts_than_are_read_are_refused(kept: Kept) -> None:
    parts = kept.parts[:1] * (MOST_PARTS + 1)
    assert "no file that" in check_kept(write_kept(_with(kept, *parts))).problems[0]


def test_what_cannot_have_followed_a_statement_is_refused(kept: Kept) -> None:
    for content in ("{}", "nothing", '{"type":"accepted"}'):
        with pytest.raises(RereadError):
            reread(kept.statement, [content])


def test_tiles_that_are_damaged_give_no_proof() -> None:
    made = World(agreement("| 1 | warn | | |"), "live")
    made.log.files["vkey"] = f"{KEY.verifier}\n".encode()
    made.say("spam", after=timedelta())
    made.log.files = {path: b"\0" * len(each) if "tile/0/" in path else each for path, each in made.log.files.items()}
    with pytest.raises(ProveError, match="tiles do not prove entry"):
        prove(made.store, made.log.read, decision(made))


def test_an_id_that_names_no_statement_or_several_gives_no_proof(world: World) -> None:
    for prefix, found in (("no-such-id", "no statements"), ("", r"\d statements")):
        with pytest.raises(ProveError, match=found):
            prove(world.store, world.log.read, prefix)


def test_of_a_notifiers_appeal_the_person_learns_nothing() -> None:
    made = World(agreement("| 1 | warn | | |"), "live")
    made.log.files["vkey"] = f"{KEY.verifier}\n".encode()
    said = Message(id=MessageId("m"), author=ANN, channel=Channel("posts"), text="Boo.", sent=NOW, source="s")
    nina = Notifier(name="Nina", contact="nina@mail.example")
    noticed = review.notice(
        made.proceedings, Notice(message=said, where="there", why="Rude.", good_faith=True, notifier=nina), NOW
    )
    version = made.proceedings.record(ANN).cases[0].version
    deciding = Deciding(case=noticed.case, version=version, by=ReviewerId("mara"), why="It is rude.")
    review.confirm(made.proceedings, deciding, NOW, clauses=[ClauseId("other")], instead="")
    complaint = appeal.Complaint(decision=decision(made), text="Too mild, says Nina.", notice=noticed.notice)
    filed = appeal.file(made.proceedings, complaint, NOW)
    appeal.give_outcome(made.proceedings, filed.appeal, AppealOutcome.REVERSED, ReviewerId("noor"), "Yes, Nina.", NOW)
    file = write_kept(keep(made.store, made.log.read, decision(made)))
    assert check_kept(file, TRUSTED).is_fine
    assert b"Nina" not in file
    assert filed.appeal.encode() not in file


LIES = {
    "points": {"points": 7},
    "clauses": {"clauses": ["other"]},
    "measures": {"act": "terminate"},
    "who decided": {"by": "person", "auto": {"found": 1, "decided": 0}},
    "version": {"agreement": "sha256:" + "0" * 64},
}


@pytest.mark.parametrize("what", LIES)
def test_an_entry_that_says_in_public_what_the_statement_does_not_is_noticed(kept: Kept, what: str) -> None:
    first = kept.parts[0]
    entry = msgspec.json.encode(msgspec.json.decode(first.entry) | LIES[what], order="sorted")
    log = append(Log(), [entry]).log
    proof = bytes(TlogProof(index=0, hashes=(), checkpoint=signed_head(log, KEY.name, [KEY])))
    lie = msgspec.structs.replace(first, entry=entry.decode(), proof=proof.decode())
    (problem,) = check_kept(write_kept(_with(kept, lie)), TRUSTED).problems
    assert f"({what})" in problem


def test_a_checkpoint_that_witnesses_vouch_for_is_taken_where_it_has_the_entries() -> None:
    made = World(agreement("| 1 | warn | | |"), "live")
    made.log.files["vkey"] = f"{KEY.verifier}\n".encode()
    made.say("spam")
    made.log.files["cosigned"] = older = made.log.files["checkpoint"]
    made.say("spam", author="bob")
    assert parse_proof(prove(made.store, made.log.read, decision(made))).checkpoint == older
    (bobs,) = made.proceedings.record(AccountId("bob")).decisions
    assert parse_proof(prove(made.store, made.log.read, bobs.id)).checkpoint == made.log.files["checkpoint"]
