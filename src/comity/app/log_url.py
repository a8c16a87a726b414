"""A published log on somebody else's server: its files by GET. The server may be hostile."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Final, Self

import httpx

from comity.app.errors import Exit, StopError
from comity.ledger.tiles import LARGEST_FILE
from comity.ledger.versions import LARGEST_VERSION, is_version_path

DEADLINE: Final = 60.0
"""Seconds for one file, whatever the server does."""
_STEP: Final = 10.0
_MISSING: Final = (404, 410)
_PLAIN: Final = "identity"
_PACKED: Final = "gzip"  # which C2SP tlog-tiles lets servers use, asked or not
_GZIP: Final = 16 + zlib.MAX_WBITS


class LogUrl:
    """Reads `URL/checkpoint`, `URL/tile/...`. Follows no redirection, and takes and unpacks no more than it must.

    Raises `StopError` for whatever is neither a file nor its absence: then nothing was proved, and nothing disproved.
    """

    def __init__(self, url: str, deadline: float = DEADLINE) -> None:
        self._url, self._deadline = url.rstrip("/"), deadline
        headers = {"accept-encoding": f"{_PACKED}, {_PLAIN}", "user-agent": "comity"}
        self._client = httpx.Client(timeout=min(_STEP, deadline), follow_redirects=False, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def read(self, path: str) -> bytes | None:
        """The file; None: the server has none. One byte too many if it is larger than such a file may be."""
        url = f"{self._url}/{path}"
        answers: SimpleQueue[bytes | StopError | None] = SimpleQueue()
        Thread(target=lambda: answers.put(self._answer(url, _largest(path))), daemon=True).start()
        try:
            answer = answers.get(timeout=self._deadline)
        except Empty:
            raise _unreadable(url, f"it was not there within {self._deadline:g} seconds") from None
        if isinstance(answer, StopError):
            raise answer
        return answer

    def _answer(self, url: str, largest: int) -> bytes | StopError | None:
        """Never raises: it runs in a thread of its own, which is left behind if it takes too long."""
        try:
            with self._client.stream("GET", url) as response:
                if response.status_code in _MISSING:
                    return None
                if wrong := _wrong(response):
                    return _unreadable(url, wrong)
                parts = response.iter_raw()
                if _encoding(response) == _PACKED:
                    parts = _unpacked(parts, largest)
                return b"".join(_limited(parts, largest, monotonic() + self._deadline))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return _unreadable(url, str(error) or type(error).__name__)


def _largest(path: str) -> int:
    return LARGEST_VERSION if is_version_path(path) else LARGEST_FILE


def _wrong(response: httpx.Response) -> str:
    if response.is_redirect:
        return f"the server names another place for it ({response.headers['location'][:200]!r}): give that address"
    if response.status_code != httpx.codes.OK:
        return f"the server answers {response.status_code}"
    encoding = _encoding(response)
    known = encoding in (_PLAIN, _PACKED)
    return "" if known else f"the server packs it ({encoding[:40]!r}), where gzip is all that is read"


def _encoding(response: httpx.Response) -> str:
    return str(response.headers.get("content-encoding", _PLAIN))


def _unpacked(parts: Iterator[bytes], largest: int) -> Iterator[bytes]:
    """What gzip packed, never much more at once than `largest`. Raises `OSError` for anything else, or a part of it."""
    unpacking = zlib.decompressobj(wbits=_GZIP)
    for part in parts:
        try:
            yield unpacking.decompress(part, largest + 1)
        except zlib.error as error:
            raise OSError(f"it is not packed as gzip ({error})") from error
        if unpacking.unconsumed_tail:
            return  # it is larger than such a file may be
    if not unpacking.eof or unpacking.unused_data:
        raise OSError("it is not just one whole gzip file")


def _limited(parts: Iterator[bytes], largest: int, until: float) -> Iterator[bytes]:
    """The parts up to one byte more than `largest`, as long as there is time."""
    left = largest + 1
    for part in parts:
        yield part[:left]
        left -= len(part)
        if left <= 0 or monotonic() > until:
            return


def _unreadable(url: str, why: str) -> StopError:
    help_ = "Check the address; it is the folder that holds `checkpoint` and `tile`. Nothing was proved or disproved."
    return StopError(f"{url} cannot be read: {why}", help=help_, code=Exit.COULD_NOT_RUN)
