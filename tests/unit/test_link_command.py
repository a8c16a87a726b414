"""`comity link`: the account's way to its statement, and a new one for a link that somebody else has."""

from __future__ import annotations

import json

from test_due_process import Program, comity  # noqa: F401 - a fixture


def test_a_replaced_link_is_another_one_and_needs_a_name(comity: Program) -> None:  # noqa: F811
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    comity.say("buy now", "2026-01-02T12:00:00Z")
    (statement,) = comity.statements()
    first = comity("link", statement).strip()
    assert first.startswith("http://127.0.0.1:8645/s/")
    assert comity("link", statement[:6]).strip() == first
    assert "Add --by NAME" not in comity("link", statement, "--new", code=2)
    second = comity("link", statement, "--new", "--by", "mara").strip()
    assert second != first
    told = json.loads(comity("link", statement, "--json"))
    assert told["statement"] == second
    assert told["refusal"].startswith("http://127.0.0.1:8645/r/")


def test_a_statement_tells_of_its_link_where_it_is_known_how_the_service_is_reached(
    comity: Program,  # noqa: F811
) -> None:
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    comity.say("buy now", "2026-01-02T12:00:00Z")
    (statement,) = comity.statements()
    assert "comity link" not in comity("statement", statement)
    (comity.folder / "comity.toml").write_text('[serve]\nurl = "https://forum.example"\n')
    assert f"`comity link {statement[:8]}`" in comity("statement", statement)
    assert comity("link", statement).startswith("https://forum.example/s/")
