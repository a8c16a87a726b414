"""A gate's own copy of who may communicate: it follows the centre, checks what it is told, and answers without asking.

Not for several threads: whoever applies changes also asks. Times are the gate's own clock; the heartbeat says how far
the centre's is from it, and plans are read by the centre's. Nothing has to run for a measure to begin or to end.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from comity.gates.answers import Allow, Answer, Deny, Limited, Unavailable, WhenStale
from comity.gates.kept import Kept
from comity.gates.records import Records
from comity.gates.sound import demand_sound
from comity.ledger.alike import Alike
from comity.ledger.feed import (
    Change,
    FeedEntry,
    FeedError,
    Heartbeat,
    Said,
    Skipped,
    Unproven,
    demand_in_log,
    demand_proven,
)
from comity.ledger.plan_digest import exchanged, plan_digest
from comity.ledger.policy import Opener, Policy, Remembering
from comity.model.measure import State
from comity.model.plan import Planned, Span

LARGEST_OFFSET: Final = timedelta(seconds=5)
"""A clock that is further from the centre's is an alarm."""

_ALLOW: Final = Allow()
_ALLOW_STALE: Final = Allow(is_stale=True)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_NOTHING: Final = timedelta()
_OFFSETS: Final = 8  # heartbeats that are looked at together


class Watcher(Protocol):
    """Who must hear of each change because asking is not enough: a gate that writes rules, or ends what is open."""

    def before(self, row: int, planned: Planned | None) -> None:
        """What is known in this row is about to become this."""

    def after(self, row: int) -> None:
        """It has."""

    def begin(self) -> None:
        """Everything is another than before."""


class DigestError(FeedError):
    """What is known is not what the centre knows: everything is to be asked for anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a gate behaves when it cannot be sure.

    `policy`: the logs whose proofs count; None: no proof is asked for. `grace`: how long a cut without one holds.
    """

    policy: Policy | None
    max_stale: timedelta = timedelta(seconds=30)
    when_stale: WhenStale = WhenStale.OPEN
    grace: timedelta = timedelta(minutes=10)


@dataclass(slots=True, kw_only=True)
class Known:
    """What one life of the feed has told: `digest` is that of the plans in `records`.

    `unproven`: rows of which some span has no proof, and until when each is believed.
    """

    epoch: str
    cursor: int
    digest: int
    records: Records
    unproven: dict[int, datetime] = field(default_factory=dict)

    def put(self, row: int, planned: Planned | None, believed: datetime | None) -> None:
        """Replace what the row held; O(1)."""
        old = self.records.planned(row)
        self.digest = exchanged(self.digest, plan_digest(old), plan_digest(planned))
        doubted = self.unproven.pop(row, None)
        if planned is None:
            self.records.drop(row)
            return
        self.records.put(row, planned)
        if believed is not None and old is not None and is_within(planned, old):
            believed = doubted
        if believed is not None and planned.plan:
            self.unproven[row] = believed

    def remember(self, old: Known) -> None:
        """What the same life of the feed told before: what was proven is, and what was doubted is for no longer."""
        for row in tuple(self.unproven):
            planned, before = self.records.planned(row), old.records.planned(row)
            if planned is not None and before is not None and is_within(planned, before):
                doubted = old.unproven.get(row)
                self.unproven.pop(row) if doubted is None else self.unproven.update({row: doubted})


def is_within(planned: Planned, old: Planned) -> bool:
    """Whether the plan restricts nowhere what the old one did not, by the same statements: that needs no new proof."""
    return all(any(_is_within(span, before) for before in old.plan) for span in planned.plan)


def _is_within(span: Span, old: Span) -> bool:
    is_milder = old.state is State.CUT or (span.state is State.LIMITED and span.limit == old.limit)
    ends = old.until is None or (span.until is not None and span.until <= old.until)
    return is_milder and ends and span.start >= old.start and span.statement == old.statement


@dataclass(slots=True, kw_only=True)
class Applied:
    """A change that was applied. `believed`: until when, if its proof was looked at and does not hold.

    `without_proof`: until when it would be believed then.
    """

    change: Change
    without_proof: datetime | None = None
    believed: datetime | None = None


