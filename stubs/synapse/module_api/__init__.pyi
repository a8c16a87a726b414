"""What Comity uses of Synapse's module API (`matrix-synapse` 1.163), which is installed beside a homeserver alone."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, ParamSpec, TypeVar

from twisted.internet.defer import Deferred

NOT_SPAM: Final = "NOT_SPAM"

_P = ParamSpec("_P")
_R = TypeVar("_R")

class EventBase:
    type: str
    sender: str
    room_id: str
    event_id: str
    @property
    def redacts(self) -> str | None: ...
    def get_dict(self) -> dict[str, object]: ...

class RoomAlias:
    localpart: str

class LoggingTransaction:
    def execute(self, sql: str, parameters: tuple[str, ...]) -> None: ...
    def fetchone(self) -> tuple[str, ...] | None: ...

_Check = Callable[..., Awaitable[Literal["NOT_SPAM"]]]

class ModuleApi:
    @property
    def worker_name(self) -> str | None: ...
    def is_mine(self, id: str) -> bool: ...
    def register_spam_checker_callbacks(
        self,
        *,
        check_event_for_spam: _Check,
        user_may_join_room: _Check,
        user_may_invite: _Check,
        user_may_send_3pid_invite: _Check,
        user_may_create_room: _Check,
        user_may_create_room_alias: _Check,
        user_may_publish_room: _Check,
    ) -> None: ...
    def register_third_party_rules_callbacks(
        self,
        *,
        check_event_allowed: Callable[
            [EventBase, Mapping[tuple[str, str], EventBase]], Awaitable[tuple[bool, dict[str, object] | None]]
        ],
    ) -> None: ...
    def run_as_background_process(
        self, desc: str, func: Callable[_P, Awaitable[None]], *args: _P.args, **kwargs: _P.kwargs
    ) -> Deferred[None]: ...
    async def create_and_send_event_into_room(self, event_dict: dict[str, object]) -> EventBase: ...
    def run_db_interaction(
        self, desc: str, func: Callable[[LoggingTransaction, str], _R], argument: str
    ) -> Deferred[_R]: ...

def make_deferred_yieldable(deferred: Deferred[_R]) -> Deferred[_R]: ...
