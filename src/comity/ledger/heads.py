"""The checkpoints that a log is held against: the published one, who signed it, and those kept from before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from comity.ledger.checkpoint import Checkpoint, parse_text
from comity.ledger.log import CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH
from comity.ledger.note import Note, NoteError, VerifierKey, open_note, parse_note
from comity.ledger.policy import NO_QUORUM, Policy
from comity.ledger.tiles import FileReader

Objects = Callable[[str, str], None]
"""`objects(place, message)`: takes note of a problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the entries are compared with. `place`: the file; `note`: what to remember; `cosigned`: witnesses."""

    place: str
    note: bytes
    checkpoint: Checkpoint
    keys: tuple[VerifierKey, ...]
    cosigned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A checkpoint kept from earlier; who signed it is looked at once the log's keys are known."""

    place: str
    note: Note
    checkpoint: Checkpoint


def read_head(read: FileReader, policy: Policy | None, objects: Objects) -> Head | None:
    """The checkpoint of the log; also one that is not rightly signed, with a problem, so that the rest is looked at.

    `policy`: None trusts the log's own `vkey`. Where the newest checkpoint lacks cosignatures, `cosigned` counts.
    """
    content = read(CHECKPOINT_PATH)
    if content is None:
        objects(CHECKPOINT_PATH, "there is no such file: this is no published log, or nothing was published yet")
    trusted = policy or _own(read, objects)
    if content is None or trusted is None:
        return None
    try:
        return _opened(CHECKPOINT_PATH, content, trusted)
    except NoteError as error:
        earlier = None if trusted.quorum == NO_QUORUM else read(COSIGNED_PATH)
        if earlier is not None:
            return _earlier(earlier, trusted, objects)
        objects(CHECKPOINT_PATH, str(error))
    try:
        checkpoint = parse_text(parse_note(content).text)
    except NoteError:
        return None
    return Head(place=CHECKPOINT_PATH, note=content, checkpoint=checkpoint, keys=_keys(trusted, checkpoint))


def _own(read: FileReader, objects: Objects) -> Policy | None:
    content = read(VKEY_PATH)
    if content is None:
        objects(VKEY_PATH, "there is no such file, and no verifier key was given")
        return None
    try:
        return Policy().trusting(VerifierKey.parse(content[:2000].decode("utf-8", "replace")))
    except NoteError as error:
        objects(VKEY_PATH, str(error))
        return None


def _opened(place: str, content: bytes, policy: Policy) -> Head:
    found = policy.open(content)
    keys = _keys(policy, found.checkpoint)
    cosigned = tuple(found.cosigned)
    return Head(place=place, note=content, checkpoint=found.checkpoint, keys=keys, cosigned=cosigned)


def _earlier(content: bytes, policy: Policy, objects: Objects) -> Head | None:
    try:
        return _opened(COSIGNED_PATH, content, policy)
    except NoteError as error:
        objects(COSIGNED_PATH, str(error))
        return None


def _keys(policy: Policy, checkpoint: Checkpoint) -> tuple[VerifierKey, ...]:
    return tuple(one.key for one in policy.logs if one.key.name == checkpoint.origin)


def read_remembered(kept: Iterable[bytes], head: Head, objects: Objects) -> list[Remembered]:
    """The checkpoints kept from earlier that this log can be held against, the smallest first."""
    remembered = []
    for number, content in enumerate(kept):
        place = f"the remembered checkpoint{f' {number + 1}' if number else ''}"
        try:
            note = parse_note(content)
            one = Remembered(place=place, note=note, checkpoint=parse_text(note.text))
        except NoteError as error:
            objects(place, str(error))
            continue
        if one.checkpoint.origin != head.checkpoint.origin:
            objects(place, f"it is of the log {one.checkpoint.origin!r}, not of {head.checkpoint.origin!r}")
            continue
        remembered.append(one)
    return sorted(remembered, key=lambda one: one.checkpoint.size)


def demand_continued(remembered: Iterable[Remembered], head: Head, objects: Objects) -> None:
    """Objects where the log is smaller than it was."""
    for one in remembered:
        if one.checkpoint.size > head.checkpoint.size:
            objects(
                head.place,
                f"it has {head.checkpoint.size} entries, fewer than the {one.checkpoint.size} of {one.place}:"
                " the log was rolled back",
            )


def demand_signed(remembered: Iterable[Remembered], head: Head, named: Iterable[str], objects: Objects) -> None:
    """Objects where no key of the log signed: one that is trusted, or that its entries name (keys are replaced)."""
    keys = [*head.keys, *(key for key in map(VerifierKey.parse, named) if key.name == head.checkpoint.origin)]
    for one in remembered:
        try:
            open_note(bytes(one.note), keys)
        except NoteError as error:
            objects(one.place, str(error))
