"""Statements that leave by e-mail: to their accounts alone, each once, again until a real server takes them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from api_parts import LINKS, as_, serving
from hypothesis import given
from hypothesis import strategies as st
from smtp_server import PASSWORD, USER, Server, certificate
from test_flow_record import NOW, World, agreement, agreement_text

from comity.api.app import own_link
from comity.app.errors import StopError
from comity.app.mail import server
from comity.app.settings import settings
from comity.app.smtp_link import MailServer, SmtpLink
from comity.casework.facts import AppealOutcome, ContactGiven, Delivered, How
from comity.casework.refused import RefusedError
from comity.flow import accounts, amend, appeal, subject
from comity.flow.letters import Letters
from comity.flow.links import Purpose
from comity.flow.mail import Postman
from comity.model.access import Role
from comity.model.ids import AccountId, DecisionId, ReviewerId
from comity.ports import StoreError, UnreachableError
from comity.stores.mails import MailFile
from comity.stores.world import CountedEntropy

ANN, MARA, NOOR = AccountId("ann"), ReviewerId("mara"), ReviewerId("noor")
ADDRESS = "canary-7f3a@example.org"
HALF_A_DAY = timedelta(hours=12)


class Posting:
    """A record, a mail server, and who takes statements from the one to the other."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.world = World(agreement("| 1 | suspend | posts | 2 days |"), "live")
        self.folder, self.server, self.taken = folder, server, server.taken
        self.again()

    def again(self) -> None:
        """As after a restart."""
        clock = self.world.clock
        self.mails = MailFile(self.folder / "mail.db")
        letters = Letters(
            sender=Address("Rules, the team", addr_spec="rules@example.org"),
            reply_to=Address(addr_spec="help@example.org"),
            link=own_link(LINKS, "https://example.org"),
            zone=ZoneInfo("UTC"),
            clock=clock,
            version_of=self.world.proceedings.versions.agreement,
        )
        link = link_to(self.server, "127.0.0.1", sender="rules@example.org")
        self.postman = Postman(self.world.store, self.mails, link, clock, CountedEntropy(), letters.written)

    def contact(self, account: AccountId = ANN, address: str = ADDRESS) -> None:
        fact = ContactGiven(account=account, at=self.world.clock.now(), address=address)
        accounts.give_contact(self.world.proceedings, fact)

    def say(self, author: str = "ann") -> DecisionId:
        statement = self.world.say("spam", author=author).statement
        assert statement is not None
        return statement

    def accepted(self, statement: DecisionId) -> None:
        amend.deliver(self.world.proceedings, statement, How.MAIL, self.world.clock.now())

    def send(self, after: timedelta = timedelta()) -> int:
        """How many arrive in a round that begins that much later."""
        self.world.clock.at += after
        before = len(self.taken.mails)
        while self.postman.round(self.accepted):
            pass
        return len(self.taken.mails) - before


@pytest.fixture
def posting(tmp_path: Path) -> Iterator[Posting]:
    with Server() as server:
        yield Posting(tmp_path, server)


def test_a_statement_goes_to_its_account_as_text_and_as_a_page_with_its_link_and_is_delivered_then(
    posting: Posting,
) -> None:
    posting.contact()
    statement = posting.say()
    assert posting.send() == 1
    (mail,) = posting.taken.mails
    assert posting.taken.envelopes == [("rules@example.org", [ADDRESS])]
    assert (mail["From"], mail["To"]) == ('"Rules, the team" <rules@example.org>', ADDRESS)
    assert (mail["Reply-To"], mail["Subject"]) == ("help@example.org", f"Statement of reasons {statement[:8]}")
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "en")
    assert mail.get_content_type() == "multipart/alternative"
    link = f"https://example.org/s/{LINKS.token(Purpose.STATEMENT, statement)}"
    text, page = (part.get_content() for part in mail.iter_parts())
    assert link in text.splitlines()
    assert f'<a href="{link}">' in page
    for part in (text, page):
        assert "If you disagree" in part
        assert "keep it to yourself" in part
    assert "/r/" not in text
    (told,) = (fact for fact in posting.world.store.facts() if isinstance(fact, Delivered))
    assert (told.decision, told.how, told.at) == (statement, How.MAIL, NOW)


