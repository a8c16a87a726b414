"""What the `postfix` gate answers when Postfix asks whether somebody may send (SMTPD policy delegation protocol).

A request is lines of `name=value` with an empty line at its end; the answer is an action of access(5). Whoever signed
in is who sends: an envelope's sender is believed only if the gate was told to. Pure: a request in, an action out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from comity.gates.answers import Allow, Answer, Deny, Limited, Unavailable
from comity.gates.rates import Rates
from comity.gates.smtp import LONGEST, limitation, line, refusal

LARGEST_REQUEST: Final = 64 << 10
_AROUND: Final = len("550 5.7.1 <>: Recipient address rejected: ")
"""What Postfix writes before the text, without the address that it names."""
_NAME: Final = re.compile(rb"[a-zA-Z0-9_]{1,100}")

GO_ON: Final = "DUNNO"
_GO_ON_STALE: Final = "INFO comity: the centre has been away for too long; somebody not known to be cut off passes"
_HOLD: Final = "HOLD comity: this account's mail waits for a decision"
NO_NAME: Final = "550 5.7.1 The name that signed in is not UTF-8."

Request = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """`trusts_sender`: whether somebody who has not signed in is who the envelope says.

    `holds`: whether mail of an account on hold waits in the hold queue; else the centre says so of each mail.
    """

    trusts_sender: bool = False
    holds: bool = True


class RequestError(Exception):
    """Postfix does not ask like this."""


def read_request(content: bytes) -> Request:
    """The attributes of a request, without the empty line at its end. Raises `RequestError`.

    An attribute that is there twice is refused: one of the two was not written by Postfix.
    """
    attributes: dict[str, str] = {}
    for each in content.split(b"\n"):
        name, equals, value = each.partition(b"=")
        if not equals or not _NAME.fullmatch(name):
            raise RequestError("a line is no attribute")
        if name.decode() in attributes:
            raise RequestError(f"the attribute {name.decode()} is there twice")
        attributes[name.decode()] = value.decode("utf-8", "surrogateescape")
    if attributes.get("request") != "smtpd_access_policy":
        raise RequestError("it is no request for a policy")
    return attributes


def answered(
    request: Request, check: Callable[[str], Answer], manner: Manner, rates: Rates, at: datetime
) -> tuple[str, Answer | None]:
    """The action, and what it says of the account if it was about one."""
    name = request.get("sasl_username", "") or (request.get("sender", "") if manner.trusts_sender else "")
    if not name:
        return GO_ON, None
    if not is_unicode(name):
        return NO_NAME, None
    answer = strictest(check, name)
    if isinstance(answer, Limited) and answer.limit == "hold":
        return _HOLD if manner.holds else GO_ON, answer
    return _action(request, name, answer, rates, at), answer


def is_unicode(name: str) -> bool:
    """Whether it came as UTF-8."""
    return not any("\ud800" <= each <= "\udfff" for each in name)


def strictest(check: Callable[[str], Answer], name: str) -> Answer:
    """What holds for a name or for it in small letters: who signs in as `Ann` is not free of what `ann` is bound to."""
    answers = [check(each) for each in dict.fromkeys((name, name.lower()))]
    restricted = (each for kind in (Deny, Limited) for each in answers if isinstance(each, kind))
    return next(restricted, answers[0])


def _action(request: Request, name: str, answer: Answer, rates: Rates, at: datetime) -> str:
    room = LONGEST - _AROUND - max(len(request.get("sender", "")), len(request.get("recipient", "")))
    match answer:
        case Allow(is_stale=is_stale):
            return _GO_ON_STALE if is_stale else GO_ON
        case Deny():
            return f"550 5.7.1 {refusal(answer, room)}"
        case Unavailable(reason=reason):
            return f"DEFER_IF_PERMIT 4.7.1 {line(f'Try again in a moment: {reason}.', room)}"
        case Limited(limit=limit):
            passes = rates.passes(name, limit, request.get("instance", ""), at)
            return GO_ON if passes else f"450 4.7.1 {limitation(answer, room)}"
