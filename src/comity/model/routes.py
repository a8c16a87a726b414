"""Who may ask for what: one table of all routes. A route that it does not name cannot be asked for by anybody.

Machines bring tokens to the first part, people their sessions to the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from comity.model.access import Role

ANYBODY: Final = frozenset[Role]()
"""Neither a token nor a session is asked for."""
LOOKS_ONLY: Final = "comity.looks_only"
"""Stands in the state of a request that asked for no body: it is answered as `GET` is, and delivers nothing."""
_SOURCE: Final = frozenset({Role.SOURCE})
_GATE: Final = frozenset({Role.GATE})
_ASKS: Final = frozenset({Role.SOURCE, Role.GATE})
_REVIEWER: Final = frozenset({Role.REVIEWER})
_APPEALS: Final = frozenset({Role.APPEALS_REVIEWER})
_OPERATOR: Final = frozenset({Role.OPERATOR})
_ACCOUNT: Final = frozenset({Role.ACCOUNT})
_ANYONE_OF_US: Final = frozenset({Role.REVIEWER, Role.APPEALS_REVIEWER, Role.OPERATOR, Role.AUDITOR})

MACHINES: Final[Mapping[str, frozenset[Role]]] = {
    "POST /v1/messages": _SOURCE,
    "POST /v1/acceptances": _SOURCE,
    "PUT /v1/handles": _SOURCE,
    "PUT /v1/contacts": _SOURCE,
    "POST /v1/attestations": _SOURCE,
    "POST /v1/statements/{statement}/delivered": _ASKS,
    "GET /v1/standing": _ASKS,
    "GET /v1/standing/gates": _SOURCE | _REVIEWER,
    "GET /v1/standings/snapshot": _GATE,
    "GET /v1/standings": _GATE,
    "POST /v1/gates/ack": _GATE,
    "GET /v1/events": frozenset({Role.SOURCE, Role.AUDITOR}),
    "GET /v1/removals": _SOURCE,
    "POST /v1/removals": _SOURCE,
    "POST /v1/notices": ANYBODY,
    "GET /v1/notices/{notice}": ANYBODY,
    "POST /v1/notices/{notice}/appeals": ANYBODY,
    "GET /v1/agreements": ANYBODY,
    "GET /v1/agreements/{digest}": ANYBODY,
    "POST /v1/agreements": _OPERATOR,
    "GET /v1/cases": _REVIEWER,
    "GET /v1/cases/{case}": _REVIEWER,
    "POST /v1/cases/{case}/claim": _REVIEWER,
    "POST /v1/cases/{case}/release": _REVIEWER,
    "POST /v1/cases/{case}/hand-over": _REVIEWER,
    "POST /v1/cases/{case}/escalate": _REVIEWER,
    "POST /v1/cases/{case}/decision": _REVIEWER,
    "GET /v1/statements/{statement}": _ACCOUNT | _REVIEWER | _APPEALS,
    "POST /v1/statements/{statement}/corrections": _REVIEWER,
    "POST /v1/statements/{statement}/appeals": _ACCOUNT,
    "POST /v1/statements/{statement}/lift": _REVIEWER | _OPERATOR,
    "GET /v1/appeals": _APPEALS,
    "POST /v1/appeals/{appeal}/outcome": _APPEALS,
    "POST /v1/undo": _OPERATOR,
    "GET /v1/export": _OPERATOR,
    "POST /v1/erasures": _OPERATOR,
    "POST /v1/holds": _OPERATOR,
    "GET /v1/webhooks": _OPERATOR,
    "POST /v1/webhooks/{hook}/again": _OPERATOR,
    "GET /v1/mail": _OPERATOR,
    "POST /v1/mail/again": _OPERATOR,
    "GET /v1/log/proof/{statement}": ANYBODY,
    "GET /v1/log/{path}": ANYBODY,
    "GET /metrics": ANYBODY,
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /openapi.json": ANYBODY,
}

PEOPLE: Final[Mapping[str, frozenset[Role]]] = {
    "GET /": ANYBODY,
    "GET /agreement": ANYBODY,
    "GET /agreements": ANYBODY,
    "GET /agreements/{digest}": ANYBODY,
    "GET /agreements/{digest}/changes": ANYBODY,
    "GET /transparency": ANYBODY,
    "GET /verify": ANYBODY,
    "POST /verify": ANYBODY,
    "GET /notice": ANYBODY,
    "POST /notice": ANYBODY,
    "GET /notices/{notice}": ANYBODY,
    "POST /notices/{notice}/appeal": ANYBODY,
    "GET /static/{name}": ANYBODY,
    "GET /r/{token}": ANYBODY,
    "POST /r/{token}/appeal": ANYBODY,
    "GET /s/{token}": ANYBODY,
    "POST /s/{token}/appeal": ANYBODY,
    "POST /s/{token}/read": ANYBODY,
    "POST /s/{token}/offers/{offer}": ANYBODY,
    "GET /s/{token}/statement.json": ANYBODY,
    "GET /s/{token}/account.json": ANYBODY,
    "GET /sign-in": ANYBODY,
    "POST /sign-in": ANYBODY,
    "GET /enter/{token}": ANYBODY,
    "POST /enter/{token}": ANYBODY,
    "POST /sign-out": ANYBODY,
    "GET /console": _ANYONE_OF_US,
    "GET /console/queue": _REVIEWER | _OPERATOR,
    "GET /console/waiting": _REVIEWER | _APPEALS | _OPERATOR,
    "GET /console/cases/{case}": _REVIEWER | _APPEALS | _OPERATOR,
    "POST /console/cases/{case}/work": _REVIEWER,
    "POST /console/cases/{case}/preview": _REVIEWER,
    "POST /console/cases/{case}/decision": _REVIEWER,
    "POST /console/cases/{case}/assessment": _REVIEWER,
    "GET /console/bulk": _REVIEWER,
    "POST /console/bulk": _REVIEWER,
    "GET /console/claims": _REVIEWER,
    "POST /console/claims": _REVIEWER,
    "GET /console/appeals": _APPEALS | _OPERATOR,
    "GET /console/appeals/{appeal}": _APPEALS | _OPERATOR,
    "GET /console/appeals/{appeal}/files/{number}": _APPEALS,
    "POST /console/appeals/{appeal}/preview": _APPEALS,
    "POST /console/appeals/{appeal}/outcome": _APPEALS,
    "GET /console/accounts": _REVIEWER | _APPEALS | _OPERATOR,
    "POST /console/offers/{offer}": _REVIEWER | _APPEALS,
    "GET /console/statements/{statement}": _REVIEWER | _APPEALS | _OPERATOR,
    "POST /console/statements/{statement}": _REVIEWER | _OPERATOR,
    "GET /console/agreement": _ANYONE_OF_US,
    "GET /console/agreement/draft": _REVIEWER | _OPERATOR,
    "POST /console/agreement/check": _REVIEWER | _OPERATOR,
    "POST /console/agreement/trial": _REVIEWER | _OPERATOR,
    "POST /console/agreement/publish": _OPERATOR,
    "GET /console/quality": _ANYONE_OF_US,
    "POST /console/quality": _REVIEWER | _OPERATOR,
    "GET /console/reports": _ANYONE_OF_US,
    "GET /console/ledger": _ANYONE_OF_US,
    "POST /console/ledger": _ANYONE_OF_US,
    "GET /console/people": _OPERATOR,
    "POST /console/people": _OPERATOR,
    "POST /console/tokens": _OPERATOR,
    "POST /console/tokens/revoke": _OPERATOR,
    "GET /console/password": _ANYONE_OF_US,
    "POST /console/password": _ANYONE_OF_US,
}

TABLE: Final[Mapping[str, frozenset[Role]]] = {**MACHINES, **PEOPLE}
