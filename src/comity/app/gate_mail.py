"""How a gate beside Postfix reads mail, as `comity run` reads it, and what it has Postfix do with mail that waits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from comity.gates.held import Become
from comity.gates.milter import Mail, UnreadableError
from comity.intake.mail import Submission, mail_record
from comity.intake.problems import RecordError

_SETTLES: Final = {
    Become.RELEASED: ("-H", re.compile(rb"Released from hold: [1-9]")),
    Become.REFUSED: ("-f", re.compile(rb"[Ee]xpired: [1-9]")),
}
_PATIENCE: Final = 30


def read(mail: Mail, at: datetime) -> dict[str, object]:
    """The message that a mail is. Raises `UnreadableError`."""
    submission = Submission(author=mail.sender, at=at, to=tuple(map(_whole, mail.recipients)))
    try:
        record = mail_record(mail.content, submission)
    except RecordError as error:
        raise UnreadableError(str(error)) from error
    return {name: value for name, value in record.items() if value is not None}


def _whole(address: str) -> str:
    """Without what is no text: such an address cannot be kept."""
    return address.encode("utf-8", "replace").decode()


class Postsuper:
    """Postfix's own command for its queue, called as the words of `command`."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    async def __call__(self, become: Become, queue_id: str) -> bool:
        """Whether the mail was there. Raises `OSError` if it cannot be called."""
        option, done = _SETTLES[become]
        process = await asyncio.create_subprocess_exec(
            *self._command, option, queue_id, "hold", stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise OSError(f"{' '.join(self._command)} failed: {said.decode('utf-8', 'replace').strip()[:300]}")
        return bool(done.search(said))
