"""One guest's way through everything that due process asks for: what the guest, the reviewers and the public see.

Each command opens the record and closes it again; between two of them no program of Comity runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from test_due_process import FIRST, SECOND, Program

from comity.ledger.entry import (
    AcceptancesEntry,
    AgreementEntry,
    AppealEntry,
    CensusEntry,
    CorrectionEntry,
    Entry,
    ErasureEntry,
    GenesisEntry,
    OutcomeEntry,
    StatementEntry,
    parse_entry,
)
from comity.ledger.tiles import parse_bundle

THREAT: Final = "I know where you live."
PRIVATE: Final = ("guest", "uy now", "Nina", "nina@example.org", THREAT, "mara", "noor", "forum", "quoted", "a friend")
"""What nobody may read in the published log."""


class Public:
    """Somebody who has nothing but the published log, and keeps its checkpoint from one look to the next."""

    def __init__(self, comity: Program) -> None:
        self.comity, self.log, self.seen = comity, comity.folder / "record" / "log", 0

    def sees(self) -> list[Entry]:
        """The entries that are new; the log is whole, goes on from what it was, and names nobody."""
        kept = str(self.comity.folder / "kept.checkpoint")
        report = json.loads(self.comity("verify", str(self.log), "--since", kept, "--json"))
        assert report["problems"] == []
        files = [each for each in self.log.rglob("*") if each.is_file() and "agreement" not in each.parts]
        assert not [(each, word) for each in files for word in PRIVATE if word.encode() in each.read_bytes()]
        width = report["size"]
        bundle = self.log / "tile" / "entries" / "000.p" / str(width)
        entries, _ = parse_bundle(bundle.name, bundle.read_bytes(), width)
        new, self.seen = entries[self.seen :], width
        return [each for each in map(parse_entry, new) if not isinstance(each, CensusEntry)]


def read(comity: Program, statement: str) -> str:
    """What the guest reads, without its line ends."""
    return " ".join(comity("statement", statement).split())


@pytest.fixture
def comity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.md").write_text(FIRST)
    (tmp_path / "second.md").write_text(SECOND)
    return Program(tmp_path)


def test_a_guest_breaks_rules_appeals_and_is_heard(comity: Program) -> None:
    public = Public(comity)
    comity("publish", "first.md", "--replay", "--from", "2026-01-01")
    for account in ("guest", "neighbour"):
        (accepted,) = comity.json("accept", account, "--at", "2026-01-01T12:00:00Z")
        assert (accepted["account"], accepted["by"]) == (account, "account")
    assert [type(each) for each in public.sees()] == [GenesisEntry, AgreementEntry, AcceptancesEntry, AcceptancesEntry]

    # broken once: a warning
    comity.say("buy now", "2026-01-02T12:00:00Z")
    (warned,) = comity.statements()
    told = read(comity, warned)
    assert "You are warned. You may go on as before." in told
    assert "| buy now " in told
    assert "| Do not advertise. " in told
    assert "you may not send anything on posts for 7 days." in told
    assert "You can appeal until the end of 5 July 2026 (UTC)." in told
    assert comity.states("2026-01-03T00:00:00Z") == {"posts": "open", "mail": "open"}
    assert "0 cases and appeals wait." in comity("cases")
    (entry,) = public.sees()
    assert isinstance(entry, StatementEntry)
    assert (entry.id, entry.act, entry.clauses, entry.points, entry.by) == (warned, "warn", ("ads",), 1, "rule")

    # broken again: a week without posts
    comity.say("buy now, again", "2026-01-05T12:00:00Z")
    _, suspended = comity.statements()
    assert "You may not send anything on posts, until 12 January 2026, 12:00 (UTC)." in read(comity, suspended)
    assert comity.states("2026-01-06T00:00:00Z") == {"posts": "cut", "mail": "open"}
    assert comity.states("2026-01-12T11:59:59Z") == {"posts": "cut", "mail": "open"}
    assert comity.states("2026-01-12T12:00:00Z") == {"posts": "open", "mail": "open"}
    assert "0 cases and appeals wait." in comity("cases")
    (entry,) = public.sees()
    assert isinstance(entry, StatementEntry)
    assert (entry.act, entry.chan, entry.live) == ("suspend", ("posts",), {"measures": 2})

    # a new version with another ladder leaves alone what was sent before
    comity.say("buy now", "2026-01-20T12:00:00Z", author="neighbour")
    before = read(comity, suspended)
    comity("publish", "second.md", "--from", "2026-02-01")
    comity("accept", "guest", "--at", "2026-02-01T12:00:00Z")
    comity.say("buy now", "2026-01-31T12:00:00Z", author="neighbour")  # sent before the version, taken in after it
    neighbours = read(comity, comity.statements()[3])
    assert "on posts, until 7 February 2026, 12:00" in neighbours, "not the second version's two days"
    assert read(comity, suspended) == before
    assert comity.states("2026-01-06T00:00:00Z") == {"posts": "cut", "mail": "open"}
    public.sees()

    # somebody outside reports a third breach, and a reviewer cuts all channels until it is reviewed
    threat = comity.folder / "threat.json"
    message = {"id": "t", "author": "guest", "channel": "posts", "text": THREAT, "source": "forum"}
    threat.write_text(json.dumps({**message, "sent": "2026-02-02T12:00:00Z"}))
    (noticed,) = comity.json(
        "notice", str(threat), "--why", "A threat", "--good-faith", "--name", "Nina", "--contact", "nina@example.org",
        "--clause", "threats", "--at", "2026-02-03T12:00:00Z",
    )  # fmt: skip
    case = noticed["case"]
    assert comity.states("2026-02-03T12:30:00Z") == {"posts": "open", "mail": "open"}, "a notice decides nothing"
    assert public.sees() == []
    assert f"{case}  review  guest" in comity("cases")
    shown = comity("case", case)
    assert "reported by a user under “threats”: A threat" in shown
    assert THREAT in shown
    assert "Nina" not in shown
    comity("case", case, "--claim", "--by", "mara", "--at", "2026-02-03T12:50:00Z")
    decide = ("case", case, "--confirm", "--yes", "--at", "2026-02-03T13:00:00Z", "--why", "It names a place.", "--by")
    assert "mara works on the case" in comity(*decide, "noor", code=1)
    comity(*decide, "mara")
    assert "was closed by mara" in comity(*decide, "mara", code=1)
    cut = comity.statements()[-1]
    told = read(comity, cut)
    assert "Somebody sent us a notice." in told
    assert "Nina" not in told
    assert "You may not send anything on posts and mail" in told
    assert "(forum" not in told
    assert comity.states("2026-02-04T00:00:00Z") == {"posts": "cut", "mail": "cut"}
    (waits,) = comity.json("cases")
    assert (waits["kind"], waits["account"]) == ("until reviewed", "guest")
    shown = comity("case", waits["id"])
    assert f"about statement {cut}, by mara: remove, suspend on posts, mail until reviewed" in shown
    assert f"message t breaches “threats”:\n    {THREAT}" in shown
    assert "ends the measure and leaves the breach" in shown
    (entry,) = public.sees()
    assert isinstance(entry, StatementEntry)
    assert (entry.by, entry.act, entry.live) == ("person", "remove", {"measures": 3})
    assert [(each.act, each.chan, each.met) for each in entry.also] == [("suspend", ("mail", "posts"), ("reviewed",))]
    comity("delivered", cut, "--how", "link", "--at", "2026-02-03T14:00:00Z")

    # the guest appeals; with the link, a representative can do what the guest can
    (filed,) = comity.json("appeal", suspended, "--text", "I quoted somebody.", "--at", "2026-02-04T12:00:00Z")
    page = comity("statement", cut, "--html")
    assert THREAT in page
    by_friend = ("appeal", cut, "--text", "A joke.", "--by", "a friend", "--at", "2026-02-04T12:00:00Z")
    (against_cut,) = comity.json(*by_friend)
    assert "one a party and statement" in comity("appeal", cut, "--text", "Mine.", "--at", "2026-02-05", code=1)
    assert "An appeal was filed on 4 February 2026, 12:00 (UTC). It waits for a decision." in read(comity, cut)
    assert {each["id"] for each in comity.json("cases")} >= {filed["appeal"], against_cut["appeal"]}
    shown = comity("case", against_cut["appeal"])
    assert "from the account, filed by a friend:\n    A joke.\n" in shown
    assert f"against the decision of mara: `comity statement {cut}`" in shown
    assert "to be decided by 6 March 2026, 12:00 (UTC)" in shown
    assert [type(each) for each in public.sees()] == [AppealEntry, AppealEntry]

    # whoever decided is refused; somebody else reverses the second decision
    outcome = ("outcome", against_cut["appeal"], "upheld", "--why", "No joke.", "--at", "2026-02-05T11:00:00Z", "--by")
    assert "mara took part in the decision" in comity(*outcome, "mara", code=1)
    assert public.sees() == []
    comity("outcome", filed["appeal"], "reversed", "--by", "noor", "--why", "Quoted.", "--at", "2026-02-05T12:00:00Z")
    reversed_ = read(comity, suspended)
    assert "This decision was wrong and no longer holds." in reversed_
    assert reversed_.endswith("its points count no more. The reason: | Quoted.")
    (standing,) = comity.json("standing", "guest", "--at", "2026-02-05T12:30:00Z")
    assert standing["points"] == {"measures": 2}, "the reversed point is void"

    # the third measure is recomputed milder; its statement says so and keeps the old text
    milder = read(comity, cut)
    assert "Recomputed on 5 February 2026" in milder
    assert "until 5 February 2026, 13:00" in milder, "two days, from when it was decided"
    as_issued = told[told.index("What was decided") : told.index("What has happened since")]
    assert "Your message was removed. You may not send anything on posts and mail" in as_issued
    assert as_issued in milder
    assert comity.states("2026-02-05T12:30:00Z") == {"posts": "cut", "mail": "open"}
    assert comity.states("2026-02-04T12:30:00Z") == {"posts": "cut", "mail": "cut"}, "the past is what it was"
    new = public.sees()
    assert [type(each) for each in new] == [OutcomeEntry, CorrectionEntry, CorrectionEntry]
    assert [each.prev for each in new if isinstance(each, CorrectionEntry)] == [suspended, cut]
    comity(*outcome[:-2], "2026-02-06T12:00:00Z", "--by", "noor")
    assert "The reason: | No joke." in read(comity, cut)
    assert comity.json("cases") == [], "the measure lasts until a review no longer: nobody has to look"
    public.sees()

    # time passes
    assert comity.states("2026-02-05T13:00:00Z") == {"posts": "open", "mail": "open"}

    # the guest's data, as the guest gets them
    told = comity("export", "guest")
    exported = json.loads(told)
    assert [each["statement"]["id"] for each in exported["statements"]] == [warned, suspended, cut]
    assert [each["text"] for each in exported["messages"]] == ["buy now", "buy now, again", THREAT]
    assert {each["field"] for each in exported["openings"][cut]} == {"account", "message", "statement"}
    assert "Nina" not in told
    mine = [str(comity.folder / f"mine-{number}.json") for number in range(3)]
    for statement, file in zip((warned, suspended, cut), mine, strict=True):
        comity("prove", statement, "--whole", "--out", file)

    # erased, and every proof still verifies
    comity("hold", "guest", "--by", "ana", "--why", "A court asks.")
    assert "legal hold" in comity("erase", "guest", "--yes", code=1)
    comity("hold", "guest", "--by", "ana", "--why", "The court has decided.", "--end")
    assert comity.json("erase", "guest", "--yes") == [{"erased": "guest", "was_known": True}]
    assert "nothing to tell about" in comity("export", "guest", code=1)
    assert "was erased with its account's data" in comity("statement", cut, code=1)
    assert not set(comity.statements()) & {warned, suspended, cut}
    assert comity.states("2026-02-04T00:00:00Z") == {"posts": "open", "mail": "open"}
    kept = b"".join(each.read_bytes() for each in (comity.folder / "record").glob("*.db*"))
    assert not [word for word in (THREAT, "nina@example.org", "again") if word.encode() in kept]
    comity.say("buy now", "2026-03-01T12:00:00Z", author="somebody else")
    gone = [each.prev for each in public.sees() if isinstance(each, ErasureEntry)]
    assert sorted(gone) == sorted([warned, suspended, cut])
    for file in mine:
        assert "verified" in comity.bare("verify-statement", file)
