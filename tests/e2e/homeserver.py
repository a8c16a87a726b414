"""A Synapse of its own for a test: on a free port of loopback, with SQLite, in its own environment.

Other homeservers reach it where it `federates`, over TLS and on loopback too; else there is no other for it.

The environment is made once for each lock, in .cache. Beside Synapse it has what docs/gate-matrix.md says that the gate
needs, and nothing else that Comity uses elsewhere; Comity itself comes from src/.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from environments import python_with

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "gate-matrix.md"
PATIENCE = 60.0
HOST = "example.org"
SECRET = "only-for-this-test"

YAML = """
server_name: "{name}"
pid_file: {folder}/pid
listeners:
- {{port: {port}, bind_addresses: [127.0.0.1], type: http, resources: [{{names: [client, metrics]}}]}}
{federation}database: {{name: sqlite3, args: {{database: {folder}/homeserver.db}}}}
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
log_config: {folder}/log.yaml
registration_shared_secret: {secret}
macaroon_secret_key: {secret}
form_secret: {secret}
bcrypt_rounds: 4
report_stats: false
enable_metrics: true
trusted_key_servers: []
room_list_publication_rules: [{{action: allow}}]
url_preview_enabled: false
enable_media_repo: false
presence: {{enabled: true}}
rc_message: &free {{per_second: 1000, burst_count: 1000}}
rc_registration: *free
rc_login: {{address: *free, account: *free, failed_attempts: *free}}
rc_joins: {{local: *free, remote: *free}}
rc_joins_per_room: *free
rc_invites: {{per_room: *free, per_user: *free, per_issuer: *free}}
rc_room_creation: *free
"""
FEDERATION = """\
- {{port: {port}, bind_addresses: [127.0.0.1], type: http, tls: true, resources: [{{names: [federation]}}]}}
tls_certificate_path: {folder}/certificate.pem
tls_private_key_path: {folder}/certificate.pem
federation_verify_certificates: false
ip_range_blacklist: []
"""
ALONE = "federation_domain_whitelist: []\n"
LOG = """
version: 1
disable_existing_loggers: false
formatters: {plain: {format: '%(name)s %(levelname)s %(message)s'}}
handlers: {errors: {class: logging.StreamHandler, formatter: plain}}
root: {level: WARNING, handlers: [errors]}
"""


def python() -> Path:
    """The interpreter of the homeserver's environment."""
    return python_with("synapse")


