"""Archives on their way in: progress for the reader, rejects into a file, and nothing stopped by a bad record."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from comity.app.errors import Exit, StopError
from comity.app.terminal import err, progress
