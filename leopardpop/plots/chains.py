"""Chains and leave-one-out, drawn by arviz-plots: what the engine did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leopardpop.data.names import did_you_mean
from leopardpop.errors import ModelError
from leopardpop.plots.derived import captioned
from leopardpop.plots.style import describe, panels_of
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.plots.style import Panels

__all__ = ["khat_figure", "ranks_figure", "trace_figure"]

MOST = 8
"""Parameters that are drawn if none is named."""


def trace_figure(fit: Any, parameters: str | Sequence[str] | None = None) -> Panels:
    """Draw each chain and its density; see :meth:`FitPlots.trace`."""
    names = _of_chains(fit, parameters)
    return _drawn(fit, "plot_trace_dist", names, "Draws of each chain in order, and their densities")


def ranks_figure(fit: Any, parameters: str | Sequence[str] | None = None) -> Panels:
    """Draw the ranks of each chain's draws among all; see :meth:`FitPlots.ranks`."""
    names = _of_chains(fit, parameters)
    text = "Ranks of each chain's draws among those of all chains, as differences from uniform ranks, with "
    text += "p of a test that they are uniform and the level α below which they are not"
    return _drawn(fit, "plot_rank", names, text)


def khat_figure(fit: Any) -> Panels:
    """Draw Pareto k of each unit left out; see :meth:`FitPlots.khat`."""
    import arviz_plots

    loo = fit.loo()
    text = f"Pareto k of leave-one-out for {counted(len(loo.pareto_k.values.ravel()), 'unit')}: below 0.7 the draws "
    return _panels(fit, arviz_plots.plot_khat(loo, backend="matplotlib"), text + "answer for the fit without the unit.")


def _of_chains(fit: Any, parameters: str | Sequence[str] | None) -> list[str]:
    """Parameters to draw, of a fit that has chains."""
    if fit.engine != "nuts":
        raise ModelError(
            f"The draws of engine='{fit.engine}' are independent: there is no chain to look at. Its certificate is "
            "Pareto k, in print(fit) and fit.diagnostics(); plot.khat() shows leave-one-out."
        )
    known = [str(name) for name in fit.posterior.data_vars if name != "lp"]
    few = [name for name in known if not name.endswith("_beta")][:MOST]  # the coefficients tell the same again
    asked = few if parameters is None else [parameters] if isinstance(parameters, str) else list(parameters)
    unknown = [name for name in asked if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise ModelError(f"the posterior has no {unknown[0]!r}: it has {', '.join(known)}.{hint}", offenders=unknown)
    return asked


def _drawn(fit: Any, function: str, names: list[str], text: str) -> Panels:
    import arviz_plots

    made = getattr(arviz_plots, function)(fit.data_tree, var_names=names, backend="matplotlib")
    return _panels(fit, made, f"{text}: {', '.join(names)}.")


def _panels(fit: Any, made: Any, text: str) -> Panels:
    """Axes of a figure of arviz-plots, which pyplot need not hold any longer."""
    import matplotlib.pyplot as plt

    figure = made.viz["figure"].item()
    plt.close(figure)
    describe(figure.axes, captioned(fit.history, text), text)
    return panels_of(figure.axes)
