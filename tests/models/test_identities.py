"""Changes to the data that must change nothing, or change the log-likelihood by a known amount."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leopardpop as lp
from tests.reference.datasets import PlainSurvey, library_history, library_masks
from tests.reference.designs import Design, make_survey
from tests.reference.scr import PlainSession

DETECTORS = ("count", "proximity", "multi")
COEFFICIENTS = {
    "D[Intercept]": math.log(0.25),
    "D[snow]": 0.012,
    "lambda0[Intercept]": math.log(0.08),
    "lambda0[lure[yes]]": 0.4,
    "sigma[Intercept]": math.log(1100.0),
}
BY_SEX = {"lambda0[sex[M]]": 0.3, "sigma[sex[M]]": 0.35, "pmix[M]": -0.4}

repeatable = settings(max_examples=6, derandomize=True, deadline=None)
shares = st.floats(0.05, 0.95)
scales = st.floats(0.2, 20.0)


def log_likelihood(survey: PlainSurvey, by_sex: bool = False, **changes: float) -> float:
    """The library's log-likelihood; changes are added to coefficients (``D=`` means its intercept)."""
    values = COEFFICIENTS | (BY_SEX if by_sex else {})
    values = values | {f"{name}[Intercept]": values[f"{name}[Intercept]"] + shift for name, shift in changes.items()}
    formulas = {"lambda0": "~ lure + sex", "sigma": "~ sex"} if by_sex else {"lambda0": "~ lure"}
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(**formulas), classes="sex" if by_sex else None)
    return model.log_likelihood(library_history(survey), library_masks(survey), parameters=pd.Series(values))


def survey_of(detector: str, **options: object) -> PlainSurvey:
    return make_survey(Design(detector=detector, effort="varying", **options))  # type: ignore[arg-type]


def each_session(survey: PlainSurvey, change: object) -> PlainSurvey:
    return replace(survey, sessions=[change(session) for session in survey.sessions])  # type: ignore[operator]


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


# --- names and order ---------------------------------------------------------------------------------


def reordered(
    session: PlainSession, animals: Sequence[int], stations: Sequence[int], rows: Sequence[int]
) -> PlainSession:
    """The same session with its tables in another order."""
    new_animal = {old: new for new, old in enumerate(animals)}
    new_station = {old: new for new, old in enumerate(stations)}
    moved = [(new_animal[i], new_station[k], s, y) for i, k, s, y in session.detections]
    return replace(
        session,
        animals=[session.animals[i] for i in animals],
        stations=[session.stations[k] for k in stations],
        xy=session.xy[list(stations)],
        effort=session.effort[list(stations)],
        detections=[moved[row] for row in rows],
        exposure=[session.exposure[i] for i in animals],
        animal_covariates={name: [v[i] for i in animals] for name, v in session.animal_covariates.items()},
        station_covariates={name: [v[k] for k in stations] for name, v in session.station_covariates.items()},
    )


@pytest.mark.parametrize("detector", DETECTORS)
@given(seed=st.integers(0, 10_000))
@repeatable
def test_order_of_animals_stations_and_records(detector: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    survey = survey_of(detector, sex="partly known", removal=True)
    session = survey.sessions[0]
    other = reordered(
        session,
        rng.permutation(len(session.animals)).tolist(),
        rng.permutation(len(session.stations)).tolist(),
        rng.permutation(len(session.detections)).tolist(),
    )
    assert log_likelihood(replace(survey, sessions=[other]), by_sex=True) == close(log_likelihood(survey, by_sex=True))


@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@given(seed=st.integers(0, 10_000))
@repeatable
def test_order_of_cells(mask: str, seed: int) -> None:
    survey = survey_of("proximity", mask=mask)
    session = survey.sessions[0]
    order = np.random.default_rng(seed).permutation(len(session.cells))
    snow = {"snow": session.cell_covariates["snow"][order]}
    other = replace(session, cells=session.cells[order], area=session.area[order], cell_covariates=snow)
    assert log_likelihood(replace(survey, sessions=[other])) == close(log_likelihood(survey))


@pytest.mark.parametrize("detector", DETECTORS)
def test_order_of_sessions(detector: str) -> None:
    survey = survey_of(detector, layout="two sessions", sex="known")
    turned = replace(survey, sessions=survey.sessions[::-1])
    assert log_likelihood(turned, by_sex=True) == close(log_likelihood(survey, by_sex=True))


def test_which_sex_is_the_reference() -> None:
    """Females renamed so that they come last: intercepts and slopes trade places."""
    survey = survey_of("proximity", sex="partly known")
    sexes = [{"F": "Z", "M": "M", None: None}[sex] for sex in survey.sessions[0].animal_covariates["sex"]]  # type: ignore[index]
    renamed = each_session(survey, lambda session: replace(session, animal_covariates={"sex": sexes}))
    values = {
        **COEFFICIENTS,
        "lambda0[Intercept]": COEFFICIENTS["lambda0[Intercept]"] + 0.3,
        "sigma[Intercept]": COEFFICIENTS["sigma[Intercept]"] + 0.35,
        "lambda0[sex[Z]]": -0.3,
        "sigma[sex[Z]]": -0.35,
        "pmix[Z]": 0.4,
    }
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(lambda0="~ lure + sex", sigma="~ sex"), classes="sex")
    ours = model.log_likelihood(library_history(renamed), library_masks(renamed), parameters=pd.Series(values))
    assert ours == close(log_likelihood(survey, by_sex=True))


