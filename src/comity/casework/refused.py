"""The error of an act that the record does not allow."""

from __future__ import annotations


class RefusedError(Exception):
    """Somebody asked for what they may not do, or what the record no longer allows; says why. Nothing was changed."""
