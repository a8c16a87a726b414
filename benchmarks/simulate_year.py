"""A year of 100,000 accounts, played through the in-memory record by `comity simulate` with the gallery's forum rules.

Every message is judged and kept, every decision is stated, signed into the ledger and published; the ledger verifies.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from common import comity, expect, report, seconds

ACCOUNTS, DAYS = 100_000, 365

with tempfile.TemporaryDirectory() as name:
    folder, said = Path(name), list[str]()
    comity("init", "rules", "--from", "forum", folder=folder)
    options = ("--accounts", str(ACCOUNTS), "--days", str(DAYS), "--json")
    took = seconds(lambda: said.append(comity("simulate", "rules", *options, folder=folder)))
    found = json.loads(said[0])

expect(found["ledger"]["is_verified"], "the ledger does not verify")
expect(len(found["days"]) == DAYS, "days are missing")
expect(found["messages"] > 2 * ACCOUNTS, f"only {found['messages']} messages")
acts = found["decisions"] + found["dismissals"] + sum(found["appeals"]["outcomes"].values())
print(f"{found['messages']} messages, {found['messages'] / took:.0f} messages/s; {acts / took:.0f} decisions/s")
report(took, "s", target="< 600 s")
