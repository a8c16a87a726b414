"""What returns to the sender of a mail that waited and was refused: a delivery status report (RFC 3464, 6522).

It says of each recipient what the client would have been told, had the decision been there when the mail came. Pure:
whatever the mail was called and addressed to, the report is whole, and says nothing but this.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

import msgspec

from comity.gates.envelope import Envelope, Recipient
from comity.gates.smtp import breach, line

_LONGEST_LINE: Final = 998
_WIDE: Final = EmailPolicy(max_line_length=_LONGEST_LINE, linesep="\n")
"""Headers are plain strings (`Message`), written as they are: what is parsed as one may be folded, or decoded."""
_NARROW: Final = EmailPolicy(max_line_length=76)
_TEXT: Final = """\
Your mail was not delivered. It had to wait until somebody decided on
it, and was refused: it breaches the agreement.

{reasons}
You sent it to:

{recipients}
What follows is the same for programs, and the headers of your mail.
Its text is not sent back.
"""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why and when it was. `name`: what its report is known by, the same however often it is made."""

    clauses: tuple[str, ...]
    link: str
    at: datetime
    name: str


def report(mail: Envelope, why: Refused) -> bytes:
    """The mail that returns to the sender."""
    whole = Message()
    whole["From"] = f"Mail Delivery System <MAILER-DAEMON@{mail.host}>"
    whole["To"] = mail.sender
    whole["Subject"] = "Your mail was refused"
    whole["Date"] = format_datetime(why.at)
    whole["Message-ID"] = f"<comity.{sha256(why.name.encode()).hexdigest()[:32]}@{mail.host}>"
    whole["Auto-Submitted"] = "auto-replied"
    if mail.message_id:
        whole["In-Reply-To"] = whole["References"] = mail.message_id
    whole["MIME-Version"] = "1.0"
    whole["Content-Type"] = "multipart/report; report-type=delivery-status"
    for part in (_explained(mail, why), _status(mail, why), _headers(mail.head)):
        whole.attach(part)
    return whole.as_bytes(policy=_WIDE.clone(utf8=not mail.sender.isascii()))


def _explained(mail: Envelope, why: Refused) -> EmailMessage:
    """For people."""
    named = "Clauses" if len(why.clauses) > 1 else "Clause"
    clauses = f"  {named}: {line(', '.join(why.clauses))}\n" if why.clauses else ""
    link = f"  Why, and how to appeal: {line(why.link)}\n" if why.link else ""
    recipients = "".join(f"  {_shown(each.address)}\n" for each in mail.recipients)
    return _part(_TEXT.format(reasons=clauses + link, recipients=recipients), "plain")


def _status(mail: Envelope, why: Refused) -> Message:
    """For programs: what the client would have been told, had the decision been there when the mail came."""
    whole = Message()
    whole["Content-Type"] = "message/delivery-status"
    told = f"smtp; 550 5.7.1 {breach(why.link, why.clauses)}"
    about = _block({"Reporting-MTA": f"dns; {mail.host}", "Original-Envelope-Id": mail.id})
    whole.set_payload([about, *(_block(_outcome(each, told)) for each in mail.recipients)])
    return whole


def _outcome(to: Recipient, told: str) -> Mapping[str, str]:
    return {
        "Original-Recipient": to.original.replace(";", "; ", 1),
        "Final-Recipient": f"{'rfc822' if to.address.isascii() else 'utf-8'}; {_plain(to.address)}",
        "Action": "failed",
        "Status": "5.7.1",
        "Diagnostic-Code": told,
    }


def _block(fields: Mapping[str, str]) -> Message:
    block = Message()
    for name, value in fields.items():
        if value:
            block[name] = value
    return block


def _headers(head: bytes) -> EmailMessage:
    """The original's, readable, and nothing but lines: what is no text in them is replaced."""
    lines = head.decode("utf-8", "replace").split("\n")
    text = "".join(f"{_shown(each.expandtabs(1))}\n" for each in lines if each.strip())
    return _part(text, "rfc822-headers")


def _part(text: str, subtype: str) -> EmailMessage:
    is_plain = text.isascii() and max(map(len, text.split("\n"))) <= _LONGEST_LINE
    part = EmailMessage(policy=_NARROW)
    charset, way = "us-ascii" if text.isascii() else "utf-8", "7bit" if is_plain else "quoted-printable"
    part.set_content(text, subtype=subtype, charset=charset, cte=way)
    return part


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)


def _plain(address: str) -> str:
    """In ASCII, the other characters as RFC 6533 writes them."""
    plain = "".join(each if " " < each <= "~" else f"\\x{{{ord(each):02X}}}" for each in address)
    return plain[: _LONGEST_LINE - 100]
