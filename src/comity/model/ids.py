"""The identifiers. All are strings, told apart by type so that one is never passed for another."""

from __future__ import annotations

from typing import NewType

AccountId = NewType("AccountId", str)
"""Whoever is bound: an opaque string chosen by the operator's system, 1 byte to 1 KB of UTF-8, hostile."""

Channel = NewType("Channel", str)
"""A way to communicate that the agreement names: `[a-z][a-z0-9-]*`."""

ClauseId = NewType("ClauseId", str)
"""A clause's id inside its agreement: `[a-z][a-z0-9-]*`."""

Digest = NewType("Digest", str)
"""A version of an agreement: `sha256:` and 64 lower-case hexadecimal digits."""

MessageId = NewType("MessageId", str)
"""A message's id, unique within its source."""

DecisionId = NewType("DecisionId", str)
"""128 random bits as 32 hexadecimal digits. The decision's statement and its ledger entry share it."""

CaseId = NewType("CaseId", str)
"""128 random bits as 32 hexadecimal digits."""

NoticeId = NewType("NoticeId", str)
"""128 random bits as 32 hexadecimal digits."""

AppealId = NewType("AppealId", str)
"""128 random bits as 32 hexadecimal digits. The appeal's ledger entry shares it."""

ReviewerId = NewType("ReviewerId", str)
"""Who decides or asks for something on the operator's side: the name of a person's account, 1 to 200 characters."""
