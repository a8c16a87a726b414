"""Limits such as `3 an hour`, counted by a gate that sees each thing that an account sends.

Counted in memory: a gate that is started anew counts anew.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

_RATE: Final = re.compile(r"([1-9][0-9]{0,8}) an? (minute|hour|day|week)", re.ASCII)
_UNITS: Final = {"minute": "minutes", "hour": "hours", "day": "days", "week": "weeks"}
_MOST_ACCOUNTS: Final = 100_000


class Rates:
    """What limited accounts have sent lately. Of too many accounts, those that sent longest ago are forgotten."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, dict[str, datetime]] = OrderedDict()

    def passes(self, account: str, limit: str, thing: str, at: datetime) -> bool:
        """Whether this thing is within the limit; then it counts, once however often it is asked about.

        A limit that is no rate, such as `reach`, is not for gates that count.
        """
        rate = _RATE.fullmatch(limit)
        if rate is None:
            return True
        since = at - timedelta(**{_UNITS[rate[2]]: 1})
        sent = {each: when for each, when in self._sent.pop(account, {}).items() if when > since}
        passes = thing in sent or len(sent) < int(rate[1])
        if passes:
            sent.setdefault(thing, at)
        self._sent[account] = sent
        if len(self._sent) > _MOST_ACCOUNTS:
            self._sent.popitem(last=False)
        return passes
