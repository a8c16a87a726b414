"""Rules into the kernel, all of a text or nothing: by nftables' own library in this process, or else by its program.

To start the program takes twenty times as long as what it then does for one address. A long text is the program's all
the same, so that the memory for it is given back.
"""

from __future__ import annotations

import asyncio
import ctypes
from typing import Final

from comity.gates.kernel import KernelError, of_program, transact

_LIBRARY: Final = "libnftables.so.1"
_LONGEST: Final = 1 << 16
_DEFAULT: Final = 0
_IN_MEMORY: Final = 0
"""What the library answers when errors are kept for whoever asks, and not written out."""


class Transactions:
    """One after the other. They go into the network namespace in which this was made."""

    def __init__(self) -> None:
        self._library = _opened()

    async def take(self, text: str) -> None:
        """Raises `KernelError`; then the rules are as they were."""
        if self._library is None or len(text) > _LONGEST:
            await transact(text)
        else:
            await asyncio.to_thread(self._library.run, text)


class _Library:
    def __init__(self, library: ctypes.CDLL) -> None:
        """Raises `OSError`."""
        self._run, self._said = library.nft_run_cmd_from_buffer, library.nft_ctx_get_error_buffer
        self._run.argtypes, self._said.argtypes = (ctypes.c_void_p, ctypes.c_char_p), (ctypes.c_void_p,)
        self._said.restype = ctypes.c_char_p
        begin, keep = library.nft_ctx_new, library.nft_ctx_buffer_error
        begin.argtypes, begin.restype, keep.argtypes = (ctypes.c_uint32,), ctypes.c_void_p, (ctypes.c_void_p,)
        self._context = begin(_DEFAULT)
        if not self._context or keep(self._context) != _IN_MEMORY:
            raise OSError("nftables' library does not begin")

    def run(self, text: str) -> None:
        if self._run(self._context, text.encode("ascii")):
            raise KernelError(of_program("nft", self._said(self._context)))


def _opened() -> _Library | None:
    """None: it is not there, or is another than it was when this was written."""
    try:
        return _Library(ctypes.CDLL(_LIBRARY))
    except (OSError, AttributeError):
        return None
