"""What a console's form sends, read into a value: its own fields, and no others."""

from __future__ import annotations

import msgspec


class Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`csrf` was looked at by the door. A field that a form does not have is refused, not ignored."""

    csrf: str = ""


Several = str | tuple[str, ...]
"""A field that may come more than once; where it comes once, it is no list."""


def several(sent: Several) -> tuple[str, ...]:
    return (sent,) if isinstance(sent, str) else sent
