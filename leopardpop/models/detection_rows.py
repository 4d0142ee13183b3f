"""The detection formulas of a model on their rows: class x station, and x occasion and x state where they vary so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.components.formula import build_design
from leopardpop.components.random_effects import build_random, formula_names
from leopardpop.errors import ModelError
from leopardpop.models.behaviour import FLAGS, make_states
from leopardpop.models.grouping import check_groups
from leopardpop.models.states.rows import EffectRows
from leopardpop.models.tables import detection_table, station_columns, visit_table
from leopardpop.models.units import Units, all_units, plain_units

if TYPE_CHECKING:
    from leopardpop.components.detection import DetectionParameter
    from leopardpop.components.formula import Design
    from leopardpop.components.random_effects import RandomDesign
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.layout import Parameter
    from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["DetectionRows", "Rows"]

OCCASION_NAMES = ("occasion", "trend")


@dataclass(frozen=True, eq=False)
class Rows:
    """One parameter's design, and where the row of an animal, station and occasion is in it."""

    design: Design
    random: tuple[RandomDesign, ...]
    n_states: int
    """States that the formula tells apart, 1 or all of the model."""
    place: list[Ints]
    """By session: number of each station x occasion among its pairs, (K, S); -1 where there is none."""
    start: list[int]
    """First row of each session, and the number of rows."""
    n_classes: int

    @property
    def keys(self) -> Floats:
        """Columns by which rows differ."""
        random = [np.column_stack([each.level, each.value]) for each in self.random]
        return np.column_stack([self.design.matrix, *random])

    def at(self, session: int, code: Any, station: Any, occasion: Any, state: Any) -> Ints:
        """Rows of classes, stations, occasions and states that broadcast against each other."""
        pair = self.place[session][station, occasion]
        n_pairs = int(self.place[session].max(initial=-1)) + 1
        within = (np.asarray(code) * n_pairs + pair) * self.n_states + (state if self.n_states > 1 else 0)
        result: Ints = self.start[session] + within
        return result


class DetectionRows:
    """Designs of all detection parameters, and the units that they make of the stations.

    Parameters
    ----------
    parameters
        What the detection function declares.
    data
        The sessions.
    column, levels
        Column of the classes and their levels.
    detector
        Of the history.

    Raises
    ------
    ModelError
        For a formula that cannot be read or asks for what there is not, behaviour with one occasion included.
    """

    def __init__(
        self,
        parameters: Sequence[DetectionParameter],
        data: list[SessionArrays],
        column: str | None,
        levels: tuple[str, ...],
        detector: str,
    ) -> None:
        self.data, self.column, self.levels = data, column, levels
        taken = station_columns(data)
        named = {p.name: formula_names(p.formula, p.name) - taken for p in parameters}
        flags = tuple(name for name in FLAGS if any(name in names for names in named.values()))
        self.states = make_states(flags)
        for p in parameters:
            _check_occasions(p, named[p.name] & set(FLAGS), data)
        self.by_parameter = {p.name: self._rows(p, named[p.name]) for p in parameters}
        self.units = [self._units(s, detector) for s in range(len(data))]

    def _rows(self, parameter: DetectionParameter, named: set[str]) -> Rows:
        by_visit = bool(named & visit_names(self.data))
        states = self.states if named & set(FLAGS) else make_states(())
        if not by_visit and states.number == 1:
            table, kind = detection_table(self.data, self.column, self.levels), "station"
        else:
            table = visit_table(self.data, self.column, self.levels, states, by_visit=by_visit)
            kind = "station-occasion" if by_visit else "station"
        fixed, random = build_random(parameter.formula, table, parameter=parameter.name, rows=kind)
        design = build_design(fixed, table, parameter=parameter.name, rows=kind)
        check_groups(parameter.name, design, random)
        place = [_places(data, by_visit=by_visit) for data in self.data]
        sizes = [len(self.levels) * (int(p.max(initial=-1)) + 1) * states.number for p in place]
        start = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        return Rows(design, random, states.number, place, start, len(self.levels))

    def _units(self, s: int, detector: str) -> Units:
        data = self.data[s]
        if all(rows.n_states == 1 and _constant(rows.place[s]) for rows in self.by_parameter.values()):
            return plain_units(data)
        shape = (self.states.number, *data.effort.shape)
        state, station, occasion = np.nonzero(np.broadcast_to(data.effort > 0, shape))
        code = np.zeros(len(state), np.intp)
        for rows in self.by_parameter.values():
            _, alike = np.unique(rows.keys, axis=0, return_inverse=True)
            alike = alike.reshape(-1)
            for c in range(len(self.levels)):
                key = code * (int(alike.max()) + 1) + alike[rows.at(s, c, station, occasion, state)]
                code = np.unique(key, return_inverse=True)[1].reshape(-1)
        kind = np.full(shape, -1, np.intp)
        kind[state, station, occasion] = code
        return all_units(data, kind, self.states, detector)

    def of_units(self, name: str) -> tuple[Design, tuple[RandomDesign, ...]]:
        """Design of a parameter on class x unit of all sessions, and its random effects there."""
        rows = self.by_parameter[name]
        classes = np.arange(len(self.levels))[:, None]
        at = np.concatenate([rows.at(s, classes, *u.example).reshape(-1) for s, u in enumerate(self.units)])
        return replace(rows.design, matrix=rows.design.matrix[at]), tuple(each.chosen(at) for each in rows.random)

    def natural(self, parameter: Parameter, theta: Floats) -> Floats:
        """Natural-scale value of a parameter on all rows of its own table, those of no unit included."""
        rows = self.by_parameter[parameter.name]
        pairs = zip(parameter.random, rows.random, strict=True)
        random = tuple(EffectRows(on_units.effects, own.level, own.value) for on_units, own in pairs)
        everywhere = replace(parameter, design=rows.design, random=random)
        values: Floats = parameter.link.inverse(everywhere.predictor_of_rows(theta))
        return values

    @property
    def varies(self) -> bool:
        """Whether detection varies by occasion or with what happened to the animal before."""
        return any(units.arrays is not data for units, data in zip(self.units, self.data, strict=True))


def visit_names(data: list[SessionArrays]) -> set[str]:
    """Names that vary by occasion."""
    return {*OCCASION_NAMES, *(name for d in data for name in (*d.occasion_covariates, *d.visit_covariates))}


def _places(data: SessionArrays, *, by_visit: bool) -> Ints:
    """Number of each station x occasion among the pairs of the table."""
    if not by_visit:
        return np.repeat(np.arange(len(data.stations))[:, None], data.effort.shape[1], axis=1)
    place = np.full(data.effort.shape, -1, np.intp)
    on = data.effort > 0
    place[on] = np.arange(on.sum())
    return place


def _constant(place: Ints) -> bool:
    """Whether the rows do not vary by occasion."""
    return bool((place == place[:, :1]).all())


def _check_occasions(parameter: DetectionParameter, flags: set[str], data: list[SessionArrays]) -> None:
    """Refuse behaviour where nothing tells which capture came first."""
    if flags and all(d.effort.shape[1] == 1 for d in data):
        name = sorted(flags)[0]
        raise ModelError(
            f"formula {parameter.formula!r} of {parameter.name!r}: {name!r} asks whether an animal was captured on an "
            "earlier occasion, and the history has one occasion (perhaps its occasions were added up). Give the "
            f"captures by occasion, such as survey.capture_history(occasion='7D'), or leave {name!r} out.",
            offenders=sorted(flags),
        )
