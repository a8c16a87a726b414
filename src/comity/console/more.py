"""The console's pages beside the cases: accounts, the agreement, how it goes, people and tokens."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.types import ControllerRouterHandler

from comity.console.accounts import account_routes
from comity.console.case import Desk
from comity.console.drafts import draft_routes
from comity.console.overview import overview_routes
from comity.console.people import Staff, people_routes
from comity.console.public import Public
from comity.flow.links import Links
from comity.ports import GateAcks


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """What they are made of besides the desk."""

    public: Public
    links: Links
    gates: GateAcks
    staff: Staff


def more_routes(of: Desk, more: More) -> list[ControllerRouterHandler]:
    return [
        *account_routes(of, more.links, more.public.url, more.gates),
        *draft_routes(of, more.public.counting),
        *overview_routes(of, more.public, more.gates),
        *people_routes(of, more.staff),
    ]
