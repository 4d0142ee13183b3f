"""What the data and the mask say of a fit before any engine has its word: findings with plain advice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.components.classes import Mixture
from leopardpop.data.names import listed
from leopardpop.data.sexes import SEXES, is_sex
from leopardpop.models.tables import class_codes
from leopardpop.results.findings import Finding, Verdict
from leopardpop.results.mask_reach import (
    buffer_effect,
    posterior_scales,
    spacing_of,
    sufficient_buffer,
    two_figures_up,
)
from leopardpop.results.prior_shift import prior_shifts
from leopardpop.words import counted, decimal, joined, percent, whole

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["class_findings", "finding", "history_findings", "mask_findings", "mixture_findings", "prior_findings"]

FEWEST_RECAPTURES = 20
FEWEST_AT_TWO_STATIONS = 5
FEWEST_SPATIAL = 3
LARGEST_BUFFER_EFFECT = 0.01
LARGEST_TOLD_EFFECT = 1.0
"""Density twice as high as it should be: what is missing beyond the mask is as much as what is in it."""
LOOSE_SIGMA = 0.7
"""Upper limit of sigma over its median, log: at twice the median a buffer for it would be anything."""
COARSEST_SPACING, SAFE_SPACING = 1.0, 0.6
LARGEST_PRIOR_SHIFT = 0.25
SMALLEST_SHARE, LARGEST_COLLAPSED = 0.05, 0.1
ALIKE, LARGEST_ALIKE = 0.22, 0.25
"""Difference of two classes on the scale of the link, a factor of 1.25; share of the draws below it."""


def history_findings(history: CaptureHistory, nouns: tuple[str, str] = ("animal", "animals")) -> list[Finding]:
    """Whether there are enough animals and recaptures, and whether sessions share animals.

    Parameters
    ----------
    history
        The history.
    nouns
        What an individual of it is called: one, and several.
    """
    general = [_animals(history), _recaptures(history), _at_two_stations(history, nouns), _spatial(history, nouns)]
    return general if len(history.sessions) < 2 else [*general, _empty(history), _shared(history), *_sexes(history)]


def finding(
    quantity: str, value: float, limit: float, verdict: Verdict, said: Mapping[Verdict, str], warning: str = ""
) -> Finding:
    """One finding; ``said`` has a sentence for each verdict that it can have, ``warning`` is issued from "warn" on."""
    issued = warning if verdict in ("warn", "fail") else ""
    return Finding(quantity=quantity, value=value, limit=limit, verdict=verdict, advice=said[verdict], warning=issued)


def _animals(history: CaptureHistory) -> Finding:
    n = history.n_individuals
    thin = (
        "One animal was detected: what is said of density and movement is mostly the priors'."
        if n
        else "No animal was detected: the posterior is that of the priors, thinned by the effort that found none."
    )
    said: dict[Verdict, str] = {"ok": f"{counted(n, 'animal')} were detected.", "warn": thin}
    return finding("animals", n, 2, "warn" if n < 2 else "ok", said, "SparseDataWarning")


def _recaptures(history: CaptureHistory) -> Finding:
    n = history.n_recaptures
    known = counted(n, "recapture")
    said: dict[Verdict, str] = {
        "ok": f"{known}.",
        "warn": f"{known}, fewer than {FEWEST_RECAPTURES}: detection is poorly known, and the priors count.",
    }
    verdict: Verdict = "warn" if n < FEWEST_RECAPTURES else "ok"
    return finding("recaptures", n, FEWEST_RECAPTURES, verdict, said, "SparseDataWarning")


def _at_two_stations(history: CaptureHistory, nouns: tuple[str, str]) -> Finding:
    n = history.n_multi_station_individuals
    known = f"{counted(n, *nouns)} {'was' if n == 1 else 'were'} at two stations or more"
    advice = (
        f"{known}, fewer than {FEWEST_AT_TWO_STATIONS}: sigma, and with it density, rests on the prior. Stations "
        "closer together, or more effort, would help."
    )
    said: dict[Verdict, str] = {"ok": f"{known}.", "warn": advice}
    verdict: Verdict = "warn" if n < FEWEST_AT_TWO_STATIONS else "ok"
    return finding("animals at two or more stations", n, FEWEST_AT_TWO_STATIONS, verdict, said, "SparseDataWarning")


def _spatial(history: CaptureHistory, nouns: tuple[str, str]) -> Finding:
    n = history.n_spatial_recaptures
    known = counted(n, "spatial recapture")
    few = (
        f"{known}: the posterior may have more than one mode, which Pareto k does not see. Compare with engine='nuts'."
    )
    said: dict[Verdict, str] = {"ok": f"{known}, {counted(history.n_individuals, *nouns)}.", "note": few}
    return finding("spatial recaptures", n, FEWEST_SPATIAL, "note" if n < FEWEST_SPATIAL else "ok", said)


def _empty(history: CaptureHistory) -> Finding:
    """Sessions without an animal."""
    seen = set(history.individuals["session"])
    names = [session for session in history.sessions if session not in seen]
    advice = (
        f"No animal was detected in {len(names)} of {len(history.sessions)} sessions ({', '.join(names)}): N there "
        "rests on the effort that found none, and on what the formulas share with other sessions, else on the priors."
    )
    said: dict[Verdict, str] = {"ok": "Animals were detected in every session.", "note": advice}
    return finding("sessions without animals", len(names), 1, "note" if names else "ok", said)


def _shared(history: CaptureHistory) -> Finding:
    """Animals of the same label in several sessions."""
    labels = history.individuals.groupby("individual")["session"].nunique()
    names = [str(label) for label in labels.index[labels > 1]]
    shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
    advice = (
        f"{counted(len(names), 'animal')} {'is' if len(names) == 1 else 'are'} in several sessions ({shown}). Sessions "
        "count as independent, so that intervals are too narrow; N is by session and must not be added up over years."
    )
    said: dict[Verdict, str] = {"ok": "No animal is in two sessions.", "warn": advice}
    return finding("animals in several sessions", len(names), 1, "warn" if names else "ok", said, "DataWarning")


def _sexes(history: CaptureHistory) -> list[Finding]:
    """Animals of one label that are a female in one session and a male in another; nothing without sexes."""
    column = next((str(name) for name in history.individuals if is_sex(str(name))), None)
    if column is None:
        return []
    known = history.individuals[history.individuals[column].isin(SEXES)].groupby("individual")[column].nunique()
    names = [str(label) for label in known.index[known > 1]]
    advice = (
        f"{listed(names, 3)} {'is' if len(names) == 1 else 'are'} F in one session and M in another: one of the sexes, "
        "or the label, is wrong. Correct it, or leave the sex of these animals empty."
    )
    said: dict[Verdict, str] = {"ok": "No animal changes its sex between sessions.", "warn": advice}
    return [finding("animals of two sexes", len(names), 1, "warn" if names else "ok", said, "DataWarning")]


def class_findings(problem: Problem) -> list[Finding]:
    """Whether there are animals of every class; nothing without classes.

    Parameters
    ----------
    problem
        The model with its data.
    """
    if not isinstance(problem.model.classes, str):  # nobody knows the members of latent classes
        return []
    codes = np.concatenate([class_codes(data, problem.column, problem.levels) for data in problem.data])
    known = np.bincount(codes[codes >= 0], minlength=len(problem.levels))
    empty = [name for name, n in zip(problem.levels, known, strict=True) if not n]
    tally = joined([f"{n} {name}" for name, n in zip(problem.levels, known, strict=True)])
    advice = (
        f"No detected animal is known to be {' or '.join(empty)} by {problem.column}: how many of them there are, and "
        "how they are detected, rests on the priors."
    )
    strange = [name for name in problem.levels if is_sex(problem.column or "") and name not in SEXES]
    if strange and not empty:
        advice = (
            f"Animals by {problem.column}: {tally}. Beside F and M there {'is' if len(strange) == 1 else 'are'} "
            f"{joined(strange)}: if it means that nobody knows, leave these cells empty."
        )
    said: dict[Verdict, str] = {"ok": f"Animals by {problem.column}: {tally}.", "warn": advice}
    verdict: Verdict = "warn" if empty or strange else "ok"
    return [finding("animals of the rarest class", int(known.min()), 1, verdict, said, "SparseDataWarning")]


def mixture_findings(problem: Problem, theta: Floats) -> list[Finding]:
    """Whether the data tell latent classes apart; nothing without them.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    if not isinstance(problem.model.classes, Mixture) or problem.layout.shares is None:
        return []
    first, second = np.exp(problem.layout.shares.log_shares(theta)).T
    collapsed = float((np.minimum(first, second) < SMALLEST_SHARE).mean())
    advice = (
        f"One class of the mixture has less than {percent(SMALLEST_SHARE)} of the animals in {percent(collapsed)} of "
        "the draws: the data hardly tell two classes, and what is said of the smaller one rests on the priors. "
        "Compare with the model without classes."
    )
    said: dict[Verdict, str] = {"ok": "Both classes of the mixture have animals in them.", "warn": advice}
    verdict: Verdict = "warn" if collapsed > LARGEST_COLLAPSED else "ok"
    alone = finding("draws with one class only", collapsed, LARGEST_COLLAPSED, verdict, said, "SparseDataWarning")
    return [alone, _alike(problem, theta)]


