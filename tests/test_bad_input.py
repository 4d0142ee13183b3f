"""Bad input, from end to end: each mistake of a field team gets a sentence that says what, where and what to do.

Only the public interface is used. A message is checked by the words that a person needs in it: the place (row, line,
station, session), what was found there, and the way out.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp

WEST, SOUTH, GAP = 512_000.0, 4_812_000.0, 1_500.0
TRUTH = {"D": 0.7, "lambda0": 0.25, "sigma": 1_000.0}
STATIONS = pd.DataFrame(
    [(f"L{i}{j}", WEST + GAP * i, SOUTH + GAP * j) for i in range(4) for j in range(4)], columns=["station", "x", "y"]
)
CAPTURES = pd.DataFrame(
    {"individual": ["F1", "F1", "M1", "M1"], "station": ["L00", "L01", "L22", "L22"], "occasion": [1, 2, 1, 3]}
)
SEXES = pd.DataFrame({"individual": ["F1", "M1"], "sex": ["F", "M"]})
EFFORT = STATIONS[["station"]].assign(**{"1": 7.0, "2": 7.0, "3": 7.0})


def history(**changes: Any) -> lp.CaptureHistory:
    tables = {"captures": CAPTURES, "stations": STATIONS, "occasions": 3, "effort_unit": "day"}
    return lp.CaptureHistory.from_tables(**(tables | changes))


def refused(kind: type[Exception], call: Any, *words: str) -> Any:
    """Check that a call fails with a message that has all the words; return the error."""
    with pytest.raises(kind) as caught:
        call()
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{missing} not in: {caught.value}"
    return caught.value


def refused_tables(*words: str, **changes: Any) -> Any:
    return refused(lp.errors.DataError, lambda: history(**changes), *words)


def told(call: Any) -> tuple[Any, dict[str, str]]:
    """Result of a call, and the warnings of this library by class."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    strange = [w for w in caught if not issubclass(w.category, lp.errors.LeopardpopWarning)]
    assert not strange, [str(w.message) for w in strange]
    assert all(w.filename == __file__ for w in caught), "a warning must point at the user's line"
    return result, {w.category.__name__: str(w.message) for w in caught}


@cache
def mask(buffer: float = 4_000, spacing: float = 700) -> lp.Mask:
    return lp.Mask.around(history(), buffer=buffer, spacing=spacing)


@cache
def simulated() -> lp.CaptureHistory:
    design = history(captures=None, occasions=8)
    return lp.SCR().simulate(design, mask(), parameters=TRUTH, seed=5).history


def fit(data: lp.CaptureHistory, on: Any = None, model: lp.SCR | None = None) -> lp.Fit:
    return (model or lp.SCR()).fit(data, mask() if on is None else on, seed=1, draws=100)


def parameters(model: lp.SCR, data: lp.CaptureHistory | None = None, on: Any = None) -> pd.DataFrame:
    return model.parameters(history() if data is None else data, mask() if on is None else on)


# -- names that do not exist ------------------------------------------------------------------------------------------
def test_unknown_station_in_captures():
    captures = CAPTURES.assign(station=["L00", "l22", "L22", "L22"])
    words = "captures row 1", "'l22'", "not in the station table", "Did you mean 'L22'?"
    error = refused_tables(*words, captures=captures)
    assert error.offenders["station"].tolist() == ["l22"]


def test_unknown_session_in_captures():
    captures = CAPTURES.assign(session=["2022", "2022", "2022", "2032"])
    stations = pd.concat([STATIONS.assign(session="2022"), STATIONS.assign(session="2023")])
    error = refused_tables("captures row 3", "'2032'", "Did you mean", captures=captures, stations=stations)
    assert error.offenders["session"].tolist() == ["2032"]


def test_unknown_session_of_a_history():
    refused(lp.errors.DataError, lambda: history()["2022"], "'2022'", "sessions are '1'")


def test_duplicate_stations():
    twice = pd.concat([STATIONS, STATIONS.iloc[[5]]], ignore_index=True)
    error = refused_tables("'L11'", "more than once", "2 rows", stations=twice)
    assert error.offenders["line"].tolist() == [5, 16]


def test_missing_column():
    named = CAPTURES.rename(columns={"individual": "Individuals"})
    error = refused_tables(
        "captures has no column 'individual'", "columns={'captures': {'Individuals': 'individual'}}", captures=named
    )
    assert error.offenders == ["individual"]


# -- effort -----------------------------------------------------------------------------------------------------------
OFF = EFFORT.assign(**{"2": [7.0, 0.0] + [7.0] * 14})


def test_detection_where_effort_is_0():
    error = refused_tables(
        "station 'L01'", "1 detection", "first: 2, captures row 1", 'on_zero_effort="drop"', effort=OFF, occasions=None
    )
    assert error.offenders["individual"].tolist() == ["F1"]


