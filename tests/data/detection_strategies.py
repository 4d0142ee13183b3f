"""Random detection histories for Hypothesis."""

from __future__ import annotations

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from leopardpop.data.detection_history import DetectionHistory
from tests.data.history_strategies import labels, metres, words

# Names that no history and no reader gives another meaning; a point before a number means something in unmarked.
names = st.sampled_from(["snow", "Elev (m)", "d.water", "größe", 'say "hi"', "a,b", "tod", "Wind", "F", "habitat;x"])
DIMS = {"site": ("site",), "season": ("site", "season"), "visit": ("site", "season", "visit")}
HIGHEST = {"binary": 1, "state": 2, "count": 40}


def column(draw: st.DrawFn, shape: list[int], elements: st.SearchStrategy) -> np.ndarray:
    n = int(np.prod(shape))
    return np.array(draw(st.lists(elements, min_size=n, max_size=n)), dtype=None).reshape(shape)


@st.composite
def detection_histories(draw: st.DrawFn, *, several_species: bool = True) -> DetectionHistory:
    sizes = {"site": draw(st.integers(1, 4)), "season": draw(st.integers(1, 3)), "visit": draw(st.integers(1, 4))}
    response = draw(st.sampled_from(sorted(HIGHEST)))
    unique = {dim: draw(st.lists(labels, min_size=n, max_size=n, unique=True)) for dim, n in sizes.items()}
    unique.pop("visit")
    dims = DIMS["visit"]
    if several_species and draw(st.booleans()):
        dims = ("species", *dims)
        sizes["species"] = draw(st.integers(1, 3))
        unique["species"] = draw(st.lists(labels, min_size=sizes["species"], max_size=sizes["species"], unique=True))
    seen = st.integers(0, HIGHEST[response]).map(float)
    y = column(draw, [sizes[dim] for dim in dims], st.one_of(seen, st.just(np.nan)))
    y.flat[0] = draw(seen)
    data = {"y": (dims, y)}
    if draw(st.booleans()):
        effort = column(draw, [sizes[dim] for dim in DIMS["visit"]], st.sampled_from([1.0, 2.5, 1 / 3, np.nan]))
        made = ~np.isnan(y) if y.ndim == 3 else ~np.isnan(y).all(axis=0)
        data["effort"] = (DIMS["visit"], np.where(made, effort, 0.0))
    coords = dict(unique)
    if draw(st.booleans()):
        coords |= {axis: ("site", column(draw, [sizes["site"]], metres)) for axis in ("easting", "northing")}
    for name in draw(st.lists(names, max_size=4, unique=True)):
        home = DIMS[draw(st.sampled_from(sorted(DIMS)))]
        numbers = st.floats(allow_nan=True, allow_infinity=False, allow_subnormal=False)
        values = column(
            draw, [sizes[dim] for dim in home], draw(st.sampled_from([numbers, st.one_of(words, st.just(""))]))
        )
        (data if "visit" in home else coords)[name] = (home, values)
    attributes = {"response": response, "effort_unit": draw(st.sampled_from(["occasion", "day"])), "crs": ""}
    return DetectionHistory(xr.Dataset(data, coords=coords, attrs=attributes))
