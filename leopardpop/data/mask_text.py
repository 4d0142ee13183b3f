"""How a mask presents itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.words import area, counted, trimmed

if TYPE_CHECKING:
    from leopardpop.data.mask import Mask

__all__ = ["html", "text"]


def text(mask: Mask) -> str:
    """Describe a mask in a line, and each covariate in another."""
    named = ("Spacing", "Buffer", "Clipped")
    said = [f"{name.lower()} {words}" if name in named else words for name, words in facts(mask).items()]
    head = f"Mask: {', '.join(said)}"
    return "\n".join([head, *(f"  {name}: {values(column)}" for name, column in mask.covariates.items())])


def facts(mask: Mask) -> dict[str, str]:
    """Say what a mask is: heading -> words."""
    said = {"Ground": f"{counted(mask.n_cells, 'cell')} of {_sizes(mask)} ({area(mask.total_area)})"}
    if mask.spacing is not None:
        said["Spacing"] = f"{trimmed(mask.spacing, 6)} m"
    if mask.buffer is not None:
        said["Buffer"] = f"{trimmed(mask.buffer, 6)} m"
    if mask.region is not None:
        said["Clipped"] = f"to a polygon of {area(mask.region.area / 1e6)}"
    if mask.crs is not None:
        said["CRS"] = mask.crs if len(mask.crs) < 30 else "a projection of its own"
    return said


def _sizes(mask: Mask) -> str:
    low, high = float(mask.area.min()), float(mask.area.max())
    return area(low) if np.isclose(low, high) else f"{trimmed(low, 4)} to {area(high)}"


def values(column: pd.Series[Any]) -> str:
    """Range of numbers, or the words that occur, and how many cells have none."""
    present = column.dropna()
    gap = f" (missing on {counted(len(column) - len(present), 'cell')})" if len(present) < len(column) else ""
    if not len(present):
        return f"missing on all {counted(len(column), 'cell')}"
    if column.dtype == np.float64:
        return f"{trimmed(present.min(), 4)} to {trimmed(present.max(), 4)}{gap}"
    words = sorted(present.unique())
    return f"{', '.join(words[:6])}{f', … ({len(words)} in all)' if len(words) > 6 else ''}{gap}"


def html(mask: Mask) -> str:
    """Describe a mask as an HTML table."""
    rows = [*facts(mask).items(), *((str(name), values(column)) for name, column in mask.covariates.items())]
    cells = "".join(f"<tr><th style='text-align:left'>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
    return f"<table><caption>Mask</caption><tbody>{cells}</tbody></table>"