@pytest.mark.parametrize(("choice", "n", "action"), [("drop", 3, "dropped"), ("keep", 4, "kept")])
def test_detection_where_effort_is_0_by_choice(choice, n, action):
    kept, said = told(lambda: history(effort=OFF, occasions=None, on_zero_effort=choice))
    assert kept.n_detections == n
    assert "history.audit has the rows" in said["DataWarning"]
    row = kept.audit.iloc[0]
    assert (row["source"], row["line"], row["action"]) == ("captures", 1, action)
    assert "effort is 0" in row["reason"]
    least = kept.effort.set_index(["station", "occasion"]).loc[("L01", "2"), "effort"]
    assert least == (7.0 if choice == "keep" else 0.0)


def test_station_that_was_never_on():
    never = EFFORT.assign(**dict.fromkeys("123", [7.0] * 15 + [0.0]))
    made, said = told(lambda: history(effort=never, occasions=None))
    assert "1 station never on" in said["DataWarning"]
    assert "'L33'" in said["DataWarning"]
    assert made.n_stations == 16
    rest = history(effort=never.iloc[:15], stations=STATIONS.iloc[:15], occasions=None)
    both = [lp.SCR().log_likelihood(each, mask(), parameters=TRUTH) for each in (made, rest)]
    assert both[0] == pytest.approx(both[1], abs=1e-9)


# -- numbers ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("value", "found"), [(np.nan, "missing"), ("north", "'north'"), (np.inf, "'inf'")])
def test_coordinates_that_are_no_numbers(value, found):
    stations = STATIONS.astype({"y": object})
    stations.loc[3, "y"] = value
    error = refused_tables("stations row 3", f"y is {found}", "number is needed", stations=stations)
    assert error.offenders["station"].tolist() == ["L03"]


def test_negative_coordinates_are_places():
    shifted = STATIONS.assign(x=STATIONS["x"] - 600_000)
    assert history(stations=shifted).stations["x"].max() < 0


@pytest.mark.parametrize(("value", "found"), [(-1, "'-1'"), (np.nan, "missing"), ("off", "'off'")])
def test_effort_that_is_no_effort(value, found):
    effort = EFFORT.astype({"2": object})
    effort.loc[1, "2"] = value
    refused_tables("effort row 1", "occasion '2'", found, effort=effort, occasions=None)


@pytest.mark.parametrize(
    ("value", "found"), [(-2, "'-2'"), (0, "'0'"), (1.5, "'1.5'"), (np.nan, "missing"), ("x", "'x'")]
)
def test_counts_that_count_nothing(value, found):
    captures = CAPTURES.assign(count=pd.Series([1, 1, value, 1], dtype=object))
    error = refused_tables("captures row 2", f"count is {found}", "whole number", captures=captures, detector="count")
    assert error.offenders["individual"].tolist() == ["M1"]


def test_coordinates_that_look_like_degrees():
    degrees = STATIONS.assign(x=131 + (STATIONS["x"] - WEST) / 80_000, y=43 + (STATIONS["y"] - SOUTH) / 111_000)
    refused_tables("degrees", "Project", stations=degrees)
    refused_tables("degree", stations=STATIONS, crs="EPSG:4326")


# -- detectors --------------------------------------------------------------------------------------------------------
def test_repeats_on_a_proximity_detector():
    often = pd.concat([CAPTURES, *[CAPTURES.iloc[[2]]] * 25], ignore_index=True)
    error = refused_tables("25 repeated rows", "captures row 2", "'M1'", "detector='count'?", captures=often)
    assert error.offenders["individual"].tolist() == ["M1"]
    assert history(captures=often, detector="count").n_detections == 29


def test_count_above_1_on_a_proximity_detector():
    refused_tables("count is 3", "captures row 1", "detector='count'?", captures=CAPTURES.assign(count=[1, 3, 1, 1]))


def test_two_stations_in_an_occasion_on_a_multi_detector():
    captures = CAPTURES.assign(occasion=[1, 1, 1, 3])
    error = refused_tables(
        "captures row 1", "'F1'", "'L00'", "'L01'", "detector='proximity'", captures=captures, detector="multi"
    )
    assert error.offenders["line"].tolist() == [1]


def test_unknown_detector():
    refused_tables("detector='counts'", "Did you mean 'count'?", detector="counts")


# -- few animals ------------------------------------------------------------------------------------------------------
def test_no_captures_at_all_give_a_posterior():
    design = history(captures=None)
    empty, said = told(lambda: fit(design))
    assert "No animal was detected" in said["SparseDataWarning"]
    assert "prior" in said["PriorWarning"]
    assert empty.trusted
    table = empty.summary()
    assert np.isfinite(table[["mean", "sd", "eti95_lb", "eti95_ub"]].to_numpy()).all()
    assert (empty.posterior["N"] >= 0).all()
    tenfold = history(captures=None, effort=EFFORT.assign(**dict.fromkeys("123", 700.0)), occasions=None)
    lp_prior = {"lambda0": lp.Prior("LogNormal", mu=np.log(0.05), sigma=0.3)}
    few, many = (told(lambda data=data: fit(data, model=lp.SCR(priors=lp_prior)))[0] for data in (design, tenfold))
    assert many.summary().loc["D", "median"] < few.summary().loc["D", "median"]
    refused(lp.errors.ModelError, empty.loo, "no animal was detected")
    assert empty.activity_centres().sizes["individual"] == 0


