"""Trust policies as files of an operator or an auditor."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from comity.app.errors import Exit, StopError
from comity.ledger.policy import LARGEST_POLICY, Policy, PolicyError, parse_policy

POLICY_HELP: Final = "A policy names logs, witnesses and a quorum; docs/witness.md shows one."


def read_policy(path: Path) -> Policy:
    """The policy in a file. Raises `StopError`."""
    try:
        with path.open("rb") as file:
            return parse_policy(file.read(LARGEST_POLICY + 1))
    except OSError as error:
        raise StopError(f"{path} cannot be read: {error.strerror}", help=POLICY_HELP, code=Exit.USAGE) from error
    except PolicyError as error:
        raise StopError(f"{path}: {error}", help=POLICY_HELP, code=Exit.USAGE) from error
