"""Which problem a model of sites makes of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leopardpop.models.states.animals import MixtureProblem, NicholsProblem
from leopardpop.models.states.community import CommunityProblem
from leopardpop.models.states.counted import CountProblem
from leopardpop.models.states.problem import OccupancyProblem

if TYPE_CHECKING:
    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.models.occupancy_model import OccupancyModel

__all__ = ["occupancy_problem"]

KINDS = {
    "states": OccupancyProblem,
    "detected animals": NicholsProblem,
    "counted animals": MixtureProblem,
    "counts": CountProblem,
    "community": CommunityProblem,
}


def occupancy_problem(
    model: OccupancyModel, history: DetectionHistory, *, design_only: bool = False
) -> OccupancyProblem:
    """Bring a model and its data together.

    Parameters
    ----------
    model
        The model.
    history
        The detection history.
    design_only
        Whether the responses will not be looked at.
    """
    return KINDS[model.structure.kind](model, history, design_only=design_only)
