"""Checking an agreement whole: its format, its rules, and its examples run as tests."""

from __future__ import annotations

from collections.abc import Callable

from comity.agreement.load import Checked, load


def check(name: str, content: bytes, read: Callable[[str], bytes | None]) -> Checked:
    """All problems of an agreement."""
    return load(name, content, read)
