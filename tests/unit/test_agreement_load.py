"""What a checked agreement holds: defaults, attributes, prose, ladders, lexicons, translations, digest."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from comity.agreement import Checked, load
from comity.model.agreement import Agreement, LexiconKind
from comity.model.clause import (
    MEASURES_ID,
    Clause,
    Clean,
    Counts,
    Decide,
    Kind,
    Never,
    Range,
    Reaches,
    Term,
    Until,
)
from comity.model.duration import Duration, Unit
from comity.model.ids import ClauseId

CORPUS = Path(__file__).parents[1] / "corpus" / "agreements"
LADDER = "## What happens {#measures}\n\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | warn | | |\n"
EXAMPLES = "```examples\nbreach: HELLO\nfine: Hello\n```\n"


def agreement(
    *, front: str = "", info: str = "", rule: str = "text.capitals() > 0.8", more: str = "", ladder: str = LADDER
) -> str:
    """An agreement with one clause, `shouting`."""
    return (
        f"---\ncomity: 1\ntitle: Forum\nchannels: [posts, mail]\n{front}---\n\n"
        "# Forum\n\n## No shouting {#shouting}\n\n"
        f"Do not write in capitals.\n\n```rule {info}\n{rule}\n```\n\n{EXAMPLES if rule else ''}\n{more}\n{ladder}"
    )


def checked(text: str, files: dict[str, str] | None = None) -> Checked:
    contents = {path: content.encode() for path, content in (files or {}).items()}
    return load("forum.md", text.encode(), contents.get)


def version(text: str, files: dict[str, str] | None = None) -> Agreement:
    """The agreement of a text without errors."""
    found = checked(text, files)
    assert found.agreement is not None, found.diagnostics
    return found.agreement


def clause(text: str, id_: str = "shouting") -> Clause:
    return version(text).clause(ClauseId(id_))


def codes(text: str) -> list[str]:
    return [one.code for one in checked(text).diagnostics]


def days(count: int) -> Duration:
    return Duration(count=count, unit=Unit.DAY)


def corpus(name: str) -> Agreement:
    def read(path: str) -> bytes | None:
        return (CORPUS / path).read_bytes()

    found = load(name, (CORPUS / name).read_bytes(), read)
    assert found.agreement is not None
    return found.agreement


def test_what_front_matter_leaves_out_has_its_default() -> None:
    plain = version(agreement())
    assert plain.appeal_window is None
    assert (plain.decide_within, plain.review_within, plain.points_expire) == (days(30), days(14), days(90))
    assert plain.lateness == Duration(count=1, unit=Unit.HOUR)
    assert (plain.language, plain.contact) == ("und", "")


@pytest.mark.parametrize("written", ["6 months", "184 days"])
def test_an_appeal_window_of_the_minimum_is_the_later_of_its_halves(written: str) -> None:
    assert version(agreement(front=f"appeal_window: {written}\n")).appeal_window is None


@pytest.mark.parametrize("written", ["183 days", "5 months", "26 weeks", "1 day"])
def test_a_shorter_appeal_window_is_refused(written: str) -> None:
    assert codes(agreement(front=f"appeal_window: {written}\n")) == ["C050"]


@pytest.mark.parametrize(
    ("written", "expiry"),
    [
        ("never", Never()),
        ("12 months clean", Clean(duration=Duration(count=12, unit=Unit.MONTH))),
        ("1 week", Duration(count=1, unit=Unit.WEEK)),
    ],
)
def test_points_expire_after_a_time_never_or_when_clean(written: str, expiry: object) -> None:
    text = agreement(front=f"points_expire: {written}\n")
    assert (version(text).points_expire, clause(text).expires) == (expiry, expiry)


def test_attributes_are_read_with_and_without_quotes() -> None:
    read = clause(agreement(info="decide=hold points=2 expires='1 year' once=\"2 hours\" category=VIOLENCE on=mail"))
    assert (read.decide, read.points, read.category, read.channels) == (Decide.HOLD, 2, "VIOLENCE", {"mail"})
    assert read.expires == Duration(count=1, unit=Unit.YEAR)
    assert read.once == Duration(count=2, unit=Unit.HOUR)


def test_a_rule_that_reads_history_joins_findings_of_a_day_unless_told_otherwise() -> None:
    history = "author.messages(days(1)) > 5"
    assert clause(agreement(rule=history)).once == days(1)
    assert clause(agreement(rule=history, info='once="1 hour"')).once == Duration(count=1, unit=Unit.HOUR)
    assert clause(agreement(rule=history, info='once="0 days"')).once is None
    assert clause(agreement()).once is None


def test_an_empty_rule_is_decided_by_a_reviewer_and_keeps_its_attributes() -> None:
    read = clause(agreement(rule="", info="points=3 on=posts"))
    assert (read.rule, read.decide, read.points, read.channels) == (None, Decide.REVIEW, 3, {"posts"})
    assert codes(agreement(rule="")) == []


def test_a_rule_knows_where_it_stands() -> None:
    text = agreement(rule="text.size() > 2 &&\n  text.capitals() > 0.8")
    rule = clause(text).rule
    assert rule is not None
    assert text.split("\n")[rule.line - 1] == rule.source.split("\n")[0] == "text.size() > 2 &&"


def test_a_problem_of_a_rule_is_placed_in_the_file() -> None:
    text = agreement(rule="text.size() > 2 &&\n  text.capital() > 0.8")
    (one,) = (each for each in checked(text).diagnostics if each.is_error)
    line = text.split("\n")[one.line - 1]
    assert line[one.column - 1 : one.end_column - 1].find("capital") >= 0


def test_prose_is_everything_below_the_heading_but_fences_and_tables() -> None:
    table, fence = "| a | b |\n|---|---|\n| 1 | 2 |\n", "  ```text\n  code\n  ```\n"
    inner = f"### Details\n\nMore *words*.\n\n{table}\n- item\n\n{fence}\nEnd.\n"
    nested = "### Whispering {#whispering}\n\nSpeak up.\n"
    prose = clause(agreement(more=inner + "\n" + nested)).prose
    assert prose == (
        "Do not write in capitals.\n\n### Details\n\nMore *words*.\n\n- item\n\nEnd.\n\n### Whispering\n\nSpeak up."
    )


def test_a_nested_clause_knows_its_parent() -> None:
    text = agreement(more="### Whispering {#whispering}\n\nSpeak up.\n\n## Third {#third}\n\nThree.\n")
    assert clause(text, "whispering").parent == "shouting"
    assert clause(text, "third").parent is None


@pytest.mark.parametrize(
    "prose",
    [
        "<!-- nothing -->",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "```text\nwords\n```",
        "***",
        "[a]: http://b.example",
        "### Details",
    ],
)
def test_what_nobody_reads_is_no_prose(prose: str) -> None:
    assert "C062" in codes(agreement().replace("Do not write in capitals.", prose))


def test_a_ladder_governs_the_clauses_below_it_unless_counts_says_otherwise() -> None:
    owners = {one.id: one.ladders for one in corpus("nested-clauses-and-their-ladders.md").clauses}
    assert owners == {"outer": ("outer",), "inner": ("outer", MEASURES_ID), "other": (MEASURES_ID,)}


@pytest.mark.parametrize(
    ("counts", "ladders"),
    [
        (None, ["shouting"]),
        (Counts.OWN, ["shouting"]),
        (Counts.MAIN, ["measures"]),
        (Counts.BOTH, ["shouting", "measures"]),
    ],
)
def test_counts_chooses_among_the_own_and_the_main_ladder(counts: Counts | None, ladders: list[str]) -> None:
    own = LADDER.removeprefix("## What happens {#measures}\n")
    assert list(clause(agreement(info=f"counts={counts}" if counts else "", more=own)).ladders) == ladders


def test_every_form_of_a_row_is_read() -> None:
    rows = corpus("everything-a-ladder-can-say.md").ladders[MEASURES_ID].rows
    assert [str(row.term) for row in rows] == [
        "",
        "",
        "1 day to 30 days",
        "until acknowledged",
        "10 minutes to 1 day",
        "after 2 days: 1 month",
        "until acknowledged and cleaned, at least 2 days",
        "until reviewed, at least 14 days",
        "after 1 hour",
        "until withdrawn and reviewed",
        "after 30 days",
    ]
    assert [row.points for row in rows] == [0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 9]
    assert [", ".join(str(act) for act in row.acts) for row in rows][2:6] == [
        "limit reach",
        "warn",
        "limit to 20 an hour",
        "limit to 1 a week",
    ]
    assert [row.channels for row in rows][:5] == [None, None, {"posts", "mail"}, None, Reaches.SAME]


def test_a_term_holds_what_was_written() -> None:
    rows = corpus("everything-a-ladder-can-say.md").ladders[MEASURES_ID].rows
    assert rows[2].term == Term(length=Range(least=days(1), most=days(30)))
    assert rows[6].term == Term(length=Until(conditions=("acknowledged", "cleaned"), at_least=days(2)))
    assert rows[8].term == Term(delay=Duration(count=1, unit=Unit.HOUR))
    assert rows[10].acts[0].kind is Kind.TERMINATE


@pytest.mark.parametrize(
    "rows",
    [
        "| 1 | suspend | same | 2 weeks |\n| 2 | suspend | same | 14 days |",
        "| 1 | hold | same | 30 days |\n| 2 | suspend | same | 1 day |",
        "| 1 | limit to 10 an hour | same | 1 day |\n| 2 | limit to 10 a day | same | 1 day |",
        "| 1 | suspend | same | 30 days |\n| 2 | suspend | all | until reviewed |",
        "| 0 | suspend | same | 30 days |\n| 1 | warn | | |",
        "| 1 | suspend | all | 1 to 30 days |\n| 2 | suspend | all | 2 days |",
    ],
)
def test_a_ladder_that_never_grows_milder_is_fine(rows: str) -> None:
    assert codes(agreement(ladder=LADDER.replace("| 1 | warn | | |", rows))) == []


@pytest.mark.parametrize(
    "rows",
    [
        "| 1 | suspend | same | 15 days |\n| 2 | suspend | same | 2 weeks |",
        "| 1 | suspend | same | 1 day |\n| 2 | hold | same | 30 days |",
        "| 1 | limit to 10 a day | same | 1 day |\n| 2 | limit to 10 an hour | same | 1 day |",
        "| 1 | suspend | all | until reviewed |\n| 2 | suspend | all | 1 year |",
        "| 1 | suspend | all | 1 day |\n| 2 | suspend | same | 1 day |",
    ],
)
def test_a_row_that_is_milder_than_the_one_before_is_warned_of(rows: str) -> None:
    assert codes(agreement(ladder=LADDER.replace("| 1 | warn | | |", rows))) == ["C090"]


def test_an_example_keeps_its_text_and_its_values_as_written() -> None:
    example = corpus("setext-headings-and-tilde-fences.md").clauses[0].examples
    assert example[0].text == "A \\ and a new line\nB"
    assert dict(example[1].values)["meta"] == "{dkim: pass, \"a: b\": 'c'}"
    assert dict(example[1].values)["subject"] == "a: b"


def test_a_lexicon_has_its_entries_in_order_without_comments() -> None:
    front = "lexicons: {traps: {file: l/traps.txt, kind: domains}}\n"
    text = agreement(front=front, rule='domains.under("traps")')
    read = version(text, {"l/traps.txt": "# bad\nb.example\n\n  a.example  \nb.example\n"}).lexicons["traps"]
    assert (read.kind, read.entries) == (LexiconKind.DOMAINS, ("b.example", "a.example", "b.example"))


def test_a_translation_has_the_clauses_in_its_words() -> None:
    spanish = corpus("translated.md").translations["es"]
    assert (spanish.language, spanish.title) == ("es", "Foro del puerto")
    assert spanish.clauses[ClauseId("shouting")].prose == "No escriba solo en mayúsculas."
    assert spanish.conditions == {"cleaned": "El servicio no encuentra virus."}


def test_the_digest_is_a_hash_of_path_length_and_bytes() -> None:
    text = agreement(front="lexicons: {words: words.txt}\n", rule='text.saysAny("words")')
    listed = b"\0%d\0%swords.txt\0007\0walnut\n" % (len(text), text.encode())
    assert version(text, {"words.txt": "walnut\n"}).digest == f"sha256:{hashlib.sha256(listed).hexdigest()}"


def test_no_unsafe_path_is_ever_asked_for() -> None:
    asked: list[str] = []

    def read(path: str) -> bytes | None:
        asked.append(path)
        return None

    load("a.md", (CORPUS / "paths-that-lead-out.md").read_bytes(), read)
    assert asked == ["~"]


def test_a_huge_file_is_refused_at_once() -> None:
    started = time.perf_counter()
    found = load("a.md", b"x" * 100_000_000, {}.get)
    assert [one.code for one in found.diagnostics] == ["C001"]
    assert time.perf_counter() - started < 1


def test_a_million_entries_are_read_in_seconds() -> None:
    words = "".join(f"word{number}\n" for number in range(1_000_000))
    text = agreement(front="lexicons: {words: {file: words.txt, kind: exact}}\n", rule='hashes.anyIn("words")')
    started = time.perf_counter()
    assert len(version(text, {"words.txt": words}).lexicons["words"].entries) == 1_000_000
    assert time.perf_counter() - started < 5


def test_phrases_are_limited_over_all_lexicons_together() -> None:
    front = "lexicons: {one: one.txt, two: two.txt}\n"
    text = agreement(front=front, rule='text.saysAny("one") || text.saysAny("two")')
    most, more = ("".join(f"word{number}\n" for number in range(count)) for count in (100_000, 100_001))
    assert checked(text, {"one.txt": most, "two.txt": most}).agreement is not None
    (found,) = checked(text, {"one.txt": most, "two.txt": more}).diagnostics
    assert (found.code, found.line) == ("C054", 5)


def test_fifty_clauses_are_checked_within_a_second() -> None:
    more = "".join(
        f"## Clause {number} {{#c{number}}}\n\nDo not.\n\n```rule\ntext.size() > {number}\n```\n\n{EXAMPLES}\n"
        for number in range(50)
    )
    started = time.perf_counter()
    assert len(version(agreement(more=more)).clauses) == 51
    assert time.perf_counter() - started < 1


def test_problems_of_one_kind_do_not_flood() -> None:
    found = checked("\n".join(["```rule\n```"] * 2_000)).diagnostics
    assert len(found) == 201
    assert found[-1].code == "C098"


def test_too_many_clauses_are_one_error_wherever_the_ladder_stands() -> None:
    rule = "```rule\ntext.capitals() > 0.8\n```\n"
    extra = "".join(f"## C {{#c{number}}}\n" for number in range(9_999))
    assert codes(agreement(more=extra)) == []
    assert codes(agreement(more=extra + f"## C {{#more}}\n{rule}## C {{#most}}\n{rule}")) == ["C009"]
    assert codes(agreement(more=extra, ladder=f"{LADDER}\n## C {{#more}}\n{rule}")) == ["C009"]


def test_a_file_in_a_folder_names_its_files_beside_it() -> None:
    text = agreement(front="lexicons: {words: words.txt}\n", rule='text.saysAny("words")')
    found = load("rules/forum.md", text.encode(), {"words.txt": b"*"}.get)
    assert [one.file for one in found.diagnostics] == ["rules/words.txt"]