def lines_of_the_page(places: Mapping[str, object]) -> str:
    """What the page tells the reader to write into homeserver.yaml, with the places as they are here."""
    (text,) = re.findall(r"^```yaml\n(modules:\n.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    for there, here in places.items():
        assert there in text, there
        text = text.replace(there, str(here))
    return text


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class User:
    """Somebody who has signed in."""

    id: str
    client: httpx.Client = field(repr=False)
    _count: list[int] = field(default_factory=lambda: [0], repr=False)

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self.client.request(method, f"/_matrix/client/v3/{path}", content=json.dumps(body or {}))

    def send(self, room: str, content: object, type_: str = "m.room.message") -> httpx.Response:
        self._count[0] += 1
        return self.ask("PUT", f"rooms/{quote(room)}/send/{quote(type_, safe='')}/{self._count[0]}", content)

    def say(self, room: str, text: str) -> httpx.Response:
        return self.send(room, {"msgtype": "m.text", "body": text})

    def state(self, room: str, type_: str, content: object, key: str = "") -> httpx.Response:
        return self.ask("PUT", f"rooms/{quote(room)}/state/{type_}/{quote(key)}", content)

    def redact(self, room: str, event: str, **content: str) -> httpx.Response:
        self._count[0] += 1
        return self.ask("PUT", f"rooms/{quote(room)}/redact/{quote(event)}/{self._count[0]}", content)

    def room(self, **wanted: object) -> httpx.Response:
        return self.ask("POST", "createRoom", {"preset": "public_chat", **wanted})

    def first_room(self) -> str:
        """A room's id, as soon as the gate has been told who may have one."""
        until = time.monotonic() + PATIENCE
        while (made := self.room()).status_code == 503 and time.monotonic() < until:
            time.sleep(0.05)
        assert made.status_code == 200, made.text
        return made.json()["room_id"]

    def join_at(self, room: str, server: str) -> httpx.Response:
        """A room of another homeserver."""
        return self.ask("POST", f"join/{quote(room)}?server_name={server}")

    def member(self, room: str, act: str, **content: str) -> httpx.Response:
        return self.ask("POST", f"rooms/{quote(room)}/{act}", content)

    def messages(self, room: str) -> list[dict[str, object]]:
        answer = self.client.get(f"/_matrix/client/v3/rooms/{quote(room)}/messages", params={"dir": "b", "limit": 50})
        answer.raise_for_status()
        return answer.json()["chunk"]

    def sync(self, since: str | None = None, timeout: int = 0) -> dict[str, object]:
        known = {"since": since} if since else {}
        answer = self.client.get("/_matrix/client/v3/sync", params={"timeout": timeout, **known})
        answer.raise_for_status()
        return answer.json()


class Homeserver:
    """`modules` are lines of homeserver.yaml. The folder outlives the process, so that it can be started again."""

    def __init__(self, folder: Path, port: int, modules: str, *, federates: bool = False) -> None:
        self.folder, self.port = folder, port
        self.url = f"http://127.0.0.1:{port}"
        self._others = free_port() if federates else 0
        self.name = f"localhost:{self._others}" if federates else HOST
        self._process: subprocess.Popen[bytes] | None = None
        self._clients = list[httpx.Client]()
        folder.mkdir(exist_ok=True)
        (folder / "log.yaml").write_text(LOG)
        if federates:
            (folder / "certificate.pem").write_bytes(_certificate())
        self.configure(modules)

    def configure(self, modules: str) -> None:
        """What holds from the next start on."""
        others = FEDERATION.format(folder=self.folder, port=self._others) if self._others else ALONE
        places = {"folder": self.folder, "port": self.port, "name": self.name, "federation": others}
        settings = YAML.format(secret=SECRET, **places)
        (self.folder / "homeserver.yaml").write_text(settings + modules)

    def start(self) -> None:
        """Returns when it answers."""
        run = (str(python()), "-m", "synapse.app.homeserver", "-c", str(self.folder / "homeserver.yaml"))
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "LANG": "C.UTF-8"}
        if not (self.folder / "signing.key").exists():
            subprocess.run([*run, "--generate-keys"], env=environment, check=True, capture_output=True)
        with (self.folder / "errors").open("ab") as errors:
            self._process = subprocess.Popen(run, env=environment, stdout=errors, stderr=errors, cwd=self.folder)
        until = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < until:
            try:
                httpx.get(f"{self.url}/_matrix/client/versions", trust_env=False)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            return
        raise AssertionError(self.errors())

    def end(self, *, kill: bool = False) -> int:
        """How it ended."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.kill() if kill else self._process.terminate()
        return self._process.wait(PATIENCE)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def errors(self) -> str:
        return (self.folder / "errors").read_text()

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/_synapse/metrics", trust_env=False, timeout=PATIENCE).text

    def user(self, name: str, *, admin: bool = False) -> User:
        path = f"{self.url}/_synapse/admin/v1/register"
        with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
            nonce = (client.get(path)).json()["nonce"]
            said = "\0".join((nonce, name, "pw", "admin" if admin else "notadmin"))
            mac = hmac.new(SECRET.encode(), said.encode(), hashlib.sha1).hexdigest()
            wanted = {"nonce": nonce, "username": name, "password": "pw", "admin": admin, "mac": mac}
            made = (client.post(path, json=wanted)).json()
        headers = {"Authorization": f"Bearer {made['access_token']}"}
        self._clients.append(httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=PATIENCE))
        return User(made["user_id"], self._clients[-1])

    def close(self) -> None:
        """End it, and whatever was asked of it."""
        self.end(kill=True)
        for client in self._clients:
            client.close()


def _certificate() -> bytes:
    """That nobody vouches for, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = (
        made.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + timedelta(days=9))
    )
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    encoding = serialization.Encoding.PEM
    return made.sign(key, hashes.SHA256()).public_bytes(encoding) + key.private_bytes(encoding, *plain)


@contextmanager
def running(folder: Path, port: int, modules: str, *, federates: bool = False) -> Iterator[Homeserver]:
    homeserver = Homeserver(folder, port, modules, federates=federates)
    homeserver.start()
    try:
        yield homeserver
    finally:
        homeserver.close()