# --- the map -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("detector", DETECTORS)
@given(east=st.floats(-5e5, 5e5), north=st.floats(0.0, 5e6))
@repeatable
def test_moving_the_map(detector: str, mask: str, east: float, north: float) -> None:
    survey = survey_of(detector, mask=mask)
    shift = np.round([east, north])
    moved = each_session(survey, lambda s: replace(s, xy=s.xy + shift, cells=s.cells + shift))
    assert log_likelihood(moved) == close(log_likelihood(survey))


@pytest.mark.parametrize("detector", DETECTORS)
@given(angle=st.floats(0.1, 1.4))
@repeatable
def test_turning_the_map(detector: str, angle: float) -> None:
    """A turned lattice is no lattice along the axes: another form of the likelihood, the same value."""
    survey = survey_of(detector, mask="lattice")
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    turned = each_session(survey, lambda s: replace(s, xy=s.xy @ turn, cells=s.cells @ turn))
    assert log_likelihood(turned) == close(log_likelihood(survey))


@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("detector", DETECTORS)
@given(scale=scales)
@repeatable
def test_rescaling_the_map(detector: str, mask: str, scale: float) -> None:
    """Twice the distances: twice sigma, a quarter of the density."""
    survey = survey_of(detector, mask=mask)
    larger = each_session(survey, lambda s: replace(s, xy=s.xy * scale, cells=s.cells * scale, area=s.area * scale**2))
    ours = log_likelihood(larger, D=-2.0 * math.log(scale), sigma=math.log(scale))
    assert ours == close(log_likelihood(survey))


# --- effort ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_station_that_is_never_on(detector: str) -> None:
    survey = survey_of(detector, sex="known")

    def with_one_more(session: PlainSession) -> PlainSession:
        return replace(
            session,
            stations=[*session.stations, "off"],
            xy=np.vstack([session.xy, [[2500.0, 2500.0]]]),
            effort=np.vstack([session.effort, np.zeros((1, session.effort.shape[1]))]),
            station_covariates={name: [*v, v[0]] for name, v in session.station_covariates.items()},
        )

    assert log_likelihood(each_session(survey, with_one_more), by_sex=True) == close(
        log_likelihood(survey, by_sex=True)
    )


@pytest.mark.parametrize("when", [0, 1, 3])
@pytest.mark.parametrize("detector", DETECTORS)
def test_an_occasion_without_effort(detector: str, when: int) -> None:
    survey = survey_of(detector)

    def with_one_more(session: PlainSession) -> PlainSession:
        return replace(
            session,
            effort=np.insert(session.effort, when, 0.0, axis=1),
            detections=[(i, k, s + (s >= when), y) for i, k, s, y in session.detections],
            exposure=[],
        )

    assert log_likelihood(each_session(survey, with_one_more)) == close(log_likelihood(survey))


@pytest.mark.parametrize("detector", DETECTORS)
@given(scale=scales)
@repeatable
def test_unit_of_effort(detector: str, scale: float) -> None:
    """Effort in hours instead of days: lambda0 is per hour."""
    survey = survey_of(detector)
    in_hours = each_session(survey, lambda s: replace(s, effort=s.effort * scale))
    assert log_likelihood(in_hours, lambda0=-math.log(scale)) == close(log_likelihood(survey))


@pytest.mark.parametrize("detector", DETECTORS)
@given(share=shares)
@repeatable
def test_splitting_effort_leaves_the_void(detector: str, share: float) -> None:
    """Without captures the log-likelihood is the void alone, whatever the occasions."""
    survey = survey_of(detector, layout="no captures")

    def split(session: PlainSession) -> PlainSession:
        return replace(session, effort=np.hstack([share * session.effort, (1.0 - share) * session.effort]), exposure=[])

    assert log_likelihood(each_session(survey, split)) == close(log_likelihood(survey))


@given(share=shares)
@repeatable
def test_splitting_effort_of_counts(share: float) -> None:
    """Counts all in the first part: the likelihood changes by the part to the power of the count, no more."""
    survey = survey_of("count")

    def split(session: PlainSession) -> PlainSession:
        return replace(session, effort=np.hstack([share * session.effort, (1.0 - share) * session.effort]), exposure=[])

    constant = math.log(share) * sum(y for _, _, _, y in survey.sessions[0].detections)
    assert log_likelihood(each_session(survey, split)) == close(log_likelihood(survey) + constant)


