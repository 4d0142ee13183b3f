"""NUTS in blocks that are kept as they are finished, so that a run that was killed goes on where it was.

Every block has a seed of its own, which follows from the seed of the run, the chain and the block's number. What a
block needs of those before it is where the chain stood and how far the step size was tuned: a few numbers, written with
its draws. So a run that was cut off a hundred times gives the draws of one that was not, to the last digit.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields
from hashlib import sha256
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.errors import DataError, FitError
from leopardpop.runs import seed_of
from leopardpop.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    type Point = Mapping[str, NDArray[Any]]

__all__ = ["BLOCK", "BlockPlan", "sample_blocks"]

BLOCK = 100
"""Draws of a block, those of tuning included."""
DIGEST = 32
"""Bytes of a hash."""
STATS = {
    "diverging": "diverging",
    "energy": "energy",
    "depth": "tree_depth",
    "tree_size": "n_steps",
    "mean_tree_accept": "acceptance_rate",
    "model_logp": "lp",
    "step_size": "step_size",
    "reached_max_treedepth": "reached_max_treedepth",
}
"""What PyMC's step tells of a draw, and the name that it has in the result."""


@dataclass(frozen=True, kw_only=True)
class BlockPlan:
    """What is to be drawn, and where it is kept."""

    draws: int
    tune: int
    seed: int
    folder: Path
    cores: int = 1

    def bounds(self, block: int) -> tuple[int, int]:
        """First draw of a block and the one after its last, tuning included."""
        return block * BLOCK, min((block + 1) * BLOCK, self.tune + self.draws)

    @property
    def n_blocks(self) -> int:
        """Blocks of a chain."""
        return -(-(self.tune + self.draws) // BLOCK)

    def path(self, chain: int, block: int) -> Path:
        """File of a block."""
        return self.folder / f"chain_{chain:02d}_{block:05d}.npz"


def sample_blocks(step: Any, points: Sequence[Point], plan: BlockPlan) -> xr.DataTree:
    """Draw what is not there yet, and read all of it.

    Parameters
    ----------
    step
        PyMC's NUTS of a model with one free variable, with its metric.
    points
        Where each chain begins.
    plan
        What is to be drawn, and where it is kept.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior`` and ``sample_stats``, without the draws of tuning.

    Raises
    ------
    FitError
        If a chain ended before its time.
    """
    chains = [chain for chain in range(len(points)) if _next_block(plan, chain) < plan.n_blocks]
    if plan.cores > 1 and sys.platform == "linux" and len(chains) > 1:
        _in_processes(step, points, plan, chains)
    else:
        for chain in chains:
            run_chain(step, points[chain], plan, chain)
    return _tree([_read(plan, chain) for chain in range(len(points))], next(iter(points[0])))


def run_chain(step: Any, start: Point, plan: BlockPlan, chain: int, parent: int | None = None) -> None:
    """Draw the blocks of a chain that are not there yet.

    Parameters
    ----------
    step, start, plan
        As of :func:`sample_blocks`.
    chain
        Its number.
    parent
        Process that waits for it; without it nobody does, and the chain ends.
    """
    first = _next_block(plan, chain)
    step.setup_chain(np.random.default_rng(), plan.tune, plan.draws)
    step.tune = True
    step.reset_tuning()
    point = start
    if first:
        last = _load(plan.path(chain, first - 1))
        point = {name: last["draws"][-1].reshape(np.shape(value)) for name, value in point.items()}
        _restore(step, last)
    for block in range(first, plan.n_blocks):
        if parent is not None and os.getppid() != parent:
            return
        point = _draw_block(step, point, plan, chain, block)


def _draw_block(step: Any, point: Point, plan: BlockPlan, chain: int, block: int) -> Point:
    """Draw a block and write it."""
    step.setup_chain(np.random.default_rng(seed_of(plan.seed, chain, block)), plan.tune, plan.draws)
    draws, stats = [], []
    for at in range(*plan.bounds(block)):
        if at == plan.tune:
            step.stop_tuning()
        point, (told,) = step.step(point)
        draws.append(np.concatenate([np.ravel(value) for value in point.values()]))
        stats.append([float(told[name]) for name in STATS])
    _write(plan.path(chain, block), draws=np.array(draws), stats=np.array(stats), **_state(step))
    return point


# -- the state of a sampler: the few numbers that change ---------------------------------------------------------------
def _numbers(state: Any) -> dict[str, Any]:
    """Fields of a state of PyMC's that are one number."""
    found = {each.name: getattr(state, each.name) for each in fields(state)}
    return {name: value for name, value in found.items() if isinstance(value, bool | int | float | np.number)}


def _state(step: Any) -> dict[str, Any]:
    state = step.sampling_state
    own = {f"step.{name}": value for name, value in _numbers(state).items()}
    return own | {f"adapt.{name}": value for name, value in _numbers(state.step_adapt).items()}


def _restore(step: Any, saved: Mapping[str, NDArray[Any]]) -> None:
    state = step.sampling_state
    for part, prefix in ((state, "step."), (state.step_adapt, "adapt.")):
        for name in _numbers(part):
            setattr(part, name, saved[f"{prefix}{name}"].item())
    step.sampling_state = state


# -- files ------------------------------------------------------------------------------------------------------------
def _write(path: Path, **arrays: Any) -> None:
    """Write beside the place and move: there is the whole block or none, with the hash of it at its end."""
    part, content = path.with_name(f".{path.name}.{os.getpid()}.part"), BytesIO()
    np.savez(content, **arrays)
    part.write_bytes(content.getvalue() + sha256(content.getvalue()).digest())
    part.replace(path)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    content = path.read_bytes()
    body, digest = content[:-DIGEST], content[-DIGEST:]
    if sha256(body).digest() != digest:  # the sums in a zip do not find every bit that changed
        raise DataError(
            f"{path} is damaged (its hash is another): remove it, and this block is drawn again.",
            offenders=[str(path)],
        )
    with np.load(BytesIO(body), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _next_block(plan: BlockPlan, chain: int) -> int:
    """Number of the first block that is not there, or is shorter than it is asked for now."""
    for block in range(plan.n_blocks):
        begin, end = plan.bounds(block)
        path = plan.path(chain, block)
        if not path.exists() or len(_load(path)["draws"]) < end - begin:
            return block
    return plan.n_blocks


def _read(plan: BlockPlan, chain: int) -> dict[str, NDArray[Any]]:
    """Draws of a chain (draws, P) and what was told of them, without those of tuning."""
    blocks = [_load(plan.path(chain, block)) for block in range(plan.n_blocks)]
    kept = slice(plan.tune, plan.tune + plan.draws)
    return {name: np.concatenate([block[name] for block in blocks])[kept] for name in ("draws", "stats")}


def _tree(chains: Sequence[Mapping[str, NDArray[Any]]], name: str) -> xr.DataTree:
    draws, stats = (np.stack([chain[part] for chain in chains]) for part in ("draws", "stats"))
    coords = {"chain": np.arange(len(chains)), "draw": np.arange(draws.shape[1])}
    dims = ("chain", "draw")
    told = {ours: (dims, stats[..., k]) for k, ours in enumerate(STATS.values())}
    sample_stats = xr.Dataset(told, coords)
    for logical in ("diverging", "reached_max_treedepth"):
        sample_stats[logical] = sample_stats[logical] > 0.5
    posterior = xr.Dataset({name: ((*dims, f"{name}_dim_0"), draws)}, coords)
    groups = {"posterior": posterior, "sample_stats": sample_stats.assign_attrs(inference_library="pymc")}
    return xr.DataTree.from_dict(groups)


# -- processes --------------------------------------------------------------------------------------------------------
def _in_processes(step: Any, points: Sequence[Point], plan: BlockPlan, chains: list[int]) -> None:
    """Chains in processes of their own, which inherit the compiled step; what they draw is in the folder."""
    fork, waiting = get_context("fork"), list(chains)
    running: list[Any] = []
    ended: list[int | None] = []
    while waiting or running:
        while waiting and len(running) < plan.cores:
            chain = waiting.pop(0)
            process = fork.Process(target=run_chain, args=(step, points[chain], plan, chain, os.getpid()), daemon=True)
            process.start()
            running.append(process)
        running[0].join()
        ended.append(running.pop(0).exitcode)
    if bad := [code for code in ended if code]:
        raise FitError(
            f"{counted(len(bad), 'chain')} ended before the time (exit code {bad[0]}). What was drawn is in "
            f"{plan.folder}: call again with the same folder.",
            offenders=[str(plan.folder)],
        )
