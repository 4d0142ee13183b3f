"""The published fits of secr that are compared, as the same models in our words."""

from __future__ import annotations

from typing import Any

import numpy as np

from leopardpop.checks.known.secr import Matrix, SecrFit

__all__ = ["AT_FIXED_COEFFICIENTS", "FITS", "VARYING"]

HN, EX = "ProbabilityHalfNormal", "ProbabilityExponential"
HR = "ProbabilityHazardRate"
HHN, HEX = "HalfNormal", "Exponential"


def _null(baseline: str) -> tuple[str, ...]:
    return ("D[Intercept]", f"{baseline}[Intercept]", "sigma[Intercept]")


def _baseline(detection: str) -> str:
    return "g0" if detection in (HN, EX, HR) else "lambda0"


def _fit(name: str, source: str, key: str, survey: str, detection: str, **options: Any) -> SecrFit:
    options.setdefault("labels", _null(_baseline(detection)))
    return SecrFit(name=name, source=source, key=key, survey=survey, detection=detection, **options)


def _sexes(baseline: str, *, differ: bool) -> dict[str, Any]:
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

FITS: list[SecrFit] = [
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
    _fit("captdata HR", SECR_JSON, "captdata: null HR", "captdata", HR, labels=(*_null("g0"), "z[Intercept]")),
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
"""Every fit with estimates and standard errors."""

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
"""Log-likelihoods at coefficients that were fixed by hand or stored."""
