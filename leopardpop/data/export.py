"""Write histories in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory


def write_secr(history: CaptureHistory, folder: Path) -> Path:
    return folder
