"""Agreements for the engine's tests, written as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from comity.agreement.diagnostics import draw
from comity.agreement.load import load
from comity.engine import Plan, plan
from comity.model.agreement import Agreement
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message

SENT: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
KINDS: Final = {"slurs": "phrases", "bad": "domains", "known": "exact"}
LADDER: Final = """
## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
"""


def agreement(*rules: str, examples: str = "", lexicons: Mapping[str, str] | None = None) -> Agreement:
    """A version with the rules as clauses `c0`, `c1`, ...; a rule may begin with attributes and `:: `."""
    files = {f"{name}.txt": content.encode() for name, content in (lexicons or {}).items()}
    named = [f"  {name}: {{file: {name}.txt, kind: {KINDS[name]}}}" for name in lexicons or {}]
    lines = [
        "---",
        "comity: 1",
        "title: T",
        "channels: [posts, mail]",
        *(["lexicons:"] if named else []),
        *named,
        "---",
    ]
    lines += ["# T", ""]
    for number, rule in enumerate(rules):
        attributes, _, source = rule.rpartition(":: ")
        fence = ["", f"```rule {attributes}".rstrip(), source, "```", ""]
        lines += [f"## C {number} {{#c{number}}}", "", "Do not.", *fence]
    lines += ["```examples", examples, "```"] if examples else []
    checked = load("a.md", "\n".join([*lines, LADDER]).encode(), files.get)
    assert checked.agreement is not None, draw(checked.diagnostics, checked.sources)
    return checked.agreement


def version(*rules: str, lexicons: Mapping[str, str] | None = None) -> Plan:
    return plan(agreement(*rules, lexicons=lexicons))


def message(text: str = "", **fields: object) -> Message:
    """A message of that text, with the fields given."""
    base = Message(id=MessageId("m"), author=AccountId("a"), channel=Channel("posts"), text=text, sent=SENT)
    return Message(**{**{name: getattr(base, name) for name in base.__struct_fields__}, **fields})  # type: ignore[arg-type]
