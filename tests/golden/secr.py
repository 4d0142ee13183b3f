"""Fits by the R package secr, and the same models in our words.

The published numbers stay in the shared folder; here is only how to read them: which survey, which model, and
what secr calls a coefficient. Its density is per hectare, ours per km2, so ours is log 100 larger on the link scale.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.datasets import PlainSurvey, fort_drum_2km, read_layout_a, read_layout_b, read_snow_leopard
from tests.reference.scr import PlainSession, log_binomial_coefficients, log_multinomial

LOG_HA_PER_KM2 = math.log(100.0)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SecrFit:
    """One published fit."""

    name: str
    source: str
    """A file of reference/, or a folder of data/ that has a reference_fits.json."""
    key: str
    survey: str
    """Name of the reader in SURVEYS."""
    detection: str
    labels: tuple[str, ...]
    """Our label of each of secr's coefficients, in its order."""
    density: str = "~ 1"
    formulas: dict[str, str] = field(default_factory=dict)
    """Formulas of the detection parameters that are not ``~ 1``."""
    classes: str | None = None
    distribution: str = "poisson"
    conditional: bool = False
    collapsed: bool = False
    """secr added up the occasions first: k-of-n data, with their binomial coefficient ("fastproximity")."""
    reparametrise: Matrix | None = None
    """Ours = this matrix times secr's, where the levels of a factor have another reference."""
    rough_errors: tuple[str, ...] = ()
    """Coefficients whose published standard error is not that of the exact Hessian of the naive likelihood."""

    @property
    def null(self) -> bool:
        return all(label.endswith("[Intercept]") for label in self.labels)

    def __str__(self) -> str:
        return self.name

    # --- the numbers ----------------------------------------------------------------------------

    def record(self, shared: Path) -> dict[str, Any]:
        if self.source == "secr.json":
            rows = json.loads((shared / "reference" / self.source).read_text())
            data, label = self.key.split(": ", 1)
            (row,) = [row for row in rows if row["data"] == data and row["label"] == label and row["valid"] is True]
            return dict(row)
        if self.source.endswith(".json"):
            return dict(json.loads((shared / "reference" / self.source).read_text())[self.key])
        return dict(json.loads((shared / "data" / self.source / "reference_fits.json").read_text())[self.key])

    def log_likelihood(self, shared: Path) -> float:
        """secr's, with secr's constants."""
        record = self.record(shared)
        for name, sign in {"logLik": 1.0, "LL": 1.0, "neg_loglik": -1.0}.items():
            if name in record:
                return sign * float(record[name])
        raise KeyError(self.key)

    def coefficients(self, shared: Path) -> dict[str, float]:
        """secr's estimates under our labels, D per km2."""
        beta = self._to_ours() @ self._column(shared, "beta")
        return {
            label: value + LOG_HA_PER_KM2 * (label == "D[Intercept]")
            for label, value in zip(self.labels, beta, strict=True)
        }

    def standard_errors(self, shared: Path) -> dict[str, float]:
        if self.reparametrise is not None:
            variances = self._to_ours() @ np.array(self.record(shared)["beta_vcv"]) @ self._to_ours().T
            return dict(zip(self.labels, np.sqrt(np.diag(variances)), strict=True))
        return dict(zip(self.labels, self._column(shared, "se"), strict=True))

    def region_numbers(self, shared: Path, which: str) -> list[dict[str, float]]:
        """Rows ``E.N`` (expected) or ``R.N`` (realised) of secr's region.N over the mask, one a session."""
        sessions: Any = self.record(shared)["regionN"]
        if isinstance(sessions, dict):
            sessions = sessions.values()
        return [row for session in sessions for row in session if row["par"] == which]

    def _to_ours(self) -> Matrix:
        return np.eye(len(self.labels)) if self.reparametrise is None else self.reparametrise

    def _column(self, shared: Path, name: str) -> Matrix:
        record = self.record(shared)
        if "beta_se" in record:
            return np.array(record["beta_se" if name == "se" else name])
        column = record["beta"]
        if isinstance(column[0], dict):
            return np.array([row["SE.beta" if name == "se" and "SE.beta" in row else name] for row in column])
        return np.array(column)

    # --- the constants --------------------------------------------------------------------------

    def constants(self, survey: PlainSurvey) -> float:
        """What secr adds to the log-likelihood of labelled animals."""
        return sum(self._constant(session) for session in survey.sessions)

    def _constant(self, session: PlainSession) -> float:
        if self.collapsed:
            return log_multinomial(session, collapsed=True) + log_binomial_coefficients(session)
        return log_multinomial(session)


