"""Misread identities: animals detected once are left out, and how many of them there should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.errors import DataError, ModelError
from leopardpop.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leopardpop.data.arrays import SessionArrays
    from leopardpop.data.history import CaptureHistory
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.models.scr import SCR
    from leopardpop.models.units import Units

__all__ = ["check_ghosts", "check_naive", "expected_singles", "singles", "without_singles"]


def check_ghosts(model: SCR) -> None:
    """Check what can be checked of ``ghosts`` without data.

    Raises
    ------
    ModelError
        If it is neither True nor False, or with counts in bursts.
    """
    if not isinstance(model.ghosts, bool):
        raise ModelError(f"ghosts={model.ghosts!r}: it is True (animals detected once are left out) or False")
    if model.ghosts and model.counts == "negbin":
        raise ModelError(
            'ghosts=True with counts="negbin": photographs of one burst are no evidence that an identity was read '
            'twice. Make one event of them: a history with detector="proximity", or independence="1h".'
        )


def check_naive(model: SCR, units: Sequence[Units]) -> None:
    """Refuse a response to capture where animals detected once are left out.

    Raises
    ------
    ModelError
        If a formula has ``b``, ``bk``, ``B`` or ``Bk``.
    """
    if model.ghosts and any(each.experience is not None for each in units):
        raise ModelError(
            "ghosts=True with a response to capture (b, bk, B, Bk): both are told by how many animals are detected "
            "once, so they cannot be told apart. Fit one at a time and compare."
        )


def singles(data: SessionArrays) -> NDArray[np.bool_]:
    """Whether each animal was detected once, (n,)."""
    events = np.bincount(data.individual, weights=data.count, minlength=len(data.individuals))
    return np.asarray(events < 2)


def without_singles(model: SCR, history: CaptureHistory) -> CaptureHistory:
    """The history without animals that were detected once.

    Raises
    ------
    DataError
        If one of them was removed: it could not be detected again.
    """
    from leopardpop.data.history_subset import of_animals

    arrays = {session: history.arrays(session) for session in history.sessions}
    once = {session: singles(data) for session, data in arrays.items()}
    for session, data in arrays.items():
        lost = once[session] & (data.exposure < data.effort.shape[1])
        if lost.any():
            name = data.individuals[int(lost.argmax())]
            raise DataError(
                f"ghosts=True: animal {name!r} was removed at its only detection"
                f"{f' in session {session}' if len(arrays) > 1 else ''}, and {counted(int(lost.sum()), 'animal')} in "
                "all. An animal that cannot be detected again says nothing of misread identities: use ghosts=False.",
                offenders=[data.individuals[i] for i in np.flatnonzero(lost)],
            )
    return of_animals(history, {session: ~alone for session, alone in once.items()})


def expected_singles(problem: Problem, theta: Floats) -> Floats:
    """Expected number of animals detected once by session, Σ_x D a p_1, (S,), at theta (P,).

    Parameters
    ----------
    problem
        Of a model with ``ghosts=True``.
    theta
        Coefficients.
    """
    result = []
    for session, evaluation in zip(problem.sessions, problem.evaluate(theta), strict=True):
        share = np.exp(evaluation.log_share)
        pairs = zip(share, evaluation.forwards, strict=True)
        result.append(sum(float(p * (evaluation.intensity * session.form.once(f)).sum()) for p, f in pairs))
    return np.array(result)
