"""The console's part of `comity serve`: its people, and whether it is reached by HTTPS."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Final

from litestar import Router

from comity.app.wiring import Opened, SystemEntropy, users
from comity.console.app import Parts, console
from comity.console.subject import Subject
from comity.flow.sign_in import SignIn
from comity.stores.passwords import Argon2

_LOOPBACK: Final = ("http://127.", "http://localhost:", "http://[::1]")
"""There browsers keep no cookie that is for HTTPS alone, and nobody listens in between."""


def console_pages(of: Subject, record: Opened, held: ExitStack, url: str) -> Router:
    """Beside the subject's pages, over the same desk. `url`: where the service is reached."""
    file = held.enter_context(closing(users(record.settings)))
    parts = Parts(
        pages=of.pages,
        asks=of.asks,
        reader=of.reader,
        sign_in=SignIn(file, Argon2(), SystemEntropy()),
        clock=of.clock,
        entropy=SystemEntropy(),
        zone=of.zone,
        is_secure=not url.startswith(_LOOPBACK),
    )
    return console(parts)
