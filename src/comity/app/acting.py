"""What commands share that change the record in a person's name: asking, refusing, telling what was done."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from comity.agreement.ladders import ChoiceError
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, out, parse_name
from comity.app.wiring import opened
from comity.casework.case_facts import AboutAccount
from comity.casework.refused import Mend, RefusedError
from comity.casework.wording import counted, printable
from comity.flow.message import Proceedings
from comity.model.ids import ReviewerId

HELP: Final[Mapping[Mend, str]] = {
    Mend.SAY_WHY: "Add --why REASON.",
    Mend.SAY_NOTE: "Add --note TEXT.",
    Mend.WRITE_TEXT: "Add --text TEXT, or write it to standard input.",
    Mend.LOOK_UP: "`comity cases` lists cases and appeals that wait, `comity statement` statements.",
    Mend.READ_AGAIN: "`comity case ID` shows it as it is now.",
    Mend.CLAIM: "Claim it first: `comity case ID --claim`.",
    Mend.NAME_CLAUSES: "Add --clause CLAUSE; `comity case ID` shows what was found.",
    Mend.CHOOSE_MILDER: "Name milder measures with --instead, as a ladder's row has them: `suspend | posts | 3 days`.",
    Mend.ASK_ANOTHER: "Let somebody else decide, and name them with --by.",
    Mend.DECIDE_FIRST: "Decide it first; `comity cases` lists it.",
    Mend.END_MEASURE: "Wait for its end, which `comity standing ACCOUNT` shows, or end it with `comity lift`.",
    Mend.END_HOLD: "If it is needed no longer, end it first: `comity hold ACCOUNT --end`.",
}


@contextmanager
def acting(settings: Settings) -> Iterator[Proceedings]:
    """The record, open for acts. What it refuses ends the command with its reason."""
    with opened(settings) as record:
        if record.mode is None:
            raise StopError("the record has no agreement yet", help="Publish one with `comity publish`.")
        try:
            yield record.proceedings()
        except RefusedError as error:
            help_ = HELP[error.mend] if error.mend else ""
            raise StopError(f"refused: {error}", help=help_, code=Exit.PROBLEMS) from error
        except ChoiceError as error:
            help_ = "Write measures as a ladder's row has them: `suspend | posts | 3 days`."
            raise StopError(f"the measures cannot be read: {error}", help=help_, code=Exit.USAGE) from error


def parse_person(name: str) -> ReviewerId:
    """Raises `StopError` if nobody is named."""
    if not name.strip():
        raise StopError("who decides? The record keeps a name", help="Add --by NAME.", code=Exit.USAGE)
    return ReviewerId(parse_name(name, "the name after --by"))


def demand_sure(question: str, *, is_sure: bool) -> None:
    """Asks at a terminal; a script says so beforehand. Raises `StopError` if the answer is no."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise StopError("nothing was done: nobody is there to ask", help="Add --yes.", code=Exit.USAGE)
    err.print(f"{question} \\[y/N] ", end="")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise StopError("nothing was done", code=Exit.PROBLEMS)


def told(facts: Iterable[AboutAccount], *, as_json: bool, said: str = "") -> Exit:
    """Print what was recorded."""
    kept = tuple(facts)
    if as_json:
        print_json(kept)
    else:
        out.print(printable(said) if said else f"Recorded {counted(len(kept), 'fact')}.", markup=False)
    return Exit.FINE
