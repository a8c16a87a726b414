"""What people read in a Matrix event: every text of its content but for what only programs use. Pure.

An event is whatever its sender made of it: of any type, nested at will, with one text for programs that show HTML and
another for those that do not. So all texts are taken, each once, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from comity.model.markup import seen

_PROGRAMS: Final = frozenset(
    (
        *("algorithm", "ciphertext", "device_id", "sender_key", "session_id"),
        *("allow", "deny", "guest_access", "history_visibility", "join_rule", "membership"),
        *("creator", "m.federate", "predecessor", "room_version", "type"),
        *("event_id", "m.mentions", "order", "pinned", "redacts", "rel_type", "room_id", "user_id", "via"),
        *("file", "format", "info", "mimetype", "msgtype", "thumbnail_file"),
    )
)
"""Keys of which the values are never shown."""
_QUIET: Final = ("m.call.", "m.key.verification.")
_ENCRYPTED: Final = "m.room.encrypted"
_MARKUP: Final = frozenset(("formatted_body", "org.matrix.msc1767.html"))
_SIGNS: Final = str.maketrans("", "", "*_`~#>")
"""What a text for programs without HTML has in place of tags."""
_UPLOADED: Final = "mxc://"
_LONGEST_NAME: Final = 255
_MOST_MENTIONS: Final = 100


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A text, the event that it replaces (or ""), whether it answers another, and whom it mentions by id."""

    text: str
    edit_of: str = ""
    is_reply: bool = False
    mentions: tuple[str, ...] = ()


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One text of an event. `is_rendered`: it is what a reader sees of HTML."""

    text: str
    is_rendered: bool = False


def said(type_: str, content: Mapping[str, object]) -> Said | None:
    """What an event with this content says; None: nothing that people read, or that can be read here."""
    if type_ == _ENCRYPTED or type_.startswith(_QUIET):
        return None
    text = together(pieces(content))
    if not text:
        return None
    relation = _mapping(content.get("m.relates_to"))
    is_edit = relation.get("rel_type") == "m.replace"
    return Said(
        text=text,
        edit_of=_name(relation.get("event_id")) if is_edit else "",
        is_reply="m.in_reply_to" in relation,
        mentions=_mentioned(content),
    )


def said_by_member(content: Mapping[str, object], before: Mapping[str, object], *, is_own: bool) -> Said | None:
    """What a membership says: a reason, and one's own name if it is another than `before`."""
    shown = [content.get("reason")]
    if is_own and content.get("displayname") != before.get("displayname"):
        shown.append(content.get("displayname"))
    return plain(*shown)


def said_of_room(wanted: Mapping[str, object]) -> Said | None:
    """What a request for a new room says of it, its first events included."""
    first = wanted.get("initial_state")
    events = [_mapping(each) for each in first] if isinstance(first, list | tuple) else []
    contents = [_mapping(each.get("content")) for each in events if not str(each.get("type")).startswith(_QUIET)]
    return plain(wanted.get("name"), wanted.get("topic"), wanted.get("room_alias_name"), contents)


def plain(*values: object) -> Said | None:
    """What some texts say that are in no event of their own."""
    text = together(pieces(values))
    return Said(text=text) if text else None


def together(found: Iterable[Piece]) -> str:
    """One text. Of pieces that differ in Markdown's signs and spaces alone it has one: what was seen of the HTML."""
    kept: dict[str, str] = {}
    for piece in found:
        words = " ".join(piece.text.translate(_SIGNS).split())
        if piece.text.strip() and (piece.is_rendered or words not in kept):
            kept[words] = piece.text.strip()
    return "\n".join(kept.values()).encode("utf-8", "replace").decode()


def pieces(value: object) -> Iterator[Piece]:
    """All texts in a JSON value, in its order. It may be nested as deeply as JSON can."""
    rest: list[tuple[str, object, bool]] = [("", value, False)]
    while rest:
        key, one, is_markup = rest.pop()
        if key in _PROGRAMS:
            continue
        if isinstance(one, str):
            if not one.startswith(_UPLOADED):
                yield _rendered(one) if is_markup or key in _MARKUP else Piece(text=one)
        elif isinstance(one, Mapping):
            is_markup = one.get("mimetype") == "text/html"
            rest += [(str(name), each, is_markup) for name, each in reversed(tuple(one.items()))]
        elif isinstance(one, list | tuple):
            rest += [(key, each, is_markup) for each in reversed(one)]


def _rendered(markup: str) -> Piece:
    read = seen(markup)
    return Piece(text="\n".join((read.text.strip(), *read.links)), is_rendered=True)


def _mentioned(content: Mapping[str, object]) -> tuple[str, ...]:
    ids = _mapping(content.get("m.mentions")).get("user_ids")
    listed = ids[:_MOST_MENTIONS] if isinstance(ids, list | tuple) else ()
    return tuple(name for each in listed if (name := _name(each)))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _name(value: object) -> str:
    """An id as somebody wrote it, if it can be one."""
    is_sound = isinstance(value, str) and len(value) <= _LONGEST_NAME and value.isprintable()
    return str(value) if is_sound else ""
