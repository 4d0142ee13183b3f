"""``fit.plot`` of a community: its species side by side, and what every fit has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.data.names import did_you_mean
from leopardpop.errors import ModelError
from leopardpop.plots.derived import captioned
from leopardpop.plots.effects import WORDS, effect_figure
from leopardpop.plots.shared import SHARED, SharedPlots
from leopardpop.plots.style import COLUMN, INK, PALETTE, SOFT, describe, new_axes, plain, styled
from leopardpop.results.community_species import reference_values
from leopardpop.words import counted, rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.results.community_fit import CommunityFit

__all__ = ["CommunityPlots"]

ROW = 4.2
"""Height of a species, mm."""


class CommunityPlots(SharedPlots):
    """Figures of a community, as ``fit.plot``.

    Each returns the axes that it drew on; ``axes.figure`` has ``savefig``, ``caption`` and ``alt_text``.

    Parameters
    ----------
    fit
        The fit.

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables({f"species {k}": np.ones((30, 4)) for k in range(6)})
    >>> truth = {"psi": 0.5, "p": 0.4, "psi_sd_species": 1.0, "p_sd_species": 0.3}
    >>> sim = lp.CommunityOccupancy().simulate(design, parameters=truth, seed=1)
    >>> lp.CommunityOccupancy().fit(sim.history, seed=1).plot.species("p").get_xlabel()
    'Pr(seen on a visit), p'
    """

    _fit: CommunityFit

    def species(self, parameter: str = "psi", coefficient: str | None = None, ax: Any = None) -> Axes:
        """Draw a parameter or a coefficient of each species, and the community's: median and 95 % interval.

        Parameters
        ----------
        parameter
            ``"psi"`` or ``"p"``, at the reference of the covariates.
        coefficient
            A coefficient of it, such as ``"snow"``, on the link scale; None: the parameter on its natural scale.
        ax
            Axes to draw on; None: a new figure.

        Returns
        -------
        matplotlib Axes
        """
        return species_figure(self._fit, parameter, coefficient, ax=ax)

    def effect(
        self,
        parameter: str,
        variable: str,
        ax: Any = None,
        *,
        species: str | None = None,
        at: Mapping[str, Any] | None = None,
        span: tuple[float, float] | None = None,
    ) -> Axes:
        """Draw a parameter along one covariate, of the community's middle or of one species.

        Parameters
        ----------
        parameter, variable, species, at, span
            As for :meth:`CommunityFit.effect`.
        ax
            Axes to draw on; None: a new figure.

        Returns
        -------
        matplotlib Axes
        """
        return effect_figure(self._fit, parameter, variable, at=at, span=span, ax=ax, species=species)

    def __repr__(self) -> str:
        """Name the figures."""
        return f"Figures: species(parameter, coefficient), {SHARED}"


@styled
def species_figure(fit: CommunityFit, parameter: str, coefficient: str | None, *, ax: Any) -> Axes:
    """Draw a forest of the species; see :meth:`CommunityPlots.species`."""
    _check(parameter, list(fit.problem.structure.homes), "parameter")
    draws, middle, label = _draws(fit, parameter, coefficient)
    order = np.argsort(np.median(draws, axis=0))
    names = [plain(fit.problem.species[k]) for k in order]
    axes: Axes = new_axes(ax, width=COLUMN, height=ROW * (len(names) + 1) + 16)[0]
    ends = np.quantile(draws[:, order], [0.5, 0.025, 0.975], axis=0)
    place = np.arange(len(names))
    axes.hlines(place, ends[1], ends[2], color=PALETTE[0])
    axes.plot(ends[0], place, "o", color=PALETTE[0], markersize=3.5)
    median, lower, upper = np.quantile(middle, [0.5, 0.025, 0.975])
    axes.axvspan(lower, upper, color=PALETTE[1], alpha=0.25, linewidth=0)
    axes.axvline(median, color=PALETTE[1])
    if coefficient is not None:
        axes.axvline(0.0, color=SOFT, linewidth=0.6, linestyle=(0, (1, 2)))
    else:
        axes.set_xlim(0, 1)
    axes.set_yticks(place, names, color=INK)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlabel(label)
    text = f"{label} of {counted(len(names), 'species', 'species')}, at the reference of the covariates: median and "
    text += "95 % interval. Band: a species in the middle of the community. Species lend to each other, so that those "
    text += "that were hardly seen lie near the band. "
    alt = f"{label}: {names[0]} {rounded(float(ends[0, 0]))} to {names[-1]} {rounded(float(ends[0, -1]))}."
    describe(axes, captioned(fit.history, text), alt)
    return axes


def _draws(fit: CommunityFit, parameter: str, coefficient: str | None) -> tuple[Any, Any, str]:
    """Draws of the species (S, K) and of the community's middle (S,), and what they are."""
    if coefficient is None:
        known = fit.problem.layout[parameter]
        row = known.reference_grid()[1][0]
        theta = np.asarray(fit.theta, float).reshape(-1, fit.theta.shape[-1])
        middle = np.asarray(known.link.inverse(known.to_beta(theta) @ row))
        return reference_values(fit, parameter), middle, WORDS.get(parameter, parameter)
    array = fit.coefficients()[f"{parameter}_beta"]
    names = array[f"{parameter}_coef"].values.tolist()
    _check(coefficient, names, f"coefficient of {parameter}")
    values = array.values[..., names.index(coefficient)].reshape(-1, array.sizes["species"])
    mean = fit.posterior[f"{parameter}_beta"]
    own = mean[f"{parameter}_coef"].values.tolist()
    centre = mean.values[..., own.index(coefficient)].ravel() if coefficient in own else np.zeros(len(values))
    return values, centre, f"{parameter}: {plain(coefficient)}, {mean.attrs.get('link', 'link')} scale"


def _check(name: str, known: list[str], what: str) -> None:
    if name not in known:
        raise ModelError(
            f"species: there is no {what} {name!r}.{did_you_mean(name, known)} There are {', '.join(known)}.",
            offenders=[name],
        )
