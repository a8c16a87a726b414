"""The `postfix` gate, as far as it looks at what is said: Postfix shows it each mail of an account before it takes it.

What the centre says of a mail decides: it passes, is refused with the reason, or waits in Postfix's hold queue
(held.py). Nothing is changed in a mail. A mail for which no answer can be given is put off or let through, as the gate
was told; either way Postfix and the client know which, so none is lost.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from comity.gates.answers import Deny, Limited, Unavailable
from comity.gates.content import Do, Judge, Judged, Verdict
from comity.gates.delegation import NO_NAME, is_unicode, strictest
from comity.gates.envelope import Envelope, envelope
from comity.gates.following import Clock, Follower
from comity.gates.held import Held, Waits
from comity.gates.milter_wire import (
    ACCEPT,
    CONTINUE,
    NO_REPLY,
    Packet,
    PacketError,
    addressed,
    agreed,
    macros,
    quarantined,
    read_packet,
    refused,
    strings,
)
from comity.gates.replica import Replica
from comity.gates.smtp import breach, line, refusal

LARGEST_MAIL: Final = 32 << 20
MOST_AT_ONCE: Final = 256 << 20
"""Bytes of all mails that are being shown."""
_MOST_PASSED: Final = 100_000
_LATER: Final = "451 4.7.1 This mail cannot be judged now: try again later."
_NO_ROOM: Final = "451 4.3.1 Too many mails are being judged at once: try again later."
_NOT_KEPT: Final = "451 4.3.1 This mail has to wait for a decision, and cannot be kept now: try again later."
_TOO_LONG: Final = f"552 5.3.4 This mail is too long to be judged: {LARGEST_MAIL:,} bytes at most."
_UNREADABLE: Final = "550 5.6.0 This mail could not be read, so nobody can say whether it may be sent"


class UnreadableError(Exception):
    """What was sent is no mail that can be judged; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as Postfix shows it. `sender`: the account, or what mail calls it. `envelope`: for its way back."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    queue_id: str
    envelope: Envelope


Read = Callable[[Mail, datetime], Mapping[str, object]]
"""The message that a mail is, as the API takes it. Raises `UnreadableError`."""


