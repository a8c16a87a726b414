"""What every part of a store's contract asks for."""

from __future__ import annotations

from comity.ports import Store


class Contract:
    """Give a new store, and the same one as after a restart."""

    def store(self) -> Store:
        raise NotImplementedError("give a new, empty store")

    def reopened(self, store: Store) -> Store:
        raise NotImplementedError("give the same store as after a restart")
