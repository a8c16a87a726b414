"""The days, hour by hour: people write, the record judges, some report, reviewers decide, some appeal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from comity.app.simulation.community import HOUR, LEARNS, Community, Written, name
from comity.app.simulation.offences import START
from comity.app.simulation.people import People, people_for
from comity.casework.case_facts import Informed
from comity.casework.facts import Accepted, Decided
from comity.casework.record import measures, standing
from comity.casework.refused import RefusedError
from comity.flow import review
from comity.flow.agreement import version_of
from comity.flow.appeal import Complaint, file
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.model.agreement import Agreement
from comity.model.clause import Kind
from comity.model.duration import Duration, Unit
from comity.model.ids import CaseId, ClauseId, MessageId
from comity.model.measure import State
from comity.ports import Answer, Store, Version
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog

_DELIVERY: Final = Duration(count=1, unit=Unit.MINUTE)
_REPORTS_UNFOUND: Final = 0.6
_REPORTS_FOUND: Final = 0.05
_REPORTS_ORDINARY: Final = 0.001
_APPEALS: Final = 0.08
_APPEALS_INNOCENT: Final = 0.5
_NOTIFIER_APPEALS: Final = 0.05
_LONGEST_THOUGHT: Final = 60 * 24  # hours until an appeal is filed, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How things stood at the end of one day: accounts under each measure on channels, and what waits."""

    under: dict[Kind, int]
    cases: int
    appeals: int


