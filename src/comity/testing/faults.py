"""Parts that fail on purpose: before they did what was asked, or after it, when nobody hears that they did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from comity.model.ids import AccountId
from comity.ports import PublishedLog, Store, Write


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class FailureError(Exception):
    """What a planted fault raises; nothing catches it, as nothing catches a power cut."""


class FaultyStore:
    """A store whose `countdown`-th append fails; everything else goes to the store behind it."""

    def __init__(self, store: Store, *, countdown: int, when: When) -> None:
        self._store, self._countdown, self._when = store, countdown, when

    def append(self, write: Write) -> None:
        self._countdown -= 1
        if self._countdown == 0 and self._when is When.BEFORE:
            raise FailureError("before the transaction")
        self._store.append(write)
        if self._countdown == 0:
            raise FailureError("after the transaction")

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


class FaultyLog:
    """A published log whose `countdown`-th publication fails, before it, or after half of its files."""

    def __init__(self, log: PublishedLog, *, countdown: int, when: When) -> None:
        self._log, self._countdown, self._when = log, countdown, when

    def publish(self, files: Iterable[tuple[str, bytes]], checkpoint: bytes) -> None:
        self._countdown -= 1
        if self._countdown == 0 and self._when is When.BEFORE:
            raise FailureError("before publishing")
        self._log.publish(files, checkpoint)
        if self._countdown == 0:
            raise FailureError("after publishing")

    def read(self, path: str) -> bytes | None:
        return self._log.read(path)


class OvertakenStore:
    """A store in which something else happens just before its next append or erasure; what, is called once.

    So a writer can be overtaken at the very point where it has decided and not yet written.
    """

    def __init__(self, store: Store, overtakes: Callable[[], object]) -> None:
        self._store, self._overtakes = store, [overtakes]

    def append(self, write: Write) -> None:
        self._happen()
        self._store.append(write)

    def erase(self, account: AccountId, *, keep_hash: bool = False, position: int | None = None) -> bool:
        self._happen()
        return self._store.erase(account, keep_hash=keep_hash, position=position)

    def _happen(self) -> None:
        while self._overtakes:
            self._overtakes.pop()()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)
