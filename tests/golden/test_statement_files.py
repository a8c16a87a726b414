"""Statements as people read them, character for character. `--update` rewrites the files; read them as the person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import pytest

from comity.agreement import load
from comity.agreement.ladders import read_choice
from comity.casework import amend, appeal, review
from comity.casework.case_facts import CaseOpened, Noticed
from comity.casework.decide import Judged, decide
from comity.casework.facts import Accepted, Appealed, AppealOutcome, Delivered, Fact, How, OutcomeGiven, Party
from comity.casework.languages import ENGLISH, language_of
from comity.casework.printing import as_html, as_text
from comity.casework.record import Record, fold
from comity.casework.recorded import Recorded
from comity.casework.review import Deciding
from comity.casework.spoken import measure_in_words
from comity.casework.step import Circumstances, Confirmed
from comity.casework.telling import told_of
from comity.casework.wording import sections
from comity.flow.judge import Judging
from comity.model.agreement import Agreement
from comity.model.clause import Kind
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, AppealId, CaseId, Channel, DecisionId, Digest, MessageId, NoticeId, ReviewerId
from comity.model.message import Message
from comity.model.statement import Breach, Origin

STATEMENTS = Path(__file__).parent / "statements"
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ANN, MARA, NOOR = AccountId("ann"), ReviewerId("mara"), ReviewerId("noor")
AD: Final = "Get free money here! Only today."
THREAT: Final = "You will regret this, all of you."
VIRUS: Final = "Please run this program: it is great."
PICTURE: Final = "I found this picture on the web."
LINKS: Final = "Play: http://www.casino.example/a http://b.example http://c.example http://d.example"
SHOUT: Final = "WHY DOES NOBODY answer ME HERE?"
OFF_TOPIC: Final = "This is off topic, but hello."

Golden = Callable[[Path, str], None]


def house_rules() -> Agreement:
    file = STATEMENTS / "rules.md"
    checked = load(file.name, file.read_bytes(), lambda path: (STATEMENTS / path).read_bytes())
    assert checked.agreement is not None, checked.diagnostics
    return checked.agreement


class World:
    """Ann's record under the house rules, on a clock that goes on by a day with each act."""

    def __init__(self, language: str = "en") -> None:
        self.rules, self.judging = house_rules(), Judging(house_rules())
        self.facts: list[Fact] = [Accepted(account=ANN, at=START, agreement=self.rules.digest, language=language)]
        self.at, self.zone, self.is_replay = START, ZoneInfo("Europe/Berlin"), False

    @property
    def record(self) -> Record:
        return fold(ANN, self.facts)

    @property
    def last(self) -> Recorded:
        return self.record.decisions[-1]

    def tick(self) -> datetime:
        self.at += timedelta(days=1)
        return self.at

    def keep(self, facts: Iterable[Fact]) -> None:
        self.facts += facts

    def given(self) -> Circumstances:
        number = len(self.facts)
        delivery = Duration(count=1, unit=Unit.MINUTE) if self.is_replay else None
        return Circumstances(
            at=self.at, decision=DecisionId(f"{number:032x}"), case=CaseId(f"c{number:030x}0"), delivery=delivery
        )

    def message(self, text: str, channel: str = "posts") -> Message:
        id_ = MessageId(f"m{len(self.facts)}")
        return Message(
            id=id_,
            source="forum",
            author=ANN,
            channel=Channel(channel),
            text=text,
            sent=self.at,
            author_created=START - timedelta(hours=2),
        )

    def writes(self, text: str, channel: str = "posts", *, is_delivered: bool = True) -> Recorded:
        """Ann writes, a rule finds it, and the statement reaches her an hour later."""
        self.tick()
        message = self.message(text, channel)
        judged = Judged(message=message, findings=self.judging.judge(message), agreement=self.rules)
        self.keep(decide(self.record, judged, self.given()))
        return self.delivered() if is_delivered and not self.is_replay else self.last

    def delivered(self) -> Recorded:
        at = self.at + timedelta(hours=1)
        self.keep([Delivered(account=ANN, at=at, decision=self.last.id, how=How.SOURCE)])
        return self.last

    def reported(self, *texts: str, origin: Origin = Origin.USER) -> tuple[CaseId, list[Confirmed]]:
        """Somebody reports what no rule had seen; each text is what a reviewer finds to be a breach."""
        case, confirmed = CaseId(f"c{len(self.facts):030x}1"), []
        self.keep([CaseOpened(account=ANN, at=self.tick(), case=case, why="Reported.")])
        for text in texts:
            message = self.message(text)
            (finding,) = self.judging.judge(message)
            breach = Breach(
                source=message.source,
                message=message.id,
                channel=message.channel,
                sent=message.sent,
                clause=finding.clause,
                agreement=self.rules.digest,
                evidence=finding.evidence,
                origin=origin,
            )
            self.keep([self.notice(case, message, origin)])
            clause = self.rules.clause(finding.clause)
            confirmed.append(Confirmed(clause=clause, breach=breach, message=message, agreement=self.rules))
        return case, confirmed

    def notice(self, case: CaseId, message: Message, origin: Origin) -> Noticed:
        notice = NoticeId(f"n{len(self.facts)}")
        return Noticed(
            account=ANN,
            at=self.at,
            notice=notice,
            case=case,
            message=message,
            origin=origin,
            where="the forum",
            why="rude",
            good_faith=True,
        )

    def confirms(self, case: CaseId, confirmed: Sequence[Confirmed], instead: str | None = None) -> Recorded:
        self.tick()
        known = self.record.case(case)
        assert known is not None
        deciding = Deciding(case=case, version=known.version, by=MARA, why="I read the whole thread.")
        rows = None if instead is None else read_choice(instead, self.rules)
        self.keep(review.confirm(self.record, deciding, confirmed, self.given(), self.version_of, rows))
        return self.delivered()

    def version_of(self, digest: Digest) -> Agreement | None:
        return self.rules if digest == self.rules.digest else None

    def corrects(self, decision: DecisionId, note: str, instead: str | None = None) -> None:
        rows = None if instead is None else read_choice(instead, self.rules)
        self.keep(amend.correct(self.record, decision, MARA, note, self.tick(), rows=rows, version_of=self.version_of))

    def appeals(self, decision: DecisionId) -> AppealId:
        fact = Appealed(
            account=ANN,
            at=self.tick(),
            appeal=AppealId(f"a{len(self.facts)}"),
            decision=decision,
            party=Party.ACCOUNT,
            text="It was a quotation.",
        )
        self.keep(appeal.file(self.record, fact, self.rules.appeal_window))
        return fact.appeal

    def hears(self, decision: DecisionId, outcome: AppealOutcome, why: str, instead: str | None = None) -> None:
        """Ann appeals, and Noor, who took no part, decides."""
        given = OutcomeGiven(
            account=ANN,
            appeal=self.appeals(decision),
            at=self.tick(),
            decision=decision,
            outcome=outcome,
            by=NOOR,
            why=why,
        )
        rows = None if instead is None else read_choice(instead, self.rules)
        self.keep(appeal.give_outcome(self.record, given, rows, self.version_of))

    def read(self, decision: DecisionId) -> Recorded:
        one = self.record.decision(decision)
        assert one is not None
        return one


