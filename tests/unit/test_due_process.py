"""What people do with cases, appeals and statements, through the command line and on the SQLite store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comity.app.errors import StopError
from comity.app.main import app

FIRST = """---
comity: 1
title: Guest rules
channels: [posts, mail]
contact: appeals@example.org
---

# Guest rules

## No advertising {#ads}

Do not advertise.

```rule
text.says("buy now")
```

## No threats {#threats}

Do not threaten anybody.

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | suspend | posts | 7 days |
"""
SECOND = FIRST.replace(
    "| 2 | suspend | posts | 7 days |",
    "| 2 | suspend | posts | 2 days |\n| 3 | remove, suspend | all | until reviewed, at least 14 days |",
)


class Program:
    """`comity` in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sent = 0

    def __call__(self, *arguments: str, code: int = 0) -> str:
        return self.bare(*arguments, "--store", str(self.folder / "record"), code=code)

    def bare(self, *arguments: str, code: int = 0) -> str:
        """Without the record."""
        done = CliRunner().invoke(app, list(arguments))
        refused = isinstance(done.exception, StopError)
        assert (done.exception.code if refused else done.exit_code) == code, (
            f"{arguments}: {done.output}{done.exception}"
        )
        return str(done.exception) if refused else done.output

    def json(self, *arguments: str) -> list[dict[str, str]]:
        found = json.loads(self(*arguments, "--json"))
        return found if isinstance(found, list) else [found]

    def say(self, text: str, at: str, author: str = "guest") -> None:
        self._sent += 1
        archive = self.folder / f"{self._sent}.jsonl"
        message = {"id": f"m{self._sent}", "author": author, "channel": "posts", "text": text, "sent": at}
        archive.write_text(json.dumps({**message, "source": "forum"}) + "\n")
        self("run", str(archive), "--as-sent", "--source", "forum")

    def statements(self) -> list[str]:
        """Oldest first."""
        return [each["id"] for each in reversed(self.json("statement"))]

    def states(self, at: str) -> dict[str, str]:
        (found,) = self.json("standing", "guest", "--at", at)
        return {each["channel"]: each["state"] for each in found["standings"]}  # type: ignore[attr-defined,index]


@pytest.fixture
def comity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.md").write_text(FIRST)
    (tmp_path / "second.md").write_text(SECOND)
    return Program(tmp_path)


def test_a_notice_that_a_reviewer_upheld_is_counted_by_rules(comity: Program) -> None:
    rules = FIRST.replace('text.says("buy now")', "author.notices(days(30)) > 0")
    (comity.folder / "counting.md").write_text(rules)
    comity("publish", "counting.md", "--replay", "--from", "2026-01-01")
    threat = comity.folder / "threat.json"
    message = {"id": "t", "author": "guest", "channel": "posts", "text": "Boo.", "sent": "2026-01-02T12:00:00Z"}
    threat.write_text(json.dumps(message))
    at = ("--at", "2026-01-03T12:00:00Z")
    comity.say("hello", "2026-01-02T13:00:00Z")
    (noticed,) = comity.json("notice", str(threat), "--why", "A threat", "--clause", "threats", "--good-faith", *at)
    assert comity.statements() == []
    comity("case", noticed["case"], "--confirm", "--by", "mara", "--why", "It is one.", "--yes", *at)
    (upheld,) = comity.statements()
    comity("delivered", upheld, *at)
    comity.say("hello again", "2026-01-04T12:00:00Z")
    assert len(comity.statements()) == 2


def test_a_case_says_until_when_a_message_waits_for_it(comity: Program) -> None:
    (comity.folder / "holding.md").write_text(FIRST.replace("```rule", "```rule decide=hold"))
    comity("publish", "holding.md", "--replay", "--from", "2026-01-01")
    comity.say("buy now", "2126-01-02T12:00:00Z")
    (case,) = comity.json("cases")
    assert "message m1 waits for a decision; undecided, it is let through on 3 January 2126" in comity(
        "case", case["id"]
    )
    comity("case", case["id"], "--dismiss", "--by", "mara", "--why", "It is a book's title.", "--yes")
    assert "waits" not in comity("case", case["id"])


