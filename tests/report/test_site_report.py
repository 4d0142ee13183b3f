"""Reports of occupancy models: what is true of each family and nothing else, and no position unless asked."""

import re
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop import words
from leopardpop.errors import ModelError
from leopardpop.plots.effects import worded
from leopardpop.report.html import to_html
from leopardpop.report.site_context import SiteContext
from leopardpop.report.write import compose_sites
from tests.report.test_citations import keys
from tests.report.test_report import Page

N, VISITS = 30, 5
NAMES = [f"Zmeinaya-{i:02d}" for i in range(N)]
XY = 3000.0 * np.array([(i % 6, i // 6) for i in range(N)]) + [712_345, 4_812_345]
STATE = {"psi": 0.7, "breeding": 0.5, "p1": 0.4, "p2": 0.5, "delta": 0.5}
NEXT = {"psi_next": 0.4, "breeding_next": 0.4}
CASES = {
    "Occupancy": (lp.Occupancy(psi="~ snow"), "binary", 1, {"psi": 0.5, "p": 0.4}),
    "groups": (lp.Occupancy(psi="~ (1 | valley)"), "binary", 1, {"psi": 0.5, "p": 0.4, "psi_sd_valley": 0.5}),
    "surface": (lp.Occupancy(psi="~ gp(x, y, functions=12)"), "binary", 1, {"psi": 0.5, "p": 0.4, "psi_sd_gp": 0.5}),
    "DynamicOccupancy": (lp.DynamicOccupancy(), "binary", 3, {"psi": 0.6, "gamma": 0.2, "epsilon": 0.2, "p": 0.4}),
    "MultistateOccupancy": (lp.MultistateOccupancy(), "state", 1, STATE),
    "multinomial": (lp.MultistateOccupancy(psi="~ snow", parametrisation="multinomial"), "state", 1, STATE),
    "DynamicMultistateOccupancy": (lp.DynamicMultistateOccupancy(), "state", 2, STATE | NEXT),
    "RoyleNichols": (lp.RoyleNichols(abundance="~ snow"), "binary", 1, {"abundance": 1.0, "r": 0.3}),
    "NMixture": (lp.NMixture(), "count", 1, {"abundance": 2.0, "p": 0.4}),
    "negbin": (lp.NMixture(distribution="negbin"), "count", 1, {"abundance": 2.0, "p": 0.4, "size": 2.0}),
    "CountOccupancy": (lp.CountOccupancy(), "count", 1, {"psi": 0.5, "rate": 1.0}),
    "FalsePositiveOccupancy": (lp.FalsePositiveOccupancy(), "binary", 1, {"psi": 0.5, "p": 0.6, "p10": 0.05}),
    "certain": (lp.FalsePositiveOccupancy(certain="dna"), "binary", 1, {"psi": 0.5, "p": 0.6, "p10": 0.05}),
    "confirmed": (lp.FalsePositiveOccupancy(b="~ 1"), "state", 1, {"psi": 0.5, "p": 0.6, "p10": 0.05, "b": 0.5}),
}
KEYS = {
    "Occupancy": {"mackenzie2002"},
    "surface": {"mackenzie2002", "solin2020", "riutort2023", "andrieu2009"},
    "DynamicOccupancy": {"mackenzie2003"},
    "MultistateOccupancy": {"nichols2007"},
    "DynamicMultistateOccupancy": {"mackenzie2009"},
    "RoyleNichols": {"royle2003"},
    "NMixture": {"royle2004", "barker2018"},
    "CountOccupancy": {"mackenzie2002"},
    "FalsePositiveOccupancy": {"royle2006"},
    "certain": {"royle2006", "miller2011"},
    "confirmed": {"royle2006", "miller2011"},
}
COMMON = {"leopardpop", "vehtari2024", "numpy2020"}


@cache
def fit(kind: str) -> lp.OccupancyFit:
    model, response, seasons, truth = CASES[kind]
    valleys = [f"Kedrovaya{i % 7}" for i in range(N)]
    snow = np.linspace(5, 40, N)
    sites = pd.DataFrame({"site": NAMES, "x": XY[:, 0], "y": XY[:, 1], "snow": snow, "valley": valleys})
    wide = pd.DataFrame(np.ones((N, VISITS * seasons))).assign(site=NAMES)
    dna = np.tile([1.0] + [0.0] * (VISITS - 1), (N, seasons))
    design = lp.DetectionHistory.from_tables(
        wide, sites, visit_covariates={"dna": dna}, seasons=seasons, response=response, crs="EPSG:32652"
    )
    if kind == "surface":
        truth = truth | {"psi_length_gp": 6.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = model.simulate(design, parameters=truth, seed=3).history
        return model.fit(history, engine="laplace", draws=200, seed=1)


@cache
def page(kind: str, **options) -> Page:
    return Page(to_html(compose_sites(SiteContext(fit=fit(kind), **options))))


def has(word: str) -> set[str]:
    return {kind for kind in CASES if re.search(word, page(kind).text)}


@pytest.mark.parametrize("kind", CASES)
def test_every_family_has_all_sections_and_shows_no_place(kind):
    shown = page(kind)
    for heading in ("The data", "The model", "Estimates", "Can it be trusted?", "What the data cannot say"):
        assert heading in shown.text
    everything = shown.text + " ".join(shown.alternatives)
    assert "Zmeinaya" not in everything
    assert "Kedrovaya" not in everything
    assert not re.search(r"71[2-9]\d{3}|48[12]\d{4}|EPSG", everything)
    assert "nan" not in re.findall(r"\w+", everything)
    assert "captur" not in shown.text.replace("capture-recapture for camera traps", "")
    assert "mask" not in shown.text.lower()
    assert all(source.startswith(("data:image/", "#")) for source in shown.sources)
    assert len(shown.alternatives) >= 2 + len(re.findall("Figure 3", shown.text))


@pytest.mark.parametrize("kind", CASES)
def test_numbers_are_those_of_the_fit(kind):
    summary = fit(kind).summary()
    text = page(kind).text
    for name in ("psi", "abundance"):
        if name in summary.index:
            assert words.interval(*summary.loc[name, ["median", "eti95_lb", "eti95_ub"]]) in text
    used = fit(kind).occupancy().used_sites.values.reshape(200 * 4, -1)
    median = f"{np.median(used[:, 0]):.0f}"
    assert re.search(rf"Sites used {median}\b|\b1 {median} \(", text)


def test_what_is_said_of_one_family_alone():
    mistakes = {"FalsePositiveOccupancy", "certain", "confirmed"}
    animals = {"RoyleNichols", "NMixture", "negbin"}
    breeding = {"MultistateOccupancy", "multinomial", "DynamicMultistateOccupancy"}
    seasons = {"DynamicOccupancy", "DynamicMultistateOccupancy"}
    assert has("make no mistakes") == {"certain"}
    assert has("may be mistakes") == mistakes
    assert has("No detection is certain") == {"FalsePositiveOccupancy"}
    assert has("There are no false detections") == set(CASES) - mistakes - animals - {"CountOccupancy"}
    assert has("How many animals are at the 30 sites") == animals
    assert has("no animal is counted twice") == {"NMixture", "negbin"}
    assert has("negative binomial number") == {"negbin"}
    assert has("A breeding site is not a breeding female") == breeding
    assert has("multinomial logit") == {"multinomial"}
    assert has("says nothing of a trend") == set(CASES) - seasons - animals
    assert has("backward sampling") == has("Newly used") == has("Probability that used sites fell") == seasons
    assert has("sine waves") == {"surface"}
    assert has("deviations of 7 groups") == {"groups"}
    assert has("events") == {"CountOccupancy"}


@pytest.mark.parametrize("kind", KEYS)
def test_references(kind):
    assert set(keys(fit(kind).cite())) == KEYS[kind] | COMMON


def test_exact_positions_on_request():
    shown = page("Occupancy", coordinates="exact")
    assert "Zmeinaya-07" in shown.text
    assert "EPSG:32652" in shown.text
    assert "do not pass it on" in shown.text
    assert "Kedrovaya3" in page("groups", coordinates="exact").text


def test_decline_is_asked_for_by_its_share():
    chance = fit("DynamicOccupancy").occupancy().decline(0.2)
    shown = page("DynamicOccupancy", decline=0.2).text
    assert f"fell by more than 20 % {words.probability(chance)} from season 1 to season 3" in shown


def test_written_as_page_and_as_markdown(tmp_path):
    made = fit("Occupancy").report(tmp_path / "report.html", title="Where are they?", note="A trial.")
    assert "Where are they?" in made.read_text(encoding="utf-8")
    text = fit("Occupancy").report(tmp_path / "report.md", checks=True).read_text(encoding="utf-8")
    assert "Could the model have made these data?" in text
    for name in re.findall(r"\]\((report_figures/[^)]+)\)", text):
        assert (tmp_path / name).exists()


def test_options_of_other_models_are_refused(tmp_path):
    with pytest.raises(ModelError, match="report of Occupancy has no such option"):
        fit("Occupancy").report(tmp_path / "r.html", claim=(3, 5))
    with pytest.raises(ModelError, match="Occupancy is of one season"):
        fit("Occupancy").report(tmp_path / "r.html", decline=0.2)
    assert not list(tmp_path.iterdir())


def test_axes_name_what_the_parameter_is():
    assert worded(fit("NMixture"), "p").startswith("Pr(one animal is counted)")
    assert worded(fit("certain"), "p").startswith("Pr(truly seen")
    assert worded(fit("multinomial"), "psi") == "psi"
    assert fit("RoyleNichols").plot.effect("abundance", "snow").get_ylim()[1] > 1.0
    assert not any("psi along" in alt for alt in page("multinomial").alternatives)