def test_no_effort_at_all_leaves_the_prior():
    off = EFFORT.assign(**dict.fromkeys("123", 0.0))
    data, said = told(lambda: history(captures=None, effort=off, occasions=None))
    assert "16 stations never on" in said["DataWarning"]
    prior = lp.Prior("LogNormal", mu=-1.0, sigma=0.5)
    empty, said = told(lambda: fit(data, model=lp.SCR(priors={"D": prior})))
    assert {"SparseDataWarning", "PriorWarning"} <= set(said)
    density = np.log(empty.posterior["D"].values)
    assert density.mean() == pytest.approx(-1.0, abs=0.1)
    assert density.std() == pytest.approx(0.5, rel=0.15)


def test_no_captures_have_no_maximum_likelihood():
    design = history(captures=None)
    refused(lp.errors.FitError, lambda: lp.SCR().maximum_likelihood(design, mask()), "No animal was detected", "fit(")


def test_one_animal_only():
    one, said = told(lambda: fit(history(captures=CAPTURES.iloc[:2])))
    assert "One animal was detected" in said["SparseDataWarning"]
    assert one.trusted
    assert (one.posterior["N"] >= 1).all()


def test_a_session_without_captures_among_others():
    both = pd.concat([STATIONS.assign(session="2022"), STATIONS.assign(session="2023")], ignore_index=True)
    captures = simulated().detections.drop(columns="count").assign(session="2022")
    data = history(captures=captures, stations=both, occasions=8)
    assert data.sessions == ("2022", "2023")
    result, said = told(lambda: fit(data, model=lp.SCR(density="~ session")))
    assert "SparseDataWarning" not in said
    table = result.diagnostics().set_index("quantity").loc["sessions without animals"]
    assert (table["value"], table["verdict"]) == (1, "note")
    assert "2023" in table["advice"]
    density = result.posterior["D"].mean(["chain", "draw"])
    assert float(density.sel(session="2023")) < 0.3 * float(density.sel(session="2022"))


# -- masks ------------------------------------------------------------------------------------------------------------
def test_stations_outside_the_mask():
    cells = mask().table
    west = lp.Mask.from_table(cells[cells["x"] < WEST + 2_500])
    _, said = told(lambda: fit(simulated(), west))
    assert "8 stations lie outside the mask: L20" in said["DataWarning"]
    assert "density is biased" in said["DataWarning"]


def test_all_stations_outside_the_mask():
    elsewhere = lp.Mask.from_table(mask().table.assign(x=mask().x + 100_000))
    error = refused(lp.errors.DataError, lambda: fit(history(), elsewhere), "All 16 stations", "mask", "same system")
    assert len(error.offenders) == 16


def test_a_buffer_that_is_too_small():
    _, said = told(lambda: fit(simulated(), mask(1_200, 600)))
    assert set(said) == {"BufferWarning"}
    assert "% too high" in said["BufferWarning"]
    assert "Use a buffer of " in said["BufferWarning"]


def test_a_mask_that_is_too_coarse():
    _, said = told(lambda: fit(simulated(), mask(5_000, 2_500)))
    assert "Cells of 2,500 m" in said["SpacingWarning"]
    assert "at most" in said["SpacingWarning"]


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ({"buffer": -1.0, "spacing": 500}, ["buffer=-1.0", "metres"]),
        ({"buffer": np.nan, "spacing": 500}, ["buffer=nan"]),
        ({"buffer": "4000", "spacing": 500}, ["buffer='4000'"]),
        ({"buffer": 500, "spacing": 4_000}, ["spacing=4000 m is larger than buffer=500 m"]),
    ],
)
def test_lengths_of_a_mask(lengths, words):
    refused(lp.errors.DataError, lambda: lp.Mask.around(history(), **lengths), *words)


def test_a_mask_in_another_unit():
    refused(lp.errors.DataError, lambda: lp.Mask.from_table(mask().table[["x", "y"]], cell_area=49), "overlap", "ha")
    refused(lp.errors.DataError, lambda: lp.Mask.from_table(mask().table[["x", "y"]]), "cell_area=", "km²")


def test_a_habitat_that_is_elsewhere():
    import shapely

    there = shapely.box(0, 0, 10_000, 10_000)
    around = {"buffer": 4_000, "spacing": 700}
    refused(lp.errors.DataError, lambda: lp.Mask.around(history(), habitat=there, **around), "No cell", "x 0 to 10000")
    refused(lp.errors.DataError, lambda: lp.Mask.around(history(), habitat="habtat.gpkg", **around), "habtat.gpkg")


def test_masks_by_session():
    both = pd.concat([STATIONS.assign(session="2022"), STATIONS.assign(session="2023")], ignore_index=True)
    data = history(captures=None, stations=both)
    one = {"2022": mask()}
    error = refused(lp.errors.DataError, lambda: parameters(lp.SCR(), data, one), "differ: no mask for '2023'. The")
    assert error.offenders == ["2023"]
    typo = {"2022": mask(), "2032": mask()}
    words = "no mask for '2023' and no session for '2032'."
    refused(lp.errors.DataError, lambda: parameters(lp.SCR(), data, typo), words)


