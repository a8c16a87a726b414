"""What `comity gate postfix` needs to have mail judged: reading it as `comity run` does, and what becomes of it."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from comity.app.clock import SystemClock
from comity.app.errors import Exit, StopError
from comity.app.gate import Wanted, authority, read_token
from comity.gates.content import Judge
from comity.gates.following import Follower
from comity.gates.held import Become, Held
from comity.gates.milter import Mail, MilterGate, UnreadableError
from comity.gates.replica import Replica
from comity.intake.mail import Submission, mail_record
from comity.intake.problems import RecordError

FROM_ENVIRONMENT: Final = "COMITY_SOURCE_TOKEN"
_SETTLES: Final = {
    Become.RELEASED: ("-H", re.compile(rb"Released from hold: [1-9]")),
    Become.REFUSED: ("-f", re.compile(rb"[Ee]xpired: [1-9]")),
}
_PATIENCE: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How mail is judged. `patience` in seconds, `hold` in hours; `postsuper` as a shell would take it."""

    wanted: Wanted
    token_file: Path | None
    channel: str
    trusts_sender: bool
    unjudged: str
    patience: float
    hold: float
    postsuper: str


def milter_gate(judging: Judging, replica: Replica, follower: Follower) -> MilterGate:
    """Raises `StopError`."""
    if judging.unjudged not in ("defer", "pass"):
        raise StopError(f"--unjudged is {judging.unjudged!r}", help="Write defer or pass.", code=Exit.USAGE)
    clock, url = SystemClock(), judging.wanted.centre.rstrip("/")
    token, verify = read_token(judging.token_file, FROM_ENVIRONMENT), authority(judging.wanted.ca)
    held = Held(
        folder=judging.wanted.folder / "held",
        url=url,
        token=token,
        verify=verify,
        settle=Postsuper(shlex.split(judging.postsuper)),
        clock=clock,
        warn=replica.warn,
        patience=timedelta(hours=judging.hold),
    )
    try:
        held.load()
    except (OSError, ValueError) as error:
        raise StopError(f"{held.folder} cannot be read: {error}", help="It lists the mail that waits.") from error
    return MilterGate(
        replica=replica,
        follower=follower,
        clock=clock,
        judge=Judge(url=url, token=token, patience=judging.patience, warn=replica.warn, verify=verify),
        read=read,
        held=held,
        channel=judging.channel,
        trusts_sender=judging.trusts_sender,
        passes_unjudged=judging.unjudged == "pass",
    )


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
