"""What a command refuses ends in what to do next, in commands and options that there are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from test_flow_record import agreement_text

from comity.app import amend, appeals
from comity.app.accounts import hold
from comity.app.acting import HELP, acting
from comity.app.errors import Exit, StopError
from comity.app.main import app
from comity.app.publish import publish
from comity.app.settings import Settings, settings
from comity.casework.refused import Mend, RefusedError


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    made = settings({"store.folder": str(tmp_path / "record")})
    (tmp_path / "rules.md").write_text(agreement_text("| 1 | suspend | posts | 2 days |"))
    publish(tmp_path / "rules.md", made, effective=None, replay=False)
    return made


def refused(chosen: Settings, act: Callable[[Settings], object]) -> str:
    with pytest.raises(StopError, match=r"^refused: ") as stop:
        act(chosen)
    assert stop.value.code is Exit.PROBLEMS
    return stop.value.help


@pytest.mark.parametrize("mend", Mend)
def test_every_mend_is_told(mend: Mend, chosen: Settings) -> None:
    def act(chosen: Settings) -> None:
        with acting(chosen):
            raise RefusedError("no", mend)

    assert refused(chosen, act) == HELP[mend]


def lift(chosen: Settings) -> object:
    return amend.lift("nope", chosen, by="mara", why="x", at=None, is_sure=True, as_json=False)


def appeal(chosen: Settings) -> object:
    return appeals.appeal("nope", " ", chosen, by="", notice=None, files=(), at=None, as_json=False)


def hold_without_a_reason(chosen: Settings) -> object:
    return hold("ann", chosen, by="mara", why=" ", ends=False, at=None, as_json=False)


@pytest.mark.parametrize(
    ("act", "told"),
    [(lift, "`comity statement`"), (appeal, "`comity cases`"), (hold_without_a_reason, "Add --why REASON.")],
)
def test_it_is_told_where_it_is_refused(act: Callable[[Settings], object], told: str, chosen: Settings) -> None:
    assert told in refused(chosen, act)


def test_it_names_commands_and_options_that_there_are() -> None:
    commands = typer.main.get_command(app).commands
    options = {one for each in commands.values() for param in each.params for one in param.opts}
    for help_ in HELP.values():
        assert set(re.findall(r"comity ([a-z]+)", help_)) <= commands.keys()
        assert set(re.findall(r"--[a-z]+", help_)) <= options
