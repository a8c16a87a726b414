"""A statement in the words that its reader gets: sections of plain sentences, printed as text or as HTML.

What happened since it was issued (delivery, messages that joined, ends settled) is told after the original text,
under a heading of its own; the original sections never change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from comity.casework.facts import (
    AppealOutcome,
    Change,
    ConditionMet,
    Corrected,
    Delivered,
    Joined,
    Lifted,
    OutcomeGiven,
    Party,
    Recomputed,
    Undone,
)
from comity.casework.recorded import Recorded, later, more_time
from comity.casework.statement import appeal_until
from comity.model.clause import Kind, Rate
from comity.model.duration import Duration
from comity.model.finding import Passage, Value
from comity.model.measure import Measure
from comity.model.statement import Breach, Origin, Statement


class Section(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A heading and its paragraphs. A paragraph that begins with `> ` is a quotation."""

    title: str
    paragraphs: tuple[str, ...]


def sections(one: Recorded, *, zone: ZoneInfo, appeal_window: Duration | None) -> tuple[Section, ...]:
    """The whole statement for a reader in `zone`."""
    statement = one.decided.statement
    told = (
        Section(title="What was decided", paragraphs=tuple(_decided(statement, zone))),
        Section(
            title="Your message" if len(statement.messages) == 1 else "Your messages",
            paragraphs=tuple(_message(statement, zone)),
        ),
        Section(title=_several("The clause that it breaches", statement), paragraphs=tuple(_clauses(statement))),
        Section(title="Why", paragraphs=tuple(_why(statement))),
        Section(title="Points", paragraphs=tuple(_points(statement))),
        Section(title="If you disagree", paragraphs=tuple(_appeal(one, zone, appeal_window))),
        Section(title="What has happened since", paragraphs=tuple(_since(one, zone))),
    )
    return tuple(section for section in told if section.paragraphs)


def dated(at: datetime, zone: ZoneInfo) -> str:
    """`23 November 2026, 21:05 (UTC)`, with the zone named."""
    local = _local(at, zone)
    return f"{local.day} {local:%B} {local.year:04d}, {local:%H:%M} ({local.tzname()})"


