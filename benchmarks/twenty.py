"""The twenty clauses of the comparisons, and messages for them: made here, the same every time, real in no part."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from comity.agreement import draw
from comity.agreement.load import load
from comity.model.agreement import Agreement
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message

START: Final = datetime(2026, 1, 1, tzinfo=UTC)

EMAIL: Final = "[a-zA-Z0-9._%+-]+@[a-zA-Z0-9-]+(?:\\\\.[a-zA-Z0-9-]+)*\\\\.[a-zA-Z]{2,}"
PHONE: Final = "\\\\+?[0-9][0-9 ().-]{7,}[0-9]"
INVITE: Final = "(?i)(?:discord\\\\.gg|discord\\\\.com/invite|t\\\\.me|chat\\\\.whatsapp\\\\.com)/[a-z0-9_-]+"
WALLET: Final = "\\\\b(?:0x[0-9a-fA-F]{40}|bc1[a-z0-9]{25,60}|[13][1-9A-HJ-NP-Za-km-z]{25,34})\\\\b"
REPEATED: Final = f"(?i){'|'.join(f'{character}{{6,}}' for character in 'abcdefghijklmnopqrstuvwxyz')}|!{{6,}}"
MENTIONS: Final = "(?:@[a-zA-Z0-9_]{2,}[ ,]*){5,}"

SCAMS: Final = (
    *("free money", "guaranteed profit", "double your coins", "wire transfer fee", "claim your prize", "lucky winner"),
    *("act now", "limited offer", "no risk", "work from home", "passive income", "financial freedom", "easy cash"),
    *("miracle cure", "lose weight fast", "cheap watches", "replica bags", "secret method", "pre-approved loan"),
    *("bad credit", "debt relief", "inheritance fund", "foreign lottery", "unclaimed funds", "bank officer"),
    *("send the code", "verify your wallet", "seed phrase", "airdrop", "giveaway bot", "pump group", "signals room"),
    *("forex mentor", "trading robot", "instant payout", "cashback bonus", "free spins", "casino bonus", "jackpot*"),
    *("adult cams", "hot singles", "meet tonight", "cheap followers", "buy likes", "boost your account", "crack key"),
    *("activation key", "free premium", "gift card code", "survey reward", "whatsapp me", "telegram me", "text me at"),
    *("investor wanted", "crypto expert", "recovery agent", "hacked account help", "hire a hacker", "spy app"),
    *("click the link", "link in bio", "100% free", "risk-free trial"),
)
INSULTS: Final = (
    *("blockhead", "nitwit*", "dunderhead", "numbskull", "bonehead", "halfwit", "pinhead", "lamebrain", "dimwit*"),
    *("muttonhead", "cabbage brain", "waste of space", "go away forever", "nobody likes you", "ugly toad", "swine"),
    *("vermin", "scumbag*", "lowlife", "parasite*", "cretin", "imbecile*", "buffoon", "clown face", "rat face"),
    *("pig face", "filthy liar", "total loser", "pathetic worm", "shut your mouth"),
)
DRUGS: Final = (
    *("happy pills", "magic powder", "blue crystals", "party dust", "green leaf deal", "night caps", "sleepy drops"),
    *("cloud candy", "moon rocks", "silver tabs", "red syrup", "purple drink", "street sugar", "white lady"),
    *("brown bag special", "discreet shipping", "stealth pack*", "no prescription", "bulk pills", "vial kit"),
    *("trip ticket", "acid paper", "poppers", "bath salts", "herbal high", "legal high*", "plug available"),
    *("menu on request", "dose list", "gram price"),
)
DOMAINS: Final = ("casino.example", "pills.example", "lucky-wallet.example", "fastcash.example", "cams.example")
LEXICONS: Final = {"scams": SCAMS, "insults": INSULTS, "drugs": DRUGS, "bad": DOMAINS}

RULES: Final = (
    'text.saysAny("scams") && links.size() > 0',
    'text.saysAny("insults")',
    f'text.saysAny("drugs") && (links.size() > 0 || text.matches("{PHONE}"))',
    'domains.under("bad")',
    "links.size() > 3 && author.age < days(7)",
    f'text.matches("{PHONE}") && author.age < days(30)',
    f'text.matches("{EMAIL}") && !("trusted" in author.labels)',
    f'text.matches("{INVITE}") && author.age < days(14)',
    f'text.matches("{WALLET}")',
    f'text.matches("{REPEATED}")',
    f'mentions.size() > 5 || text.matches("{MENTIONS}")',
    "text.capitals() > 0.7 && text.size() > 40",
    '"watched" in author.labels && (links.size() > 0 || text.size() > 1000)',
    'author.age < days(1) && text.says("dm me")',
    '(text.saysAny("scams") || text.saysAny("drugs")) && author.age < days(30) && !is_reply',
    "text.size() > 2000 && author.age < days(1)",
    'text.saysAny("insults") && mentions.size() > 0',
    f'text.matches("{EMAIL}") && text.matches("{PHONE}") && text.saysAny("scams")',
    "(text.capitals() > 0.5 || text.repeats() > 10) && links.size() > 1",
    "hashtags.size() > 8 || hashtags.size() > 4 && author.age < days(3)",
)
WITH_WINDOWS: Final = (
    *RULES[:15],
    "author.messages(minutes(10)) > 15 && author.age < days(30)",
    *RULES[16:19],
    "text.size() > 30 && author.copies(hours(1)) >= 4",
)

_WORDS: Final = (
    *("the", "and", "you", "that", "was", "for", "are", "with", "his", "they", "this", "have", "from", "one", "had"),
    *("word", "but", "not", "what", "all", "were", "when", "your", "can", "said", "there", "use", "each", "which"),
    *("she", "how", "their", "will", "other", "about", "out", "many", "then", "them", "these", "some", "her", "would"),
    *("make", "like", "him", "into", "time", "has", "look", "two", "more", "write", "see", "number", "way", "could"),
    *("people", "than", "first", "water", "been", "call", "who", "oil", "its", "now", "find", "long", "down", "day"),
    *("did", "get", "come", "made", "may", "part", "garden", "letter", "summer", "bread", "river", "money", "free"),
    *("photograph", "yesterday", "neighbour", "concert", "recipe", "weather", "football", "station", "holiday"),
    *("I", "We", "It", "Thanks", "Hello", "Really", "today,", "well.", "so?", "nice!", "(maybe)", "it's", "don't"),
)
_FOREIGN: Final = ("café", "“quoted”", "naïve", "don’t", "…", "– and", "🙂", "Straße", "мир", "привет", "fr\u200bee")


def agreement(rules: tuple[str, ...] = RULES) -> Agreement:
    """The rules as the clauses `c0`, `c1`, ... of an agreement with the lexicons."""
    lexicons = "".join(
        f"  {name}: {{file: {name}.txt, kind: {'domains' if name == 'bad' else 'phrases'}}}\n" for name in LEXICONS
    )
    clauses = "".join(
        f'## C {n} {{#c{n}}}\n\nDo not.\n\n```rule decide=shadow once="1 day"\n{rule}\n```\n\n'
        for n, rule in enumerate(rules)
    )
    ladder = "## Measures {#measures}\n\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | warn | | |\n"
    head = f"---\ncomity: 1\ntitle: Twenty clauses\nchannels: [posts]\nlexicons:\n{lexicons}---\n\n# Twenty clauses\n\n"
    files = {f"{name}.txt": "\n".join(entries).encode() for name, entries in LEXICONS.items()}
    checked = load("agreement.md", f"{head}{clauses}{ladder}".encode(), files.get)
    if checked.agreement is None:
        raise ValueError(draw(checked.diagnostics, checked.sources))
    return checked.agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How long messages are, in words: half are shorter than `median`."""

    median: int
    spread: float = 0.9

    def words(self, chance: random.Random) -> int:
        return min(2000, max(2, int(self.median * math.exp(chance.gauss(0, self.spread)))))


