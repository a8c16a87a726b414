"""The people who may sign in: added, given other roles, let in again, removed. The record keeps their names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from comity.casework.refused import RefusedError
from comity.flow.sign_in import SignIn
from comity.model.access import Role
from comity.model.ids import ReviewerId
from comity.model.user import LONGEST_NAME, STAFF, User, is_name
from comity.ports import Users


def add(users: Users, sign_in: SignIn, name: str, roles: Iterable[Role], at: datetime) -> str:
    """The token of a link that signs them in once. Raises `RefusedError`."""
    if not is_name(name):
        raise RefusedError(
            f"a name has 1 to {LONGEST_NAME} of a-z, 0-9 and . _ @ -, and begins with a letter or a digit"
        )
    if users.find(ReviewerId(name)) is not None:
        raise RefusedError(f"{name} is known already; give other roles instead")
    users.put(User(name=ReviewerId(name), roles=_demanded(roles), created=at))
    return sign_in.make_link(ReviewerId(name), at)


def link(users: Users, sign_in: SignIn, name: str, at: datetime) -> str:
    """A new link for somebody who lost the way in; an older one works no more. Raises `RefusedError`."""
    user = _known(users, name)
    if not user.roles:
        raise RefusedError(f"{name} was removed; give a role first")
    return sign_in.make_link(user.name, at)


def give_roles(users: Users, name: str, roles: Iterable[Role], by: ReviewerId) -> None:
    """Raises `RefusedError`, also if `by` would take the role of operator from themselves: who would give it back?"""
    user, wanted = _known(users, name), _demanded(roles)
    if user.name == by and Role.OPERATOR not in wanted:
        raise RefusedError("nobody takes the role of operator from themselves: another operator can")
    users.put(msgspec.structs.replace(user, roles=wanted))


def remove(users: Users, name: str, by: ReviewerId) -> None:
    """They are signed out everywhere. Raises `RefusedError`."""
    user = _known(users, name)
    if user.name == by:
        raise RefusedError("nobody removes themselves: another operator can")
    users.shut_out(user.name)


def unlock(users: Users, name: str) -> None:
    """After too many tries. Raises `RefusedError`."""
    users.forget_tries(_known(users, name).name)


def _known(users: Users, name: str) -> User:
    user = users.find(ReviewerId(name)) if is_name(name) else None
    if user is None:
        raise RefusedError(f"there is nobody called {name[:LONGEST_NAME]}")
    return user


def _demanded(roles: Iterable[Role]) -> frozenset[Role]:
    wanted = frozenset(roles)
    if not wanted or not wanted <= frozenset(STAFF):
        raise RefusedError(f"a person has one or more of the roles {', '.join(STAFF)}")
    return wanted