# --- animals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("detector", DETECTORS)
def test_death_on_the_last_occasion_says_nothing(detector: str) -> None:
    """A removal matters for the occasions that follow; after the last there are none."""
    survey = survey_of(detector)
    last = survey.sessions[0].effort.shape[1] - 1
    on = next(k for k, effort in enumerate(survey.sessions[0].effort[:, last]) if effort > 0)
    rows = [row for row in survey.sessions[0].detections if row[0] != 0 or row[2] != last]
    survey.sessions[0].detections = [*rows, (0, on, last, 1)]
    survey.sessions[0].effort[-1] += 1.0  # no station is never on: that would be a warning
    history = library_history(survey)
    died = history.detections.assign(died=lambda t: ((t["individual"] == "A1") & (t["occasion"] == str(last + 1))) * 1)
    with_death = lp.CaptureHistory.from_tables(
        died,
        history.stations,
        history.effort,
        history.individuals,
        detector=detector,
        effort_unit="day",
        crs="local",
    )
    model = lp.SCR(detection=lp.HalfNormal())
    values = {"D": 0.25, "lambda0": 0.08, "sigma": 1100.0}
    masks = library_masks(survey)
    plain = model.log_likelihood(history, masks, parameters=values)
    assert model.log_likelihood(with_death, masks, parameters=values) == close(plain)


@pytest.mark.parametrize("detector", DETECTORS)
def test_unknown_sex_is_the_sum_over_sexes(detector: str) -> None:
    survey = survey_of(detector, sex="known")
    session = survey.sessions[0]

    def with_sex_of_the_third(sex: str | None) -> float:
        sexes = [*session.animal_covariates["sex"][:2], sex, *session.animal_covariates["sex"][3:]]
        return log_likelihood(replace(survey, sessions=[replace(session, animal_covariates={"sex": sexes})]), True)

    expected = np.logaddexp(with_sex_of_the_third("F"), with_sex_of_the_third("M"))
    assert with_sex_of_the_third(None) == close(float(expected))


@pytest.mark.parametrize("sex", ["known", "partly known"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_sexes_that_do_not_differ(detector: str, sex: str) -> None:
    """The sexes then add a binomial term of their own."""
    survey = survey_of(detector, sex=sex)
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(lambda0="~ lure"), classes="sex")
    history, masks = library_history(survey), library_masks(survey)
    ours = model.log_likelihood(history, masks, parameters=pd.Series(COEFFICIENTS | {"pmix[M]": 0.7}))
    male = 1.0 / (1.0 + math.exp(-0.7))
    sexes = survey.known("sex")[0]
    term = sexes.count("M") * math.log(male) + sexes.count("F") * math.log(1.0 - male)
    assert ours == close(log_likelihood(survey) + term)


@pytest.mark.parametrize("detector", DETECTORS)
def test_sessions_add_up(detector: str) -> None:
    survey = survey_of(detector, layout="two sessions", sex="known")
    parts = [replace(survey, sessions=[session]) for session in survey.sessions]
    assert sum(log_likelihood(part, by_sex=True) for part in parts) == close(log_likelihood(survey, by_sex=True))


def test_one_station_holds_an_animal_no_longer_than_it_detects_it() -> None:
    """With one station, multi and proximity are the same model."""
    survey = survey_of("proximity")
    session = survey.sessions[0]
    alone = replace(
        session,
        stations=session.stations[:1],
        xy=session.xy[:1],
        effort=np.ones((1, 3)),
        detections=[(i, 0, s, 1) for i in range(len(session.animals)) for s in range(1 + i % 3)],
        station_covariates={"lure": ["no"]},
    )
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal())
    values = pd.Series({k: v for k, v in COEFFICIENTS.items() if "lure" not in k})
    proximity, multi = (
        model.log_likelihood(library_history(s), library_masks(s), parameters=values)
        for s in (PlainSurvey([alone], "proximity", "day"), PlainSurvey([alone], "multi", "day"))
    )
    assert multi == close(proximity)


# --- covariates --------------------------------------------------------------------------------------


@given(scale=st.floats(0.01, 100.0), shift=st.floats(-50.0, 50.0))
@repeatable
def test_units_of_a_covariate(scale: float, shift: float) -> None:
    """Snow in another unit, from another zero: the coefficients say the same."""
    survey = survey_of("proximity", layout="two sessions")
    other = each_session(
        survey, lambda s: replace(s, cell_covariates={"snow": scale * s.cell_covariates["snow"] + shift})
    )
    slope = COEFFICIENTS["D[snow]"] / scale
    values = COEFFICIENTS | {"D[snow]": slope, "D[Intercept]": COEFFICIENTS["D[Intercept]"] - slope * shift}
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(lambda0="~ lure"))
    ours = model.log_likelihood(library_history(other), library_masks(other), parameters=pd.Series(values))
    assert ours == close(log_likelihood(survey))
