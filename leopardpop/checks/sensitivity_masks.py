"""Masks that differ from that of a fit in one thing: wider or narrower, finer or coarser, on the same ground."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from leopardpop.checks.sensitivity_draws import Ground, ground_of
from leopardpop.data.mask import Mask
from leopardpop.words import length

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["OtherMask", "other_masks"]

WIDER = 1.5
MOST_CELLS = 60_000
"""Cells of a finer mask above which it is not tried."""


class OtherMask(NamedTuple):
    """A mask to compare with that of the fit, or why there is none."""

    subject: str
    words: str
    masks: dict[str, Mask] | None = None
    theirs: list[Ground] | None = None
    """The ground that both have, on these masks."""
    ours: list[Ground] | None = None
    """The same ground on the masks of the fit."""
    reason: str = ""


class _Cells(NamedTuple):
    """Cells of another mask."""

    mask: Mask
    parent: Ints
    """Of finer cells: the cell of the fit's mask that each is in, (J,); of coarser ones: which one each cell is in."""


def other_masks(problem: Problem, grounds: list[Ground]) -> list[OtherMask]:
    """Wider and narrower, finer and coarser masks.

    Parameters
    ----------
    problem
        The model with its data.
    grounds
        Region on each session's mask.
    """
    return [*_buffers(problem, grounds), *_meshes(problem, grounds)]


# -- buffer -----------------------------------------------------------------------------------------------------------
def _buffers(problem: Problem, grounds: list[Ground]) -> list[OtherMask]:
    masks = list(problem.masks.values())
    if any(mask.buffer is None or mask.spacing is None for mask in masks):
        reason = "The mask was given cell by cell: how far it reaches is not the library's to change."
        return [OtherMask("buffer", "another buffer", reason=reason)]
    widest = max(float(mask.buffer or 0.0) for mask in masks)
    if problem.distances is not None:
        reason = "Ways over land are not known beyond the mask: make one with another buffer, and compare."
        return [OtherMask("buffer", "another buffer", reason=reason)]
    return [_wider(problem, grounds, widest), _narrower(problem, grounds, widest)]


def _wider(problem: Problem, grounds: list[Ground], widest: float) -> OtherMask:
    words = f"{length(WIDER * widest)} in place of {length(widest)}"
    if _uses_covariates(problem):
        reason = (
            "Density follows covariates, which the fit does not know beyond its mask: make a wider one and compare."
        )
        return OtherMask("buffer", words, reason=reason)
    masks = _by_session(problem, lambda mask: _laid(problem, mask, WIDER * float(mask.buffer or 0.0)))
    pairs = [_matched(problem, masks, s, grounds[s]) for s in range(len(problem.data))]
    return OtherMask("buffer", words, masks, [a for a, _ in pairs], [b for _, b in pairs])


def _uses_covariates(problem: Problem) -> bool:
    design = problem.layout["D"].design
    return bool(({*design.numeric} - {"x", "y"}) or ({*design.factors} - {"session"}))


def _laid(problem: Problem, mask: Mask, buffer: float) -> Mask:
    spacing = float(mask.spacing or 0.0)
    return Mask.around(problem.history, buffer=buffer, spacing=spacing, habitat=mask.region, crs=mask.crs)


def _matched(problem: Problem, masks: dict[str, Mask], s: int, ground: Ground) -> tuple[Ground, Ground]:
    """The ground that two masks on one lattice share, on the new one and on the old one."""
    session = problem.data[s].session
    new, old = masks[session], problem.masks[session]
    step = float(old.spacing or 1.0)
    keys = [_places(mask, step, old) for mask in (new, old)]
    position = {key: i for i, key in enumerate(keys[1])}
    parent = np.array([position.get(key, -1) for key in keys[0]])
    inside = np.where(parent >= 0, ground.of_cell[parent], 0.0)
    kept = np.zeros(old.n_cells)
    kept[parent[parent >= 0]] = 1.0
    return ground_of(inside), ground_of(ground.of_cell * kept)


def _places(mask: Mask, step: float, origin: Mask) -> list[tuple[int, int]]:
    x, y = np.round((mask.x - origin.x[0]) / step), np.round((mask.y - origin.y[0]) / step)
    return list(zip(x.astype(int).tolist(), y.astype(int).tolist(), strict=True))


def _narrower(problem: Problem, grounds: list[Ground], widest: float) -> OtherMask:
    words = f"{length(widest / WIDER)} in place of {length(widest)}"
    masks = _by_session(problem, lambda mask: _within(problem, mask, float(mask.buffer or 0.0) / WIDER))
    pairs = [_matched(problem, masks, s, grounds[s]) for s in range(len(problem.data))]
    if any(not (ground.share > 0).any() for pair in pairs for ground in pair):
        return OtherMask("buffer", words, reason="Nothing of the region would be left.")
    return OtherMask("buffer", words, masks, [a for a, _ in pairs], [b for _, b in pairs])


