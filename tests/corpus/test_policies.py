"""Published kinds of policy and the gallery: each is a correct agreement, and together they use the whole format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Final

import pytest

import comity.app
from comity.agreement.diagnostics import draw
from comity.agreement.language import FUNCTIONS, VARIABLES
from comity.agreement.load import load
from comity.engine.examples import run_examples
from comity.model.agreement import Agreement, LexiconKind
from comity.model.clause import Clean, Counts, Decide, Kind, Never, Range, Reaches, Row, Until
from comity.model.duration import Duration, Unit
from comity.model.expression import Call, Macro, Variable

HERE: Final = Path(__file__).parent / "policies"
GALLERY: Final = Path(comity.app.__file__).parent / "gallery"
TRANSLATION: Final = re.compile(r"\.[a-z]{2}\.md$")
POLICIES: Final = sorted(
    path for path in HERE.glob("*.md") if path.name != "README.md" and not TRANSLATION.search(path.name)
)
SHIPPED: Final = sorted(GALLERY.glob("*/agreement.md"))
ALL: Final = POLICIES + SHIPPED
NAMES: Final = [path.parent.name if path.name == "agreement.md" else path.stem for path in ALL]


def loaded(path: Path) -> Agreement:
    checked = load(path.name, path.read_bytes(), lambda name: (path.parent / name).read_bytes())
    assert not checked.diagnostics, draw(checked.diagnostics, checked.sources)
    assert checked.agreement is not None
    return checked.agreement


@pytest.fixture(scope="module")
def agreements() -> dict[str, Agreement]:
    return {name: loaded(path) for name, path in zip(NAMES, ALL, strict=True)}


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_has_no_problem_and_its_examples_hold(name: str, agreements: dict[str, Agreement]) -> None:
    assert run_examples(agreements[name]) == ()


def test_there_are_at_least_twelve_policies_and_the_seven_agreements_of_the_gallery() -> None:
    assert len(POLICIES) >= 12
    assert {path.parent.name for path in SHIPPED} == {"forum", "mail", "campus", "chat", "social", "strikes", "guest"}


def test_the_readme_says_what_each_policy_models() -> None:
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+\.md)` \| ", readme, re.MULTILINE)) == {path.name for path in POLICIES}


def test_together_they_read_every_variable(agreements: dict[str, Agreement]) -> None:
    read = {node.name for node in nodes(agreements) if isinstance(node, Variable) and not node.bound}
    assert set(VARIABLES) - read == set()


def test_together_they_call_every_function_in_every_form(agreements: dict[str, Agreement]) -> None:
    called = {node.overload for node in nodes(agreements) if isinstance(node, Call)}
    declared = {overload.id for function in FUNCTIONS.values() for overload in function.overloads}
    written = "\n".join(sources(agreements))
    folded = {f"{unit}_int" for unit in ("seconds", "minutes", "hours", "days") if f"{unit}(" in written}
    assert declared - called - folded == set()


def test_together_they_take_every_kind_of_measure(agreements: dict[str, Agreement]) -> None:
    assert set(Kind) - {act.kind for row in rows(agreements) for act in row.acts} == set()


def test_together_they_limit_by_every_unit_that_a_limit_may_name(agreements: dict[str, Agreement]) -> None:
    units = {act.rate.per.unit for row in rows(agreements) for act in row.acts if act.rate}
    assert units == {Unit.MINUTE, Unit.HOUR, Unit.DAY, Unit.WEEK}


def test_together_they_use_every_form_of_term(agreements: dict[str, Agreement]) -> None:
    found = {type(row.term.length) for row in rows(agreements) if row.term.length}
    assert found == {Duration, Range, Until}
    lengths = [row.term.length for row in rows(agreements)]
    untils = [length for length in lengths if isinstance(length, Until)]
    assert any(length.at_least for length in untils)
    assert any(len(length.conditions) > 1 for length in untils)
    assert any(isinstance(length, Range) and length.least.unit is not length.most.unit for length in lengths)
    assert {bool(row.term.length) for row in rows(agreements) if row.term.delay} == {True, False}


def test_together_they_wait_for_every_condition_that_is_built_in_and_for_declared_ones(
    agreements: dict[str, Agreement],
) -> None:
    lengths = [row.term.length for row in rows(agreements)]
    named = {name for length in lengths if isinstance(length, Until) for name in length.conditions}
    assert named >= {"reviewed", "acknowledged", "withdrawn"}
    assert named & {name for agreement in agreements.values() for name in agreement.conditions}


def test_together_they_reach_named_channels_all_and_the_same(agreements: dict[str, Agreement]) -> None:
    reached = [row.channels for row in rows(agreements)]
    assert {channels for channels in reached if isinstance(channels, Reaches)} == set(Reaches)
    assert any(isinstance(channels, frozenset) for channels in reached)
    assert None in reached


def test_together_they_have_rows_that_share_their_points_and_rows_for_none(agreements: dict[str, Agreement]) -> None:
    ladders = [ladder for agreement in agreements.values() for ladder in agreement.ladders.values()]
    assert any(len({row.points for row in ladder.rows}) < len(ladder.rows) for ladder in ladders)
    assert any(row.points == 0 for ladder in ladders for row in ladder.rows)


def test_together_they_use_every_attribute_of_a_rule() -> None:
    fences = [fence for path in ALL for fence in re.findall(r"^```rule(.*)$", path.read_text("utf-8"), re.MULTILINE)]
    written = " ".join(fences)
    assert all(f"counts={counts}" in written for counts in Counts)
    assert all(f"decide={decide}" in written for decide in Decide if decide is not Decide.AUTO)
    assert all(f" {name}=" in written for name in ("points", "expires", "once", "category", "on"))
    assert "" in fences


def test_together_they_use_every_kind_of_expiry(agreements: dict[str, Agreement]) -> None:
    expiries = {type(clause.expires) for agreement in agreements.values() for clause in agreement.clauses}
    assert expiries == {Duration, Never, Clean}


def test_together_they_use_lexicons_of_every_kind_declared_in_every_way(agreements: dict[str, Agreement]) -> None:
    kinds = {lexicon.kind for agreement in agreements.values() for lexicon in agreement.lexicons.values()}
    assert kinds == set(LexiconKind)
    texts = [path.read_text("utf-8") for path in ALL]
    ways = (r"^  \w+: lexicons/", r"^  \w+: \{file: [^,}]+\}$", r"^  \w+: \{file: .*kind: ", r"^    kind: ")
    assert all(any(re.search(way, text, re.MULTILINE) for text in texts) for way in ways)


def test_together_they_use_every_key_of_the_front_matter() -> None:
    texts = "\n".join(path.read_text("utf-8").split("\n---\n")[0] for path in ALL)
    keys = ("language", "contact", "appeal_window", "decide_within", "review_within", "points_expire", "lexicons")
    assert all(re.search(rf"^{key}:", texts, re.MULTILINE) for key in (*keys, "conditions", "translations", "lateness"))


def test_together_they_nest_clauses_translate_them_and_leave_some_to_people(agreements: dict[str, Agreement]) -> None:
    clauses = [clause for agreement in agreements.values() for clause in agreement.clauses]
    assert any(clause.parent for clause in clauses)
    assert any(clause.rule is None for clause in clauses)
    assert any(agreement.translations for agreement in agreements.values())


def test_together_they_use_every_macro_that_rules_need_for_lists(agreements: dict[str, Agreement]) -> None:
    used = {node.macro for node in nodes(agreements) if hasattr(node, "macro")}
    assert used >= {Macro.EXISTS, Macro.ALL, Macro.EXISTS_ONE, Macro.FILTER}


def rows(agreements: dict[str, Agreement]) -> list[Row]:
    return [row for agreement in agreements.values() for ladder in agreement.ladders.values() for row in ladder.rows]


def nodes(agreements: dict[str, Agreement]) -> Iterator[object]:
    """Every node of every rule of every agreement."""
    for agreement in agreements.values():
        for clause in agreement.clauses:
            if clause.rule:
                yield from below(clause.rule.expression)


def sources(agreements: dict[str, Agreement]) -> list[str]:
    return [clause.rule.source for agreement in agreements.values() for clause in agreement.clauses if clause.rule]


def below(node: object) -> Iterator[object]:
    """The node and all nodes under it."""
    if is_dataclass(node):
        yield node
        for field in fields(node):
            value = getattr(node, field.name)
            for child in value if isinstance(value, tuple) else (value,):
                yield from below(child)
