"""The fit of two flanks: N over parameters and matchings, and who is who."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from leopardpop.errors import ModelError
from leopardpop.models.flank_lists import one_flank
from leopardpop.models.flank_problem import FlankProblem
from leopardpop.results.fit import Fit
from leopardpop.results.model_json import model_from_json

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.models.two_flanks import TwoFlanks

__all__ = ["TwoFlankFit"]

COLUMNS = ["mean", "median", "sd", "eti95_lb", "eti95_ub"]
INSTEAD = "Ask it of the fit of one flank, which counts every animal once: fit.one_flank('left')"


class TwoFlankFit(Fit):
    """A posterior of two flanks; made by :meth:`TwoFlanks.fit`, :meth:`TwoFlanks.from_posterior` or :func:`load_fit`.

    All that a :class:`Fit` tells of density, numbers, regions and maps holds here with who is who drawn or averaged
    over. What needs to know which animal a record is of (:meth:`loo`, :meth:`check`, :meth:`sensitivity`) is refused
    and asked of a single flank: :meth:`one_flank`.

    Parameters
    ----------
    data_tree
        The draws and where they came from.
    problem
        The model with its data, if it is at hand.
    laplace
        Result of the engine "laplace", with its raw draws.
    components
        Classes of one's own that the model may be made of.

    Examples
    --------
    >>> import leopardpop as lp
    >>> rows = [("L1", "A", 1, "left"), ("L1", "B", 2, "left"), ("R1", "A", 2, "right"), ("R1", "B", 3, "right")]
    >>> captures = pd.DataFrame(rows, columns=["individual", "station", "occasion", "flank"])
    >>> stations = pd.DataFrame({"station": ["A", "B", "C"], "x": [0, 1500, 3000], "y": [0, 0, 0]})
    >>> history = lp.CaptureHistory.from_tables(captures, stations, occasions=5)
    >>> mask = lp.Mask.around(history, buffer=5_000, spacing=1_000)
    >>> import warnings
    >>> with warnings.catch_warnings():  # two identities at three stations: thin data, as the warnings say
    ...     warnings.simplefilter("ignore")
    ...     fit = lp.TwoFlanks().fit(history, mask, engine="laplace", draws=100, seed=1)
    >>> fit.matches[["left", "right"]].to_numpy().tolist()
    [['L1', 'R1']]
    >>> fit.photographed()[["least", "most"]].to_numpy().tolist()
    [[1, 2]]
    """

    @staticmethod
    def _known_from(problem: Any) -> dict[str, Any]:
        return {"problem": problem, "model": problem.stated, "history": problem.given, "masks": problem.masks}

    @cached_property
    def model(self) -> TwoFlanks:  # type: ignore[override]
        """The model."""
        made: TwoFlanks = model_from_json(str(self._tree.attrs["model_json"]), self._components)
        return made

    @cached_property
    def problem(self) -> FlankProblem:
        """The model with its data, ready to be evaluated."""
        self._need_positions()
        return FlankProblem(self.model.model, self.history, self.masks)

    # -- who is who ---------------------------------------------------------------------------------------------------
    @cached_property
    def matches(self) -> pd.DataFrame:
        """Every pair that may be one animal, the likeliest first: session, left, right, probability."""
        stored, data = self._tree["matches"].to_dataset(), self._tree["observed_data"].to_dataset()
        session = data["session"].values.astype(str)
        of_session = data["individual_session"].values.astype(str)
        names = [data["animal"].values.astype(str)[of_session == label] for label in session]
        rows = zip(
            *(stored[name].values.tolist() for name in ("of_session", "left", "right", "probability")), strict=True
        )
        named = [(str(session[s]), str(names[s][a]), str(names[s][b]), chance) for s, a, b, chance in rows]
        table = pd.DataFrame(named, columns=["session", "left", "right", "probability"])
        return table.sort_values("probability", ascending=False, kind="stable", ignore_index=True)

    def photographed(self) -> pd.DataFrame:
        """Number of different animals in the photographs, by session.

        Returns
        -------
        pandas.DataFrame
            Columns least (as many matched as can be), mean, eti95_lb, eti95_ub, most (none matched).
        """
        rows, problem = {}, self.problem
        for s, (name, lists) in enumerate(zip(problem.given.sessions, problem.lists, strict=True)):
            drawn = lists.first_pair - np.asarray(self.posterior["n_matched"].isel(session=s)).reshape(-1)
            interval = np.quantile(drawn, [0.025, 0.975])
            rows[name] = [problem.fewest[s], drawn.mean(), *interval, lists.first_pair]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["least", "mean", "eti95_lb", "eti95_ub", "most"])
        return table.rename_axis("session")

    def probability(self, lower: float, upper: float) -> float:
        """Pr(lower ≤ N ≤ upper | data), N of the mask over all sessions.

        Parameters
        ----------
        lower, upper
            Numbers of animals, both included.

        Returns
        -------
        float
        """
        total = self.posterior["N"].sum("session")
        return float(((total >= lower) & (total <= upper)).mean())

    def one_flank(self, flank: str, **options: Any) -> Fit:
        """Fit the records of one flank and of both, by which every animal is counted once.

        Parameters
        ----------
        flank
            "left" or "right".
        **options
            Of :meth:`SCR.fit`, such as ``draws``, ``chains`` and ``seed``.

        Returns
        -------
        Fit
            Of the same model of one animal, on the same mask.
        """
        if flank not in ("left", "right"):
            raise ModelError(f'flank={flank!r}: it is "left" or "right".', offenders=[flank])
        return self.model.model.fit(one_flank(self.history, flank), self.masks, **options)

    def compare(self, **options: Any) -> pd.DataFrame:
        """N beside what a single flank tells.

        Parameters
        ----------
        **options
            Of :meth:`SCR.fit`, such as ``draws``, ``chains`` and ``seed``.

        Returns
        -------
        pandas.DataFrame
            N over all sessions; rows "two flanks", "left flank and both", "right flank and both"; columns animals
            (identities used), mean, median, sd, eti95_lb, eti95_ub.
        """
        rows = {"two flanks": [self.history.n_individuals, *_told(self.posterior)]}
        for flank in ("left", "right"):
            fit = self.one_flank(flank, **options)
            rows[f"{flank} flank and both"] = [fit.history.n_individuals, *_told(fit.posterior)]
        return pd.DataFrame.from_dict(rows, orient="index", columns=["animals", *COLUMNS])

    # -- what needs to know the animals -------------------------------------------------------------------------------
    def loo(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse: identities that may be one animal cannot be left out one by one.

        Raises
        ------
        ModelError
            Always; the text says what to do instead.
        """
        raise ModelError(
            "leave-one-out needs animals that are independent given the parameters. Here a left and a right identity "
            "may be one animal, and who is who ties all of them that may be each other's, often the whole survey, so "
            f"that there is no animal to leave out. {INSTEAD}.loo(), or lp.compare of such fits of several models."
        )

    def kfold(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse, for the reason of :meth:`loo`.

        Raises
        ------
        ModelError
            Always.
        """
        self.loo()

    def check(self, **options: Any) -> NoReturn:
        """Refuse: animals and recaptures, which the statistics count, are not known.

        Raises
        ------
        ModelError
            Always; the text says what to do instead.
        """
        raise ModelError(
            "the statistics of check() count animals, their recaptures and their moves, and with two flanks nobody "
            f"knows which identities are one animal. {INSTEAD}.check()."
        )

    def sensitivity(self, **options: Any) -> NoReturn:
        """Refuse: animals cannot be left out one by one.

        Raises
        ------
        ModelError
            Always; the text says what to do instead.
        """
        raise ModelError(
            "sensitivity() leaves out animals and stations one by one, and with two flanks nobody knows which "
            f"identities are one animal; diagnostics() tells how far the priors count. {INSTEAD}.sensitivity()."
        )


def _told(posterior: xr.Dataset) -> list[float]:
    """Mean, median, sd and 95 % interval of N over all sessions."""
    total = np.asarray(posterior["N"].sum("session")).reshape(-1)
    middle, lower, upper = np.quantile(total, [0.5, 0.025, 0.975])
    return [float(total.mean()), float(middle), float(total.std(ddof=1)), float(lower), float(upper)]
