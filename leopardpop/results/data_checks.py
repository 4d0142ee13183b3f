"""What the data and the mask say of a fit before any engine has its word: findings with plain advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.results.findings import Finding, Verdict
from leopardpop.results.mask_reach import buffer_effect, posterior_scales, spacing_of
from leopardpop.results.prior_shift import prior_shifts

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["history_findings", "mask_findings", "prior_findings"]

FEWEST_RECAPTURES = 20
FEWEST_AT_TWO_STATIONS = 5
FEWEST_SPATIAL = 3
LARGEST_BUFFER_EFFECT = 0.01
COARSEST_SPACING, SAFE_SPACING = 1.0, 0.6
LARGEST_PRIOR_SHIFT = 0.25


def history_findings(history: CaptureHistory) -> list[Finding]:
    """Whether there are enough animals and recaptures, and whether sessions share animals."""
    general = [_animals(history), _recaptures(history), _at_two_stations(history), _spatial(history)]
    return general if len(history.sessions) < 2 else [*general, _empty(history), _shared(history)]


def _animals(history: CaptureHistory) -> Finding:
    n = history.n_individuals
    sentence = {
        0: "No animal was detected: the posterior is that of the priors, thinned by the effort that found none.",
        1: "One animal was detected: what is said of density and movement is mostly the priors'.",
    }.get(n, f"{n} animals were detected.")
    few = n < 2
    return Finding(
        quantity="animals",
        value=n,
        limit=2,
        verdict="warn" if few else "ok",
        advice=sentence,
        warning="SparseDataWarning" if few else "",
    )


def _recaptures(history: CaptureHistory) -> Finding:
    n = history.n_recaptures
    few = n < FEWEST_RECAPTURES
    advice = f"{n} recaptures, fewer than {FEWEST_RECAPTURES}: detection is poorly known, and the priors count."
    return Finding(
        quantity="recaptures",
        value=n,
        limit=FEWEST_RECAPTURES,
        verdict="warn" if few else "ok",
        advice=advice if few else f"{n} recaptures.",
        warning="SparseDataWarning" if few else "",
    )


def _at_two_stations(history: CaptureHistory) -> Finding:
    n = history.n_multi_station_individuals
    few = n < FEWEST_AT_TWO_STATIONS
    advice = (
        f"{n} animals were at two stations or more, fewer than {FEWEST_AT_TWO_STATIONS}: sigma, and with it density, "
        "rests on the prior. Stations closer together, or more effort, would help."
    )
    return Finding(
        quantity="animals at two or more stations",
        value=n,
        limit=FEWEST_AT_TWO_STATIONS,
        verdict="warn" if few else "ok",
        advice=advice if few else f"{n} animals were at two stations or more.",
        warning="SparseDataWarning" if few else "",
    )


def _spatial(history: CaptureHistory) -> Finding:
    n = history.n_spatial_recaptures
    few = n < FEWEST_SPATIAL
    advice = (
        f"{n} spatial recaptures: the posterior may have more than one mode, which Pareto k does not see. "
        "Compare with engine='nuts'."
    )
    return Finding(
        quantity="spatial recaptures",
        value=n,
        limit=FEWEST_SPATIAL,
        verdict="note" if few else "ok",
        advice=advice if few else f"{n} spatial recaptures, {history.n_individuals} animals.",
    )


def _empty(history: CaptureHistory) -> Finding:
    """Sessions without an animal."""
    seen = set(history.individuals["session"])
    names = [session for session in history.sessions if session not in seen]
    advice = (
        f"No animal was detected in {len(names)} of {len(history.sessions)} sessions ({', '.join(names)}): N there "
        "rests on the effort that found none, and on what the formulas share with other sessions, else on the priors."
    )
    return Finding(
        quantity="sessions without animals",
        value=len(names),
        limit=1,
        verdict="note" if names else "ok",
        advice=advice if names else "Animals were detected in every session.",
    )


def _shared(history: CaptureHistory) -> Finding:
    """Animals of the same label in several sessions."""
    labels = history.individuals.groupby("individual")["session"].nunique()
    names = [str(label) for label in labels.index[labels > 1]]
    shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
    advice = (
        f"{len(names)} animals are in several sessions ({shown}). Sessions count as independent, so that intervals are "
        "too narrow; N is by session and must not be added up over years."
    )
    return Finding(
        quantity="animals in several sessions",
        value=len(names),
        limit=1,
        verdict="warn" if names else "ok",
        advice=advice if names else "No animal is in two sessions.",
        warning="DataWarning" if names else "",
    )


def mask_findings(problem: Problem, theta: Floats) -> list[Finding]:
    """Whether the mask is wide and fine enough for the posterior of sigma.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    return [_buffer(buffer_effect(problem, theta)), _spacing(problem, theta)]


def _buffer(effect: float) -> Finding:
    narrow = effect > LARGEST_BUFFER_EFFECT
    advice = (
        f"Animals centred beyond the mask would be detected: density is about {100 * effect:.1f} % too high, if there "
        "is habitat beyond its edge. Use a larger buffer."
    )
    return Finding(
        quantity="effect of the buffer on D",
        value=effect,
        limit=LARGEST_BUFFER_EFFECT,
        verdict="warn" if narrow else "ok",
        advice=advice if narrow else "The mask is wide enough.",
        warning="BufferWarning" if narrow else "",
    )


def _spacing(problem: Problem, theta: Floats) -> Finding:
    link = problem.layout["sigma"].link
    sigma = float(link.inverse(np.median(posterior_scales(problem, theta).smallest())))
    spacing = max(spacing_of(mask) for mask in problem.masks.values())
    ratio = spacing / sigma
    words = f"Cells of {spacing:,.0f} m for a sigma of {sigma:,.0f} m"
    advice = {
        "ok": f"{words}: fine enough.",
        "note": f"{words}: at most {SAFE_SPACING * sigma:,.0f} m is safe. Refit with smaller cells to be sure.",
        "warn": f"{words} are too coarse: density is biased. Use cells of at most {SAFE_SPACING * sigma:,.0f} m.",
    }
    verdict: Verdict = "warn" if ratio > COARSEST_SPACING else "note" if ratio > SAFE_SPACING else "ok"
    return Finding(
        quantity="spacing of the mask / sigma",
        value=ratio,
        limit=COARSEST_SPACING,
        verdict=verdict,
        advice=advice[verdict],
        warning="SpacingWarning" if verdict == "warn" else "",
    )


def prior_findings(problem: Problem, theta: Floats, expected: Floats) -> list[Finding]:
    """Whether a prior decides the number of animals.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    expected
        Expected number of animals over all sessions, (S,).
    """
    shifts = prior_shifts(problem, theta, expected)
    if not shifts:
        return []
    label = max(shifts, key=lambda name: shifts[name])
    large = shifts[label] > LARGEST_PRIOR_SHIFT
    words = f"A prior of {label!r} one of its sds away would move log E[N] by {shifts[label]:.2f} posterior sds"
    advice = f"{words}: it is an assumption as much as a result. Say which prior, and show the answer under another."
    return [
        Finding(
            quantity="prior shift",
            value=shifts[label],
            limit=LARGEST_PRIOR_SHIFT,
            verdict="warn" if large else "ok",
            advice=advice if large else f"{words}.",
            warning="PriorWarning" if large else "",
        )
    ]
