"""Every diagnostic's code and its title, in one table. A code is never reused for another meaning.

C001-C009 the file itself, C010-C039 rules, C040-C059 front matter and lexicons, C060-C079 clauses and examples,
C080-C094 ladders, C095-C099 translations and the rest, C100-C109 examples that fail when they are run.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

TITLES: Final = MappingProxyType(
    {
        "C001": "the file is too large",
        "C002": "the file is not UTF-8",
        "C003": "lines do not end with LF alone",
        "C004": "the file starts with a byte order mark",
        "C005": "control character",
        "C006": "invisible character where the agreement runs",
        "C007": "the line is too long",
        "C008": "nested too deeply",
        "C009": "too many clauses",
        "C032": "breaches are counted in a circle",
        "C040": "no front matter",
        "C041": "the front matter is not YAML",
        "C042": "a part of YAML that agreements do without",
        "C043": "the key is given twice",
        "C044": "unknown key",
        "C045": "a required key is missing",
        "C046": "the value has the wrong shape",
        "C047": "unknown format version",
        "C048": "not a channel's name",
        "C049": "not a duration",
        "C050": "the duration is out of bounds",
        "C051": "not a language tag",
        "C052": "the path is not safe",
        "C053": "the file is missing",
        "C054": "the lexicons are too large",
        "C055": "not an entry of this kind of lexicon",
        "C056": "the lexicon is empty",
        "C057": "not a name",
        "C058": "declared but never used",
        "C060": "not a clause id",
        "C061": "the id is used twice",
        "C062": "a clause with a rule needs prose",
        "C063": "no ladder governs the clause",
        "C064": "more than one rule in a clause",
        "C065": "it stands in no clause",
        "C066": "it stands inside a list or a quotation",
        "C067": "the fence is not closed",
        "C068": "unknown rule attribute",
        "C069": "the attribute cannot be read",
        "C070": "the attribute does not fit the clause",
        "C071": "unknown channel",
        "C072": "the rule lacks an example",
        "C073": "not a line of examples",
        "C074": "the example sets an unknown name",
        "C075": "the example's value has the wrong type",
        "C076": "examples without a rule",
        "C077": "the agreement has no clauses",
        "C078": "a fence that is almost a rule",
        "C080": "a table that is almost a ladder",
        "C081": "more than one ladder in a section",
        "C082": "the ladder belongs to no section",
        "C083": "not a number of points",
        "C084": "not a measure",
        "C085": "the measure needs channels",
        "C086": "the measure needs a length",
        "C087": "not a length of time",
        "C088": "unknown condition",
        "C089": "longer than a review may last",
        "C090": "severity falls from row to row",
        "C091": "the rows are not in rising order",
        "C092": "the ladder's row is not whole",
        "C093": "the ladder governs nothing",
        "C094": "the prose states another period",
        "C095": "the translation's clauses differ",
        "C096": "a translation holds no rules",
        "C097": "the translation does not match its language",
        "C098": "more problems than are shown",
    }
)


def page(code: str) -> str:
    """Where the code is explained, relative to the repository's root."""
    return f"docs/diagnostics/{code}.md"