CHAT: Final = Kind(median=12)
POSTS: Final = Kind(median=55)
MAILS: Final = Kind(median=250)


def messages(count: int, *, kind: Kind = POSTS, seed: int = 7, accounts: int = 2000) -> list[Message]:
    """Messages one second apart. About one in twenty breaches; one in eight is not ASCII."""
    return list(_messages(random.Random(seed), count, kind, accounts))


def _messages(chance: random.Random, count: int, kind: Kind, accounts: int) -> Iterator[Message]:
    recent: list[str] = ["hello"]
    for number in range(count):
        text = chance.choice(recent) if chance.random() < 0.02 else _text(chance, kind)
        recent = [*recent[-50:], text]
        author = int(chance.paretovariate(0.8)) % accounts
        sent = START + timedelta(seconds=number)
        yield Message(
            id=MessageId(str(number)),
            author=AccountId(f"account-{author}"),
            channel=Channel("posts"),
            text=text,
            sent=sent,
            is_reply=chance.random() < 0.4,
            author_created=sent - timedelta(hours=chance.choice((2, 20, 60, 200, 500, 2000, 9000, 9000, 20000))),
            author_labels=chance.choice(((),) * 20 + (("trusted",), ("watched",))),
        )


def _text(chance: random.Random, kind: Kind) -> str:
    words = chance.choices(_WORDS, k=kind.words(chance))
    extras = (
        *((0.125, lambda: chance.choice(_FOREIGN)), (0.06, lambda: _bait(chance))),
        (0.1, lambda: f"https://{chance.choice(('news', 'blog', 'shop'))}.example/a?b=1"),
        (0.08, lambda: "@" + chance.choice(("ann", "bob_2", "carol"))),
        (0.05, lambda: "#" + chance.choice(("sunday", "music", "2026goals"))),
    )
    for likelihood, extra in extras:
        if chance.random() < likelihood:
            words.insert(chance.randrange(len(words)), extra())
    text = " ".join(words)
    return text.upper() if chance.random() < 0.005 else text


def _bait(chance: random.Random) -> str:
    """Something that a clause looks for."""
    return chance.choice(
        (
            *(lambda: chance.choice(SCAMS).replace("*", "s"), lambda: chance.choice(INSULTS).replace("*", "s")),
            *(lambda: chance.choice(DRUGS).replace("*", "s").title(), lambda: "dm me"),
            lambda: f"http://www.{chance.choice(DOMAINS)}/win",
            lambda: " ".join(f"https://a{n}.example/" for n in range(chance.randrange(2, 7))),
            *(lambda: "+44 20 7946 0123", lambda: "mail ann.b@post.example now", lambda: "discord.gg/abcDEF"),
            *(lambda: "0x" + "ab12" * 10, lambda: "soooooooooo", lambda: "!!!!!!!!!!!!", lambda: "nitwіt"),
            lambda: " ".join(f"@user{n}" for n in range(chance.randrange(3, 9))),
            lambda: " ".join(f"#tag{n}" for n in range(chance.randrange(3, 12))),
        )
    )()
