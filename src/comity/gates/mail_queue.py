"""Postfix's hold queue, by Postfix's own commands: what is released goes on, what is refused returns to its sender.

A report is handed over once, whoever is killed meanwhile. It is in a file before (`NAME.report`), and the shell that
runs `sendmail` renames that when it was taken (`NAME.sent`); whoever was started anew waits for its lock. Only then the
mail is deleted, if it still is that one: Postfix gives short queue ids to other mails later.
"""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from comity.gates.envelope import Envelope
from comity.gates.held import Become, Fate, Waits, sync_folder, write_whole
from comity.gates.report import Refused, report

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, flock

HOLD: Final = "hold"
_PATIENCE: Final = 30.0
_HAND_OVER: Final = """\
trap '' HUP INT TERM
due=$1 sent=$2; shift 2
"$@" && mv "$due" "$sent"
"""


_LONG: Final = "z"
"""It is in each long queue id and in no short one; short ones are used again."""
_NOBODY: Final = "MAILER-DAEMON"
"""How Postfix lists the null sender."""


class _Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `postqueue -j`."""

    queue_name: str
    queue_id: str
    arrival_time: int
    sender: str


_QUEUED: Final = msgspec.json.Decoder(_Queued)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailQueue:
    """`folder`: where reports are until they are sent. The commands are words, as a shell would take them."""

    folder: Path
    postqueue: Sequence[str]
    postsuper: Sequence[str]
    sendmail: Sequence[str]

    async def settle(self, one: Waits, fate: Fate) -> bool:
        """Whether the mail was there. Raises `OSError` if it has to be tried again."""
        is_there = await self._is_there(one)
        if is_there:
            await self._done(one, fate)
        for name in (_due(one), _sent(one)):
            (self.folder / name).unlink(missing_ok=True)
        return is_there

    async def _is_there(self, one: Waits) -> bool:
        """Whether that mail is in the hold queue. Raises `OSError` if nobody can be sure."""
        name, listed = one.name.encode(), await _said(*self.postqueue, "-j")
        try:
            found = [_QUEUED.decode(line) for line in listed.splitlines() if name in line]
        except msgspec.MsgspecError as error:
            raise OSError(f"{shlex.join(self.postqueue)} -j says what is no list of mails: {error}") from error
        return any(each.queue_id == one.name and each.queue_name == HOLD and _is_same(one, each) for each in found)

    async def _done(self, one: Waits, fate: Fate) -> None:
        if fate.become is Become.RELEASED:
            await self._sent_on("-H", one)
        elif one.mail is None or (one.mail.wants_report and not one.mail.is_reachable):
            await self._sent_on("-f", one)  # Postfix returns it, and says that it expired
        else:
            if one.mail.wants_report:
                await self._report(one, one.mail, fate)
            await self._postsuper("-d", one)

    async def _sent_on(self, option: str, one: Waits) -> None:
        await self._postsuper(option, one)
        with suppress(OSError):  # else it goes with what was put off, minutes later
            await _said(*self.postqueue, "-i", one.name)

    async def _postsuper(self, option: str, one: Waits) -> None:
        await _said(*self.postsuper, option, one.name, HOLD)

    async def _report(self, one: Waits, mail: Envelope, fate: Fate) -> None:
        """Have it taken by Postfix, if it was not yet."""
        due, sent = self.folder / _due(one), self.folder / _sent(one)
        if not sent.exists() and not due.exists():
            name = f"{one.name} {one.since.isoformat()} {one.message}"
            written = report(mail, Refused(clauses=fate.clauses, link=fate.link, at=fate.at, name=name))
            await asyncio.to_thread(write_whole, due, written)
        if not sent.exists():
            await asyncio.to_thread(self._hand_over, due, sent, mail.sender)
        sync_folder(self.folder)

    def _hand_over(self, due: Path, sent: Path, to: str) -> None:
        """The lock is the shell's too, and goes with it."""
        with due.open("rb") as file:
            _lock(file)
            if sent.exists():
                return
            words = ("/bin/sh", "-c", _HAND_OVER, "sh", str(due), str(sent), *self.sendmail, "-i", "-f", "<>", "--", to)
            handing = subprocess.Popen(  # noqa: S603 - the operator's own command, and an address behind `--`
                words, stdin=file, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
        try:
            code = handing.wait(_PATIENCE)  # never killed: it may have been taken already
        except subprocess.TimeoutExpired:
            raise OSError(f"{self.sendmail[0]} has not taken the report to its sender yet") from None
        if code:
            why = f"it ended with {code}, and Postfix's log says why"
            raise OSError(f"{self.sendmail[0]} did not take the report to its sender: {why}")


def _lock(file: BinaryIO) -> None:
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        raise OSError("the report to its sender is still being handed over") from None


def _due(one: Waits) -> str:
    return f"{one.name}.report"


def _sent(one: Waits) -> str:
    return f"{one.name}.sent"


def _is_same(one: Waits, found: _Queued) -> bool:
    """Whether the mail with its id is the one that waits. Raises `OSError` if nobody can be sure."""
    is_later = found.arrival_time > one.since.timestamp()
    is_reused = _LONG not in one.name
    if is_later and is_reused:
        return False
    sender = (one.mail.sender if one.mail else found.sender) or _NOBODY
    if is_later or (is_reused and _unquoted(sender) != _unquoted(found.sender)):
        raise OSError(
            f"the mail with its queue id is from {found.sender} and came at {found.arrival_time}: is it that?"
        )
    return True


def _unquoted(address: str) -> tuple[str, str]:
    """Postfix lists an address with quotation marks only where it needs them."""
    name, _, domain = address.rpartition("@")
    return name.removeprefix('"').removesuffix('"').lower(), domain.lower()


async def _said(*words: str) -> bytes:
    """What a command prints. Raises `OSError` if it fails."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(_PATIENCE):
            said, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise OSError(f"{shlex.join(words)} failed: {errors.decode('utf-8', 'replace').strip()[:300]}")
    return said