# --- the surveys -------------------------------------------------------------------------------------


def load_survey(shared: Path, name: str) -> PlainSurvey:
    data = shared / "data"
    if name in ("captdata", "stoatCH", "ovenCH", "kruger_leopard", "blackbearCH", "fortdrum_bears", "deermouse_ESG"):
        return _with_covariates(name, read_layout_a(data / name))
    return {
        "stoatCH as proximity": lambda: read_layout_a(data / "stoatCH", detector="proximity"),
        "ovenCH, nobody died": lambda: _nobody_died(read_layout_a(data / "ovenCH")),
        "fortdrum_bears, 2 km": lambda: fort_drum_2km(data / "fortdrum_bears"),
        "snow leopard": lambda: read_snow_leopard(data / "snow-leopard-workflow-example"),
        "secrdemo": lambda: read_layout_b(
            data / "secrdemo", detector="multi", n_occasions=5, cell_area_ha=0.00539306640625
        ),
        "stoat-dna": lambda: read_layout_b(
            data / "stoat-dna", detector="multi", n_occasions=7, cell_area_ha=0.6103515625
        ),
        "gsm-blackbear": lambda: read_layout_b(
            data / "gsm-blackbear", detector="proximity", n_occasions=10, cell_area_ha=25.0
        ),
    }[name]()


def _with_covariates(name: str, survey: PlainSurvey) -> PlainSurvey:
    """The covariates of the published models, worked out as secr does."""
    for number, session in enumerate(survey.sessions):
        if name == "ovenCH":
            session.station_covariates["year"] = [number] * len(session.stations)
        if name == "captdata":
            centred = (session.cells - session.cells.mean(axis=0)) / session.cells.std(axis=0, ddof=1)
            session.cell_covariates.update(east=centred[:, 0], north=centred[:, 1])
        if name == "kruger_leopard":
            session.cell_covariates = {
                "habitat": session.cell_covariates["habitat.cov"],
                "water_km": session.cell_covariates["dist.to.water"] / 1000.0,
            }
            session.station_covariates = {}
    return survey


def _nobody_died(survey: PlainSurvey) -> PlainSurvey:
    return replace(
        survey, sessions=[replace(s, exposure=[s.effort.shape[1]] * len(s.animals)) for s in survey.sessions]
    )


# --- the fits ----------------------------------------------------------------------------------------

HN, EX = "ProbabilityHalfNormal", "ProbabilityExponential"
HHN, HEX = "HalfNormal", "Exponential"


def _null(baseline: str) -> tuple[str, ...]:
    return ("D[Intercept]", f"{baseline}[Intercept]", "sigma[Intercept]")


def _baseline(detection: str) -> str:
    return "g0" if detection in (HN, EX) else "lambda0"


def _fit(name: str, source: str, key: str, survey: str, detection: str, **options: object) -> SecrFit:
    options.setdefault("labels", _null(_baseline(detection)))
    return SecrFit(name=name, source=source, key=key, survey=survey, detection=detection, **options)  # type: ignore[arg-type]


def _sexes(baseline: str, *, differ: bool) -> dict[str, object]:
    """secr's hcov models: sex known for some or all, nothing or both detection parameters differ."""
    if not differ:
        return {"classes": "sex", "labels": (*_null(baseline), "pmix[M]")}
    sigma, sigma_m = "sigma[Intercept]", "sigma[sex[M]]"
    return {
        "classes": "sex",
        "formulas": {baseline: "~ sex", "sigma": "~ sex"},
        "labels": ("D[Intercept]", f"{baseline}[Intercept]", f"{baseline}[sex[M]]", sigma, sigma_m, "pmix[M]"),
    }


