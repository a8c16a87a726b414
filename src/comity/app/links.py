"""`comity link`: where the account reads its statement, and a new such link when somebody else has the old one."""

from __future__ import annotations

from comity.app.acting import acting, parse_person
from comity.app.errors import Exit
from comity.app.settings import Settings
from comity.app.show import decision_of
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import SystemClock, links, reading
from comity.casework.recorded import Recorded
from comity.flow import subject
from comity.flow.links import Purpose


def link(prefix: str, settings: Settings, *, is_new: bool, by: str, as_json: bool) -> Exit:
    """The statement link, which shows everything, is for the account alone; the refusal link is no secret."""
    if is_new:
        person = parse_person(by)
        with acting(settings) as proceedings:
            one = decision_of(proceedings.store, prefix)
            subject.replace_link(proceedings, one.id, person, SystemClock().now())
    with reading(settings) as store:
        one = decision_of(store, prefix)
    found = {purpose.value: address(one, settings, purpose) for purpose in Purpose}
    if as_json:
        print_json(found)
    else:
        out.print(found[Purpose.STATEMENT.value], markup=False, soft_wrap=True)
    return Exit.FINE


def address(one: Recorded, settings: Settings, purpose: Purpose) -> str:
    """The whole address, as far as it is known how the service is reached."""
    where = settings["serve.url"].rstrip("/") or f"http://{settings['serve.host']}:{settings.serve_port}"
    return where + subject.path(links(settings), purpose, one)
