"""Links: inverses of each other, derivatives, tails, and the same line on PyTensor variables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leopardpop.components.link import CLogLog, Identity, Link, Log, Logit, Probit, link
from leopardpop.errors import ModelError

ALL = [CLogLog(), Identity(), Log(), Logit(), Probit()]
OF_PROBABILITIES = [CLogLog(), Logit(), Probit()]
each_link = pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)


@each_link
@settings(deadline=None)
@given(eta=st.floats(-20, 2.5))
def test_forward_undoes_inverse(each: Link, eta: float) -> None:
    assert each.forward(each.inverse(np.array(eta))) == pytest.approx(eta, abs=1e-7)


@each_link
@settings(deadline=None)
@given(eta=st.floats(-15, 4))
def test_derivative_is_that_of_the_inverse(each: Link, eta: float) -> None:
    h = 1e-5
    numeric = (each.inverse(np.array(eta + h)) - each.inverse(np.array(eta - h))) / (2 * h)
    assert each.inverse_derivative(np.array(eta)) == pytest.approx(numeric, rel=1e-6, abs=1e-9)


def test_values_known_by_hand() -> None:
    assert Logit().inverse(np.array([-np.log(3.0), 0.0, np.log(3.0)])) == pytest.approx([0.25, 0.5, 0.75])
    assert CLogLog().inverse(np.array(0.0)) == pytest.approx(1 - np.exp(-1))
    assert Log().inverse(np.array(2.0)) == pytest.approx(np.exp(2.0))


@pytest.mark.parametrize("each", [CLogLog(), Logit()], ids=lambda each: each.name)
def test_small_probabilities_keep_their_digits(each: Link) -> None:
    eta = np.array([-40.0, -300.0])
    assert each.inverse(eta) == pytest.approx(np.exp(eta), rel=1e-14)
    assert each.inverse_derivative(eta) == pytest.approx(np.exp(eta), rel=1e-14)


@each_link
def test_far_values_give_limits_without_warnings(each: Link) -> None:
    far = np.array([-800.0, 800.0])
    limits = {"log": [0, np.inf], "logit": [0, 1], "probit": [0, 1], "cloglog": [0, 1], "identity": [-800, 800]}
    assert list(each.inverse(far)) == limits[each.name]
    assert not np.isnan(each.inverse_derivative(far)).any()


@each_link
def test_the_same_line_serves_pytensor(each: Link) -> None:
    import pytensor
    import pytensor.tensor as pt

    eta = np.array([-30.0, -1.0, 0.0, 0.7, 3.0])
    with pytensor.config.change_flags(mode="FAST_COMPILE", cxx=""):
        variable = pt.dvector()
        for method in (each.inverse, each.inverse_derivative):
            compiled = pytensor.function([variable], method(variable), mode="FAST_COMPILE")
            np.testing.assert_allclose(compiled(eta), method(eta), rtol=1e-12 if each.name == "probit" else 1e-14)


@pytest.mark.parametrize("each", OF_PROBABILITIES, ids=lambda each: each.name)
def test_logarithms_of_a_probability_serve_pytensor(each: Link) -> None:
    import pytensor
    import pytensor.tensor as pt

    eta = np.array([-30.0, -1.0, 0.0, 0.7, 3.0])
    with pytensor.config.change_flags(mode="FAST_COMPILE", cxx=""):
        variable = pt.dvector()
        compiled = pytensor.function([variable], list(each.log_both(variable)), mode="FAST_COMPILE")
        for found, expected in zip(compiled(eta), each.log_both(eta), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("each", OF_PROBABILITIES, ids=lambda each: each.name)
def test_logarithms_of_a_probability_and_their_slopes(each: Link) -> None:
    """Equal to the plain logarithms in the middle, and finite with a finite slope where those are not."""
    eta = np.linspace(-4, 1.2, 9)
    x = each.inverse(eta)
    for found, plain in zip(each.log_both(eta), (np.log(x), np.log1p(-x)), strict=True):
        np.testing.assert_allclose(found, plain, rtol=1e-10)
    np.testing.assert_allclose(each.log_both(eta), [each.log_inverse(eta), each.log_complement(eta)], rtol=1e-14)
    slope = each.inverse_derivative(eta)
    for found, plain in zip(each.log_slopes(eta), (slope / x, -slope / (1 - x)), strict=True):
        np.testing.assert_allclose(found, plain, rtol=1e-9)
    far = np.array([-60.0, -38.5, 6.0])
    assert np.isfinite(each.log_both(far)).all()
    assert np.isfinite(each.log_slopes(far)).all()
    h = 1e-5
    numeric = (np.array(each.log_both(far + h)) - np.array(each.log_both(far - h))) / (2 * h)
    np.testing.assert_allclose(each.log_slopes(far), numeric, rtol=1e-5, atol=1e-9)


def test_lookup_by_name_offers_the_nearest() -> None:
    assert [link(each.name) for each in ALL] == ALL
    with pytest.raises(ModelError, match=r"unknown link 'logti'.*Did you mean 'logit'\?"):
        link("logti")
