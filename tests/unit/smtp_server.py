"""A real SMTP server (aiosmtpd) on loopback that keeps what it takes, and answers for some addresses as it is told."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

USER, PASSWORD = "comity", "a secret"


class Taken:
    """What the server took. `answers`: for an address, what it says to RCPT, one after the other."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.answers: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.came = threading.Condition()

    async def handle_RCPT(self, server, session, envelope, address: str, options) -> str:
        self.asked.append(address)
        answer = self.answers[address].pop(0) if self.answers.get(address) else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope) -> str:
        with self.came:
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.came.notify_all()
        return "250 2.0.0 queued"

    def wait_for_subject(self, begins: str) -> None:
        with self.came:
            assert self.came.wait_for(lambda: any(str(each["Subject"]).startswith(begins) for each in self.mails), 60)

    def wait_for(self, count: int) -> list[EmailMessage]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.mails) >= count, timeout=60), (
                f"{len(self.mails)} of {count} came"
            )
        return self.mails


class Server:
    """Listens from `with` on; `port` stays the same, also after it was closed and opened again."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, wrapped: bool = False, asks: bool = False) -> None:
        self.taken, self.port = Taken(), 0
        self._tls, self._wrapped, self._asks = tls, wrapped, asks

    def __enter__(self) -> Server:
        self._loop, ready = asyncio.new_event_loop(), threading.Event()
        listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(listener, ready))
        self._thread.start()
        assert ready.wait(timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)

    def _protocol(self) -> SMTP:
        given = {}
        if self._asks:
            given = {"auth_required": True, "authenticator": _admitted, "auth_require_tls": self._tls is not None}
        if self._tls is not None and not self._wrapped:
            given |= {"tls_context": self._tls, "require_starttls": True}
        return SMTP(self.taken, hostname="mail.example.org", loop=self._loop, **given)

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        with closing(self._loop):
            context = self._tls if self._wrapped else None
            made = self._loop.create_server(self._protocol, sock=listener, ssl=context)
            server = self._loop.run_until_complete(made)
            ready.set()
            self._loop.run_forever()
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))


def _admitted(server, session, envelope, mechanism, given) -> AuthResult:
    is_right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


def certificate(folder: Path, address: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for an IP address, and the file by which it is trusted."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's mail server")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "trusted.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    return context, trusted
