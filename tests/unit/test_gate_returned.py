"""What returns to the sender of a mail that was refused, and what is done with Postfix's queue, whatever it says."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.gates.envelope import LARGEST_HEAD, Envelope, envelope
from comity.gates.held import Become, Fate, Waits
from comity.gates.mail_queue import MailQueue
from comity.gates.report import Refused, report

PAGE = Path(__file__).parents[2] / "docs" / "gate-postfix.md"
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
LINK = "https://example.org/r/HE2D6vW4-5em"
WHY = Refused(clauses=("other", "spam"), link=LINK, at=AT, name="4gQHb72XkzzW 1")
HEADS = (b"From: Ann <ann@example.org>\r\n", b"Subject: Hello\r\n", b"Message-ID: <1@client.example.org>\r\n")
SENDER = (b"<ann@example.org>", b"SIZE=100")
TO = ((b"<bob@example.com>",), (b"<kim@example.com>", b"ORCPT=rfc822;Kim+40example.com", b"NOTIFY=SUCCESS,FAILURE"))
REPORT = """\
From: Mail Delivery System <MAILER-DAEMON@mail.example.org>
To: ann@example.org
Subject: Your mail was refused
Date: Mon, 01 Jun 2026 12:00:00 +0000
Message-ID: <comity.ID@mail.example.org>
Auto-Submitted: auto-replied
In-Reply-To: <1@client.example.org>
References: <1@client.example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type="delivery-status"; boundary="BOUNDARY"

--BOUNDARY
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: 7bit
MIME-Version: 1.0

Your mail was not delivered. It had to wait until somebody decided on
it, and was refused: it breaches the agreement.

  Clauses: other, spam
  Why, and how to appeal: https://example.org/r/HE2D6vW4-5em

You sent it to:

  bob@example.com
  kim@example.com

What follows is the same for programs, and the headers of your mail.
Its text is not sent back.

--BOUNDARY
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; bob@example.com
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp; 550 5.7.1 WHY

Original-Recipient: rfc822; Kim@example.com
Final-Recipient: rfc822; kim@example.com
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp; 550 5.7.1 WHY

--BOUNDARY
Content-Type: text/rfc822-headers; charset="us-ascii"
Content-Transfer-Encoding: 7bit
MIME-Version: 1.0

From: Ann <ann@example.org>
Subject: Hello
Message-ID: <1@client.example.org>

