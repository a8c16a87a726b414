"""Witnesses over HTTP and HTTPS. An answer comes within the deadline, in few bytes, from the very address; or none."""

from __future__ import annotations

import http.client
from contextlib import closing
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from comity.ports import Reply, UnreachableError

DEADLINE: Final = 5.0
"""Seconds for all of one question and its answer."""
LARGEST_REPLY: Final = 64 << 10


class HttpLink:
    """Asks by POST. Follows no redirection and no proxy: what is configured is what is asked."""

    def __init__(self, deadline: float = DEADLINE) -> None:
        self._deadline = deadline

    def post(self, url: str, body: bytes) -> Reply:
        """Waits no longer than the deadline, be it for a name, a handshake or bytes that drip; the rest is let go."""
        answers: SimpleQueue[Reply | UnreachableError] = SimpleQueue()
        Thread(target=lambda: answers.put(_answer(url, body, self._deadline)), daemon=True).start()
        try:
            answer = answers.get(timeout=self._deadline)
        except Empty:
            raise UnreachableError(f"no answer within {self._deadline:g} seconds") from None
        if isinstance(answer, UnreachableError):
            raise answer
        return answer


def _answer(url: str, body: bytes, timeout: float) -> Reply | UnreachableError:
    try:
        address = urlsplit(url)
        is_usable = address.scheme in ("http", "https") and address.hostname and not address.username
        if not is_usable or address.query or address.fragment:
            return UnreachableError(f"{url!r} is no address like https://HOST[:PORT][/PATH]")
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        headers = {"content-type": "text/plain; charset=utf-8", "user-agent": "comity"}
        with closing(kind(address.hostname or "", address.port, timeout=timeout)) as connection:
            connection.request("POST", address.path, body, headers)
            return _reply(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return UnreachableError(words)


def _reply(response: http.client.HTTPResponse) -> Reply | UnreachableError:
    content = response.read(LARGEST_REPLY + 1)
    if len(content) > LARGEST_REPLY:
        return UnreachableError(f"it answers with more than {LARGEST_REPLY} bytes")
    if left := response.length:
        return UnreachableError(f"its answer breaks off {left} bytes before its end")
    kind = response.headers.get_content_type()
    return Reply(status=response.status, kind=kind, body=content)
