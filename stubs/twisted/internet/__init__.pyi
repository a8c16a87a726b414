"""What Comity uses of Twisted, which is installed beside a homeserver alone."""

from collections.abc import Callable
from typing import ParamSpec

_P = ParamSpec("_P")

class Reactor:
    def callFromThread(self, call: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> None: ...
    def addSystemEventTrigger(self, phase: str, event: str, call: Callable[[], object]) -> None: ...

reactor: Reactor
