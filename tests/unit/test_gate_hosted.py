"""A gate inside of another program: it follows in a thread of its own, and whoever asks never sees half a change."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from gate_centre import PATIENCE, TOKEN, beside
from msgspec.structs import replace
from test_flow_feed import Watched
from test_flow_record import KEY, NOW

from comity.flow import amend
from comity.gates.answers import Allow, Answer, Deny, Unavailable
from comity.gates.content import Do, Judged, Sent, Unjudged
from comity.gates.disk import DiskError
from comity.gates.hosted import HostedGate, Settings, SettingsError
from comity.gates.kept import Kept
from comity.gates.records import Records
from comity.gates.replica import Known, Manner, Replica
from comity.gates.shared import SharedReplica
from comity.model.ids import ReviewerId
from comity.stores.world import FixedClock

ROWS = "| 1 | suspend, remove | all | 90 years |"


def settings(folder: Path, url: str, **other: object) -> Settings:
    (folder / "token").write_text(f"{TOKEN}\n")
    given = Settings(
        centre=url,
        channel="posts",
        folder=str(folder / "gate"),
        token_file=str(folder / "token"),
        judge_token_file=str(folder / "token"),
        key=str(KEY.verifier),
        name="inside",
    )
    return replace(given, **other)


@contextmanager
def hosted(given: Settings, alarms: list[str] | None = None) -> Iterator[HostedGate]:
    gate = HostedGate(given, FixedClock(NOW), lambda _, text: (alarms if alarms is not None else []).append(text))
    gate.start()
    try:
        yield gate
    finally:
        gate.end()


def sent(text: str, id_: str = "1") -> Sent:
    return Sent(id=id_, author="ann", channel="posts", text=text, sent=NOW)


def test_it_follows_refuses_reports_and_ends(tmp_path: Path) -> None:
    with beside(Watched(ROWS)) as told:
        given = settings(tmp_path, told.centre.url)
        with hosted(given) as gate:
            told.acked(0)
            assert isinstance(gate.check("ann"), Allow)
            told.say("spam")
            told.acked(2)
            denied = gate.check("ann")
            assert isinstance(denied, Deny)
            gate.show(denied.statement)
            assert told.heard() == denied.statement
            with pytest.raises(DiskError, match="another gate uses"):
                HostedGate(given, FixedClock(NOW), lambda *_: None)
        assert not [one for one in threading.enumerate() if one.name == "comity-gate-inside"]
        running, by = told.centre.world.proceedings, ReviewerId("mara")
        told.do(lambda: amend.lift(running, denied.statement, by, "A mistake.", NOW))
        with hosted(given) as gate:
            told.acked(4)
            assert isinstance(gate.check("ann"), Allow)


def test_started_without_its_centre_it_refuses_whom_it_knew_and_knows_nothing_in_a_new_folder(tmp_path: Path) -> None:
    with beside(Watched(ROWS)) as told, hosted(settings(tmp_path, told.centre.url)):
        told.say("spam")
        told.acked(2)
    nowhere = settings(tmp_path, "http://127.0.0.1:9")
    with hosted(nowhere) as gate:
        assert isinstance(gate.check("ann"), Deny)
        assert gate.check("bob") == Allow(is_stale=True)
    with hosted(replace(nowhere, folder=str(tmp_path / "new"))) as gate:
        assert isinstance(gate.check("ann"), Unavailable)


def test_a_message_is_judged_by_the_centre_and_not_at_all_when_it_cannot_be_asked(tmp_path: Path) -> None:
    alarms: list[str] = []
    with beside(Watched(ROWS)) as told, hosted(settings(tmp_path, told.centre.url, patience=1.5), alarms) as gate:

        def ask(text: str, id_: str, answers: Callable[[bytes], tuple[int, bytes] | None] | None = None) -> object:
            told.centre.judged = answers or (lambda content: (200, content))
            return gate.ask(sent(text, id_)).result(PATIENCE)

        assert ask("hello", "1") == Judged(answer=Do.ALLOW)
        denied = ask("spam", "2")
        assert isinstance(denied, Judged)
        assert (denied.answer, denied.clauses) == (Do.DENY, ("spam",))
        assert denied.link == f"https://example.org/r/{denied.statement}"
        unreadable = ask("hello", "3", lambda _: (400, b'{"detail":"what is this?"}'))
        assert isinstance(unreadable, Unjudged)
        assert unreadable.is_unreadable
        assert "what is this?" in alarms[-1]
        slow = ask("hello", "4", lambda _: None)
        assert isinstance(slow, Unjudged)
        assert "Timeout" in slow.why
        at_once = ask("hello", "5")
        assert isinstance(at_once, Unjudged)
        assert "a moment ago" in at_once.why


@pytest.mark.parametrize("answer", [(500, b"{}"), (401, b"{}"), (200, b"<html>"), (200, b'{"answer":"maybe"}')])
def test_an_answer_that_is_none_judges_nothing(tmp_path: Path, answer: tuple[int, bytes]) -> None:
    with beside(Watched(ROWS)) as told, hosted(settings(tmp_path, told.centre.url)) as gate:
        told.centre.judged = lambda _: answer
        told_of = gate.ask(sent("hello")).result(PATIENCE)
        assert isinstance(told_of, Unjudged)
        assert not told_of.is_unreadable


def test_what_it_cannot_run_with_is_said(tmp_path: Path) -> None:
    given = settings(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "empty").write_text("\n")
    for wrong, about in (
        ({"key": None}, "key: give the operator's"),
        ({"key": "nonsense"}, "no key to check proofs with"),
        ({"policy": str(tmp_path / "token")}, "policy: "),
        ({"token_file": str(tmp_path / "none")}, "cannot be read"),
        ({"judge_token_file": str(tmp_path / "empty")}, "holds no token"),
    ):
        with pytest.raises(SettingsError, match=about):
            HostedGate(replace(given, **wrong), FixedClock(NOW), lambda *_: None)


def test_a_question_never_meets_half_a_change() -> None:
    """Somebody is cut off by every plan that follows on another, so nobody may ever be told otherwise."""
    watched = Watched("| 1 | suspend | all | 2 days |")
    watched.say("spam")
    (change,) = (one for one in watched.changes() if one.channel == "posts")
    bare = replace(change, plan=(replace(change.plan[0], proof=None, opening=None),))
    replica = known(SharedReplica(Manner(policy=None), lambda *_: None))
    replica.put(bare, None)
    answers, is_over = set[type[Answer]](), threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            answers.add(type(replica.check("posts", "ann", NOW + timedelta(hours=1))))

    asking = threading.Thread(target=ask)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    asking.start()
    for seq in range(2, 5_000):
        replica.put(replace(bare, seq=seq), None)
    is_over.set()
    asking.join()
    sys.setswitchinterval(before)
    assert answers == {Deny}


def known(replica: Replica) -> Replica:
    replica.swap(Known(epoch="one", cursor=0, digest=0, records=Records()), Kept())
    return replica
