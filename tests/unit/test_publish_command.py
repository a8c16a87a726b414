"""What may be published after what: one line of versions, and none that reaches back."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.app.errors import StopError
from comity.app.init import init
from comity.app.publish import publish
from comity.app.settings import Settings, settings
from comity.app.verify import verify


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    init(tmp_path, "forum", None)
    return settings({"store.folder": str(tmp_path / ".comity")}, config=tmp_path / "comity.toml")


def retitled(chosen: Settings, title: str) -> Path:
    lines = chosen.agreement.read_text(encoding="utf-8").split("\n")
    lines[2] = f"title: {title}"
    assert lines[1] == "comity: 1"
    chosen.agreement.write_text("\n".join(lines), encoding="utf-8")
    return chosen.agreement


def published(chosen: Settings, title: str, effective: str | None = None, *, replay: bool = False) -> None:
    publish(retitled(chosen, title), chosen, effective=effective, replay=replay)


def test_a_new_version_of_a_live_record_never_reaches_back(chosen: Settings) -> None:
    published(chosen, "One", "2020-01-01")
    with pytest.raises(StopError, match="not earlier"):
        published(chosen, "Two", "2021-01-01")
    published(chosen, "Two")
    assert verify(str(chosen.folder / "log"), key=None, as_json=False) == 0


def test_a_replay_may_have_versions_of_the_past_in_their_order(chosen: Settings) -> None:
    published(chosen, "One", "2020-01-01", replay=True)
    published(chosen, "Two", "2021-01-01")
    with pytest.raises(StopError, match="not earlier"):
        published(chosen, "Three", "2020-06-01")
    assert verify(str(chosen.folder / "log"), key=None, as_json=False) == 0


def test_a_version_that_was_replaced_is_not_published_again(chosen: Settings) -> None:
    published(chosen, "One")
    published(chosen, "Two")
    with pytest.raises(StopError, match="published before"):
        published(chosen, "One")
    published(chosen, "Two")
    assert verify(str(chosen.folder / "log"), key=None, as_json=False) == 0
