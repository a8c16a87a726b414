"""`comity --help`: every command stands there once, under a section, and on one line."""

from __future__ import annotations

from typer.main import get_command
from typer.testing import CliRunner

from comity.app.command_list import SECTIONS, Sections
from comity.app.main import app


def test_every_command_stands_once_in_a_section() -> None:
    known = get_command(app)
    assert isinstance(known, Sections)
    listed = [name for commands in SECTIONS.values() for name in commands]
    assert sorted(listed) == sorted(known.commands)


def test_each_takes_one_line_of_a_narrow_terminal() -> None:
    lines = CliRunner().invoke(app, ["--help"], terminal_width=80).output.splitlines()
    for commands in SECTIONS.values():
        for name, told in commands.items():
            assert [line.split(maxsplit=1)[1] for line in lines if line.startswith(f"  {name} ")] == [told]
            assert len(told) <= 60
