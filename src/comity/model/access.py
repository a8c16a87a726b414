"""Who may ask for what: roles, and the tokens that machines bring."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

import msgspec

from comity.model.ids import Channel

TokenId = NewType("TokenId", str)
"""What a token is listed and revoked by: 8 lower-case letters and digits; not secret."""


class Role(StrEnum):
    """What somebody may do. `source` sends messages and `gate` asks for standings: both are machines.

    `account`: whoever a statement is about, let in by its link and by nothing else.
    """

    SOURCE = "source"
    GATE = "gate"
    REVIEWER = "reviewer"
    APPEALS_REVIEWER = "appeals reviewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ACCOUNT = "account"


GIVEN: Final = tuple(role for role in Role if role is not Role.ACCOUNT)
"""The roles that a token can have."""


class Token(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A machine's way in. Its secret is kept as a hash alone. `channels` None: all of them."""

    id: TokenId
    name: str
    role: Role
    channels: frozenset[Channel] | None
    created: datetime
    expires: datetime

    def may_use(self, channel: Channel) -> bool:
        return self.channels is None or channel in self.channels


class GateAck(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a gate says of itself: at `applied_at` it had applied all changes up to `cursor`. `channels` None: all."""

    gate: str
    channels: frozenset[Channel] | None
    cursor: int
    applied_at: datetime