@dataclass(slots=True, kw_only=True)
class Played:
    """A community's record after its last day, and what only the play knows."""

    community: Community
    store: Store
    log: MemoryLog
    key: SigningKey
    proceed: Callable[[], Proceedings]
    people: People
    proceedings: Proceedings = field(init=False)
    unfound: set[MessageId] = field(default_factory=set)
    due: defaultdict[int, list[Complaint]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[str] = field(default_factory=Counter)
    versions: list[Agreement] = field(default_factory=list)
    accepted: dict[int, int] = field(default_factory=dict)
    """How many of the versions an account has seen and accepted."""
    unwritten: int = 0
    late_appeals: int = 0
    messages: int = 0
    days: list[Day] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.proceedings = self.proceed()


def play(community: Community, done: Callable[[Played], None]) -> Played:
    """All days, one after another; `done` hears of each when it is over."""
    played = _begun(community)
    wills = {number: will for number in range(community.accounts) if (will := community.will(number))}
    for hour, writers in enumerate(community.calendar()):
        at, position = START + (hour + 1) * HOUR, played.store.position
        if hour == community.days * 12 and community.then is not None:
            _publish(played, community.then, START + hour * HOUR)
        _accept(played, hour, [account for _, account in writers])
        written = [each for one in writers for each in _written(played, wills, one)]
        _take(played, sorted(written, key=lambda each: each.message.sent))
        _report(played, written, at)
        _appeal(played, hour, at)
        played.people.decide(played.proceedings, at)
        _think(played, position, hour)
        if hour % 24 == 23:
            played.days.append(_day(played, at))
            done(played)
    return played


def _begun(community: Community) -> Played:
    """A record that replays, with its first version of the agreement in force."""
    seed = f"comity simulate {community.seed}"
    store, log, entropy = MemoryStore(), MemoryLog(), CountedEntropy(seed)
    key = SigningKey(name=f"comity.invalid/simulation-{community.seed}", seed=sha256(seed.encode()).digest())
    recorder = Recorder(store, log, key, entropy)
    recorder.begin(mode="replay", operator="comity simulate", at=START)
    terms = Terms(mode="replay", delivery=_DELIVERY, history_key=sha256(b"history").digest(), snapshot_every=1 << 60)
    recorder.publish_version(_version(community.agreement, START), START)
    return Played(
        community=community,
        store=store,
        log=log,
        key=key,
        proceed=lambda: Proceedings(store, recorder, FixedClock(START), entropy, terms),
        people=people_for(community.accounts, community.seed),
        versions=[community.agreement],
    )


def _version(agreement: Agreement, at: datetime) -> Version:
    return version_of(agreement, name="agreement.md", effective=at)


def _publish(played: Played, agreement: Agreement, at: datetime) -> None:
    """Who has accepted the version before stays bound by it until they accept this one."""
    played.proceedings.publish(_version(agreement, at), at)
    played.proceedings = played.proceed()
    played.versions.append(agreement)


def _accept(played: Played, hour: int, writers: Sequence[int]) -> None:
    """Nobody writes before they have accepted a version; a newer one, most accept when they write next."""
    newest, at = len(played.versions), START + hour * HOUR
    asked = [account for account in dict.fromkeys(writers) if played.accepted.get(account, 0) < newest]
    willing = [each for each in asked if each not in played.accepted or played.community.accepts(each, hour)]
    played.accepted |= dict.fromkeys(willing, newest)
    version = played.versions[-1]
    played.proceedings.act(
        list(map(name, willing)),
        lambda record: (Accepted(account=record.account, at=at, agreement=version.digest, language=version.language),),
    )


def _written(played: Played, wills: dict[int, float], one: tuple[int, int]) -> Iterator[Written]:
    """What an account writes now; nothing on a channel on which it is cut."""
    second, account = one
    community, id_ = played.community, str(played.messages)
    played.messages += 1
    draw = community.draw(f"message {id_}")
    will, record = wills.get(account, 0.0), None
    if will:
        record = played.proceedings.record(name(account))
        will *= LEARNS ** len(record.decisions)
    if will and draw.happens(will, "breaches"):
        every = tuple(community.offence(draw, account, second, id_))
    else:
        channel = draw.one_of(community.agreement.channels, "channel")
        every = (Written(message=community.ordinary(draw, account, second, channel=channel, id_=id_)),)
    first = every[0].message
    if record and record.decisions and standing(record, first.channel, first.sent).state is State.CUT:
        played.unwritten += len(every)
        return
    yield from every


def _take(played: Played, written: list[Written]) -> None:
    """Every message goes through the record, an hour's in one transaction."""
    for each in written:
        if each.breached is not None:
            played.people.breached[each.message.id] = each.breached
    if written:
        answers = played.proceedings.take([each.message for each in written])
        for answer in answers:
            played.outcomes[answer.outcome] += 1
            if not answer.clauses and answer.message in played.people.breached:
                played.unfound.add(answer.message)
        _hold_rules_right(played, answers, written)


def _hold_rules_right(played: Played, answers: Sequence[Answer], written: Sequence[Written]) -> None:
    """What a rule finds in an ordinary message, such as its time of day, is a breach."""
    ordinary = {each.message.id for each in written if not each.is_offence}
    for answer in answers:
        if answer.clauses and answer.message in ordinary:
            played.people.breached[answer.message] = ClauseId(answer.clauses[0])


def _report(played: Played, written: list[Written], at: datetime) -> None:
    """Some of what others read is reported, rightly or wrongly."""
    for each in written:
        message, draw = each.message, played.community.draw(f"notice {each.message.id}")
        found = _REPORTS_FOUND if each.is_offence else _REPORTS_ORDINARY
        if draw.happens(_REPORTS_UNFOUND if message.id in played.unfound else found, "reported"):
            clauses = [one.id for one in played.community.clauses if message.channel in one.channels]
            clause = each.breached or (draw.one_of(clauses, "clause") if clauses else None)
            given = review.Notice(
                message=message,
                where=f"{message.channel}, {message.sent:%Y-%m-%d %H:%M} UTC",
                why="Please look at this.",
                good_faith=True,
                clause=clause,
            )
            review.notice(played.proceedings, given, at)


def _think(played: Played, position: int, hour: int) -> None:
    """Whoever has just been told of a decision may appeal within some weeks."""
    for fact in tuple(played.store.facts((Decided, Informed), after=position)):
        if not isinstance(fact, Decided | Informed):
            continue
        draw = played.community.draw(f"appeal {fact.account} {fact.at} {fact.decision}")
        when = hour + 2 + draw.below(_LONGEST_THOUGHT, "when")
        match fact:
            case Decided():
                is_innocent = not any(each.message in played.people.breached for each in fact.breaches)
                if draw.happens(_APPEALS_INNOCENT if is_innocent else _APPEALS, "appeals"):
                    played.due[when].append(Complaint(decision=fact.decision, text="I did not mean it that way."))
            case Informed():
                if not fact.confirmed and draw.happens(_NOTIFIER_APPEALS, "appeals"):
                    text = "Please look again."
                    played.due[when].append(Complaint(decision=fact.decision, text=text, notice=fact.notice))


def _appeal(played: Played, hour: int, at: datetime) -> None:
    for complaint in played.due.pop(hour, ()):
        try:
            file(played.proceedings, complaint, at)
        except RefusedError:  # the window is over, or the case is open again: there is nothing to appeal against
            played.late_appeals += 1


def _day(played: Played, at: datetime) -> Day:
    """By asking the records: no job ends a measure, so none has to have run."""
    under, last = Counter[Kind](), at - timedelta(seconds=1)
    for account in played.store.restricted():
        record = played.proceedings.record(account)
        under.update({each.kind for each in measures(record) if each.is_active(last)})
    waiting = [
        played.proceedings.record(account).case(CaseId(id_)) is not None for id_, account in played.store.waiting()
    ]
    return Day(under=dict(under), cases=sum(waiting), appeals=len(waiting) - sum(waiting))
