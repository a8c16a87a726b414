"""Who may ask for what: one table of all routes. A route that it does not name cannot be asked for by anybody.

Machines bring tokens to the first part, people their sessions to the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from comity.model.access import Role

ANYBODY: Final = frozenset[Role]()
"""Neither a token nor a session is asked for."""
_SOURCE: Final = frozenset({Role.SOURCE})
_GATE: Final = frozenset({Role.GATE})
_ASKS: Final = frozenset({Role.SOURCE, Role.GATE})
_REVIEWER: Final = frozenset({Role.REVIEWER})

MACHINES: Final[Mapping[str, frozenset[Role]]] = {
    "POST /v1/messages": _SOURCE,
    "POST /v1/acceptances": _SOURCE,
    "PUT /v1/handles": _SOURCE,
    "POST /v1/attestations": _SOURCE,
    "POST /v1/statements/{statement}/delivered": _ASKS,
    "GET /v1/standing": _ASKS,
    "GET /v1/standings/snapshot": _GATE,
    "GET /v1/standings": _GATE,
    "POST /v1/gates/ack": _GATE,
    "GET /v1/cases": _REVIEWER,
    "POST /v1/cases/{case}/decision": _REVIEWER,
    "POST /v1/statements/{statement}/lift": _REVIEWER,
    "GET /v1/log/{path}": ANYBODY,
    "GET /r/{token}": ANYBODY,
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /openapi.json": ANYBODY,
}

PEOPLE: Final[Mapping[str, frozenset[Role]]] = {}

TABLE: Final[Mapping[str, frozenset[Role]]] = {**MACHINES, **PEOPLE}
