"""A statement in the words that its reader gets: sections of plain sentences, printed as text or as HTML.

What happened since it was issued (delivery, messages that joined, ends settled) is told after the original text,
under a heading of its own; the original sections never change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from comity.casework.record import Recorded
from comity.casework.statement import appeal_until
from comity.model.clause import Kind, Rate
from comity.model.duration import Duration
from comity.model.finding import Passage, Value
from comity.model.measure import Measure
from comity.model.statement import Breach, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its paragraphs. A paragraph that begins with `> ` is a quotation."""

    title: str
    paragraphs: tuple[str, ...]


def sections(one: Recorded, *, zone: ZoneInfo, appeal_window: Duration | None) -> tuple[Section, ...]:
    """The whole statement for a reader in `zone`."""
    statement = one.decided.statement
    told = (
        Section(title="What was decided", paragraphs=tuple(_decided(statement, zone))),
        Section(title="Your message", paragraphs=tuple(_message(statement, zone))),
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
    found = "a rule, without a person" if statement.found_automatically else "a person"
    decided = "automatically, as the agreement foresees" if statement.decided_automatically else "by a person"
    yield f"The breach was found by {found}. It was decided {decided}. We acted on our own initiative."
    if statement.is_replay:
        yield "This is a replay of past messages: it shows what the agreement would have done, and binds nobody."


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
        return f"{delay}until {met}{floor}"
    return f"{delay}without an end date".strip()


def _rate(rate: Rate | None) -> str:
    return f"{counted(rate.count, 'message')}{str(rate).removeprefix(str(rate.count))}" if rate else ""


def _message(statement: Statement, zone: ZoneInfo) -> Iterator[str]:
    message = statement.message
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
        yield f"Your message breaches “{titles[breach.clause]}”, because:"
        for line in dict.fromkeys(_evidence(breach, statement)):
            yield f"- {line}"
        if breach.late:
            yield "- it reached us late, so counts over time use only what was still known"


def _evidence(breach: Breach, statement: Statement) -> Iterator[str]:
    texts = {"text": statement.message.text, "subject": statement.message.subject}
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
        until = f"until the end of {day(appeal_until(one.delivered, window), zone)}"
    yield f"You can appeal {until}. Somebody who took no part in this decision decides; never a machine."
    if statement.contact:
        yield f"Write to {printable(statement.contact)} and name this statement: {statement.id}."
    yield "You may also turn to a certified out-of-court dispute body, or to a court. An appeal closes neither way."


def _since(one: Recorded, zone: ZoneInfo) -> Iterator[str]:
    if one.delivered is not None:
        yield f"This statement was delivered on {dated(one.delivered, zone)}."
    titles = {clause.id: clause.title for clause in one.decided.statement.clauses}
    for joined in one.joined:
        treated = " and was removed too" if joined.removed else " and is shown with a notice" if joined.marked else ""
        title = titles.get(joined.breach.clause, joined.breach.clause)
        sent = dated(joined.breach.sent, zone)
        yield (
            f"Correction of {dated(joined.at, zone)}: a message sent on {sent} (id {printable(joined.breach.message)}) "
            f"breaches the clause “{title}” as well{treated}. It adds no point and no measure."
        )
    for condition, at in one.met:
        yield f"The condition “{condition}” was met on {dated(at, zone)}."
    for measure in one.measures:
        if (measure.delay and measure.start) or (measure.until and one.met):
            yield _settled(measure, zone)


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
