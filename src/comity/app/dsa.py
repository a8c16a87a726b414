"""`comity statement --dsa`: what an operator posts to the EU's DSA Transparency Database."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime

import msgspec

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.show import decision_of
from comity.app.terminal import as_json, parse_time
from comity.app.wiring import reading
from comity.casework.dsa import Export, batches, exported
from comity.casework.facts import Decided
from comity.casework.recorded import Recorded, recorded
from comity.flow.agreement import Versions
from comity.model.duration import EARLIEST, LATEST
from comity.ports import Store


def export(prefix: str, settings: Settings, *, since: str | None, until: str | None) -> Exit:
    """One statement as an object; all of a period as bodies to post, one a line."""
    first, last = parse_time(since, EARLIEST), parse_time(until, LATEST)
    with reading(settings) as store:
        versions = Versions(store.versions())
        if prefix:
            one = _exported(decision_of(store, prefix), versions)
            if one is None:
                raise StopError("it takes no measure but a warning, which the database does not ask for")
            as_json(one)
            return Exit.FINE
        for batch in batches_of(store, versions, first, last):
            sys.stdout.write(msgspec.json.encode(batch).decode() + "\n")
    return Exit.FINE


def batches_of(store: Store, versions: Versions, first: datetime, last: datetime) -> Iterator[dict[str, list[Export]]]:
    """The statements issued from `first` on and before `last`, as bodies to post."""
    issued = (recorded(fact) for fact in _decided(store) if first <= fact.at < last)
    found = (_exported(each, versions) for each in issued)
    return batches(each for each in found if each is not None)


def _decided(store: Store) -> Iterator[Decided]:
    return (fact for fact in store.facts([Decided]) if isinstance(fact, Decided))


def _exported(one: Recorded, versions: Versions) -> Export | None:
    version = versions.agreement(one.decided.statement.agreement)
    return exported(one, version.channels if version else ())
