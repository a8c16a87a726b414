"""The console's part of `comity serve`: its people, and whether it is reached by HTTPS."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Final

from litestar import Router

from comity.app.wiring import Opened, SystemEntropy, tokens, users
from comity.console.alike import Likeness
from comity.console.app import Parts, console
from comity.console.more import More, more_routes
from comity.console.people import Staff
from comity.console.public import Public
from comity.console.subject import Subject
from comity.flow.sign_in import SignIn
from comity.ports import GateAcks
from comity.stores.passwords import Argon2

_LOOPBACK: Final = ("http://127.", "http://localhost:", "http://[::1]")
"""There browsers keep no cookie that is for HTTPS alone, and nobody listens in between."""


def console_pages(
    of: Subject, public: Public, likeness: Likeness, gates: GateAcks, record: Opened, held: ExitStack
) -> Router:
    """Beside the subject's and the public's pages, over the same desk."""
    file = held.enter_context(closing(users(record.settings)))
    list_ = held.enter_context(closing(tokens(record.settings)))
    parts = Parts(
        pages=of.pages,
        asks=of.asks,
        reader=of.reader,
        sign_in=SignIn(file, Argon2(), SystemEntropy()),
        clock=of.clock,
        entropy=SystemEntropy(),
        zone=of.zone,
        is_secure=not public.url.startswith(_LOOPBACK),
        blurs=record.settings.blurs,
        likeness=likeness,
    )
    staff = Staff(users=file, tokens=list_, sign_in=parts.sign_in, entropy=parts.entropy, url=public.url)
    more = More(public=public, links=of.links, gates=gates, staff=staff)
    return console(parts, lambda desk: more_routes(desk, more))
