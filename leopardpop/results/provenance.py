"""Where a fit came from, as attributes of its data tree: text and numbers only."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from leopardpop._version import __version__
from leopardpop.results.model_json import model_to_json

if TYPE_CHECKING:
    from leopardpop.models.problem import Problem
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["mask_fingerprint", "provenance"]


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
        leopardpop_version, pymc_version, arviz_version, python, created_at, engine, seed, model_json, data_hash,
        effort_unit, crs, coordinates, audit_json, options_json, inference_library and its version.
    """
    history = problem.given
    return {
        "leopardpop_version": __version__,
        "pymc_version": _version_of("pymc"),
        "arviz_version": _version_of("arviz"),
        "python": platform.python_version(),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "engine": engine,
        "seed": seed,
        "inference_library": library,
        "inference_library_version": __version__ if library == "leopardpop" else _version_of(library),
        "options_json": json.dumps(dict(options or {}), default=str),
        "model_json": model_to_json(getattr(problem, "stated", problem.model)),
        "data_hash": history.data_hash,
        "effort_unit": history.effort_unit,
        "crs": history.crs or "",
        "coordinates": "exact",
        "audit_json": history.audit.to_json(orient="records"),
    }


def mask_fingerprint(problem: Problem) -> str:
    """Fingerprint of the mask, or of the masks by session."""
    hashes = {session: mask.mask_hash for session, mask in problem.masks.items()}
    if len(set(hashes.values())) == 1:
        return next(iter(hashes.values()))
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