def test_what_is_no_mask_or_no_history():
    refused(lp.errors.DataError, lambda: lp.SCR().fit(mask(), history()), "history is a Mask", "CaptureHistory")
    refused(lp.errors.DataError, lambda: lp.SCR().fit(history(), STATIONS), "mask is a DataFrame", "lp.Mask.around")
    refused(lp.errors.DataError, lambda: lp.SCR().fit(history(), {"1": None}), "mask is a NoneType")


# -- covariates and formulas ------------------------------------------------------------------------------------------
def test_a_covariate_missing_on_a_cell():
    snow = np.where(np.arange(mask().n_cells) == 7, np.nan, mask().x / 1000)
    words = ["'snow' is missing on 1 of", f"({mask().x[7]:.0f}, {mask().y[7]:.0f})", 'missing="keep"']
    error = refused(lp.errors.DataError, lambda: mask().with_covariates(snow=snow), *words)
    assert error.offenders == [7]
    kept = mask().with_covariates(missing="keep", snow=snow)
    error = refused(
        lp.errors.DataError, lambda: parameters(lp.SCR(density="~ snow"), on=kept), "'~ snow' of 'D'", "cells (7)"
    )
    assert error.offenders == [7]


@pytest.mark.parametrize("values", [[1.0, np.nan] * 8, ["dirt", None] * 8])
def test_a_covariate_missing_on_a_station(values):
    stations = STATIONS.assign(road=values)
    data = history(stations=stations, individuals=SEXES)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ road + sex"), classes="sex")
    error = refused(
        lp.errors.DataError, lambda: parameters(model, data), "'road'", "of 'lambda0'", "8 of 16 stations", "L01, L03"
    )
    assert error.offenders == STATIONS["station"].tolist()[1::2]


def test_a_covariate_missing_on_a_station_of_a_session():
    both = pd.concat([STATIONS.assign(session="2022"), STATIONS.assign(session="2023")], ignore_index=True)
    both["road"] = [*range(16), None, *range(15)]
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ road"))
    refused(
        lp.errors.DataError, lambda: parameters(model, history(captures=None, stations=both)), "1 of 32", "(2023/L00)"
    )


def test_an_unknown_name_in_a_formula():
    snow = mask().with_covariates(snow=lambda x, y: x / 1000)
    for model in (lp.SCR(density="~ snwo"), lp.SCR(density="~ 1 + x:snwo")):
        error = refused(
            lp.errors.ModelError, lambda model=model: parameters(model, on=snow), "'snwo'", "Did you mean 'snow'?"
        )
        assert error.offenders == ["snwo"]


def test_a_name_that_belongs_to_another_table():
    data = history(individuals=SEXES, stations=STATIONS.assign(road=np.arange(16.0)))
    by_sex = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"))
    refused(lp.errors.ModelError, lambda: parameters(by_sex, data), "'sex' is a column of the individuals", "classes=")
    refused(lp.errors.ModelError, lambda: parameters(lp.SCR(density="~ sex"), data), "'sex'", "individuals", "pmix")
    refused(lp.errors.ModelError, lambda: parameters(lp.SCR(density="~ road"), data), "'road'", "with_covariates")


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("snow", ['Write "~ snow"']),
        ("", ['Write "~ 1"']),
        ("~ x +", ["position 5", "missing behind"]),
        ("~ log(x", ["'(' was never closed"]),
        ("y ~ x", ["nothing may stand left", '"~ x"']),
        ("~ 0", ["no coefficient", "'~ 1'"]),
        ("~ 1 + (1 | x)", ["measurement", "covariate"]),
        ("~ frobnicate(x)", ["frobnicate"]),
    ],
)
def test_a_wrong_formula(formula, words):
    refused(lp.errors.ModelError, lambda: parameters(lp.SCR(density=formula)), "'D'", *words)
    refused(lp.errors.ModelError, lambda: parameters(lp.SCR(detection=lp.HalfNormal(sigma=formula))), "'sigma'")


def test_a_formula_without_a_difference():
    same = mask().with_covariates(snow=lambda x, y: 0 * x + 3, zone=["a"] * mask().n_cells)
    everywhere = f"same value on all {mask().n_cells} cells"
    refused(lp.errors.ModelError, lambda: parameters(lp.SCR(density="~ snow"), on=same), "snow", everywhere)
    refused(lp.errors.ModelError, lambda: parameters(lp.SCR(density="~ zone"), on=same), "'zone' is 'a' on all")
    double = mask().with_covariates(east=lambda x, y: x / 1000)
    refused(lp.errors.ModelError, lambda: parameters(lp.SCR(density="~ x + east"), on=double), "cannot be told apart")


def test_classes_that_cannot_be():
    model = lp.SCR(classes="sexx")
    error = refused(
        lp.errors.ModelError, lambda: parameters(model, history(individuals=SEXES)), "'sexx'", "Did you mean 'sex'?"
    )
    assert error.offenders == ["sexx"]
    model = lp.SCR(classes="sex")
    refused(lp.errors.ModelError, lambda: parameters(model), "no such column", "individuals table")
    model = lp.SCR(classes="group")  # of sexes it is known that there are two
    only = history(individuals=SEXES.assign(group="A"))
    refused(lp.errors.ModelError, lambda: parameters(model, only), "1 level", "(A)", "at least two")
    blank = history(individuals=SEXES.assign(group=None))
    refused(lp.errors.ModelError, lambda: parameters(model, blank), "all are missing")
    refused(lp.errors.ModelError, lambda: parameters(model, history(captures=None)), "no animal was detected")


