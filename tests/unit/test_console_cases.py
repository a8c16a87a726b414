"""Reviewers at work: the queue, a case, what would be sent, races, and appeals decided by somebody else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from console_browser import Browser, Form, Served
from test_flow_record import DAY, NOW, World, agreement

from comity.casework.case_facts import Known
from comity.casework.facts import AppealOutcome, Decided, Dismissed, OutcomeGiven
from comity.casework.record import standing
from comity.flow import appeal, review
from comity.flow.appeal import Complaint
from comity.model.access import Role
from comity.model.ids import AccountId, CaseId, Channel, MessageId, ReviewerId
from comity.model.measure import State
from comity.model.message import Message

ROWS = "| 1 | warn | | |\n| 2 | suspend | posts | 2 days |\n| 4 | suspend | all | 30 days |"
WHY = "It was sent to everybody."


@pytest.fixture
def world() -> World:
    return World(agreement(ROWS, "decide=review points=2"), "live")


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[Served]:
    one = Served(world, tmp_path)
    yield one
    one.close()


@pytest.fixture
def mara(served: Served) -> Iterator[Browser]:
    with served.browser() as browser:
        browser.sign_in("mara", Role.REVIEWER)
        yield browser


@pytest.fixture
def abe(served: Served, mara: Browser) -> Browser:
    browser = served.another(mara)
    browser.sign_in("abe", Role.REVIEWER, Role.APPEALS_REVIEWER)
    return browser


def case_of(world: World, text: str = "spam, and a lot of it", author: str = "ann") -> str:
    world.say(text, author=author)
    *_, (id_, _account) = world.store.waiting()
    return f"/console/cases/{id_}"


def decide(browser: Browser, case: str, **said: str | list[str]) -> str:
    """Previews, then sends what was previewed; where one is then."""
    shown = browser.send(case, f"{case}/preview", **said)
    assert shown.status_code == 200
    return browser.send_on(shown.text, f"{case}/decision").headers["Location"]


def decisions(world: World) -> list[Decided]:
    return [fact for fact in world.store.facts([Decided]) if isinstance(fact, Decided)]


def text_of(page: str) -> str:
    """As it reads: without tags, white space as it is drawn."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"</?mark[^>]*>", "", page))).split())


def test_a_reviewer_finds_a_case_reads_what_would_be_sent_and_sends_just_that(world: World, mara: Browser) -> None:
    case = case_of(world)
    queue = mara.get("/console/queue").text
    assert case in queue
    assert "waits less than a minute" in queue
    page = mara.get(case).text
    assert "<mark" in page
    assert "Do not." in page
    shown = mara.send(case, f"{case}/preview", why=WHY)
    assert decisions(world) == []  # nothing is sent by looking
    for said in ("You may not send anything on posts", WHY, "spam, and a lot of it", "If you disagree"):
        assert said in text_of(shown.text), said
    told = mara.send_on(shown.text, f"{case}/decision")
    (made,) = decisions(world)
    assert told.headers["Location"] == f"/console/queue?done={made.decision}"
    assert (made.by, made.statement.reasoning) == ("mara", WHY)
    assert case not in mara.get("/console/queue").text
    assert standing(world.proceedings.record(AccountId("ann")), Channel("posts"), NOW).state is State.CUT


def test_what_is_previewed_reads_as_what_the_person_reads(world: World, mara: Browser) -> None:
    case = case_of(world)
    shown = text_of(mara.send(case, f"{case}/preview", why=WHY).text)
    decide(mara, case, why=WHY)
    closed = mara.get(case).text
    (made,) = decisions(world)
    for quoted in (clause.prose for clause in made.statement.clauses):
        assert quoted in shown
    assert made.statement.reasoning in shown
    assert "mara decided this case" in text_of(closed)
    assert f"{case}/decision" not in closed


def test_without_reasons_nothing_can_be_sent(world: World, mara: Browser) -> None:
    case = case_of(world)
    shown = mara.send(case, f"{case}/preview", why="  ")
    assert "Write your reasons" in shown.text
    assert f"{case}/decision" not in shown.text
    assert mara.send_on(mara.send(case, f"{case}/preview", why=WHY).text, f"{case}/decision", why="").status_code == 409
    assert decisions(world) == []


