"""What the visits say of a community before any engine has its word: findings with plain advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.data.names import listed
from leopardpop.models.states.clusters import MOST_TOGETHER
from leopardpop.results.findings import Finding
from leopardpop.results.formula_checks import collinear_findings
from leopardpop.results.occupancy_checks import large_effects, repeated
from leopardpop.results.occupancy_meaning import meaning_findings
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.community import CommunityProblem
    from leopardpop.models.states.run import SiteLikelihood

__all__ = ["community_findings"]

FEWEST_SPECIES = 5


def community_findings(problem: CommunityProblem, theta: Floats, pieces: SiteLikelihood) -> list[Finding]:
    """Whether there are species enough, which of them were seen, and what the numbers do not say.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    pieces
        The likelihood in pieces; not looked at.
    """
    found = [_species(problem), _seen(problem), _engine(problem), repeated(problem), large_effects(problem, theta)]
    return [*found, *collinear_findings(problem.layout.parts), *meaning_findings(problem, theta)]


def _species(problem: CommunityProblem) -> Finding:
    n = len(problem.species)
    known = f"The community is the {n} species of the history; others that were never recorded are not asked for"
    few = (
        f"{counted(n, 'species', 'species')} say little of the differences between species: their sds, and how much a "
        f"rare species leans on the others, are mostly the priors'. From {FEWEST_SPECIES} on the data begin to tell; "
        "with fewer, say that it is an assumption, or fit lp.Occupancy to each."
    )
    enough = n >= FEWEST_SPECIES
    return Finding(
        quantity="species",
        value=n,
        limit=FEWEST_SPECIES,
        verdict="ok" if enough else "warn",
        advice=f"{known}." if enough else few,
        warning="" if enough else "SparseDataWarning",
    )


def _seen(problem: CommunityProblem) -> Finding:
    data = problem.arrays
    at = np.bincount(data.site[data.value > 0], minlength=len(data.sites))
    seen = problem.by_species(at > 0).any(-1)
    never = [name for name, known in zip(problem.species, seen, strict=True) if not known]
    unseen = (
        f"{listed(never)} {'was' if len(never) == 1 else 'were'} never seen and {'is' if len(never) == 1 else 'are'} "
        "kept: what is said of such a species is what is known of the community, and that it is rare or hard to see."
    )
    return Finding(
        quantity="species never seen",
        value=len(never),
        limit=1,
        verdict="note" if never else "ok",
        advice=unseen if never else "Every species was seen.",
    )


def _engine(problem: CommunityProblem) -> Finding:
    """How the engines treat the species."""
    n = len(problem.layout.effects)
    few = f"A species has {counted(n, 'coefficient')} of its own; by engine='laplace' they are integrated out"
    many = f"{few}, which rarely succeeds with more than {MOST_TOGETHER}: engine='auto' goes to NUTS at once."
    return Finding(
        quantity="coefficients of a species",
        value=n,
        limit=MOST_TOGETHER,
        verdict="ok",
        advice=f"{few} species by species." if n <= MOST_TOGETHER else many,
    )
