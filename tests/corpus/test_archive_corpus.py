"""Archives that a fuzzer found: each once made the reader raise, or pyarrow end the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.intake.archives import read_archives

ARCHIVES = Path(__file__).parent / "archives"
GIVES = {
    "index-outside-its-dictionary.parquet": "damaged",
    "map-with-more-values-than-keys.parquet": "messages",
    "metadata-without-rows.parquet": "messages",
    "statistics-of-another-size.parquet": "damaged",
}


@pytest.mark.parametrize("name", sorted(path.name for path in ARCHIVES.iterdir()))
def test_an_archive_that_a_fuzzer_found_is_read_or_reported(name: str) -> None:
    batches = list(read_archives([str(ARCHIVES / name)]))
    problems = [batch.problem.what for batch in batches if batch.problem]
    if GIVES[name] == "messages":
        assert problems == []
        assert sum(len(batch.messages) for batch in batches) > 0
    else:
        assert "damaged or cut short" in problems[0]
