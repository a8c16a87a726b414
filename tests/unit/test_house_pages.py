"""The pages' tests can fail: a page that is wrong about what is printed, or about what works, is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.pages import matches, walk

RIGHT = {
    "output": "```console\n$ echo one; echo two\none\ntwo\n```\n",
    "anything": "```console\n$ echo a b c; echo d\na ... c\n...\n```\n",
    "error": "```console\n$ echo error: no; false\nerror: no\n```\n",
    "file": '```csv title="a.csv"\nx,y\n```\n\n```console\n$ cat a.csv\nx,y\n```\n',
    "diff": '```text title="a.txt"\none\ntwo\n```\n\n```diff\n--- a.txt\n one\n-two\n+three\n```\n\n'
    "```console\n$ cat a.txt\none\nthree\n```\n",
    "python": "```python\nprint(1)\n```\n",
    "saved program": '```python title="a.py"\nprint(1); exit(1)\n```\n\n```console\n$ python3 a.py || true\n1\n```\n',
}
WRONG = {
    "output": "```console\n$ echo one\ntwo\n```\n",
    "failure": "```console\n$ false\n```\n",
    "no error": "```console\n$ echo error: no\nerror: no\n```\n",
    "diff": '```text title="a.txt"\none\n```\n\n```diff\n--- a.txt\n-two\n+three\n```\n',
    "python": "```python\nraise ValueError\n```\n",
    "agreement": "```markdown\n---\ncomity: 1\n---\n```\n",
}


def walked(page: str, folder: Path) -> int:
    """Runs all examples of a page."""
    file = folder / "page.md"
    file.write_text(page, encoding="utf-8")
    return walk(file, folder)


@pytest.mark.parametrize("page", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_page_passes(page: str, tmp_path: Path) -> None:
    assert walked(page, tmp_path) == page.count("```") // 2


@pytest.mark.parametrize("page", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_page_fails(page: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        walked(page, tmp_path)


def test_three_dots_stand_for_anything_but_nothing_else_does() -> None:
    assert matches("a...c\n", "a\nb\nc")
    assert not matches("a.c\n", "abc")
