"""Who takes statements to accounts by e-mail while `comity serve` runs, made from the settings."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache

from comity.api.app import own_link
from comity.app.attempts import Attempts
from comity.app.mail import reply_to, sender, server
from comity.app.smtp_link import SmtpLink
from comity.app.wiring import Opened, SystemClock, SystemEntropy, reading
from comity.flow.agreement import Versions
from comity.flow.letters import Letters
from comity.flow.links import Links
from comity.flow.mail import Postman
from comity.ports import Mails


def postman(record: Opened, held: ExitStack, post: Mails, url: str, attempts: Attempts) -> Postman | None:
    """None: no mail server is named. `url`: where the service is reached. Raises `StopError`."""
    settings, clock = record.settings, SystemClock()
    if not settings["mail.server"]:
        return None
    store = held.enter_context(reading(settings))
    letters = Letters(
        sender=sender(settings),
        reply_to=reply_to(settings),
        link=own_link(Links(record.links_key), url),
        zone=settings.zone,
        clock=clock,
        version_of=cache(lambda digest: Versions(store.versions()).agreement(digest)),
    )
    return Postman(store, post, SmtpLink(server(settings), attempts=attempts), clock, SystemEntropy(), letters.written)
