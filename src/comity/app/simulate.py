"""`comity simulate`: a whole community played through the record, with a picture of what happened."""

from __future__ import annotations

import time
from pathlib import Path

from rich.progress import TaskID

from comity.app.check import checked_agreement
from comity.app.errors import Exit, StopError
from comity.app.simulation.community import Community
from comity.app.simulation.days import Played, play
from comity.app.simulation.offences import MOST_COPIES, offences
from comity.app.simulation.page import page
from comity.app.simulation.report import report
from comity.app.simulation.text import print_report
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, progress
from comity.casework.wording import counted
from comity.model.agreement import Agreement


def simulate(
    agreement: Path,
    *,
    then: Path | None,
    accounts: int,
    days: int,
    seed: int,
    as_json: bool,
    page_at: Path | None,
) -> Exit:
    """Exit code 1 if the ledger does not verify. Nothing is kept but the page."""
    begun = time.perf_counter()
    community = _community(agreement, then, accounts=accounts, days=days, seed=seed)
    if page_at is not None:
        _demand_writable(page_at)
    played = _played(community)
    found = report(played)
    if page_at is not None:
        page_at.write_text(page(found), encoding="utf-8", newline="\n")
    if as_json:
        print_json(found)
    else:
        print_report(found)
    if err.is_terminal:
        took = max(time.perf_counter() - begun, 0.001)
        err.print(f"{counted(found.messages, 'message')} in {took:.1f} s ({found.messages / took:,.0f} a second).")
    return Exit.FINE if found.ledger.is_verified else Exit.PROBLEMS


def _community(agreement: Path, then: Path | None, *, accounts: int, days: int, seed: int) -> Community:
    for name, value in (("--accounts", accounts), ("--days", days)):
        if value < 1:
            raise StopError(f"{name} is {value}", help="Give a number from 1 on.", code=Exit.USAGE)
    checked = checked_agreement(agreement)
    found = offences(checked)
    if not found:
        help_ = (
            "Give a clause with a rule an `examples` fence with a line `breach: ...`, a message that the rule finds"
            f" when an account sends it once, or up to {MOST_COPIES} times in a row."
        )
        message = f"{agreement} has no example of a breach that an account could send"
        raise StopError(message, help=help_, code=Exit.PROBLEMS)
    return Community(
        seed=seed,
        accounts=accounts,
        days=days,
        agreement=checked,
        offences=found,
        then=None if then is None else _next_version(then, checked),
    )


def _next_version(path: Path, first: Agreement) -> Agreement:
    """Raises `StopError` if people could not go on as they do."""
    second = checked_agreement(path)
    if second.digest == first.digest:
        raise StopError(f"{path} is the same version", help="Change it, or leave out --then.", code=Exit.USAGE)
    missing = [channel for channel in first.channels if channel not in second.channels]
    if missing:
        message = f"{path} has no channel {', '.join(missing)}, over which people write before it"
        raise StopError(message, help="Keep the channels of the first version.", code=Exit.PROBLEMS)
    return second


def _demand_writable(path: Path) -> None:
    """Before minutes of work rather than after."""
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        help_ = "Name a file in a folder that exists and that you may write to."
        raise StopError(f"{path} cannot be written: {error.strerror}", help=help_) from error


def _played(community: Community) -> Played:
    with progress("days", community.days) as bar:

        def done(played: Played) -> None:
            bar.update(TaskID(0), completed=len(played.days), note=counted(played.messages, "message"))

        return play(community, done)
