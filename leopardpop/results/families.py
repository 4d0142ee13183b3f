"""What differs between families of models once there are draws: their tree, their findings, their kind of fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.inference.laplace import laplace_draws
from leopardpop.models.density_integral import surface_of
from leopardpop.models.flank_problem import FlankProblem
from leopardpop.models.states.clusters import MOST_TOGETHER
from leopardpop.models.states.community import CommunityProblem
from leopardpop.models.states.integrated import integrated_form
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.models.states.surface_integral import has_surface
from leopardpop.results.centring import centred_community, centred_surface
from leopardpop.results.community_checks import community_findings
from leopardpop.results.community_fit import CommunityFit
from leopardpop.results.data_checks import (
    class_findings,
    history_findings,
    mask_findings,
    mixture_findings,
    prior_findings,
)
from leopardpop.results.density_centring import centred_density
from leopardpop.results.fit import Fit
from leopardpop.results.flank_checks import flank_findings, label_findings, twice_findings
from leopardpop.results.flank_fit import TwoFlankFit
from leopardpop.results.flank_tree import flank_tree
from leopardpop.results.formula_checks import formula_findings
from leopardpop.results.group_checks import group_findings
from leopardpop.results.occupancy_checks import occupancy_findings
from leopardpop.results.occupancy_fit import OccupancyFit
from leopardpop.results.occupancy_tree import occupancy_tree
from leopardpop.results.pieces import Recorder, evaluate_draws
from leopardpop.results.provenance import mask_fingerprint
from leopardpop.results.singletons import singleton_findings
from leopardpop.results.spatial_checks import spatial_findings
from leopardpop.results.tree import canonical_tree

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.inference.laplace import LaplaceDraws
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Pointwise, Problem
    from leopardpop.results.findings import Finding
    from leopardpop.results.pieces import InPieces

__all__ = ["Family", "family_of", "in_pieces"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of models, as the engines' results see it."""

    fit: Callable[..., Any]
    """Makes the fit of a tree, a problem and the engine's draws."""
    tree: Callable[..., xr.DataTree]
    """Puts draws into the schema."""
    findings: Callable[[Any, Floats, Any], list[Finding]]
    """What can be said whatever the engine, of the problem, its draws (S, P) and the pieces of the likelihood."""
    origin: Callable[[Any], dict[str, Any]]
    """Attributes of the tree that say where it came from, beside those that all fits have."""
    draw: Callable[[Any, dict[str, Any]], tuple[LaplaceDraws, Any]]
    """Importance sampling: draws of theta and the likelihood in pieces, of the problem and options of the engine."""
    spread: Callable[[Any], float | None]
    """Posterior sd of the number of animals, of the pieces; None where there is none."""
    by_chains: Callable[[Any], bool] = lambda problem: False
    """Whether engine="auto" goes to NUTS at once, for a problem where importance sampling is hopeless."""


def family_of(problem: Problem | OccupancyProblem) -> Family:
    """Family of a model with its data."""
    if isinstance(problem, CommunityProblem):
        return COMMUNITY
    if isinstance(problem, FlankProblem):
        return TWO_FLANKS
    return OCCUPANCY if isinstance(problem, OccupancyProblem) else CAPTURE_RECAPTURE


def in_pieces(problem: Any) -> InPieces[Any]:
    """Return a problem of any family as what it is to the engines: a likelihood in pieces."""
    known: InPieces[Any] = problem
    return known


def _scr_findings(problem: Problem, theta: Floats, pieces: Pointwise) -> list[Finding]:
    of_flanks = [*twice_findings(problem.given), *label_findings(problem.given)]
    return [*history_findings(problem.history), *of_flanks, *_model_findings(problem, theta, pieces)]


def _flank_findings(problem: FlankProblem, theta: Floats, pieces: Pointwise) -> list[Finding]:
    return [*flank_findings(problem, theta), *_model_findings(problem, theta, pieces)]


def _model_findings(problem: Problem, theta: Floats, pieces: Pointwise) -> list[Finding]:
    """What is looked at whatever an identity is."""
    of_data = [*class_findings(problem), *mixture_findings(problem, theta), *formula_findings(problem)]
    of_data += [*group_findings(problem), *spatial_findings(problem, theta), *singleton_findings(problem, theta)]
    shift = prior_findings(problem, theta, pieces.expected)
    return [*of_data, *shift, *mask_findings(problem, theta)]


def _sd_of_number(pieces: Pointwise) -> float:
    """Posterior sd of the number of animals over all sessions."""
    expected, detected = pieces.expected.sum(-1), pieces.detected.sum(-1)
    return float(np.sqrt(expected.var() + (expected - detected).mean()))


def recorded_draws(problem: Any, keywords: dict[str, Any]) -> tuple[LaplaceDraws, Any]:
    """Importance sampling of all coefficients; what was evaluated on the way is not evaluated again."""
    recorder: Recorder[Any] = Recorder(in_pieces(problem))
    drawn = laplace_draws(recorder, **keywords)
    return drawn, evaluate_draws(recorder.problem, drawn.draws.reshape(-1, drawn.draws.shape[-1]), recorder.pieces)


def occupancy_draws(problem: OccupancyProblem, keywords: dict[str, Any]) -> tuple[LaplaceDraws, Any]:
    """Importance sampling; random effects are integrated out where their groups allow it."""
    integrated = _without_effects(problem)
    return recorded_draws(problem, keywords) if integrated is None else completed_draws(problem, integrated, keywords)


def capture_draws(problem: Problem, keywords: dict[str, Any]) -> tuple[LaplaceDraws, Any]:
    """Importance sampling; a surface of density is integrated out."""
    surface = surface_of(problem)
    if surface is None:
        return recorded_draws(problem, keywords)
    return completed_draws(problem, centred_density(problem, surface), keywords)


def completed_draws(problem: Any, integrated: Any, keywords: dict[str, Any]) -> tuple[LaplaceDraws, Any]:
    """Importance sampling of some of the coordinates, to which the others are drawn."""
    drawn = laplace_draws(integrated, **keywords)
    theta = integrated.complete(drawn.draws.reshape(-1, integrated.size)).reshape(*drawn.draws.shape[:2], -1)
    complete = replace(drawn, names=problem.names, draws=theta, raw=integrated.complete(drawn.raw))
    return complete, evaluate_draws(in_pieces(problem), theta.reshape(-1, theta.shape[-1]))


def _without_effects(problem: OccupancyProblem) -> Any:
    """A problem without its random and spatial effects; None where they are drawn with everything else."""
    if isinstance(problem, CommunityProblem):
        return centred_community(problem)
    return centred_surface(problem) if has_surface(problem) else integrated_form(problem)


CAPTURE_RECAPTURE = Family(
    fit=Fit,
    draw=capture_draws,
    tree=canonical_tree,
    findings=_scr_findings,
    origin=lambda problem: {"mask_hash": mask_fingerprint(problem)},
    spread=_sd_of_number,
)
TWO_FLANKS = replace(CAPTURE_RECAPTURE, fit=TwoFlankFit, draw=recorded_draws, tree=flank_tree, findings=_flank_findings)
OCCUPANCY = Family(
    fit=OccupancyFit,
    draw=occupancy_draws,
    tree=occupancy_tree,
    findings=occupancy_findings,
    origin=lambda problem: {},
    spread=lambda pieces: None,
)
COMMUNITY = replace(
    OCCUPANCY,
    fit=CommunityFit,
    findings=community_findings,
    by_chains=lambda problem: len(problem.layout.effects) > MOST_TOGETHER,
)