def warning(world: World) -> DecisionId:
    return world.writes(AD).id


def not_delivered_yet(world: World) -> DecisionId:
    return world.writes(AD, is_delivered=False).id


def removal(world: World) -> DecisionId:
    world.writes(AD)
    return world.writes(AD).id


def one_channel(world: World) -> DecisionId:
    return world.writes(THREAT).id


def all_channels(world: World) -> DecisionId:
    world.writes(THREAT)
    return world.writes(AD, "mail").id


def until_reviewed(world: World) -> DecisionId:
    world.writes(THREAT)
    return world.writes(THREAT).id


def until_a_condition(world: World) -> DecisionId:
    """A ladder of its own: the warning before it does not count."""
    world.writes(AD)
    return world.writes(VIRUS, "mail").id


def a_condition_that_was_met(world: World) -> DecisionId:
    decision = world.writes(VIRUS, "mail").id
    world.tick()
    world.keep(amend.attest(world.record, decision, "cleaned", "service desk", world.tick()))
    return decision


def delayed_start(world: World) -> DecisionId:
    return world.writes(PICTURE, is_delivered=False).id


def delayed_start_once_delivered(world: World) -> DecisionId:
    return world.writes(PICTURE).id


def delayed_start_that_an_appeal_holds(world: World) -> DecisionId:
    decision = world.writes(PICTURE).id
    world.appeals(decision)
    return decision


