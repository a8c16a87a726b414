"""Times, durations and measures in a reader's language: the parts that a statement's sentences are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from comity.casework.languages import ENGLISH, Language
from comity.casework.languages.language import OneAndMany
from comity.model.clause import Act, Kind, Range, Rate, Reaches, Row, Term, Until
from comity.model.duration import Duration, Unit
from comity.model.measure import Measure


def dated(at: datetime, zone: ZoneInfo, say: Language = ENGLISH) -> str:
    """`23 November 2026, 21:05 (UTC)`, with the zone named."""
    local = _local(at, zone)
    return say.dated.format(**_date(local, say), time=f"{local:%H:%M}")


def day(at: datetime, zone: ZoneInfo, say: Language = ENGLISH) -> str:
    """`23 November 2026 (UTC)`."""
    return say.day.format(**_date(_local(at, zone), say))


def _date(local: datetime, say: Language) -> dict[str, str]:
    number = say.first_day if local.day == 1 else str(local.day)
    return {
        "day": number,
        "month": say.months[local.month - 1],
        "year": f"{local.year:04d}",
        "zone": local.tzname() or "",
    }


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """At the ends of the calendar, where another zone would have another year, the time in UTC."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def duration(length: Duration, say: Language) -> str:
    """`7 days`."""
    return f"{length.count} {one_or_many(say.units[length.unit], length.count)}"


_PERIOD: Final = re.compile(rf"(\d+) ({'|'.join(Unit)})s?\b")


def period(text: str, say: Language) -> str:
    """What an agreement says of a time, such as `6 months or 184 days`."""
    spoken = _PERIOD.sub(lambda found: duration(Duration(count=int(found[1]), unit=Unit(found[2])), say), text)
    return spoken.replace(" or ", f" {say.or_} ")


_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?) (second|minute|hour|day)s?\b")


def span(text: str, say: Language) -> str:
    """What a length of time came to, such as `1 day 2.5 hours`."""
    return _SPAN.sub(lambda found: _part(found[1], Unit(found[2]), say), text)


def _part(count: str, unit: Unit, say: Language) -> str:
    return f"{decimal(count, say)} {one_or_many(say.units[unit], count)}"


def decimal(number: str, say: Language) -> str:
    """`0.75` as this language writes it."""
    return number.replace(".", say.decimal_point)


def several(count: int, nouns: OneAndMany, say: Language) -> str:
    """`1 point`, `1,200 points`."""
    return f"{whole(count, say)} {one_or_many(nouns, count)}"


def whole(count: int, say: Language) -> str:
    """`1,200` as this language writes it."""
    return f"{count:,}".replace(",", say.thousands)


def one_or_many(nouns: OneAndMany, count: int | str) -> str:
    """The word or the sentence for so many."""
    one, many = nouns
    return one if str(count) == "1" else many


def listed(names: Iterable[str], say: Language) -> str:
    """`posts, mail and threads`."""
    *most, last = names
    return f"{', '.join(most)} {say.and_} {last}" if most else last


def measure_in_words(measure: Measure, zone: ZoneInfo, say: Language = ENGLISH, *, messages: int = 1) -> str:
    """One measure as a sentence to the person it concerns."""
    if measure.kind.is_on_message:
        said = _treated(measure, messages, say)
        return f"{said} {only_in(measure.territory, say)}" if measure.territory else said
    what = _limited(say.limited, measure.rate, say) if measure.kind is Kind.LIMIT else say.kinds[measure.kind]
    if not measure.channels:
        return what
    return say.on_channels.format(what=what, channels=listed(measure.channels, say), term=_term(measure, zone, say))


def _treated(measure: Measure, messages: int, say: Language) -> str:
    """What was done with the message, or what will be."""
    is_removed = measure.kind is Kind.REMOVE
    if not measure.delay:
        return one_or_many(say.removed if is_removed else say.marked, messages)
    later = one_or_many(say.removed_later if is_removed else say.marked_later, messages)
    return later.format(delay=duration(measure.delay, say))


def only_in(territory: tuple[str, ...], say: Language) -> str:
    """In which countries a measure on the message holds."""
    names = listed([say.countries.get(code, code) for code in territory], say)
    return one_or_many(say.only_in, len(territory)).format(countries=names)


def _limited(sentence: str, rate: Rate | None, say: Language) -> str:
    if rate is None:
        return sentence
    return sentence.format(messages=several(rate.count, say.messages, say), each=say.each[rate.per.unit])


def _term(measure: Measure, zone: ZoneInfo, say: Language) -> str:
    delay = say.delay.format(delay=duration(measure.delay, say)) if measure.delay else ""
    if measure.end is not None:
        most = say.range.format(most=duration(measure.most, say)) if measure.most else ""
        return f"{delay}{say.until.format(end=dated(measure.end, zone, say))}{most}"
    if measure.length:
        return delay + say.for_.format(length=duration(measure.length, say))
    if measure.until:
        return "".join((delay, *_until(measure, zone, say)))
    return delay + say.no_end


def _until(measure: Measure, zone: ZoneInfo, say: Language) -> Iterator[str]:
    names = [say.quoted.format(name=called(name, say)) for name in measure.until]
    yield one_or_many(say.until_conditions, len(names)).format(names=listed(names, say))
    if measure.at_least:
        yield say.at_least.format(least=duration(measure.at_least, say))
    if measure.not_after:
        yield say.at_latest.format(end=dated(measure.not_after, zone, say))


def called(name: str, say: Language) -> str:
    """What a condition is called: those that every agreement has in the reader's language, others as it names them."""
    return say.condition_names.get(name, name)


def row_in_words(row: Row, say: Language) -> str:
    """A ladder's row as one phrase about what would be: `you may not send anything on any channel for 7 days`."""
    on_message = [act for act in row.acts if act.kind.is_on_message or act.kind is Kind.WARN]
    on_account = [_act(act, say) for act in row.acts if act not in on_message]
    phrases = [_act(act, say) for act in on_message]
    if on_account:
        phrases.append(listed(on_account, say) + _on(row, say) + _row_term(row.term, say))
    return listed(phrases, say)


def _act(act: Act, say: Language) -> str:
    return _limited(say.next_kinds[act.kind], act.rate, say)


def _on(row: Row, say: Language) -> str:
    is_closing = all(act.kind is Kind.TERMINATE for act in row.acts if not act.kind.is_on_message)
    if row.channels is None or (is_closing and row.channels is Reaches.ALL):
        return ""
    if isinstance(row.channels, Reaches):
        return say.next_all if row.channels is Reaches.ALL else say.next_same
    return say.next_channels.format(channels=listed(sorted(row.channels), say))


def _row_term(term: Term, say: Language) -> str:
    delay = say.next_delay.format(delay=duration(term.delay, say)) if term.delay else ""
    match term.length:
        case Duration():
            return say.next_term.format(term=say.for_.format(length=duration(term.length, say))) + delay
        case Range(least=least, most=most):
            length = f"{duration(least, say)} {say.to} {duration(most, say)}"
            return say.next_term.format(term=say.for_.format(length=length)) + delay
        case Until(conditions=conditions, at_least=at_least):
            names = [say.quoted.format(name=called(name, say)) for name in conditions]
            floor = say.at_least.format(least=duration(at_least, say)) if at_least else ""
            met = one_or_many(say.until_conditions, len(names)).format(names=listed(names, say))
            return say.next_term.format(term=met) + floor + delay
        case None:
            return delay
