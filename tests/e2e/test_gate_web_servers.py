"""The `http` gate behind real web servers, configured as docs/gates.md says: who is cut off, and who is not any more.

nginx comes from Debian (`apt install nginx-light`), Caddy and Envoy with `make setup`.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import os
import re
import shutil
import socket
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "unit"))

from gate_centre import Centre  # noqa: E402
from test_flow_record import NOW  # noqa: E402
from test_gate_process import Process, running, with_centre  # noqa: E402

from comity.flow import amend  # noqa: E402
from comity.model.ids import ReviewerId  # noqa: E402

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
CADDY = Path(sys.executable).with_name("caddy")
ENVOY = Path(sys.executable).with_name("envoy")
PATIENCE = 60.0
SECRET = b"of the sign-in, and at least 32 bytes long"
HASH = "$2a$04$T7S1JLpGWpBGENg4ucLrh..eKpmzmxiaKYXDZs08/gukLY53zaJIK"
"""Of `pw`, for both servers."""


def configuration(language: str) -> str:
    """What the page tells the reader to write."""
    (fence,) = re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "docs" / "gates.md").read_text(), re.DOTALL | re.MULTILINE
    )
    return fence


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class Web:
    """A web server that asks the gate, in front of a forum."""

    url: str
    posted: list[str]
    client: httpx.AsyncClient
    login: Callable[[str], str]

    async def post(self, user: str, **headers: str) -> httpx.Response:
        return await self.client.post(
            f"{self.url}/post?channel=free", content=b"hello", headers={"Authorization": self.login(user), **headers}
        )


def password(user: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:pw'.encode()).decode()}"


def token(user: str) -> str:
    """A JSON web token, as a forum's sign-in makes it."""

    def encoded(content: bytes) -> bytes:
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    said = encoded(b'{"alg":"HS256"}') + b"." + encoded(json.dumps({"iss": "forum", "sub": user}).encode())
    signed = hmac.digest(SECRET, said, "sha256")
    return f"Bearer {(said + b'.' + encoded(signed)).decode()}"


@asynccontextmanager
async def forum(posted: list[str]) -> AsyncIterator[int]:
    """Takes whatever is posted."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await reader.readexactly(int(re.search(r"(?i)content-length: ([0-9]+)", head)[1]))
        posted.append(body.decode())
        writer.write(b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def nginx(folder: Path, port: int) -> tuple[str, ...]:
    (folder / "users").write_text("".join(f"{user}:{HASH}\n" for user in ("ann", "bob")))
    user = "user root; " if os.geteuid() == 0 else ""  # else its workers may not read what is here
    (folder / "nginx.conf").write_text(
        f"{user}daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;"
        f" fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"server {{ listen 127.0.0.1:{port};\n{settled(configuration('nginx'), folder)}}} }}\n"
    )
    return (str(NGINX), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf"))


def caddy(folder: Path, port: int) -> tuple[str, ...]:
    (folder / "users").write_text("".join(f"{user} {HASH}\n" for user in ("ann", "bob")))
    body = settled(configuration("caddy"), folder).replace("import users", f"import {folder}/users")
    (folder / "Caddyfile").write_text(
        f"{{\n admin off\n auto_https off\n persist_config off\n}}\nhttp://127.0.0.1:{port} {{\n{body}}}\n"
    )
    return (str(CADDY), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile"))


ENVOY_YAML = """
static_resources:
  listeners:
    - address: { socket_address: { address: 127.0.0.1, port_value: PORT } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": TYPES.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: forum
                route_config:
                  virtual_hosts:
                    - { name: forum, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: forum } }] }
                http_filters:
                  - name: envoy.filters.http.jwt_authn
                    typed_config:
                      "@type": TYPES.http.jwt_authn.v3.JwtAuthentication
                      providers:
                        forum: { issuer: forum, payload_in_metadata: payload, local_jwks: { inline_string: 'KEYS' } }
                      rules: [{ match: { prefix: / }, requires: { provider_name: forum } }]
FILTERS
                  - name: envoy.filters.http.router
                    typed_config: { "@type": TYPES.http.router.v3.Router }
  clusters:
    - { name: comity, load_assignment: { cluster_name: comity, endpoints: [{ lb_endpoints: [GATE] }] } }
    - { name: forum, load_assignment: { cluster_name: forum, endpoints: [{ lb_endpoints: [FORUM] }] } }