def test_classes_that_are_numbers_are_labels():
    data = history(individuals=SEXES.assign(sex=[0, 1]))
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    assert parameters(model, data)["coefficient"].tolist()[-2:] == ["sex[1]", "1"]


@pytest.mark.parametrize(("made", "name", "words"), [
    (lp.HalfNormal, "sgma", ["HalfNormal has no parameter 'sgma'", "'lambda0', 'sigma'", "Did you mean 'sigma'?"]),
    (lp.ProbabilityHalfNormal, "lambda0", ["no parameter 'lambda0'", "'g0', 'sigma'"]),
    (lp.HazardRate, "zz", ["Did you mean 'z'?"]),
])  # fmt: skip
def test_a_parameter_that_a_detection_function_does_not_have(made, name, words):
    error = refused(lp.errors.ModelError, lambda: made(**{name: "~ 1"}), *words)
    assert error.offenders == [name]


# -- models -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"density": 1}, ["density=1", "formula"]),
        ({"detection": "HalfNormal"}, ["lp.HalfNormal()"]),
        ({"detection": lp.HalfNormal}, ["lp.HalfNormal()"]),
        ({"classes": ["sex"]}, ["column of the individuals"]),
        ({"distribution": "binominal"}, ["binominal", "poisson"]),
    ],
)
def test_parts_that_do_not_make_a_model(arguments, words):
    refused(lp.errors.ModelError, lambda: lp.SCR(**arguments), *words)


@dataclass(frozen=True, kw_only=True)
class Rising(lp.DetectionFunction):
    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, sigma):
        return np.log(lambda0) + d2 / sigma**2


@dataclass(frozen=True, kw_only=True)
class NoLog(lp.DetectionFunction):
    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, sigma):
        return lambda0 * np.exp(-d2 / (2 * sigma**2))


@dataclass(frozen=True, kw_only=True)
class FlatTail(lp.DetectionFunction):
    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, sigma):
        return np.log(lambda0) - d2 / (d2 + sigma**2)


@dataclass(frozen=True, kw_only=True)
class WrongUnit(lp.DetectionFunction):
    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, sigma):
        return np.log(lambda0) - d2 / (1000.0 * sigma)


@dataclass(frozen=True, kw_only=True)
class Underflows(lp.DetectionFunction):
    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, sigma):
        with np.errstate(divide="ignore"):
            return np.log(lambda0 * np.exp(-d2 / (2 * sigma**2)))


@dataclass(frozen=True, kw_only=True)
class WithoutScale(lp.DetectionFunction):
    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    reach: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, reach):
        return np.log(lambda0) - d2 / reach**2


@dataclass(frozen=True, kw_only=True)
class WithShape(lp.DetectionFunction):
    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")
    w: str = lp.parameter("~ 1", link="log")

    def log_hazard(self, d2, lambda0, sigma, w):
        return np.log(lambda0) - (d2 / sigma**2) ** w


def test_detection_functions_of_ones_own_that_cannot_be():
    refused(lp.errors.ModelError, lambda: lp.testing.check_detection(Rising()), "Rising", "rises with distance")
    refused(lp.errors.ModelError, lambda: lp.testing.check_detection(NoLog()), "twice the lambda0 adds", "log 2")
    refused(lp.errors.ModelError, lambda: lp.testing.check_detection(FlatTail()), "falls by 1 only", "everywhere")
    refused(lp.errors.ModelError, lambda: lp.testing.check_detection(WrongUnit()), "sigma are counted in millimetres")
    refused(lp.errors.ModelError, lambda: lp.testing.check_detection(Underflows()), "not finite at every distance")
    refused(lp.errors.ModelError, lambda: lp.SCR(detection=WithoutScale()), "WithoutScale", "needs 'sigma'")
    shaped = lp.SCR(detection=WithShape())
    refused(lp.errors.PriorError, lambda: parameters(shaped), "'w' has no default prior", "priors={'w'")


def test_binomial_numbers_have_no_posterior_here():
    model = lp.SCR(distribution="binomial")
    for call in (lambda: fit(history(), model=model), lambda: model.build(history(), mask())):
        refused(lp.errors.ModelError, call, "binomial", "maximum_likelihood", "Leave distribution out")
    assert model.maximum_likelihood(simulated(), mask()).converged


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"D": 1, "lambda0": 0.1}, ["no value for sigma"]),
        (TRUTH | {"sgima": 4}, ["'sgima'", "did you mean 'sigma'?"]),
        (TRUTH | {"D": -1}, ["D = -1", "outside its range"]),
        (TRUTH | {"D": "many"}, ["D = 'many'", "no finite number"]),
        (TRUTH | {"D": np.nan}, ["D = nan"]),
        (pd.Series({"D[Intercept]": 0.0, "sigma[Intercept]": 7.0}), ["no value for ['lambda0[Intercept]']"]),
        (pd.Series(TRUTH), ["'D'", "'D[Intercept]'"]),
        ([0.7, 0.25, 1_000], ["give a dict"]),
    ],
)
def test_parameters_that_do_not_make_a_likelihood(values, words):
    for call in (lp.SCR().log_likelihood, lp.SCR().simulate):
        refused(lp.errors.ModelError, lambda call=call: call(history(), mask(), parameters=values), *words)


