"""The mail server that takes statements to their accounts: SMTP under TLS, or in the clear on this very machine.

What the server says is not kept but for its codes: it may quote the address.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from comity.app.attempts import Attempts
from comity.app.webhook_link import is_loopback
from comity.model.mail import Answered
from comity.ports import UnreachableError

ResultT = TypeVar("ResultT")
TIMEOUT: Final = 15.0
"""Seconds for each step."""
DEADLINE: Final = 60.0
"""Seconds for all of one mail."""
_STATUS: Final = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")
_CLOSING: Final = 421


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """`is_wrapped`: it speaks TLS from the first byte on. `user`: who signs in; empty: nobody."""

    host: str
    port: int
    is_wrapped: bool
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


class SmtpLink:
    """Connects to one server."""

    def __init__(
        self,
        server: MailServer,
        timeout: float = TIMEOUT,
        deadline: float = DEADLINE,
        attempts: Attempts | None = None,
    ) -> None:
        self._server, self._timeout, self._deadline = server, timeout, deadline
        self._attempts = attempts or Attempts()

    @contextmanager
    def connected(self) -> Iterator[SmtpSession]:
        """Raises `UnreachableError` if there is no TLS, or the server does not let us in."""
        client = self._within(self._open)
        try:
            yield SmtpSession(client, self._server.sender, self._within)
            with suppress(UnreachableError):
                self._within(client.quit)
        finally:
            _hang_up(client)

    def _within(self, ask: Callable[[], ResultT]) -> ResultT:
        """Waits no longer than the deadline, however slowly the answer drips."""
        return self._attempts.wait_for(lambda: _asked(ask), self._deadline)

    def _open(self) -> smtplib.SMTP:
        server, context = self._server, ssl.create_default_context()
        if server.is_wrapped:
            client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout, context=context)
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        with ExitStack() as closes:
            closes.callback(client.close)
            if not server.is_wrapped and not is_loopback(server.host):
                client.starttls(context=context)
            if server.user:
                client.login(server.user, server.password)
            closes.pop_all()
        return client


class SmtpSession:
    """One connection, for one mail after the other."""

    def __init__(self, client: smtplib.SMTP, sender: str, within: Callable[[Callable[[], Answered]], Answered]) -> None:
        self._client, self._sender, self._within = client, sender, within

    def send(self, to: str, content: bytes) -> Answered:
        """Raises `UnreachableError`, also where the server takes nothing from this sender, whoever it is for."""
        return self._within(lambda: self._send(to, content))

    def _send(self, to: str, content: bytes) -> Answered:
        client = self._client
        client.ehlo_or_helo_if_needed()
        code, said = client.mail(self._sender)
        if code // 100 != 2:
            raise UnreachableError(f"it takes no mail from us: it answered {_answered(code, said)}")
        code, said = client.rcpt(to)
        if code // 100 == 2:
            code, said = _data(client, content)
        if code == _CLOSING:
            raise UnreachableError(f"it answered {_answered(code, said)}")
        if code // 100 != 2:
            client.rset()
        return _answered(code, said)


def _hang_up(client: smtplib.SMTP) -> None:
    """Also where somebody still waits for an answer: closing alone would wait for them."""
    if client.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(client.sock, socket.SHUT_RDWR)
    client.close()


def _data(client: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    try:
        return client.data(content)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, _bytes(error.smtp_error)


def _asked(ask: Callable[[], ResultT]) -> ResultT:
    try:
        return ask()
    except smtplib.SMTPResponseException as error:
        answered = _answered(error.smtp_code, _bytes(error.smtp_error))
        raise UnreachableError(f"it answered {answered}: {type(error).__name__}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise UnreachableError("it offers no TLS (STARTTLS), or no way to sign in that is known") from error
    except smtplib.SMTPException as error:
        raise UnreachableError("it broke off") from error
    except ssl.SSLCertVerificationError as error:
        raise UnreachableError(f"its certificate does not hold: {error.verify_message}") from error
    except OSError as error:
        raise UnreachableError(error.strerror or str(error) or type(error).__name__) from error


def _answered(code: int, said: bytes) -> Answered:
    status = _STATUS.match(said)
    return Answered(code=code, status=status[0].decode() if status else "")


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode(errors="replace")
