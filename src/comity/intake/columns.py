"""Which column of an archive holds which field: by name, or as the operator maps them.

A mapping gives for a field (or for `meta.KEY`) the name of a column, `=VALUE` for one value in all records, or for `id`
alone `#`: the archive's name and the record's number.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from comity.intake.fields import FIELDS, META_PREFIX, REQUIRED
from comity.intake.problems import ArchiveError, RecordError

NUMBERED: Final = "#"
_CONSTANT: Final = "="
_COLUMN: Final = "COLUMN"
_NAME: Final = "NAME"
_LOOKED_AT: Final = 100
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A checked mapping. `named`: field -> column, the fields not mapped under their own name."""

    named: Mapping[str, str]
    mapped: frozenset[str]
    constants: Mapping[str, str]
    is_numbered: bool

    def among(self, header: Sequence[str], archive: str) -> Mapping[str, str]:
        """Field -> column, for the columns that `header` has; `ArchiveError` if one that must be there is not."""
        found = {field: column for field, column in self.named.items() if column in header}
        found |= {name: name for name in header if name.startswith(META_PREFIX) and name not in self.mapped}
        needed = [field for field in self.named if field in self.mapped or FIELDS[field].required]
        if needed and not any(header):
            raise ArchiveError(
                archive, "it is empty", f"it must begin with the names of its columns: {', '.join(needed)}"
            )
        if lacking := {field: self.named[field] for field in needed if field not in found}:
            what = "no column " + ", ".join(f"`{column}`" for column in lacking.values())
            raise ArchiveError(archive, what, mend_missing(lacking, header))
        if twice := sorted(column for column in set(found.values()) if header.count(column) > 1):
            raise ArchiveError(archive, f"column `{twice[0]}` is there twice", "rename one of the two")
        return found


def parse_mapping(options: Iterable[str]) -> dict[str, str]:
    """`FIELD=COLUMN`, as the command line takes them, as a mapping; `ArchiveError` if one is not of that form."""
    mapping: dict[str, str] = {}
    for option in options:
        field, equals, column = option.partition("=")
        if not equals or not field or not column:
            raise ArchiveError(
                "", f"`{option}` is no mapping", "write FIELD=COLUMN, such as text=body or channel==posts"
            )
        if field in mapping:
            raise ArchiveError("", f"`{field}` is mapped twice", "keep one of the two")
        mapping[field] = column
    return mapping


def check(mapping: Mapping[str, str]) -> Columns:
    """The mapping with its fields and constants checked; raises `ArchiveError`."""
    for field, column in mapping.items():
        _check(field, column)
    constants = {field: value[1:] for field, value in mapping.items() if value.startswith(_CONSTANT)}
    is_numbered = mapping.get("id") == NUMBERED
    named = {field: field for field in FIELDS} | dict(mapping)
    return Columns(
        named={f: column for f, column in named.items() if f not in constants and not (f == "id" and is_numbered)},
        mapped=frozenset(mapping),
        constants=constants,
        is_numbered=is_numbered,
    )


def _check(field: str, column: str) -> None:
    if field not in FIELDS and not (field.startswith(META_PREFIX) and len(field) > len(META_PREFIX)):
        near = difflib.get_close_matches(field, FIELDS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"the fields are {', '.join(FIELDS)} and meta.KEY"
        raise ArchiveError("", f"`{field}` is no field of a message", hint)
    if column.startswith(_CONSTANT) and field in FIELDS:
        _check_constant(field, column[1:])


def _check_constant(field: str, value: str) -> None:
    try:
        FIELDS[field].read(value)
    except RecordError as refused:
        raise ArchiveError("", f"the value given for `{field}` {refused.reason}", refused.mend) from None


def mend_missing(lacking: Mapping[str, str], header: Iterable[str]) -> str:
    """What to do about fields whose columns (field -> column) are not there, with the nearest that are."""
    columns = list(islice(header, _LOOKED_AT))
    options = [f"{field}={_instead(field, column, columns)}" for field, column in lacking.items()]
    explained = [f"{_COLUMN} is one of {', '.join(columns[:_SHOWN])}"] if any(_is_open(one) for one in options) else []
    explained += [f"{_NAME} is the channel that all came over"] if f"channel=={_NAME}" in options else []
    return "; ".join(["say " + " ".join(f"--map {shlex.quote(one)}" for one in options), *explained])


def _is_open(option: str) -> bool:
    return option.endswith(f"={_COLUMN}")


def _instead(field: str, column: str, columns: Sequence[str]) -> str:
    usual = FIELDS[field].usual if field in FIELDS else frozenset[str]()
    for name in columns:
        if name.casefold() in (field, column.casefold()) or name.casefold() in usual:
            return name
    others = [name for name in columns if name not in REQUIRED]
    near = next(iter(difflib.get_close_matches(column, others, n=1)), None)
    return near or {"id": NUMBERED, "channel": _CONSTANT + _NAME}.get(field, _COLUMN)
