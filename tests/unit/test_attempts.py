"""Nobody outside is waited for longer than is said, nor once the service ends, whatever they do with the connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from comity.app.attempts import Attempts
from comity.app.smtp_link import MailServer, SmtpLink
from comity.ports import UnreachableError


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def link(server: socket.socket, attempts: Attempts, deadline: float) -> SmtpLink:
    place = MailServer(host="127.0.0.1", port=server.getsockname()[1], is_wrapped=False, sender="a@example.org")
    return SmtpLink(place, deadline=deadline, attempts=attempts)


def test_what_is_answered_in_time_is_returned_and_what_is_refused_is_raised() -> None:
    def refused() -> None:
        raise UnreachableError("no")

    assert Attempts().wait_for(lambda: 3, 60) == 3
    with pytest.raises(UnreachableError, match="no"):
        Attempts().wait_for(refused, 60)


def test_at_the_end_nobody_is_waited_for_any_more(silent: socket.socket) -> None:
    attempts, is_over = Attempts(), threading.Event()

    def end_once_connected() -> None:
        connection, _ = silent.accept()
        with connection:
            attempts.give_up()
            is_over.wait(30)

    thread = threading.Thread(target=end_once_connected)
    thread.start()
    with pytest.raises(UnreachableError, match="the service ended"), link(silent, attempts, 3_600).connected():
        raise AssertionError("it said nothing")
    with pytest.raises(UnreachableError, match="the service ended"):
        attempts.wait_for(lambda: 3, 60)
    is_over.set()
    thread.join(30)


def test_a_server_that_drips_is_waited_for_no_longer_than_is_said(silent: socket.socket) -> None:
    over = threading.Event()

    def drip() -> None:
        connection, _ = silent.accept()
        while not over.wait(0.02):
            connection.sendall(b"2")
        connection.close()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with (
            pytest.raises(UnreachableError, match="no answer within"),
            link(silent, Attempts(), 0.3).connected(),
        ):
            raise AssertionError("it dripped")
    finally:
        over.set()
        thread.join(30)
