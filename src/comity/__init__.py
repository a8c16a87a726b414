"""Comity: written agreements for communication that run. `Agreement` is the way in from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comity.app.facade import Agreement, AgreementError

__all__ = ["Agreement", "AgreementError"]


def __getattr__(name: str) -> object:
    """Loads the facade when it is first asked for, so that a gate or the command line's help need not."""
    if name in __all__:
        from comity.app import facade

        return getattr(facade, name)
    raise AttributeError(f"module 'comity' has no attribute {name!r}")