--BOUNDARY--
"""


def kept(
    sender: Sequence[bytes] = SENDER, to: Sequence[Sequence[bytes]] = TO, heads: Sequence[bytes] = HEADS
) -> Envelope:
    return envelope(sender, to, heads, b"mail.example.org")


def read(content: bytes) -> Message:
    return message_from_bytes(content, policy=policy.default)


def test_the_report_says_to_people_and_programs_why_and_where_to_appeal() -> None:
    written = report(kept(), WHY).decode("ascii")
    whole = read(written.encode())
    id_, boundary = str(whole["Message-ID"])[len("<comity.") :].partition("@")[0], whole.get_boundary()
    why = f"This mail breaches the agreement. Why, and how to appeal: {LINK} (clause: other, spam)"
    told = REPORT.replace("ID@", f"{id_}@", 1).replace("BOUNDARY", str(boundary)).replace("WHY", why)
    assert written == told


def test_the_page_shows_the_report_as_it_is() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition("```text\nFrom: Mail Delivery System")[2].partition("```")[0]
    why = Refused(clauses=("other",), link="https://rules.example.org/r/...", at=AT, name="1")
    whole = read(report(kept([b"<bob@example.org>"], [[b"<eve@example.com>"]]), why))
    said, *_ = whole.iter_parts()
    heads = "\n".join(f"{name}: {whole[name]}" for name in ("From", "To", "Subject"))
    assert f"From: Mail Delivery System{shown}" == f"{heads}\n\n{said.get_content()}"


def test_the_same_report_has_the_same_id_and_another_mails_has_another() -> None:
    one, same = (read(report(kept(), WHY))["Message-ID"] for _ in range(2))
    other = Refused(clauses=(), link="", at=AT, name="4gQHb72XkzzW 2")
    assert one == same != read(report(kept(), other))["Message-ID"]


BYTES = st.binary(max_size=80) | st.sampled_from(
    (b"=?utf-8?q?a=0D=0ABcc:_eve=40x?=", b"x\r\nBcc: eve@x", b"\n\n--b\n", b"a" * 3000, "東京\u202e".encode(), b"\0\r")
)


@given(st.just(b"ann@example.org") | BYTES, BYTES, BYTES, BYTES, st.text(max_size=300))
def test_whatever_a_mail_is_called_and_addressed_to_its_report_is_whole_and_has_no_header_of_its_making(
    sender: bytes, to: bytes, head: bytes, parameter: bytes, clause: str
) -> None:
    mail = envelope(
        [b"<" + sender + b">", b"ENVID=" + parameter],
        [[b"<" + to + b">", b"ORCPT=" + parameter, b"NOTIFY=" + parameter], [b"<a@" + to + b">"]],
        [b"Subject:" + head, head + b": x", b"Message-ID: <" + head + b">", b"Bcc: SECRET"],
        head,
    )
    if not (mail.wants_report and mail.is_reachable):
        return
    written = report(mail, Refused(clauses=(clause,), link=clause, at=AT, name=clause))
    whole = read(written)
    assert set(whole.keys()) <= {*read(REPORT.encode()).keys()}
    assert whole.get_content_type() == "multipart/report"
    said, status, heads = whole.iter_parts()
    about, *outcomes = status.get_payload()
    names = {"Original-Recipient", "Final-Recipient", "Action", "Status", "Diagnostic-Code"}
    assert set(about.keys()) <= {"Reporting-MTA", "Original-Envelope-Id"}
    assert len(outcomes) == len(mail.recipients)
    assert all(set(each.keys()) <= names for each in outcomes)
    assert (said.get_content_type(), heads.get_content_type()) == ("text/plain", "text/rfc822-headers")
    assert all(len(line) <= 998 for line in written.split(b"\n"))
    assert b"\r" not in written
    assert b"SECRET" not in written


@pytest.mark.parametrize(
    ("sender", "heads"),
    [
        (b"<>", ()),
        (b"<MAILER-DAEMON@example.org>", ()),
        (b"<owner-talk@example.org>", ()),
        (b"<talk-request@example.org>", ()),
        (b"<talk-bounces+joe=x.org@example.org>", ()),
        (b"<ann@example.org>", (b"precedence: Bulk\r\n",)),
        (b"<ann@example.org>", (b"Auto-Submitted:\r\n auto-generated; owner-email=x\r\n",)),
        (b"<ann@example.org>", (b"LIST-ID: Talk <talk.example.org>",)),
    ],
)
def test_nobody_who_would_not_read_it_gets_a_report(sender: bytes, heads: Sequence[bytes]) -> None:
    assert not kept([sender], heads=heads).wants_report


def test_people_get_a_report_of_those_recipients_of_whom_they_want_to_hear() -> None:
    for heads in ((b"Auto-Submitted: no",), (b"Precedence: urgent",), (b"X-Precedence: list",)):
        assert kept(heads=heads).wants_report
    silent = (b"<bob@example.com>", b"notify=never")
    assert not kept(to=[silent, (b"<kim@x>", b"NOTIFY=SUCCESS,DELAY")]).wants_report
    assert [each.address for each in kept(to=[silent, *TO]).recipients] == ["bob@example.com", "kim@example.com"]


@pytest.mark.parametrize(
    "address",
    [
        b"-x@y",
        b'"a b"',
        b'"a@b"@x',
        b'"a\\"b"@x',
        b'"|a"@x',
        b"a,b@x",
        b"a b@x",
        b"\xff@x",
        b"x" * 400,
        b"a@b@c",
        b"a@[1]",
    ],
)
def test_an_address_that_could_be_taken_for_another_is_left_to_postfix(address: bytes) -> None:
    assert not kept([b"<" + address + b">"]).is_reachable


def test_an_address_with_quotation_marks_can_be_written_to() -> None:
    mail = kept([b'<"Ann, and Bob"@example.org>'])
    assert mail.is_reachable
    assert message_from_bytes(report(mail, WHY))["To"] == '"Ann, and Bob"@example.org'


def test_no_more_of_the_headers_is_kept_than_there_is_room_for() -> None:
    mail = kept(heads=[b"X-First: 1\r\n", b"X-Long: " + b"x" * LARGEST_HEAD, b"X-Last: 2\r\n"])
    assert mail.head == b"X-First: 1\nX-Last: 2\n"


class Queue:
    """Commands that do as Postfix's do, in a folder: `queued` is what waits, `done` what was done in order."""

    def __init__(self, folder: Path, sendmail: str = "cat >/dev/null") -> None:
        self.folder = folder
        self._done = folder / "done"
        self.queue = MailQueue(
            folder=folder,
            postqueue=self._command('[ "$1" = -j ] && cat queued || echo postqueue "$@" >>done', "postqueue"),
            postsuper=self._command('echo postsuper "$@" >>done', "postsuper"),
            sendmail=self._command(f'echo sendmail "$@" >>done; {sendmail}', "sendmail"),
        )
        self.waits()

    def waits(self, sender: str = "ann@example.org", at: int = int(AT.timestamp()), where: str = "hold") -> None:
        line = f'{{"queue_name": "{where}", "queue_id": "0A1B2C", "arrival_time": {at}, "sender": "{sender}"}}\n'
        (self.folder / "queued").write_text(line)

    def says(self, listed: str) -> None:
        (self.folder / "queued").write_text(listed)

    def settle(self, become: Become = Become.REFUSED, mail: Envelope | None = None, name: str = "0A1B2C") -> bool:
        one = Waits(name=name, message="1", since=AT, mail=mail or kept())
        return asyncio.run(self.queue.settle(one, Fate(become=become, at=AT, clauses=("other",), link=LINK)))

    @property
    def done(self) -> list[str]:
        return self._done.read_text().splitlines() if self._done.exists() else []

    def _command(self, does: str, name: str) -> list[str]:
        file = self.folder / name
        file.write_text(f"#!/bin/sh\ncd {self.folder}\n{does}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return [str(file)]


SENT = "sendmail -i -f <> -- ann@example.org"


def test_what_is_refused_is_reported_and_then_removed_and_what_is_released_goes_on(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    assert queue.settle()
    assert queue.done == [SENT, "postsuper -d 0A1B2C hold"]
    assert not [*tmp_path.glob("0A1B2C*")]
    assert queue.settle(Become.RELEASED)
    assert queue.done[2:] == ["postsuper -H 0A1B2C hold", "postqueue -i 0A1B2C"]


def test_who_gets_no_report_has_the_mail_removed_and_who_cannot_be_written_to_has_it_returned(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    queue.waits("MAILER-DAEMON")
    assert queue.settle(mail=kept([b"<>"]))
    queue.waits("a,b@x")
    assert queue.settle(mail=kept([b"<a,b@x>"]))
    assert queue.done == ["postsuper -d 0A1B2C hold", "postsuper -f 0A1B2C hold", "postqueue -i 0A1B2C"]


def test_a_mail_that_may_be_another_one_is_left_alone(tmp_path: Path) -> None:
    queue, later = Queue(tmp_path), int(AT.timestamp()) + 1
    queue.waits(at=later)
    assert not queue.settle()
    queue.waits(where="deferred")
    assert not queue.settle()
    queue.waits("eve@example.org")
    with pytest.raises(OSError, match=r"is from eve@example\.org"):
        queue.settle()
    queue.waits("ann@example.org")  # as Postfix lists it
    assert queue.settle(mail=kept([b'<"ann"@example.org>']))
    queue.waits("eve@example.org")
    queue.says((tmp_path / "queued").read_text().replace("0A1B2C", "4gQHb72XkzzW"))  # never used again
    assert queue.settle(name="4gQHb72XkzzW")
    queue.says(f'{{"queue_name": "hold", "queue_id": "4gQHb72XkzzW", "arrival_time": {later}, "sender": "a"}}')
    with pytest.raises(OSError, match="is it that"):
        queue.settle(name="4gQHb72XkzzW")
    queue.says("0A1B2C: this is no list")
    with pytest.raises(OSError, match="no list of mails"):
        queue.settle()
    assert [line.split()[2] for line in queue.done if line.startswith("postsuper")] == ["0A1B2C", "4gQHb72XkzzW"]


def test_a_mail_that_is_gone_is_not_reported_again_and_leaves_nothing_behind(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    for left in ("0A1B2C.sent", "0A1B2C.report"):
        (tmp_path / left).write_text("To: ann@example.org\n\n")
    queue.says("")
    assert not queue.settle()
    assert (queue.done, [*tmp_path.glob("0A1B2C*")]) == ([], [])


def test_a_report_that_was_taken_is_not_sent_again(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    (tmp_path / "0A1B2C.sent").write_text("To: ann@example.org\n\n")
    assert queue.settle()
    assert queue.done == ["postsuper -d 0A1B2C hold"]


def test_a_report_that_is_not_taken_leaves_the_mail_where_it_is_until_it_is(tmp_path: Path) -> None:
    failing = Queue(tmp_path, sendmail="exit 75")
    with pytest.raises(OSError, match="ended with 75"):
        failing.settle()
    assert failing.done == [SENT]
    assert Queue(tmp_path).settle()
    assert failing.done == [SENT, SENT, "postsuper -d 0A1B2C hold"]
