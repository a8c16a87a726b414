"""The messages that a case is about, as far as their texts are kept."""

from __future__ import annotations

from comity.casework.cases import Case
from comity.casework.record import Record
from comity.model.message import Message
from comity.ports import Store


def texts_of(store: Store, record: Record, case: Case) -> tuple[Message, ...]:
    """Each once; of a case about a decision, such as a second review, also those of that decision."""
    about = case.opened.about
    one, dismissal = (record.decision(about), record.dismissal(about)) if about else (None, None)
    breaches = one.breaches if one else dismissal.dismissed.breaches if dismissal else case.breaches
    reported = {(each.source, each.id): each for known in record.cases for each in known.messages}
    found = {(each.source, each.id): each for each in case.messages}
    for key in ((each.source, each.message) for each in breaches):
        message = reported.get(key) or store.message(*key)
        if message is not None:
            found[key] = message
    return tuple(found.values())
