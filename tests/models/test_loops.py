"""The pieces that the fast forms are made of, against the formulas that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from leopardpop.data.arrays import SessionArrays
from leopardpop.models.likelihood import compiled, elementary
from leopardpop.models.likelihood.form import group_weights, history_terms, history_void
from leopardpop.models.likelihood.tables import LatticeTables, lattice_of
from leopardpop.models.likelihood.terms import SessionTerms, session_terms


@pytest.mark.parametrize("height", [1e-18, 1e-9, 1.9e-4, 2.1e-4, 0.049, 0.051, 0.299, 0.301, 0.5])
def test_quotient_of_the_logarithm(height: float) -> None:
    """−log(1 − e)/e at every height of a line, also just below and above where series change."""
    lines = np.vstack([np.ones(80), np.exp(-(np.linspace(-6, 6, 80) ** 2))])
    found = np.empty(80)

    @elementary.compiled
    def fill(a: float, lines: np.ndarray, out: np.ndarray) -> None:
        elementary.log_ratios(a, lines, 1, out)

    fill(height, lines, found)
    kernel = height * lines[1]
    np.testing.assert_allclose(found, -np.log1p(-kernel) / kernel, rtol=1e-15)


@pytest.mark.parametrize("effort", [0.5, 1.0, 3.0, 40.0])
@pytest.mark.parametrize("height", [1e-6, 1e-3, 0.01, 0.4])
def test_sums_of_histories_at_proximity_detectors(effort: float, height: float) -> None:
    """Σ weight · ((exp(Tλ) − 1)/(Te))^count · factors of one history over the lattice."""
    rng = np.random.default_rng(3)
    along_x, along_y = height * rng.random((2, 7)), rng.random((2, 9))
    slots = compiled.Slots(
        np.array([0, 1]), np.array([effort, effort]), True, np.array([0, 2]), np.array([0, 1]), np.array([1.0, 14.0])
    )
    weight, factor_x, factor_y = rng.random((1, 7, 9)), rng.random((1, 7)), rng.random((1, 9))
    found = np.empty(1)
    one = np.zeros(1, np.intp)
    compiled.history_sums(along_x, along_y, slots, weight, one, one, factor_x, factor_y, found)
    kernel = along_x[:, :, None] * along_y[:, None, :]
    hazard = -np.log1p(-kernel)
    ratio = np.expm1(effort * hazard) / (effort * kernel)
    expected = (weight[0] * ratio[0] * ratio[1] ** 14 * factor_x[0][:, None] * factor_y[0]).sum()
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)


def multi_terms() -> SessionTerms:
    """Five animals, two of them removed, at three stations over six occasions of two kinds of effort."""
    effort = np.array([[1.0, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2], [1, 1, 1, 0, 0, 0]])
    data = SessionArrays(
        session="1", individuals=tuple("abcde"), stations=("A", "B", "C"), xy=np.array([[0.0, 0], [900, 0], [0, 800]]),
        effort=effort, individual=np.array([0, 0, 1, 2, 3, 3, 3, 4]), station=np.array([0, 1, 2, 1, 0, 0, 1, 1]),
        occasion=np.array([0, 4, 1, 5, 0, 1, 2, 3]), count=np.ones(8, np.int64), exposure=np.array([6, 6, 6, 3, 4]),
        station_covariates=None, individual_covariates=None,
    )  # fmt: skip
    cells = np.column_stack([a.ravel() for a in np.meshgrid(np.arange(4) * 500.0, np.arange(5) * 500.0)])
    return session_terms(data, "multi", cells, np.full(20, 0.25))


def test_weights_of_groups_are_exp_of_their_terms() -> None:
    """Products of powers of exp(−H) and (1 − exp(−H))/H are exp(−t·H + r·H + c·V(H))."""
    terms = multi_terms()
    void = history_void(terms)
    assert len(terms.times) == 2
    assert (void.given_back > 0).any()
    for height in (1e-8, 1.0, 40.0):
        hazards = np.random.default_rng(5).gamma(1.0, 2.0, (2, 20)) * height
        expected = np.exp(history_terms(void, hazards) - terms.times @ hazards)
        np.testing.assert_allclose(group_weights(void, hazards), expected, rtol=1e-11)


def test_tables_are_made_again_for_other_parameters() -> None:
    terms = multi_terms()
    lattice = lattice_of(terms.cells)
    assert lattice is not None
    tables = LatticeTables(lattice, [terms], is_probability=False)
    log_base, precision = np.log(np.full(3, 0.2)), np.full(3, 1e-6)
    first = tables.hazards(log_base, precision, 0)
    assert first.shape == (2, 20)
    np.testing.assert_array_equal(tables.hazards(log_base.copy(), precision, 0), first)
    assert not np.allclose(tables.hazards(log_base, 2 * precision, 0), first)


def test_elementary_functions() -> None:
    """exp, (1 − exp(−h))/h and (exp(x) − 1)/x to the last digits, over all orders of magnitude and at zero."""
    x = np.concatenate([[0.0], 10.0 ** np.linspace(-300, 2.8, 4001)])

    @elementary.compiled
    def fill(values: np.ndarray, out: np.ndarray) -> None:
        for i in range(len(values)):
            out[0, i], out[1, i] = elementary.exp(values[i]), elementary.exp(-values[i])
            out[2, i] = elementary.one_minus_exp(values[i], elementary.exp(-values[i]))
            out[3, i] = elementary.expm1_quotient(values[i])

    found = np.empty((4, len(x)))
    fill(x, found)
    wide = x.astype(np.longdouble)
    safe = np.where(wide == 0, 1, wide)
    quotients = [np.where(wide == 0, 1, -np.expm1(-wide) / safe), np.where(wide == 0, 1, np.expm1(wide) / safe)]
    for row, expected in zip(found, [np.exp(wide), np.exp(-wide), *quotients], strict=True):
        np.testing.assert_allclose(row, expected.astype(float), rtol=2e-15)
    assert found[:, 0].tolist() == [1.0, 1.0, 1.0, 1.0]
