"""Whose a row is: accounts, the subjects they are stored as, and what is sealed for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from comity.model.ids import AccountId
from comity.ports import StoreError
from comity.stores.database import Database
from comity.stores.keys import KeyFile
from comity.stores.sealing import seal, unseal
from comity.stores.tables import ERASURE

_MOST_AT_HAND: Final = 200_000
_NEEDS_REWRITE: Final = -1


class People:
    """The accounts of one store. Its changes belong into the store's transactions."""

    def __init__(self, db: Database, keys: KeyFile) -> None:
        self._db, self._keys = db, keys
        self._stored: set[int] = set()
        self._new: set[int] = set()

    def enrol(self, accounts: Iterable[AccountId]) -> Mapping[AccountId, int]:
        """The subject of each account, known to the store and to the keys, whose part is durable already."""
        subjects = self._keys.enrol(accounts)
        unsure = {account: each for account, each in subjects.items() if each not in self._stored}
        rows = [(each, self.seal(each, b"account/%d" % each, account.encode())) for account, each in unsure.items()]
        self._db.executemany("insert into subjects values (?, ?) on conflict (subject) do nothing", rows)
        if unsure:
            self._db.execute("update store set enrolled = ?", self._keys.enrolled)
        self._new = set(unsure.values())
        return subjects

    def settle(self) -> None:
        """The transaction was committed: whoever was enrolled in it need not be again."""
        if len(self._stored) > _MOST_AT_HAND:
            self._stored.clear()
        self._stored |= self._new

    def refresh(self) -> None:
        """Ask the store again who is enrolled: another program may have erased somebody."""
        self._stored.clear()

    def subject(self, account: AccountId) -> int | None:
        return self._keys.subject(account)

    def subjects(self, accounts: Iterable[AccountId]) -> Mapping[AccountId, int]:
        """Those of the accounts that have one."""
        return self._keys.subjects(accounts)

    def account(self, subject: int) -> AccountId | None:
        """None: it was erased."""
        row = next(self._db.blobs("select account from subjects where subject = ?", subject), None)
        content = self.unseal(subject, b"account/%d" % subject, row) if row else None
        return None if content is None else AccountId(content.decode())

    def accounts(self, subjects: Iterable[int]) -> list[AccountId]:
        """The accounts of those that were not erased, in their order."""
        return [account for account in map(self.account, subjects) if account is not None]

    def seal(self, subject: int, place: bytes, content: bytes) -> bytes:
        cipher = self._keys.cipher(subject)
        if cipher is None:
            raise StoreError(f"the keys beside {self._db.path} lack one that was just made; restore a backup of both")
        return seal(cipher, place, content)

    def unseal(self, subject: int, place: bytes, row: bytes) -> bytes | None:
        """None: it was erased since."""
        cipher = self._keys.cipher(subject)
        return None if cipher is None else unseal(cipher, place, row, file=self._db.path)

    def have_ready(self, subjects: Collection[int]) -> None:
        """What is theirs is unsealed next."""
        self._keys.have_ready(subjects)

    def erase(self, subject: int) -> None:
        """Take everything of the subject out of the store. Its key goes after the transaction: see `finish`."""
        for statement in ERASURE:
            self._db.execute(statement, subject)
        self._db.execute("delete from snapshot")
        self._db.execute("update store set erasures = erasures + 1")
        self._stored.clear()

    def demand_keys(self) -> None:
        """Raises `StoreError` if the keys are not those of the store, or older than it."""
        ((name, enrolled),) = self._db.rows(tuple[bytes, int], "select keys, enrolled from store")
        if name != self._keys.store:
            raise StoreError(f"the keys beside {self._db.path} are another store's; restore a backup of both")
        if self._keys.enrolled < enrolled:
            raise StoreError(
                f"the keys beside {self._db.path} are older than it is: of some accounts there is no key. Restore the"
                " newest backup of the keys."
            )

    def finish(self) -> None:
        """Bring erasures to their end that a crash, or a backup restored, left half done; then clean up."""
        erasures, known = self.erasures, self._keys.erasures
        if erasures != known:
            stored = {each for (each,) in self._db.rows(tuple[int], "select subject from subjects")}
            with_keys = self._keys.all_subjects()
            if erasures < known:  # the store is a backup from before they were erased
                self._erase_again(stored - with_keys, known)
            self._keys.forget(with_keys - stored, erasures=max(erasures, known))
        cleaned = self._db.number("select cleaned from store")
        if cleaned != self.erasures:
            self._clean(cleaned)

    def _erase_again(self, subjects: Iterable[int], erasures: int) -> None:
        with self._db.transaction():
            for subject in subjects:
                self.erase(subject)
            self._db.execute("update store set erasures = ?", erasures)
            self._db.execute("delete from snapshot")
            self._db.execute("update feed set is_settled = 0")  # see `Plans.settle`

    def _clean(self, cleaned: int) -> None:
        if cleaned == _NEEDS_REWRITE:
            self._db.rewrite()
        if self._keys.clean() and self._db.forget_log():
            self._db.execute("update store set cleaned = erasures")

    def forget(self, subject: int) -> None:
        """After its erasure is committed: delete the key, and leave no copy of anything."""
        self._keys.forget([subject], erasures=self.erasures)
        self.finish()

    @property
    def erasures(self) -> int:
        """How many erasures the store has seen."""
        return self._db.number("select erasures from store")
