"""What the public entries must say together, read in their order, whoever signed them.

Knows nothing of trees or files: `verify` feeds it entries and turns what it objects to into problems with a place.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from msgspec import UNSET, UnsetType

from comity.ledger import entry as ledger
from comity.ledger.entry import Entry, PublicMeasure
from comity.ledger.milder import is_milder
from comity.ledger.note import NoteError, VerifierKey
from comity.ledger.rows import objection
from comity.ledger.tree import EMPTY
from comity.model.agreement import Agreement

_MOST_TEXTS: Final = 16
_ABOUT_NOBODY: Final = (ledger.GenesisEntry, ledger.AgreementEntry, ledger.KeyEntry, ledger.ErasureEntry)
_MOST_ALIKE: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What looking at a statement came to; `measures`: their number."""

    wrong: tuple[str, ...]
    measures: int
    is_looked_up: bool


@dataclass(slots=True, kw_only=True)
class Audit:
    """What was read so far. Grows by `take`, entry after entry."""

    text_of: Callable[[str], Agreement | None] = lambda _: None
    """The version of a digest; None if it cannot be had."""
    genesis: ledger.GenesisEntry | None = None
    keys: set[str] = field(default_factory=set)
    ids: dict[bytes, int] = field(default_factory=dict)
    versions: dict[str, ledger.AgreementEntry] = field(default_factory=dict)
    stated: array[int] = field(default_factory=lambda: array("I"))
    """For each entry: 0, or which of `measures` a statement has, as last corrected. Packed: there may be millions."""
    measures: list[tuple[PublicMeasure, ...]] = field(default_factory=lambda: [()])
    appeals: dict[bytes, bool] = field(default_factory=dict)  # whether decided
    erased: set[bytes] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    census_days: set[date] = field(default_factory=set)
    latest: datetime | None = None
    dated_back: int = 0
    looked_up: int = 0
    _alike: dict[object, _Looked] = field(default_factory=dict)
    _texts: dict[str, Agreement | None] = field(default_factory=dict)
    _numbers: dict[tuple[PublicMeasure, ...], int] = field(default_factory=dict)

    def take(self, index: int, entry: Entry) -> list[str]:
        """What is wrong with `entry` at `index`, given the entries before it; usually nothing."""
        wrong = self._common(index, entry)
        match entry:
            case ledger.StatementEntry():
                wrong += self._statement(entry)
            case ledger.CorrectionEntry():
                wrong += self._correction(entry)
            case ledger.GenesisEntry():
                wrong += self._genesis(index, entry)
            case ledger.AgreementEntry():
                wrong += self._agreement(entry)
            case ledger.AcceptancesEntry():
                wrong += self._names_version(entry.agreement)
            case ledger.LiftEntry():
                wrong += self._cites_statement(entry.prev, "lifts")
            case ledger.AppealEntry():
                wrong += self._cites_statement(entry.prev, "is an appeal against")
                self.appeals[bytes.fromhex(entry.id)] = False
            case ledger.OutcomeEntry():
                wrong += self._outcome(entry)
            case ledger.ErasureEntry():
                wrong += self._erasure(entry)
            case ledger.KeyEntry():
                wrong += self._key(entry.key)
            case ledger.CensusEntry():
                wrong += self._census(entry)
            case ledger.SealedEntry():
                self.stated[-1] = self._number(())  # what may be erased
        return wrong

    def _common(self, index: int, entry: Entry) -> list[str]:
        kind = entry.__struct_config__.tag
        self.counts[str(kind)] = self.counts.get(str(kind), 0) + 1
        if self.latest is None or entry.at >= self.latest:
            self.latest = entry.at
        else:
            self.dated_back += 1
        while len(self.stated) <= index:  # bytes that are no entry are never taken
            self.stated.append(0)
        first = self.ids.setdefault(bytes.fromhex(entry.id), index)
        wrong = [] if first == index else [f"{_a(str(kind))} of id {entry.id}, which entry {first} already has"]
        wrong += self._unlike_profile(entry)
        if index == 0 and not isinstance(entry, ledger.GenesisEntry):
            wrong.append(f"the first entry is {_a(str(kind))}, not the genesis: earlier entries are gone")
        return wrong

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

    def _statement(self, entry: ledger.StatementEntry) -> tuple[str, ...]:
        """Most statements of an hour are alike in all but what is private: each kind is looked at once."""
        live = () if isinstance(entry.live, UnsetType) else tuple(entry.live.items())
        under = (entry.agreement, entry.clauses, entry.points, live, entry.ground, entry.by, entry.auto.decided)
        key = (under, entry.at, entry.act, entry.chan, entry.until, entry.met, entry.also, entry.live is UNSET)
        looked = self._alike.get(key)
        if looked is None:
            if len(self._alike) == _MOST_ALIKE:
                self._alike.clear()
            looked = self._alike[key] = self._look(entry)
        self.stated[-1] = looked.measures
        self.looked_up += looked.is_looked_up
        return looked.wrong

    def _look(self, entry: ledger.StatementEntry) -> _Looked:
        wrong = self._names_version(entry.agreement)
        version = self.versions.get(entry.agreement)
        if version and not self.is_replay and version.effective > entry.at:
            wrong.append(f"a statement under {entry.agreement}, which was not yet in force")
        if bool(entry.auto.decided) != (entry.by == "rule"):
            wrong.append("it says both that a rule decided and that a person did")
        measures = entry.measures
        wrong += _wrong_measures(entry, measures)
        text = self._text(entry.agreement)
        unforeseen = None if text is None else objection(entry, text)
        wrong += [unforeseen] if unforeseen else []
        return _Looked(wrong=tuple(wrong), measures=self._number(measures), is_looked_up=unforeseen is not None)

    def _text(self, digest: str) -> Agreement | None:
        if digest not in self._texts:
            if len(self._texts) == _MOST_TEXTS:
                self._texts.clear()
            self._texts[digest] = self.text_of(digest)
        return self._texts[digest]

    def _correction(self, entry: ledger.CorrectionEntry) -> list[str]:
        wrong = self._names_version(entry.agreement) + self._cites_statement(entry.prev, "corrects")
        measures = entry.measures
        wrong += _wrong_measures(entry, measures)
        at = self.ids.get(bytes.fromhex(entry.prev), -1)
        if at >= 0 and self.stated[at]:
            before = self.measures[self.stated[at]]
            harsher = [each for each in measures if not any(is_milder(each, one) for one in before)]
            wrong += [f"a correction to something harsher: {each.act}" for each in harsher]
            self.stated[at] = self._number(measures)
        return wrong

    def _number(self, measures: tuple[PublicMeasure, ...]) -> int:
        number = self._numbers.setdefault(measures, len(self.measures))
        if number == len(self.measures):
            self.measures.append(measures)
        return number

    def _outcome(self, entry: ledger.OutcomeEntry) -> list[str]:
        appeal = bytes.fromhex(entry.prev)
        if appeal not in self.appeals:
            return [f"the outcome of appeal {entry.prev}, which no earlier entry is"]
        decided, self.appeals[appeal] = self.appeals[appeal], True
        return [f"a second outcome of appeal {entry.prev}"] if decided else []

    def _erasure(self, entry: ledger.ErasureEntry) -> list[str]:
        erased = bytes.fromhex(entry.prev)
        wrong = self._cites_statement(entry.prev, "erases")
        if erased in self.erased:
            wrong.append(f"statement {entry.prev} was erased before")
        self.erased.add(erased)
        return wrong

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

    def _cites_statement(self, entry_id: str, verb: str) -> list[str]:
        at = self.ids.get(bytes.fromhex(entry_id), -1)
        is_known = at >= 0 and self.stated[at] > 0
        return [] if is_known else [f"it {verb} statement {entry_id}, which no earlier entry is"]


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


def _a(kind: str) -> str:
    return f"an entry `{kind}`"
