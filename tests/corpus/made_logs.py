"""Logs as values, whole ones and some with a defect: what every verifier must refuse, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

from comity.ledger import entry as ledger
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.entry import Entry, canonical
from comity.ledger.log import republication, resume, signed_head
from comity.ledger.note import SigningKey
from comity.ledger.tiles import encode_bundle, parse_bundle
from comity.ledger.tree import EMPTY
from comity.ledger.verify import Report, verify

AT = datetime(2026, 7, 30, 14, tzinfo=UTC)
KEY = SigningKey(name="example.com/log", seed=bytes(range(32)))
OTHER = SigningKey(name="example.com/log", seed=bytes(32))
FIRST, SECOND, NEVER = ("sha256:" + letter * 64 for letter in "abc")
WEEK = ledger.measure("suspend", frozenset({"mail", "posts"}), AT + timedelta(days=7))
GENESIS = ledger.GenesisEntry(id=f"{0:032x}", at=AT, operator="Us", origin=KEY.name, key=str(KEY.verifier), retention=7)
VERSION = ledger.AgreementEntry(id=f"{1:032x}", at=AT, agreement=FIRST, effective=AT)
SIZE = 600


def statement(number: int, **changed: object) -> ledger.StatementEntry:
    whole: dict[str, object] = {
        "entry_id": f"{number:032x}",
        "at": AT + timedelta(hours=number),
        "agreement": FIRST,
        "clauses": ("spam",),
        "points": 1,
        "measures": (replace_end(WEEK, AT + timedelta(hours=number, days=7)),),
        "by": "rule",
        "auto": ledger.Automation(found=1, decided=1),
        "commitments": {"account": "d" * 64},
    }
    return ledger.statement(**{**whole, **changed})  # type: ignore[arg-type]


def replace_end(measure: ledger.PublicMeasure, until: datetime | None) -> ledger.PublicMeasure:
    return ledger.measure(measure.act, frozenset(measure.chan), until, measure.met)


def correction(
    number: int, corrects: int, *measures: ledger.PublicMeasure, by: str = "person", cause: str = "cause"
) -> Entry:
    return ledger.correction(
        entry_id=f"{number:032x}",
        at=AT + timedelta(hours=number),
        corrects=f"{corrects:032x}",
        agreement=FIRST,
        clauses=("spam",),
        points=1,
        measures=measures,
        by=by,  # type: ignore[arg-type]
        commitments={cause: "e" * 64},
    )


ENTRIES = [canonical(each) for each in (GENESIS, VERSION, *map(statement, range(2, SIZE)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    files: dict[str, bytes]
    checkpoint: bytes

    def verify(self, vkey: str | None = None, since: bytes | None = None) -> Report:
        return verify(self.files.get, vkey, () if since is None else (since,))


def published(entries: Sequence[bytes], key: SigningKey = KEY) -> Published:
    checkpoint = signed_head(resume(entries, None), KEY.name, [key])
    files = dict(republication(entries, 0))
    return Published(
        files={**files, "checkpoint": checkpoint, "vkey": f"{KEY.verifier}\n".encode()}, checkpoint=checkpoint
    )


def log_of(*entries: Entry) -> Published:
    return published([canonical(each) for each in (GENESIS, VERSION, *entries)])


WHOLE = published(ENTRIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A log that is to be refused. `place`: how the message begins; `since`: a checkpoint that an auditor kept."""

    files: Mapping[str, bytes]
    place: str
    since: bytes | None = None

    def write(self, folder: Path) -> None:
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)


def _but(log: Published, **files: bytes | None) -> dict[str, bytes]:
    """The log's files with some changed; `_` in a name stands for `/`, None takes the file away."""
    changed = {**log.files, **{path.replace("_", "/"): content for path, content in files.items()}}
    return {path: content for path, content in changed.items() if content is not None}


def _flipped(log: Published, path: str, at: int) -> dict[str, bytes]:
    content = bytearray(log.files[path])
    content[at] ^= 1
    return {**log.files, path: bytes(content)}


def _in_entry(log: Published, path: str, at: int) -> dict[str, bytes]:
    """A digit of the `at`-th entry's id, so that the entry still reads as one."""
    entries = list(parse_bundle(path, log.files[path], 256)[0])
    entries[at] = entries[at].replace(b'"id":"0', b'"id":"f')
    return {**log.files, path: encode_bundle(entries)}


def _signed(size: int, root: bytes = bytes(32), key: SigningKey = KEY) -> bytes:
    return sign_checkpoint(Checkpoint(origin=KEY.name, size=size, root=root), [key])


@cache
def large() -> Published:
    """So many entries that there is a tile of level 2; generated, since it takes megabytes."""
    model = canonical(statement(2))
    ids = (sha256(str(n).encode()).hexdigest()[:32].encode() for n in range(65_600))
    rest = (model.replace(f"{2:032x}".encode(), each) for each in ids)
    return published([canonical(GENESIS), canonical(VERSION), *rest])