def test_whatever_changes_is_told_once_and_each_mail_has_an_id_of_its_own(posting: Posting) -> None:
    posting.contact()
    statement = posting.say()
    posting.send()
    running = posting.world.proceedings
    amend.correct(running, statement, MARA, "It was on Monday.", NOW, instead=None)
    assert posting.send() == 1
    subject.replace_link(running, statement, MARA, NOW)
    assert posting.send() == 1
    amend.lift(running, statement, MARA, "Long enough.", NOW)
    assert posting.send() == 1
    filed = appeal.file(running, appeal.Complaint(decision=statement, text="No."), NOW)
    assert posting.send() == 0
    appeal.give_outcome(running, filed.appeal, AppealOutcome.REVERSED, NOOR, "Right.", NOW)
    assert posting.send() == 1
    posting.again()
    assert posting.send(timedelta(days=9)) == 0
    subjects = [str(mail["Subject"]) for mail in posting.taken.mails]
    assert [each.startswith("Something has changed: ") for each in subjects] == [False, True, True, True, True]
    assert len({mail["Message-ID"] for mail in posting.taken.mails}) == 5
    assert "no longer holds" in str(posting.taken.mails[-1])
    texts = [mail.get_body(("plain",)).get_content() for mail in posting.taken.mails]
    links = [text.split("https://example.org/s/")[1].split()[0] for text in texts]
    assert links[0] == links[1] != links[2] == links[3]


def test_a_mail_is_in_the_language_of_its_account(posting: Posting) -> None:
    posting.contact()
    statement = posting.say()
    write = posting.postman._write
    one = posting.world.proceedings.record(ANN).decision(statement)
    assert one is not None
    decided = type(one.decided)(**{**_fields(one.decided), "statement": _in_german(one.decided.statement)})
    written = write(ADDRESS, type(one)(**{**_fields(one), "decided": decided}), 1)
    assert b"Content-Language: de\r\n" in written
    assert str(message_from_bytes(written, policy=default)["Subject"]).startswith("Begründung der Entscheidung ")
    assert b'<html lang=3D"de">' in written


def _fields(one) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def _in_german(statement):
    return type(statement)(**{**_fields(statement), "language": "de"})


def test_what_is_refused_for_good_is_listed_without_the_address_and_sent_when_somebody_says_so(
    posting: Posting,
) -> None:
    posting.contact()
    posting.contact(AccountId("bob"), "bob@example.org")
    posting.taken.answers[ADDRESS] = [f"550 5.1.1 <{ADDRESS}> is unknown here"]
    statement = posting.say()
    posting.say("bob")
    assert posting.send() == 1, "one refused holds up no other"
    assert posting.send(timedelta(days=9)) == 0
    (dead,) = posting.mails.dead()
    assert (dead.statement, dead.attempts, dead.error) == (statement, 1, "it answered 550 5.1.1")
    assert posting.taken.asked == [ADDRESS, "bob@example.org"]
    assert posting.mails.again(posting.world.clock.now()) == 1
    assert posting.send() == 1
    assert posting.mails.dead() == ()


def test_what_is_refused_for_now_is_sent_later_under_the_same_id_also_after_a_restart(posting: Posting) -> None:
    posting.contact()
    posting.contact(AccountId("bob"), "bob@example.org")
    posting.taken.answers[ADDRESS] = ["450 4.2.0 greylisted", "452 4.2.2 full"]
    posting.say()
    posting.say("bob")
    assert posting.send() == 1, "one that waits holds up no other"
    assert posting.send(timedelta(seconds=3)) == 0
    posting.again()
    assert posting.send(timedelta(seconds=4)) == 0
    assert posting.send(timedelta(minutes=7)) == 1
    assert posting.taken.asked.count(ADDRESS) == 3
    first = posting.taken.mails[-1]["Message-ID"]
    assert first.startswith(f"<{posting.world.proceedings.record(ANN).decisions[0].id}.")


