"""Whom a gate believes: the certificate of its centre, and the key of its centre's log, also when that is another."""

from __future__ import annotations

import asyncio
import gc
import re
import ssl
import subprocess
import warnings
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gate_centre import COMITY, ELSEWHERE, PATIENCE, Centre, serving
from test_flow_feed import Watched
from test_flow_record import KEY, NOW
from test_gate_following import Gate
from test_gate_process import Process, command, running, with_centre

from comity.gates.following import Centre as At
from comity.gates.following import Follower


def certificate(folder: Path) -> tuple[Path, Path]:
    """Of a centre's own making, for this machine: certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "centre")])
    own = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(own, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return folder / "ca.pem", folder / "key.pem"


@pytest.mark.parametrize("is_given", [True, False])
def test_a_centre_with_a_certificate_of_its_own_is_followed_by_who_was_given_it(is_given: bool, tmp_path: Path) -> None:
    ca, key = certificate(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(ca, key)

    async def told() -> None:
        world = Watched()
        world.say("spam")
        async with (
            serving(world, lambda: NOW) as plain,
            await asyncio.start_server(plain.answer, "127.0.0.1", 0, ssl=server) as safe,
        ):
            url = f"https://127.0.0.1:{safe.sockets[0].getsockname()[1]}"
            verify = ssl.create_default_context(cafile=ca) if is_given else True
            gate = Gate(tmp_path / "gate", url)
            gate.follower = Follower(
                gate.replica, gate.disk, At(url=url, token="secret", gate="web", verify=verify), gate.clock
            )
            task = asyncio.create_task(gate.follower.run())
            if is_given:
                await plain.acked(2)
            else:
                await gate.alarm("CERTIFICATE_VERIFY_FAILED")
            assert gate.is_cut() is is_given
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            gate.disk.close()

    asyncio.run(told())
    with warnings.catch_warnings():  # of TLS that the loop's end cut short the transport may be left to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def unproven(gate: Process) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        said = (await client.get(f"http://127.0.0.1:{gate.port}/metrics")).text
    return int(re.findall(r"^comity_gate_unproven_entries (\d+)", said, re.MULTILINE)[0])


def test_a_gate_that_runs_is_told_the_key_of_a_new_log_and_believes_what_it_doubted(tmp_path: Path) -> None:
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "vkey").write_text(f"{ELSEWHERE.verifier}\n")

    async def told(centre: Centre) -> None:
        centre.world.say("spam")
        async with running(tmp_path, centre.url) as gate:
            await centre.acked(2)
            assert await unproven(gate) == 2
            words = (COMITY, "gate", "trust", str(KEY.verifier), "--folder", str(tmp_path / "gate"))
            assert (await asyncio.to_thread(subprocess.run, words, capture_output=True)).returncode == 0
            async with asyncio.timeout(PATIENCE):
                while await unproven(gate):
                    pass
            assert await gate.ask(b"ann") == 403

    asyncio.run(with_centre(told))
    assert (tmp_path / "gate" / "vkey").read_text().splitlines() == [str(ELSEWHERE.verifier), str(KEY.verifier)]


@pytest.mark.parametrize("kept", [b"", b"\n", b"\xff", b"nonsense\n"])
def test_a_gate_whose_file_of_keys_is_damaged_says_so_and_doubts_nothing(kept: bytes, tmp_path: Path) -> None:
    """Without a key every new measure would lack its proof."""
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "vkey").write_bytes(kept)
    done = subprocess.run(command(tmp_path, "http://127.0.0.1:9"), capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert f"no key to check proofs with in {tmp_path}/gate/vkey" in done.stderr.replace("\n", "")
    assert "give the operator's key with --key" in done.stderr.lower()


def test_what_is_no_key_is_not_believed(tmp_path: Path) -> None:
    words = (COMITY, "gate", "trust", "nonsense", "--folder", str(tmp_path))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "that is no key" in done.stderr) == (2, True)
    assert not (tmp_path / "vkey").exists()