def test_a_clause_that_is_ticked_changes_what_is_offered_and_nothing_else_does(world: World, mara: Browser) -> None:
    case = case_of(world)
    page = mara.get(case).text
    given = {**Form(page, f"{case}/preview").fields, "why": WHY, "choice": "warn"}

    def part(**said: object) -> str:
        headers = {"HX-Request": "true"}
        told = mara.client.post(f"{case}/preview", data={**given, **said}, headers=headers)
        assert told.status_code == 200
        return told.text

    assert 'id="rows"' not in part(), "what somebody chooses meanwhile is not taken from them"
    both = part(clauses=["spam", "other"])
    rows = both[both.index('id="rows"') :]
    assert 'hx-swap-oob="true"' in rows
    assert "As the agreement says: suspend on posts for 2 days" in text_of(rows)
    assert 'value="spam other"' in rows


def test_milder_measures_are_offered_and_harsher_ones_refused(world: World, mara: Browser) -> None:
    case = case_of(world)
    page = text_of(mara.get(case).text)
    assert "1 As the agreement says: suspend on posts for 2 days" in page
    assert "2 Milder: warn" in page
    assert "30 days" not in page.split("Decide", 1)[1].split("Your reasons")[0]
    harsher = mara.send(case, f"{case}/preview", why=WHY, choice="own", own="suspend | all | 300 days")
    assert "This cannot be sent" in harsher.text
    assert "The measures cannot be read" in mara.send(case, f"{case}/preview", why=WHY, choice="own", own="hug").text
    decide(mara, case, why=WHY, choice="warn")
    (made,) = decisions(world)
    assert made.is_milder
    assert [each.kind for each in made.measures] == ["warn"]


def test_a_case_that_is_no_breach_is_dismissed(world: World, mara: Browser) -> None:
    case = case_of(world)
    assert (
        "The account is told nothing" in mara.send(case, f"{case}/preview", why="A quotation.", choice="dismiss").text
    )
    assert decide(mara, case, why="A quotation.", choice="dismiss") == "/console/queue?done=closed"
    (made,) = world.store.facts([Dismissed])
    assert isinstance(made, Dismissed)
    assert (made.by, made.why) == ("mara", "A quotation.")
    assert decisions(world) == []


def test_of_two_who_decide_at_once_the_second_learns_who_was_first(world: World, mara: Browser, abe: Browser) -> None:
    case = case_of(world)
    seen = abe.send(case, f"{case}/preview", why="Mine.").text
    decide(mara, case, why=WHY)
    world.clock.at += timedelta(minutes=3)
    told = abe.send_on(seen, f"{case}/decision")
    assert told.status_code == 412
    assert "mara decided this case 3 minutes ago" in told.text
    assert [made.by for made in decisions(world)] == ["mara"]


def test_a_case_that_changed_since_it_was_read_is_not_decided(world: World, mara: Browser) -> None:
    case = case_of(world)
    seen = mara.send(case, f"{case}/preview", why=WHY).text
    world.say("spam again")
    told = mara.send_on(seen, f"{case}/decision")
    assert told.status_code == 412
    assert "The case has changed" in told.text
    assert decisions(world) == []


def test_who_claims_a_case_has_it_and_others_look(world: World, mara: Browser, abe: Browser) -> None:
    case = case_of(world)
    seen = abe.send(case, f"{case}/preview", why=WHY).text
    assert mara.send("/console/queue", f"{case}/work").headers["Location"] == case
    assert "mara works on this case" in abe.get(case).text
    assert f'action="{case}/preview"' not in abe.get(case).text
    assert "mara has claimed this case" in abe.send_on(seen, f"{case}/decision").text
    assert case not in abe.get("/console/queue").text
    assert case in abe.get("/console/queue?who=all").text
    assert case in mara.get("/console/queue?who=own").text
    mara.send(case, f"{case}/work")  # the first form of its page: release
    assert case in abe.get("/console/queue").text


def test_a_case_is_handed_over_and_escalated(world: World, mara: Browser, abe: Browser) -> None:
    case = case_of(world)
    mara.send("/console/queue", f"{case}/work")
    page = mara.get(case).text
    told = mara.send_on(page, f"{case}/work", act="hand over", to=" Abe ")
    assert told.status_code == 303
    assert case in abe.get("/console/queue?who=own").text
    abe.send_on(abe.get(case).text, f"{case}/work", act="escalate", why="It may be a crime.")
    assert "escalated by abe: It may be a crime." in text_of(mara.get(case).text)
    refused = mara.send_on(page, f"{case}/work", act="delete")
    assert refused.status_code == 400