def _habitat() -> Matrix:
    """secr: pasture, scrub, barren, forest; ours: barren first."""
    matrix = np.eye(7)
    matrix[2, 4] = 1.0  # intercept at barren
    matrix[3] = matrix[4] = matrix[5] = 0.0
    matrix[3, 5], matrix[3, 4] = 1.0, -1.0  # forest
    matrix[4, 4] = -1.0  # pasture
    matrix[5, 3], matrix[5, 4] = 1.0, -1.0  # scrub
    return matrix


SECR_JSON = "secr.json"
SNOW = "snow-leopard-workflow-example"
ELEVATION = ("D[Intercept]", "D[std_elev]", "lambda0[Intercept]")

FITS = [
    _fit("fortdrum HN", SECR_JSON, "fortdrum_bears: null HN", "fortdrum_bears", HN),
    _fit(
        "fortdrum HN collapsed",
        SECR_JSON,
        "fortdrum_bears: null HN fastproximity",
        "fortdrum_bears",
        HN,
        collapsed=True,
    ),
    _fit("fortdrum EX", SECR_JSON, "fortdrum_bears: null EX", "fortdrum_bears", EX, collapsed=True),
    _fit("fortdrum HHN", SECR_JSON, "fortdrum_bears: null HHN", "fortdrum_bears", HHN, collapsed=True),
    _fit("fortdrum 2 km HN", SECR_JSON, "fortdrum_bears: 2km mask null HN", "fortdrum_bears, 2 km", HN),
    _fit(
        "fortdrum 2 km HN binomial",
        SECR_JSON,
        "fortdrum_bears: 2km mask null HN binomial-N",
        "fortdrum_bears, 2 km",
        HN,
        distribution="binomial",
    ),
    _fit(
        "fortdrum 2 km sex null",
        SECR_JSON,
        "fortdrum_bears: 2km mask hcov sex null",
        "fortdrum_bears, 2 km",
        HN,
        **_sexes("g0", differ=False),
    ),
    _fit(
        "fortdrum 2 km sex",
        SECR_JSON,
        "fortdrum_bears: 2km mask hcov sex g0~h2 sigma~h2 HN",
        "fortdrum_bears, 2 km",
        HN,
        **_sexes("g0", differ=True),
        rough_errors=("D[Intercept]",),  # 0.1564 published, 0.1586 exact
    ),
    _fit("blackbear HN", SECR_JSON, "blackbearCH: null HN", "blackbearCH", HN, collapsed=True),
    _fit("blackbear EX", SECR_JSON, "blackbearCH: null EX", "blackbearCH", EX, collapsed=True),
    _fit("captdata HN", SECR_JSON, "captdata: null HN", "captdata", HN),
    _fit("captdata EX", SECR_JSON, "captdata: null EX", "captdata", EX),
    _fit("captdata HHN", SECR_JSON, "captdata: null HHN", "captdata", HHN),
    _fit("captdata HEX", SECR_JSON, "captdata: null HEX", "captdata", HEX),
    _fit(
        "captdata HN conditional",
        SECR_JSON,
        "captdata: null CL HN",
        "captdata",
        HN,
        conditional=True,
        labels=("g0[Intercept]", "sigma[Intercept]"),
    ),
    _fit("captdata HN binomial", SECR_JSON, "captdata: null binomial-N HN", "captdata", HN, distribution="binomial"),
    _fit(
        "captdata D~x+y",
        SECR_JSON,
        "captdata: D~x+y HN",
        "captdata",
        HN,
        density="~ east + north",
        labels=("D[Intercept]", "D[east]", "D[north]", "g0[Intercept]", "sigma[Intercept]"),
    ),
    _fit("deermouse HN", SECR_JSON, "deermouse_ESG: null HN", "deermouse_ESG", HN),
    _fit("ovenCH HN", SECR_JSON, "ovenCH: null HN", "ovenCH", HN),
    _fit(
        "ovenCH D~session",
        SECR_JSON,
        "ovenCH: D~session HN",
        "ovenCH",
        HN,
        density="~ session",
        labels=(
            "D[Intercept]",
            *(f"D[session[{year}]]" for year in range(2006, 2010)),
            "g0[Intercept]",
            "sigma[Intercept]",
        ),
    ),
    _fit(
        "ovenCH trend",
        SECR_JSON,
        "ovenCH: D~Session (trend) HN",
        "ovenCH",
        HN,
        density="~ year",
        labels=("D[Intercept]", "D[year]", "g0[Intercept]", "sigma[Intercept]"),
    ),
    _fit("kruger HHN", SECR_JSON, "kruger_leopard: null HHN Poisson", "kruger_leopard", HHN),
    _fit(
        "kruger D~habitat",
        SECR_JSON,
        "kruger_leopard: D~habitat.cov HHN Poisson",
        "kruger_leopard",
        HHN,
        density="~ habitat",
        labels=("D[Intercept]", "D[habitat]", "lambda0[Intercept]", "sigma[Intercept]"),
    ),
    _fit(
        "kruger D~water",
        SECR_JSON,
        "kruger_leopard: D~dtw_km (dist.to.water/1000) HHN Poisson",
        "kruger_leopard",
        HHN,
        density="~ water_km",
        labels=("D[Intercept]", "D[water_km]", "lambda0[Intercept]", "sigma[Intercept]"),
    ),
    _fit(
        "kruger sex",
        SECR_JSON,
        "kruger_leopard: hcov sex lambda0~h2 sigma~h2 HHN",
        "kruger_leopard",
        HHN,
        **_sexes("lambda0", differ=True),
        rough_errors=("D[Intercept]",),  # 0.1799 published, 0.1890 exact
    ),
    _fit("stoatCH HN", SECR_JSON, "stoatCH: null HN", "stoatCH", HN),
    _fit("stoatCH EX", SECR_JSON, "stoatCH: null EX", "stoatCH", EX),
    _fit("stoatCH HHN", SECR_JSON, "stoatCH: null HHN", "stoatCH", HHN),
    _fit(
        "stoatCH proximity HN collapsed",
        SECR_JSON,
        "stoatCH: null HN detector=proximity fast",
        "stoatCH as proximity",
        HN,
        collapsed=True,
    ),
    _fit("stoatCH proximity HN", SECR_JSON, "stoatCH: null HN detector=proximity nofast", "stoatCH as proximity", HN),
    _fit("stoatCH proximity EX", SECR_JSON, "stoatCH: null EX detector=proximity", "stoatCH as proximity", EX),
    _fit("secrdemo HN", "secrdemo", "secrdemo.0", "secrdemo", HN),
    _fit(
        "secrdemo HN conditional",
        "secrdemo",
        "secrdemo.CL",
        "secrdemo",
        HN,
        conditional=True,
        labels=("g0[Intercept]", "sigma[Intercept]"),
    ),
    _fit("stoat-dna HN", "stoat-dna", "stoat.model.HN", "stoat-dna", HN),
    _fit("stoat-dna EX", "stoat-dna", "stoat.model.EX", "stoat-dna", EX),
    _fit("gsm-blackbear sex null", "gsm-blackbear", "blackbear.0", "gsm-blackbear", EX, **_sexes("g0", differ=False)),
    _fit("snow leopard m0", SNOW, "m0", "snow leopard", HHN),
    _fit(
        "snow leopard m1",
        SNOW,
        "m1",
        "snow leopard",
        HHN,
        density="~ std_elev",
        labels=(*ELEVATION, "sigma[Intercept]"),
    ),
    _fit(
        "snow leopard m1.2",
        SNOW,
        "m1.2",
        "snow leopard",
        HHN,
        density="~ std_elev",
        formulas={"lambda0": "~ lure_01"},
        labels=(*ELEVATION, "lambda0[lure_01[yes]]", "sigma[Intercept]"),
    ),
    _fit(
        "snow leopard m1.3",
        SNOW,
        "m1.3",
        "snow leopard",
        HHN,
        density="~ std_elev",
        formulas={"lambda0": "~ habitat"},
        labels=(*ELEVATION, *(f"lambda0[habitat[{h}]]" for h in ("forest", "pasture", "scrub")), "sigma[Intercept]"),
        reparametrise=_habitat(),
    ),
    _fit(
        "snow leopard m2",
        SNOW,
        "m2",
        "snow leopard",
        HHN,
        density="~ std_rugged",
        labels=("D[Intercept]", "D[std_rugged]", "lambda0[Intercept]", "sigma[Intercept]"),
    ),
    _fit(
        "snow leopard m3",
        SNOW,
        "m3",
        "snow leopard",
        HHN,
        density="~ std_roadden",
        labels=("D[Intercept]", "D[std_roadden]", "lambda0[Intercept]", "sigma[Intercept]"),
    ),
]

