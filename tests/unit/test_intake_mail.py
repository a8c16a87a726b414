"""One mail: what its headers and parts become, and what hostile ones cannot do."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from comity.intake.mail import MAIL_LIMIT, message_from_mail
from comity.intake.problems import RecordError
from comity.model.message import Message

HEAD = {"From": "Ada <Ada@A.example>", "Date": "Sat, 31 Jan 2026 13:00:00 +0100", "Message-ID": "<1@a.example>"}
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def mail(body: str = "hello", **changes: str | None) -> Message:
    """A mail with headers changed (`_` for `-`) or, by `None`, left out."""
    heads = HEAD | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}" for name, value in heads.items() if value is not None]
    return message_from_mail(("\n".join(lines) + "\n\n" + body).encode("utf-8", "surrogateescape"))


def written(content: EmailMessage) -> Message:
    for name, value in HEAD.items():
        content[name] = value
    return message_from_mail(bytes(content))


def refusal(content: bytes) -> str:
    with pytest.raises(RecordError) as caught:
        message_from_mail(content)
    return caught.value.reason


def test_a_plain_mail_becomes_a_message() -> None:
    message = mail(
        To="Bob <bob@b.example>, eve@e.example", Cc="BOB@b.example", Subject="Greetings", In_Reply_To="<0@x>"
    )
    assert (message.author, message.text, message.sent, message.channel) == ("ada@a.example", "hello", NOON, "mail")
    assert message.to == ("bob@b.example", "eve@e.example")
    assert (message.subject, message.is_reply, message.meta["from_name"]) == ("Greetings", True, "Ada")
    assert message.links is None, "a plain text's links are for the engine to derive"


def test_a_callers_id_label_channel_and_source_are_kept() -> None:
    content = b"From: a@b\nDate: Sat, 31 Jan 2026 13:00:00 +0100\n\n"
    message = message_from_mail(content, id="7", label="spam", channel="lists", source="corpus")
    assert (message.id, message.label, message.channel, message.source) == ("7", "spam", "lists", "corpus")


def test_an_id_belongs_to_what_is_said_so_that_copying_it_hides_nothing() -> None:
    assert mail().id.startswith("<1@a.example>#")
    assert mail().id == mail(Received="by c; Sat, 31 Jan 2026 13:00:01 +0100").id
    assert len({mail().id, mail("other").id, mail(Subject="x").id, mail(From="b@b").id, mail(Message_ID=None).id}) == 5
    assert len(mail(Message_ID="<" + "x" * 2000 + ">").id) == 32


@pytest.mark.parametrize(
    ("changes", "author"),
    [
        ({"From": '"a, b" <x@y.example>'}, "x@y.example"),
        ({"From": "=?utf-8?q?evil=40e.example?= <x@y.example>"}, "x@y.example"),
        ({"From": "nobody", "Sender": "s@s.example"}, "s@s.example"),
        ({"From": None, "Return-Path": "<r@r.example>"}, "r@r.example"),
        ({"From": "x" * 400 + "@y.example", "Sender": "s@s.example"}, "s@s.example"),
        ({"From": "é@é.example"}, "é@é.example"),
    ],
)
def test_the_author_is_who_says_to_have_written_it(changes: dict[str, str | None], author: str) -> None:
    assert mail(**changes).author == author


def test_a_mail_without_author_or_time_is_refused() -> None:
    assert "no author" in refusal(b"Date: Sat, 31 Jan 2026 13:00:00 +0100\n\nx")
    assert "no readable time" in refusal(b"From: a@b\n\nx")
    assert "no readable time" in refusal(b"From: a@b\nDate: Sat, 31 Jan 12026 13:00:00 +0100\n\nx")
    assert refusal(b"")


@pytest.mark.parametrize(
    "given", [None, "yesterday", "Sat, 31 Jan 1066 13:00:00 +0000", "Fri, 31 Jan 2036 13:00:00 +0000"]
)
def test_a_date_that_is_not_believed_gives_way_to_the_receiver(given: str | None) -> None:
    message = mail(Date=given, Received="from x by y; Sat, 31 Jan 2026 12:00:00 +0000 (UTC)")
    assert (message.sent, message.meta["sent_from"]) == (NOON, "received")


def test_a_date_without_a_zone_is_utc() -> None:
    assert mail(Date="Sat, 31 Jan 2026 12:00:00 -0000").sent == NOON
    assert mail(Date="31 Jan 2026 12:00").sent == NOON


HOSTILE_DATES = [
    "9" * 5000,
    "Mon, " * 5000,
    "1 Jan 99999999999 1:1:1",
    "Sat, 31 Jan 2026 13:00:00 +9999",
    ":",
    "\0",
    "1 " * 99,
]


@pytest.mark.parametrize("given", HOSTILE_DATES)
def test_a_hostile_date_is_no_time(given: str) -> None:
    assert "no readable time" in refusal(f"From: a@b\nDate: {given}\n\nx".encode())


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?UTF-8?B?Y2Fmw6k=?= x", "café x"),
        ("=?utf-8?b?w?= =?utf-8?b?qQ?=", "=?utf-8?b?w?=\N{REPLACEMENT CHARACTER}"),
        ("=?utf-8?b?8J+Y?=\n =?utf-8?b?gA==?=", "😀"),
        ("=?utf-8?q?a?= =?utf-8?q?b?= c", "ab c"),
        ("a =?latin1?q?=E9?= b", "a é b"),
        ("=?nosuch?q?a=C3=A9?=", "aé"),
        ("=?punycode?q?abc?=", "abc"),
        ("=?utf-8?q?broken", "=?utf-8?q?broken"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("raw é", "raw é"),
        ("raw \udce9", "raw é"),
        ("folded\n  here", "folded here"),
        ("=?utf-8?q?a=0ABcc:_x?=", "a\nBcc: x"),
        ("=?utf-7?q?+2AA-?=", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_encoded_words_are_decoded_and_broken_ones_shown(given: str, subject: str) -> None:
    assert mail(Subject=given).subject == subject


def test_of_alternatives_the_last_with_text_counts() -> None:
    content = EmailMessage()
    content.set_content("harmless")
    content.add_alternative('<p>Buy <a href="http://x.example/1">here</a></p>', subtype="html")
    message = written(content)
    assert message.text == "Buy here"
    assert message.links == ("http://x.example/1",)
    content = EmailMessage()
    content.set_content("said")
    content.add_alternative("<img src=x>", subtype="html")
    assert written(content).text == "said"


def test_links_of_markup_and_text_are_all_there_once() -> None:
    html = (
        '<a href="http://a.example">http://a.example</a> <a href=//b.example>b</a> '
        'www.c.example <a href="mailto:x@y">m</a>'
    )
    assert mail(html, Content_Type="text/html").links == ("http://a.example", "//b.example", "www.c.example")


def test_attachments_are_told_by_type_and_digest() -> None:
    content = EmailMessage()
    content.set_content("see below")
    content.add_attachment(b"\x89PNG", maintype="image", subtype="png")
    content.add_attachment("a text file", filename="a.txt")
    message = written(content)
    assert message.text == "see below"
    assert message.attachments == ("image/png", "text/plain")
    assert message.hashes[0] == hashlib.sha256(b"\x89PNG").hexdigest()


def test_a_mail_within_the_mail_is_an_attachment() -> None:
    inner = EmailMessage()
    inner.set_content("somebody else's")
    content = EmailMessage()
    content.set_content("mine")
    content.add_attachment(inner)
    message = written(content)
    assert (message.text, message.attachments) == ("mine", ("message/rfc822",))


@pytest.mark.parametrize(
    ("body", "heads", "text"),
    [
        (
            "caf=C3=A9",
            {"Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "quoted-printable"},
            "café",
        ),
        ("Y2Fmw6k=", {"Content-Transfer-Encoding": "base64"}, "café"),
        ("!!!", {"Content-Transfer-Encoding": "base64"}, ""),
        ("Y2Fm", {"Content-Transfer-Encoding": "nosuch"}, "Y2Fm"),
        ("caf\udce9", {"Content-Type": "text/plain; charset=us-ascii"}, "café"),
        ("caf\udce9", {"Content-Type": "text/plain; charset=utf-8"}, "caf\N{REPLACEMENT CHARACTER}"),
        ("caf\udce9", {"Content-Type": "text/plain; charset=nosuch"}, "café"),
        ("a", {"Content-Type": "text/plain; charset=\0"}, "a"),
        ("a", {"Content-Type": "text/plain; charset=zip"}, "a"),
        ("a", {"Content-Type": "text/plain; charset*0*=x''utf; charset*1*=-8"}, "a"),
        ("a", {"Content-Type": "multipart/mixed"}, "a"),
        ("a", {"Content-Type": "multipart/mixed; boundary=b"}, "a"),
        ("a\0b", {}, "a\0b"),
        ("", {}, ""),
    ],
)
def test_a_body_is_decoded_as_well_as_can_be(body: str, heads: dict[str, str], text: str) -> None:
    message = mail(body, **heads)
    assert message.text == text


@pytest.mark.parametrize("kind", ["a b/c", "x/<script>", "text", "/", "\0/\0", "text/"])
def test_a_type_that_is_none_hides_no_text(kind: str) -> None:
    message = mail("hello", Content_Type=kind)
    assert (message.text, message.attachments) == ("hello", ())


def test_authentication_results_come_from_the_first_header_alone() -> None:
    results = "mx.example; dkim=fail (bad; spf=pass) header.d=x; dkim=pass header.d=y; spf=SoftFail; dmarc=none"
    message = message_from_mail(
        f"Authentication-Results: {results}\nAuthentication-Results: evil; dmarc=pass\nFrom: a@b\n"
        "Date: Sat, 31 Jan 2026 13:00:00 +0100\n\n".encode()
    )
    assert {key: message.meta[key] for key in ("dkim", "spf", "dmarc")} == {
        "dkim": "pass",
        "spf": "softfail",
        "dmarc": "none",
    }


def test_what_rules_on_bulk_mail_need_is_in_meta() -> None:
    message = mail(
        List_Unsubscribe="<https://a.example/u>",
        List_Id="News <news.a.example>",
        Precedence="Bulk",
        Auto_Submitted="Auto-Generated",
        X_Mailer="Mailer 1",
        Reply_To="Other <o@o.example>",
        Return_Path="<ada@a.example>",
    )
    assert dict(message.meta) == {
        "list_unsubscribe": "<https://a.example/u>",
        "list_id": "News <news.a.example>",
        "precedence": "bulk",
        "auto_submitted": "auto-generated",
        "mailer": "Mailer 1",
        "reply_to": "o@o.example",
        "from_name": "Ada",
        "sent_from": "date",
    }


def test_a_line_end_in_a_header_makes_no_second_header() -> None:
    message = mail(Subject="=?utf-8?q?x=0D=0AFrom:_eve=40e.example?=", To="a@a.example\r\n\tFrom: eve@e.example")
    assert message.author == "ada@a.example"


def nested(depth: int) -> bytes:
    heads = "".join(f"{name}: {value}\n" for name, value in HEAD.items()).encode()
    parts = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(depth))
    return heads + parts + b"\nthe bottom\n"


def test_parts_nested_ten_deep_are_read() -> None:
    assert message_from_mail(nested(10)).text == "the bottom"


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_parts_nested_a_thousand_deep_are_refused_at_once(depth: int) -> None:
    start = time.perf_counter()
    assert "nested" in refusal(nested(depth))
    assert time.perf_counter() - start < 5


HOSTILE = {
    "a To of brackets": b"To: " + b"(" * 60_000,
    "a To of commas": b"To: " + b"," * 60_000,
    "a To of quotes": b'To: "' + b'\\"' * 30_000,
    "a To of groups": b"To: " + b"a:" * 30_000,
    "a To of addresses": b"To: " + b"a@b, " * 100_000,
    "ten thousand To": b"To: a@b\n" * 10_000,
    "a type of semicolons": b"Content-Type: text/plain" + b";" * 1_000_000,
    "a type of parameters": b"Content-Type: text/plain" + b"; a*0*=x" * 100_000,
    "a number of 5,000 digits": b"Content-Type: text/plain; charset*" + b"9" * 5000 + b"=a",
    "a subject of words": b"Subject: " + b"=?utf-8?q?a?= " * 100_000,
    "a subject of starts": b"Subject: " + b"=?" * 500_000,
    "results of semicolons": b"Authentication-Results: " + b";dkim" * 100_000,
    "a header without end": b"X: " + b"y\n " * 300_000,
    "no header at all": b"\0" * 1000,
    "bytes": bytes(range(256)) * 100,
    "a bad transfer encoding": b"Content-Transfer-Encoding: \xff\nContent-Disposition: \xff; filename*=\xff",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_header_costs_little_and_raises_nothing(hostile: bytes) -> None:
    start = time.perf_counter()
    heads = "".join(f"{name}: {value}\n" for name, value in HEAD.items()).encode()
    message = message_from_mail(heads + hostile + b"\n\nhello")
    assert message.author == "ada@a.example"
    assert time.perf_counter() - start < 5


def test_a_mail_is_bounded() -> None:
    assert "longer than 33,554,432 bytes" in refusal(b"x" * (MAIL_LIMIT + 1))
    assert "too many lines" in refusal(b"From: a@b\n" + b"\n" * 6_000_000)


def test_a_text_of_10_mb_is_refused_and_an_attachment_of_10_mb_is_not() -> None:
    content = EmailMessage()
    content.set_content("see below")
    content.add_attachment(b"x" * 10_000_000, maintype="application", subtype="zip")
    assert written(content).attachments == ("application/zip",)
    assert "10,000,000 bytes long" in refusal(b"From: a@b\nDate: 31 Jan 2026 12:00\n\n" + b"x" * 10_000_000)


def test_links_and_recipients_without_number_get_no_mail_out_of_judging() -> None:
    body = "".join(f'<a href="http://{n}.example/{"x" * 20_000}">l</a>' for n in range(600))
    message = mail(body, Content_Type="text/html", To=", ".join(f"{n}@b.example" for n in range(6000)))
    assert message.links is not None
    assert len(message.links) == len(message.to) == 512