def test_the_queue_is_filtered_by_its_address_and_paged_by_a_cursor(world: World, mara: Browser) -> None:
    cases = [case_of(world, author=f"a{number:02}") for number in range(30)]
    first = mara.get("/console/queue?clause=spam").text
    shown = [case for case in cases if case in first]
    assert len(shown) == 25
    more = re.search(r'href="(/console/queue\?clause=spam&amp;after=\w+)"', first)
    assert more is not None
    rest = mara.get(html.unescape(more[1])).text
    assert sorted([*shown, *(case for case in cases if case in rest)]) == sorted(cases)
    assert "Nothing here fits" in mara.get("/console/queue?kind=ceiling").text
    assert mara.get("/console/queue?clause=" + "x" * 300).status_code == 400
    assert "30 cases and appeals wait" in mara.get("/console/waiting").text


def test_an_empty_queue_says_what_would_fill_it(mara: Browser) -> None:
    assert "Nothing waits" in mara.get("/console/queue").text


def test_the_account_is_there_as_it_stands_with_its_past(world: World, mara: Browser) -> None:
    decide(mara, case_of(world), why=WHY, choice="warn")
    page = text_of(mara.get(case_of(world, "spam once more")).text)
    assert "posts open" in page
    assert "points 2" in page
    assert "spam: warn by mara" in page


def test_somebody_elses_text_is_text_wherever_it_stands(world: World, mara: Browser, abe: Browser) -> None:
    evil = "<script>alert(1)</script>\u202e<img src=x onerror=alert(1)> spam"
    world.say(evil, author=evil)
    (id_, _account), *_ = world.store.waiting()
    case = f"/console/cases/{id_}"
    pages = [mara.get("/console/queue").text, mara.get(case).text, mara.send(case, f"{case}/preview", why=evil).text]
    pages.append(mara.get("/console/bulk?clause=spam").text)
    decide(mara, case, why=evil)
    (made,) = decisions(world)
    filed = appeal.file(world.proceedings, Complaint(decision=made.decision, text=evil, by=evil), world.clock.now())
    pages += [abe.get("/console/appeals").text, abe.get(f"/console/appeals/{filed.appeal}").text]
    pages.append(mara.get(f"/console/queue?done={evil}&clause={evil}").text)
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in pages[1]


def test_the_one_who_decided_cannot_decide_the_appeal_and_is_told_why(
    world: World, mara: Browser, abe: Browser, served: Served
) -> None:
    decide(abe, case_of(world), why=WHY)
    (made,) = decisions(world)
    filed = appeal.file(world.proceedings, Complaint(decision=made.decision, text="I did not."), NOW)
    place = f"/console/appeals/{filed.appeal}"
    assert "you took part" in abe.get("/console/appeals").text
    page = abe.get(place).text
    assert "You took part in this decision, so somebody else has to decide the appeal" in page
    assert f"{place}/preview" not in page
    token = {"csrf": re.search(r'name="csrf" value="(\w+)"', page)[1], "outcome": "reversed", "why": "Me."}  # type: ignore[index]
    told = abe.client.post(f"{place}/outcome", data=token, follow_redirects=False)
    assert told.status_code == 409
    assert "abe took part in the decision" in told.text
    assert list(world.store.facts([OutcomeGiven])) == []
    assert mara.get(place).status_code == 403  # a reviewer of cases decides no appeals


def test_an_appeals_reviewer_reverses_and_the_account_may_send_again(world: World, mara: Browser, abe: Browser) -> None:
    decide(mara, case_of(world), why=WHY)
    (made,) = decisions(world)
    filed = appeal.file(world.proceedings, Complaint(decision=made.decision, text="I did not."), NOW)
    place = f"/console/appeals/{filed.appeal}"
    assert "I did not." in abe.get("/console/appeals").text
    assert "Write your reasons" in abe.send(place, f"{place}/preview", outcome="reversed").text
    shown = abe.send(place, f"{place}/preview", outcome="reversed", why="A quotation.")
    assert "A quotation." in text_of(shown.text)
    record = world.proceedings.record(AccountId("ann"))
    assert standing(record, Channel("posts"), NOW).state is State.CUT  # nothing is sent by looking
    seen = shown.text
    assert abe.send_on(seen, f"{place}/outcome").headers["Location"] == "/console/appeals?done=reversed"
    record = world.proceedings.record(AccountId("ann"))
    assert standing(record, Channel("posts"), NOW).state is State.OPEN
    assert "No appeal waits" in abe.get("/console/appeals").text
    again = abe.send_on(seen, f"{place}/outcome")
    assert again.status_code == 412
    assert "abe decided this appeal" in again.text


