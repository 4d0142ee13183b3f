"""Default priors of the reference values, from the design of a survey alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.priors import Prior
from leopardpop.priors.defaults import baseline_prior, density_prior, scale_prior, shape_prior

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays

__all__ = ["default_references"]


def default_references(
    sessions: list[SessionArrays], names: list[str], given: Mapping[str, Any], stretch: float = 1.0
) -> dict[str, Any]:
    """Priors of the reference values from the design alone: sigma, the baseline, D, the shape z.

    Where distances are not those of straight lines but ``stretch`` times as long, sigma is, too.

    Raises
    ------
    PriorError
        If sigma has no prior and there are fewer than three distinct stations.
    """
    sigma = given["sigma"] if given.get("sigma") is not None else _scale_prior(sessions, stretch)
    efforts = np.concatenate([s.effort.sum(1) for s in sessions])
    operating = efforts[efforts > 0]
    mean_effort = float(operating.mean()) if len(operating) else 1.0
    known = sigma if isinstance(sigma, Prior) else _scale_prior(sessions, stretch)
    result = {"sigma": sigma, "D": density_prior(float(known.quantile(0.5)) / stretch)}
    result["lambda0"] = baseline_prior(mean_effort, probability=False)
    result["g0"] = baseline_prior(mean_effort, probability=True)
    result["z"] = shape_prior()
    return {name: result[name] for name in names if name in result}


def _scale_prior(sessions: list[SessionArrays], stretch: float) -> Prior:
    straight = scale_prior([s.xy for s in sessions]).parameters
    return Prior("LogNormal", mu=straight["mu"] + float(np.log(stretch)), sigma=straight["sigma"])