def delayed_start_once_the_appeal_is_decided(world: World) -> DecisionId:
    decision = world.writes(PICTURE).id
    world.hears(decision, AppealOutcome.UPHELD, "The picture is somebody else's.")
    return decision


def below_the_first_row(world: World) -> DecisionId:
    return world.writes(OFF_TOPIC).id


def several_in_one_message(world: World) -> DecisionId:
    return world.writes(f"{AD}\n\n{THREAT}").id


def from_a_notice(world: World) -> DecisionId:
    return world.confirms(*world.reported(THREAT)).id


def from_a_trusted_flagger(world: World) -> DecisionId:
    return world.confirms(*world.reported(AD, origin=Origin.TRUSTED_FLAGGER)).id


def several_messages(world: World) -> DecisionId:
    return world.confirms(*world.reported(AD, THREAT)).id


def milder_by_a_person(world: World) -> DecisionId:
    return world.confirms(*world.reported(THREAT), instead="suspend | posts | 2 hours").id


def closed_by_a_person(world: World) -> DecisionId:
    world.writes(THREAT)
    world.writes(THREAT)
    return world.confirms(*world.reported(THREAT)).id


def joined(world: World) -> DecisionId:
    decision = world.writes(AD, is_delivered=False).id
    world.at -= timedelta(hours=20)
    world.writes(AD, is_delivered=False)
    world.delivered()
    return decision


def corrected(world: World) -> DecisionId:
    decision = world.writes(THREAT).id
    world.corrects(decision, "The message was a quotation in part.", "remove, suspend | posts | 2 hours")
    return decision


def lifted(world: World) -> DecisionId:
    decision = world.writes(VIRUS, "mail").id
    world.keep(amend.lift(world.record, decision, MARA, "Somebody else had sent it.", world.tick()))
    return decision


def appeal_waits(world: World) -> DecisionId:
    decision = until_reviewed(world)
    world.appeals(decision)
    return decision


def upheld(world: World) -> DecisionId:
    decision = one_channel(world)
    world.hears(decision, AppealOutcome.UPHELD, "The thread shows that it was meant.")
    return decision


def varied(world: World) -> DecisionId:
    decision = until_reviewed(world)
    world.hears(decision, AppealOutcome.VARIED, "You apologised at once.", "suspend | posts | 7 days")
    return decision


def omitted(world: World) -> DecisionId:
    decision = one_channel(world)
    world.hears(decision, AppealOutcome.OMITTED, "You took your appeal back.")
    return decision


def reversed_after_an_appeal(world: World) -> DecisionId:
    decision = until_reviewed(world)
    world.hears(decision, AppealOutcome.REVERSED, "You quoted what somebody had said to you.")
    return decision


def recomputed(world: World) -> DecisionId:
    first = one_channel(world)
    second = world.writes(AD).id
    world.hears(first, AppealOutcome.REVERSED, "You quoted what somebody had said to you.")
    return second


def many_links_from_a_new_account(world: World) -> DecisionId:
    return world.writes(LINKS).id


def many_messages_in_capitals(world: World) -> DecisionId:
    """The first two are no breach."""
    world.tick()
    for _ in range(2):
        assert world.judging.judge(world.message("Good morning!")) == ()
    world.at -= timedelta(days=1, minutes=-5)
    return world.writes(SHOUT).id


def a_replay(world: World) -> DecisionId:
    world.is_replay = True
    return world.writes(AD).id


