"""An occupancy model meets its data: everything the engines ask for, as functions of one flat vector."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.models.layout import Layout, make_layout, pieces_of_effects
from leopardpop.models.prior_terms import PriorTerms
from leopardpop.models.states.forward import (
    Forward,
    Smoothed,
    Transition,
    draw_states,
    forward,
    smooth,
    stationary_law,
)
from leopardpop.models.states.priors import occupancy_priors
from leopardpop.models.states.products import choice_slopes, log_pairs, of_state, product_of, slopes_of, sum_of
from leopardpop.models.states.responses import coded
from leopardpop.models.states.rows import Rows, chosen_rows, distinct_rows, key_columns, make_rows
from leopardpop.models.states.run import Run, SiteLikelihood
from leopardpop.models.states.starts import starting_points
from leopardpop.models.states.structure import Either
from leopardpop.models.states.tables import check_history, designs_of, table_of
from leopardpop.models.states.visits import VisitTerms, visit_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.components.formula import Design
    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.data.occupancy_arrays import OccupancyArrays
    from leopardpop.models.layout import AnyRandomDesign, Effect, Parameter
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.occupancy_model import OccupancyModel
    from leopardpop.models.states.run import Pair

__all__ = ["OccupancyProblem"]

DRAWS_TIMES_ROWS = 65_536


class OccupancyProblem:
    """Likelihood, prior and posterior of an occupancy model for a detection history.

    Parameters
    ----------
    model
        The model.
    history
        The detection history.
    design_only
        Whether the responses will not be looked at, so that any kind of them will do.
    """

    def __init__(self, model: OccupancyModel, history: DetectionHistory, *, design_only: bool = False) -> None:
        self.model, self.history, self.given, self.structure = model, history, history, model.structure
        self.arrays = self._data(design_only)
        self.shape = (len(self.arrays.seasons), len(self.arrays.sites))
        self.layout = self._layout()
        self.lay_rows()
        self.visits = self._visit_terms(design_only)

    def _data(self, design_only: bool) -> OccupancyArrays:
        """The history as arrays, after a look at whether the model is for it."""
        check_history(self.history, self.structure, type(self.model).__name__, any_response=design_only)
        return self.history.arrays()

    def formula(self, name: str) -> str:
        """Formula of a parameter, with all of its random effects."""
        return str(getattr(self.model, name))

    def _layout(self) -> Layout:
        pieces: list[tuple[str, str, str, Design, tuple[int, ...]]] = []
        random: list[tuple[str, str, AnyRandomDesign]] = []
        for name, home in self.structure.homes.items():
            table, rows = table_of(home, self.arrays, self.structure.states)
            design, effects = designs_of(self.formula(name), table, name, rows, priors=self.model.priors)
            link, unit = self.structure.links.get(name, self.model.link), self.structure.units.get(name, "")
            pieces.append((name, link, unit, design, (len(table),)))
            random += [(name, f"{name}_sd_{each.suffix}", each) for each in effects]
        return make_layout(pieces + pieces_of_effects(random, self.model.link), None, random)

    @cached_property
    def parts(self) -> tuple[Parameter, ...]:
        """Parameters with rows at places or visits: all but the sds of random effects."""
        return tuple(p for p in self.layout.parameters if p.name in self.structure.homes)

    def _rows_of_states(self) -> dict[str, Rows]:
        n_seasons, n_sites = self.shape
        before = (n_seasons - 1, n_sites)
        shapes = {"site": (n_sites,), "transition": before, "state": (len(self.structure.states), *before)}
        homes = self.structure.homes
        pairs = {name: pair for pair in self.structure.choices for name in pair}
        return {
            p.name: make_rows(
                p, shapes[homes[p.name]], self.effects_of(p.name), self._keys(pairs.get(p.name, (p.name,)))
            )
            for p in self.parts
            if homes[p.name] != "visit"
        }

    def _keys(self, names: Iterable[str]) -> Floats:
        """Columns by which rows differ in any of some parameters: pairs of a multinomial logit go together."""
        both = [key_columns(self.layout[name], self.effects_of(name)) for name in names]
        return np.column_stack([column for each in both for column in each])

    def _rows_of_visits(self) -> tuple[NDArray[np.intp], dict[str, Rows]]:
        """Kind of each visit, and the design of the kinds: visits with the same rows in all designs of detection."""
        parts = [p for p in self.parts if self.structure.homes[p.name] == "visit"]
        kind, first = distinct_rows(self._keys(p.name for p in parts))
        return kind, {p.name: chosen_rows(p, first, self.effects_of(p.name)) for p in parts}

    def effects_of(self, name: str) -> list[Effect]:
        """Random effects in the formula of a parameter."""
        return [each for each in self.layout.effects if each.parameter == name]

    def with_effects(self, effects: Iterable[Any]) -> OccupancyProblem:
        """The same problem with other random effects in the place of its own: for its likelihood alone."""
        other = copy(self)
        other.layout = replace(self.layout, effects=tuple(effects))
        other.lay_rows()
        return other

    def lay_rows(self) -> None:
        """Find the distinct rows of all designs."""
        self._rows = self._rows_of_states()
        self.kind, self._detection = self._rows_of_visits()

    def _visit_terms(self, design_only: bool) -> VisitTerms:
        data = self.arrays
        return visit_terms(
            cell=data.season * self.shape[1] + data.site,
            kind=self.kind,
            value=coded(self.model, data, nothing=design_only),
            shape=self.shape,
            outcomes=self.structure.outcomes,
            n_kinds=len(next(iter(self._detection.values())).matrix),
        )

    @cached_property
    def priors(self) -> PriorTerms:
        """Priors of all coefficients."""
        made = self.arrays.effort[self.arrays.visited]
        mean = float(np.nanmean(made)) if np.nansum(made) > 0 else 1.0
        return occupancy_priors(self.layout, self.parts, self.model.priors, self.history.effort_unit, mean)

    @property
    def labels(self) -> list[str]:
        """Labels of the coefficients."""
        return self.layout.labels

    @property
    def names(self) -> tuple[str, ...]:
        """Labels of the coefficients, for the engines."""
        return tuple(self.layout.labels)

    @property
    def n_sites(self) -> int:
        """Number of sites, visited or not."""
        return self.shape[1]

    @property
    def places(self) -> tuple[str, ...]:
        """Labels of the sites."""
        return self.arrays.sites

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again on demand (compiled priors do not travel between processes)."""
        return {k: v for k, v in self.__dict__.items() if k != "priors"}

    def predictors(self, theta: Floats, names: Collection[str] = ()) -> dict[str, Floats]:
        """Linear predictor of every parameter, or of some, on its distinct rows, (..., U)."""
        parts = [p for p in self.parts if p.name in names] if names else self.parts
        return {p.name: self._rows_of(p.name).predictor(theta, p.place) for p in parts}

    def _rows_of(self, name: str) -> Rows:
        return self._detection[name] if name in self._detection else self._rows[name]

    def _logs(self, theta: Floats, names: Collection[str] = ()) -> dict[str, Pair]:
        pairs, etas = {}, self.predictors(theta, names)
        for name, pair in log_pairs(self.structure, etas, {n: self.layout[n].link for n in etas}).items():
            rows = self._rows.get(name)
            pairs[name] = pair if rows is None else (rows.spread(pair[0]), rows.spread(pair[1]))
        return pairs

    def evaluate(self, theta: Floats) -> Run:
        """Evaluate all sites at theta (P,), or at a batch (B, P)."""
        theta = np.asarray(theta, float)
        with np.errstate(all="ignore"):
            logs = self._logs(theta)
            emission = [self._emission(k, logs, theta.shape[:-1]) for k in range(len(self.structure.states))]
            return Run(self._forward(logs, emission), logs, emission)

    def evaluate_again(self, theta: Floats, before: Run, names: Collection[str]) -> Floats:
        """log Pr(visits of a site), (..., N), where some parameters of the states differ from those of a run."""
        with np.errstate(all="ignore"):
            return self._forward(before.logs | self._logs(theta, names), before.emission).log_site

    def _forward(self, logs: dict[str, Pair], emission: Sequence[Floats]) -> Forward:
        initial = [product_of(factors, logs) for factors in self.structure.initial]
        return forward(initial, self.transition(logs), emission)

    def _emission(self, state: int, logs: dict[str, Pair], lead: tuple[int, ...]) -> Floats:
        """log Pr(visits | state), (..., T, N)."""
        by_response = [outcome[state] for outcome in self.structure.outcomes]
        if not any(by_response):
            barrier: Floats = self.visits.barrier[state]
            return barrier
        nothing = np.zeros((*lead, self.visits.n_kinds))
        table = [sum_of(outcome, logs) if outcome else nothing for outcome in by_response]
        return self.visits.emission(state, np.concatenate(table, axis=-1))

    def transition(self, logs: dict[str, Pair]) -> Transition:
        """Function (t, before, after) -> log Pr(after | before), (..., N), of the logs of the parameters."""
        known: dict[tuple[int, int], Any] = {}

        def at(t: int, before: int, after: int) -> Floats:
            if (before, after) not in known:
                known[before, after] = self._one_transition(before, after, logs)
            values = known[before, after]
            chosen: Floats = values[..., t if values.shape[-2] > 1 else 0, :]
            return chosen

        return at

    def _one_transition(self, before: int, after: int, logs: dict[str, Pair]) -> Floats:
        factors = self.structure.transitions[before][after]
        own: dict[str, Any] = {name: logs[name] for name, _ in factors}
        for name in own:
            if self.structure.homes[name] == "state":
                own[name] = tuple(of_state(values, before) for values in own[name])
        product: Floats = product_of(factors, own)
        return product

    def log_likelihood(self, theta: Floats) -> float:
        """Log-likelihood with every constant; −inf or nan outside."""
        return float(self.evaluate(theta).forward.log_site.sum())

    def log_likelihood_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log-likelihood and its gradient (P,): Σ of the probability of each event, given the data, times its slope."""
        theta = np.asarray(theta, float)
        run = self.evaluate(theta)
        with np.errstate(all="ignore"):
            smoothed = smooth(run.forward, self.transition(run.logs))
            pull = self._pull(theta, self._events(smoothed, run.logs))
        return float(run.forward.log_site.sum()), pull

    def _events(self, smoothed: Smoothed, logs: dict[str, Pair]) -> dict[str, list[Floats]]:
        """Expected number of successes and failures of every parameter, given the data, on its places or kinds."""
        events = {name: [self._none(name), self._none(name)] for name in self.structure.homes}
        for k, factors in enumerate(self.structure.initial):
            for name, success in factors:
                events[name][success] += smoothed.states[0][k]
        if smoothed.pairs:
            self._add_transitions(events, smoothed)
        for k in range(len(self.structure.states)):
            self._add_visits(events, k, np.stack([season[k] for season in smoothed.states]), logs)
        return events

    def _none(self, name: str) -> Floats:
        return np.zeros(self._rows[name].shape if name in self._rows else self.visits.n_kinds)

    def _add_transitions(self, events: dict[str, list[Floats]], smoothed: Smoothed) -> None:
        for before, row in enumerate(self.structure.transitions):
            for after, factors in enumerate(row):
                pair = np.stack([pairs[before][after] for pairs in smoothed.pairs])
                for name, success in factors:
                    at = before if self.structure.homes[name] == "state" else ...
                    events[name][success][at] += pair

    def _add_visits(
        self, events: dict[str, list[Floats]], state: int, probability: Floats, logs: dict[str, Pair]
    ) -> None:
        by_response = [outcome[state] for outcome in self.structure.outcomes]
        if not any(by_response):
            return
        expected = self.visits.gather(probability, len(by_response))
        for outcome, number in zip(by_response, expected, strict=True):
            ways = outcome.ways if isinstance(outcome, Either) else (outcome or (),)
            for way in ways:
                share = number if len(ways) == 1 else number * np.exp(product_of(way, logs) - sum_of(outcome, logs))  # type: ignore[arg-type]
                for name, success in way:
                    events[name][success] += share

    def _pull(self, theta: Floats, events: dict[str, list[Floats]]) -> Floats:
        """From expected numbers of events to the gradient over theta."""
        gradient, etas = np.zeros(self.layout.size), self.predictors(theta)
        counts = {
            name: both if name not in self._rows else [self._rows[name].gather(e) for e in both]
            for name, both in events.items()
        }
        slopes = {
            name: counts[name][1] * up + counts[name][0] * down
            for name, eta in etas.items()
            for up, down in [slopes_of(self.layout[name].link, eta)]
        }
        for name, slope in (slopes | choice_slopes(self.structure, etas, counts)).items():
            self._rows_of(name).pull(theta, self.layout[name].place, slope, gradient)
        return gradient

    # -- posterior: what an engine calls ------------------------------------------------------------------------------
    def value(self, theta: Floats) -> float:
        """Unnormalised log posterior density of theta."""
        theta = np.asarray(theta, float)
        total = self.log_likelihood(theta) + self.priors.log_density(theta)[0] + self.log_effects(theta)
        return float(total) if np.isfinite(total) else float("-inf")

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Unnormalised log posterior density and its gradient (P,)."""
        theta = np.asarray(theta, float)
        value, gradient = self.log_likelihood_gradient(theta)
        prior, slope = self.priors.log_density(theta)
        gradient = gradient + slope
        prior += self.layout.add_effect_slopes(theta, gradient)
        return value + prior, gradient

    def log_effects(self, theta: Floats) -> Any:
        """log Pr(random effects | their sds) at theta (..., P); 0 without any."""
        return self.layout.log_effects(theta)

    def starts(self) -> list[Floats]:
        """Points to start the search for the mode from, the best first."""
        return starting_points(self)

    def start_level(self, name: str, level: float) -> float:
        """Natural value of a parameter where a search starts: the level of its kind, but that mistakes are rare."""
        return 0.1 * level if name == "p10" else level

    def graph(self, *, kernel: bool = False) -> Any:
        """Build the PyMC model; with ``kernel`` around the likelihood in NumPy, else of elementary operations."""
        from leopardpop.models.states.graph import build_model

        return build_model(self, kernel=kernel)

    # -- what is derived from draws -----------------------------------------------------------------------------------
    def to_beta(self, theta: Floats) -> Floats:
        """Coefficients of the covariates as given, (..., P)."""
        return self.layout.to_beta(theta)

    def to_theta(self, beta: Floats) -> Floats:
        """Coefficients of the standardised covariates, (..., P)."""
        return self.layout.to_theta(beta)

    def pointwise(self, theta: Floats) -> SiteLikelihood:
        """Log-likelihood of each site at theta (..., P); the sum is the log-likelihood."""
        return SiteLikelihood(self.evaluate(theta).forward.log_site)

    def log_posteriors(self, thetas: Floats, pieces: SiteLikelihood) -> Floats:
        """Log posterior of many theta (B, P), of which the likelihood is known in pieces, (B,)."""
        total: Floats = pieces.y.sum(-1) + self.priors.log_densities(thetas) + self.log_effects(thetas)
        return total

    @cached_property
    def batch(self) -> int:
        """Number of draws that are best evaluated together: what fits the cache."""
        return int(np.clip(DRAWS_TIMES_ROWS // max(len(self.visits.slot), self.shape[0] * self.shape[1]), 1, 64))

    def draw_states(self, theta: Floats, rng: np.random.Generator) -> NDArray[np.int8]:
        """Draw the states of all sites and seasons given the data, (..., T, N)."""
        run = self.evaluate(theta)
        with np.errstate(all="ignore"):
            return draw_states(run.forward, self.transition(run.logs), rng)

    def nothing_seen(self, theta: Floats) -> Floats:
        """log Pr(nothing is seen on any visit of a site) at theta (P,), (N,)."""
        unseen = copy(self)
        unseen.visits = self._visit_terms(design_only=True)
        return unseen.evaluate(theta).forward.log_site

    def state_probabilities(self, theta: Floats) -> Floats:
        """Pr(state) of each site and season from the covariates alone, whatever was seen there, (..., K, T, N)."""
        run = self.evaluate(theta)
        states, lead = range(len(self.structure.states)), np.asarray(theta).shape[:-1]
        shape = (*lead, self.n_sites)
        law = [np.broadcast_to(np.exp(product_of(f, run.logs)), shape) for f in self.structure.initial]
        seasons = [law]
        move = self.transition(run.logs)
        for t in range(self.shape[0] - 1):
            law = [sum((law[j] * np.exp(move(t, j, k)) for j in states), np.zeros(shape)) for k in states]
            seasons.append(law)
        return np.stack([np.stack([season[k] for season in seasons], axis=-2) for k in states], axis=-3)

    def stationary(self, theta: Floats) -> Floats:
        """Law of the states of each site in the long run, by the last transitions, (..., K, N)."""
        move = self.transition(self.evaluate(theta).logs)
        shape = (*np.asarray(theta).shape[:-1], self.n_sites)
        states, last = range(len(self.structure.states)), self.shape[0] - 2
        rows = [[np.broadcast_to(np.exp(move(last, j, k)), shape) for k in states] for j in states]
        return stationary_law(np.stack([np.stack(row, axis=-2) for row in rows], axis=-3))