def _within(problem: Problem, mask: Mask, buffer: float) -> Mask:
    from scipy.spatial import cKDTree

    stations = problem.history.stations[["x", "y"]].to_numpy(float)
    near = cKDTree(stations).query(np.column_stack([mask.x, mask.y]))[0] <= buffer
    if not near.any():
        near[:] = True
    return Mask(mask.table[near].reset_index(drop=True), crs=mask.crs, region=mask.region, buffer=buffer)


# -- mesh -------------------------------------------------------------------------------------------------------------
def _meshes(problem: Problem, grounds: list[Ground]) -> list[OtherMask]:
    masks = list(problem.masks.values())
    if any(mask.spacing is None for mask in masks) or problem.distances is not None:
        reason = "The cells are on no square lattice, or ways lead over them: make another mask, and compare."
        return [OtherMask("mesh", "other cells", reason=reason)]
    step = max(float(mask.spacing or 0.0) for mask in masks)
    finer = f"cells of {length(step / 2)} in place of {length(step)}"
    coarser = f"cells of {length(2 * step)} in place of {length(step)}"
    if sum(4 * mask.n_cells for mask in masks) > MOST_CELLS:
        fine = OtherMask("mesh", finer, reason=f"A finer mask would have more than {MOST_CELLS:,} cells.")
    else:
        fine = _meshed(problem, grounds, finer, _quartered)
    return [fine, _meshed(problem, grounds, coarser, _joined)]


def _meshed(problem: Problem, grounds: list[Ground], words: str, make: Callable[[Mask], _Cells]) -> OtherMask:
    made = {id(mask): make(mask) for mask in problem.masks.values()}
    theirs = []
    for data, ground in zip(problem.data, grounds, strict=True):
        mask = problem.masks[data.session]
        theirs.append(ground_of(_shares(mask, made[id(mask)], ground)))
    masks = {session: made[id(mask)].mask for session, mask in problem.masks.items()}
    return OtherMask("mesh", words, masks, theirs, grounds)


def _shares(mask: Mask, cells: _Cells, ground: Ground) -> Floats:
    """Share of each new cell in the region, (J,)."""
    if len(cells.parent) > mask.n_cells:
        return np.asarray(ground.of_cell[cells.parent])
    inside = np.bincount(cells.parent, ground.of_cell * mask.area, cells.mask.n_cells)
    return np.asarray(np.round(inside / np.bincount(cells.parent, mask.area, cells.mask.n_cells), 9))


def _quartered(mask: Mask) -> _Cells:
    """Each cell in four, with the covariates of the whole."""
    step, n = float(mask.spacing or 0.0), mask.n_cells
    parent = np.repeat(np.arange(n), 4)
    table = mask.table.iloc[parent].reset_index(drop=True)
    table["x"] += 0.25 * step * np.tile([-1.0, 1.0, -1.0, 1.0], n)
    table["y"] += 0.25 * step * np.tile([-1.0, -1.0, 1.0, 1.0], n)
    table["area"] /= 4.0
    return _Cells(Mask(table, crs=mask.crs, region=mask.region, buffer=mask.buffer), parent)


def _joined(mask: Mask) -> _Cells:
    """Four cells in one, with the mean of their covariates (text: that of the first), in the middle of their square."""
    step, table = float(mask.spacing or 0.0), mask.table
    lines = [np.round((v - v.min()) / step).astype(np.intp) // 2 for v in (mask.x, mask.y)]
    blocks, parent = np.unique(np.column_stack(lines), axis=0, return_inverse=True)
    parent = parent.reshape(-1)
    columns: dict[str, object] = {}
    for name, values in table.items():
        grouped = values.groupby(parent)
        columns[str(name)] = (grouped.mean() if values.dtype == np.float64 else grouped.first()).to_numpy()
    made = pd.DataFrame(columns)
    made["x"] = mask.x.min() + step * (2.0 * blocks[:, 0] + 0.5)
    made["y"] = mask.y.min() + step * (2.0 * blocks[:, 1] + 0.5)
    made["area"] = np.bincount(parent, mask.area)
    return _Cells(Mask(made, crs=mask.crs, region=mask.region, buffer=mask.buffer), parent)


def _by_session(problem: Problem, make: Callable[[Mask], Mask]) -> dict[str, Mask]:
    """Make a mask of each one, once where sessions share it."""
    made = {id(mask): make(mask) for mask in problem.masks.values()}
    return {session: made[id(mask)] for session, mask in problem.masks.items()}
