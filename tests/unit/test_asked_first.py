"""At a terminal each act of a reviewer is shown, as the person would read it, before it is done."""

from __future__ import annotations

import os
import pty
import re
import sys
from pathlib import Path

import pytest
from test_due_process import Program, comity

__all__ = ["comity"]
WHEN = ("--at", "2026-01-06T12:00:00Z")


def typed(folder: Path, answer: str, *arguments: str, columns: int = 100) -> tuple[str, int]:
    """What `comity` shows at a terminal where somebody answers so, and its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"NO_COLOR": "1", "COLUMNS": str(columns)}
        os.execv(sys.executable, [sys.executable, "-m", "comity.app", *arguments, "--store", str(folder / "record")])
    shown = b""
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
        if shown.rstrip().endswith(b"[y/N]"):
            os.write(terminal, answer.encode() + b"\n")
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return shown.decode().replace("\r\n", "\n"), code


@pytest.fixture
def suspended(comity: Program) -> str:
    """A statement that cuts posts for a week."""
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    comity.say("buy now", "2026-01-02T12:00:00Z")
    comity.say("buy now, again", "2026-01-05T12:00:00Z")
    return comity.statements()[-1]


def test_what_would_be_read_is_shown_and_nothing_is_done_without_a_yes(comity: Program, suspended: str) -> None:
    before = comity("statement", suspended)
    lift = ("lift", suspended, "--by", "mara", "--why", "Long enough.", *WHEN)
    shown, code = typed(comity.folder, "n", *lift)
    assert "Lifted on 6 January 2026" in shown or "ended on 6 January 2026" in shown
    assert "Long enough." in shown
    assert shown.rstrip().endswith("nothing was done")
    assert code == 1
    correct = ("correct", suspended, "--by", "mara", "--note", "It was one message.", "--instead", "warn", *WHEN)
    shown, code = typed(comity.folder, "", *correct)
    assert "It was one message." in shown
    assert code == 1
    (filed,) = comity.json("appeal", suspended, "--text", "A quotation.", *WHEN)
    outcome = ("outcome", filed["appeal"], "reversed", "--by", "noor", "--why", "It was one.", *WHEN)
    shown, code = typed(comity.folder, "no", *outcome)
    assert "from the account:\n    A quotation." in shown
    assert "This decision was wrong and no longer holds." in shown
    assert code == 1
    assert before.partition("What has happened since")[0] in comity("statement", suspended)
    shown, code = typed(comity.folder, "y", *outcome)
    assert code == 0
    assert "The appeal is decided: reversed." in shown
    assert "This decision was wrong and no longer holds." in comity("statement", suspended)


def test_a_case_is_shown_before_it_is_dismissed(comity: Program) -> None:
    (comity.folder / "asking.md").write_text(
        (comity.folder / "first.md").read_text().replace("```rule", "```rule decide=review")
    )
    comity("publish", "asking.md", "--replay", "--from", "2026-01-01")
    comity.say("buy now", "2026-01-02T12:00:00Z")
    (case,) = comity.json("cases")
    dismiss = ("case", case["id"], "--dismiss", "--by", "mara", "--why", "A book's title.")
    shown, code = typed(comity.folder, "n", *dismiss)
    assert "a rule found “ads” in message m1" in shown
    assert "buy now" in shown
    assert code == 1
    assert comity.json("cases") == [case]


def test_no_line_is_longer_than_a_narrow_terminal_is_wide(comity: Program, suspended: str) -> None:
    (filed,) = comity.json("appeal", suspended, "--text", "A quotation, as :warning: shows.", *WHEN)
    outcome = ("outcome", filed["appeal"], "reversed", "--by", "noor", "--why", "It was one.", *WHEN)
    refused = ("outcome", filed["appeal"], "varied", "--by", "noor", "--why", "It was one.", *WHEN)
    for arguments in (outcome, refused, ("case", filed["appeal"]), ("standing", "guest", *WHEN)):
        shown, _ = typed(comity.folder, "n", *arguments, columns=50)
        assert max(len(line.rstrip()) for line in shown.splitlines()) <= 50
    assert ":warning:" in typed(comity.folder, "n", *outcome, columns=50)[0]


def test_lists_are_tables_at_a_wide_terminal_and_lines_for_a_program(comity: Program, suspended: str) -> None:
    (filed,) = comity.json("appeal", suspended, "--text", "[bold]No[/bold].", *WHEN)
    shown, _ = typed(comity.folder, "", "cases", columns=140)
    head, line, _ = re.sub(r"\x1b\[\d*m", "", shown).splitlines()
    assert head.split()[:4] == ["id", "kind", "account", "gravity"]
    assert line.startswith(f"{filed['appeal']}  appeal  guest    1 point")
    assert "[bold]No[/bold]." in line
    assert comity("cases").startswith(f"{filed['appeal']}  appeal  guest  1 point  ")
