"""Where a fit came from, as attributes of its data tree: text and numbers only."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leopardpop._version import __version__
from leopardpop.results.model_json import model_to_json

if TYPE_CHECKING:
    from leopardpop.data.mask import Mask
    from leopardpop.models.problem import Problem
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["MADE_WITH", "code_hash", "fingerprint_of", "mask_fingerprint", "provenance", "surroundings"]

PACKAGES = ("arviz", "formulae", "numba", "numpy", "pandas", "pymc", "pytensor", "scipy", "xarray")
"""What draws are made with, beside this library."""
MADE_WITH = ("leopardpop_version", "code_hash", "python", "platform", *(f"{name}_version" for name in PACKAGES))
"""Attributes of what a fit was made with: where they are the same, draws can be the same to the last digit."""
WHOLE_RUN = ("progress", "progressbar")
"""Options that nothing which was computed depends on."""


def provenance(
    problem: Problem | OccupancyProblem,
    *,
    engine: str,
    seed: int,
    library: str,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Root attributes of a data tree.

    Parameters
    ----------
    problem
        The model with its data.
    engine
        ``"laplace"``, ``"nuts"`` or ``"external"``.
    seed
        Seed of the draws.
    library
        Package that drew them.
    options
        What was asked of the engine.

    Returns
    -------
    dict
        leopardpop_version, code_hash, versions of other packages, python, platform, created_at, engine, seed,
        model_json, priors_json, data_hash, effort_unit, crs, coordinates, audit_json, options_json, inference_library
        and its version.
    """
    history = problem.given
    return {
        **surroundings(),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "engine": engine,
        "seed": seed,
        "inference_library": library,
        "inference_library_version": __version__ if library == "leopardpop" else _version_of(library),
        "options_json": json.dumps(_options(options or {}), default=str),
        "model_json": model_to_json(getattr(problem, "stated", problem.model)),
        "priors_json": json.dumps({term.label: repr(term.prior) for term in problem.priors.terms}),
        "data_hash": history.data_hash,
        "effort_unit": history.effort_unit,
        "crs": history.crs or "",
        "coordinates": "exact",
        "audit_json": history.audit.to_json(orient="records"),
    }


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options that draws depend on; of a folder that blocks are kept in, that there was one."""
    kept = {name: value for name, value in given.items() if name not in WHOLE_RUN}
    return kept | ({"folder": True} if kept.get("folder") is not None else {})


def surroundings() -> dict[str, str]:
    """What draws are made with here: versions, the code itself, the kind of machine; keys as :data:`MADE_WITH`."""
    versions = {f"{name}_version": _version_of(name) for name in PACKAGES}
    here = {"leopardpop_version": __version__, "code_hash": code_hash(), "python": platform.python_version()}
    return {**here, "platform": f"{platform.system()} {platform.machine()}", **versions}


@cache
def code_hash() -> str:
    """SHA-256 of this library's source files, by name: two with the same version may still differ."""
    root, digest = Path(__file__).parent.parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda each: each.relative_to(root).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def mask_fingerprint(problem: Problem) -> str:
    """Fingerprint of the mask, or of the masks by session."""
    return fingerprint_of(problem.masks)


def fingerprint_of(masks: Mapping[str, Mask]) -> str:
    """Fingerprint of masks by session: the mask's own where one serves all.

    Parameters
    ----------
    masks
        Mask by session.
    """
    hashes = {session: mask.mask_hash for session, mask in masks.items()}
    if len(set(hashes.values())) == 1:
        return next(iter(hashes.values()))
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
