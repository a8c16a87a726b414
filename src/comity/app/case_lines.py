"""A case or an appeal at the terminal: all that whoever decides has to read, and what they can do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from comity.casework.case_facts import CaseKind, Known, Noticed
from comity.casework.cases import Case, waiting
from comity.casework.facts import Party
from comity.casework.languages import ENGLISH
from comity.casework.record import Record
from comity.casework.recorded import Appeal, Recorded
from comity.casework.timeline import in_short
from comity.casework.visible import visible
from comity.casework.why import reasons
from comity.casework.wording import dated, printable
from comity.model.ids import MessageId

Texts = Mapping[tuple[str, MessageId], str]

_NOT_KEPT: Final = "its text is not kept"
_ASSESS: Final = "{act} --assess{who}` says what you would say, with `--clause` for each clause that is breached."
_NEXT: Final = {
    CaseKind.REVIEW: "{act} --confirm{who}` shows the statement and asks; `--clause` names what is breached,"
    " `--instead` a milder measure. `--dismiss` in place of `--confirm`: it is no breach.",
    CaseKind.CEILING: "{act} --confirm{who}` goes as far as the ladder does, `--instead` less far;"
    " `--dismiss` reverses the decision.",
    CaseKind.UNTIL_REVIEWED: "{act} --confirm{who}` ends the measure and leaves the breach; with `--instead` a milder"
    " measure takes its place; `--dismiss` reverses the decision.",
    CaseKind.UNMET: "{act} --confirm{who}` lets the measure go on until the condition is met; with `--instead` a milder"
    " one takes its place; `--dismiss` reverses the decision. `comity attest` says that the condition is met.",
    CaseKind.ON_HOLD: "{act} --dismiss{who}` lets the message pass; `--confirm --clause CLAUSE`: it is a breach.",
    CaseKind.SECOND_REVIEW: _ASSESS,
    CaseKind.SAMPLE: _ASSESS,
}


def case_lines(record: Record, case: Case, texts: Texts, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    """`texts`: what its messages say, as far as it is kept."""
    yield f"Case {case.id}, version {case.version}: {case.opened.why}"
    yield f"  account {printable(case.opened.account)}, since {dated(case.since, zone)}"
    yield from _shown(record, case, texts)
    for breach in case.breaches:
        yield f"  a rule found “{breach.clause}” in message {printable(breach.message)}:"
        text = texts.get((breach.source, breach.message))
        yield from _text(text)
        for reason in reasons(breach.evidence, {"text": text or ""}, zone, ENGLISH):
            yield f"    - {printable(reason)}"
    for each in waiting(case, now):
        until = dated(each.until, zone)
        yield f"  message {printable(each.message)} waits for a decision; undecided, it is let through on {until}"
    for notice in case.notices:
        yield from _notice(notice)
    yield from _ended(case, zone, now)


def _notice(notice: Noticed) -> Iterator[str]:
    by = f"{'a' if notice.origin != 'authority' else 'an'} {notice.origin}"
    under = f" under “{notice.clause}”" if notice.clause else ""
    yield f"  reported by {by}{under}: {printable(notice.why)}"
    if notice.where:
        yield f"    where: {printable(notice.where)}"
    if notice.known is Known.TEXT:
        yield from _text(notice.message.text)
        return
    unknown = ", nor is it known who sent it" if notice.known is Known.NOTHING else ""
    yield f"    message {printable(notice.message.id)}: {_NOT_KEPT}{unknown}"
    yield f"    as the report quotes it: {printable(notice.quote)}" if notice.quote else "    it is not quoted"


def _shown(record: Record, case: Case, texts: Texts) -> Iterator[str]:
    """The messages of a sample; of a decision, which a second reviewer is not told of."""
    message = case.opened.message
    if message is not None:
        yield f"  message {printable(message.id)}:"
        yield from _text(message.text)
    about = record.decision(case.opened.about) if case.opened.about else None
    if case.opened.kind is CaseKind.SECOND_REVIEW:
        for (_, id_), text in texts.items():
            yield f"  message {printable(id_)}:"
            yield from _text(text)
    elif about is not None:
        yield from _about(about, texts)


def _about(one: Recorded, texts: Texts) -> Iterator[str]:
    measures = ", ".join(map(in_short, one.foreseen)) or "no measure"
    yield f"  about statement {one.id}, by {printable(one.decided.by or 'a rule')}: {measures}"
    for breach in one.breaches:
        yield f"  message {printable(breach.message)} breaches “{breach.clause}”:"
        yield from _text(texts.get((breach.source, breach.message)))


def _ended(case: Case, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    """How it was closed; or who works on it."""
    if case.closed is not None:
        yield f"  closed by {printable(case.closed.by)} on {dated(case.closed.at, zone)}: {printable(case.closed.why)}"
        return
    holder = case.holder(now)
    if holder is not None and case.held_until is not None:
        yield f"  {printable(holder)} works on it until {dated(case.held_until, zone)}"


def how_to_decide(case: Case) -> str:
    """The commands; empty if it is closed."""
    if case.closed is not None:
        return ""
    return _NEXT[case.opened.kind].format(act=f"`comity case {case.id}", who=" --by NAME --why REASON")


def appeal_lines(record: Record, one: Appeal, zone: ZoneInfo) -> Iterator[str]:
    """What somebody says against a decision."""
    filed, against = one.filed, record.decision(one.filed.decision)
    yield f"Appeal {filed.appeal} of {dated(filed.at, zone)}"
    whose = "the account" if filed.party is Party.ACCOUNT else f"the sender of notice {filed.notice}"
    yield f"  from {whose}{f', filed by {printable(filed.by)}' if filed.by else ''}:"
    yield from _text(filed.text)
    for each in filed.attachments:
        yield f"    file {printable(each.name)}, {each.size:,} bytes"
    if against is not None:
        yield f"  against the decision of {printable(against.decided.by or 'a rule')}: `comity statement {against.id}`"
        if filed.party is Party.ACCOUNT and one.outcome is None:
            due = dated(one.due(against.decided.decide_within), zone)
            yield f"  to be decided by {due}; from then on the measures do not hold until it is"
    else:
        yield f"  against the dismissal {filed.decision}"
    if one.outcome is not None:
        said = one.outcome
        yield f"  {said.outcome} by {printable(said.by)} on {dated(said.at, zone)}: {printable(said.why)}"


def how_to_answer(one: Appeal) -> str:
    """The command; empty if it was decided."""
    if one.outcome is not None:
        return ""
    varied = "varied (with `--instead`), " if one.filed.party is Party.ACCOUNT else ""
    return (
        f"`comity outcome {one.filed.appeal} OUTCOME --by NAME --why REASON` decides it: upheld, {varied}reversed or"
        " omitted (taken back, say)."
    )


def _text(text: str | None) -> Iterator[str]:
    for line in visible(_NOT_KEPT if text is None else text).split("\n"):
        yield f"    {line}"
