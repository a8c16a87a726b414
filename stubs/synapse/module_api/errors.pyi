class ConfigError(Exception):
    def __init__(self, msg: str) -> None: ...

class SynapseError(Exception):
    def __init__(
        self, code: int, msg: str, errcode: str, additional_fields: dict[str, object] | None = None
    ) -> None: ...
