"""What flanks say of a fit: how many identities may be one animal, and whether a plain model counts some twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.data.names import listed
from leopardpop.models.flank_lists import MOST_PAIRS, flank_lists, knows_flanks, sides
from leopardpop.results.data_checks import finding, history_findings
from leopardpop.words import counted, decimal

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.data.history import CaptureHistory
    from leopardpop.models.flank_problem import FlankProblem
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.results.findings import Finding, Verdict

__all__ = ["flank_findings", "label_findings", "twice_findings"]

IDENTITIES = ("identity", "identities")
NAMES_SIDE = re.compile(r"(?:^|[^a-z])(l|left|r|right)(?:$|[^a-z])", re.IGNORECASE)
FEW = 200
"""Draws that are enough for a mean."""
MOSTLY = 0.5
"""Share of the labels that name a side and must agree with the records, for a label to be taken at its word."""


def twice_findings(history: CaptureHistory) -> list[Finding]:
    """Whether a model without flanks counts some animals twice; nothing where no flank is known.

    Parameters
    ----------
    history
        The history as given.
    """
    if not knows_flanks(history):
        return []
    left, right, twice = 0, 0, 0
    for session in history.sessions:
        _, lefts, rights = sides(history.arrays(session))
        left, right = left + len(lefts), right + len(rights)
        twice += min(len(lefts), len(rights)) if _may_be_one(history, session, len(lefts) * len(rights)) else 0
    known = f"{counted(left, *IDENTITIES)} known from the left flank only and {right} from the right only"
    said: dict[Verdict, str] = {
        "ok": f"{known}: none is counted twice.",
        "warn": (
            f"{known}: as many as {twice} may be the same animals, which this model counts twice, so that N is too "
            "large. Use lp.TwoFlanks(model=...), or one flank: capture_history(flank='left') or 'right'; without "
            "flank= only whole identities count."
        ),
    }
    return [finding("animals counted twice", twice, 1, "warn" if twice else "ok", said, "DataWarning")]


def _may_be_one(history: CaptureHistory, session: str, pairs: int) -> bool:
    """Whether any left identity of a session may be a right one; of very many, surely."""
    return pairs > MOST_PAIRS or (pairs > 0 and len(flank_lists(history[session])[0].pair) > 0)


def label_findings(history: CaptureHistory) -> list[Finding]:
    """Whether the flanks of the records contradict labels such as L03 and R07; nothing where labels name no side.

    Parameters
    ----------
    history
        The history as given.
    """
    found = [_contradicted(history.arrays(session)) for session in history.sessions]
    told = [each for each in found if each is not None]
    if not told:
        return []
    wrong = [label for labels, _ in told for label in labels]
    advice = (
        f"{counted(len(wrong), *IDENTITIES)} named after one flank {'has' if len(wrong) == 1 else 'have'} records of "
        f"the other ({listed(wrong)}): the flank column or the label is wrong. As it stands, the records decide: with "
        "records of both sides such an identity is a whole animal. Correct them."
    )
    if not all(sure for _, sure in told):
        advice += " If L and R in these labels are no flanks, nothing is wrong."
    said: dict[Verdict, str] = {"ok": "The flanks of the records agree with the labels.", "warn": advice}
    return [finding("labels against flanks", len(wrong), 1, "warn" if wrong else "ok", said, "DataWarning")]


def _contradicted(data: SessionArrays) -> tuple[list[str], bool] | None:
    """Identities of which the label says one side and some record the other, and whether labels surely name sides.

    Words do; letters do if both are there and mostly agree with the records, and may do if both are there. None: no
    label names a side.
    """
    named = [NAMES_SIDE.search(label) for label in data.individuals]
    letters = np.array(["" if each is None else each[1][0].lower() for each in named])
    words = np.array([each is not None and len(each[1]) > 1 for each in named], bool)
    shown = _shown(data)
    own, other = np.where(letters == "l", shown[:, 0], shown[:, 1]), np.where(letters == "l", *shown[:, [1, 0]].T)
    told = (letters != "") & ((own > 0) | (other > 0))
    if {"l", "r"} - set(letters[told].tolist()):
        told &= words
    if not told.any():
        return None
    sure = bool(words[told].all() or (own > other)[told].mean() > MOSTLY)
    return [data.individuals[i] for i in np.flatnonzero(told & (other > 0))], sure


def _shown(data: SessionArrays) -> Floats:
    """Records of each identity that show left, right and both, (n, 3)."""
    total = np.zeros((len(data.individuals), 3))
    if data.flanks is not None:
        np.add.at(total, data.individual, data.flanks)
    return total


def flank_findings(problem: FlankProblem, theta: Floats) -> list[Finding]:
    """Whether there is enough to go by, and how many identities may be one animal.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    _, *others = history_findings(problem.given, IDENTITIES)
    return [_identities(problem), _pairs(problem, theta), *label_findings(problem.given), *_linked(problem), *others]


def _identities(problem: FlankProblem) -> Finding:
    whole, left, right = (sum(len(part[i]) for part in problem.lists) for i in range(3))
    n = whole + left + right
    known = f"{counted(whole, 'whole animal')}, {left} left-flank and {right} right-flank identities"
    thin = f"{known}: what is said of density and movement is mostly the priors'."
    said: dict[Verdict, str] = {"ok": f"{known}.", "warn": thin}
    return finding("identities", n, 2, "warn" if n < 2 else "ok", said, "SparseDataWarning")


def _pairs(problem: FlankProblem, theta: Floats) -> Finding:
    """How many pairs are one animal, on average over a few draws."""
    few = theta[:: max(1, len(theta) // FEW)]
    evaluated = zip(problem.flank_sessions, problem.evaluate_many(few), strict=True)
    matched = sum(s.matchings(row).probability().sum() for s, e in evaluated for row in e.log_history) / len(few)
    most = sum(part.first_pair for part in problem.lists) - problem.n_animals
    text = (
        f"{decimal(matched, 1)} of at most {counted(most, 'pair')} of a left and a right identity are expected to be "
    )
    return finding("pairs", float(matched), most, "ok", {"ok": f"{text}one animal."})


def _linked(problem: FlankProblem) -> list[Finding]:
    """Identities that show left and right, but never both at once."""
    shown = np.concatenate([_shown(problem.given.arrays(session)) for session in problem.given.sessions])
    n = int(((shown[:, 0] > 0) & (shown[:, 1] > 0) & (shown[:, 2] == 0)).sum())
    advice = (
        f"{counted(n, *IDENTITIES)} {'shows' if n == 1 else 'show'} left and right on different records and never both "
        "at once. Each is taken for a whole animal, which is right if its flanks were linked by other photographs."
    )
    said: dict[Verdict, str] = {"note": advice}
    return [finding("identities linked elsewhere", n, 1, "note", said)] if n else []