# -- priors -----------------------------------------------------------------------------------------------------------
def test_priors_in_another_unit_of_effort():
    per_occasion, per_day, per_week = (history(effort_unit=unit) for unit in (None, "day", "week"))
    cats = lp.SCR(priors=lp.priors.big_cats())
    error = refused(
        lp.errors.PriorError,
        lambda: parameters(cats, per_occasion),
        "'lambda0' is per day",
        "'occasion'",
        "effort_unit='day'",
        '{"lambda0": lp.Prior(...)}',
    )
    assert error.offenders == ["lambda0"]
    own = lp.priors.big_cats() | {"lambda0": lp.Prior("LogNormal", mu=-3, sigma=1)}  # what the message says to do
    assert len(parameters(lp.SCR(priors=own), per_occasion)) == 3
    day, week = (parameters(cats, each).set_index("name")["prior"] for each in (per_day, per_week))
    assert day["lambda0"] == repr(lp.Prior("LogNormal", mu=np.log(0.02), sigma=0.8))
    assert week["lambda0"] == repr(lp.Prior("LogNormal", mu=np.log(0.02) + np.log(7), sigma=0.8))
    assert week["sigma"] == day["sigma"]


def test_a_week_is_seven_days_exactly():
    """The same survey told in weeks, with the priors converted: the same posterior of everything but lambda0."""
    model = lp.SCR(priors=lp.priors.big_cats() | {"sigma": lp.Prior("LogNormal", mu=7, sigma=0.5)})
    captures = simulated().detections.drop(columns=["session", "count", "died"], errors="ignore")
    made = []
    for unit, each in (("day", 7.0), ("week", 1.0)):
        effort = STATIONS[["station"]].assign(**{str(o): each for o in range(1, 9)})
        data = history(captures=captures, effort=effort, effort_unit=unit, occasions=None)
        made.append(told(lambda data=data: fit(data, model=model))[0].summary())
    for row in ("D", "sigma", "E_N"):
        assert made[0].loc[row, "mean"] == pytest.approx(made[1].loc[row, "mean"], rel=0.02), row
    assert made[1].loc["lambda0", "mean"] == pytest.approx(7 * made[0].loc["lambda0", "mean"], rel=0.02)


NORMAL = lp.Prior("Normal", mu=0, sigma=1)


@pytest.mark.parametrize(
    ("priors", "words"),
    [
        ({"sigm": NORMAL}, ["'sigm'", "did you mean 'sigma'?", "D, N, lambda0, sigma"]),
        ({"D[snow]": NORMAL}, ["'D[snow]'", "did you mean 'D'?"]),
        ({"sigma": 1_000}, ["'sigma'", "1000", "lp.Prior"]),
        ({3: NORMAL}, ["3", "'sigma'"]),
        ([NORMAL], ["give a dict"]),
        ({"sigma": lp.Prior("Normal", mu=7, sigma=0.5)}, ["'sigma'", "natural scale", "LogNormal"]),
        ({"N": NORMAL}, ["'N'", "reaches below 0"]),
        ({"N": lp.priors.from_range(30, 50), "D": lp.Prior("LogNormal", mu=0, sigma=1)}, ['"N" and "D"']),
    ],
    ids=str,
)
def test_priors_that_are_none(priors, words):
    refused(lp.errors.PriorError, lambda: parameters(lp.SCR(priors=priors)), *words)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lp.Prior("Norml", mu=0, sigma=1), ["'Norml'", "Did you mean 'Normal'?"]),
        (lambda: lp.Prior("Normal", mu=0, sd=1), ["no parameter 'sd'", "sigma="]),
        (lambda: lp.Prior("Normal", mu=0, sigma=-1), ["sigma=-1", "above 0"]),
        (lambda: lp.priors.from_range(50, 30), ["0 < lower < upper"]),
        (lambda: lp.priors.from_range(30, 50, mass=90), ["mass between 0 and 1"]),
    ],
)
def test_priors_that_cannot_be_made(call, words):
    refused(lp.errors.PriorError, call, *words)


def test_two_stations_have_no_default_prior():
    two = history(captures=None, stations=STATIONS.iloc[:2])
    refused(lp.errors.PriorError, lambda: parameters(lp.SCR(), two), "2 stations", 'priors={"sigma"')


# -- requests ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "laplce"}, ["'laplce'", "'laplace'"]),
        ({"draws": 0}, ["draws=0", "at least 1"]),
        ({"draws": 1.5}, ["draws=1.5"]),
        ({"chains": "4"}, ["chains='4'"]),
        ({"seed": "one"}, ["seed='one'", "Generator"]),
        ({"seed": -1}, ["seed=-1"]),
        ({"random_seed": 1}, ["use seed="]),
        ({"engine": "laplace", "target_accept": 0.9}, ["'target_accept'", "engine='nuts'"]),
        ({"engine": "nuts", "min_ess": 100}, ["'min_ess'", "'laplace'"]),
        ({"drws": 100}, ["'drws'", "Did you mean 'draws'?"]),
        ({"engine": "nuts", "tunes": 10}, ["'tunes'", "Did you mean 'tune'?"]),
    ],
    ids=str,
)
def test_requests_that_cannot_be_met(options, words):
    refused(lp.errors.ModelError, lambda: lp.SCR().fit(history(), mask(), **({"seed": 1} | options)), *words)