HABITUATED = ("g0[Intercept]", "g0[bk[caught]]", "sigma[Intercept]")
RESPONDING = ("g0[Intercept]", "g0[b[caught]]", "sigma[Intercept]")


def _occasions(n: int) -> tuple[str, ...]:
    return ("D[Intercept]", "g0[Intercept]", *(f"g0[occasion[{s}]]" for s in range(2, n + 1)), "sigma[Intercept]")


VARYING = [
    _fit(
        f"{data} g0~{term}",
        SECR_JSON,
        f"{key}: {mask}g0~{term} HN",
        survey,
        HN,
        formulas={"g0": f"~ {term}"},
        labels=("D[Intercept]", *(HABITUATED if term == "bk" else RESPONDING)),
    )
    for data, key, mask, survey, terms in [
        ("captdata", "captdata", "", "captdata", ("b", "bk")),
        ("fortdrum", "fortdrum_bears", "", "fortdrum_bears", ("b", "bk")),
        ("fortdrum 2 km", "fortdrum_bears", "2km mask ", "fortdrum_bears, 2 km", ("bk",)),
        ("deermouse", "deermouse_ESG", "", "deermouse_ESG", ("b",)),
        ("ovenCH", "ovenCH", "", "ovenCH", ("b",)),
    ]
    for term in terms
] + [
    _fit(
        "captdata g0~t",
        SECR_JSON,
        "captdata: g0~t HN",
        "captdata",
        HN,
        formulas={"g0": "~ occasion"},
        labels=_occasions(5),
    ),
    _fit(
        "captdata g0~T",
        SECR_JSON,
        "captdata: g0~T HN",
        "captdata",
        HN,
        formulas={"g0": "~ trend"},
        labels=("D[Intercept]", "g0[Intercept]", "g0[trend]", "sigma[Intercept]"),
    ),
    _fit(
        "fortdrum 2 km g0~t",
        SECR_JSON,
        "fortdrum_bears: 2km mask g0~t HN",
        "fortdrum_bears, 2 km",
        HN,
        formulas={"g0": "~ occasion"},
        labels=_occasions(8),
    ),
    _fit(
        "gsm-blackbear bk and sex",
        "gsm-blackbear",
        "blackbear.h2bk",
        "gsm-blackbear",
        EX,
        classes="sex",
        formulas={"g0": "~ sex + bk", "sigma": "~ sex"},
        labels=(
            "D[Intercept]",
            "g0[Intercept]",
            "g0[sex[M]]",
            "g0[bk[caught]]",
            "sigma[Intercept]",
            "sigma[sex[M]]",
            "pmix[M]",
        ),
    ),
]
"""Detection that varies by occasion or with an animal's past."""

