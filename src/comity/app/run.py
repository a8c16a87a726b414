"""`comity run`: the full job over archives, into the record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from comity.app.archives import each_batch, on_other_channels
from comity.app.errors import Exit, StopError
from comity.app.interrupts import explained, held
from comity.app.publish import publish_into
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, out
from comity.app.wiring import Opened, opened
from comity.casework.wording import counted
from comity.model.message import Message
from comity.ports import Answer, Outcome

AT_ONCE: Final = 1000
"""Messages in one transaction."""


class Tally:
    """What became of the messages of one run."""

    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.clauses: Counter[str] = Counter()
        self.statements: set[str] = set()
        self.elsewhere = 0
        """Messages on channels that no version of the agreement names."""

    def add(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            self.outcomes[answer.outcome] += 1
            self.clauses.update(answer.clauses)
            if answer.statement:
                self.statements.add(answer.statement)

    def summary(self) -> dict[str, object]:
        return {
            "messages": sum(self.outcomes.values()),
            "elsewhere": self.elsewhere,
            "outcomes": {str(outcome): count for outcome, count in self.outcomes.most_common()},
            "clauses": dict(self.clauses.most_common()),
            "statements": len(self.statements),
        }


def run(
    archives: Sequence[str],
    settings: Settings,
    mapping: Sequence[str],
    *,
    source: str | None,
    as_sent: bool,
    rejects: Path,
    as_json: bool,
) -> Exit:
    """Exit code 1 if records were rejected or an archive was broken; what could be read was judged all the same."""
    tally = Tally()
    with explained("What was judged is kept. Run the same command again, and it goes on."), opened(settings) as record:
        with held():
            _prepare(record, as_sent=as_sent)
            proceedings = record.proceedings()
            channels = proceedings.versions.channels

        def take(messages: Sequence[Message]) -> str:
            for start in range(0, len(messages), AT_ONCE):
                with held():
                    answers = proceedings.take(messages[start : start + AT_ONCE])
                tally.add(answers)
            tally.elsewhere += sum(message.channel not in channels for message in messages)
            judged, stated = sum(tally.outcomes.values()), len(tally.statements)
            return f"{counted(judged, 'message')}, {counted(stated, 'statement')}"

        read = each_batch("running", archives, mapping, source, rejects, take)
    if as_json:
        print_json({**tally.summary(), "rejects": read.rejects, "broken_archives": read.problems})
    else:
        _print(tally, sorted(channels))
    return read.exit_code


def _prepare(record: Opened, *, as_sent: bool) -> None:
    """A record with a version in force, of the kind that was asked for."""
    if not record.store.versions():
        if not as_sent:
            raise StopError(
                f"no version of the agreement is published in {record.settings.folder}",
                help="Run `comity publish` first; or replay an archive of past messages with --as-sent.",
                code=Exit.USAGE,
            )
        err.print(publish_into(record, record.settings.agreement, effective=None, replay=True), markup=False)
    elif as_sent and record.mode == "live":
        raise StopError(
            f"the record in {record.settings.folder} is live, and a replay must not be mixed into it",
            help="Name another folder for the replay with --store.",
            code=Exit.USAGE,
        )
    elif not as_sent and record.mode == "replay":
        raise StopError(
            f"the record in {record.settings.folder} replays archives",
            help="Add --as-sent, or name another folder with --store.",
            code=Exit.USAGE,
        )


def _print(tally: Tally, channels: Sequence[str]) -> None:
    total = sum(tally.outcomes.values())
    out.print(f"{counted(total, 'message')}: " + ", ".join(f"{n:,} {kind}" for kind, n in tally.outcomes.most_common()))
    for clause, count in tally.clauses.most_common():
        out.print(f"  {clause}: {count:,}", markup=False)
    if tally.elsewhere:
        told = on_other_channels(tally.elsewhere, total, channels, named_by="the agreement")
        out.print(f"{told} What was taken in is not judged anew.", markup=False)
    if tally.outcomes[Outcome.UNBOUND]:
        out.print("Some were sent before any version was in force, so they were not judged. To replay them: --as-sent.")
    stated = counted(len(tally.statements), "statement")
    out.print(f"{stated}. Read them with `comity statement`; check all with `comity verify`.")
