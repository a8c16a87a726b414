"""`comity demo --serve`: the console and the pages for everybody, over the demo's record, with cases that wait.

The cases are real: people who keep the corpus labelled each mail. What the rules missed of the spam is reported, what
they took for spam and was none is appealed, and some of what nothing was found in is put before a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import msgspec

from comity.app.settings import Settings
from comity.app.terminal import out
from comity.app.wiring import SystemClock, SystemEntropy, opened, users
from comity.casework.facts import Decided
from comity.casework.refused import RefusedError
from comity.flow import appeal, review
from comity.flow.message import Proceedings
from comity.flow.quality import Sampling
from comity.flow.retention import close_settled
from comity.flow.sign_in import SignIn
from comity.model.access import Role
from comity.model.ids import ReviewerId
from comity.model.message import Message
from comity.model.user import User
from comity.stores.passwords import Argon2

NAME: Final = ReviewerId("demo")
ROLES: Final = frozenset({Role.OPERATOR, Role.REVIEWER, Role.APPEALS_REVIEWER})
_NOTICES, _APPEALS, _SAMPLES = 12, 4, 6
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A mail, whether it is spam by its label, and whether a rule found anything in it."""

    message: Message
    is_spam: bool
    is_found: bool


def dated_forward(messages: Sequence[Message], now: datetime) -> list[Message]:
    """The same mails, the last of them within the last day, so that measures hold and appeals are open."""
    days = timedelta(days=(now - max(message.sent for message in messages)).days)
    return [msgspec.structs.replace(message, sent=message.sent + days) for message in messages]


def fill(chosen: Settings, labelled: Sequence[Labelled]) -> None:
    """Reports, appeals and samples, as of now."""
    now = SystemClock().now()
    with opened(chosen) as record:
        proceedings = record.proceedings()
        close_settled(proceedings, now)
        notices = sum(1 for _ in islice(_reported(proceedings, labelled, now), _NOTICES))
        appeals = sum(1 for _ in islice(_appealed(proceedings, labelled, now), _APPEALS))
        samples = _sampled(proceedings, labelled, now)
    out.print(
        f"{notices} mails that the corpus labels as spam and no rule found are reported; {appeals} senders of mails"
        f" that it labels as no spam appeal; {samples} mails in which nothing was found are put before a person."
    )


def signed_in(chosen: Settings, place: str) -> None:
    """Print a link that signs the reader in, once."""
    now = SystemClock().now()
    with closing(users(chosen)) as file:
        file.put(User(name=NAME, roles=ROLES, created=now))
        token = SignIn(file, Argon2(), SystemEntropy()).make_link(NAME, now)
    out.print(f"\nSign in, once, with this link: {place}/enter/{token}", markup=False, soft_wrap=True)
    out.print(f"What everybody sees: {place}/   (Ctrl-C ends it)", markup=False, soft_wrap=True)
    out.file.flush()


def _newest(labelled: Sequence[Labelled], *, is_spam: bool, is_found: bool) -> Iterator[Message]:
    wanted = [each.message for each in labelled if (each.is_spam, each.is_found) == (is_spam, is_found)]
    yield from sorted(wanted, key=lambda message: message.sent, reverse=True)


def _reported(proceedings: Proceedings, labelled: Sequence[Labelled], now: datetime) -> Iterator[object]:
    for message in _newest(labelled, is_spam=True, is_found=False):
        why = "The people who keep the corpus labelled this mail as spam."
        given = review.Notice(message=message, where=f"mail {message.id}", why=why, good_faith=True)
        yield review.notice(proceedings, given, now)


def _appealed(proceedings: Proceedings, labelled: Sequence[Labelled], now: datetime) -> Iterator[object]:
    """Against decisions on one mail alone, each of another sender."""
    wrong = {message.id for message in _newest(labelled, is_spam=False, is_found=True)}
    decided = {
        fact.account: fact
        for fact in proceedings.store.facts([Decided])
        if isinstance(fact, Decided) and {each.id for each in fact.statement.messages} <= wrong
    }
    for fact in sorted(decided.values(), key=lambda fact: fact.at, reverse=True):
        text = "This was no spam: people had asked for it. The corpus labels it so, too."
        try:
            yield appeal.file(proceedings, appeal.Complaint(decision=fact.decision, text=text), now)
        except RefusedError:  # its time is over
            continue


def _sampled(proceedings: Proceedings, labelled: Sequence[Labelled], now: datetime) -> int:
    sampling = Sampling(proceedings, _SAMPLES)
    passed = list(_newest(labelled, is_spam=False, is_found=False))
    for start in range(0, len(passed), _AT_ONCE):
        sampling.show(passed[start : start + _AT_ONCE])
    return len(sampling.ask(now))
