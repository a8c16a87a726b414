"""Judging a stream: batches say what one by one says, windows and breaches included."""

from __future__ import annotations

from datetime import timedelta

import pytest
from engine_versions import SENT, agreement, message

from comity import Agreement
from comity.flow.judge import Judging
from comity.model.message import Message

RULES = {
    "texts": ('text.says("x") || links.size() > 0',),
    "windows": ("author.copies(minutes(2)) >= 2", 'author.messages(seconds(90)) > 1 && text.contains("x")'),
    "breaches": ('text.says("x")', 'author.breaches("c0", minutes(5)) >= 2'),
}


def stream() -> list[Message]:
    texts = ("x", "y", "Y", "x y", "http://a.example", "x", "Ⅹ", "y")
    seconds = (0, 30, 60, 61, 50, -4000, 200, 201)
    return [
        message(text, id=str(number), sent=SENT + timedelta(seconds=after), author="ab"[number % 2])
        for number, (text, after) in enumerate(zip(texts, seconds, strict=True))
    ]


@pytest.mark.parametrize("kind", RULES)
def test_a_batch_is_judged_as_its_messages_are(kind: str) -> None:
    version = agreement(*RULES[kind])
    one_by_one = Judging(version)
    expected = [one_by_one.judge(each) for each in stream()]
    at_once, in_two = Judging(version), Judging(version)
    assert at_once.judge_batch(stream()) == expected
    assert in_two.judge_batch(stream()[:3]) + in_two.judge_batch(stream()[3:]) == expected
    breached = [tuple(finding.clause for finding in each) for each in expected]
    assert Judging(version).breached_batch(stream()) == breached
    assert any(expected)
    assert not all(expected)


def test_from_python_an_agreement_makes_its_plan_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Agreement(agreement(*RULES["windows"]))
    expected = made.judge(message("x"), history=stream())
    for module in ("comity.flow.judge", "comity.app.facade"):
        monkeypatch.delattr(f"{module}.plan")
    assert made.judge(message("x"), history=stream()) == expected
    assert len(list(made.judge_batch(stream()))) == len(stream())