SCENES = (
    warning,
    not_delivered_yet,
    removal,
    one_channel,
    all_channels,
    until_reviewed,
    until_a_condition,
    a_condition_that_was_met,
    delayed_start,
    delayed_start_once_delivered,
    delayed_start_that_an_appeal_holds,
    delayed_start_once_the_appeal_is_decided,
    below_the_first_row,
    several_in_one_message,
    from_a_notice,
    from_a_trusted_flagger,
    several_messages,
    milder_by_a_person,
    closed_by_a_person,
    joined,
    corrected,
    lifted,
    appeal_waits,
    upheld,
    varied,
    omitted,
    reversed_after_an_appeal,
    recomputed,
    many_links_from_a_new_account,
    many_messages_in_capitals,
    a_replay,
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_statement_reads_as_it_did(scene: Callable[[World], DecisionId], golden: Golden) -> None:
    world = World()
    one = world.read(scene(world))
    golden(STATEMENTS / f"{scene.__name__}.txt", text(one, world))
    golden(STATEMENTS / f"{scene.__name__}.html", page(one, world))
    golden(
        STATEMENTS / f"{scene.__name__}.json", msgspec.json.format(msgspec.json.encode(told_of(one))).decode() + "\n"
    )


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_statement_reads_as_it_did_in_the_accounts_language(
    language: str, scene: Callable[[World], DecisionId], golden: Golden
) -> None:
    world = World(language)
    golden(STATEMENTS / language / f"{scene.__name__}.txt", text(world.read(scene(world)), world))


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("scene", [several_messages, delayed_start_once_delivered, varied])
def test_its_page_is_in_the_accounts_language(
    language: str, scene: Callable[[World], DecisionId], golden: Golden
) -> None:
    world = World(language)
    golden(STATEMENTS / language / f"{scene.__name__}.html", page(world.read(scene(world)), world))


def text(one: Recorded, world: World) -> str:
    statement = one.decided.statement
    told = sections(one, zone=world.zone, appeal_window=world.rules.appeal_window)
    return as_text(language_of(statement.language).title.format(id=statement.id), told)


def page(one: Recorded, world: World) -> str:
    statement = one.decided.statement
    say = language_of(statement.language)
    told = sections(one, zone=world.zone, appeal_window=world.rules.appeal_window)
    return as_html(say.title.format(id="").strip(), told, language=say.code, name=statement.id)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_17_nothing_is_missing_that_the_law_asks_for(scene: Callable[[World], DecisionId]) -> None:
    """EU DSA Article 17(3): measure, scope, end; facts; own initiative or notice; automation; ground; redress."""
    world = World()
    one = world.read(scene(world))
    told = as_text("", sections(one, zone=world.zone, appeal_window=None))
    text = " ".join(told.replace("  |", "").split())
    statement = one.decided.statement
    for measure in statement.measures:
        assert measure_in_words(measure, world.zone, messages=len(statement.messages)) in text
    assert ("in whichever country" in text) is any(each.kind is not Kind.WARN for each in statement.measures)
    assert all(" ".join(each.text.split()) in text for each in statement.messages)
    assert all(each.title in text and " ".join(each.prose.split()) in text for each in statement.clauses)
    assert any(each in text for each in (ENGLISH.found_by_rule, ENGLISH.found_by_person))
    assert any(each in text for each in (ENGLISH.decided_by_rule, ENGLISH.decided_by_person))
    assert any(each in text for each in (ENGLISH.on_own, ENGLISH.from_user, ENGLISH.from_flagger))
    assert "You can appeal" in text
    assert ENGLISH.elsewhere in text
    assert statement.contact in text
    assert statement.id in text


@pytest.mark.parametrize("file", sorted(STATEMENTS.rglob("*.html")), ids=lambda file: file.stem)
def test_a_page_needs_nothing_but_itself_and_fits_paper_and_telephone(file: Path) -> None:
    page = file.read_text(encoding="utf-8")
    own = "".join(re.findall(r"<style>.*?</style>|<[^>]*>", page, re.DOTALL))  # a message's links are text
    assert re.findall(r"(?i)<(?:script|link|img|iframe)|\bsrc=|href=|url\(|@import|https?:", own) == []
    assert all(each in page for each in ("width=device-width", "color-scheme: light dark", "@media print"))
