"""What a rule found in a message, with its evidence."""

from __future__ import annotations

import msgspec

from comity.model.ids import ClauseId


class Passage(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="passage"):
    """A place in the message: half-open, in code points of the *original* `field` (`text`, `subject`, ...)."""

    field: str
    start: int
    end: int
    why: str  # what matched, in the rule's words: `says("free money")`, `saysAny("slurs"): cheap pills`


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="value", omit_defaults=True):
    """A sub-expression of the rule and what it came to, such as `links.size()` and `4`."""

    expression: str
    value: str
    against: str = ""  # how it stands to the number that the rule compares it with, as it came out: `> 3`


Evidence = Passage | Value


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rule's answer that a clause is breached by a message."""

    clause: ClauseId
    evidence: tuple[Evidence, ...] = ()
    late: bool = False  # the message came later than `lateness`: windows counted what was still known
