"""Statements on their way to their accounts by e-mail."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.model.ids import DecisionId


class Mail(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A statement that its account is to be told of. `due`: when it is sent; None: it was given up.

    `event`: the position of the last fact that it tells of. Only ids are kept: what it says and where it goes is read
    from the record when it is sent.
    """

    statement: DecisionId
    event: int
    attempts: int
    due: datetime | None
    error: str = ""


class Pause(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The mail server was not reached, so many times in a row, or wants nothing from us: nothing is sent until then."""

    failures: int
    until: datetime
    error: str


class Answered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the mail server answered to one mail: its reply code, and the status code if it gave one (RFC 3463)."""

    code: int
    status: str = ""

    @property
    def is_accepted(self) -> bool:
        return self.code // 100 == 2

    @property
    def is_final(self) -> bool:
        """Accepted, or refused for good."""
        return self.is_accepted or self.code // 100 == 5

    def __str__(self) -> str:
        return f"{self.code} {self.status}".strip()