@cache
def defects() -> dict[str, Defect]:
    """By name."""
    other = canonical(statement(5, points=2))
    forged = published([*ENTRIES[:5], other, *ENTRIES[6:]])
    without = published([*ENTRIES[:5], *ENTRIES[6:], canonical(statement(900))])
    twice = published([*ENTRIES, ENTRIES[7]])
    measureless = published([*ENTRIES[:2], canonical(correction(3, 2, WEEK))])
    spoiled = WHOLE.checkpoint.replace("\u2014".encode(), b"-")
    level_2 = next(path for path in large().files if path.startswith("tile/2/"))
    return {
        "flipped bit in an entry": Defect(files=_in_entry(WHOLE, "tile/entries/001", 9), place="tile/0/001"),
        "flipped bit in a tile of level 0": Defect(files=_flipped(WHOLE, "tile/0/000", 77), place="tile/0/000"),
        "flipped bit in a partial tile": Defect(files=_flipped(WHOLE, "tile/0/002.p/88", 0), place="tile/0/002.p/88"),
        "flipped bit in a tile of level 1": Defect(files=_flipped(WHOLE, "tile/1/000.p/2", 3), place="tile/1/000.p/2"),
        "flipped bit in a tile of level 2": Defect(files=_flipped(large(), level_2, 31), place=level_2),
        "bundle and tiles forged alike": Defect(
            files={**forged.files, "checkpoint": WHOLE.checkpoint}, place="checkpoint"
        ),
        "bundle and its tile forged alike": Defect(
            files={**WHOLE.files, **{path: forged.files[path] for path in ("tile/entries/000", "tile/0/000")}},
            place="tile/1/000.p/2",
        ),
        "checkpoint rolled back": Defect(
            files=published(ENTRIES[:300]).files, place="checkpoint", since=WHOLE.checkpoint
        ),
        "missing bundle": Defect(files=_but(WHOLE, tile_entries_001=None), place="tile/entries/001"),
        "missing tile": Defect(files=_but(WHOLE, tile_0_001=None), place="tile/0/001"),
        "altered size": Defect(
            files=_but(WHOLE, checkpoint=WHOLE.checkpoint.replace(b"\n600\n", b"\n599\n")), place="checkpoint"
        ),
        "altered size, signed": Defect(
            files=_but(WHOLE, checkpoint=_signed(512, resume(ENTRIES, None).root)), place="checkpoint"
        ),
        "deleted entry, signed anew": Defect(
            files=without.files, place="the remembered checkpoint", since=WHOLE.checkpoint
        ),
        "changed entry, signed anew": Defect(
            files=forged.files, place="the remembered checkpoint", since=published(ENTRIES[:300]).checkpoint
        ),
        "same statement twice": Defect(files=twice.files, place="tile/entries/002.p/89"),
        "measure without statement": Defect(files=measureless.files, place="tile/entries/000.p/3"),
        "rule that terminates": Defect(
            files=log_of(statement(2, measures=(ledger.measure("terminate"),))).files,
            place="tile/entries/000.p/3, entry 2",
        ),
        "correction to something harsher": Defect(
            files=log_of(statement(2), correction(3, 2, ledger.measure("suspend"))).files,
            place="tile/entries/000.p/4, entry 3",
        ),
        "signed by an unknown key": Defect(files=published(ENTRIES, OTHER).files, place="checkpoint"),
        "huge size": Defect(files=_but(WHOLE, checkpoint=_signed(2**63 - 1)), place="tile/entries/002"),
        "size that is too large for a number": Defect(
            files=_but(WHOLE, checkpoint=WHOLE.checkpoint.replace(b"\n600\n", b"\n" + b"9" * 40 + b"\n")),
            place="checkpoint",
        ),
        "empty log": Defect(files=_but(WHOLE, checkpoint=_signed(0, EMPTY.root)), place="checkpoint"),
        "no first entries": Defect(files=published(ENTRIES[3:]).files, place="tile/entries/000"),
        "bundle that breaks off": Defect(
            files=_but(WHOLE, tile_entries_000=WHOLE.files["tile/entries/000"][:-1]), place="tile/entries/000"
        ),
        "note without signatures": Defect(
            files=_but(WHOLE, checkpoint=WHOLE.checkpoint.split(b"\n\n")[0] + b"\n\n"), place="checkpoint"
        ),
        "note with a hyphen for a dash": Defect(files=_but(WHOLE, checkpoint=spoiled), place="checkpoint"),
        "note that is not UTF-8": Defect(files=_but(WHOLE, checkpoint=b"\xff" + WHOLE.checkpoint), place="checkpoint"),
        "note with a control character": Defect(
            files=_but(WHOLE, checkpoint=WHOLE.checkpoint.replace(b"\n600", b"\r\n600")), place="checkpoint"
        ),
        "note of megabytes": Defect(files=_but(WHOLE, checkpoint=WHOLE.checkpoint * 9000), place="checkpoint"),
    }