def test_a_milder_measure_takes_the_place_of_the_old_on_appeal(world: World, mara: Browser, abe: Browser) -> None:
    decide(mara, case_of(world), why=WHY)
    (made,) = decisions(world)
    filed = appeal.file(world.proceedings, Complaint(decision=made.decision, text="Too long."), NOW)
    place = f"/console/appeals/{filed.appeal}"
    harsher = abe.send(place, f"{place}/preview", outcome="varied", own="suspend | posts | 9 days", why="So.")
    assert "This cannot be sent" in harsher.text
    shown = abe.send(place, f"{place}/preview", outcome="varied", own="suspend | posts | 1 days", why="So.")
    abe.send_on(shown.text, f"{place}/outcome")
    (given,) = world.store.facts([OutcomeGiven])
    assert isinstance(given, OutcomeGiven)
    assert given.outcome == "varied"
    assert standing(world.proceedings.record(AccountId("ann")), Channel("posts"), NOW + DAY).state is State.OPEN


def test_a_file_that_came_with_an_appeal_is_saved_and_never_opened_here(
    world: World, mara: Browser, abe: Browser
) -> None:
    decide(mara, case_of(world), why=WHY)
    (made,) = decisions(world)
    evil = (('x".html\r\nX: y', b"<script>alert(1)</script>"),)
    filed = appeal.file(world.proceedings, Complaint(decision=made.decision, text="See.", files=evil), NOW)
    told = abe.get(f"/console/appeals/{filed.appeal}/files/0")
    assert told.content == evil[0][1]
    assert told.headers["Content-Type"] == "application/octet-stream"
    assert told.headers["Content-Disposition"].startswith("attachment;")
    assert "x" not in {name.lower() for name in told.headers}
    assert abe.get(f"/console/appeals/{filed.appeal}/files/1").status_code == 404
    assert abe.get("/console/appeals/nothing/files/0").status_code == 404


def test_what_one_rule_found_is_decided_at_once_after_the_sample_was_read(world: World, mara: Browser) -> None:
    for number in range(8):
        case_of(world, author=f"a{number}")
    place = "/console/bulk?clause=spam"
    page = mara.get(place).text
    read = re.findall(r'name="read" value="(\w+)"', page)
    assert len(read) == 5
    refused = mara.send_on(page, "/console/bulk", choice="ladder", why=WHY, read=read[:4])
    assert refused.status_code == 409
    assert "read the sample first" in refused.text
    assert decisions(world) == []
    told = mara.send_on(page, "/console/bulk", choice="ladder", why=WHY, read=read)
    assert told.headers["Location"] == "/console/queue?done=bulk&count=8"
    assert len(decisions(world)) == 8
    assert "Nothing is alike" in mara.get(place).text


def test_a_case_that_is_not_there_is_a_page_that_says_so(mara: Browser, abe: Browser) -> None:
    for path in ("/console/cases/nothing", "/console/appeals/nothing"):
        told = abe.get(path)
        assert told.status_code == 404
        assert "may have been erased" in told.text


def test_an_operator_looks_and_does_not_decide(world: World, mara: Browser, served: Served) -> None:
    case = case_of(world)
    olga = served.another(mara)
    olga.sign_in("olga", Role.OPERATOR)
    page = olga.get(case).text
    assert "spam, and a lot of it" in text_of(page)
    assert f"{case}/preview" not in page
    assert f"{case}/work" not in olga.get("/console/queue").text


def test_an_unclear_report_gets_its_clause_from_the_reviewer(world: World, mara: Browser) -> None:
    message = world.store.message("s", world.say("hello").message)
    assert message is None  # nothing was found in it, so nobody keeps it but who reports it
    reported = Message(
        id=MessageId("r1"), author=AccountId("ann"), channel=Channel("posts"), text="hello", sent=NOW, source="s"
    )
    review.notice(world.proceedings, review.Notice(message=reported, where="here", why="Rude.", good_faith=True), NOW)
    *_, (id_, _account) = world.store.waiting()
    case = f"/console/cases/{CaseId(id_)}"
    page = text_of(mara.get(case).text)
    assert "Rude." in page
    assert "No clause is named yet" in page
    assert "This cannot be sent" in mara.send(case, f"{case}/preview", why=WHY).text
    decide(mara, case, why=WHY, clauses=["other"])
    (made,) = decisions(world)
    assert [breach.clause for breach in made.breaches] == ["other"]
    assert made.by == ReviewerId("mara")


