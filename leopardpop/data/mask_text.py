"""How a mask presents itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from leopardpop.data.mask import Mask

__all__ = ["html", "text"]


def text(mask: Mask) -> str:
    """Describe a mask in a line, and each covariate in another."""
    head = f"Mask: {', '.join(facts(mask).values())}"
    return "\n".join([head, *(f"  {name}: {values(column)}" for name, column in mask.covariates.items())])


def facts(mask: Mask) -> dict[str, str]:
    """Say what a mask is: heading -> words."""
    said = {"Cells": f"{mask.n_cells:,} cells {_sizes(mask)} ({mask.total_area:,.5g} km²)".replace(" ()", "")}
    if mask.spacing is not None:
        said["Spacing"] = f"spacing {mask.spacing:,.6g} m"
    if mask.buffer is not None:
        said["Buffer"] = f"buffer {mask.buffer:,.6g} m"
    if mask.region is not None:
        said["Region"] = f"clipped to a polygon of {mask.region.area / 1e6:,.0f} km²"
    if mask.crs is not None:
        said["CRS"] = mask.crs if len(mask.crs) < 30 else "a projection of its own"
    return said


def _sizes(mask: Mask) -> str:
    low, high = float(mask.area.min()), float(mask.area.max())
    return f"of {low:.4g} km²" if np.isclose(low, high) else f"of {low:.4g} to {high:.4g} km²"


def values(column: pd.Series[Any]) -> str:
    """Range of numbers, or the words that occur, and how many cells have none."""
    present = column.dropna()
    gap = f" (missing on {len(column) - len(present):,} cells)" if len(present) < len(column) else ""
    if not len(present):
        return f"missing on all {len(column):,} cells"
    if column.dtype == np.float64:
        return f"{present.min():.4g} to {present.max():.4g}{gap}"
    words = sorted(present.unique())
    return f"{', '.join(words[:6])}{f', … ({len(words)} in all)' if len(words) > 6 else ''}{gap}"


def html(mask: Mask) -> str:
    """Describe a mask as an HTML table."""
    rows = [*facts(mask).items(), *((str(name), values(column)) for name, column in mask.covariates.items())]
    cells = "".join(f"<tr><th style='text-align:left'>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
    return f"<table><caption>Mask</caption><tbody>{cells}</tbody></table>"
