"""Turns one mail (RFC 5322) into a record, and that into a message. Every header is hostile.

A header without sense is left out; only a mail without an author or a time is refused. Which header becomes what is
laid down in `docs/archives.md`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.errors import MessageError
from email.parser import BytesParser
from itertools import islice
from typing import Final

import msgspec

from comity.engine.links import links
from comity.intake.fields import FIELDS
from comity.intake.mail_headers import Heads, RawHeaders, addresses, authentication, date, unencoded
from comity.intake.mail_parts import Parts, read_parts
from comity.intake.problems import RecordError
from comity.intake.values import LINE_LIMIT, NAME_LIMIT, TEXT_LIMIT
from comity.model.message import Message

MAIL_LIMIT: Final = 32 << 20
"""Bytes of one mail, attachments included."""

CHANNEL: Final = "mail"
_WORK_LIMIT: Final = 5_000_000
_DRIFT: Final = timedelta(days=7)
_SHORT: Final = 998
_MOST_PARTS: Final = 4096
_LONGEST_LINK: Final = 2048
_LONGEST_ENVELOPE: Final = 250
_CONTAINER: Final = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_KEPT: Final[Mapping[str, str]] = {
    "list_unsubscribe": "List-Unsubscribe",
    "list_id": "List-Id",
    "precedence": "Precedence",
    "auto_submitted": "Auto-Submitted",
    "mailer": "X-Mailer",
}
_LOWER: Final = frozenset(("precedence", "auto_submitted"))


def message_from_mail(
    content: bytes, *, id: str | None = None, label: str = "", channel: str = CHANNEL, source: str = ""
) -> Message:
    """The message that one mail is; raises `RecordError`. Without an `id`, it comes from the mail."""
    record = {**mail_record(content), "label": label, "channel": channel}
    if id is not None:
        record["id"] = id
    values = {name: FIELDS[name].read(value) for name, value in record.items() if value is not None}
    return msgspec.convert({**values, "source": source}, Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is known of a mail as it is sent, whatever its headers say: who sends it, when, and to whom."""

    author: str
    at: datetime
    to: tuple[str, ...]


def mail_record(content: bytes, submission: Submission | None = None) -> dict[str, object]:
    """What a mail gives for the fields of a message, as yet unchecked; raises `RecordError`."""
    if len(content) > MAIL_LIMIT:
        raise RecordError(f"the mail is longer than {MAIL_LIMIT:,} bytes", "leave it out")
    if content.count(b"\n") * (1 + len(_CONTAINER.findall(content))) > _WORK_LIMIT:
        raise RecordError("the mail has too many lines in too many nested parts", "leave it out")
    try:
        mail = BytesParser(policy=RawHeaders()).parsebytes(content)
        return _record(Heads(mail), read_parts(mail), submission)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        raise RecordError(f"the mail cannot be parsed: {error}", "leave it out") from error
    except RecursionError:
        raise RecordError("the mail's parts are nested too deeply", "leave it out") from None


def _record(heads: Heads, parts: Parts, submission: Submission | None) -> dict[str, object]:
    name, address = _author(heads, submission)
    author = submission.author if submission else address
    sent, sent_from = (submission.at, "submission") if submission else _sent(heads)
    named = (address for name in ("To", "Cc") for one in heads.every(name) for _, address in addresses(one))
    to = _fitting(submission.to if submission else named)
    subject = unencoded(heads.first("Subject"))[: LINE_LIMIT // 4]
    language = _TAG.match(heads.first("Content-Language"))
    return {
        "id": _id(heads, author, subject, parts, to if submission else ()),
        "author": author,
        "channel": CHANNEL,
        "text": parts.text,
        "sent": sent,
        "subject": subject,
        "language": language[0] if language else "und",
        "links": _fitting([*parts.links, *links(parts.text)]) if parts.links else None,
        "attachments": list(parts.attachments[:_MOST_PARTS]),
        "hashes": list(parts.hashes[:_MOST_PARTS]),
        "to": to,
        "is_reply": bool(heads.first("In-Reply-To") or heads.first("References")),
        "meta": {**_meta(heads, name, address, sent_from), **({"from": address} if address != author else {})},
    }


def _author(heads: Heads, submission: Submission | None) -> tuple[str, str]:
    """Who says to have written it: display name and address; else who sent it, else where it came from."""
    for name in ("From", "Sender", "Return-Path"):
        if found := addresses(heads.first(name)):
            return found[0]
    if submission is not None:
        return "", submission.author
    envelope = heads.envelope.split(" ")
    if len(envelope) > 1 and envelope[1]:
        return "", envelope[1][:_LONGEST_ENVELOPE].lower()
    raise RecordError("the mail names no author: no address in From, Sender or Return-Path", "leave it out")


def _sent(heads: Heads) -> tuple[datetime, str]:
    """The time that the mail gives, unless its receiver says that it came in at quite another."""
    given, received = date(heads.first("Date")), _received(heads)
    if given and (not received or abs(given - received) <= _DRIFT):
        return given, "date"
    if received:
        return received, "received"
    raise RecordError("the mail has no readable time in Date or Received", "leave it out")


def _received(heads: Heads) -> datetime | None:
    """When the last server took it in: the first Received header, else the line that parts mails in an mbox."""
    envelope = heads.envelope.split(" ", 2)
    return date(heads.first("Received").rpartition(";")[2]) or (date(envelope[2]) if len(envelope) > 2 else None)


def _id(heads: Heads, author: str, subject: str, parts: Parts, to: Sequence[str]) -> str:
    """The Message-ID and a digest of what is said: whoever copies another mail's id hides nothing behind it."""
    given = "".join(heads.first("Message-ID").split())
    said = [author, heads.first("Date"), subject, parts.text, *parts.hashes, *sorted(to)]
    digest = hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:32]
    return f"{given}#{digest}" if len(given.encode()) <= NAME_LIMIT - 64 else digest


def _fitting(items: Iterable[str]) -> list[str]:
    """Distinct items in order, cut to what a message may hold: too many of them must not get a mail out of judging."""
    return list(islice(dict.fromkeys(item[:_LONGEST_LINK] for item in items), TEXT_LIMIT // _LONGEST_LINK))


def _meta(heads: Heads, name: str, author: str, sent_from: str) -> dict[str, str]:
    kept = {key: unencoded(heads.first(header)) for key, header in _KEPT.items()}
    kept |= {key: kept[key].lower() for key in _LOWER}
    kept |= authentication(heads.first("Authentication-Results"))
    kept["from_name"] = name
    kept["sent_from"] = sent_from
    for key, header in (("reply_to", "Reply-To"), ("return_path", "Return-Path")):
        found = addresses(heads.first(header))
        kept[key] = found[0][1] if found and found[0][1] != author else ""
    return {key: value[:_SHORT] for key, value in kept.items() if value}