def test_arguments_that_do_not_exist():
    refused(TypeError, lambda: lp.SCR(densty="~ 1"), "'densty'")
    refused(lp.errors.ModelError, lambda: lp.HalfNormal(g0="~ 1"), "'g0'")
    refused(TypeError, lambda: lp.SCR().fit(history(), mask(), "laplace"), "positional")


def test_posteriors_of_something_else():
    refused(lp.errors.ModelError, lambda: lp.SCR().from_posterior({"D": 1}, history(), mask()), "DataTree", "posterior")


def test_fits_that_are_not_there(tmp_path):
    refused(lp.errors.DataError, lambda: lp.load_fit(tmp_path / "fit.nc"), "fit.nc")
    (tmp_path / "fit.nc").write_text("not a fit")
    refused(lp.errors.DataError, lambda: lp.load_fit(tmp_path / "fit.nc"), "fit.nc", "cannot be read")
    refused(lp.errors.ModelError, lambda: lp.load_fit(tmp_path / "fit.nc", components=[Rising()]), "give classes")


# -- files ------------------------------------------------------------------------------------------------------------
CAPTURES_TEXT = "individual,station,occasion\nF1,A,1\nF1,B,3\nM1,B,2\n"
STATIONS_TEXT = "station,x,y\nA,0,0\nB,2000,500\nC,4000.5,0\n"


@pytest.fixture
def files(tmp_path):
    """Write two files as they are given and read them; the file names are captures.csv and stations.csv."""

    def read(
        captures: str = CAPTURES_TEXT, stations: str = STATIONS_TEXT, encoding: str = "utf-8", **options: Any
    ) -> Any:
        for name, text in (("captures.csv", captures), ("stations.csv", stations)):
            (tmp_path / name).write_bytes(text.encode(encoding))
        return lp.CaptureHistory.from_tables(tmp_path / "captures.csv", str(tmp_path / "stations.csv"), **options)

    return read


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(files, encoding, line_end):
    read = files(
        CAPTURES_TEXT.replace("M1", "Zoé").replace("\n", line_end), STATIONS_TEXT.replace("\n", line_end), encoding
    )
    assert read.individuals["individual"].tolist() == ["F1", "Zoé"]
    assert read.stations["x"].tolist() == [0.0, 2000.0, 4000.5]


@pytest.mark.parametrize("separator", [";", "\t", "  "])
def test_separators_and_decimal_commas(files, separator):
    stations = STATIONS_TEXT.replace(",", separator).replace(".", ",")
    read = files(CAPTURES_TEXT.replace(",", separator), stations)
    assert read == files()


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"captures": ""}, ["captures.csv is empty", "exported to its end"]),
        ({"stations": " \n\n"}, ["stations.csv is empty"]),
        ({"captures": "", "encoding": "utf-8-sig"}, ["captures.csv is empty"]),
        ({"stations": "station,x,y\n"}, ["stations.csv has no stations"]),
        ({"captures": CAPTURES_TEXT.replace(",", "|")}, ["captures.csv has no column", "commas, semicolons, tabs"]),
        (
            {"captures": CAPTURES_TEXT.replace("F1,A,", "F1;A;").replace("F1,B,", "F1;B;").replace("M1,B,", "M1;B;")},
            ["captures.csv line 2", "commas", "'F1;A;1'"],
        ),
        ({"captures": CAPTURES_TEXT.split("\n", 1)[1]}, ["captures.csv has no column 'individual'", "'F1', 'A', '1'"]),
        ({"stations": STATIONS_TEXT.replace(".5", ",5")}, ["stations.csv line 4", "more cells", "decimal comma"]),
        ({"stations": STATIONS_TEXT.replace("4000.5", '"4,000"')}, ["stations.csv line 4", "x is '4,000'", "a point"]),
        ({"stations": STATIONS_TEXT.replace("500", "north")}, ["stations.csv line 3", "y is 'north'"]),
        ({"captures": CAPTURES_TEXT.replace("F1,B,3", "F1,B")}, ["captures.csv line 3", "occasion is missing"]),
        ({"captures": CAPTURES_TEXT.replace("F1,B", "F1,Z")}, ["captures.csv line 3", "station 'Z'", "'A', 'B', 'C'"]),
        ({"captures": CAPTURES_TEXT.replace("F1,A", '"F1,A')}, ["captures.csv cannot be read"]),
        ({"captures": "PK\x03\x04..."}, ["captures.csv is a spreadsheet", "CSV"]),
        ({"captures": "a\x00b"}, ["captures.csv is a binary file"]),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.* cells?, the header [0-9]+")  # short rows are told before what is wrong
