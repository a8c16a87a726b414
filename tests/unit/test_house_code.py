"""What conventions ask of all code under src/: short files and functions, names of the trade, no swallowed errors."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
VAGUE = re.compile(r"manager|handler|helper|util|service|processor", re.IGNORECASE)
MAY_CATCH_ALL = ("comity/app/main.py", "comity/gates/")
"""The top of the command line, and gates, where failing open or closed is decided and counted."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> Iterator[tuple[str, str]]:
    """Name below src/ and text of each module."""
    for path in sorted(SRC.rglob("*.py")):
        yield path.relative_to(SRC).as_posix(), path.read_text(encoding="utf-8")


def found(rule: Callable[[ast.Module], Iterator[str]]) -> list[str]:
    """What a rule finds in all of src/."""
    return [f"{name}: {problem}" for name, text in modules() for problem in rule(ast.parse(text))]


def too_long(tree: ast.Module) -> Iterator[str]:
    """Functions over the limit, decorators and docstring not counted: both explain rather than do."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            first = node.body[1:][:1] if ast.get_docstring(node) else node.body[:1]
            lines = (node.end_lineno or 0) - (first[0].lineno if first else node.lineno) + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.name}, line {node.lineno}: {lines} lines"


def vague(tree: ast.Module) -> Iterator[str]:
    """Classes and functions whose name says nothing about what they are."""
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef) and VAGUE.search(node.name):
            yield f"{node.name}, line {node.lineno}"


def catching_all(tree: ast.Module) -> Iterator[str]:
    """Handlers for everything: bare, `Exception` or `BaseException`, alone or in a tuple."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = [part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)] if node.type else ["all"]
            if {"Exception", "BaseException", "all"} & set(caught):
                yield f"line {node.lineno}"


def test_a_file_is_one_concept_long() -> None:
    assert [name for name, text in modules() if len(text.splitlines()) > LONGEST_FILE] == []


def test_functions_fit_on_a_screen() -> None:
    assert found(too_long) == []


def test_names_say_what_they_are() -> None:
    assert [name for name, _ in modules() if VAGUE.search(name)] == []
    assert found(vague) == []


def test_only_the_top_and_the_gates_catch_everything() -> None:
    assert [problem for problem in found(catching_all) if not problem.startswith(MAY_CATCH_ALL)] == []


def test_a_module_says_what_it_decides() -> None:
    assert [name for name, text in modules() if not ast.get_docstring(ast.parse(text))] == []


def test_the_rules_here_can_fail() -> None:
    body = "\n".join(["    x = 1"] * (LONGEST_FUNCTION + 1))
    assert list(too_long(ast.parse(f"def f():\n{body}"))) != []
    assert list(too_long(ast.parse(f'def f():\n    """Doc."""\n{body[:-10]}'))) == []
    assert list(vague(ast.parse("class QueueManager: ..."))) != []
    for caught in ("", " Exception", " (ValueError, BaseException) as e"):
        assert list(catching_all(ast.parse(f"try:\n    pass\nexcept{caught}:\n    pass"))) != []
    assert list(catching_all(ast.parse("try:\n    pass\nexcept ValueError:\n    pass"))) == []
