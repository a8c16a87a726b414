"""What every part of the store contract asks of whoever runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from comity.ports import Store


class Contract(ABC):
    """Gives the stores that are tested."""

    @abstractmethod
    def store(self) -> Store:
        """A new, empty store."""

    @abstractmethod
    def reopened(self, store: Store) -> Store:
        """The same store, as after a restart."""
