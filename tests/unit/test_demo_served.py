"""`comity demo --serve`: real cases wait, each on grounds of its own, and the printed link signs in once."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from comity.agreement import load
from comity.app import demo, demo_served
from comity.app.clock import SystemClock
from comity.app.demo_generated import generate
from comity.app.demo_served import Labelled
from comity.app.wiring import reading, users
from comity.casework.case_facts import CaseKind, CaseOpened, Noticed
from comity.casework.facts import Appealed
from comity.flow.judge import Judging
from comity.flow.sign_in import SignIn
from comity.stores.passwords import Argon2
from comity.stores.world import CountedEntropy


def test_what_the_rules_got_wrong_is_reported_appealed_and_sampled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = SystemClock().now()
    messages = demo_served.dated_forward(list(generate(3, 1_500)), now)
    assert timedelta() <= now - messages[-1].sent < timedelta(days=1)
    with as_file(files("comity.app").joinpath("gallery", "mail")) as folder:
        path = folder / "agreement.md"
        agreement = load(path.name, path.read_bytes(), lambda name: (folder / name).read_bytes()).agreement
        assert agreement is not None
        judging = Judging(agreement)
        found = [bool(judging.judge(each)) for each in messages]
        labelled = [
            Labelled(message=each, is_spam=each.label == "spam", is_found=is_found)
            for each, is_found in zip(messages, found, strict=True)
        ]
        chosen = demo._fresh_record(tmp_path / "record")
        demo._run(chosen, path, messages)
    demo_served.fill(chosen, labelled)
    with reading(chosen) as store:
        facts = list(store.facts())
    by_label = {each.message.id: (each.is_spam, each.is_found) for each in labelled}
    reported = [fact for fact in facts if isinstance(fact, Noticed)]
    assert [by_label[each.message.id] for each in reported] == [(True, False)] * len(reported)
    assert len({each.message.id for each in reported}) == len(reported) > 0
    sampled = [each for each in facts if isinstance(each, CaseOpened) and each.kind is CaseKind.SAMPLE]
    assert [by_label[each.message.id] for each in sampled if each.message] == [(False, False)] * 6
    appeals = [each for each in facts if isinstance(each, Appealed)]
    assert len({each.account for each in appeals}) == len(appeals)
    said = capsys.readouterr().out
    assert f"{len(reported)} mails that the corpus labels" in said
    assert f"{len(appeals)} senders" in said
    demo_served.signed_in(chosen, "http://127.0.0.1:1")
    link = capsys.readouterr().out.split("/enter/")[1].split()[0]
    file = users(chosen)
    sign_in = SignIn(file, Argon2(), CountedEntropy())
    assert sign_in.whose_link(link, now) == demo_served.NAME
    sign_in.by_link(link, now)
    assert sign_in.whose_link(link, now) is None
    file.close()
