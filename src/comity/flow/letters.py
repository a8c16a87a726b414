"""What an account reads by e-mail: the statement as it stands, as text and as a page, and the link to its own page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from zoneinfo import ZoneInfo

from comity.casework.languages import language_of
from comity.casework.printing import as_html, as_text
from comity.casework.recorded import Recorded
from comity.casework.wording import sections
from comity.flow.news import Link
from comity.model.agreement import Agreement
from comity.model.ids import Digest
from comity.ports import Clock

_SHORT: Final = 8
"""Characters of an id that are enough to find the statement by, and leave the subject on one line."""
_SEVEN_BIT: Final = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """Writes mails from `sender`. `link`: a statement's page, for its account alone; `zone`: that of the dates."""

    sender: Address
    reply_to: Address | None
    link: Link
    zone: ZoneInfo
    clock: Clock
    version_of: Callable[[Digest], Agreement | None]

    def written(self, to: str, one: Recorded, event: int) -> bytes:
        """The same event has the same Message-ID, so that a mail that comes twice is known for one."""
        say, version = language_of(one.decided.statement.language), self.version_of(one.decided.statement.agreement)
        title, link = say.title.format(id=one.id), self.link(one)
        told = sections(one, zone=self.zone, appeal_window=version.appeal_window if version else None)
        mail = EmailMessage(policy=_SEVEN_BIT)
        mail["From"] = self.sender
        mail["To"] = Address(addr_spec=to)
        if self.reply_to is not None:
            mail["Reply-To"] = self.reply_to
        short = say.title.format(id=one.id[:_SHORT])
        mail["Subject"] = say.mail_changed.format(title=short) if _has_changed(one) else short
        mail["Date"] = self.clock.now()
        mail["Message-ID"] = f"<{one.id}.{event}@{self.sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{say.mail_link}\n\n{link}\n\n{as_text(title, told)}")
        title = say.title.format(id="").strip()
        page = as_html(title, told, language=say.code, name=one.id, link=(say.mail_link, link))
        mail.add_alternative(page, subtype="html")
        mail["Content-Language"] = say.code  # of the whole; set before, it would go to the first part
        return mail.as_bytes()


def _has_changed(one: Recorded) -> bool:
    return any(change in one.told for change in one.corrections)
