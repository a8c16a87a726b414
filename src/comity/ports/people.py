"""What signing in asks of the world: who may, what is kept of passwords and sessions, and a slow hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from comity.model.ids import ReviewerId
from comity.model.user import Session, User


class Users(Protocol):
    """The people who may sign in. Secrets are kept as hashes alone. Any thread may ask."""

    def put(self, user: User) -> None:
        """Add somebody, or give them other roles."""

    def find(self, name: ReviewerId) -> User | None: ...

    def every(self) -> Sequence[User]:
        """In order of name."""

    def shut_out(self, name: ReviewerId) -> None:
        """Take their roles, password, sessions and links; the name stays theirs."""

    def password(self, name: ReviewerId) -> str | None:
        """Its hash; None: there is nobody of the name, or no password was chosen yet."""

    def set_password(self, name: ReviewerId, hashed: str) -> None: ...

    def begin(self, hashed: bytes, session: Session) -> None:
        """`hashed`: SHA-256 of the session's secret."""

    def session(self, hashed: bytes) -> Session | None: ...

    def touch(self, hashed: bytes, at: datetime) -> None:
        """The session was used."""

    def end(self, hashed: bytes) -> None: ...

    def end_all(self, name: ReviewerId) -> None:
        """All their sessions."""

    def add_link(self, hashed: bytes, name: ReviewerId, expires: datetime) -> None:
        """Signs them in once; an older link of theirs works no more."""

    def link(self, hashed: bytes, at: datetime) -> ReviewerId | None:
        """Whom it would sign in."""

    def use_link(self, hashed: bytes, at: datetime) -> ReviewerId | None:
        """Whom it signs in; of all who ask at once one is told."""

    def begin_try(self, name: str, at: datetime) -> datetime | None:
        """Counts a try to sign in, also with a name that nobody has. None: go on; else refused until then."""

    def forget_tries(self, name: str) -> None: ...


class Passwords(Protocol):
    """A hash that is slow on purpose."""

    def hash(self, password: str) -> str: ...

    def fits(self, hashed: str, password: str) -> bool: ...

    def is_outdated(self, hashed: str) -> bool:
        """Whether it was made with weaker settings than are used now."""