@dataclass(slots=True)
class Replica:
    """What `check` answers from. `alarm` is told of what sort it is, and in words, what somebody should look at."""

    manner: Manner
    alarm: Callable[[str, str], None]
    known: Known | None = None
    kept: Kept = field(default_factory=Kept)
    offset: timedelta = _NOTHING
    counts: Counter[str] = field(default_factory=Counter)
    watcher: Watcher | None = None
    _offsets: deque[timedelta] = field(default_factory=lambda: deque(maxlen=_OFFSETS))
    _fresh_until: datetime = _EARLIEST
    _swept: datetime = _EARLIEST
    _opener: Remembering | None = None
    _alike: Alike[Said] = field(default_factory=Alike)
    _unseen: dict[int, Applied] = field(default_factory=dict)  # by row: whose proofs are still to be looked at

    def check(self, channel: str, handle: str, at: datetime) -> Answer:
        """Whether whoever `channel` calls `handle` may communicate there at `at`, by this gate's clock. O(1)."""
        known = self.known
        if known is None:
            self.counts["unavailable"] += 1
            return Unavailable(reason="this gate has not been told anything yet")
        there = at + self.offset
        place = known.records.holding(channel, handle, there)
        if place and not (known.unproven and self._is_disbelieved(place, at)):
            return self._restricted(known.records, place)
        if self.kept.records.count and (place := self.kept.records.holding(channel, handle, there)):
            return self._restricted(self.kept.records, place)
        return _ALLOW if at <= self._fresh_until else self._unknown()

    def restriction(self, channel: str, handle: str, at: datetime) -> Deny | Limited | None:
        """What `check` refuses or limits by, if anything is known; nothing is counted."""
        there = at + self.offset
        if self.known is not None:
            place = self.known.records.holding(channel, handle, there)
            if place and not self._is_disbelieved(place, at):
                return self.known.records.answer(place)
        place = self.kept.records.holding(channel, handle, there)
        return self.kept.records.answer(place) if place else None

    def is_stale(self, at: datetime) -> bool:
        """Whether the centre has been away for longer than `max_stale`."""
        return at > self._fresh_until

    def change(self, change: Change, at: datetime) -> datetime | None:
        """Apply what comes next, and look at its proof; until when it is believed, if it lacks one. See `apply`."""
        applied = self.apply(change, at)
        if applied is None:
            return None
        self.prove(applied)
        return applied.believed

    def apply(self, change: Change, at: datetime) -> Applied | None:
        """Put in force what comes next, a change or some of other channels. Its proof is to be looked at soon: `prove`.

        None: it was known already. Without `grace`, or where the row is in doubt, nothing is in force before. Raises
        `FeedError`: it is not the next.
        """
        known = self.known
        if known is None or change.since > known.cursor + 1:
            raise FeedError(f"change {change.since} came after {known.cursor if known else 'nothing'}")
        if change.seq <= known.cursor:
            return None
        demand_sound(change)
        if isinstance(change, Skipped):
            self.put(change, None)
            return Applied(change=change)
        if (earlier := self._unseen.get(change.row)) is not None:
            self.prove(earlier)
        applied = Applied(change=change)
        if change.plan and self.manner.policy is not None:
            applied.without_proof = self._without_proof(known, change, at)
            self._unseen[change.row] = applied
            if not self.manner.grace or change.row in known.unproven:
                self.prove(applied)
        self.put(change, applied.believed)
        return applied

    def prove(self, applied: Applied) -> None:
        """Look at the proof of what was applied, once."""
        change = applied.change
        if isinstance(change, Skipped) or self._unseen.get(change.row) is not applied:
            return
        del self._unseen[change.row]
        applied.believed, doubt = applied.without_proof, ""
        try:
            demand_shown(change, self._trusted(), self._alike)
            applied.believed = None
        except Unproven as error:
            doubt = str(error)
        finally:  # whatever fails, it is not taken for proven
            self._doubt(change, applied.believed)
        if doubt:
            self.warn("no proof", f"a measure came without a proof that holds: {doubt}")

    def _without_proof(self, known: Known, change: FeedEntry, at: datetime) -> datetime | None:
        """Until when it would be believed without a proof: what restricts no more than before, as long as before."""
        old, planned = known.records.planned(change.row), change.planned
        if old is not None and planned is not None and is_within(planned, old):
            return known.unproven.get(change.row)
        return at + self.manner.grace

    def _doubt(self, change: FeedEntry, until: datetime | None) -> None:
        """Believe what was put in force no longer than that."""
        known = self.known
        if until is None or known is None or known.cursor < change.seq:
            return
        planned = known.records.planned(change.row)
        if self.watcher is not None:
            self.watcher.before(change.row, planned)
        known.unproven[change.row] = until
        if self.watcher is not None:
            self.watcher.after(change.row)

    def put(self, change: Change, believed: datetime | None) -> None:
        """Replace what its row held. `believed`: until when it is, if it lacks proof."""
        if isinstance(change, Skipped):
            if self.known is not None:
                self.known.cursor = change.seq
            return
        planned = change.planned
        if self.watcher is not None:
            self.watcher.before(change.row, planned)
        if self.known is not None:
            self.known.put(change.row, planned, believed)
            self.known.cursor = change.seq
        if planned is not None and self.kept:
            self.kept.drop(planned.channel, planned.account)
        if self.watcher is not None:
            self.watcher.after(change.row)

    def beat(self, heartbeat: Heartbeat, at: datetime) -> None:
        """The centre is there. Raises `FeedError` if what is known is not what the centre knows at that cursor.

        A centre that is ahead has not told everything yet: until it does, this gate gets no fresher.
        """
        known = self.known
        if known is None or heartbeat.cursor < known.cursor:
            raise FeedError(f"a heartbeat is at change {heartbeat.cursor}, not {known.cursor if known else 'any'}")
        if heartbeat.now.tzinfo is None:
            raise FeedError("a heartbeat has a time without a zone")
        if heartbeat.cursor > known.cursor:
            return
        if f"{known.digest:064x}" != heartbeat.digest:
            self.warn("digest", "what this gate knows is not what the centre knows: it asks for everything anew")
            raise DigestError("the digest of all plans is another one")
        self._offsets.append(heartbeat.now - at)
        self.offset = max(self._offsets)  # whatever is late looks as if the centre's clock were behind
        if abs(self.offset) > LARGEST_OFFSET:
            seconds = self.offset.total_seconds()
            self.warn("clock", f"the clocks of this gate and of the centre are {seconds:.1f} s apart: set one right")
        self._fresh_until = at + self.manner.max_stale

    def swap(self, known: Known, kept: Kept) -> None:
        """Know this from now on, and keep what a new life of the feed does not mention."""
        if kept and len(kept) != len(self.kept):
            self.warn("kept", f"the centre no longer knows of {len(kept)} measures that nobody lifted: they hold")
        self.known, self.kept, self._unseen = known, kept, {}
        if self.watcher is not None:
            self.watcher.begin()

    def sweep(self, at: datetime) -> None:
        """Raise the alarm for measures that are no longer believed, for lack of proof."""
        unproven = self.known.unproven if self.known else {}
        over = sum(self._swept < until <= at for until in unproven.values())
        self._swept = at
        if over:
            self.warn("unproven", f"{over} measures came without a proof, and hold no longer at this gate")

    def warn(self, kind: str, text: str) -> None:
        """Raise an alarm, and count it."""
        self.counts[f"alarm {kind}"] += 1
        self.alarm(kind, text)

    def _trusted(self) -> Opener | None:
        """Many changes come with the same checkpoint."""
        policy = self.manner.policy
        if policy is not None and (self._opener is None or self._opener.policy is not policy):
            self._opener = Remembering(policy)
        return self._opener if policy is not None else None

    def _is_disbelieved(self, place: int, at: datetime) -> bool:
        known = self.known
        until = known.unproven.get(known.records.row[place]) if known else None
        return until is not None and until <= at

    def _restricted(self, records: Records, place: int) -> Answer:
        answer = records.answer(place)
        self.counts["refused" if isinstance(answer, Deny) else "limited"] += 1
        return answer

    def _unknown(self) -> Answer:
        if self.manner.when_stale is WhenStale.OPEN:
            self.counts["passed while stale"] += 1
            return _ALLOW_STALE
        self.counts["unavailable"] += 1
        return Unavailable(reason="the centre has been away for too long")


def demand_shown(entry: FeedEntry, policy: Opener | None, alike: Alike[Said]) -> None:
    """Raises `Unproven` unless each span of the plan comes with its own proof."""
    if policy is None or entry.account is None or entry.channel is None:
        return
    for span in entry.plan:
        demand_proven(entry.account, entry.channel, span, demand_in_log(span, policy), alike)