def test_files_that_are_no_tables(files, tables, words):
    refused(lp.errors.DataError, lambda: files(**tables), *words)


def test_a_captures_file_with_a_header_only_is_a_design(files):
    assert files("individual,station,occasion\n", occasions=3).n_individuals == 0


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "captures.csv").write_text(CAPTURES_TEXT)
    path = tmp_path / "capture.csv"
    words = "no file", "capture.csv", "Did you mean 'captures.csv'?"
    refused(lp.errors.DataError, lambda: lp.CaptureHistory.from_tables(path, STATIONS), *words)
    refused(lp.errors.DataError, lambda: lp.CaptureHistory.from_tables([1], STATIONS), "captures is a list")


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        ("", "utf-8", ["mask.csv is empty"]),
        ("x,y\n", "utf-8", ["no cells"]),
        ("x,y\n1000,0\n3000,\n", "utf-8", ["mask.csv line 3", "y is missing"]),
        ("x,y\n1000,0\n1000,0\n", "utf-8", ["mask.csv line 3", "there already"]),
        ("east,north\n1000,0\n", "utf-8", ["mask.csv has no column 'x', 'y'"]),
    ],
)
def test_mask_files_that_are_no_masks(tmp_path, text, encoding, words):
    (tmp_path / "mask.csv").write_text(text, encoding=encoding)
    refused(lp.errors.DataError, lambda: lp.Mask.from_table(tmp_path / "mask.csv", cell_area=4), *words)


def test_a_mask_file_of_another_country(tmp_path):
    (tmp_path / "mask.csv").write_bytes("x;y;forêt\r\n1000;0;0,5\r\n3000;0;1,5\r\n".encode("latin-1"))
    assert lp.Mask.from_table(tmp_path / "mask.csv", cell_area=4).table["forêt"].tolist() == [0.5, 1.5]


@pytest.mark.parametrize(
    ("captures", "traps", "words"),
    [
        ("", "A 0 0 111\n", ["captures.txt is empty"]),
        ("1 F1 1 A\n", "", ["traps.txt is empty"]),
        ("1 F1 1 Z\n", "A 0 0 111\nB 2000 0 111\n", ["captures.txt line 1", "'Z'", "'A', 'B'"]),
        ("1 F1 1 A\n", "A 0 0 011\nB 2000 0 111\n", ["'A'", "captures.txt line 1", "no effort"]),
        ("1 F1 one A\n", "A 0 0 111\nB 2000 0 111\n", ["captures.txt line 1", "'one'"]),
    ],
)
def test_files_of_secr_that_contradict_themselves(tmp_path, captures, traps, words):
    paths = tmp_path / "captures.txt", tmp_path / "traps.txt"
    for path, text in zip(paths, (captures, traps), strict=True):
        path.write_text(text)
    refused(lp.errors.DataError, lambda: lp.read_secr(*paths), *words)


def test_a_file_of_100_mb(tmp_path):
    path = write_100_mb(tmp_path / "captures.csv")
    read = history(captures=path, detector="count", occasions=90)
    assert read.n_detections == path.stat().st_size // 61 - 1
    assert read.n_individuals == 40
    refused_tables("repeated rows", "captures.csv line 2", "detector='count'?", captures=path, occasions=90)


def write_100_mb(path: Path) -> Path:
    """Rows of 61 characters each, the same 5,760 over and over."""
    header = "individual,station,occasion,time".ljust(60) + "\n"
    places = [
        (f"Animal {i % 40:03d}", f"L{i % 4}{i // 4 % 4}", 1 + i % 90, f"2022-03-{1 + i % 28:02d} 12:14")
        for i in range(5_760)
    ]
    block = "".join(f"{','.join(map(str, place)):<60}\n" for place in places)
    with path.open("w") as file:
        file.write(header)
        for _ in range(100_000_000 // len(block) + 1):
            file.write(block)
    return path


@pytest.mark.parametrize("word", ["NA", "NaN", "nan", "N/A"])
def test_a_word_for_nobody_is_no_animal(tmp_path: Path, word: str) -> None:
    """R writes NA where an animal was not identified."""
    captures = tmp_path / "captures.csv"
    captures.write_text(f"individual,station,occasion\nF1,A,1\n{word},A,2\n{word},B,1\n", encoding="utf-8")
    stations = pd.DataFrame({"station": ["A", "B"], "x": [0.0, 900.0], "y": [0.0, 100.0]})
    with pytest.raises(lp.errors.DataError, match=rf"captures\.csv line 3: individual is '{word}'.*2 rows"):
        lp.CaptureHistory.from_tables(captures=captures, stations=stations)


def test_a_message_has_an_end():
    error = lp.errors.DataError("a" * 5_000_000 + "z")
    assert len(str(error)) < 6_000
    assert str(error).endswith("z")
    assert str(lp.errors.DataError("short", offenders=[1])) == "short"
    station = "A" * 100_000
    with pytest.raises(lp.errors.DataError) as told:
        lp.CaptureHistory.from_tables(
            pd.DataFrame({"individual": ["F1"], "station": [station], "occasion": [1]}),
            pd.DataFrame({"station": ["A"], "x": [0.0], "y": [0.0]}),
        )
    assert len(str(told.value)) < 6_000
