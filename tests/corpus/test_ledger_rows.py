"""Logs whose operator does not keep to the agreement: the verifier looks up the row, and names the entry."""

from __future__ import annotations

from hashlib import sha256

import pytest

from comity.ledger import entry as ledger
from comity.ledger.entry import measure
from comity.ledger.verify import Report, verify
from comity.ledger.versions import VersionError, read_version, version_path
from tests.corpus.made_rows import CONTENT, CUT, EVERY, FIRST, FORESEEN, PATH, REMOVE, UNFORESEEN, published, statement


def checked(one: ledger.StatementEntry) -> Report:
    return verify(published(one, text=CONTENT).get)


@pytest.mark.parametrize("one", FORESEEN)
def test_what_the_ladders_foresee_is_fine(one: ledger.StatementEntry) -> None:
    report = checked(one)
    assert report.problems == ()
    assert any("Each measure of 1 statements is what the agreement's ladders foresee" in each for each in report.proved)
    assert not any("are the ladder's" in each for each in report.unproved)


@pytest.mark.parametrize(("one", "message"), UNFORESEEN)
def test_what_they_do_not_foresee_is_refused_with_the_entry(one: ledger.StatementEntry, message: str) -> None:
    (problem,) = checked(one).problems
    assert problem.place == "tile/entries/000.p/3, entry 2"
    assert message in problem.message


def test_a_version_that_is_not_beside_the_log_is_said_to_leave_the_rows_unproved() -> None:
    files = published(statement(REMOVE, CUT, live=FIRST), text=None)
    report = verify(files.get)
    assert report.is_fine
    assert any("That the measures of 1 statements are the ladder's" in each for each in report.unproved)


def test_an_entry_that_states_no_live_points_is_said_to_leave_them_unproved() -> None:
    report = checked(statement(measure("suspend", EVERY), live=None))
    assert report.is_fine
    assert any("That the measures of 1 statements are the ladder's" in each for each in report.unproved)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CONTENT.replace(b"| 2 | remove", b"| 1 | remove"), "its SHA-256 is not the version's digest"),
        (b"", "its SHA-256 is not the version's digest"),
        (CONTENT + b"more", "its SHA-256 is not the version's digest"),
    ],
)
def test_a_version_whose_text_was_changed_is_refused(content: bytes, message: str) -> None:
    (problem,) = verify(published(statement(REMOVE, CUT, live=FIRST), text=content).get).problems
    assert (problem.place, problem.message.partition(":")[0]) == (PATH, message)


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x000\0", b"\x009\0short", b"\0" * 10, CONTENT[:-1]])
def test_a_version_that_is_no_agreement_is_refused(content: bytes) -> None:
    digest = f"sha256:{sha256(content).hexdigest()}"
    with pytest.raises(VersionError):
        read_version({version_path(digest): content}.get, digest)