def test_a_second_reviewer_says_what_they_would_have_decided_without_seeing_the_first(comity: Program) -> None:
    (comity.folder / "asking.md").write_text(FIRST.replace("```rule", "```rule decide=review"))
    comity("publish", "asking.md", "--replay", "--from", "2026-01-01")
    comity.say("buy now", "2026-01-02T12:00:00Z")
    (case,) = comity.json("cases")
    assert "- it says “buy now”" in comity("case", case["id"])
    comity("case", case["id"], "--confirm", "--by", "mara", "--why", "It is an offer.", "--yes")
    assert "ads: people confirmed 1 of 1" in comity("quality", "--draw", "5")
    assert "0 decisions were put" in comity("quality", "--draw", "5")  # none twice
    (second,) = comity.json("cases")
    assert second["kind"] == "second review"
    shown = comity("case", second["id"])
    assert "buy now" in shown
    assert "ads" not in shown
    assess = ("case", second["id"], "--assess", "--why", "A quotation.")
    assert "assess it" in comity("case", second["id"], "--dismiss", "--by", "noor", "--why", "No.", "--yes", code=1)
    assert "you took the decision" in comity(*assess, "--by", "mara", code=1)
    assert "no clause" in comity(*assess, "--by", "noor", "--clause", "moon", code=1)
    before = comity.statements()
    comity(*assess, "--by", "noor")
    assert comity.statements() == before
    assert "0 of 1 said the same" in comity("quality")


def test_a_person_reads_at_random_what_nothing_was_found_in(comity: Program) -> None:
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    comity.say("b u y now", "2026-01-02T12:00:00Z")
    comity.say("buy now", "2026-01-02T13:00:00Z")
    archives = str(comity.folder / "*.jsonl")
    assert "1 message was put before a reviewer, of 1 in" in comity("sample", archives, "--source", "forum")
    assert "0 messages were put" in comity("sample", archives, "--source", "forum")  # none twice
    (case,) = comity.json("cases")
    shown = comity("case", case["id"])
    assert "b u y now" in shown
    before = comity.statements()
    comity("case", case["id"], "--assess", "--clause", "ads", "--by", "noor", "--why", "Spelled apart.")
    assert comity.statements() == before
    assert "in which nothing was found: 1. Breaches among them: ads 1." in comity("quality")


def test_what_is_refused_changes_nothing_and_says_why(comity: Program) -> None:
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    comity.say("buy now", "2026-01-02T12:00:00Z")
    (statement,) = comity.statements()
    before = comity("statement", statement)
    assert "there is nothing with the id" in comity("appeal", "0" * 32, "--text", "No.", code=1)
    assert "cannot be read" in comity("correct", statement, "--by", "m", "--note", "n", "--instead", "x", code=2)
    assert "who decides" in comity("lift", statement, "--why", "Because.", code=2)
    assert "no measure" in comity("lift", statement, "--by", "m", "--why", "Because.", code=1)
    assert "nobody is there to ask" in comity("undo", "ads", "--by", "m", "--why", "Wrong.", code=2)
    assert "no outcome" in comity("outcome", "0" * 32, "won", code=2)
    assert comity("statement", statement) == before
    comity("undo", "ads", "--by", "m", "--why", "It matched names.", "--yes")
    assert "Reversed on" in comity("statement", statement)
    comity("verify")


def test_appeals_that_are_put_off_wait_and_can_still_be_filed(comity: Program) -> None:
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    comity.say("buy now", "2026-01-02T12:00:00Z")
    (statement,) = comity.statements()
    put_off = ("put-off", "guest", "--by", "ana", "--why", "Forty in a week.", "--at", "2026-01-03")
    assert "is over already" in comity(*put_off, "--until", "2026-01-02", code=1)
    assert "files no appeals" in comity(*put_off, "--until", "2026-03-03", "--party", "moon", code=2)
    (waits,) = comity.json(*put_off, "--until", "2026-03-03")
    assert waits["until"] == "2026-03-03T00:00:00Z"
    told = comity("statement", statement)
    assert "until the end of 2 September 2026" in told  # 59 days more than 184
    assert "appeals about your account may wait" in told
    assert "Forty in a week." in told
    late = ("appeal", statement, "--text", "Late, but in time.", "--at")
    assert "ended on 03 September" in comity(*late, "2026-09-03T12:00:00Z", code=1)
    comity(*late, "2026-09-03T11:00:00Z")


def test_a_notice_takes_the_source_that_its_message_names_or_else_the_files_name(comity: Program) -> None:
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    message = {"id": "t", "author": "guest", "channel": "posts", "text": "Boo.", "sent": "2026-01-02T12:00:00Z"}
    threat = comity.folder / "threat.json"
    at = ("--at", "2026-01-03T12:00:00Z")
    for said, source in (({"source": "forum"}, "forum"), ({}, "threat.json")):
        threat.write_text(json.dumps(message | said))
        (noticed,) = comity.json("notice", str(threat), "--why", "A threat", "--good-faith", *at)
        assert noticed["message"]["source"] == source  # type: ignore[index]
    for wrong in (7, "", "x" * 1025):
        threat.write_text(json.dumps(message | {"source": wrong}))
        assert "the source" in comity("notice", str(threat), "--why", "A threat", "--good-faith", *at, code=2)


