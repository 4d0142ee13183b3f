"""The one place that speaks to the formula library: terms fitted to a table, evaluated again at new rows."""

from __future__ import annotations

import contextlib
import io
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.components.formula_columns import Column, read_columns
from leopardpop.components.formula_syntax import NUMPY_FUNCTIONS, ParsedFormula, call_key
from leopardpop.errors import DataError, ModelError

if TYPE_CHECKING:
    import pandas as pd

    Floats = NDArray[np.float64]

__all__ = ["Atom", "Coding"]


@dataclass(frozen=True)
class Atom:
    """One factor of the product that makes a column: a numeric column or the indicator of a level."""

    label: str
    is_numeric: bool
    reference: float
    """Value with numeric variables at their means and factors at their first levels."""
    scale: float
    """Standard deviation of a numeric column, otherwise 1."""


class Coding:
    """The formula library's terms, fitted to one table, and how their columns are named and ordered."""

    def __init__(self, owner: str, parsed: ParsedFormula, columns: dict[str, Column], rows: str) -> None:
        self.owner = owner
        self.parsed = parsed
        self.columns = columns
        self.rows = rows
        self.factors: dict[str, tuple[str, ...]] = {}

    def fit(self, table: pd.DataFrame) -> tuple[Floats, list[tuple[Atom, ...]]]:
        """Return the columns of the table (intercept first), and of what each is the product."""
        self._terms = self._materialise(read_columns(self.columns, table, self.owner, self.rows))
        for term in self._terms:
            self._collect_factors(term)
        for name, column in self.columns.items():
            if column.levels is not None:  # also a factor inside of I(sex == 'M')
                self.factors.setdefault(name, column.levels)
        # A stable sort on False < True: the intercept is first, the others stay as written.
        self._terms.sort(key=lambda term: len(_components(term)) > 0)
        matrix = self._finite([term.data for term in self._terms], table)
        reference = self._reference_row()
        return matrix, [column for term in self._terms for column in self._atoms(term, reference)]

    def evaluate(self, table: pd.DataFrame) -> Floats:
        """Return the columns at new rows, (rows, P)."""
        data = read_columns(self.columns, table, self.owner, self.rows, new=True)
        with np.errstate(all="ignore"):
            columns = [term.eval_new_data(data) for term in self._terms]
        return self._finite(columns, table)

    def _finite(self, columns: list[Any], table: pd.DataFrame) -> Floats:
        matrix: Floats = np.column_stack(columns).astype(float)
        bad = ~np.isfinite(matrix).all(axis=1)
        if bad.any():
            raise DataError(
                f"{self.owner}: not a finite number on {bad.sum()} of {len(bad)} {self.rows}s (a logarithm of 0?). "
                "Change the formula or the covariate.",
                offenders=list(table.index[bad]),
            )
        return matrix

    def _materialise(self, data: pd.DataFrame) -> list[Any]:
        from formulae import model_description
        from formulae.environment import Environment

        try:
            model = model_description(self.parsed.body)
            # `a/b` and `(a + b)*c` share one object between terms, which then take over each other's coding.
            model.common_terms = [deepcopy(term) for term in model.common_terms]
            # The library prints before it raises; what it says is in the error anyway.
            with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
                model.eval(data, Environment([{"np": _Namespace()}]))
        except Exception as error:
            raise ModelError(f"{self.owner} cannot be evaluated: {error}", offenders=[self.parsed.text]) from error
        if not model.common_terms:
            raise ModelError(f"{self.owner} has no coefficient. For a constant write '~ 1'.")
        return list(model.common_terms)

    def _collect_factors(self, term: Any) -> None:
        for component in _components(term):
            if component.kind == "categoric":
                levels = [str(level) for level in component.levels]
                reference = np.flatnonzero(~component.contrast_matrix.matrix.any(axis=1))
                if len(reference):
                    levels.insert(0, levels.pop(int(reference[0])))
                for name in component.var_names:
                    if name in self.columns and self.columns[name].levels is not None:
                        self.factors.setdefault(name, tuple(levels))

    def _reference_row(self) -> pd.DataFrame:
        """Return one row with numeric variables at their means and factors at their first levels."""
        import pandas as pd

        values = {n: self.factors[n][0] if n in self.factors else c.mean for n, c in self.columns.items()}
        table = pd.DataFrame(values, index=[0])
        return read_columns(self.columns, table, self.owner, self.rows, new=True)

    def _atoms(self, term: Any, reference: pd.DataFrame) -> list[tuple[Atom, ...]]:
        """Tell of what each column of a term is the product; the last component varies fastest."""
        parts = [self._component_atoms(component, reference) for component in _components(term)]
        return list(product(*parts))

    def _component_atoms(self, component: Any, reference: pd.DataFrame) -> list[Atom]:
        values = np.asarray(component.value, float).reshape(len(component.value), -1)
        at_reference = np.asarray(component.eval_new_data(reference), float).reshape(-1)
        name = self.parsed.calls.get(call_key(str(component.name)), str(component.name))
        if component.kind == "categoric":
            labels = [f"{name}[{level}]" for level in component.contrast_matrix.labels]
            return [Atom(label, False, float(r), 1.0) for label, r in zip(labels, at_reference, strict=True)]
        labels = [name] if len(at_reference) == 1 else [f"{name}[{k + 1}]" for k in range(len(at_reference))]
        middle = np.where(np.isfinite(at_reference), at_reference, values.mean(axis=0))
        spread = values.std(axis=0)
        return [Atom(*each) for each in zip(labels, [True] * len(labels), middle, spread, strict=True)]


class _Namespace:
    """What ``np.`` means in a formula."""

    def __getattr__(self, name: str) -> Any:
        if name not in NUMPY_FUNCTIONS:
            raise AttributeError(name)
        return getattr(np, name)


def _components(term: Any) -> list[Any]:
    """Return the components of a term of the formula library; none for the intercept."""
    return list(getattr(term, "components", []))
