"""`comity publish`: a version of the agreement comes into force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from comity.app.check import checked_agreement
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import out, parse_time
from comity.app.wiring import Opened, SystemClock, opened
from comity.casework.retention import whole_days
from comity.flow.agreement import version_of
from comity.flow.issue import NotNextError, demand_next
from comity.flow.publish import profile_of
from comity.ports import Version


def publish(path: Path, settings: Settings, *, effective: str | None, replay: bool) -> Exit:
    """Refuses what `check` refuses."""
    with opened(settings) as record:
        out.print(publish_into(record, path, effective=effective, replay=replay), markup=False)
    return Exit.FINE


def publish_into(record: Opened, path: Path, *, effective: str | None, replay: bool) -> str:
    """Publishes the agreement in an open record, which it begins if it is new; says what came of it."""
    agreement = checked_agreement(path)
    now = SystemClock().now()
    from_then_on = parse_time(effective, now)
    if replay and record.mode == "live":
        raise StopError(
            f"the record in {record.settings.folder} is live, and a replay must not be mixed into it",
            help="Name another folder for the replay with --store.",
            code=Exit.USAGE,
        )
    published = record.store.versions()
    if published and published[-1].digest == agreement.digest:
        return f"{agreement.digest} is published already."
    version = version_of(agreement, name=path.name, effective=from_then_on)
    _demand_next(version, published, now if record.mode == "live" else None)
    _demand_profile(record)
    record.recorder.begin(
        mode="replay" if replay else "live",
        operator=record.settings["ledger.operator"],
        at=now,
        profile=record.settings.profile,
        retention=0 if replay else whole_days(record.settings.kept_for),
    )
    record.recorder.publish_version(version, now)
    kind = " in a record that replays archives" if replay or record.mode == "replay" else ""
    return f"Published {agreement.digest}{kind}, in force from {version.effective:%Y-%m-%d %H:%M} UTC."


def _demand_profile(record: Opened) -> None:
    """Raises `StopError` if another profile is asked for than the ledger began with."""
    wanted, has = record.settings.each["ledger.profile"], profile_of(record.store)
    if record.mode is not None and wanted.source != "default" and wanted.value != has:
        raise StopError(
            f"the ledger began with the profile {has}, and `ledger.profile` from {wanted.source} is {wanted.value}",
            help="A profile is for good: begin another record with --store for another one.",
            code=Exit.USAGE,
        )


def _demand_next(version: Version, published: Sequence[Version], now: datetime | None) -> None:
    """Raises `StopError` for a version that was replaced before, or that would reach back. `now`: None in a replay."""
    try:
        demand_next(version, published, now)
    except NotNextError as error:
        raise StopError(str(error), help=error.help, code=Exit.USAGE) from error
