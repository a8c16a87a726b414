"""What the public entries must say together, read in their order, whoever signed them.

Knows nothing of trees or files: `verify` feeds it entries and turns what it objects to into problems with a place.
What it keeps in memory does not grow with the entries; what they cite is put aside, and looked at when all are read.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import msgspec

from comity.ledger import entry as ledger
from comity.ledger.alike import Alike
from comity.ledger.cited import objections
from comity.ledger.entry import Entry, PublicMeasure, parse_entry
from comity.ledger.mentions import Held, Mentions, Role, Scratch
from comity.ledger.note import NoteError, VerifierKey
from comity.ledger.rows import Rows
from comity.ledger.tree import EMPTY
from comity.model.agreement import Agreement

_MOST_TEXTS: Final = 16
_MEASURES: Final = msgspec.json.Decoder(tuple[PublicMeasure, ...])
_LENGTH: Final = 4
_MOST_NOTED: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What looking at a statement came to; `noted`: where its measures are put aside."""

    wrong: tuple[str, ...]
    at: datetime
    noted: int
    is_looked_up: bool


@dataclass(slots=True, kw_only=True)
class Audit:
    """What was read so far. Grows by `take`, entry after entry; `cited` ends it."""

    text_of: Callable[[str], Agreement | None] = lambda _: None
    """The version of a digest; None if it cannot be had."""
    scratch: Scratch = field(default_factory=Held)
    genesis: ledger.GenesisEntry | None = None
    keys: set[str] = field(default_factory=set)
    versions: dict[str, ledger.AgreementEntry] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    census_days: set[date] = field(default_factory=set)
    latest: datetime | None = None
    dated_back: int = 0
    looked_up: int = 0
    _mentions: Mentions = field(init=False)
    _alike: Alike[_Looked] = field(default_factory=Alike)
    _rows: dict[str, Rows | None] = field(default_factory=dict)
    _noted: dict[tuple[PublicMeasure, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._mentions = Mentions(scratch=self.scratch)

    def take(self, index: int, content: bytes) -> Sequence[str]:
        """What is wrong with the entry at `index`, given the entries before it; usually nothing. Raises `EntryError`.

        Most statements of an hour are alike in all but ids and hashes: of each kind one is parsed and looked at.
        """
        known = self._alike.known(content)
        if known is None:
            return self._read(index, parse_entry(content), content)
        looked, digits = known
        self._state(index, unhexlify(digits), looked)
        return looked.wrong

    def cited(self) -> Iterator[tuple[int, str]]:
        """What is wrong with entries and the ids that they have and cite, each with the entry's index."""
        for entry_id, mentions in self._mentions.together():
            yield from objections(entry_id.hex(), mentions, self._measures)

    def _state(self, index: int, entry_id: bytes, looked: _Looked) -> None:
        self._count("statement", looked.at)
        self.looked_up += looked.is_looked_up
        self._mentions.add(entry_id, index, Role.STATEMENT, looked.noted)

    def _count(self, kind: str, at: datetime) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.latest is None or at >= self.latest:
            self.latest = at
        else:
            self.dated_back += 1

    def _read(self, index: int, entry: Entry, content: bytes) -> Sequence[str]:
        wrong = self._unlike_profile(entry)
        if index == 0 and not isinstance(entry, ledger.GenesisEntry):
            wrong.append(f"the first entry is an entry `{_kind(entry)}`, not the genesis: earlier entries are gone")
        if isinstance(entry, ledger.StatementEntry):
            looked = self._looked(entry, wrong)
            if index:
                self._alike.keep(content, looked)
            self._state(index, bytes.fromhex(entry.id), looked)
            return looked.wrong
        self._count(_kind(entry), entry.at)
        self._mentions.add(bytes.fromhex(entry.id), index, _own_role(entry))
        return wrong + self._other(index, entry)

    def _other(self, index: int, entry: Entry) -> list[str]:
        match entry:
            case ledger.CorrectionEntry():
                return self._correction(index, entry)
            case ledger.GenesisEntry():
                return self._genesis(index, entry)
            case ledger.AgreementEntry():
                return self._agreement(entry)
            case ledger.AcceptancesEntry():
                return self._names_version(entry.agreement)
            case ledger.LiftEntry():
                self._cites(index, entry.prev, Role.LIFTS)
            case ledger.AppealEntry():
                self._cites(index, entry.prev, Role.APPEALS)
            case ledger.OutcomeEntry():
                self._cites(index, entry.prev, Role.DECIDES)
            case ledger.ErasureEntry():
                self._cites(index, entry.prev, Role.ERASES)
            case ledger.KeyEntry():
                return self._key(entry.key)
            case ledger.CensusEntry():
                return self._census(entry)
        return []

    def _cites(self, index: int, entry_id: str, role: Role, noted: int = 0) -> None:
        self._mentions.add(bytes.fromhex(entry_id), index, role, noted)

    def _unlike_profile(self, entry: Entry) -> list[str]:
        """What the profile that the genesis states has no place for."""
        profile = self.genesis.profile if self.genesis else "open"
        is_sealed = isinstance(entry, ledger.SealedEntry)
        if profile == "open":
            return ["a sealed entry, in a log of the open profile: what was done is hidden"] if is_sealed else []
        wrong = ["a time of the day, which the sealed profile does not tell"] if entry.at.hour else []
        is_public = isinstance(
            entry, ledger.GenesisEntry | ledger.AgreementEntry | ledger.KeyEntry | ledger.ErasureEntry
        )
        return (
            wrong if is_sealed or is_public else [*wrong, "an entry that tells what the sealed profile keeps private"]
        )

    def _genesis(self, index: int, entry: ledger.GenesisEntry) -> list[str]:
        if index:
            return ["a second genesis: two logs were joined"]
        self.genesis = entry
        return self._key(entry.key)

    def _key(self, key: str) -> list[str]:
        try:
            self.keys.add(str(VerifierKey.parse(key)))
        except NoteError as error:
            return [f"its key is none: {error}"]
        return []

    def _agreement(self, entry: ledger.AgreementEntry) -> list[str]:
        last = next(reversed(self.versions.values()), None)
        wrong = []
        if entry.prev != (last.id if last else None):
            wrong.append(f"a version that follows {entry.prev or 'none'}, but the one before it is {last and last.id}")
        if entry.agreement in self.versions:
            wrong.append(f"version {entry.agreement} was published before")
        if last and entry.effective < last.effective:
            wrong.append(f"in force from {entry.effective:%Y-%m-%d %H:%M}, earlier than the version before it")
        if last and not self.is_replay and entry.effective < entry.at:
            wrong.append(f"in force from {entry.effective:%Y-%m-%d %H:%M}, before it was published")
        self.versions.setdefault(entry.agreement, entry)
        self._alike.clear()  # a statement that was early, or of no version, may be in order from now on
        return wrong

    @property
    def is_replay(self) -> bool:
        """Whether the log is of an archive, so that its times are those of old messages."""
        return self.genesis is not None and self.genesis.mode == "replay"

    def _looked(self, entry: ledger.StatementEntry, wrong: list[str]) -> _Looked:
        """Nothing of this depends on what differs between statements that are alike."""
        wrong = wrong + self._names_version(entry.agreement)
        version = self.versions.get(entry.agreement)
        if version and not self.is_replay and version.effective > entry.at:
            wrong.append(f"a statement under {entry.agreement}, which was not yet in force")
        if bool(entry.auto.decided) != (entry.by == "rule"):
            wrong.append("it says both that a rule decided and that a person did")
        measures = entry.measures
        wrong += _wrong_measures(entry, measures)
        rows = self._rows_of(entry.agreement)
        unforeseen = None if rows is None else rows.objection(entry)
        wrong += [unforeseen] if unforeseen else []
        noted = self._note(measures)
        return _Looked(wrong=tuple(wrong), at=entry.at, noted=noted, is_looked_up=unforeseen is not None)

    def _rows_of(self, digest: str) -> Rows | None:
        if digest not in self._rows:
            if len(self._rows) == _MOST_TEXTS:
                self._rows.clear()
            version = self.text_of(digest)
            self._rows[digest] = None if version is None else Rows(version)
        return self._rows[digest]

    def _correction(self, index: int, entry: ledger.CorrectionEntry) -> list[str]:
        measures = entry.measures
        role = Role.SETTLES if "delivery" in entry.c else Role.CORRECTS
        self._cites(index, entry.prev, role, self._note(measures))
        return self._names_version(entry.agreement) + _wrong_measures(entry, measures)

    def _note(self, measures: tuple[PublicMeasure, ...]) -> int:
        """Where they are put aside: most of an hour once."""
        noted = self._noted.get(measures)
        if noted is None:
            if len(self._noted) == _MOST_NOTED:
                self._noted.clear()
            content = msgspec.json.encode(measures)
            noted = self._noted[measures] = self.scratch.write(len(content).to_bytes(_LENGTH) + content)
        return noted

    def _measures(self, noted: int) -> tuple[PublicMeasure, ...]:
        length = int.from_bytes(self.scratch.read(noted, _LENGTH))
        return _MEASURES.decode(self.scratch.read(noted + _LENGTH, length))

    def _census(self, entry: ledger.CensusEntry) -> list[str]:
        wrong = []
        if entry.at.date() in self.census_days:
            wrong.append(f"a second census of {entry.at:%Y-%m-%d}")
        if (entry.count == 0) != (entry.root == EMPTY.root.hex()):
            wrong.append(
                f"a census of {entry.count} measures with the root of {'some' if entry.count == 0 else 'none'}"
            )
        self.census_days.add(entry.at.date())
        return wrong

    def _names_version(self, digest: str) -> list[str]:
        return [] if digest in self.versions else [f"it names version {digest}, which no earlier entry published"]


def _wrong_measures(
    entry: ledger.StatementEntry | ledger.CorrectionEntry, measures: tuple[PublicMeasure, ...]
) -> list[str]:
    wrong = []
    for each in measures:
        if each.act == "terminate" and entry.by == "rule":
            wrong.append("a rule terminated an account, which only a person may")
        if isinstance(entry, ledger.StatementEntry) and each.until is not None and each.until < entry.at:
            wrong.append(f"{each.act} until {each.until:%Y-%m-%d %H:%M}, which was over when it was decided")
    return wrong


def _own_role(entry: Entry) -> Role:
    match entry:
        case ledger.SealedEntry():
            return Role.SEALED
        case ledger.AppealEntry():
            return Role.APPEAL
    return Role.OTHER


def _kind(entry: Entry) -> str:
    return str(entry.__struct_config__.tag)