def test_a_mail_that_is_never_taken_is_given_up_after_days(posting: Posting) -> None:
    posting.contact()
    posting.taken.answers[ADDRESS] = ["451 4.3.0 no"] * 20
    posting.say()
    for _ in range(20):
        posting.send(timedelta(days=2))
    (dead,) = posting.mails.dead()
    assert (dead.attempts, dead.error) == (10, "it answered 451 4.3.0")
    assert len(posting.taken.asked) == 10


def test_a_server_that_is_away_costs_no_try_and_nothing_is_lost(posting: Posting) -> None:
    posting.contact()
    posting.say()
    posting.server.__exit__()
    for _ in range(30):
        assert posting.send(HALF_A_DAY) == 0
    pause = posting.mails.pause
    assert pause is not None
    assert (pause.failures, pause.error) == (30, "Connection refused")
    posting.server.__enter__()
    posting.again()
    assert posting.send(HALF_A_DAY) == 1
    assert posting.mails.pause is None


def test_a_death_after_the_server_took_it_sends_it_a_second_time_later_under_the_same_id(posting: Posting) -> None:
    posting.contact()
    posting.say()

    def dies(_: DecisionId) -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        posting.postman.round(dies)
    posting.again()
    assert posting.send() == 0, "not at once"
    assert posting.send(HALF_A_DAY) == 1
    assert posting.send(HALF_A_DAY) == 0
    first, second = posting.taken.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_what_was_never_delivered_is_sent_when_the_address_becomes_known_and_nothing_when_it_is_taken_away(
    posting: Posting,
) -> None:
    statement = posting.say()
    assert posting.send() == 0
    posting.contact()
    assert posting.send() == 1
    posting.contact(address="")
    amend.lift(posting.world.proceedings, statement, MARA, "Enough.", NOW)
    assert posting.send() == 0
    posting.contact(address="new@example.org")
    assert posting.send() == 0, "it was delivered before"


def test_of_what_was_before_the_first_mail_only_statements_are_sent_that_were_never_delivered(posting: Posting) -> None:
    posting.contact()
    old = posting.say()
    posting.accepted(old)
    posting.world.clock.at += timedelta(days=5)
    posting.contact(AccountId("bob"), "bob@example.org")
    posting.say("bob")
    assert posting.send() == 1
    assert posting.taken.asked == ["bob@example.org"]


def test_of_an_erased_account_no_mail_is_sent_and_its_address_is_nowhere(posting: Posting) -> None:
    posting.contact()
    posting.taken.answers[ADDRESS] = [f"450 4.2.0 <{ADDRESS}> is greylisted", f"450 <{ADDRESS}>"]
    posting.say()
    posting.send()
    for name, content in posting.world.log.files.items():
        assert b"canary" not in content, name
    posting.mails.close()
    for path in posting.folder.iterdir():
        assert b"canary" not in path.read_bytes(), path
    posting.again()
    posting.world.store.erase(ANN)
    assert posting.send(HALF_A_DAY) == 0
    assert posting.mails.waiting() == 0
    assert ADDRESS not in str(list(posting.world.store.facts()))


HOSTILE = [
    "a@example.org\r\nBcc: eve@example.org",
    "a@example.org\nBcc: eve@example.org",
    "a@example.org, eve@example.org",
    "a@example.org;eve@example.org",
    "<a@example.org>",
    "a b@example.org",
    '"a\r\n"@example.org',
    "a@example.org>\r\nRCPT TO:<eve@example.org",
    "a@[127.0.0.1]",
    "a@example..org",
    "a@-example.org",
    ".a@example.org",
    "a@b@example.org",
    "a",
    "@example.org",
    "a@",
    "a\x00@example.org",
    "ä@example.org",
    "a@exämple.org",
    "a@example.org\n",
    "a" * 65 + "@example.org",
    "a@" + "b." * 130 + "org",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_what_is_no_plain_address_is_refused(posting: Posting, address: str) -> None:
    with pytest.raises(RefusedError, match="no e-mail address"):
        posting.contact(address=address)


@given(st.text(st.characters(codec="utf-8"), max_size=40) | st.from_regex(r"[^@]{1,5}@[^@]{1,8}", fullmatch=True))
def test_an_address_that_is_taken_is_one_word_with_one_at(text: str) -> None:
    if accounts.is_mail_address(text):
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' \t\r\n"<>(),:;[]\\')
        assert text.count("@") == 1
        assert str(Address(addr_spec=text)) == text


