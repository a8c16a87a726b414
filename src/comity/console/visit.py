"""Who asks for a page: the cookie, the session behind it, and the token that its forms bring along."""

from __future__ import annotations

from dataclasses import dataclass, replace

from litestar import Request
from litestar.datastructures import Cookie, State

from comity.flow.sign_in import form_token
from comity.model.access import Role
from comity.model.ids import ReviewerId
from comity.model.user import Session, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One browser's visit. `secret` is its cookie's value; of a visitor who is not signed in it is kept nowhere."""

    secret: str
    is_new: bool
    user: User | None = None
    session: Session | None = None

    @property
    def token(self) -> str:
        return form_token(self.secret)

    @property
    def name(self) -> ReviewerId:
        """Empty if nobody is signed in; the door lets nobody without a session to where it is used."""
        return self.user.name if self.user else ReviewerId("")

    @property
    def roles(self) -> frozenset[Role]:
        return self.user.roles if self.user else frozenset()


PageRequest = Request[User | None, Visit, State]
"""A request that the door has let through, with its visit as `auth`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieTerms:
    """`is_secure`: for HTTPS alone, and with a name that no other site under the same domain can set."""

    is_secure: bool

    @property
    def name(self) -> str:
        return "__Host-comity" if self.is_secure else "comity"

    def cookie(self, secret: str) -> Cookie:
        """Lasts until the browser is closed; when it ends at the latest, the server knows."""
        secure = self.is_secure or None
        return Cookie(key=self.name, value=secret, path="/", httponly=True, secure=secure, samesite="lax")

    def no_cookie(self) -> Cookie:
        """Takes the cookie away; with the terms that it was set with, or browsers leave it."""
        return replace(self.cookie(""), max_age=0, expires=0)
