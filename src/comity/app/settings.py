"""Configuration: `comity.toml`, then `COMITY_*` variables, then flags; each value knows where it is from."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comity.agreement.durations import read_duration
from comity.app.errors import Exit, StopError
from comity.casework.cases import LONGEST_WAIT
from comity.ledger.entry import Profile
from comity.model.duration import Duration

FILE_NAME: Final = "comity.toml"
_LONGEST: Final = 1024
_LARGEST_PORT: Final = 65_535

DEFAULTS: Final[Mapping[str, str]] = {
    "agreement.file": "agreement.md",
    "store.folder": ".comity",
    "ledger.origin": "",
    "ledger.operator": "the operator of this record",
    "ledger.profile": "open",
    "ledger.policy": "",
    "ledger.anchor": "",
    "ledger.sign": "",
    "ledger.key": "",
    "run.delivery": "1 minute",
    "review.patience": "24 hours",
    "retention.messages": "0 days",
    "reader.zone": "UTC",
    "serve.host": "127.0.0.1",
    "serve.port": "8645",
    "serve.url": "",
    "serve.proxies": "",
    "console.blur": "on",
    "mail.server": "",
    "mail.from": "",
    "mail.reply_to": "",
    "mail.user": "",
    "mail.password_file": "",
}
MEANINGS: Final[Mapping[str, str]] = {
    "agreement.file": "the agreement that `check`, `publish` and `run` take when none is named",
    "store.folder": "where the record, its keys and the published log are kept",
    "ledger.origin": "the log's name in its checkpoints; made once, never changed",
    "ledger.operator": "who keeps the record, as the log's first entry says",
    "ledger.profile": "open, or sealed for a small community: the ledger then tells days and no acts; for good",
    "ledger.policy": "a trust policy (C2SP tlog-policy): the witnesses that vouch for the log, and how many must",
    "ledger.anchor": "a file on other storage that keeps the last checkpoint: shows if this folder was put back",
    "ledger.sign": "a command that signs: gets the text of a checkpoint, gives its signature line",
    "ledger.key": "the verifier key that goes with the command",
    "run.delivery": "in a replay, how long after its decision a statement reaches its account",
    "review.patience": "how long a message waits for a person at most, up to 24 hours; then it is passed on",
    "retention.messages": "how long the text of a message in which nothing was found is kept; 0 days: not at all",
    "serve.host": "the address that `serve` listens on; 127.0.0.1 is this machine alone",
    "serve.port": "the port that `serve` listens on; 0: a free one",
    "serve.url": "how the service is reached from outside, for the links that people get",
    "serve.proxies": "the addresses of web servers in front, parted by commas: their X-Forwarded-For says who asks",
    "console.blur": "on, or off: whether what rules found is blurred in the console until somebody asks for it",
    "mail.server": "the server that takes statements to accounts by e-mail: smtp://HOST[:587], smtps://HOST[:465]",
    "mail.from": "whom they come from: NAME <NAME@HOST>, or an address alone",
    "mail.reply_to": "where answers to them go; to whom they come from if left out",
    "mail.user": "who signs in at that server; nobody if left out",
    "mail.password_file": "the file with the password; or it stands in COMITY_MAIL_PASSWORD",
    "reader.zone": "the time zone of the dates in statements",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked. `base` is the folder that relative paths are taken from."""

    base: Path
    each: Mapping[str, Setting]

    @property
    def agreement(self) -> Path:
        return self.base / self["agreement.file"]

    @property
    def folder(self) -> Path:
        return self.base / self["store.folder"]

    @property
    def policy(self) -> Path | None:
        return self.base / self["ledger.policy"] if self["ledger.policy"] else None

    @property
    def anchor(self) -> Path | None:
        return self.base / self["ledger.anchor"] if self["ledger.anchor"] else None

    @property
    def profile(self) -> Profile:
        setting = self.each["ledger.profile"]
        match setting.value:
            case "open" | "sealed" as profile:
                return profile
            case _:
                message = f"`ledger.profile` from {setting.source} is {setting.value!r}, which is no profile"
                raise StopError(message, help="Use `open` or `sealed`.", code=Exit.USAGE)

    @property
    def delivery(self) -> Duration:
        return _duration("run.delivery", self.each["run.delivery"])

    @property
    def patience(self) -> Duration:
        """Raises `StopError`."""
        setting = self.each["review.patience"]
        duration = _duration("review.patience", setting)
        if duration.nominal_seconds > LONGEST_WAIT.nominal_seconds:
            message = f"`review.patience` from {setting.source} is {setting.value!r}, which is more than 24 hours"
            raise StopError(message, help="Nobody's message is kept back for longer.", code=Exit.USAGE)
        return duration

    @property
    def kept_for(self) -> timedelta:
        """Raises `StopError`."""
        duration = _duration("retention.messages", self.each["retention.messages"], zero=True)
        return timedelta(seconds=duration.nominal_seconds)

    @property
    def zone(self) -> ZoneInfo:
        setting = self.each["reader.zone"]
        try:
            return ZoneInfo(setting.value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            wanted = "Use an IANA name such as `Europe/Berlin`."
            message = f"`reader.zone` from {setting.source} is {setting.value!r}, which is no time zone"
            raise StopError(message, help=wanted, code=Exit.USAGE) from error

    @property
    def blurs(self) -> bool:
        setting = self.each["console.blur"]
        if setting.value not in ("on", "off"):
            message = f"`console.blur` from {setting.source} is {setting.value!r}"
            raise StopError(message, help="Use `on` or `off`.", code=Exit.USAGE)
        return setting.value == "on"

    @property
    def serve_port(self) -> int:
        setting = self.each["serve.port"]
        if not setting.value.isascii() or not setting.value.isdigit() or int(setting.value) > _LARGEST_PORT:
            message = f"`serve.port` from {setting.source} is {setting.value!r}, which is no port"
            raise StopError(message, help=f"Use a number from 0 to {_LARGEST_PORT}.", code=Exit.USAGE)
        return int(setting.value)

    @property
    def proxies(self) -> tuple[str, ...]:
        """Addresses and networks. Raises `StopError`."""
        setting = self.each["serve.proxies"]
        found = tuple(part.strip() for part in setting.value.split(",") if part.strip())
        for part in found:
            if not _is_network(part):
                message = f"`serve.proxies` from {setting.source} has {part!r}, which is no address and no network"
                raise StopError(message, help="Write `127.0.0.1`, or `10.0.0.0/8, ::1`.", code=Exit.USAGE)
        return found

    def __getitem__(self, name: str) -> str:
        return self.each[name].value


def settings(flags: Mapping[str, str | None], *, config: Path | None = None) -> Settings:
    """The settings in force. Raises `StopError` for a file or a value that cannot be used."""
    path = config or Path(FILE_NAME)
    found = {name: Setting(value=value, source="default") for name, value in DEFAULTS.items()}
    if path.exists():
        found |= {name: Setting(value=value, source=str(path)) for name, value in _from_file(path)}
    elif config is not None:
        raise StopError(f"there is no {config}", help="Name an existing file after --config.", code=Exit.USAGE)
    found |= {name: Setting(value=value, source=variable) for name, variable, value in _from_environment()}
    found |= {name: Setting(value=value, source="flag") for name, value in flags.items() if value is not None}
    checked = Settings(base=path.parent, each=found)
    _ = checked.delivery, checked.patience, checked.kept_for, checked.zone, checked.profile
    _ = checked.blurs, checked.proxies
    for name, setting in found.items():
        _demand_text(name, setting)
    return checked


def _is_network(text: str) -> bool:
    try:
        return bool(ip_network(text))
    except ValueError:
        return False


def _demand_text(name: str, setting: Setting) -> None:
    """Anything else can be neither a path nor a part of the ledger."""
    if len(setting.value) > _LONGEST or not setting.value.isprintable():
        message = f"`{name}` from {setting.source} is {setting.value[:40]!r}, which is no line of text"
        raise StopError(message, help=f"Write at most {_LONGEST} printable characters.", code=Exit.USAGE)


def variable_of(name: str) -> str:
    """The environment variable that overrides a setting."""
    return "COMITY_" + name.replace(".", "_").upper()


def _from_environment() -> Iterator[tuple[str, str, str]]:
    for name in DEFAULTS:
        variable = variable_of(name)
        if variable in os.environ:
            yield name, variable, os.environ[variable]


def _from_file(path: Path) -> Iterator[tuple[str, str]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise StopError(
            f"{path} cannot be read: {error}", help="Mend the file and run again.", code=Exit.USAGE
        ) from error
    for name, value in _flat(content):
        if name not in DEFAULTS:
            near = difflib.get_close_matches(name, DEFAULTS, n=1)
            wanted = f"Did you mean `{near[0]}`?" if near else f"Known settings: {', '.join(DEFAULTS)}."
            raise StopError(f"{path} has an unknown setting `{name}`", help=wanted, code=Exit.USAGE)
        if not isinstance(value, str):
            raise StopError(f"{path}: `{name}` is no text", help='Put the value in "quotes".', code=Exit.USAGE)
        yield name, value


def _flat(content: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for table, values in content.items():
        if isinstance(values, dict):
            for key, value in values.items():
                yield f"{table}.{key}", value
        else:
            yield table, values


def _duration(name: str, setting: Setting, *, zero: bool = False) -> Duration:
    duration = read_duration(setting.value, zero=zero)
    if isinstance(duration, Duration):
        return duration
    message = f"`{name}` from {setting.source} is {setting.value!r}: {duration.message}"
    raise StopError(message, help=duration.help, code=Exit.USAGE)
