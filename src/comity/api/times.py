"""The times that requests name: with an offset, and from there on in UTC, as gates believe no other."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import msgspec

from comity.api.problems import ProblemError

Time = Annotated[datetime, msgspec.Meta(tz=True)]


def in_utc(at: datetime) -> datetime:
    """Raises `ProblemError`."""
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        detail = f"The time {at.isoformat()} is before the year 1 or after 9999 in UTC. Send a nearer one."
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail) from error
