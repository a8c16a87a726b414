"""`comity webhook`: where events go, what could not be delivered, and sending that again."""

from __future__ import annotations

import base64
import secrets
from contextlib import closing
from typing import Final

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, out, parse_name
from comity.app.webhook_link import usable
from comity.app.wiring import SystemClock, reading, webhooks
from comity.casework.wording import counted, printable
from comity.flow.webhooks import PREFIX
from comity.model.webhook import Webhook, WebhookId
from comity.ports import UnreachableError

_KNOWN: Final = "List them with `comity webhook list`."
_LONGEST: Final = 2_000


def add(url: str, settings: Settings, *, source: str | None, private: bool, from_start: bool, as_json: bool) -> Exit:
    """The secret is shown now and never again."""
    if len(url) > _LONGEST:
        raise StopError(f"an address has at most {_LONGEST} characters", code=Exit.USAGE)
    try:
        usable(url)
    except UnreachableError as error:
        raise StopError(str(error), help="Name an address that begins with https://.", code=Exit.USAGE) from error
    with reading(settings) as store:
        position = 0 if from_start else store.position
    hook = Webhook(
        id=WebhookId(secrets.token_hex(4)),
        url=url,
        secret=PREFIX + base64.b64encode(secrets.token_bytes(32)).decode(),
        source=None if source is None else parse_name(source, "the source"),
        may_be_private=private,
        created=SystemClock().now(),
        position=position,
    )
    with closing(webhooks(settings)) as file:
        file.add(hook)
    if as_json:
        print_json({"id": hook.id, "secret": hook.secret})
    else:
        out.print(hook.secret, markup=False, soft_wrap=True)
        err.print(f"Shown only now; the receiver checks signatures with it. {_line(hook)}", markup=False)
    return Exit.FINE


def every(settings: Settings, *, as_json: bool) -> Exit:
    with closing(webhooks(settings)) as file:
        known = [(hook, file.waiting(hook.id), len(file.dead(hook.id))) for hook in file.every()]
    if as_json:
        print_json([_row(hook) | {"waiting": waiting, "dead": dead} for hook, waiting, dead in known])
        return Exit.FINE
    for hook, waiting, dead in known:
        out.print(f"{_line(hook)}; {waiting} waiting, {dead} given up", markup=False, soft_wrap=True)
    if not known:
        out.print("There are no webhooks. Add one with `comity webhook add https://...`.")
    return Exit.FINE


def retire(id_: str, settings: Settings) -> Exit:
    with closing(webhooks(settings)) as file:
        if not file.retire(WebhookId(id_)):
            raise StopError(f"there is no webhook {id_!r}", help=_KNOWN, code=Exit.USAGE)
    out.print("Retired. Nothing is sent there any more.")
    return Exit.FINE


def dead(settings: Settings, *, as_json: bool) -> Exit:
    """What was given up, and why."""
    with closing(webhooks(settings)) as file:
        letters = [each for hook in file.every() for each in file.dead(hook.id)]
    if as_json:
        print_json(letters)
        return Exit.FINE
    for each in letters:
        tried = counted(each.attempts, "try", "tries")
        out.print(f"{each.hook}  event {each.event}  {tried}: {printable(each.error)}", markup=False, soft_wrap=True)
    out.print(f"{counted(len(letters), 'event was', 'events were')} given up.", markup=False)
    return Exit.FINE


def again(id_: str, settings: Settings) -> Exit:
    with closing(webhooks(settings)) as file:
        if id_ not in [hook.id for hook in file.every()]:
            raise StopError(f"there is no webhook {id_!r}", help=_KNOWN, code=Exit.USAGE)
        count = file.again(WebhookId(id_), SystemClock().now())
    out.print(f"{counted(count, 'event is', 'events are')} sent anew.", markup=False)
    return Exit.FINE


def _row(hook: Webhook) -> dict[str, object]:
    return {"id": hook.id, "url": hook.url, "source": hook.source, "position": hook.position}


def _line(hook: Webhook) -> str:
    whose = "what anybody may know" if hook.source is None else f"of messages from {printable(hook.source)}"
    return f"{hook.id}  {printable(hook.url)}: {whose}"