def day(at: datetime, zone: ZoneInfo) -> str:
    """`23 November 2026 (UTC)`."""
    local = _local(at, zone)
    return f"{local.day} {local:%B} {local.year:04d} ({local.tzname()})"


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """At the ends of the calendar, where another zone would have another year, the time in UTC."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def _decided(statement: Statement, zone: ZoneInfo) -> Iterator[str]:
    yield f"This is about the account {printable(statement.account)}, on {dated(statement.at, zone)}."
    if not statement.measures:
        also = "The breach is put on your record, as described under “Points”." if statement.added else ""
        yield f"No measure is taken. {also}".strip()
    is_free = not any(measure.channels for measure in statement.measures)
    for measure in statement.measures:
        yield measure_in_words(measure, zone) + (_GO_ON if is_free and measure.kind is Kind.WARN else "")
    if any(measure.kind is not Kind.WARN for measure in statement.measures):
        yield "This holds everywhere, in whichever country you are."
    for name, text in statement.conditions:
        yield f"The condition “{name}”: {text}"
    yield from _found(statement)
    if statement.is_replay:
        yield "This is a replay of past messages: it shows what the agreement would have done, and binds nobody."


def _found(statement: Statement) -> Iterator[str]:
    found = "a rule, without a person" if statement.found_automatically else "a person"
    decided = "automatically, as the agreement foresees" if statement.decided_automatically else "by a person"
    yield f"The breach was found by {found}. It was decided {decided}. {_brought_up(statement)}"


def _brought_up(statement: Statement) -> str:
    """On whose initiative it was; who sent a notice is told to nobody."""
    origins = {breach.origin for breach in statement.breaches}
    if Origin.AUTHORITY in origins:
        return "An authority sent us a notice."
    if Origin.TRUSTED_FLAGGER in origins:
        return "A trusted flagger sent us a notice."
    return "Somebody sent us a notice." if Origin.USER in origins else "We acted on our own initiative."


_GO_ON: Final = " You may go on as before."


def measure_in_words(measure: Measure, zone: ZoneInfo) -> str:
    """One measure as a sentence to the person it concerns."""
    what = {
        Kind.REMOVE: "Your message was removed.",
        Kind.MARK: "Your message is shown with a notice.",
        Kind.WARN: "You are warned.",
        Kind.LIMIT_REACH: "Your messages are shown to your followers only and are not recommended",
        Kind.LIMIT: f"You may send at most {_rate(measure.rate)}",
        Kind.HOLD: "Each of your messages waits for a reviewer before it is delivered",
        Kind.SUSPEND: "You may not send anything",
        Kind.TERMINATE: "Your account is closed",
    }[measure.kind]
    if not measure.channels:
        return what
    return f"{what} on {_listed(measure.channels)}, {_term(measure, zone)}."


def _term(measure: Measure, zone: ZoneInfo) -> str:
    delay = f"starting {measure.delay} after you get this statement, " if measure.delay else ""
    if measure.end is not None:
        of_range = f" (the agreement allows up to {measure.most})" if measure.most else ""
        return f"{delay}until {dated(measure.end, zone)}{of_range}"
    if measure.length:
        return f"{delay}for {measure.length}"
    if measure.until:
        floor = f", and for at least {measure.at_least}" if measure.at_least else ""
        names = _listed([f"“{name}”" for name in measure.until])
        met = f"the condition {names} is met" if len(measure.until) == 1 else f"the conditions {names} are met"
        latest = f", but until {dated(measure.not_after, zone)} at the latest" if measure.not_after else ""
        return f"{delay}until {met}{floor}{latest}"
    return f"{delay}without an end date".strip()


def _rate(rate: Rate | None) -> str:
    return f"{counted(rate.count, 'message')}{str(rate).removeprefix(str(rate.count))}" if rate else ""


def _messages_title(statement: Statement) -> str:
    return "Your message" if len(statement.messages) == 1 else "Your messages"


def _message(statement: Statement, zone: ZoneInfo) -> Iterator[str]:
    for message in statement.messages:
        yield f"Sent on {dated(message.sent, zone)} over {message.channel} (id {printable(message.id)})."
        yield f"The source that vouches for it: {printable(message.source)}."
        if message.subject:
            yield f"> Subject: {message.subject}"
        yield f"> {message.text}"
        if message.is_cut:
            yield "The message is longer; the rest is left out here."


def _clauses(statement: Statement) -> Iterator[str]:
    bound = "you accepted" if statement.is_bound_by_acceptance else "in force when you sent it"
    yield f"From “{statement.agreement_title}”, in the version {bound} ({statement.agreement}):"
    for clause in statement.clauses:
        yield f"> {clause.title}\n\n{_flowing(clause.prose)}"


_HEADING: Final = re.compile(r"^#{1,6} ", re.MULTILINE)
_ITEM: Final = re.compile(r"\s*([-*+>]|\d+[.)]) ")


def _flowing(prose: str) -> str:
    """Markdown as it reads: lines that an author broke run on; lists, quotations and paragraphs stay apart."""
    lines = _HEADING.sub("", prose).split("\n")
    flowing = lines[:1]
    for line in lines[1:]:
        if line.strip() and flowing[-1].strip() and not _ITEM.match(line):
            flowing[-1] += f" {line.strip()}"
        else:
            flowing.append(line)
    return "\n".join(flowing)


def _why(statement: Statement) -> Iterator[str]:
    titles = {clause.id: clause.title for clause in statement.clauses}
    for breach in statement.breaches:
        which = "Your message" if len(statement.messages) == 1 else f"Your message {printable(breach.message)}"
        yield f"{which} breaches “{titles[breach.clause]}”{', because:' if breach.evidence else '.'}"
        for line in dict.fromkeys(_evidence(breach, statement)):
            yield f"- {line}"
        if breach.late:
            yield "- it reached us late, so counts over time use only what was still known"
    if statement.reasoning:
        yield "The reviewer adds:"
        yield f"> {statement.reasoning}"


def _evidence(breach: Breach, statement: Statement) -> Iterator[str]:
    about = (each for each in statement.messages if (each.source, each.id) == (breach.source, breach.message))
    message = next(about, None)
    texts = {"text": message.text, "subject": message.subject} if message else {}
    for each in breach.evidence:
        match each:
            case Passage(field=field, start=start, end=end, why=why):
                quoted = texts.get(field, "")[start:end]
                place = "the subject" if field == "subject" else "it"
                found = " ".join(why.split())
                yield f"{place} says “{quoted}”: {found}" if quoted else f"at characters {start} to {end}: {found}"
            case Value(expression=expression, value=value):
                yield f"{' '.join(expression.split())} is {value}"


def _points(statement: Statement) -> Iterator[str]:
    for ladder, count in statement.added:
        now = dict(statement.live).get(ladder, count)
        of_ladder = f" on the ladder “{ladder}”" if len(statement.added) > 1 else ""
        yield f"This adds {counted(count, 'point')} to your record, which now has {now}{of_ladder}."
    if statement.added:
        yield _expiry(statement)
    if statement.next_step is not None:
        step = statement.next_step
        yield f"One more such breach would bring you to {counted(step.points, 'point')}, and: {step.measures}."


def _expiry(statement: Statement) -> str:
    after = statement.points_expire
    if after == "never":
        return "Points of this clause are not forgotten."
    without = " without a breach" if after.endswith(" clean") else ""
    no_earlier = ", but not before the measures above have ended" if any(m.channels for m in statement.measures) else ""
    return f"Points are forgotten after {after.removesuffix(' clean')}{without}{no_earlier}."


def _appeal(one: Recorded, zone: ZoneInfo, window: Duration | None) -> Iterator[str]:
    statement = one.decided.statement
    if one.delivered is None:
        until = f"for {statement.appeal_window} from the day you get this statement"
    else:
        last = later(appeal_until(one.delivered, window), more_time(one.put_off, one.delivered, Party.ACCOUNT))
        until = f"until the end of {day(last, zone)}"
    yield f"You can appeal {until}. Somebody who took no part in this decision decides; never a machine."
    if statement.contact:
        yield f"Write to {printable(statement.contact)} and name this statement: {statement.id}."
    yield "You may also turn to a certified out-of-court dispute body, or to a court. An appeal closes neither way."


def _since(one: Recorded, zone: ZoneInfo) -> Iterator[str]:
    for change in one.told:
        yield from _change(change, one, zone)
    for appeal in one.own_appeals:
        if appeal.outcome is None:
            yield f"An appeal was filed on {dated(appeal.filed.at, zone)}. It waits for a decision."
    for pause in dict.fromkeys(pause for measure in one.measures for pause in measure.pauses if pause.end is None):
        yield f"If it is not decided by {dated(pause.start, zone)}, the measures do not hold until it is."
    for measure in one.measures:
        if measure.channels and ((measure.delay and measure.start) or (measure.until and one.met)):
            yield _settled(measure, zone)


def _change(change: Change, one: Recorded, zone: ZoneInfo) -> Iterator[str]:
    """What happened on one day; every reason is quoted as it was given."""
    on = dated(change.at, zone)
    match change:
        case Delivered():
            if change.at == one.delivered:
                yield f"This statement was delivered on {on}."
        case Joined():
            yield _joined(change, one, zone)
        case ConditionMet(condition=condition):
            yield f"The condition “{condition}” was met on {on}."
        case Corrected(note=note):
            yield f"Correction of {on}, by a person:"
            yield f"> {note}"
            yield from _from_now_on(change.measures, zone)
        case Lifted(why=why):
            yield f"Lifted on {on}, by a person. The measures on your channels ended then. The reason:"
            yield f"> {why}"
        case Undone(why=why):
            yield f"Reversed on {on}: we found that this decision was wrong. Its points count no more. The reason:"
            yield f"> {why}"
        case Recomputed(measures=measures):
            yield f"Recomputed on {on}: an earlier decision was reversed, so its points no longer count here."
            yield from _from_now_on(measures, zone)
        case OutcomeGiven():
            yield from _outcome(change, zone)


def _joined(change: Joined, one: Recorded, zone: ZoneInfo) -> str:
    titles = {clause.id: clause.title for clause in one.decided.statement.clauses}
    treated = " and was removed too" if change.removed else " and is shown with a notice" if change.marked else ""
    title = titles.get(change.breach.clause, change.breach.clause)
    return (
        f"Correction of {dated(change.at, zone)}: a message sent on {dated(change.breach.sent, zone)} "
        f"(id {printable(change.breach.message)}) breaches the clause “{title}” as well{treated}. "
        "It adds no point and no measure."
    )


def _outcome(change: OutcomeGiven, zone: ZoneInfo) -> Iterator[str]:
    came = {
        AppealOutcome.UPHELD: "the decision stands",
        AppealOutcome.VARIED: "a milder measure takes the place of the old one",
        AppealOutcome.REVERSED: "the decision is reversed, its measures have ended and its points count no more",
        AppealOutcome.OMITTED: "it was closed without a decision",
    }[change.outcome]
    yield f"Your appeal was decided on {dated(change.at, zone)} by somebody else: {came}. The reason:"
    yield f"> {change.why}"
    yield from _from_now_on(change.measures, zone)


def _from_now_on(measures: tuple[Measure, ...] | None, zone: ZoneInfo) -> Iterator[str]:
    if measures is not None:
        said = [measure_in_words(measure, zone) for measure in measures]
        yield f"From then on: {' '.join(said) if said else 'no measure.'}"


def _settled(measure: Measure, zone: ZoneInfo) -> str:
    """When a measure starts and ends whose times were open when the statement was issued."""
    start = f" starts on {dated(measure.start, zone)}" if measure.delay and measure.start else ""
    end = f" ends on {dated(measure.end, zone)}" if measure.end else ""
    times = " and".join(each for each in (start, end) if each)
    return f"The measure “{measure.kind.value}” on {_listed(measure.channels)}{times or ' has no end yet'}."


def _several(title: str, statement: Statement) -> str:
    return title if len(statement.clauses) == 1 else title.replace("clause", "clauses")


def printable(text: str) -> str:
    """Somebody else's text on one line: control, format and bidi characters are shown as escapes."""
    return "".join(_printable(each) for each in text)


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def counted(count: int, noun: str, many: str = "") -> str:
    """`1 point`, `1,200 points`; `many` where an `s` does not do."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
