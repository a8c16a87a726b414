"""The demo's messages where the real mails cannot be had: a made-up archive with authors, times and labels.

Says nothing about how well an agreement judges: whoever wrote the templates knew the rules. All wording is our own. The
same seed gives the same archive on every machine and with every version of Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from comity.app.draws import Draw
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message

START: Final = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
SOURCE: Final = "generated"

_SPAM_PERCENT: Final = 30
_MAILS_A_WRITER: Final = 8
_MAILS_A_SPAMMER: Final = 5

_NAMES: Final = ("ada", "bela", "chen", "dita", "emre", "fay", "goro", "hana", "ines", "jon", "kofi", "lena", "mio")
_WORDS: Final = ("river", "harbour", "meadow", "lantern", "orchard", "granite", "willow", "copper", "heron", "maple")
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

_HAM: Final = (
    "Hi {name}, shall we meet on {day} about the {word} project? I can bring the drawings.",
    "Thanks for the photographs from {word} bridge. My mother wants prints of all of them!",
    "The build failed again after the last change to {word}. Could you look at the log before {day}?",
    "Minutes of {day}: the roof of the {word} hall is tight, the budget is not. Next time {name} brings the cake.",
    "I have read your chapter on the {word}. The second half is wonderful, the first half needs a map.",
    "Dear {name}, the train at nine is cancelled. I shall take the next one and be at {word} station by noon.",
    "Our choir needs two more voices for the concert in the {word} church. Do you know anybody?",
    "> When does the {word} shop open?\nAt ten, and on {day} at nine. They have the paint that you wanted.",
    "The second mortgage is signed. We live in the {word} house now, come and see us on {day}.",
    "Our school's casino night is on {day}: order now, {name} sells the tickets in the {word} hall.",
    "I lost my keys somewhere between {word} lane and the office. If you find them, ring me, {name}.",
)
_PLAIN: Final = _HAM[:4] + _HAM[5:7]
"""Those that hardly any rule has a word to say about."""

_NEWS: Final = (
    "News from the {word} museum: a free tour on {day}. Order now, there are twenty seats. To leave, press the button.",
    "The {word} garden letter: what to sow this week, and a special offer on bulbs for members.",
)
_SPAM: Final = (
    "Bad credit? No problem! Hundreds of lenders compete for you. Fill out the form below for your free quote. {word}",
    "Work from home and reach financial freedom! Call now, no obligation, {name}. To be removed from our list, reply.",
    "Lose weight without dieting! The {word} pill is proven, results guaranteed. Order now.",
    "You have won a free vacation to {word} island! Claim your prize, call toll free today.",
    "I am the widow of the late head of state of {word}. I need your assistance in strict confidence, {name}.",
    "10 million email addresses, fresh this week. Order now with any credit card. Ask for {name}.",
    "Hot live cams from {word}! Free membership, you must be 18. Join now.",
    "University diplomas, no required tests. Call 1 800 and ask for {name} of {word} college.",
    "Act now! The {word} kit is absolutely free, your money back guaranteed. Place your order by {day}.",
    "Look at this, {name}: http://203.0.113.7/{word}",
    "This message is sent in compliance with the {word} act. Further transmissions may be stopped at no cost.",
    "Dear {name}, we make very good bathtubs in {word}. Please be so kind and tell us your needs.",
    "Hello, I found your page about {word}. My friends build pages too, tell me what you think of theirs.",
)
_SUBJECTS: Final = ("{word}", "About {day}", "Re {word} and {name}", "A question", "{word} news")


def generate(seed: int, count: int) -> Iterator[Message]:
    """`count` mails in the order of their times, about a third of them spam, with the labels `spam` and `ham`."""
    sent = START
    for number in range(count):
        draw = Draw(seed=seed, of=number)
        sent += timedelta(seconds=draw.below(1200, "pause"))
        is_spam = draw.below(100, "kind") < _SPAM_PERCENT
        yield _spam(draw, sent, count) if is_spam else _ham(draw, sent, count)


def _spam(draw: Draw, sent: datetime, count: int) -> Message:
    accounts = max(1, count * _SPAM_PERCENT // 100 // _MAILS_A_SPAMMER)
    sender = draw.below(accounts, "author")
    author = f"offers{sender}@{_WORDS[sender % len(_WORDS)]}-deals.example"
    subject = _filled(draw, draw.one_of(_SUBJECTS, "subject"))
    if draw.below(10, "padded") == 0:
        subject = f"{subject}          {draw.below(10**8, 'mark'):08}"
    return _mail(draw, sent, author=author, subject=subject, text=draw.one_of(_SPAM, "text"), label="spam")


def _ham(draw: Draw, sent: datetime, count: int) -> Message:
    accounts = max(1, count // _MAILS_A_WRITER)
    writer = draw.below(accounts, "author")
    author = f"{_NAMES[writer % len(_NAMES)]}{writer}@post.example"
    subject = _filled(draw, draw.one_of(_SUBJECTS, "subject"))
    is_news = draw.below(10, "news") == 0
    text = draw.one_of(_NEWS if is_news else _HAM, "text")
    return _mail(draw, sent, author=author, subject=subject, text=text, label="ham", is_news=is_news)


def _mail(
    draw: Draw, sent: datetime, *, author: str, subject: str, text: str, label: str, is_news: bool = False
) -> Message:
    return Message(
        id=MessageId(f"generated/{draw.of:06}"),
        author=AccountId(author),
        channel=Channel("mail"),
        text=_filled(draw, text),
        sent=sent,
        source=SOURCE,
        subject=subject,
        to=(f"{draw.one_of(_NAMES, 'to')}@post.example",),
        is_reply=label == "ham" and not is_news and draw.below(2, "reply") == 0,
        meta={"list_unsubscribe": "<https://letters.example/leave>"} if is_news else {},
        label=label,
    )


def _filled(draw: Draw, template: str) -> str:
    """The template with names, words and days drawn into it."""
    return template.format(
        name=draw.one_of(_NAMES, "name").title(), word=draw.one_of(_WORDS, "word"), day=draw.one_of(_DAYS, "day")
    )


def plain(draw: Draw) -> str:
    """Two sentences such as anybody writes; hardly ever the same ones."""
    other = Draw(seed=draw.seed, of=f"{draw.of}, more")
    return f"{_filled(draw, draw.one_of(_PLAIN, 'text'))} {_filled(other, other.one_of(_PLAIN, 'text'))}"
