"""Asking over HTTP: whatever is at the other end, an answer comes within the deadline, or none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from comity.app.witness_link import LARGEST_REPLY, HttpLink
from comity.ports import Reply, UnreachableError

ASKED = b"asked"


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that takes one connection, reads the whole request (or closing would reset), and talks as it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                asked = b""
                while not asked.endswith(ASKED):
                    asked += connection.recv(65536)
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/prefix"
        finally:
            thread.join()


def test_an_answer_is_its_status_kind_and_body() -> None:
    def talk(connection: socket.socket) -> None:
        head = b"HTTP/1.1 409 Conflict\r\ncontent-type: text/x.tlog.size; charset=utf-8\r\ncontent-length: 2\r\n\r\n"
        connection.sendall(head + b"7\n")

    with answering(talk) as url:
        assert HttpLink().post(url, ASKED) == Reply(status=409, kind="text/x.tlog.size", body=b"7\n")


def drip(connection: socket.socket) -> None:
    """One byte at a time, for as long as somebody listens."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n")
    connection.settimeout(0.05)
    while True:
        connection.sendall(b"x")
        with suppress(TimeoutError):
            if connection.recv(1) == b"":
                return


def silent(connection: socket.socket) -> None:
    while connection.recv(1):
        pass


@pytest.mark.parametrize("talk", [drip, silent])
def test_who_drips_or_says_nothing_is_let_go_at_the_deadline(talk: Callable[[socket.socket], None]) -> None:
    with answering(talk) as url:
        began = time.monotonic()
        with pytest.raises(UnreachableError, match=r"no answer within 0\.3 seconds|timed out"):
            HttpLink(0.3).post(url, ASKED)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (b"", "closed|without response|reset"),
        (b"SSH-2.0-x\r\n", "SSH"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", "breaks off 8 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LARGEST_REPLY + 1), "more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10_000, "headers"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000, "header line"),
    ],
)
def test_what_is_no_answer_is_told(answer: bytes, named: str) -> None:
    with answering(lambda connection: connection.sendall(answer)) as url, pytest.raises(UnreachableError, match=named):
        HttpLink().post(url, ASKED)


def test_a_redirection_is_an_answer_and_is_not_followed() -> None:
    with answering(
        lambda connection: connection.sendall(
            b"HTTP/1.1 302 F\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
        )
    ) as url:
        assert HttpLink().post(url, ASKED).status == 302


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("", "no address"),
        ("ftp://127.0.0.1/", "no address"),
        ("file:///etc/passwd", "no address"),
        ("http://", "no address"),
        ("http://user:word@127.0.0.1/", "no address"),
        ("http://127.0.0.1/?a=b", "no address"),
        ("http://127.0.0.1:99999/", "Port out of range"),
        ("http://127.0.0.1:x/", "Port"),
        ("http://[::1", "Invalid IPv6"),
        ("http://127.0.0.1:1/a\u00e9", "encode"),
        ("http://\udcff/", "idna"),
        ("http://127.0.0.1:1/", "refused"),
    ],
)
def test_an_address_that_cannot_be_asked_is_told(url: str, named: str) -> None:
    with pytest.raises(UnreachableError, match=f"(?i){named}"):
        HttpLink().post(url, ASKED)