@pytest.mark.parametrize(
    ("choice", "known"), [("ladder", Known.SENDER), ("dismiss", Known.SENDER), ("dismiss", Known.TEXT)]
)
def test_an_appeal_shows_what_was_reported_and_what_the_report_says_that_it_reads(
    world: World, mara: Browser, abe: Browser, choice: str, known: Known
) -> None:
    text = "hello there" if known is Known.TEXT else ""
    reported = Message(
        id=MessageId("r1"), author=AccountId("ann"), channel=Channel("posts"), text=text, sent=NOW, source="s"
    )
    given = review.Notice(
        message=reported, where="on page 7", why="Rude.", good_faith=True, quote="Hello, you fool.", known=known
    )
    noticed = review.notice(world.proceedings, given, NOW)
    case = f"/console/cases/{noticed.case}"
    decide(mara, case, why=WHY, choice=choice, clauses=["other"])
    (decision,) = [fact.decision for fact in world.store.facts([Decided, Dismissed])]
    notice = noticed.notice if choice == "dismiss" else None
    filed = appeal.file(world.proceedings, Complaint(decision=decision, text="No.", notice=notice), NOW)
    page = text_of(abe.get(f"/console/appeals/{filed.appeal}").text)
    assert "Rude. Where: on page 7" in page
    assert ("Whoever reported it says that it reads: Hello, you fool." in page) == (known is Known.SENDER)
    assert ("hello there" in page) == (known is Known.TEXT)
    assert "the statement quotes it" not in page


def test_the_queue_shows_subjects_and_offers_to_unblur_only_what_is_blurred(world: World, mara: Browser) -> None:
    letter = Message(
        id=MessageId("r1"),
        author=AccountId("ann"),
        channel=Channel("mail"),
        subject="A letter",
        text="hello",
        sent=NOW,
        source="s",
    )
    review.notice(world.proceedings, review.Notice(message=letter, where="here", why="Rude.", good_faith=True), NOW)
    page = mara.get("/console/queue").text
    assert "A letter hello" in text_of(page)
    assert "Show what is blurred" not in page
    case_of(world, author="bob")
    assert "Show what is blurred" in mara.get("/console/queue").text


def alike(browser: Browser, case: str) -> str:
    """What a case's page says of similar cases of others, once they were looked for."""
    said = "still being looked for"
    while "still being looked for" in said:
        found = re.search(r'<section id="similar"[^>]*>(.*?)</section>', browser.get(case).text, re.DOTALL)
        assert found is not None
        said = text_of(found[1])
    return said


def test_similar_cases_of_others_say_how_they_ended(world: World, mara: Browser, abe: Browser) -> None:
    first = case_of(world)
    assert "nothing was decided on the same words of others, and no person decided under this clause" in alike(
        mara, first
    )
    decide(mara, first, choice="ladder", why=WHY)
    decide(mara, case_of(world, "spam of another kind", "bo"), choice="dismiss", why="He asks what <b>it</b> is.")
    world.clock.at += timedelta(minutes=90)
    told = alike(abe, case_of(world, "SPAM, and  a lot of it", "cy"))
    same = told.index("the same words a breach : suspend on posts for 2 days mara, 1 hour ago · ann open it")
    assert same < told.index("no breach")
    assert "no breach : He asks what <b>it</b> is. mara, 1 hour ago · bo open it" in told
    own = alike(abe, case_of(world, "spam of another kind", "bo"))
    assert "bo open it" not in own  # what was decided on the account itself stands in its past
    assert "ann open it" in own


def test_a_similar_case_that_an_appeal_reversed_says_so_and_an_erased_one_is_gone(
    world: World, mara: Browser, abe: Browser
) -> None:
    decide(mara, case_of(world), choice="ladder", why=WHY)
    (one,) = decisions(world)
    case = case_of(world, author="cy")
    assert "on appeal" not in alike(mara, case)
    filed = appeal.file(world.proceedings, Complaint(decision=one.decision, text="No."), NOW)
    appeal.give_outcome(world.proceedings, filed.appeal, AppealOutcome.REVERSED, ReviewerId("abe"), "A quotation.", NOW)
    assert "on appeal reversed" in alike(mara, case)
    world.store.erase(AccountId("ann"))
    assert "nothing was decided" in alike(mara, case)
