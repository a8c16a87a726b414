"""`comity publish`: a version of the agreement comes into force."""

from __future__ import annotations

from pathlib import Path

from comity.app.check import checked_agreement
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import out, parse_time
from comity.app.wiring import Opened, SystemClock, opened
from comity.flow.agreement import version_of


def publish(path: Path, settings: Settings, *, effective: str | None, replay: bool) -> Exit:
    """Refuses what `check` refuses."""
    with opened(settings) as record:
        publish_into(record, path, effective=effective, replay=replay)
    return Exit.FINE


def publish_into(record: Opened, path: Path, *, effective: str | None, replay: bool) -> None:
    """Publishes the agreement in an open record, which it begins if it is new."""
    agreement = checked_agreement(path)
    now = SystemClock().now()
    if replay and record.mode == "live":
        raise StopError(
            f"the record in {record.settings.folder} is live, and a replay must not be mixed into it",
            help="Name another folder for the replay with --store.",
            code=Exit.USAGE,
        )
    last = record.store.versions()[-1:]
    if last and last[0].digest == agreement.digest:
        out.print(f"{agreement.digest} is published already.", markup=False)
        return
    version = version_of(agreement, name=path.name, effective=parse_time(effective, now))
    if last and version.effective < last[0].effective:
        raise StopError(
            f"the version before comes into force only at {last[0].effective:%Y-%m-%dT%H:%M:%SZ}",
            help="Name a later time with --from: a new version never reaches back.",
            code=Exit.USAGE,
        )
    record.recorder.begin(mode="replay" if replay else "live", operator=record.settings["ledger.operator"], at=now)
    record.recorder.publish_version(version, now)
    kind = " in a record that replays archives" if replay or record.mode == "replay" else ""
    out.print(
        f"Published {agreement.digest}{kind}, in force from {version.effective:%Y-%m-%d %H:%M} UTC.", markup=False
    )