def test_a_sample_leaves_out_what_the_record_has_from_somebody_else(comity: Program) -> None:
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    comity.say("hello", "2026-01-02T12:00:00Z")
    archive = comity.folder / "1.jsonl"
    for old, new in (('"guest"', '"ann"'), ("12:00:00", "13:00:00")):
        other = comity.folder / "other.jsonl"
        other.write_text(archive.read_text().replace(old, new))
        said = comity("sample", str(other), "--source", "forum")
        assert "0 messages were put before a reviewer, of 0" in said
        assert "1 message is left out: the record has them from another author" in said
    said = comity("sample", str(archive), "--source", "forum")
    assert "1 message was put before a reviewer, of 1" in said
    assert "1 text was not compared" in said
    (case,) = comity.json("cases")
    assert "the record keeps nothing that it could be compared with" in comity("case", case["id"])


def test_a_sample_leaves_out_a_text_that_is_not_the_one_that_was_judged(comity: Program) -> None:
    rule = 'text.says("buy now") || text.copies(days(1)) > 5'
    (comity.folder / "copies.md").write_text(FIRST.replace('text.says("buy now")', rule))
    comity("publish", "copies.md", "--replay", "--from", "2026-01-01")
    comity.say("hello, all of you", "2026-01-02T12:00:00Z")
    archive = comity.folder / "1.jsonl"
    other = comity.folder / "other.jsonl"
    other.write_text(archive.read_text().replace("all of you", "you fools"))
    said = comity("sample", str(other), "--source", "forum")
    assert "0 messages were put before a reviewer, of 0" in said
    assert "1 message is left out: the text is not the one that was judged" in said
    assert json.loads(comity("sample", str(other), "--source", "forum", "--json"))["altered"] == 1
    said = comity("sample", str(archive), "--source", "forum")
    assert "1 message was put before a reviewer, of 1" in said
    assert "not compared" not in said
    (case,) = comity.json("cases")
    assert "compared" not in comity("case", case["id"])


def test_an_account_that_is_not_known_is_not_said_to_be_erased(comity: Program) -> None:
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    comity.say("hello", "2026-01-02T12:00:00Z")
    assert "is that the account's id?" in comity("erase", "geust", "--yes")
    assert comity.json("erase", "geust", "--yes") == [{"erased": "geust", "was_known": False}]
    assert "Erased." in comity("erase", "guest", "--yes")
    assert "is that the account's id?" in comity("erase", "guest", "--yes")


def test_an_account_that_was_told_of_a_version_accepts_it_by_going_on_where_its_agreement_says_so(
    comity: Program,
) -> None:
    """What the source says is kept, and told when the account's data are exported; nothing else is taken for it."""
    (comity.folder / "saying.md").write_text(FIRST.replace("contact:", "accepted_by_going_on: 14 days\ncontact:"))
    comity("publish", "saying.md", "--replay", "--from", "2026-01-01")
    assert "has accepted no version" in comity("accept", "guest", "--by-notice", code=2)
    comity("accept", "guest", "--at", "2026-01-01T12:00:00Z")
    comity("publish", "second.md", "--from", "2026-02-01")
    said = comity("accept", "guest", "--by-notice", "--at", "2026-02-02T12:00:00Z")
    assert "from 2026-02-16 12:00 UTC on. Its messages from then on say that it accepts." in said
    comity.say("buy now", "2026-02-17T12:00:00Z")
    (statement,) = comity.statements()
    assert "in the version that you were told of, and then went on" in " ".join(comity("statement", statement).split())
    exported = json.loads(comity("export", "guest"))
    assert [each["by"] for each in exported["acceptances"]] == ["account", "notice"]


def test_an_acceptance_tells_in_which_language_the_version_was_shown(comity: Program) -> None:
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    assert "is not a language tag" in comity("accept", "guest", "--language", "de_AT", code=2)
    at = ("--at", "2026-01-01T12:00:00Z")
    (accepted,) = comity.json("accept", "guest", "--language", "de-AT", *at)  # the version does not say its own
    assert accepted["language"] == "de-AT"
    comity.say("buy now", "2026-01-02T12:00:00Z")
    (statement,) = comity.statements()
    told = comity("statement", statement)
    assert told.startswith("Begründung der Entscheidung")
    assert "Übersetzung" not in told


def test_a_version_that_names_its_language_was_shown_in_it_or_in_a_translation(comity: Program) -> None:
    (comity.folder / "german.md").write_text(FIRST.replace("title:", "language: de\ntitle:"))
    comity("publish", "german.md", "--replay", "--from", "2026-01-01")
    assert "name one of de" in comity("accept", "guest", "--language", "fr", code=2)
    for given in ((), ("--language", "DE"), ("--language", "de-AT")):
        assert [each["language"] for each in comity.json("accept", "guest", *given)] == ["de"]
