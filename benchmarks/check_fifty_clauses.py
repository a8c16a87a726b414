"""How long `comity check` takes on an agreement of 50 clauses, start of Python included: editors call it on save."""

from __future__ import annotations

import tempfile
from pathlib import Path

from common import comity, expect, median_seconds, part, report

CLAUSES = 50
HEAD = """---
comity: 1
title: Fifty clauses
channels: [posts, mail]
lexicons:
  phrases: phrases.txt
---

# Fifty clauses

"""
LADDER = """## What happens {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 3 | remove, suspend | same | 7 days |
| 9 | terminate | all | |
"""
RULES = (
    'text.says("phrase {n}")',
    'text.saysAny("phrases") && author.messages(minutes({n})) > {n}',
    "links.size() > {n} && author.age < days({n})",
    'text.matches("code[0-9]+x{n}")',
    'links.exists(link, link.contains("{n}.example")) || author.copies(hours({n})) > {n}',
)
EXAMPLES = (
    "breach: this has phrase {n} in it",
    "breach: this has listed words in it\n  author.messages: 100",
    "breach: {links}\n  author.age: 1 hour",
    "breach: it is code77x{n}",
    "breach: what of https://{n}.example/page",
)


def clause(number: int) -> str:
    """One clause with a rule of one of five kinds, and examples that it keeps."""
    n = number + 1
    links = " ".join(f"https://a{i}.example" for i in range(n + 1))
    breach = EXAMPLES[number % 5].format(n=n, links=links)
    return (
        f"## Clause {n} {{#clause-{n}}}\n\nDo not do what number {n} is about.\n\n"
        f"```rule\n{RULES[number % 5].format(n=n)}\n```\n\n```examples\n{breach}\nfine: a letter about bread\n```\n\n"
    )


def agreement() -> str:
    return HEAD + "".join(clause(number) for number in range(CLAUSES)) + LADDER


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "phrases.txt").write_text("listed words\nand others\n", encoding="utf-8")
    (folder / "agreement.md").write_text(agreement(), encoding="utf-8", newline="\n")
    mistyped = agreement().replace('says("phrase 21")', 'say("phrase 21")')
    (folder / "mistyped.md").write_text(mistyped, encoding="utf-8", newline="\n")
    comity("check", "mistyped.md", folder=folder, exit_code=1)
    expect("warning" not in comity("check", "agreement.md", folder=folder), "the agreement has warnings")
    took = median_seconds(lambda: comity("check", "agreement.md", folder=folder), runs=5)
    alone = median_seconds(lambda: comity("--help", folder=folder), runs=5)
part("comity --help alone", alone * 1000, "ms")
report(took * 1000, "ms", target="< 1000 ms")
