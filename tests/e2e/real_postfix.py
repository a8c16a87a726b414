"""Debian's Postfix for tests: its own configuration, queue and data, on free ports, and a mailbox that counts."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POSTFIX = shutil.which("postfix") or shutil.which("/usr/sbin/postfix")
DAEMONS = "/usr/lib/postfix/sbin"
PATIENCE = 60.0
DATE = "Mon, 01 Jun 2026 12:00:00 +0000"

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_authorized_xclient_hosts = 127.0.0.1
relayhost = [127.0.0.1]:{mailbox}
smtp_dns_support_level = disabled
smtp_connection_cache_on_demand = no
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{logins}
in_flow_delay = 0
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 2s
"""
MASTER = """
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
flush unix n - - 1000? 0 flush
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def snippets() -> list[str]:
    """What the page tells the reader to write into main.cf."""
    return re.findall(r"^```ini\n(.*?)^```", (ROOT / "docs" / "gate-postfix.md").read_text(), re.DOTALL | re.MULTILINE)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass(frozen=True)
class Postfix:
    """A running Postfix. `gate`: the port at which it asks who may send. `mailbox`: where it sends all mail on."""

    folder: Path
    smtp: int
    gate: int
    mailbox: int

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def queue(self) -> list[dict[str, object]]:
        """What waits in it."""
        said = self.run("postqueue", "-j")
        return [json.loads(line) for line in said.splitlines()]

    def run(self, program: str, *arguments: str) -> str:
        command = [f"/usr/sbin/{program}", "-c", str(self.folder / "conf"), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout

    @asynccontextmanager
    async def session(self, login: bytes = b"ann") -> AsyncIterator[Session]:
        """A client that signed in."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.smtp)
        session = Session(reader, writer)
        try:
            assert (await session.read())[0] == 220
            assert await session.say(b"EHLO client.example.org") == 250
            if login:
                given = base64.b64encode(b"\0%s\0password" % login)
                assert await session.say(b"AUTH PLAIN " + given) == 235, session.last
            yield session
        finally:
            writer.close()