FITS = [*FITS, *VARYING]

FIXED = "secr_fixed_beta.json"
STORED = "secr_stored_fits.json"

AT_FIXED_COEFFICIENTS = [
    _fit("captdata HN, fixed", FIXED, "captdata HN multi (log 5, logit .25, log 30)", "captdata", HN),
    _fit("captdata HHN, fixed", FIXED, "captdata HHN multi (log 5, log .3, log 30)", "captdata", HHN),
    _fit("stoatCH HN, fixed", FIXED, "stoatCH HN multi (log .02, logit .05, log 250)", "stoatCH", HN),
    _fit("kruger HHN, fixed", FIXED, "kruger HHN count Poisson (log 5e-4, log .1, log 4000)", "kruger_leopard", HHN),
    _fit("ovenCH HN, fixed", FIXED, "ovenCH HN multi 5 sessions (log 1, logit .03, log 80)", "ovenCH", HN),
    _fit("ovenbird.model.1", STORED, "ovenbird.model.1", "ovenCH", HN),
    _fit(
        "ovenbird.model.D",
        STORED,
        "ovenbird.model.D",
        "ovenCH",
        HN,
        density="~ year",
        labels=("D[Intercept]", "D[year]", "g0[Intercept]", "sigma[Intercept]"),
    ),
]
