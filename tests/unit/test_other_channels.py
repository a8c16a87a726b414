"""A message on a channel that no version of the agreement names is let pass, and whoever sent it is told why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from api_parts import as_, serving
from test_flow_record import NOW, World, agreement, agreement_text, none

from comity.agreement.load import load
from comity.app.judge import judge
from comity.app.publish import publish
from comity.app.run import run
from comity.app.settings import settings
from comity.model.access import Role

ROWS = "| 1 | suspend | all | 2 days |"
MESSAGE = {"id": "1", "author": "ann", "text": "spam", "sent": "2026-06-01T12:00:00Z"}
HINT = "No clause and no measure applies to posst, which is no channel of the agreement; it names "


@pytest.mark.parametrize("query", ["", "?dry_run=1"])
def test_the_answer_to_it_says_so_and_no_other_does(query: str, tmp_path: Path) -> None:
    with serving(World(agreement(ROWS), "live"), tmp_path) as client:

        def told(channel: str) -> dict[str, object]:
            message = {**MESSAGE, "id": channel, "channel": channel}
            return client.post(f"/v1/messages{query}", json=message, headers=as_(Role.SOURCE)).json()

        assert (told("posst")["answer"], told("posst")["hint"]) == ("allow", f"{HINT}mail, posts.")
        assert [told(channel)["hint"] for channel in ("posts", "mail")] == [None, None]


def test_a_channel_of_any_version_is_one(tmp_path: Path) -> None:
    world = World(agreement(ROWS), "live")
    later = load("rules.md", agreement_text(ROWS).replace("[posts, mail]", "[mail, posst]").encode(), none).agreement
    assert later is not None
    world.publish(later, NOW)
    world.proceedings = world.again()
    with serving(world, tmp_path) as client:
        for channel in ("posts", "posst"):
            message = {**MESSAGE, "id": channel, "channel": channel}
            assert client.post("/v1/messages", json=message, headers=as_(Role.SOURCE)).json()["hint"] is None


@pytest.mark.parametrize(
    ("channels", "count", "said"),
    [
        (["posst", "posts"], 1, "1 of them is not on a channel that the agreement names"),
        (["posst", "posst", "posts"], 2, "2 of them are not on a channel that the agreement names"),
        (["posst"], 1, "None of them is on a channel that the agreement names"),
        (["posts"], 0, ""),
    ],
)
def test_commands_count_what_an_archive_has_of_them(
    channels: list[str], count: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, archive = tmp_path / "agreement.md", tmp_path / "archive.jsonl"
    rules.write_text(agreement_text(ROWS))
    lines = [MESSAGE | {"id": f"{n}", "channel": name} for n, name in enumerate(channels)]
    archive.write_text("".join(json.dumps(line) + "\n" for line in lines))
    chosen = settings({"store.folder": str(tmp_path / "record"), "agreement.file": str(rules)})
    publish(rules, chosen, effective="2026-01-01", replay=True)
    rejects = tmp_path / "rejects.jsonl"
    for as_json in (False, True):
        capsys.readouterr()
        judge(rules, [str(archive)], (), source=None, out=None, rejects=rejects, as_json=as_json)
        judged = capsys.readouterr().out
        run([str(archive)], chosen, (), source=None, as_sent=True, rejects=rejects, as_json=as_json)
        for told in (judged, capsys.readouterr().out):
            if as_json:
                assert json.loads(told)["elsewhere"] == count
            else:
                assert (said in told, "channel that the agreement names" in told) == (True, bool(said))
