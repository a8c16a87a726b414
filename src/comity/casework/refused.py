"""The error of an act that the record does not allow."""

from __future__ import annotations


class RefusedError(Exception):
    """Somebody asked for what they may not do, or what the record no longer allows; says why. Nothing was changed."""


class TookPartError(RefusedError):
    """Whoever wants to decide took part in what is to be looked at by somebody else."""


class UnknownError(RefusedError):
    """Nothing has that id, or no longer."""
