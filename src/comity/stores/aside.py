"""A file beside the record that may be lost: what it holds is found out anew, so its damage stops nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from comity.stores.database import is_damaged

MEND: Final = "`comity serve` puts it aside when it starts, and begins another"


def put_aside_if_damaged(path: Path) -> Path | None:
    """Under which name it is kept from now on; None: it is whole, or there is none. Raises `StoreError`."""
    if not path.exists() or not is_damaged(path):
        return None
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return aside
