"""`comity removals`: what sources have still to take down or put back."""

from __future__ import annotations

from comity.app.acting import acting, told
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import SystemClock, reading
from comity.casework.facts import Treatment
from comity.casework.removals import Due
from comity.casework.wording import counted, printable
from comity.flow import removals as flow
from comity.model.ids import MessageId


def removals(settings: Settings, *, source: str | None, as_json: bool) -> Exit:
    """What is not acknowledged yet."""
    with reading(settings) as store:
        found = list(flow.due(store, SystemClock().now(), source=source))
    if as_json:
        print_json(found)
        return Exit.FINE
    for each in found:
        out.print(_line(each), markup=False)
    out.print(f"{counted(len(found), 'message')} to take down or put back.", markup=False)
    return Exit.FINE


def acknowledge(settings: Settings, *, message: str, source: str | None, done: str, as_json: bool) -> Exit:
    """The source has done it."""
    if source is None:
        raise StopError("whose message? An id is unique within its source", help="Add --source NAME.", code=Exit.USAGE)
    if done not in tuple(Treatment):
        raise StopError(f"{done!r} is nothing that a source does", help="withheld or restored", code=Exit.USAGE)
    key = (source, MessageId(message))
    with acting(settings) as proceedings:
        at = SystemClock().now()
        account = flow.account_of(proceedings.store, key, at)
        facts = flow.acknowledge(proceedings, account, key, Treatment(done), at)
    return told(facts, as_json=as_json, said=f"Noted: message {message} is {done}.")


def _line(each: Due) -> str:
    what = "withhold" if each.treatment is Treatment.WITHHELD else "restore"
    where = f" in {' '.join(each.territory)}" if each.territory else ""
    return f"{what}{where}  {printable(each.source)}  {printable(each.message)}  statement {each.statement}"