@dataclass(slots=True, kw_only=True)
class MilterGate:
    """Makes a connection's protocol; `asyncio` calls it once for each.

    `passes_unjudged`: whether a mail passes when the centre cannot be asked; not that of somebody who is restricted.
    """

    replica: Replica
    follower: Follower
    clock: Clock
    judge: Judge
    read: Read
    held: Held
    channel: str = "mail"
    trusts_sender: bool = False
    passes_unjudged: bool = False
    at_once: int = 0
    _talks: set[asyncio.Task[None]] = field(default_factory=set)
    _passed: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def __call__(self) -> asyncio.Protocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._connected)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends. Closed without an answer, the mail is put off (`milter_default_action`)."""
        conversation = _Conversation(self)
        try:
            while (packet := await read_packet(reader)) is not None and packet.command != b"Q":
                writer.write(await conversation.reply(packet))
                await writer.drain()
        except ConnectionError:
            pass
        except Exception as error:  # noqa: BLE001 - the mail is put off, and somebody told
            self.replica.warn("milter", f"a mail could not be looked at: {error or type(error).__name__}")
        finally:
            conversation.begin()
            writer.close()

    async def decide(self, mail: Mail) -> bytes:
        """The reply to a whole mail."""
        if not mail.sender:
            return ACCEPT
        if not is_unicode(mail.sender):
            return refused(NO_NAME)
        now = self.clock.now()
        answer = strictest(lambda name: self.replica.check(self.channel, name, now), mail.sender)
        if isinstance(answer, Deny):
            self.follower.show(answer.statement)
            return refused(f"550 5.7.1 {refusal(answer)}")
        if isinstance(answer, Unavailable):
            return refused(f"451 4.7.1 {line(f'Try again in a moment: {answer.reason}.')}")
        try:
            message = dict(await asyncio.to_thread(self.read, mail, now))
        except UnreadableError as error:
            return refused(line(f"{_UNREADABLE}: {error}"))
        return await self._judged(mail, message, now, may_pass=self.passes_unjudged and not isinstance(answer, Limited))

    async def _judged(self, mail: Mail, message: dict[str, object], now: datetime, *, may_pass: bool) -> bytes:
        id_ = str(message["id"])
        times = self._passed.get(id_, 0)
        message["id"] = f"{id_}-{times}" if times else id_
        verdict = await self.judge.judge({**message, "author": mail.sender, "channel": self.channel})
        held = Waits(name=mail.queue_id, message=str(message["id"]), since=now, mail=mail.envelope)
        reply = await self._replied(verdict, held, may_pass=may_pass)
        if reply[-5:] == CONTINUE:  # the same mail once more is a mail more
            self._passed[id_] = times + 1
            self._passed.move_to_end(id_)
            if len(self._passed) > _MOST_PASSED:
                self._passed.popitem(last=False)
        return reply

    async def _replied(self, verdict: Verdict, held: Waits, *, may_pass: bool) -> bytes:
        if not isinstance(verdict, Judged):
            if verdict.is_unreadable:
                return refused(f"{_UNREADABLE}.")
            self.replica.counts["passed unjudged" if may_pass else "put off unjudged"] += 1
            return CONTINUE if may_pass else refused(_LATER)
        match verdict.answer:
            case Do.ALLOW:
                return CONTINUE
            case Do.DENY:
                if verdict.statement is not None:
                    self.follower.show(verdict.statement)
                self.replica.counts["denied"] += 1
                return refused(f"550 5.7.1 {breach(verdict.link or '', verdict.clauses)}")
            case Do.HOLD:
                return await self._hold(replace(held, until=verdict.until))

    async def _hold(self, mail: Waits) -> bytes:
        try:
            await self.held.keep(mail)
        except (OSError, ValueError) as error:
            self.replica.warn("disk", f"a mail that has to wait was put off instead: {error}")
            return refused(_NOT_KEPT)
        self.replica.counts["held"] += 1
        return quarantined("comity: waits for a decision")


class _Conversation:
    """What one connection has shown so far of the mail that is on its way."""

    def __init__(self, gate: MilterGate) -> None:
        self._gate = gate
        self._silent = frozenset[bytes]()
        self._macros: dict[bytes, dict[bytes, bytes]] = {}
        self._size = 0
        self.begin()

    def begin(self) -> None:
        """No mail is on its way."""
        self._gate.at_once -= self._size
        self._sender, self._size, self._too_much = "", 0, ""
        self._from, self._to = [b""], list[list[bytes]]()
        self._head, self._body = list[bytes](), list[bytes]()

    async def reply(self, packet: Packet) -> bytes:
        """What to answer; nothing, if the server waits for nothing. Raises `PacketError`."""
        match packet.command:
            case b"O":
                taken, reply = agreed(packet.content)
                self._silent = frozenset(step for step, flag in NO_REPLY.items() if taken & flag)
                return reply
            case b"D":
                command, found = macros(packet.content)
                self._macros[command] = found
                return b""
            case b"M":
                return self._mail(packet.content)
            case b"R" | b"L" | b"B":
                self._more(packet)
                return b"" if packet.command in self._silent else CONTINUE
            case b"E":
                self._more(packet)
                reply = await self._decided()
                self.begin()
                return reply
            case b"A" | b"K":
                self.begin()
                return b""
            case b"C" | b"H" | b"T" | b"N" | b"U":
                return CONTINUE
            case _:
                raise PacketError(f"a packet has the command {packet.command!r}")

    def _mail(self, content: bytes) -> bytes:
        self.begin()
        self._from = addressed(content)
        name = self._macros.pop(b"M", {}).get(b"{auth_authen}", b"")
        if not name and self._gate.trusts_sender:
            name = self._from[0].strip(b"<>")
        self._sender = _text(name)
        return CONTINUE if name else ACCEPT  # nobody in particular sends it

    def _more(self, packet: Packet) -> None:
        """Part of the mail, unless it is too much already."""
        if not self._has_room(len(packet.content)):
            return
        match packet.command:
            case b"R":
                self._to.append(addressed(packet.content))
            case b"L":
                name, value = strings(packet.content)
                self._head.append(b"%s:%s\r\n" % (name, value))
            case _:
                self._body.append(packet.content)

    def _has_room(self, size: int) -> bool:
        if self._size + size > LARGEST_MAIL:
            self._too_much = _TOO_LONG
        elif self._gate.at_once + size > MOST_AT_ONCE:
            self._too_much = self._too_much or _NO_ROOM
        if not self._too_much:
            self._size += size
            self._gate.at_once += size
        return not self._too_much

    async def _decided(self) -> bytes:
        queue_id = _text(self._macros.pop(b"E", {}).get(b"i", b""))
        if self._too_much:
            return refused(self._too_much)
        mail = Mail(
            sender=self._sender,
            recipients=tuple(_text(each[0].strip(b"<>")) for each in self._to),
            content=b"".join((*self._head, b"\r\n", *self._body)),
            queue_id=queue_id,
            envelope=envelope(self._from, self._to, self._head, self._macros.get(b"C", {}).get(b"j", b"")),
        )
        return await self._gate.decide(mail)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
