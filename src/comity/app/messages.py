"""A message in a few lines: what it brings beyond what every message has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from comity.casework.wording import counted, printable
from comity.engine.evidence import show
from comity.model.message import Message

LONGEST: Final = 200
"""Characters of a value that are shown."""

_LEFT_OUT: Final = frozenset({"id", "author", "author_created", "channel", "sent"})


def fields_of(message: Message) -> Iterator[str]:
    """Lines `name: value`, defaults left out."""
    plain = Message(id=message.id, author=message.author, channel=message.channel, text="", sent=message.sent)
    yield f"channel: {message.channel}"
    yield f"sent: {_shown(message.sent)}"
    for field in msgspec.structs.fields(Message):
        value = getattr(message, field.name)
        if field.name == "text" or (field.name not in _LEFT_OUT and value != getattr(plain, field.name)):
            yield f"{field.name}: {_shown(value)}"
    if message.author_created is not None:
        yield f"author.age: {show(message.sent - message.author_created)}"


def _shown(value: object) -> str:
    match value:
        case str():
            cut = f"… ({counted(len(value), 'character')})" if len(value) > LONGEST else ""
            return f'"{printable(value[:LONGEST])}"{cut}'
        case tuple():
            return f"[{', '.join(map(_shown, value[:5]))}{', …' if len(value) > 5 else ''}]"
        case dict():
            return "{" + ", ".join(f"{printable(key)}: {_shown(each)}" for key, each in value.items()) + "}"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case bool():
            return str(value).lower()
        case _:
            return str(value)
