"""`comity mail`: which statements wait for the mail server, which were given up; and how `serve` reaches it."""

from __future__ import annotations

import os
from contextlib import closing
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Final
from urllib.parse import urlsplit

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings, variable_of
from comity.app.smtp_link import MailServer
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import SystemClock, mails
from comity.casework.wording import counted, printable
from comity.flow.accounts import is_mail_address

_PASSWORD: Final = "COMITY_MAIL_PASSWORD"  # noqa: S105 - the name of a variable
_PORTS: Final = {"smtp": 587, "smtps": 465}


def waiting(settings: Settings, *, as_json: bool) -> Exit:
    """How many wait, and what was given up."""
    with closing(mails(settings)) as file:
        count, pause, dead = file.waiting(), file.pause, file.dead()
    if as_json:
        print_json({"waiting": count, "problem": pause.error if pause else "", "dead": dead})
        return Exit.FINE
    for each in dead:
        tried = counted(each.attempts, "try", "tries")
        out.print(f"{each.statement}  {tried}: {printable(each.error)}", markup=False, soft_wrap=True)
    out.print(f"{counted(count, 'mail')} waiting, {len(dead)} given up.", markup=False)
    if pause is not None:
        out.print(f"The mail server takes none now: {printable(pause.error)}.", markup=False, soft_wrap=True)
    return Exit.FINE


def again(settings: Settings) -> Exit:
    with closing(mails(settings)) as file:
        count = file.again(SystemClock().now())
    out.print(f"{counted(count, 'mail is', 'mails are')} sent anew.", markup=False)
    return Exit.FINE


def sender(settings: Settings) -> Address:
    """Whom mails come from. Raises `StopError`."""
    return _address(settings, "mail.from")


def reply_to(settings: Settings) -> Address | None:
    return _address(settings, "mail.reply_to") if settings["mail.reply_to"] else None


def server(settings: Settings) -> MailServer:
    """Where mails are taken to. Raises `StopError`."""
    split = urlsplit(settings["mail.server"])
    try:
        port = split.port or _PORTS[split.scheme]
    except (ValueError, KeyError):
        port = 0
    if not port or not split.hostname or split.username or split.path.strip("/") or split.query or split.fragment:
        raise _wrong(settings, "mail.server", "Write `smtp://HOST[:PORT]` (STARTTLS) or `smtps://HOST[:PORT]`.")
    return MailServer(
        host=split.hostname,
        port=port,
        is_wrapped=split.scheme == "smtps",
        sender=sender(settings).addr_spec,
        user=settings["mail.user"],
        password=_password(settings),
    )


def _password(settings: Settings) -> str:
    if not settings["mail.user"]:
        return ""
    if not settings["mail.password_file"]:
        found = os.environ.get(_PASSWORD, "")
        if not found:
            help_ = f"Name a file in `mail.password_file`, or set {_PASSWORD}."
            raise StopError("`mail.user` is set, and there is no password", help=help_, code=Exit.USAGE)
        return found
    path = settings.base / settings["mail.password_file"]
    try:
        return path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        help_ = "Name a file that `serve` may read, in `mail.password_file`."
        raise StopError(f"{path} cannot be read: {error}", help=help_, code=Exit.USAGE) from error


def _address(settings: Settings, name: str) -> Address:
    found = getaddresses([settings[name]])
    try:
        (display, address), *others = found
        if not others and is_mail_address(address):
            return Address(display_name=display, addr_spec=address)
    except (HeaderParseError, ValueError):
        pass
    raise _wrong(settings, name, "Write `Name <name@example.org>` or `name@example.org`.")


def _wrong(settings: Settings, name: str, help_: str) -> StopError:
    source = settings.each[name].source
    where = f" (or {variable_of(name)})" if source == "default" else ""
    return StopError(f"`{name}` from {source}{where} is {settings[name]!r}", help=help_, code=Exit.USAGE)
