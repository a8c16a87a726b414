"""How people get in and out: name and password or a link that works once, then a session until they leave.

Whoever tries learns nothing of which names there are: every answer is the same, and takes the same work.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from comity.model.access import Role
from comity.model.ids import ReviewerId
from comity.model.user import Session, User, is_name
from comity.ports import Entropy, Passwords, Users

IDLE: Final = timedelta(hours=2)
"""A session that is not used for so long has ended."""
LONGEST: Final = timedelta(hours=12)
"""No session lasts longer."""
LINK_LASTS: Final = timedelta(hours=24)
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1_000
_NOTED: Final = timedelta(minutes=1)
"""How exactly it is kept when a session was last used."""
_WRONG: Final = "The name and the password do not go together."


class DeniedError(Exception):
    """Somebody is not let in, or a password is not taken; says why, and nothing of whether the name is known."""


class SignIn:
    """The one way in for people. Any thread may ask."""

    def __init__(self, users: Users, passwords: Passwords, entropy: Entropy) -> None:
        self._users, self._passwords, self._entropy = users, passwords, entropy
        self._nobodys = passwords.hash(self._secret())

    def by_password(self, name: str, password: str, at: datetime) -> str:
        """The secret of a new session. Raises `DeniedError`."""
        name = name.strip().lower()
        until = self._users.begin_try(name, at)
        if until is not None:
            wait = max(1, round((until - at).total_seconds() / 60))
            raise DeniedError(
                f"There were too many tries with this name. Try again in {wait} minute{'s' if wait > 1 else ''}, or"
                " ask an operator to unlock it."
            )
        who = ReviewerId(name)
        user = self._users.find(who) if is_name(name) else None
        kept = self._users.password(who) if user else None
        fits = self._passwords.fits(kept or self._nobodys, password[:LONGEST_PASSWORD])
        if not (fits and kept and user and user.roles):
            raise DeniedError(_WRONG)
        self._users.forget_tries(name)
        if self._passwords.is_outdated(kept):
            self._users.set_password(who, self._passwords.hash(password))
        return self._begin(who, at, by_link=False)

    def make_link(self, name: ReviewerId, at: datetime, *, lasts: timedelta = LINK_LASTS) -> str:
        """The token of a link that signs somebody in once."""
        token = self._secret()
        self._users.add_link(hashed(token), name, at + lasts)
        return token

    def whose_link(self, token: str, at: datetime) -> ReviewerId | None:
        return self._users.link(hashed(token), at)

    def by_link(self, token: str, at: datetime) -> str:
        """The secret of a new session; the link works no more, and failed tries are forgotten. Raises `DeniedError`."""
        name = self._users.use_link(hashed(token), at)
        user = self._users.find(name) if name else None
        if user is None or not user.roles:
            raise DeniedError("This link has been used or has expired. Ask an operator for a new one.")
        self._users.forget_tries(user.name)
        return self._begin(user.name, at, by_link=True)

    def session(self, secret: str, at: datetime, *, uses: bool = True) -> tuple[User, Session] | None:
        """Who is signed in with it, with the roles that they have now. `uses`: and is still there."""
        known = self._users.session(hashed(secret))
        if known is None:
            return None
        user = self._users.find(known.user)
        if user is None or not user.roles or at >= known.seen + IDLE or at >= known.began + LONGEST:
            self._users.end(hashed(secret))
            return None
        if uses and at >= known.seen + _NOTED:
            self._users.touch(hashed(secret), at)
        return user, known

    def out(self, secret: str) -> None:
        self._users.end(hashed(secret))

    def change_password(self, secret: str, old: str, new: str, at: datetime) -> str:
        """The secret of a new session; all others of theirs end. Raises `DeniedError`."""
        found = self.session(secret, at)
        if found is None:
            raise DeniedError("You are signed out. Sign in again.")
        user, session = found
        kept = self._users.password(user.name)
        if not session.by_link:
            self._demand_old(user, kept, old, at)
        demand_good(user.name, new)
        self._users.set_password(user.name, self._passwords.hash(new))
        self._users.end_all(user.name)
        return self._begin(user.name, at, by_link=False)

    def _demand_old(self, user: User, kept: str | None, old: str, at: datetime) -> None:
        """Guessed as slowly as at the door."""
        if self._users.begin_try(user.name, at) is not None:
            raise DeniedError("There were too many tries. Try again later.")
        if not self._passwords.fits(kept or self._nobodys, old[:LONGEST_PASSWORD]):
            raise DeniedError("The present password is not that one.")
        self._users.forget_tries(user.name)

    def _begin(self, name: ReviewerId, at: datetime, *, by_link: bool) -> str:
        secret = self._secret()
        self._users.begin(hashed(secret), Session(user=name, began=at, seen=at, by_link=by_link))
        return secret

    def _secret(self) -> str:
        return base64.urlsafe_b64encode(self._entropy.token(32)).decode().rstrip("=")


def demand_good(name: ReviewerId, password: str) -> None:
    """Long, and not the name. Raises `DeniedError`."""
    if len(password) < SHORTEST_PASSWORD:
        raise DeniedError(f"Choose at least {SHORTEST_PASSWORD} characters; a few words do well.")
    if len(password) > LONGEST_PASSWORD:
        raise DeniedError(f"Choose at most {LONGEST_PASSWORD} characters.")
    if len(set(password)) < SHORTEST_PASSWORD // 2 or password.lower().replace(name, "") == "":
        raise DeniedError("That is guessed at once. Choose a few words that nobody would put together.")


def hashed(secret: str) -> bytes:
    """What is kept of it: it is random enough to need no slower hash."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def form_token(secret: str) -> str:
    """What every form that changes something brings along, so that no other site can send it in somebody's name."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), b"comity/form/v1", "sha256").hex()


def may(user: User, allowed: frozenset[Role]) -> bool:
    return not user.roles.isdisjoint(allowed)
