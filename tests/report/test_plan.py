"""The report of a plan: what is in it follows from what was asked, and positions stay hidden unless they are wanted."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import ModelError
from tests.design.designs import TRUTH, grid_design, mask_of


@cache
def results():
    design = grid_design(4)
    mask = mask_of(design, 1.0)
    believed = {"D": lp.priors.from_range(0.01, 0.03), "lambda0": 0.1, "sigma": TRUTH["sigma"]}
    name = 'wide <b>"grid"</b>'
    plan = lp.design.Scenario(model=lp.SCR(), design=design, mask=mask, parameters=TRUTH)
    trend = lp.design.Trend(decline=(0.2, 0.5), years=6, every=2)
    limits = lp.design.Limits(stations=6)
    return {
        "expected": lp.design.expected(lp.SCR(), {name: design}, mask, parameters=believed, effort=(1, 2), draws=50),
        "layout": lp.design.layout(lp.SCR(), design, mask, parameters=TRUTH, limits=limits),
        "study": lp.design.study({name: plan}, replicates=2, seed=1),
        "power": lp.design.power(lp.SCR(), design, mask, parameters=TRUTH, trend=trend),
        "sites": lp.design.site_precision(
            lp.Occupancy(), sites=(60, 120), visits_per_season=(4,), parameters={"psi": 0.6, "p": 0.3}
        ),
    }


class Text(HTMLParser):
    """Words and tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.tags = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def written(folder, *which, **options):
    path = lp.design.report(folder / "plan.html", *(results()[name] for name in which), **options)
    page = Text(path.read_text(encoding="utf-8"))
    return " ".join(" ".join(page.words).split()), page.tags


def test_everything(tmp_path):
    prior = lp.priors.from_range(0.01, 0.03)
    text, tags = written(tmp_path, *results(), assumed={"D": prior, "sigma": 2000.0}, coordinates="exact", title="Plan")
    heads = ("What is assumed", "What it will find", "Where the stations would be", "by simulation", "Would a decline")
    places = [text.rindex(head) for head in (*heads, "Occupancy and breeding", "What this plan cannot say")]
    assert places == sorted(places)
    assert tags.count("img") == 3
    assert "b" not in tags
    assert 'wide <b>"grid"</b>: 16 stations' in text
    low, high = prior.quantile([0.025, 0.975])
    assert f"{low:.3g} to {high:.3g} in 95 of 100 cases: LogNormal" in text
    assert "sigma 2,000" in text
    assert "This report shows positions" in text
    assert "Nothing here was simulated" not in text


def test_numbers_are_those_of_the_result(tmp_path):
    text, _ = written(tmp_path, "expected", "power", "sites")
    found = results()["expected"]
    last = found.table[found.table["effort"] == 2.0]
    assert f"{round(float(np.median(last['n'])))} (" in text
    assert found.probability(0.2).max() == 0.0
    assert text.count("< 0.01") == 2
    power = results()["power"].summary()["power"]
    assert all(f"{value:.2f}" in text for value in power)
    width = results()["sites"].summary()["width"].iloc[0]
    assert f"± {width / 2:.2f}" in text
    assert "Nothing here was simulated" in text


def test_without_positions_there_is_no_map(tmp_path):
    text, tags = written(tmp_path, "expected", "layout")
    assert "img" not in tags
    assert "The map is left out" in text
    assert "Positions are hidden." in text
    exact = lp.design.report(tmp_path / "plan.md", results()["layout"], coordinates="exact")
    assert "layout" in exact.read_text(encoding="utf-8")
    assert [path.suffix for path in (tmp_path / "plan_figures").iterdir()] == [".png"]


def test_what_cannot_be_reported(tmp_path):
    with pytest.raises(ModelError, match=r"a DataFrame is none. Give what lp.design returned: 'Expected', 'Layout'"):
        lp.design.report(tmp_path / "plan.html", pd.DataFrame())
    with pytest.raises(ModelError, match="there is none"):
        lp.design.report(tmp_path / "plan.html")
    with pytest.raises(ModelError, match=r"plan.pdf: a report is written as .html or .md"):
        lp.design.report(tmp_path / "plan.pdf", results()["power"])
    with pytest.raises(ModelError, match=r"there is no folder .*none. Make it first"):
        lp.design.report(tmp_path / "none/plan.html", results()["power"])
    with pytest.raises(ModelError, match=r'coordinates=.all.: it is "hidden" or "exact"'):
        lp.design.report(tmp_path / "plan.html", results()["power"], coordinates="all")