def test_hostile_names_and_texts_stay_text(posting: Posting) -> None:
    hostile = "ann\r\nBcc: eve@example.org\r\n\r\n.\r\nMAIL FROM:<eve@example.org>\r\n<script>x</script>\u202e"
    posting.contact(AccountId(hostile))
    running = posting.world.proceedings
    statement = posting.say(hostile)
    amend.correct(running, statement, MARA, f".\r\n{hostile}", NOW, instead=None)
    assert posting.send() == 1
    (mail,) = posting.taken.mails
    assert posting.taken.envelopes == [("rules@example.org", [ADDRESS])]
    own = {"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted"}
    assert set(mail.keys()) == own | {"MIME-Version", "Content-Type"}
    text, page = (part.get_content() for part in mail.iter_parts())
    assert "<script>" not in page
    assert "\u202e" not in text + page
    assert "MAIL FROM:<eve@example.org>" in text


def link_to(server: Server, host: str = "0.0.0.0", **more: object) -> SmtpLink:
    """0.0.0.0 reaches this machine and is not called loopback."""
    return SmtpLink(MailServer(**{"host": host, "port": server.port, "is_wrapped": False, "sender": "a@b", **more}))


def send(link: SmtpLink) -> int:
    with link.connected() as session:
        return session.send("ann@example.org", b"Subject: x\r\n\r\nx\r\n").code


def test_where_it_is_not_this_machine_there_is_tls_with_a_certificate_that_holds_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, "0.0.0.0")
    with Server() as server, pytest.raises(UnreachableError, match="offers no TLS"):
        send(link_to(server))
    for wrapped in (False, True):
        with Server(tls=context, wrapped=wrapped) as server:
            with pytest.raises(UnreachableError, match="certificate does not hold"):
                send(link_to(server, is_wrapped=wrapped))
            assert server.taken.asked == []
            with monkeypatch.context() as one:
                one.setenv("SSL_CERT_FILE", str(trusted))
                assert send(link_to(server, is_wrapped=wrapped)) == 250


def test_who_must_sign_in_does_so_under_tls_and_a_wrong_password_is_told_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, "0.0.0.0")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with Server(tls=context, asks=True) as server:
        assert send(link_to(server, user=USER, password=PASSWORD)) == 250
        with pytest.raises(UnreachableError, match="530") as told:
            send(link_to(server))
        with pytest.raises(UnreachableError, match="it answered 535") as told:
            send(link_to(server, user=USER, password="another secret"))
    assert "another" not in str(told.value)


def test_the_service_sends_while_it_runs_and_operators_see_and_resend_what_was_given_up(posting: Posting) -> None:
    posting.taken.answers[ADDRESS] = ["550 5.7.1 no"]
    with serving(posting.world, posting.folder, postman=posting.postman) as client:
        given = {"account": "ann", "address": ADDRESS}
        source, operator = as_(Role.SOURCE), as_(Role.OPERATOR)
        assert client.put("/v1/contacts", json={**given, "address": "a, b@c"}, headers=source).status_code == 409
        assert client.put("/v1/contacts", json=given, headers=source).status_code == 204
        sent = {"id": "1", "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": "spam"}
        client.post("/v1/messages", json={**sent, "author": "ann"}, headers=source)
        client.put("/v1/contacts", json={"account": "bob", "address": "bob@example.org"}, headers=source)
        client.post("/v1/messages", json={**sent, "id": "2", "author": "bob"}, headers=source)
        posting.taken.wait_for(1)
        (unsent,) = client.get("/v1/mail", headers=operator).json()["dead"]
        assert (unsent["attempts"], unsent["error"]) == (1, "it answered 550 5.7.1")
        assert "comity_mails_dead 1.0" in client.get("/metrics").text
        assert client.post("/v1/mail/again", headers=operator).json() == {"mails": 1}
        posting.taken.wait_for(2)
        exported = client.get("/v1/export", params={"account": "ann"}, headers=operator).json()
        assert exported["contact"] == ADDRESS
    known = [posting.world.proceedings.record(AccountId(name)).decisions[0] for name in ("ann", "bob")]
    assert [one.delivered for one in known] == [NOW, NOW]


