"""What a gate takes from its feed at all: everything that comes over a network is hostile until it was looked at."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from comity.gates.records import LARGEST_ROW
from comity.ledger.feed import Change, FeedEntry, FeedError, Skipped

LONGEST_NAME: Final = 1024
"""Bytes of UTF-8 of an account's id or a handle."""
MOST_SPANS: Final = 1000
MOST_SKIPPED: Final = 10_000

_STATEMENT: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


def demand_sound(change: Change) -> None:
    """Raises `FeedError` naming what is wrong with it."""
    if not 0 <= change.seq - change.since < MOST_SKIPPED:
        raise FeedError(f"the feed passes over the changes from {change.since} to {change.seq}: that cannot be")
    if not isinstance(change, Skipped):
        _demand_sound_entry(change)


def _demand_sound_entry(entry: FeedEntry) -> None:
    if not 0 < entry.row <= LARGEST_ROW:
        raise FeedError(f"an entry is in row {entry.row}; rows are from 1 to {LARGEST_ROW}")
    if (entry.account is None or entry.channel is None) and entry.plan:
        raise FeedError(f"the entry in row {entry.row} has a plan and is about nobody")
    if len(entry.plan) > MOST_SPANS or len(entry.handles) > MOST_SPANS:
        raise FeedError(f"the entry in row {entry.row} has more than {MOST_SPANS} spans or handles")
    for name in (entry.account or "", entry.channel or "", *(called.handle for called in entry.handles)):
        if len(name.encode()) > LONGEST_NAME:
            raise FeedError(f"a name in row {entry.row} has more than {LONGEST_NAME} bytes")
    _demand_order(entry)


def _demand_order(entry: FeedEntry) -> None:
    for called in entry.handles:
        _demand_utc(called.start, called.until)
    before: datetime | None = None
    for number, span in enumerate(entry.plan):
        _demand_utc(span.start, span.until)
        if number and (before is None or span.start < before):
            raise FeedError(f"the plan in row {entry.row} has spans that overlap")
        if span.until is not None and span.until <= span.start:
            raise FeedError(f"the plan in row {entry.row} has a span that ends before it starts")
        if not _STATEMENT.fullmatch(span.statement):
            raise FeedError(f"the plan in row {entry.row} names a statement that is none")
        before = span.until


def _demand_utc(*times: datetime | None) -> None:
    for at in times:
        if at is not None and at.tzinfo is not UTC and at.utcoffset() != timedelta():
            raise FeedError(f"the time {at.isoformat()} is not in UTC")
