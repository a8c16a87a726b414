"""`comity verify` on folders and servers, honest and hostile, and what it remembers from one time to the next."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from made_logs import ENTRIES, KEY, OTHER, Published, published, statement

from comity.app.errors import Exit, StopError
from comity.app.log_url import LogUrl
from comity.app.verify import verify
from comity.ledger.cosignature import CosigningKey
from comity.ledger.entry import canonical
from comity.ledger.note import countersigned, parse_note
from comity.ledger.tiles import LARGEST_FILE

OLD, NEW = published(ENTRIES[:300]), published(ENTRIES)
FORGED = published([*ENTRIES[:5], canonical(statement(5, points=2)), *ENTRIES[6:]])
WITNESS = CosigningKey(name="witness.example/w", seed=bytes(range(1, 33)))
Respond = Callable[[BaseHTTPRequestHandler], None]


def written(log: Published, folder: Path) -> str:
    for path, content in log.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return str(folder)


@contextmanager
def served(respond: Respond) -> Iterator[str]:
    class Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            respond(self)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Request) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/log/"
        finally:
            server.shutdown()
            thread.join()


def answer(request: BaseHTTPRequestHandler, status: int, content: bytes, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("content-length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


def files(of: Mapping[str, bytes]) -> Respond:
    def respond(request: BaseHTTPRequestHandler) -> None:
        content = of.get(request.path.removeprefix("/log/"))
        answer(request, 404 if content is None else 200, content or b"")

    return respond


def run(place: str, *since: Path, key: str | None = None, policy: Path | None = None) -> Exit:
    return verify(place, since=since, key=key, policy=policy, as_json=True)


def test_a_log_on_a_server_is_verified_like_one_in_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(NEW, tmp_path)) is Exit.FINE
    of_folder = json.loads(capsys.readouterr().out)
    with served(files(NEW.files)) as url:
        assert run(url) is Exit.FINE
    assert json.loads(capsys.readouterr().out) == of_folder
    assert of_folder["size"] == 600
    assert of_folder["proved"] != []


def test_a_server_may_pack_what_it_serves() -> None:
    """As C2SP tlog-tiles lets it, asked or not."""
    with served(packed) as url:
        assert run(url) is Exit.FINE


def packed(request: BaseHTTPRequestHandler) -> None:
    assert request.headers["accept-encoding"] == "gzip, identity"
    content = NEW.files.get(request.path.removeprefix("/log/"))
    answer(request, 404 if content is None else 200, gzip.compress(content or b""), content_encoding="gzip")


def test_a_file_that_unpacks_to_gigabytes_is_cut_off() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    with (
        served(lambda request: answer(request, 200, bomb, content_encoding="gzip")) as url,
        LogUrl(url) as log,
    ):
        assert len(log.read("tile/entries/000") or b"") == LARGEST_FILE + 1


def test_a_log_on_a_server_is_refused_with_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    with served(files({**NEW.files, "tile/entries/001": OLD.files["tile/entries/000"]})) as url:
        assert run(url) is Exit.PROBLEMS
    assert "tile/entries/001" in capsys.readouterr().out


def test_a_log_that_grows_between_two_requests_is_fine() -> None:
    """The checkpoint is the old one, and the partial files that it speaks of are gone by then."""
    kept = {path: content for path, content in OLD.files.items() if ".p/" not in path}
    grown = {**NEW.files, **kept, "checkpoint": OLD.checkpoint}
    grown |= {path: OLD.files[path] for path in OLD.files if path.startswith("tile/1/")}
    with served(files(grown)) as url:
        assert run(url) is Exit.FINE


@pytest.mark.parametrize(
    ("respond", "why"),
    [
        (lambda request: answer(request, 301, b"", location="http://127.0.0.1:1/"), "names another place"),
        (lambda request: answer(request, 500, b""), "answers 500"),
        (lambda request: answer(request, 206, b"half"), "answers 206"),
        (lambda request: answer(request, 200, zlib.compress(b"x"), content_encoding="deflate"), "packs it"),
        (lambda request: answer(request, 200, b"x" * 40, content_encoding="gzip"), "not packed as gzip"),
        (lambda request: answer(request, 200, gzip.compress(b"x")[:-1], content_encoding="gzip"), "one whole gzip"),
        (lambda request: answer(request, 200, gzip.compress(b"x") + b"y", content_encoding="gzip"), "one whole gzip"),
        (lambda request: request.wfile.write(b"nonsense"), "cannot be read"),
        (lambda request: request.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"), "cannot be read"),
        (lambda request: request.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000), "cannot be read"),
    ],
)
def test_a_server_that_does_not_just_give_files_proves_nothing_and_disproves_nothing(
    respond: Respond, why: str, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    with served(respond) as url, pytest.raises(StopError, match=why) as stopped:
        run(url, kept)
    assert stopped.value.code is Exit.COULD_NOT_RUN
    assert not kept.exists()


def test_a_server_that_drips_is_left(tmp_path: Path) -> None:
    ended = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        while not ended.wait(0.02):
            request.wfile.write(b"H")

    late = pytest.raises(StopError, match=r"within 0\.2 seconds")
    with served(drip) as url, LogUrl(url, deadline=0.2) as log, closed(ended), late:
        log.read("checkpoint")


@contextmanager
def closed(event: threading.Event) -> Iterator[None]:
    try:
        yield
    finally:
        event.set()


def test_a_file_without_end_is_read_no_further_than_files_of_logs_can_go() -> None:
    with served(lambda request: answer(request, 200, bytes(LARGEST_FILE + 999))) as url, LogUrl(url) as log:
        content = log.read("tile/entries/000")
    assert content is not None
    assert len(content) == LARGEST_FILE + 1


def test_a_server_that_is_not_there_is_said_to_be_unreadable() -> None:
    with served(files({})) as url:
        pass
    with pytest.raises(StopError, match="cannot be read"):
        run(url)


def test_the_checkpoint_is_remembered_and_the_next_must_continue_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, folder = tmp_path / "my.checkpoint", tmp_path / "log"
    assert run(written(OLD, folder), kept) is Exit.FINE
    assert kept.read_bytes() == OLD.checkpoint
    assert run(written(NEW, folder), kept) is Exit.FINE
    assert "first 300 entries are those of the remembered checkpoint" in capsys.readouterr().out
    assert kept.read_bytes() == NEW.checkpoint
    assert list(tmp_path.glob(".my*")) == []


@pytest.mark.parametrize("log", [FORGED, OLD, published(ENTRIES, OTHER)], ids=["forged", "rolled back", "other key"])
def test_what_is_remembered_stays_when_the_log_does_not_continue_it(log: Published, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(NEW.checkpoint)
    assert run(written(log, tmp_path / "log"), kept) is Exit.PROBLEMS
    assert kept.read_bytes() == NEW.checkpoint


def test_of_several_remembered_each_must_be_continued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, yours, fresh = (tmp_path / name for name in ("mine", "yours", "fresh"))
    mine.write_bytes(published(ENTRIES[:7]).checkpoint)
    yours.write_bytes(published([*ENTRIES[:4], ENTRIES[9]]).checkpoint)
    folder = written(NEW, tmp_path / "log")
    assert run(folder, mine, yours, fresh) is Exit.PROBLEMS
    assert "the remembered checkpoint 2" in capsys.readouterr().out
    assert not fresh.exists()
    yours.write_bytes(OLD.checkpoint)
    assert run(folder, mine, yours, fresh) is Exit.FINE
    assert {path.read_bytes() for path in (mine, yours, fresh)} == {NEW.checkpoint}


def test_a_file_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StopError, match="cannot be kept"):
        run(written(OLD, tmp_path), tmp_path / "nowhere" / "kept")
    with pytest.raises(StopError, match="cannot be read"):
        run(str(tmp_path), tmp_path)


def test_a_policy_names_the_key_and_the_witnesses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While the newest checkpoint waits for its cosignatures, the last that has them is what counts."""
    policy = tmp_path / "policy"
    policy.write_text(f"log {KEY.verifier}\nwitness w {WITNESS.cosigner}\nquorum w\n")
    written(OLD, tmp_path / "log")
    folder = written(NEW, tmp_path / "log")
    assert run(folder, policy=policy) is Exit.PROBLEMS
    assert "is not met" in capsys.readouterr().out
    note = parse_note(OLD.checkpoint)
    cosigned = countersigned(OLD.checkpoint, [WITNESS.cosign(note.text, 1_800_000_000)])
    (tmp_path / "log" / "cosigned").write_bytes(cosigned)
    assert run(folder, policy=policy) is Exit.FINE
    report = json.loads(capsys.readouterr().out)
    assert report["size"] == 300
    assert any("Witnesses vouch" in each for each in report["proved"])
    assert run(folder, policy=policy, key=str(OTHER.verifier)) is Exit.PROBLEMS
