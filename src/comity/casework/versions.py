"""How the pure core asks for a version of the agreement: by its digest, of whoever keeps them."""

from __future__ import annotations

from collections.abc import Callable

from comity.model.agreement import Agreement
from comity.model.ids import Digest

VersionOf = Callable[[Digest], Agreement | None]
