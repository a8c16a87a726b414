"""The person's page and the refusal page: what they say, who may do what by them, and links that lead nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from api_parts import LINKS, by_link, serving
from console_site import browsing, in_order, link, words_in
from litestar import Litestar
from litestar.testing import TestClient
from test_flow_record import DAY, KEY, NOW, World, agreement

from comity.casework.facts import Appealed, AppealOffered, Delivered, How, OfferSettled
from comity.casework.offers import MOST_OFFERS
from comity.casework.refused import RefusedError
from comity.flow import amend, appeal, retention, subject
from comity.flow.links import Links, Purpose
from comity.ledger.entry import AppealEntry
from comity.ledger.kept import check_kept
from comity.ledger.policy import Policy
from comity.model.ids import AccountId, AppealId, DecisionId, ReviewerId

SCRIPT = "<script>alert('spam')</script>\u202e"
Client = TestClient[Litestar]


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | suspend | posts | 2 days |"), "live")


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with browsing(world) as client:
        yield client


@pytest.fixture
def statement(world: World) -> DecisionId:
    return decided(world)


def decided(world: World, text: str = "spam and nothing else", author: str = "somebody-with-a-name") -> DecisionId:
    statement = world.say(text, author=author).statement
    assert statement is not None
    return statement


def test_the_page_tells_first_what_one_may_do_then_why_then_how_to_appeal(
    world: World, client: Client, statement: DecisionId
) -> None:
    page = client.get(link(world, statement))
    assert page.status_code == 200
    in_order(
        page.text,
        "Statement of reasons",
        "What you may do now",
        "You may not send anything on posts, until 3 June 2026, 12:00 (UTC).",
        "You may send on mail as usual.",
        "What was decided",
        "Your message",
        "spam and nothing else",
        "The clause that was breached",
        "Why",
        "it says “spam”",
        "If you disagree",
        "You can appeal until the end of 2 December 2026",
        "Why is this decision wrong?",
        "Send the appeal",
        "Keep a copy",
    )


def test_every_page_of_a_person_is_kept_by_nobody_and_found_by_nobody(
    world: World, client: Client, statement: DecisionId
) -> None:
    for path in (link(world, statement), link(world, statement, Purpose.REFUSAL), "/s/nothing", "/r/nothing"):
        headers = client.get(path).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"]


def test_opening_the_link_delivers_the_statement_once(world: World, client: Client, statement: DecisionId) -> None:
    for hours in (1, 2):
        world.clock.at = NOW + timedelta(hours=hours)
        client.get(link(world, statement))
    told = [fact for fact in world.store.facts() if isinstance(fact, Delivered)]
    assert [(fact.how, fact.at) for fact in told] == [(How.LINK, NOW + timedelta(hours=1))]


def test_a_program_that_looks_whether_the_link_is_there_delivers_nothing(
    world: World, client: Client, statement: DecisionId
) -> None:
    looked = client.head(link(world, statement))
    assert (looked.status_code, looked.content) == (200, b"")
    assert not any(isinstance(fact, Delivered) for fact in world.store.facts())


def test_an_appeal_is_filed_with_its_files_and_then_shown(world: World, client: Client, statement: DecisionId) -> None:
    path = link(world, statement)
    files = [("files", ("proof.png", b"picture", "image/png")), ("files", ("", b"", "application/octet-stream"))]
    told = client.post(f"{path}/appeal", data={"text": "I only quoted.\r\nReally.", "by": "Bo"}, files=files)
    assert told.status_code == 200
    in_order(told.text, "We have your appeal.", "Your appeal of 1 June 2026", "I only quoted. Really.")
    assert "Send the appeal" not in told.text
    (filed,) = (fact for fact in world.store.facts() if isinstance(fact, Appealed))
    assert (filed.text, filed.by, [each.name for each in filed.attachments]) == (
        "I only quoted.\nReally.",
        "Bo",
        ["proof.png"],
    )
    again = client.post(f"{path}/appeal", data={"text": "Once more."})
    assert again.status_code == 422
    assert "one a party" in words_in(again.text)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "Please write why the decision is wrong."),
        ({"text": " \n "}, "Please write why the decision is wrong."),
        ({"text": "x" * 50_001}, "Your text has 50,001 characters. Please cut it to 50,000 or fewer."),
        ({"text": "x", "by": "y" * 201}, "The name has 201 characters. Please cut it to 200 or fewer."),
    ],
)
def test_a_form_that_cannot_be_taken_says_what_to_mend_and_keeps_what_was_typed(
    world: World, client: Client, statement: DecisionId, form: dict[str, str], says: str
) -> None:
    told = client.post(f"{link(world, statement)}/appeal", data=form)
    assert told.status_code == 422
    in_order(told.text, "This was not sent", says)
    assert form.get("text", "").strip() in told.text
    assert not any(isinstance(fact, Appealed) for fact in world.store.facts())


def test_files_that_are_too_many_or_too_large_are_named(world: World, client: Client, statement: DecisionId) -> None:
    path = f"{link(world, statement)}/appeal"
    many = [("files", (f"{number}.txt", b"x", "text/plain")) for number in range(6)]
    told = client.post(path, data={"text": "No."}, files=many)
    assert (told.status_code, "You chose 6 files. Please send 5 or fewer." in told.text) == (422, True)
    large = [("files", ("large.bin", b"x" * 10_000_001, "text/plain"))]
    told = client.post(path, data={"text": "No."}, files=large)
    assert (told.status_code, "The file large.bin is too large." in words_in(told.text)) == (422, True)


def test_a_form_from_another_site_is_refused(world: World, client: Client, statement: DecisionId) -> None:
    path = f"{link(world, statement)}/appeal"
    for site in ("cross-site", "same-site"):
        assert client.post(path, data={"text": "No."}, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert not any(isinstance(fact, Appealed) for fact in world.store.facts())
    assert client.post(path, data={"text": "No."}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_form_in_a_strange_encoding_is_an_error_that_says_so(
    world: World, client: Client, statement: DecisionId
) -> None:
    def sent(charset: bytes, text: bytes) -> int:
        body = b'--x\r\nContent-Disposition: form-data; name="text"\r\nContent-Type: text/plain; charset=%b\r\n\r\n%b'
        return client.post(
            f"{link(world, statement)}/appeal",
            content=body % (charset, text) + b"\r\n--x--\r\n",
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        ).status_code

    assert sent(b"utf-8", b"\xff") == 400
    assert sent(b"nothing-known", b"x") == 400
    assert sent(b"raw_unicode_escape", rb"half a pair \ud800") == 200


def test_after_the_window_the_page_says_when_it_closed(world: World, client: Client, statement: DecisionId) -> None:
    path = link(world, statement)
    client.get(path)
    world.clock.at = NOW + 200 * DAY
    page = client.get(path)
    in_order(page.text, "If you disagree", "The time to appeal is over. It ended on 3 December 2026, 12:00 (UTC).")
    assert "Send the appeal" not in page.text
    assert client.post(f"{path}/appeal", data={"text": "Late."}).status_code == 422


def test_a_measure_until_it_is_read_ends_by_the_button(client: Client) -> None:
    world = World(agreement("| 1 | suspend | posts | until acknowledged |"), "live")
    with browsing(world) as client:
        path = link(world, decided(world))
        in_order(client.get(path).text, "You may not send anything on posts", "I have read this")
        told = client.post(f"{path}/read")
        in_order(told.text, "Thank you.", "You may send on posts and mail as usual.")
        assert "<button>I have read this" not in told.text
        assert client.post(f"{path}/read").status_code == 422


def test_script_in_every_text_of_a_person_is_shown_as_text(world: World, client: Client) -> None:
    path = link(world, decided(world, SCRIPT, author=SCRIPT))
    client.post(f"{path}/appeal", data={"text": SCRIPT, "by": SCRIPT})
    refused = client.post(f"{path}/appeal", data={"text": SCRIPT, "by": SCRIPT})
    for page in (client.get(path), refused, client.get(f"{path}?done={SCRIPT}")):
        assert "<script" not in page.text
        assert "\u202e" not in page.text
        assert "&lt;script&gt;" in page.text


def test_the_downloads_are_the_persons_own_and_the_proof_verifies(
    world: World, client: Client, statement: DecisionId
) -> None:
    path = link(world, statement)
    proof = client.get(f"{path}/statement.json")
    assert proof.headers["Content-Disposition"] == f'attachment; filename="statement-{statement}.json"'
    verdict = check_kept(proof.content, Policy().trusting(KEY.verifier))
    assert (verdict.is_fine, verdict.problems) == (True, ())
    told = client.get(f"{path}/account.json").json()
    assert (told["account"], [each["statement"]["id"] for each in told["statements"]]) == (
        "somebody-with-a-name",
        [statement],
    )


def test_the_refusal_page_says_why_and_names_nobody(world: World, client: Client, statement: DecisionId) -> None:
    page = client.get(link(world, statement, Purpose.REFUSAL))
    assert page.status_code == 200
    for hidden in ("somebody-with-a-name", "nothing else", "account.json", "statement.json"):
        assert hidden not in page.text
    in_order(
        page.text,
        statement,
        "You may not send anything on posts, until 3 June 2026, 12:00 (UTC).",
        "spam",
        "If you disagree",
        "Your appeal will wait until the account says",
        "Send the appeal",
        "The account has a link of its own",
    )
    for path in ("account.json", "statement.json"):
        assert client.get(f"{link(world, statement, Purpose.REFUSAL)}/{path}").status_code == 404
    assert not any(isinstance(fact, Delivered) for fact in world.store.facts())


def test_an_appeal_by_the_refusal_link_waits_until_the_account_says_that_it_is_its_own(
    world: World, client: Client, statement: DecisionId
) -> None:
    told = client.post(f"{link(world, statement, Purpose.REFUSAL)}/appeal", data={"text": "It was me, I quoted."})
    in_order(told.text, "It waits until the account says that it is theirs")
    assert "I quoted" not in told.text
    assert not any(isinstance(entry, AppealEntry) for entry in world.entries)
    own = link(world, statement)
    page = client.get(own)
    in_order(page.text, "Did you write this?", "It was me, I quoted.", "Yes, this is my appeal")
    (offered,) = (fact for fact in world.store.facts() if isinstance(fact, AppealOffered))
    assert offered.offer in [id_ for id_, _ in world.store.waiting()]
    taken = client.post(f"{own}/offers/{offered.offer}")
    in_order(taken.text, "We have your appeal.", "It was me, I quoted.")
    (filed,) = (fact for fact in world.store.facts() if isinstance(fact, Appealed))
    assert (filed.text, filed.by) == ("It was me, I quoted.", "")
    assert [id_ for id_, _ in world.store.waiting()] == [filed.appeal]
    assert sum(isinstance(entry, AppealEntry) for entry in world.entries) == 1


def test_the_accounts_own_appeal_takes_the_place_of_those_that_others_offered(
    world: World, client: Client, statement: DecisionId
) -> None:
    for text in ("One.", "Two."):
        client.post(f"{link(world, statement, Purpose.REFUSAL)}/appeal", data={"text": text})
    page = client.post(f"{link(world, statement)}/appeal", data={"text": "My own."})
    assert "Did you write this?" not in page.text
    settled = [fact for fact in world.store.facts() if isinstance(fact, OfferSettled)]
    assert [(fact.taken, fact.by) for fact in settled] == [(None, None), (None, None)]
    (filed,) = (fact for fact in world.store.facts() if isinstance(fact, Appealed))
    assert filed.text == "My own."
    late = client.post(f"{link(world, statement, Purpose.REFUSAL)}/appeal", data={"text": "Three."})
    assert late.status_code == 422


def test_an_offered_appeal_is_confirmed_by_its_own_account_alone(
    world: World, client: Client, statement: DecisionId
) -> None:
    client.post(f"{link(world, statement, Purpose.REFUSAL)}/appeal", data={"text": "Mine."})
    (offered,) = (fact for fact in world.store.facts() if isinstance(fact, AppealOffered))
    other = link(world, decided(world, author="mallory"))
    for offer in (offered.offer, "nothing", "0" * 32):
        assert client.post(f"{other}/offers/{offer}").status_code == 422
    assert not any(isinstance(fact, Appealed) for fact in world.store.facts())


def test_a_reviewer_takes_up_an_offered_appeal_or_declines_it(
    world: World, client: Client, statement: DecisionId
) -> None:
    for text in ("Somebody plays.", "It is mine."):
        client.post(f"{link(world, statement, Purpose.REFUSAL)}/appeal", data={"text": text})
    played, mine = (fact.offer for fact in world.store.facts() if isinstance(fact, AppealOffered))
    mara = ReviewerId("mara")
    appeal.decline_offer(world.proceedings, played, mara, NOW)
    filed = appeal.take_offer(world.proceedings, mine, NOW, by=mara)
    assert (filed.text, "mara" in filed.by) == ("It is mine.", True)
    assert [id_ for id_, _ in world.store.waiting()] == [filed.appeal]
    with pytest.raises(RefusedError, match="no offered appeal"):
        appeal.decline_offer(world.proceedings, played, mara, NOW)


def test_only_a_few_offered_appeals_wait_at_once(world: World, client: Client, statement: DecisionId) -> None:
    path = f"{link(world, statement, Purpose.REFUSAL)}/appeal"
    told = [client.post(path, data={"text": "Play."}).status_code for _ in range(MOST_OFFERS + 1)]
    assert told == [200] * MOST_OFFERS + [422]
    assert client.post(f"{link(world, statement)}/appeal", data={"text": "Mine."}).status_code == 200


def test_links_that_lead_nowhere_are_told_apart_by_nobody(world: World, client: Client, statement: DecisionId) -> None:
    old, erased = link(world, statement), link(world, decided(world, author="gone"))
    gone_refusal = link(world, DecisionId(_decision(erased)), Purpose.REFUSAL)
    subject.replace_link(world.proceedings, statement, ReviewerId("mara"), NOW)
    new = link(world, statement)
    assert client.get(new).status_code == 200
    world.clock.at = NOW + 10 * DAY
    amend.erase(world.proceedings, AccountId("gone"), world.clock.at, keep_hash=False)
    world.proceedings = world.again()
    token = LINKS.token(Purpose.STATEMENT, statement)
    strange = [
        *(old, erased, gone_refusal, f"/s/{LINKS.token(Purpose.REFUSAL, statement)}", f"/r/{token}"),
        *(f"/s/{Links(b'x' * 32).token(Purpose.STATEMENT, statement)}", "/s/nothing", "/s/é", f"/s/{token}="),
        *(f"/s/{LINKS.token(Purpose.STATEMENT, DecisionId('0' * 32))}", f"{new}A", f"/s/{'A' * 2_000}"),
    ]
    answers = [client.get(path) for path in strange]
    assert {(each.status_code, each.text) for each in answers} == {(404, answers[0].text)}
    assert "This link leads nowhere" in answers[0].text
    for path in (old, erased, "/s/nothing"):
        for act in ("appeal", "read"):
            refused = client.post(f"{path}/{act}", data={"text": "x"})
            assert (refused.status_code, refused.text) == (404, answers[0].text)
    assert client.get(new).status_code == 200


def test_a_replaced_link_opens_nothing_of_the_api_either(world: World, statement: DecisionId, tmp_path: Path) -> None:
    with serving(world, tmp_path) as client:
        path, old = f"/v1/statements/{statement}", by_link(statement)
        assert client.get(path, headers=old).status_code == 200
        assert client.get(path, headers=by_link(decided(world, author="mallory"))).status_code == 403
        subject.replace_link(world.proceedings, statement, ReviewerId("mara"), NOW)
        assert client.get(path, headers=old).status_code == 401
        new = link(world, statement).removeprefix("/s/")
        assert client.get(path, headers={"Authorization": f"Link {new}"}).status_code == 200


def _decision(path: str) -> str:
    found = LINKS.statement(Purpose.STATEMENT, path.rsplit("/", 1)[-1])
    assert found is not None
    return found[0]


def test_an_export_has_what_others_wrote_in_the_accounts_name(
    world: World, client: Client, statement: DecisionId
) -> None:
    client.post(f"{link(world, statement, Purpose.REFUSAL)}/appeal", data={"text": "Mine."})
    told = retention.export(world.store, AccountId("somebody-with-a-name"), NOW, kept_for=timedelta())
    assert [each.text for each in told.offered] == ["Mine."]
    assert json.loads(client.get(f"{link(world, statement)}/account.json").content)["offered"][0]["text"] == "Mine."


def test_an_erasure_waits_for_no_offered_appeal(world: World, statement: DecisionId) -> None:
    appeal.offer(world.proceedings, statement, "Play.", NOW)
    world.clock.at = NOW + 10 * DAY
    amend.erase(world.proceedings, AccountId("somebody-with-a-name"), world.clock.at, keep_hash=False)
    assert list(world.store.waiting()) == []
    with pytest.raises(RefusedError):
        appeal.take_offer(world.again(), AppealId("0" * 32), NOW)
