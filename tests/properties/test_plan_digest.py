"""The digest of a plan is over canonical JSON, however quickly that is written: others compute it from RFC 8785."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from comity.ledger.canonical import canonical_json
from comity.ledger.plan_digest import plan_digest
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import State
from comity.model.plan import Called, Planned, Span

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"\\/', "\x7f", "\u2028", "𝄞", ""]
)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(NAMES, NAMES, NAMES, TIMES, TIMES | st.none(), st.sampled_from([None, "hold"]))
def test_a_plans_digest_is_over_canonical_json(
    name: str, handle: str, reason: str, start: datetime, until: datetime | None, limit: str | None
) -> None:
    span = Span(
        state=State.CUT,
        start=start,
        until=until,
        limit=limit,
        condition=(name, reason),
        statement=DecisionId("0" * 32),
        reason=reason,
    )
    called = Called(handle=handle, start=start, until=until)
    one = Planned(account=AccountId(name), channel=Channel("posts"), handles=(called,), plan=(span,))
    end = until.isoformat() if until else None
    written = canonical_json(
        {
            "account": name,
            "channel": "posts",
            "handles": [[handle, start.isoformat(), end]],
            "plan": [
                {
                    "state": "cut",
                    "start": start.isoformat(),
                    "until": end,
                    "limit": limit,
                    "condition": [name, reason],
                    "statement": "0" * 32,
                    "reason": reason,
                }
            ],
        }
    )
    assert plan_digest(one) == int.from_bytes(sha256(written).digest(), "big")