"""


def envoy(folder: Path, port: int) -> tuple[str, ...]:
    key = {"kty": "oct", "alg": "HS256", "k": base64.urlsafe_b64encode(SECRET).decode()}
    filters = settled(configuration("yaml"), folder).removeprefix("http_filters:\n")
    parts = {"TYPES": "type.googleapis.com/envoy.extensions.filters", "PORT": str(port)}
    parts["KEYS"] = json.dumps({"keys": [key]})
    parts["FILTERS"] = textwrap.indent(filters.rstrip("\n"), " " * 16)
    for name, to in json.loads((folder / "places.json").read_text()).items():
        parts[name.upper()] = (
            f"{{ endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {to} }} }} }} }}"
        )
    text = ENVOY_YAML
    for name, part in parts.items():
        text = text.replace(name, part)
    (folder / "envoy.yaml").write_text(text)
    own = ("--base-id", str(port), "--concurrency", "1", "--log-level", "error")
    return (str(ENVOY), "-c", str(folder / "envoy.yaml"), *own)


def settled(text: str, folder: Path) -> str:
    """The page's places, where they are here; a unix socket would be as good."""
    places = json.loads((folder / "places.json").read_text())
    return (
        text.replace("127.0.0.1:8646", f"127.0.0.1:{places['gate']}")
        .replace("127.0.0.1:3000", f"127.0.0.1:{places['forum']}")
        .replace("/etc/nginx/users", f"{folder}/users")
    )


SERVERS = {"nginx": nginx, "caddy": caddy, "envoy": envoy}


App = Callable[[list[str]], AbstractAsyncContextManager[int]]
"""What is behind the web server, on a port; it may note what is posted."""


@asynccontextmanager
async def web(server: str, folder: Path, gate: Process, app: App = forum) -> AsyncIterator[Web]:
    folder.mkdir()
    port, posted = free_port(), list[str]()
    async with app(posted) as behind, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        (folder / "places.json").write_text(json.dumps({"gate": gate.port, "forum": behind}))
        command = SERVERS[server](folder, port)
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        with (folder / "errors").open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=errors
            )
        try:
            await is_there(port, process, folder)
            yield Web(f"http://127.0.0.1:{port}", posted, client, token if server == "envoy" else password)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def is_there(port: int, process: asyncio.subprocess.Process, folder: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return
    raise AssertionError((folder / "errors").read_text())


Story = Callable[[Centre, Process, Web], Awaitable[None]]


def absent(server: str) -> str | None:
    """Why the server cannot be started here; None: it can."""
    if server == "nginx" and NGINX is None:
        return "nginx is not there: apt install nginx-light"
    if server == "envoy" and not ENVOY.exists():
        return "there is no wheel of Envoy for this machine"
    return None


def demand(server: str) -> None:
    if why := absent(server):
        pytest.skip(why)


def tell(server: str, folder: Path, story: Story) -> None:
    demand(server)

    async def told(centre: Centre) -> None:
        async with running(folder, centre.url) as gate, web(server, folder / server, gate) as front:
            await centre.acked(0)
            await story(centre, gate, front)

    asyncio.run(with_centre(told))


@pytest.mark.parametrize("server", SERVERS)
def test_a_cut_stops_posts_with_the_reason_and_the_link_and_lifting_opens(server: str, tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Process, front: Web) -> None:
        assert (await front.post("ann")).status_code == 201
        statement = centre.world.say("spam").statement
        assert statement is not None
        centre.tell()
        await centre.acked(2)
        refused = await front.post("ann")
        assert (refused.status_code, refused.json()["statement"]) == (403, statement)
        assert "“spam”" in refused.json()["detail"]
        assert refused.headers["link"] == f'<https://example.org/r/{statement}>; rel="describedby"'
        page = await front.post("ann", accept="text/html")
        assert f'href="https://example.org/r/{statement}"' in page.text
        assert (await front.post("bob")).status_code == 201
        assert await centre.heard() == statement
        amend.lift(centre.world.proceedings, statement, ReviewerId("mara"), "A mistake.", NOW)
        centre.tell()
        await centre.acked(4)
        assert (await front.post("ann")).status_code == 201
        assert front.posted == ["hello"] * 3

    tell(server, tmp_path, story)


@pytest.mark.parametrize("server", SERVERS)
def test_nobody_posts_in_another_name(server: str, tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Process, front: Web) -> None:
        centre.world.say("spam")
        centre.tell()
        await centre.acked(2)
        assert (await front.post("ann", **{"X-Comity-Account": "bob"})).status_code == 403
        assert (await front.post("bob", **{"X-Comity-Account": "ann"})).status_code == 201
        assert (await front.post("ann", **{"X-Comity-Account": ""})).status_code == 403

    tell(server, tmp_path, story)


@pytest.mark.parametrize("server", SERVERS)
def test_a_gate_that_is_not_there_lets_nobody_through(server: str, tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Process, front: Web) -> None:
        gate.process.kill()
        await gate.process.wait()
        assert (await front.post("bob")).status_code in (500, 502, 503)
        assert front.posted == []

    tell(server, tmp_path, story)
