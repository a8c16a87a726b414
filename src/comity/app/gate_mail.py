"""What `comity gate postfix` needs to have mail judged: reading it as `comity run` does, and what becomes of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from comity.app.clock import SystemClock
from comity.app.errors import Exit, StopError
from comity.app.gate import Wanted, authority, read_token
from comity.gates.content import Judge
from comity.gates.following import Follower
from comity.gates.held import Held
from comity.gates.mail_queue import MailQueue
from comity.gates.milter import Mail, MilterGate, UnreadableError
from comity.gates.replica import Replica
from comity.intake.mail import Submission, mail_record
from comity.intake.problems import RecordError

FROM_ENVIRONMENT: Final = "COMITY_SOURCE_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How mail is judged. `patience` in seconds, `hold` in hours; Postfix's commands as a shell would take them."""

    wanted: Wanted
    token_file: Path | None
    channel: str
    trusts_sender: bool
    unjudged: str
    patience: float
    hold: float
    postqueue: str
    postsuper: str
    sendmail: str


def milter_gate(judging: Judging, replica: Replica, follower: Follower) -> MilterGate:
    """Raises `StopError`."""
    if judging.unjudged not in ("defer", "pass"):
        raise StopError(f"--unjudged is {judging.unjudged!r}", help="Write defer or pass.", code=Exit.USAGE)
    clock, url = SystemClock(), judging.wanted.centre.rstrip("/")
    token, verify = read_token(judging.token_file, FROM_ENVIRONMENT), authority(judging.wanted.ca)
    folder = judging.wanted.folder / "held"
    queue = MailQueue(
        folder=folder,
        postqueue=shlex.split(judging.postqueue),
        postsuper=shlex.split(judging.postsuper),
        sendmail=shlex.split(judging.sendmail),
    )
    held = Held(
        folder=folder,
        url=url,
        token=token,
        verify=verify,
        settle=queue.settle,
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