def test_from_the_command_line_serve_sends_each_statement_once_through_its_deaths(tmp_path: Path) -> None:
    (tmp_path / "agreement.md").write_text(agreement_text("| 1 | warn | | |"))

    def comity(*words: str, code: int = 0) -> str:
        command = (sys.executable, "-m", "comity.app", *words)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def served(how: signal.Signals) -> Iterator[None]:
        command = (sys.executable, "-m", "comity.app", "serve", "--port", "0")
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline().startswith("serving")
                yield
            finally:
                process.send_signal(how)
        assert process.returncode == (0 if how is signal.SIGTERM else -how)

    with Server() as server:
        config = f'[mail]\nserver = "smtp://127.0.0.1:{server.port}"\nfrom = "Rules <rules@example.org>"\n'
        (tmp_path / "comity.toml").write_text(config)
        comity("publish")
        comity("contact", "ann", ADDRESS)
        with served(signal.SIGKILL):
            now = datetime.now(UTC).isoformat()
            message = {"id": "1", "author": "ann", "channel": "posts", "sent": now, "text": "spam"}
            (tmp_path / "one.jsonl").write_text(json.dumps(message))
            comity("run", "one.jsonl")
            server.taken.wait_for(1)
        with served(signal.SIGTERM):
            statement = json.loads(comity("statement", "--json"))[0]["id"]
            comity("correct", statement, "--by", "mara", "--note", "It was the second message.", "--yes")
            server.taken.wait_for_subject(f"Something has changed: Statement of reasons {statement[:8]}")
    assert len({mail["Message-ID"] for mail in server.taken.mails}) == 2
    assert comity("mail", "list") == "0 mails waiting, 0 given up.\n"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mail.server": "mail.example.org"}, "smtp://HOST"),
        ({"mail.server": "http://mail.example.org"}, "smtp://HOST"),
        ({"mail.server": "smtp://user:secret@mail.example.org"}, "smtp://HOST"),
        ({"mail.server": "smtp://mail.example.org:99999"}, "smtp://HOST"),
        ({"mail.from": ""}, "name@example.org"),
        ({"mail.from": "Rules <rules@example.org>, eve@example.org"}, "name@example.org"),
        ({"mail.user": "comity"}, "COMITY_MAIL_PASSWORD"),
        ({"mail.user": "comity", "mail.password_file": "gone"}, "may read"),
    ],
)
def test_settings_that_name_no_server_sender_or_password_say_so(given: dict[str, str], says: str) -> None:
    right = {"mail.server": "smtp://mail.example.org", "mail.from": "Rules <rules@example.org>"}
    with pytest.raises(StopError) as told:
        server(settings({**right, **given}))
    assert says in f"{told.value} {told.value.help}"
    assert "secret@" not in says


def test_the_password_is_read_from_a_file_or_the_environment_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    right = {"mail.server": "smtps://mail.example.org", "mail.from": "rules@example.org", "mail.user": USER}
    monkeypatch.setenv("COMITY_MAIL_PASSWORD", "another")
    assert server(settings(right)).password == "another"
    found = server(settings({**right, "mail.password_file": str(tmp_path / "password")}))
    assert (found.password, found.port, found.is_wrapped) == (PASSWORD, 465, True)
    assert PASSWORD not in repr(found)
