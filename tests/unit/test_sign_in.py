"""Who is let in, how often they may try, and when a session ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from test_flow_record import NOW

from comity.flow.sign_in import IDLE, LINK_LASTS, LONGEST, DeniedError, SignIn, demand_good, hashed
from comity.model.access import Role, Token, TokenId
from comity.model.ids import ReviewerId
from comity.model.user import User, is_name
from comity.ports import StoreError
from comity.stores.database import Database
from comity.stores.passwords import Argon2
from comity.stores.tokens import TokenFile
from comity.stores.users import FREE_TRIES, UserFile
from comity.stores.world import CountedEntropy

MARA = ReviewerId("mara")
PASSWORD = "four words are quite enough"
MINUTE = timedelta(minutes=1)


class Plain:
    """Quick, and counts how much work a try would have been."""

    def __init__(self) -> None:
        self.looked_at = 0

    def hash(self, password: str) -> str:
        return f"plain:{password}"

    def fits(self, hashed: str, password: str) -> bool:
        self.looked_at += 1
        return hashed == f"plain:{password}"

    def is_outdated(self, hashed: str) -> bool:
        return False


@pytest.fixture
def users(tmp_path: Path) -> Iterator[UserFile]:
    file = UserFile(tmp_path / "access.db")
    file.put(User(name=MARA, roles=frozenset({Role.REVIEWER}), created=NOW))
    file.set_password(MARA, Plain().hash(PASSWORD))
    yield file
    file.close()


@pytest.fixture
def passwords() -> Plain:
    return Plain()


@pytest.fixture
def sign_in(users: UserFile, passwords: Plain) -> SignIn:
    return SignIn(users, passwords, CountedEntropy())


def test_the_right_password_lets_in_and_nothing_of_it_or_of_the_session_is_kept_as_it_is(
    sign_in: SignIn, users: UserFile, tmp_path: Path
) -> None:
    users.set_password(MARA, Argon2().hash("not kept as it is"))
    secret = SignIn(users, Argon2(), CountedEntropy()).by_password(" Mara ", "not kept as it is", NOW)
    found = sign_in.session(secret, NOW)
    assert found is not None
    assert found[0].name == MARA
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"$argon2id$" in kept
    assert hashed(secret) in kept
    assert b"not kept as it is" not in kept
    assert secret.encode() not in kept


def test_whoever_tries_hears_and_costs_the_same_whether_or_not_the_name_is_known(
    sign_in: SignIn, users: UserFile, passwords: Plain
) -> None:
    users.put(User(name=ReviewerId("new"), roles=frozenset({Role.REVIEWER}), created=NOW))  # chose no password yet
    users.put(User(name=ReviewerId("gone"), roles=frozenset(), created=NOW))
    users.set_password(ReviewerId("gone"), Plain().hash(PASSWORD))
    told = set()
    for name, password in (("mara", "wrong"), ("nobody", PASSWORD), ("new", ""), ("gone", PASSWORD), ("../é", "x")):
        before = passwords.looked_at
        with pytest.raises(DeniedError) as denied:
            sign_in.by_password(name, password, NOW)
        told.add((str(denied.value), passwords.looked_at - before))
    assert told == {("The name and the password do not go together.", 1)}


@pytest.mark.parametrize("name", ["mara", "nobody"])
def test_too_many_tries_lock_a_name_known_or_not_for_longer_and_longer(sign_in: SignIn, name: str) -> None:
    at, waits = NOW, []
    for _ in range(FREE_TRIES):
        with pytest.raises(DeniedError, match="do not go together"):
            sign_in.by_password(name, "wrong", at)
    for _ in range(8):
        with pytest.raises(DeniedError, match="too many tries"):
            sign_in.by_password(name, PASSWORD, at)  # the right one does not help
        start = at
        while True:
            at += MINUTE
            with pytest.raises(DeniedError) as denied:
                sign_in.by_password(name, "wrong", at)
            if "too many" not in str(denied.value):
                break
        waits.append((at - start) // MINUTE)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_locked_name_has_ways_out(sign_in: SignIn, users: UserFile) -> None:
    def lock() -> None:
        for _ in range(FREE_TRIES):
            with pytest.raises(DeniedError):
                sign_in.by_password("mara", "wrong", NOW)
        with pytest.raises(DeniedError, match="too many"):
            sign_in.by_password("mara", PASSWORD, NOW)

    lock()
    sign_in.by_password("mara", PASSWORD, NOW + MINUTE)  # waiting
    lock()
    users.forget_tries(MARA)  # an operator
    sign_in.by_password("mara", PASSWORD, NOW)
    lock()
    sign_in.by_link(sign_in.make_link(MARA, NOW), NOW)  # a link
    sign_in.by_password("mara", PASSWORD, NOW)


def test_tries_sent_all_at_once_are_counted_before_any_is_looked_at(users: UserFile) -> None:
    all_there = Barrier(FREE_TRIES, timeout=30)

    class Together(Plain):
        def fits(self, hashed: str, password: str) -> bool:
            all_there.wait()  # nobody is answered before all that are let in are here
            return super().fits(hashed, password)

    passwords = Together()
    sign_in = SignIn(users, passwords, CountedEntropy())

    def guess() -> None:
        with pytest.raises(DeniedError):
            sign_in.by_password("mara", "wrong", NOW)

    threads = [Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert passwords.looked_at == FREE_TRIES


def test_a_session_ends_when_it_is_not_used_or_has_lasted_long_enough(sign_in: SignIn) -> None:
    secret = sign_in.by_password("mara", PASSWORD, NOW)
    assert sign_in.session(secret, NOW + IDLE - MINUTE) is not None
    assert sign_in.session(secret, NOW + 2 * IDLE - 2 * MINUTE) is not None  # it was used in between
    idle = sign_in.by_password("mara", PASSWORD, NOW)
    assert sign_in.session(idle, NOW + IDLE - MINUTE, uses=False) is not None
    assert sign_in.session(idle, NOW + IDLE) is None  # an open page alone does not use it
    assert sign_in.session(idle, NOW) is None  # and it is gone for good
    at = NOW
    secret = sign_in.by_password("mara", PASSWORD, at)
    while at < NOW + LONGEST - MINUTE:
        assert sign_in.session(secret, at) is not None
        at += 30 * MINUTE
    assert sign_in.session(secret, NOW + LONGEST) is None


def test_signing_out_ends_the_session_where_it_is_kept(sign_in: SignIn) -> None:
    secret, other = (sign_in.by_password("mara", PASSWORD, NOW) for _ in range(2))
    sign_in.out(secret)
    assert sign_in.session(secret, NOW) is None
    assert sign_in.session(other, NOW) is not None


def test_roles_taken_are_taken_at_once_and_who_is_removed_is_out(sign_in: SignIn, users: UserFile) -> None:
    secret = sign_in.by_password("mara", PASSWORD, NOW)
    users.put(User(name=MARA, roles=frozenset({Role.AUDITOR}), created=NOW))
    found = sign_in.session(secret, NOW)
    assert found is not None
    assert found[0].roles == {Role.AUDITOR}
    link = sign_in.make_link(MARA, NOW)
    users.shut_out(MARA)
    assert sign_in.session(secret, NOW) is None
    with pytest.raises(DeniedError):
        sign_in.by_link(link, NOW)
    with pytest.raises(DeniedError):
        sign_in.by_password("mara", PASSWORD, NOW)


def test_a_link_signs_in_once_within_its_time_and_a_new_one_ends_the_old(sign_in: SignIn) -> None:
    old, link = sign_in.make_link(MARA, NOW), sign_in.make_link(MARA, NOW)
    assert sign_in.whose_link(old, NOW) is None
    assert sign_in.whose_link(link, NOW) == MARA
    assert sign_in.whose_link(link, NOW + LINK_LASTS) is None
    secret = sign_in.by_link(link, NOW + LINK_LASTS - MINUTE)
    assert sign_in.session(secret, NOW + LINK_LASTS) is not None
    with pytest.raises(DeniedError, match="used or has expired"):
        sign_in.by_link(link, NOW)


def test_a_new_password_needs_the_old_one_and_ends_all_other_sessions(sign_in: SignIn) -> None:
    secret, other = (sign_in.by_password("mara", PASSWORD, NOW) for _ in range(2))
    with pytest.raises(DeniedError, match="not that one"):
        sign_in.change_password(secret, "wrong", "another four words here", NOW)
    new = sign_in.change_password(secret, PASSWORD, "another four words here", NOW)
    assert [sign_in.session(each, NOW) is not None for each in (secret, other, new)] == [False, False, True]
    with pytest.raises(DeniedError):
        sign_in.by_password("mara", PASSWORD, NOW)
    sign_in.by_password("mara", "another four words here", NOW)


def test_whoever_holds_a_session_cannot_guess_the_password_with_it(sign_in: SignIn) -> None:
    secret = sign_in.by_password("mara", PASSWORD, NOW)
    for _ in range(FREE_TRIES):
        with pytest.raises(DeniedError, match="not that one"):
            sign_in.change_password(secret, "wrong", "another four words here", NOW)
    with pytest.raises(DeniedError, match="too many"):
        sign_in.change_password(secret, PASSWORD, "another four words here", NOW)


def test_after_a_link_the_first_password_needs_no_old_one(sign_in: SignIn, users: UserFile) -> None:
    users.put(User(name=ReviewerId("new"), roles=frozenset({Role.OPERATOR}), created=NOW))
    secret = sign_in.by_link(sign_in.make_link(ReviewerId("new"), NOW), NOW)
    again = sign_in.change_password(secret, "", "another four words here", NOW)
    sign_in.by_password("new", "another four words here", NOW)
    with pytest.raises(DeniedError):  # the session after it is one like any other
        sign_in.change_password(again, "", "yet another four words", NOW)


@pytest.mark.parametrize("weak", ["short", "m" * 40, "maramaramaramara", "x" * 1_001, "abababababababab"])
def test_passwords_that_are_guessed_at_once_are_refused(weak: str) -> None:
    with pytest.raises(DeniedError):
        demand_good(MARA, weak)


def test_a_hash_of_weaker_settings_is_made_anew_when_its_password_is_there(users: UserFile) -> None:
    class Stronger(Plain):
        def is_outdated(self, hashed: str) -> bool:
            return not hashed.startswith("strong:")

        def hash(self, password: str) -> str:
            return f"strong:{password}"

    SignIn(users, Stronger(), CountedEntropy()).by_password("mara", PASSWORD, NOW)
    assert users.password(MARA) == f"strong:{PASSWORD}"


@pytest.mark.parametrize("name", ["", "Mara", "ma ra", "mára", "-mara", "m" * 65, "mara\n", "mara\u202e"])
def test_a_name_has_one_spelling(name: str) -> None:
    assert not is_name(name)


def test_many_made_up_names_do_not_fill_the_disk(users: UserFile) -> None:
    for number in range(50):
        users.begin_try(f"{number}" + "x" * 10_000, NOW - timedelta(days=2))
    users.begin_try("new", NOW)
    assert users._db.number("select count(*) from tries") == 1


def test_tokens_of_before_there_were_people_stay(tmp_path: Path) -> None:
    db = Database(tmp_path / "access.db", creates=True)
    with db.transaction():
        tokens = "create table tokens (id text primary key, hash blob not null unique, body blob not null,"
        db.declare(1, f"{tokens} expires integer not null) strict, without rowid;")
    db.close()
    file = TokenFile(tmp_path / "access.db")
    end = NOW + timedelta(days=1)
    token = Token(id=TokenId("1"), name="a", role=Role.GATE, channels=None, created=NOW, expires=end)
    file.add(token, b"h" * 32)
    file.close()
    UserFile(tmp_path / "access.db").close()
    file = TokenFile(tmp_path / "access.db")
    assert file.find(b"h" * 32, NOW) == token
    file.close()


def test_a_file_of_a_newer_comity_is_left_alone(tmp_path: Path) -> None:
    db = Database(tmp_path / "access.db", creates=True)
    with db.transaction():
        db.declare(99, "create table tokens (id text);")
    db.close()
    with pytest.raises(StoreError, match="newer Comity"):
        UserFile(tmp_path / "access.db")
