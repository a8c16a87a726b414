"""`comity gate canary`: one account is cut off and restored through the real server, to see that gates do their work.

The account breaches a clause that was written for it, by a message to the centre; a command of the operator's tries to
communicate as that account until it is refused; then the measure is lifted, and the command must go through again.
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec

from comity.app.clock import SystemClock
from comity.app.errors import Exit, StopError
from comity.app.gate import authority, read_token, say
from comity.app.terminal import as_json as print_json

_JSON: Final = {"Content-Type": "application/json"}
_TRY_AGAIN: Final = 0.01
_LONGEST_ATTEMPT: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """`says` breaches; `attempt` is a command that ends with 0 if what it tried went through. Times in seconds."""

    centre: str
    ca: Path | None
    source: Path
    reviewer: Path
    account: str
    channel: str
    says: str
    attempt: Sequence[str]
    within: float
    patience: float


class Flown(msgspec.Struct, frozen=True, kw_only=True):
    """How long after the centre's answer the server refused, and passed again. Milliseconds; none: it never did."""

    at: str
    refused_after: float | None
    passed_after: float | None
    is_well: bool


class _Answer(msgspec.Struct):
    statement: str | None = None


def canary(bird: Canary, *, every: float, as_json: bool) -> Exit:
    """Once, or for ever; then what went wrong is a line of the error stream and the next time comes."""
    if not bird.attempt:
        help_ = "Write it behind `--`, such as `-- curl -fsS -u canary:secret -d hello https://example.org/post`."
        raise StopError("there is no command that tries to communicate", help=help_, code=Exit.USAGE)
    with httpx.Client(base_url=bird.centre, trust_env=False, timeout=30, verify=authority(bird.ca)) as client:
        while True:
            try:
                flown = _flown(bird, client)
            except httpx.HTTPError as error:
                raise StopError(f"the centre did not answer: {error or type(error).__name__}") from error
            print_json(flown) if as_json else say(sys.stdout if flown.is_well else sys.stderr, _words(bird, flown))
            if not every:
                return Exit.FINE if flown.is_well else Exit.PROBLEMS
            time.sleep(every)


def _flown(bird: Canary, client: httpx.Client) -> Flown:
    at = SystemClock().now()
    _lift(bird, client, _standing(bird, client))  # what a canary that died left behind
    if _time_until(bird, passes=True) is None:
        raise StopError(f"{bird.account} cannot communicate before anything was decided", help="Try the command alone.")
    message = {"id": uuid.uuid4().hex, "author": bird.account, "channel": bird.channel, "text": bird.says}
    sent = {**message, "sent": at.isoformat()}
    answer = client.post("/v1/messages", headers=_bearer(bird.source), content=msgspec.json.encode(sent))
    statement = msgspec.json.decode(_fine(answer).content, type=_Answer).statement
    if statement is None:
        raise StopError("what the canary said breached nothing", help="Give it words after --says that do.")
    refused = _time_until(bird, passes=False)
    _lift(bird, client, statement)
    passed = _time_until(bird, passes=True)
    is_well = refused is not None and passed is not None and max(refused, passed) <= bird.within * 1000
    return Flown(at=at.isoformat(), refused_after=refused, passed_after=passed, is_well=is_well)


def _standing(bird: Canary, client: httpx.Client) -> str | None:
    """The statement that restricts the account now."""
    asked = {"account": bird.account, "channel": bird.channel}
    answer = client.get("/v1/standing", params=asked, headers=_bearer(bird.source))
    return msgspec.json.decode(_fine(answer).content, type=_Answer).statement


def _lift(bird: Canary, client: httpx.Client, statement: str | None) -> None:
    if statement is not None:
        why = msgspec.json.encode({"by": "canary", "why": "A trial of the gates; nothing was wrong."})
        _fine(client.post(f"/v1/statements/{statement}/lift", headers=_bearer(bird.reviewer), content=why))


def _time_until(bird: Canary, *, passes: bool) -> float | None:
    """Milliseconds until an attempt ended so; none: it never did."""
    start = time.monotonic()
    while (spent := time.monotonic() - start) < bird.patience:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, no words of anybody else's
                bird.attempt, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LONGEST_ATTEMPT, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StopError(f"the command could not be run: {error}", help="Try it alone.") from error
        if (done.returncode == 0) is passes:
            return (time.monotonic() - start) * 1000
        time.sleep(min(_TRY_AGAIN, bird.patience - spent))
    return None


def _bearer(file: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {read_token(file)}", **_JSON}


def _fine(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        text = answer.text[:300]
        raise StopError(f"the centre answered {answer.status_code}: {text}", help="Look at the tokens and the channel.")
    return answer


def _words(bird: Canary, flown: Flown) -> str:
    if flown.refused_after is None:
        return f"{flown.at} ALARM: {bird.account} was cut off, and communicates on {bird.channel}"
    if flown.passed_after is None:
        return f"{flown.at} ALARM: {bird.account} was restored, and is refused on {bird.channel}"
    took = f"refused {flown.refused_after:.0f} ms after the decision, passed {flown.passed_after:.0f} ms after its end"
    return f"{flown.at} {'' if flown.is_well else 'ALARM: '}{bird.account} on {bird.channel}: {took}"
