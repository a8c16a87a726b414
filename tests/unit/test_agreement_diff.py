"""What differs between two versions, and to whose cost it is."""

from __future__ import annotations

import pytest

from comity.agreement.changes import Effect
from comity.agreement.diff import Diff, Status, diff
from comity.agreement.load import load
from comity.model.agreement import Agreement

FIRST = """\
---
comity: 1
title: Rules
channels: [posts, mail]
contact: a@b.example
points_expire: 90 days
lexicons: {words: words.txt}
---

# Rules

## Links {#links}

Few links.

```rule points=2
links.size() > 3
```

```examples
breach: http://a.example http://b.example http://c.example http://d.example
fine: nothing
```

## Words {#words}

Good words.

```rule decide=review once="2 days"
text.saysAny("words")
```

```examples
breach: bad
fine: good
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | remove, suspend | same | 7 days |
| 4 | limit to 5 an hour | all | until reviewed |
"""


def version(text: str, words: bytes = b"bad\nworse\n") -> Agreement:
    found = load("rules.md", text.encode(), {"words.txt": words}.get)
    assert found.agreement is not None, found.diagnostics
    return found.agreement


def between(old: str, new: str) -> Diff:
    """What differs after the one piece of text was replaced by the other."""
    assert FIRST.count(old) == 1
    return diff(version(FIRST), version(FIRST.replace(old, new)))


def test_the_same_version_differs_in_nothing() -> None:
    found = diff(version(FIRST), version(FIRST))

    assert (found.front_matter, found.ladders, found.lexicons) == ((), (), ())
    assert all(clause.status is Status.KEPT and clause.changes == () for clause in found.clauses)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("90 days", "120 days", ("points_expire", "90 days", "120 days", Effect.STRICTER)),
        ("90 days", "never", ("points_expire", "90 days", "never", Effect.STRICTER)),
        ("90 days", "12 months clean", ("points_expire", "90 days", "12 months clean", Effect.STRICTER)),
        ("90 days", "30 days clean", ("points_expire", "90 days", "30 days clean", Effect.NEITHER)),
        ("90 days", "30 days", ("points_expire", "90 days", "30 days", Effect.LOOSER)),
        ("title: Rules", "title: Laws", ("title", "Rules", "Laws", Effect.NEITHER)),
        ("[posts, mail]", "[posts, mail, chat]", ("channels", "posts, mail", "posts, mail, chat", Effect.STRICTER)),
        (
            "contact: a@b.example",
            "contact: a@b.example\nappeal_window: 12 months",
            ("appeal_window", "6 months", "12 months", Effect.LOOSER),
        ),
    ],
)
def test_front_matter_is_compared(old: str, new: str, expected: tuple[str, str, str, Effect]) -> None:
    (change,) = between(old, new).front_matter

    assert (change.what, change.old, change.new, change.effect) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("points=2", "points=3", ("points", "2", "3", Effect.STRICTER)),
        ("points=2", "points=1", ("points", "2", "1", Effect.LOOSER)),
        ("points=2", "points=2 expires=never", ("expires", "90 days", "never", Effect.STRICTER)),
        ("points=2", "points=2 on=posts", ("on", "mail, posts", "posts", Effect.LOOSER)),
        ("points=2", "points=2 category=SCAMS_AND_FRAUD", ("category", "", "SCAMS_AND_FRAUD", Effect.NEITHER)),
        ("decide=review", "decide=auto", ("decide", "review", "auto", Effect.STRICTER)),
        ("decide=review", "decide=hold", ("decide", "review", "hold", Effect.STRICTER)),
        ("decide=review", "decide=shadow", ("decide", "review", "shadow", Effect.LOOSER)),
        ('once="2 days"', 'once="3 days"', ("once", "2 days", "3 days", Effect.LOOSER)),
        ("## Words {", "## Other words {", ("title", "Words", "Other words", Effect.NEITHER)),
    ],
)
def test_attributes_are_compared(old: str, new: str, expected: tuple[str, str, str, Effect]) -> None:
    changes = [change for clause in between(old, new).clauses for change in clause.changes]

    assert [(each.what, each.old, each.new, each.effect) for each in changes] == [expected]


@pytest.mark.parametrize(
    ("old", "new", "what", "effect"),
    [
        ("same | 7 days", "same | 8 days", "2 to 3 points", Effect.STRICTER),
        ("same | 7 days", "same | 1 to 7 days", "2 to 3 points", Effect.LOOSER),
        ("same | 7 days", "same | 1 to 30 days", "2 to 3 points", Effect.NEITHER),
        ("same | 7 days", "all | 7 days", "2 to 3 points", Effect.STRICTER),
        ("same | 7 days", "mail | 7 days", "2 to 3 points", Effect.NEITHER),
        ("same | 7 days", "same | after 3 days: 7 days", "2 to 3 points", Effect.LOOSER),
        ("remove, suspend | same", "suspend | same", "2 to 3 points", Effect.LOOSER),
        ("remove, suspend | same", "mark, suspend | same", "2 to 3 points", Effect.LOOSER),
        ("remove, suspend | same", "remove, hold | same", "2 to 3 points", Effect.LOOSER),
        ("limit to 5 an hour", "limit to 5 a day", "4 points or more", Effect.STRICTER),
        ("until reviewed", "until reviewed and acknowledged", "4 points or more", Effect.STRICTER),
        ("until reviewed", "until acknowledged", "4 points or more", Effect.NEITHER),
        ("until reviewed", "30 days", "4 points or more", Effect.LOOSER),
        ("| 1 | warn | | |\n", "", "1 point", Effect.LOOSER),
        ("| 4 | limit", "| 3 | limit", "3 points", Effect.NEITHER),
    ],
)
def test_ladders_are_compared_point_by_point(old: str, new: str, what: str, effect: Effect) -> None:
    (ladder,) = between(old, new).ladders

    assert [(change.what, change.effect) for change in ladder.changes] == [(what, effect)]


def test_a_row_further_down_is_stricter_from_there_to_where_it_was() -> None:
    (ladder,) = between("| 1 | warn | | |\n| 2 | remove", "| 1 | remove").ladders

    assert [(change.what, change.effect) for change in ladder.changes] == [("1 point", Effect.STRICTER)]


def test_entries_of_lexicons_come_and_go() -> None:
    found = diff(version(FIRST), version(FIRST, b"bad\nworst\n"))

    assert [(each.name, each.added, each.removed) for each in found.lexicons] == [("words", ("worst",), ("worse",))]


def test_the_same_prose_and_rule_under_a_new_id_are_a_renamed_clause() -> None:
    found = between("{#links}", "{#addresses}")

    assert [(clause.id, clause.status) for clause in found.clauses] == [
        ("addresses", Status.RENAMED),
        ("words", Status.KEPT),
    ]


def test_another_clause_in_its_place_is_one_removed_and_one_added() -> None:
    found = between("{#links}\n\nFew links.", "{#addresses}\n\nNo links, please.")

    assert [(clause.id, clause.status) for clause in found.clauses] == [
        ("addresses", Status.ADDED),
        ("words", Status.KEPT),
        ("links", Status.REMOVED),
    ]


def test_a_clause_that_stands_elsewhere_has_moved() -> None:
    start, middle, end = (FIRST.index(heading) for heading in ("## Links", "## Words", "## Measures"))
    swapped = FIRST[:start] + FIRST[middle:end] + FIRST[start:middle] + FIRST[end:]

    changes = [change.what for clause in diff(version(FIRST), version(swapped)).clauses for change in clause.changes]

    assert changes == ["place"]
