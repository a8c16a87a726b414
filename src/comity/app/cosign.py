"""`comity cosign`: asks the witnesses to vouch for the published log; for a clock (cron) or by hand."""

from __future__ import annotations

from pathlib import Path

from comity.app.errors import Exit, StopError
from comity.app.policy import POLICY_HELP, read_policy
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import LOG_FOLDER, SystemClock
from comity.app.witness_link import HttpLink
from comity.casework.wording import printable
from comity.flow.cosign import Collected
from comity.flow.cosign import cosign as ask_witnesses
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.note import NoteError
from comity.ledger.policy import Policy
from comity.stores.log_folder import LogFolder


def cosign(settings: Settings, *, policy: Path | None, as_json: bool) -> Exit:
    """Exit code 1 if the quorum is not met, or a witness has seen more of this log or another one."""
    chosen = policy or settings.policy
    if chosen is None:
        help_ = f"Name it with --policy, or in comity.toml as `policy` under [ledger]. {POLICY_HELP}"
        raise StopError("there is no policy that names witnesses", help=help_, code=Exit.USAGE)
    log = LogFolder(settings.folder / LOG_FOLDER)
    collected = _cosigned(log, read_policy(chosen))
    if as_json:
        print_json(
            {
                "met": collected.is_met,
                "witnesses": [
                    {"witness": one.witness, "said": one.said, "words": one.words} for one in collected.outcomes
                ],
            }
        )
    else:
        for one in collected.outcomes:
            out.print(printable(f"{one.witness} {one.words}"), markup=False)
        size = unverified_checkpoint(collected.checkpoint).size
        met = "met" if collected.is_met else "NOT met"
        out.print(f"the quorum for {size} entries is {met}", markup=False)
    return Exit.FINE if collected.is_met and not collected.is_doubted else Exit.PROBLEMS


def _cosigned(log: LogFolder, policy: Policy) -> Collected:
    try:
        collected = ask_witnesses(log, policy, HttpLink(), SystemClock())
    except NoteError as error:
        raise StopError(f"{log.path / 'checkpoint'}: {error}", help="Compare it with a copy that you kept.") from error
    if collected is None:
        help_ = "Publish an agreement first: `comity publish`."
        raise StopError(f"there is no published log in {log.path}", help=help_, code=Exit.USAGE)
    return collected