def _alike(problem: Problem, theta: Floats) -> Finding:
    """Whether the classes of a mixture are detected alike: then the data show no heterogeneity."""
    apart = np.zeros(len(theta))
    for parameter in problem.layout.parts[1:]:  # all but density
        for rows in parameter.predictor(theta):
            first, second = np.split(rows, 2, axis=-1)
            apart = np.maximum(apart, np.abs(second - first).max(-1, initial=0.0))
    alike = float((apart < ALIKE).mean())
    advice = (
        f"In {percent(alike)} of the draws both classes of the mixture are detected alike, within a quarter: the data "
        "show hardly any heterogeneity beyond what the priors put in. Compare with the model without classes."
    )
    said: dict[Verdict, str] = {"ok": "The classes of the mixture are told apart.", "note": advice}
    verdict: Verdict = "note" if alike > LARGEST_ALIKE else "ok"
    return finding("draws with classes alike", alike, LARGEST_ALIKE, verdict, said)


def mask_findings(problem: Problem, theta: Floats) -> list[Finding]:
    """Whether the mask is wide and fine enough for the posterior of sigma.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    effect, scales = buffer_effect(problem, theta), posterior_scales(problem, theta)
    loose = max(scales.looseness(s) for s in range(len(problem.data))) > LOOSE_SIGMA
    wide = effect > LARGEST_BUFFER_EFFECT and not (loose and effect > LARGEST_TOLD_EFFECT)
    enough = two_figures_up(sufficient_buffer(problem, theta, LARGEST_BUFFER_EFFECT)) if wide else None
    return [_buffer(effect, enough), _spacing(problem, theta)]


def _buffer(effect: float, enough: float | None) -> Finding:
    """Whether the mask is wide enough; ``enough`` is the buffer that would be, m, None if none would."""
    verdict: Verdict = "warn" if effect > LARGEST_BUFFER_EFFECT else "ok"
    said: dict[Verdict, str] = {"ok": "The mask is wide enough.", "warn": _too_narrow(effect, enough)}
    return finding("effect of the buffer on D", effect, LARGEST_BUFFER_EFFECT, verdict, said, "BufferWarning")


def _too_narrow(effect: float, enough: float | None) -> str:
    """What a narrow mask does; with hardly any data sigma may be anything, and a percentage would say nothing."""
    if enough is None:
        return (
            "These data hardly bound sigma: at the upper end of its interval most animals that could be detected would "
            "live beyond the mask, and density would be far too high. A larger buffer alone does not mend that: more "
            "spatial recaptures would, or a prior of sigma that says more."
        )
    size = f"{decimal(100 * effect, 1)} %" if effect < 0.1 else percent(effect)
    much = f"as much as {size}" if effect < LARGEST_TOLD_EFFECT else "more than 100 %"
    return (
        f"Animals centred beyond the mask would be detected: density may be {much} too high, if there is habitat "
        f"beyond its edge and sigma is at the upper end of its interval. Use a buffer of {whole(enough)} m."
    )


def _spacing(problem: Problem, theta: Floats) -> Finding:
    link = problem.layout["sigma"].link
    sigma = float(link.inverse(np.median(posterior_scales(problem, theta).smallest()))) / problem.stretch
    spacing = max(spacing_of(mask) for mask in problem.masks.values())
    ratio = spacing / sigma
    words = f"Cells of {whole(spacing)} m for a sigma of {whole(sigma)} m"
    said: dict[Verdict, str] = {
        "ok": f"{words}: fine enough.",
        "note": f"{words}: at most {whole(SAFE_SPACING * sigma)} m is safe. Refit with smaller cells to be sure.",
        "warn": f"{words} are too coarse: density is biased. Use cells of at most {whole(SAFE_SPACING * sigma)} m.",
    }
    verdict: Verdict = "warn" if ratio > COARSEST_SPACING else "note" if ratio > SAFE_SPACING else "ok"
    return finding("spacing of the mask / sigma", ratio, COARSEST_SPACING, verdict, said, "SpacingWarning")


def prior_findings(problem: Problem, theta: Floats, expected: Floats) -> list[Finding]:
    """Whether a prior decides the number of animals.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    expected
        Expected number of animals by session, (S, sessions).
    """
    shifts = prior_shifts(problem, theta, expected)
    if not shifts:
        return []
    label, (size, session) = max(shifts.items(), key=lambda item: item[1].size)
    where = f" of session {problem.history.sessions[session]}" if expected.shape[-1] > 1 else ""
    moved = (
        f"Moving the prior of {label!r} by one of its sds would move log E[N]{where} by {decimal(size)} posterior sds"
    )
    advice = f"{moved}: it is an assumption as much as a result. Say which prior, and show the answer under another."
    verdict: Verdict = "warn" if size > LARGEST_PRIOR_SHIFT else "ok"
    said: dict[Verdict, str] = {"ok": f"{moved}.", "warn": advice}
    return [finding("prior shift", size, LARGEST_PRIOR_SHIFT, verdict, said, "PriorWarning")]
