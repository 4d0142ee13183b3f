"""The map of density shows the surface, hatched where it is extrapolated, coarse where positions are secret."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from matplotlib.patches import PathPatch

from leopardpop.plots.derived import surface_of
from tests.results import made


def image(ax) -> np.ndarray:
    (found,) = [each for each in ax.get_images() if isinstance(each, AxesImage)]
    return np.ma.filled(np.ma.asarray(found.get_array(), float), np.nan)


def test_the_panels_are_mean_and_variation_per_100_km2():
    fit = made.fit("snow")
    mean, cv = fit.plot.density()
    surface = surface_of(fit)
    assert np.sort(image(mean)[np.isfinite(image(mean))]) == pytest.approx(np.sort(100 * surface["D_mean"].values))
    assert np.nanmax(image(cv)) == pytest.approx(100 * float(surface["D_cv"].max()))
    labels = {ax.get_xlabel() for ax in mean.figure.axes}
    assert {"Animals per 100 km²", "Coefficient of variation (%)"} <= labels


def test_exceedance_is_a_third_panel():
    axes = made.fit("snow").plot.density(exceeds=0.5)
    assert len(axes) == 3
    assert 0 <= np.nanmin(image(axes[2])) <= np.nanmax(image(axes[2])) <= 1
    assert "P(more than 50 per 100 km²)" in {ax.get_xlabel() for ax in axes.figure.axes}


def test_cells_far_from_cameras_are_hatched():
    fit = made.fit("snow")
    far = int((surface_of(fit)["pdot"] < 0.1).sum())
    (patch,) = [each for each in fit.plot.density()[0].patches if isinstance(each, PathPatch) and each.get_hatch()]
    assert far > 0
    assert len(patch.get_path().to_polygons()) == far


def test_stations_are_dots_and_the_corner_has_n():
    ax = made.fit("snow").plot.density()[0]
    (dots,) = [each for each in ax.collections if isinstance(each, PathCollection)]
    assert len(dots.get_offsets()) == 25
    middle = float(np.median(made.fit("snow").population().realised))
    (corner,) = [text.get_text() for text in ax.texts if text.get_text().startswith("N = ")]
    assert corner.startswith(f"N = {middle:.0f} (")


def test_a_constant_density_has_a_scale_and_says_so():
    ax = made.fit("null").plot.density()[0]
    assert "one colour" in ax.figure.caption
    low, high = ax.get_images()[0].get_clim()
    assert low == 0
    assert high == pytest.approx(2 * np.nanmax(image(ax)))


def test_rows_share_a_scale_and_sessions_have_their_own_density():
    axes = made.fit("years").plot.density()
    first, second = axes[0].get_images()[0], axes[2].get_images()[0]
    assert first.get_clim() == second.get_clim()
    assert np.nanmax(image(axes[0])) != pytest.approx(np.nanmax(image(axes[2])))


def test_a_coarse_map_keeps_the_mean_and_hides_the_stations():
    fit = made.fit("snow")
    block = 5_000.0
    axes = fit.plot.density(block=block)
    assert not [each for each in axes[0].collections if isinstance(each, PathCollection)]
    assert not [each for each in axes[0].patches if isinstance(each, PathPatch) and each.get_hatch()]
    mask, mean = fit.masks["1"], 100 * surface_of(fit)["D_mean"].values
    squares = np.floor(np.column_stack([mask.x, mask.y]) / block)
    keys, at = np.unique(squares, axis=0, return_inverse=True)
    expected = [mean[at.reshape(-1) == k].mean() for k in range(len(keys))]
    assert np.sort(image(axes[0])[np.isfinite(image(axes[0]))]) == pytest.approx(np.sort(expected))
    assert "stations are left out" in axes.figure.caption


def test_what_figures_share_is_worked_out_once():
    fit = made.fit("snow")
    assert surface_of(fit) is surface_of(fit)
