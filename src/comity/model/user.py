"""People who sign in: who they are, and what is known of somebody who is signed in."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from comity.model.access import Role
from comity.model.ids import ReviewerId

STAFF: Final = (Role.REVIEWER, Role.APPEALS_REVIEWER, Role.OPERATOR, Role.AUDITOR)
"""The roles that a person can have; the others are for machines."""
LONGEST_NAME: Final = 64
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]*")


class User(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who signs in. `name` is what the record keeps of their acts; without a role nobody gets in."""

    name: ReviewerId
    roles: frozenset[Role]
    created: datetime


class Session(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody signed in, `by_link` with a link that worked once, so that a new password needs no old one."""

    user: ReviewerId
    began: datetime
    seen: datetime
    by_link: bool


def is_name(text: str) -> bool:
    """Names have one spelling each, so that nobody passes for somebody else."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None
