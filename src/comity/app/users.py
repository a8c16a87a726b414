"""`comity user`: the people who sign in to the console, and the way in of the first of them."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import msgspec

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, out
from comity.app.wiring import SystemClock, SystemEntropy, users
from comity.flow.sign_in import DeniedError, SignIn, demand_good
from comity.model.access import Role
from comity.model.ids import ReviewerId
from comity.model.user import LONGEST_NAME, STAFF, User, is_name
from comity.stores.passwords import Argon2
from comity.stores.users import UserFile

_LONGEST_HOURS = 24 * 7


def add(name: str, roles: Sequence[str], settings: Settings, *, asks: bool, hours: int, as_json: bool) -> Exit:
    """Prints a link that signs them in once; or asks for a password, where somebody is there to type it."""
    user = User(name=_name(name), roles=_roles(roles), created=SystemClock().now())
    password = _asked(user.name) if asks else None
    with closing(users(settings)) as file:
        known = file.find(user.name)
        if known is not None:
            what = "has the roles " + _named(known.roles) if known.roles else "was removed"
            raise StopError(f"{name!r} is known already and {what}", help="Change that with `comity user role`.")
        file.put(user)
        if password is not None:
            file.set_password(user.name, Argon2().hash(password))
            out.print(f"{user.name} can sign in at {place(settings)}/sign-in.", markup=False)
            return Exit.FINE
        return _print_link(file, user.name, settings, hours=hours, as_json=as_json)


def link(name: str, settings: Settings, *, hours: int, as_json: bool) -> Exit:
    """Shown now and never again; an older one works no more."""
    with closing(users(settings)) as file:
        user = _known(file, name)
        if not user.roles:
            raise StopError(f"{name!r} has no role", help="Give one with `comity user role`.", code=Exit.USAGE)
        return _print_link(file, user.name, settings, hours=hours, as_json=as_json)


def every(settings: Settings, *, as_json: bool) -> Exit:
    with closing(users(settings)) as file:
        known = file.every()
    if as_json:
        print_json(known)
        return Exit.FINE
    for user in known:
        out.print(f"{user.name}: {_named(user.roles) if user.roles else 'removed'}", markup=False)
    if not known:
        out.print("Nobody can sign in yet. Begin with `comity user add NAME --role operator`.")
    return Exit.FINE


def role(name: str, roles: Sequence[str], settings: Settings) -> Exit:
    """In force with the next page that they ask for."""
    with closing(users(settings)) as file:
        user = msgspec.structs.replace(_known(file, name), roles=_roles(roles))
        file.put(user)
    out.print(f"{user.name}: {_named(user.roles)}.", markup=False)
    return Exit.FINE


def remove(name: str, settings: Settings) -> Exit:
    """Their name stays, since the record has it."""
    with closing(users(settings)) as file:
        file.shut_out(_known(file, name).name)
    out.print("Removed. They are signed out everywhere; what they decided stays in the record under their name.")
    return Exit.FINE


def unlock(name: str, settings: Settings) -> Exit:
    with closing(users(settings)) as file:
        file.forget_tries(_known(file, name).name)
    out.print("Unlocked. They can try again at once.")
    return Exit.FINE


def place(settings: Settings) -> str:
    """Where the console is reached."""
    return settings["serve.url"].rstrip("/") or f"http://{settings['serve.host']}:{settings['serve.port']}"


def _print_link(file: UserFile, name: ReviewerId, settings: Settings, *, hours: int, as_json: bool) -> Exit:
    if not 0 < hours <= _LONGEST_HOURS:
        raise StopError(f"a link lasts 1 to {_LONGEST_HOURS} hours, not {hours}", code=Exit.USAGE)
    now = SystemClock().now()
    token = SignIn(file, Argon2(), SystemEntropy()).make_link(name, now, lasts=timedelta(hours=hours))
    url = f"{place(settings)}/enter/{token}"
    if as_json:
        print_json({"name": name, "link": url, "expires": now + timedelta(hours=hours)})
    else:
        out.print(url, markup=False, soft_wrap=True)
        err.print(f"Shown only now. It signs {name} in once, within {hours} hours.", markup=False)
    return Exit.FINE


def _name(text: str) -> ReviewerId:
    if not is_name(text):
        help_ = f"Use 1 to {LONGEST_NAME} of a-z, 0-9 and . _ @ -, beginning with a letter or digit."
        raise StopError(f"{text[:LONGEST_NAME]!r} is no name to sign in with", help=help_, code=Exit.USAGE)
    return ReviewerId(text)


def _known(file: UserFile, name: str) -> User:
    user = file.find(_name(name))
    if user is None:
        raise StopError(f"there is nobody called {name!r}", help="See `comity user list`.", code=Exit.USAGE)
    return user


def _roles(names: Sequence[str]) -> frozenset[Role]:
    unknown = [name for name in names if name not in STAFF]
    if unknown or not names:
        what = f"{unknown[0]!r} is no role of a person" if unknown else "a person has at least one role"
        raise StopError(what, help=f"One or more of: {', '.join(STAFF)}.", code=Exit.USAGE)
    return frozenset(map(Role, names))


def _named(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(roles))


def _asked(name: ReviewerId) -> str:
    if not sys.stdin.isatty():
        raise StopError("nobody is there to type a password", help="Leave out --password for a link.", code=Exit.USAGE)
    password = getpass.getpass("Password: ")
    try:
        demand_good(name, password)
    except DeniedError as error:
        raise StopError(str(error), code=Exit.USAGE) from error
    if getpass.getpass("Again: ") != password:
        raise StopError("the two are not the same", code=Exit.USAGE)
    return password
