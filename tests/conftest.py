"""What all tests share: hypothesis profiles. `fast` is the default; `make fuzz` takes `fuzz`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_SLOW_MACHINES = (HealthCheck.too_slow,)

settings.register_profile("fast", deadline=None, max_examples=60, suppress_health_check=_SLOW_MACHINES)
settings.register_profile("fuzz", deadline=None, max_examples=20_000, suppress_health_check=_SLOW_MACHINES)
settings.load_profile("fast")
