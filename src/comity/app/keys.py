"""`comity keys show`, `rotate` and `retire`: which keys sign the ledger, and how one takes the place of another.

To rotate is to enter a new key in the ledger, signed by the old one; from then on both sign. To retire is to publish
the new key and to sign with it alone. Each can be run again after a crash.
"""

from __future__ import annotations

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.signing import LEDGER_KEY, new_key, write_keys
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import Opened, SystemClock, opened
from comity.flow.keys import entered_keys
from comity.ledger.log import VKEY_PATH
from comity.ledger.note import SigningKey, VerifierKey


def show(settings: Settings, *, as_json: bool) -> Exit:
    """The keys that sign now, and which of them the published log names."""
    with opened(settings) as record:
        published = _published(record)
        keys = [(str(one.verifier), _place(one, settings)) for one in record.keys.signers]
    if as_json:
        print_json([{"key": key, "place": place, "published": key == published} for key, place in keys])
        return Exit.FINE
    for key, place in keys:
        out.print(f"{key}  in {place}{', published' if key == published else ''}", markup=False)
    return Exit.FINE


def rotate(settings: Settings) -> Exit:
    """A configured command whose key the ledger does not name yet is the new key; else one is made in the file."""
    with opened(settings) as record:
        _demand_begun(record)
        if not _unentered(record):
            _demand_one(record)
            path, key = settings.folder / LEDGER_KEY, new_key(record.keys.name)
            write_keys(path, (*(one for one in record.keys.signers if isinstance(one, SigningKey)), key))
    with opened(settings) as record:
        (new,) = _unentered(record)
        record.recorder.enter_key(new, SystemClock().now())
    out.print(f"The new key is {new}", markup=False)
    out.print(
        "It is entered in the ledger, and both keys sign from now on. Tell it to whoever checks the ledger (gates,"
        " witnesses, auditors); when they have it, `comity keys retire`.",
        markup=False,
    )
    return Exit.FINE


def retire(settings: Settings) -> Exit:
    """Only the key that was entered last signs from now on, and it is the published one."""
    with opened(settings) as record:
        entered = entered_keys(record.store)
        known = [one for one in record.keys.signers if str(one.verifier) in entered]
        newest = max(known, key=lambda one: entered.index(str(one.verifier)), default=None)
        if newest is None or (len(known) < 2 and _published(record) == str(newest.verifier)):
            help_ = "Begin with `comity keys rotate`."
            raise StopError("there is no older key to retire", help=help_, code=Exit.PROBLEMS)
        record.log.exchange_vkey(newest.verifier)
        path = settings.folder / LEDGER_KEY
        if isinstance(newest, SigningKey):
            write_keys(path, [newest])
        else:
            path.unlink(missing_ok=True)
    out.print(f"Only {newest.verifier} signs from now on, and it is published.", markup=False)
    out.print("The old key is gone from here. Delete your copies of it, those in backups too.", markup=False)
    if isinstance(newest, SigningKey) and settings["ledger.sign"]:
        out.print("Take `sign` and `key` out of comity.toml now: that key is retired.", markup=False)
    return Exit.FINE


def _unentered(record: Opened) -> list[VerifierKey]:
    """Keys that sign and are not in the ledger yet."""
    entered = entered_keys(record.store)
    return [one.verifier for one in record.keys.signers if str(one.verifier) not in entered]


def _demand_one(record: Opened) -> None:
    if len(record.keys.signers) > 1:
        help_ = "Retire the old key first: `comity keys retire`."
        raise StopError("two keys sign already", help=help_, code=Exit.PROBLEMS)


def _demand_begun(record: Opened) -> None:
    if record.mode is None:
        raise StopError("the record has no ledger yet", help="Begin one with `comity publish`.")


def _published(record: Opened) -> str:
    return (record.log.read(VKEY_PATH) or b"").decode("utf-8", "replace").strip()


def _place(signer: object, settings: Settings) -> str:
    return str(settings.folder / LEDGER_KEY) if isinstance(signer, SigningKey) else "the command under [ledger]"
