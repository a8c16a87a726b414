"""What a programmer without an engine writes for the twenty clauses: one function, `re`, and the cheap tests first.

It does the same work on the same folded text and gives the same answers. Patterns are compiled once, each is searched
at most once a message, and only when a clause comes to ask.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import twenty
from comity.engine.fold import fold
from comity.model.message import Message

Judge = Callable[[Message], int]


def lexicon(phrases: Iterable[str]) -> Callable[[str], object]:
    """The search for whole words, with anything that is no word between them and `*` for further letters."""
    written = (
        r"[\W_]+".join(map(re.escape, re.findall(r"\w+", fold(one)))) + (r"[^\W_]*" if one.endswith("*") else "")
        for one in phrases
    )
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(written)})(?![^\W_])").search


def pattern(source: str) -> Callable[[str], object]:
    return re.compile(source.replace("\\\\", "\\"), re.ASCII).search


SCAMS, INSULTS, DRUGS = lexicon(twenty.SCAMS), lexicon(twenty.INSULTS), lexicon(twenty.DRUGS)
DM_ME = lexicon(["dm me"])
EMAIL, PHONE, INVITE = pattern(twenty.EMAIL), pattern(twenty.PHONE), pattern(twenty.INVITE)
WALLET, MENTIONS = pattern(twenty.WALLET), pattern(twenty.MENTIONS)
REPEATED = re.compile(r"([a-z!])\1{5,}", re.ASCII | re.IGNORECASE).search
RUN: Final = re.compile(r"(.)\1+", re.DOTALL)
LINK: Final = re.compile(r"""(?<![^\W_])(?:(?:https?|ftp)://|www\.)[^\s<>"“”«»`]+""", re.IGNORECASE)
HOST: Final = re.compile(r"(?:\w+://)?(?:[^/?#]*@)?([^/?#:]+)")
MENTION: Final = re.compile(r"(?<![\w@./])@(\w[\w.-]*(?:@\w[\w.-]*)?)")
HASHTAG: Final = re.compile(r"(?<![\w#&/])[#＃](\w*[^\W\d]\w*)")
DAY: Final = timedelta(days=1)
WEEK, FORTNIGHT, MONTH = 7 * DAY, 14 * DAY, 30 * DAY
UNKNOWN: Final = timedelta(days=36500)


def is_bad(link: str) -> bool:
    found = HOST.match(link)
    host = found[1].lower().strip(".") if found else ""
    return any(host == domain or host.endswith("." + domain) for domain in twenty.DOMAINS)


def capitals(text: str) -> float:
    letters = [character for character in text if character.isalpha()]
    return sum(character.isupper() for character in letters) / len(letters) if letters else 0.0


def repeats(text: str) -> int:
    return max((len(run[0]) for run in RUN.finditer(text)), default=min(1, len(text)))


def judge(message: Message) -> int:
    """The breached clauses as bits, without windows."""
    return _judge(message, None)


def judge_with_windows() -> Judge:
    """The second variant: it keeps what the last ten minutes and the last hour held."""
    windows = Windows()
    return lambda message: _judge(message, windows)


class Windows:
    """Messages of each account, and its copies of each text: times that still count, oldest first."""

    def __init__(self) -> None:
        self.messages: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self.copies: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)

    def take(self, message: Message, folded: str) -> tuple[int, int]:
        """How many messages in ten minutes, how many copies in an hour, this one included."""
        return (
            _counted(self.messages[message.author], message.sent, timedelta(minutes=10)),
            _counted(self.copies[message.author, folded], message.sent, timedelta(hours=1)),
        )


def _counted(times: deque[datetime], sent: datetime, within: timedelta) -> int:
    times.append(sent)
    while times[0] <= sent - within:
        times.popleft()
    return len(times)


def _judge(message: Message, windows: Windows | None) -> int:
    breached = 0
    text, folded = message.text, fold(message.text)
    age = UNKNOWN if message.author_created is None else message.sent - message.author_created
    labels = message.author_labels
    links = LINK.findall(text) if "://" in text or "www." in text.lower() else []
    mentions = len(MENTION.findall(text)) if "@" in text else 0
    tags = len(HASHTAG.findall(text)) if "#" in text or "＃" in text else 0
    scam, insult, drug = SCAMS(folded), INSULTS(folded), DRUGS(folded)
    phone, email = PHONE(text), EMAIL(text) if "@" in text else None
    if scam and links:
        breached |= 1
    if insult:
        breached |= 2
    if drug and (links or phone):
        breached |= 4
    if any(map(is_bad, links)):
        breached |= 8
    if len(links) > 3 and age < WEEK:
        breached |= 16
    if phone and age < MONTH:
        breached |= 32
    if email and "trusted" not in labels:
        breached |= 64
    if age < FORTNIGHT and INVITE(text):
        breached |= 128
    if WALLET(text):
        breached |= 256
    if REPEATED(text):
        breached |= 512
    if mentions > 5 or ("@" in text and MENTIONS(text)):
        breached |= 1024
    if len(text) > 40 and capitals(text) > 0.7:
        breached |= 2048
    if "watched" in labels and (links or len(text) > 1000):
        breached |= 4096
    if age < DAY and DM_ME(folded):
        breached |= 8192
    if (scam or drug) and age < MONTH and not message.is_reply:
        breached |= 1 << 14
    if insult and mentions > 0:
        breached |= 1 << 16
    if email and phone and scam:
        breached |= 1 << 17
    if len(links) > 1 and (capitals(text) > 0.5 or repeats(text) > 10):
        breached |= 1 << 18
    if windows is None:
        if len(text) > 2000 and age < DAY:
            breached |= 1 << 15
        if tags > 8 or (tags > 4 and age < 3 * DAY):
            breached |= 1 << 19
        return breached
    in_ten_minutes, copies = windows.take(message, folded)
    if in_ten_minutes > 15 and age < MONTH:
        breached |= 1 << 15
    if len(text) > 30 and copies >= 4:
        breached |= 1 << 19
    return breached


def features(message: Message) -> dict[str, bool | int | str]:
    """What engines without lexicons, links and folding are given; the patterns too, for those without them."""
    text, folded = message.text, fold(message.text)
    created = message.author_created
    age = UNKNOWN if created is None else message.sent - created
    links = LINK.findall(text) if "://" in text or "www." in text.lower() else []
    return {
        "text": text,
        "size": len(text),
        "scam": SCAMS(folded) is not None,
        "insult": INSULTS(folded) is not None,
        "drug": DRUGS(folded) is not None,
        "dm_me": DM_ME(folded) is not None,
        "links": len(links),
        "is_bad": any(map(is_bad, links)),
        "mentions": len(MENTION.findall(text)) if "@" in text else 0,
        "hashtags": len(HASHTAG.findall(text)) if "#" in text or "＃" in text else 0,
        "shouts": len(text) > 40 and capitals(text) > 0.7,
        "is_loud": len(links) > 1 and (capitals(text) > 0.5 or repeats(text) > 10),
        "age": int(age.total_seconds()),
        "trusted": "trusted" in message.author_labels,
        "watched": "watched" in message.author_labels,
        "is_reply": message.is_reply,
    }


def patterns(message: Message) -> dict[str, bool]:
    """The regular expressions, for an engine that has none."""
    text = message.text
    has_at = "@" in text
    return {
        "phone": PHONE(text) is not None,
        "email": has_at and EMAIL(text) is not None,
        "invite": INVITE(text) is not None,
        "wallet": WALLET(text) is not None,
        "repeated": REPEATED(text) is not None,
        "many_mentions": has_at and MENTIONS(text) is not None,
    }
