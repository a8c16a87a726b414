"""`comity simulate`: the same for a seed, counted from the record's own facts, with a ledger that verifies."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

import comity.app
from comity.app.check import checked_agreement
from comity.app.errors import Exit, StopError
from comity.app.simulate import simulate
from comity.app.simulation.community import Community
from comity.app.simulation.days import Played, play
from comity.app.simulation.offences import START, offences
from comity.app.simulation.report import report
from comity.casework.facts import Accepted, Appealed, Decided, Dismissed, OutcomeGiven, Recomputed
from comity.casework.record import fold

FORUM = Path(comity.app.__file__).parent / "gallery" / "forum" / "agreement.md"


def played(seed: int = 1, *, accounts: int = 2500, days: int = 60) -> Played:
    agreement = checked_agreement(FORUM)
    found = offences(agreement)
    community = Community(seed=seed, accounts=accounts, days=days, agreement=agreement, offences=found)
    return play(community, lambda _: None)


@pytest.fixture(scope="module")
def one() -> Played:
    return played()


def test_the_same_seed_gives_the_same_ledger(one: Played) -> None:
    assert report(played()) == report(one)


def test_another_seed_gives_another_ledger() -> None:
    one, other = (report(played(seed, accounts=300, days=20)) for seed in (1, 2))
    assert one.ledger.root != other.ledger.root


def test_every_count_is_that_of_the_records_facts(one: Played) -> None:
    found, facts = report(one), list(one.store.facts())
    decided = [fact for fact in facts if isinstance(fact, Decided)]
    outcomes = Counter(fact.outcome.value for fact in facts if isinstance(fact, OutcomeGiven))
    assert found.decisions == len(decided) == found.by_rules + found.by_people > 20
    assert found.dismissals == sum(isinstance(fact, Dismissed) for fact in facts) > 0
    assert found.appeals.outcomes == outcomes
    filed = sum(isinstance(fact, Appealed) for fact in facts)
    assert found.appeals.by_accounts + found.appeals.by_notifiers == filed == outcomes.total() + found.appeals.waiting
    assert found.measures == Counter(each.kind.value for fact in decided for each in fact.measures)
    assert found.recomputed == sum(isinstance(fact, Recomputed) for fact in facts)
    assert found.facts == len(facts)
    assert found.messages == sum(found.outcomes.values())


def test_every_appeal_was_decided_by_somebody_else(one: Played) -> None:
    given = [fact for fact in one.store.facts((OutcomeGiven,)) if isinstance(fact, OutcomeGiven)]
    assert given != []
    for fact in given:
        decision = fold(fact.account, one.store.facts_of(fact.account)).decision(fact.decision)
        assert decision is None or decision.decided.by != fact.by


def test_the_ledger_verifies_and_a_changed_one_does_not(one: Played) -> None:
    assert report(one).ledger.is_verified
    assert report(one).ledger.size == one.store.size
    broken = played(accounts=300, days=20)
    for path in broken.log.files:
        if "entries" in path:
            broken.log.files[path] = broken.log.files[path].replace(b"statement", b"statemend")
    assert not report(broken).ledger.is_verified


def test_there_is_a_day_for_each_and_cases_are_open_on_some(one: Played) -> None:
    found = report(one)
    assert len(found.days) == 60
    assert any(day.cases for day in found.days)
    assert any(day.under for day in found.days)
    assert found.ever_decided >= found.ever_cut > found.end.cut_for_good >= 0


def test_nobody_writes_on_a_channel_on_which_they_are_cut(one: Played) -> None:
    assert one.unwritten > 0
    assert one.outcomes["refused"] <= one.unwritten


def test_json_and_page_say_the_same_and_the_page_fetches_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "year.html"
    assert simulate(FORUM, then=None, accounts=300, days=40, seed=3, as_json=True, page_at=page) is Exit.FINE
    found, text = json.loads(capsys.readouterr().out), page.read_text()
    assert found["ledger"]["root"] in text
    assert "http:" not in text.replace("http://a.example", "")
    assert "<script" not in text


def test_an_agreement_without_examples_is_told_what_to_mend(tmp_path: Path) -> None:
    agreement = tmp_path / "agreement.md"
    head = "---\ncomity: 1\ntitle: Rules\nchannels: [posts]\n---\n\n# Rules\n\n## Spam {#spam}\n\nNo.\n\n"
    ladder = "\n## Measures {#measures}\n\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | warn | | |\n"
    agreement.write_text(head + '```rule\ntext.says("spam")\n```\n' + ladder)
    with pytest.raises(StopError, match="no example of a breach") as stop:
        simulate(agreement, then=None, accounts=10, days=10, seed=1, as_json=False, page_at=None)
    assert "`breach: ...`" in stop.value.help
    assert stop.value.code is Exit.PROBLEMS


@pytest.mark.parametrize(("accounts", "days", "named"), [(0, 10, "--accounts is 0"), (10, -1, "--days is -1")])
def test_fewer_than_one_of_anything_is_refused(accounts: int, days: int, named: str) -> None:
    with pytest.raises(StopError, match=named) as stop:
        simulate(FORUM, then=None, accounts=accounts, days=days, seed=1, as_json=False, page_at=None)
    assert stop.value.code is Exit.USAGE


def test_a_page_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(StopError, match=r"year\.html cannot be written"):
        simulate(
            FORUM, then=None, accounts=10**9, days=1, seed=1, as_json=False, page_at=tmp_path / "none" / "year.html"
        )


def test_a_next_version_binds_whoever_accepts_it_and_the_others_stay_bound_by_the_first(tmp_path: Path) -> None:
    text = FORUM.read_text(encoding="utf-8")
    second = tmp_path / "agreement.md"
    second.write_text(text.replace("title: ", "title: Next ", 1), encoding="utf-8")
    shutil.copytree(FORUM.parent / "lexicons", tmp_path / "lexicons")
    first, then = checked_agreement(FORUM), checked_agreement(second)
    community = Community(seed=3, accounts=2500, days=60, agreement=first, offences=offences(first), then=then)
    played = play(community, lambda _: None)
    found = report(played)
    assert [each.digest for each in found.versions] == [first.digest, then.digest]
    before, after = found.versions
    assert before.accepted > after.accepted > before.accepted / 3
    assert before.decisions > 0 < after.decisions
    half = START + timedelta(days=30)
    facts = list(played.store.facts([Accepted]))
    for one in played.store.facts([Decided]):
        assert isinstance(one, Decided)
        mine = [each for each in facts if isinstance(each, Accepted) and each.account == one.account]
        sent = min(each.sent for each in one.breaches)
        bound = [each.agreement for each in mine if each.at <= sent][-1]
        assert {each.agreement for each in one.breaches if each.sent == sent} == {bound}
        assert bound == first.digest or sent >= half
    assert found.ledger.is_verified


def test_a_next_version_has_the_channels_over_which_people_write(tmp_path: Path) -> None:
    other = tmp_path / "agreement.md"
    text = "---\ncomity: 1\ntitle: Other\nchannels: [calls]\n---\n\n# Other\n\n## Calm {#calm}\n\nBe calm.\n"
    rows = "\n## Measures {#measures}\n\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | warn | | |\n"
    other.write_text(text + rows, encoding="utf-8")
    for then, why in ((other, "has no channel"), (FORUM, "is the same version")):
        with pytest.raises(StopError, match=why):
            simulate(FORUM, then=then, accounts=10, days=10, seed=1, as_json=False, page_at=None)
