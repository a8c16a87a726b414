"""What `comity serve` writes while it runs: JSON lines for machines, short ones at a terminal, nothing of people."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import TextIO

import msgspec

from comity.api.timed import Tell, told_of
from comity.app.errors import StopError
from comity.ports import Clock


def told_to(stream: TextIO, clock: Clock) -> Tell:
    """Writes a line each time, at once."""

    def tell(what: str, fields: dict[str, object]) -> None:
        at = clock.now()
        if stream.isatty():
            line = " ".join([f"{at:%H:%M:%S}", what, *(f"{name}={value}" for name, value in fields.items())])
        else:
            line = msgspec.json.encode({"at": at, "level": "error", "what": what, **fields}).decode()
        stream.write(line + "\n")
        stream.flush()

    return tell


class _Heard(logging.Handler):
    """What libraries say: from where, never in their words, which may quote what somebody wrote."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        where = told_of(error) if error else {"where": [f"{record.pathname}:{record.lineno} {record.funcName}"]}
        fields = {"level": record.levelname.lower(), "logger": record.name, **where}
        self._tell("a library says that something is wrong", fields)


class ByPlaceAlone:
    """Until the end whatever else would write to standard error: libraries, threads, warnings, the interpreter.

    A fault that ends the service is a `StopError` that says where it was.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell, self._heard = tell, _Heard(tell)

    def __enter__(self) -> None:
        self._before = threading.excepthook, sys.unraisablehook
        threading.excepthook = lambda fault: self._fault("a thread ended by a fault", fault.exc_value)
        sys.unraisablehook = lambda fault: self._fault("a fault that nobody could be told of", fault.exc_value)
        logging.getLogger().addHandler(self._heard)
        logging.captureWarnings(True)

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(self._heard)
        threading.excepthook, sys.unraisablehook = self._before
        if isinstance(error, Exception) and not isinstance(error, (StopError, OSError)):
            self._fault("the service ended by a fault", error)
            raise StopError(f"a fault in Comity: {type(error).__name__}", help="The log says where.") from None

    def _fault(self, what: str, error: BaseException | None) -> None:
        self._tell(what, told_of(error) if error else {})