class Session:
    """An SMTP client that sees each reply as it came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.last = ""
        self.is_utf8 = False  # whether it asked for more than ASCII

    async def read(self) -> tuple[int, str]:
        async with asyncio.timeout(PATIENCE):
            lines = [await self._reader.readline()]
            while lines[-1][3:4] == b"-":
                lines.append(await self._reader.readline())
        assert all(len(each) <= 512 and each.endswith(b"\r\n") for each in lines), lines
        text = b"".join(lines).decode("utf-8" if self.is_utf8 else "ascii")
        assert text.replace("\r\n", "").isprintable(), text
        self.last = text.strip()
        return int(text[:3]), self.last

    async def say(self, command: bytes) -> int:
        self._writer.write(command + b"\r\n")
        return (await self.read())[0]

    async def send(self, subject: str, *, sender: bytes = b"ann@example.org", text: str = "Hello.") -> int:
        """Sends a mail; the code of the last reply."""
        code = await self.begin(sender)
        return await self.finish(subject, text) if code == 354 else code

    async def begin(self, sender: bytes = b"ann@example.org", to: Sequence[bytes] = (b"<bob@example.com>",)) -> int:
        """As far as the mail itself. `to`: with their brackets and parameters; the sender may have them."""
        await self.say(b"RSET")
        sender = sender if sender.startswith(b"<") else b"<%s>" % sender
        for command in (b"MAIL FROM:" + sender, *(b"RCPT TO:" + each for each in to), b"DATA"):
            code = await self.say(command)
            if code not in (250, 354):
                return code
        return code

    async def give(self, mail: bytes, sender: bytes, to: Sequence[bytes] = (b"<bob@example.com>",)) -> int:
        """Sends a mail as it is."""
        code = await self.begin(sender, to)
        return await self.say(mail + b"\r\n.") if code == 354 else code

    async def finish(self, subject: str, text: str = "Hello.") -> int:
        head = f"From: ann@example.org\r\nDate: {DATE}\r\nMessage-ID: <{subject.replace(' ', '.')}@client.example.org>"
        return await self.say(f"{head}\r\nSubject: {subject}\r\n\r\n{text}\r\n.".encode())


@dataclass(frozen=True)
class Came:
    """A mail as it came. `sender`, `to`: its envelope."""

    sender: bytes
    to: tuple[bytes, ...]
    mail: bytes


class Mailbox:
    """The subjects of all mails that came, as often as they came; and the mails."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.mails: list[Came] = []
        self._news = asyncio.Event()

    async def has(self, subject: str) -> None:
        """Wait for a mail."""
        async with asyncio.timeout(PATIENCE):
            while subject not in self.came:
                self._news.clear()
                await self._news.wait()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 mailbox ESMTP\r\n")
            said = list[bytes]()
            while command := await reader.readline():
                said.append(command)
                command = command.upper()
                if command.startswith(b"EHLO"):
                    writer.write(b"250-mailbox\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
                elif command.startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    mail = await reader.readuntil(b"\r\n.\r\n")
                    self._keep(said, mail)
                    writer.write(b"250 ok\r\n")
                else:
                    writer.write(b"221 bye\r\n" if command.startswith(b"QUIT") else b"250 ok\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _keep(self, said: list[bytes], mail: bytes) -> None:
        sender, *to = (found[1] for each in said if (found := re.match(rb"(?:MAIL FROM|RCPT TO):<(.*?)>[ \r]", each)))
        self.mails.append(Came(sender, tuple(to), mail.removesuffix(b".\r\n")))
        found = re.search(rb"(?im)^subject: (.*)\r$", mail)
        self.came.append(found[1].decode("utf-8", "replace") if found else "")
        self._news.set()


@asynccontextmanager
async def mailbox(port: int) -> AsyncIterator[Mailbox]:
    box = Mailbox()
    async with await asyncio.start_server(box.take, "127.0.0.1", port):
        yield box


class SignIn(socketserver.StreamRequestHandler):
    """Dovecot's authentication protocol: whoever names himself is let in."""

    def handle(self) -> None:
        self.wfile.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t%s\nDONE\n" % (b"0" * 32))
        for line in self.rfile:
            command, number, *rest = line.rstrip(b"\n").split(b"\t")
            if command == b"AUTH":
                (response,) = (each.removeprefix(b"resp=") for each in rest if each.startswith(b"resp="))
                self.wfile.write(b"OK\t%s\tuser=%s\n" % (number, base64.b64decode(response).split(b"\0")[1]))


@contextmanager
def logins() -> Iterator[int]:
    """Who tells Postfix who signs in, and at which port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SignIn) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def postfix(*settings: str) -> Iterator[Postfix]:
    """Runs Postfix with further settings; `FOLDER` in them is where all of it is."""
    if POSTFIX is None or os.geteuid() != 0:
        pytest.skip("Postfix is not there, or nobody may start it: apt install postfix, and be root")
    smtp, gate, box = free_ports(3)
    folder = Path(tempfile.mkdtemp(prefix="comity-postfix-"))
    folder.chmod(0o755)  # its programs run as a user of their own
    for name in ("conf", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "conf" / "master.cf").write_text(MASTER.format(smtp=smtp))
    with logins() as port:
        told = "".join(settings).replace("127.0.0.1:8647", f"127.0.0.1:{gate}").replace("FOLDER", str(folder))
        places = {"folder": folder, "daemons": DAEMONS, "mailbox": box, "logins": port}
        (folder / "conf" / "main.cf").write_text(MAIN.format(**places) + told)
        running = subprocess.Popen(
            [POSTFIX, "-c", str(folder / "conf"), "start-fg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _await_start(folder, smtp, running)
            yield Postfix(folder, smtp, gate, box)
        finally:
            _stop(folder, running)
            shutil.rmtree(folder, ignore_errors=True)


def _await_start(folder: Path, port: int, running: subprocess.Popen[bytes]) -> None:
    while running.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            running.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError((folder / "log").read_text())


def _stop(folder: Path, running: subprocess.Popen[bytes]) -> None:
    """By the process id that it wrote."""
    file = folder / "queue" / "pid" / "master.pid"
    if running.poll() is None and file.exists():
        os.kill(int(file.read_text()), signal.SIGTERM)
    try:
        running.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        running.kill()
